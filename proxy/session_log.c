/* What a session leaves behind; see session_log.h. */
#include "session_log.h"

#include "loop.h"

#include <assert.h>
#include <stdlib.h>

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

static void write_record(struct session *s)
{
    struct loop *loop = s->loop;
    if (loop->setting->block == NULL)
        return;
    struct tf_record_context context = record_context(s);
    struct tf_writer w = line_writer(s);
    tf_put_block_record(&w, session_facts(s), &context);
    assert(!w.full);
    journal_write(loop->setting->block, w.p, w.len);
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

/* The line in the block log, where one is due, and the counters. */
static void log_verdict(struct session *s)
{
    struct counters *counters = &s->loop->counters;
    const struct tf_facts *facts = session_facts(s);
    enum tf_event event = tf_record_event(facts);
    if (event == TF_EVENT_UPGRADED)
        count_upgrade(counters, facts);
    else if (facts->reason != TF_REASON_NONE)
        counters_reason(counters, facts->reason,
                        event == TF_EVENT_NONE                 ? REASON_ERROR
                        : facts->verdict == TF_VERDICT_MONITOR ? REASON_WOULD_BLOCK
                                                               : REASON_BLOCKED);
    if (event != TF_EVENT_NONE)
        write_record(s);
}

/* The access record is written when all is over; a tunnel keeps only the head of its line until then. A
 * client that asked for nothing leaves none. */
static void begin_access_line(struct session *s)
{
    const struct tf_facts *facts = session_facts(s);
    if (s->loop->setting->access == NULL || (!facts->has_target && facts->verdict == TF_VERDICT_NONE))
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
        journal_write(s->loop->setting->access, w.p, w.len);
    free(s->access_head);
    s->access_head = NULL;
}

void session_log(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    facts->duration_us = loop_wall_us(s->loop) - facts->started_us;
    facts->bytes_up = s->bytes[TF_CLIENT];
    facts->bytes_down = s->bytes[TF_SERVER];
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
