/* What a session leaves behind; see session_log.h. */
#include "session_log.h"

#include "../lib/inside.h"
#include "loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One line is put together in the loop's buffer, which nobody holds across calls. */
static struct tf_writer line_writer(struct session *s)
{
    return tf_writer_of((char *)s->loop->buffer, LOOP_BUFFER_SIZE);
}

static struct tf_record_context record_context(struct session *s)
{
    const struct tf_conf *conf = &s->conf->tf;
    return (struct tf_record_context){&conf->policy, s->loop->digests.md5, s->loop->digests.sha256,
                                      conf->log.format == TF_LOG_W3C};
}

/* What the session says of its client, for the inventory. */
static struct tf_sighting sighting_of(struct session *s, uint64_t count)
{
    struct tf_sighting sighting;
    tf_sighting_of_facts(&sighting, session_facts(s), &s->loop->digests.sha256);
    sighting.count = count;
    return sighting;
}

static enum journal_kind kind_of(enum tf_event event)
{
    return event == TF_EVENT_UPGRADED              ? JOURNAL_OTHER
           : event == TF_EVENT_VERSION_WOULD_BLOCK ? JOURNAL_WOULD_BLOCK
                                                   : JOURNAL_REFUSED;
}

/* A line of its own, and a sighting. */
static void write_record(struct session *s, enum journal_kind kind)
{
    const struct setting *setting = s->loop->setting;
    if (setting->inventory != NULL) {
        struct tf_sighting sighting = sighting_of(s, 1);
        inventory_note(setting->inventory, &sighting);
    }
    if (setting->block == NULL)
        return;
    struct tf_record_context context = record_context(s);
    struct tf_writer w = line_writer(s);
    tf_put_block_record(&w, session_facts(s), &context);
    assert(!w.full);
    journal_write(setting->block, w.p, w.len, kind, 1);
}

/* The first of what is to be summed up in one line. False: out of memory. */
static bool begin_rollup(struct session *s, struct rollup *u, enum journal_kind kind)
{
    struct tf_record_context context = record_context(s);
    struct tf_sighting sighting = sighting_of(s, 1);
    struct tf_writer w = line_writer(s);
    tf_put_block_head(&w, session_facts(s), &context);
    assert(!w.full);
    return rollup_begin(u, kind, w.p, w.len, &sighting);
}

/* A refusal, or what would be one: clients that are refused try again, and again. */
static void write_refusal(struct session *s, enum journal_kind kind)
{
    const struct tf_facts *facts = session_facts(s);
    struct rollup_kind same = rollup_kind_of(facts);
    struct rollup *u = rollups_note(&s->loop->rollups, &same, facts->started_us);
    if (u == NULL || (rollup_is_new(u) && !begin_rollup(s, u, kind)))
        write_record(s, kind);
}

/* What software that is, and whether a hello below the floor is a stray one: it says so itself (RFC 7507), or
 * the same source does better. */
static void recognise(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    const struct tf_hello *hello = facts->has_hello ? &facts->hello : NULL;
    facts->client = tf_client_identify(hello, facts->user_agent, facts->greeting);
    if (hello == NULL || tf_client_is_healthy(hello))
        return;
    counters_family(&s->loop->counters, facts->client.family);
    bool is_stray =
        acquaintances_note_below(s->loop->setting->acquaintances, &facts->source, tf_policy_host(facts),
                                 (int64_t)uv_now(&s->loop->uv), s->conf->tf.inventory.fallback_ms);
    enum tf_leaf kind;
    facts->is_fallback = tf_inside_choose(hello, &kind) == TF_REASON_CLIENT_FALLBACK ||
                         (is_stray && tf_client_may_do_better(facts->client.family));
}

/* A client at or above TLS 1.2. It is news only now and then, when more is known of its source, or when a
 * higher floor would stop it. */
static void note_healthy(struct session *s, bool has_record)
{
    const struct tf_facts *facts = session_facts(s);
    const struct setting *setting = s->loop->setting;
    if (!facts->has_hello || !tf_client_is_healthy(&facts->hello))
        return;
    uint64_t count = acquaintances_note_healthy(setting->acquaintances, &facts->source, tf_policy_host(facts),
                                                (int64_t)uv_now(&s->loop->uv),
                                                tf_version_rank(facts->hello.max_version) < TF_TLS13);
    if (count == 0 || has_record || setting->inventory == NULL)
        return;
    struct tf_sighting sighting = sighting_of(s, count);
    inventory_note(setting->inventory, &sighting);
}

static void count_upgrade(struct counters *counters, const struct tf_facts *facts)
{
    static const enum counter from[] = {COUNTER_UPGRADES_PLAIN, COUNTER_UPGRADES_10, COUNTER_UPGRADES_11,
                                        COUNTER_UPGRADES_12, COUNTER_UPGRADES_13};
    static const enum counter areas[TF_M365_AREAS] = {[TF_M365_COMMON] = COUNTER_UPGRADED_COMMON,
                                                      [TF_M365_EXCHANGE] = COUNTER_UPGRADED_EXCHANGE,
                                                      [TF_M365_SHAREPOINT] = COUNTER_UPGRADED_SHAREPOINT,
                                                      [TF_M365_SKYPE] = COUNTER_UPGRADED_SKYPE,
                                                      [TF_M365_MEM] = COUNTER_UPGRADED_MEM,
                                                      [TF_M365_OTHER] = COUNTER_UPGRADED_OTHER};
    uint16_t version = facts->inside.version;
    counters_add(counters, from[version == 0 ? 0 : version <= TF_TLS10 ? 1 : version - TF_TLS10 + 1], 1);
    counters_add(counters,
                 facts->outside.version == TF_TLS12 ? COUNTER_UPGRADED_TO_12 : COUNTER_UPGRADED_TO_13, 1);
    counters_add(counters, facts->m365 != NULL ? areas[facts->m365->area] : COUNTER_UPGRADED_ELSEWHERE, 1);
    counters_add(counters, COUNTER_RESUMED_INSIDE, facts->inside.resumed);
    counters_add(counters, COUNTER_RESUMED_OUTSIDE, facts->outside.resumed);
}

/* By what the client has offered; one that has said nothing yet is not counted. */
static void count_version(struct counters *counters, const struct tf_facts *facts)
{
    if (facts->has_hello)
        counters_version(counters, facts->hello.max_version);
    else if (facts->not_tls || facts->ask != TF_ASK_TUNNEL)
        counters_version(counters, 0);
}

/* The line in the block log, where one is due, and the counters. */
static void log_verdict(struct session *s)
{
    struct counters *counters = &s->loop->counters;
    const struct tf_facts *facts = session_facts(s);
    enum tf_event event = tf_record_event(facts);
    count_version(counters, facts);
    if (event == TF_EVENT_UPGRADED)
        count_upgrade(counters, facts);
    else if (facts->reason != TF_REASON_NONE)
        counters_reason(counters, facts->reason,
                        event == TF_EVENT_NONE                 ? REASON_ERROR
                        : facts->verdict == TF_VERDICT_MONITOR ? REASON_WOULD_BLOCK
                                                               : REASON_BLOCKED);
    note_healthy(s, event != TF_EVENT_NONE);
    if (event == TF_EVENT_NONE)
        return;
    recognise(s);
    if (event == TF_EVENT_UPGRADED)
        write_record(s, kind_of(event));
    else
        write_refusal(s, kind_of(event));
}

/* The access record is written when all is over; a tunnel keeps only the head of its line until then. A
 * client that asked for nothing leaves none. */
static void begin_access_line(struct session *s)
{
    const struct tf_facts *facts = session_facts(s);
    if (s->loop->setting->access == NULL || s->access_head != NULL ||
        (!facts->has_target && facts->verdict == TF_VERDICT_NONE))
        return;
    struct tf_record_context context = record_context(s);
    struct tf_writer w = line_writer(s);
    tf_put_access_head(&w, facts, &context);
    assert(!w.full);
    s->access_head = malloc(w.len + 1);
    if (s->access_head == NULL)
        return;
    memcpy(s->access_head, w.p, w.len);
    s->access_head[w.len] = '\0';
}

static void end_access_line(struct session *s, enum tf_reason reason, int64_t started_us)
{
    if (s->access_head == NULL)
        return;
    struct tf_facts end = {.reason = reason,
                           .duration_us = loop_wall_us(s->loop) - started_us,
                           .bytes_up = s->bytes[TF_CLIENT],
                           .bytes_down = s->bytes[TF_SERVER]};
    struct tf_writer w = line_writer(s);
    tf_put_text(&w, s->access_head);
    tf_put_access_tail(&w, &end);
    assert(!w.full);
    if (s->loop->setting->access != NULL)
        journal_write(s->loop->setting->access, w.p, w.len, JOURNAL_OTHER, 1);
    free(s->access_head);
    s->access_head = NULL;
}

void session_log(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    facts->duration_us = loop_wall_us(s->loop) - facts->started_us;
    facts->bytes_up = s->bytes[TF_CLIENT];
    facts->bytes_down = s->bytes[TF_SERVER];
    if (s->setup->is_told && facts->verdict != TF_VERDICT_BLOCK)
        return;
    log_verdict(s);
    begin_access_line(s);
}

/* What has been relayed goes into the totals, once. */
static void count_bytes(struct session *s)
{
    counters_add(&s->loop->counters, COUNTER_BYTES_UP, (int64_t)s->bytes[TF_CLIENT]);
    counters_add(&s->loop->counters, COUNTER_BYTES_DOWN, (int64_t)s->bytes[TF_SERVER]);
    s->bytes[TF_CLIENT] = s->bytes[TF_SERVER] = 0;
}

void session_log_end(struct session *s, enum tf_reason reason, int64_t started_us)
{
    end_access_line(s, reason, started_us);
    count_bytes(s);
}

/* Whether a session that ended so has failed without being refused. */
static bool is_error(enum tf_reason reason)
{
    return reason != TF_REASON_NONE && tf_reason_info(reason)->event == TF_EVENT_NONE;
}

/* How a session ended is not what became of it: one that was upgraded stays so, and so does one that went on
 * in plain text; and who has only been wrong about the password was kept out, however the session ended. */
static void note_outcome(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    enum tf_reason end = facts->reason;
    bool is_refused = end != TF_REASON_NONE && !is_error(end);
    bool is_upgraded = tf_record_is_upgraded(facts);
    if (is_refused || !(facts->is_login_wrong || is_upgraded || facts->is_plain_outside))
        return;
    if (is_error(end))
        counters_reason(&s->loop->counters, end, REASON_ERROR);
    facts->reason = TF_REASON_NONE;
    if (facts->is_login_wrong) {
        facts->reason = TF_REASON_LOGIN_FAILED;
        facts->verdict = TF_VERDICT_BLOCK;
    } else if (!is_upgraded) {
        facts->reason = TF_REASON_MAIL_CLEARTEXT;
        facts->detail = "server_tls = opportunistic lets it pass";
        facts->verdict = TF_VERDICT_MONITOR;
    }
}

enum tf_reason session_note_end(struct session *s, enum tf_reason end)
{
    if (s->setup == NULL) {
        if (is_error(end))
            counters_reason(&s->loop->counters, end, REASON_ERROR);
        return end;
    }
    struct tf_facts *facts = session_facts(s);
    if (facts->reason == TF_REASON_NONE)
        facts->reason = end;
    end = facts->reason;
    note_outcome(s);
    return !is_error(end) && facts->verdict == TF_VERDICT_BLOCK ? facts->reason : end;
}
