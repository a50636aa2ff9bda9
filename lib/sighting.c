/* Sightings from sessions, and what any sighting says; those from lines of a
 * log are in sighting_line.c. */
#include "sighting.h"

#include <string.h>

void tf_label_copy(char *to, size_t size, struct tf_text from)
{
    size_t n = 0;
    while (from.n > 0 && n + 1 < size) {
        uint32_t character;
        size_t letter = tf_utf8_take(from.p, from.n, &character);
        size_t taken = letter > 0 ? letter : 1;
        to[n++] = letter == 0 && *from.p >= ' ' && *from.p <= '~' ? *from.p : '?';
        from = (struct tf_text){from.p + taken, from.n - taken};
    }
    to[n] = '\0';
}

const char *tf_outcome_name(enum tf_outcome outcome)
{
    static const char *const names[TF_OUTCOMES] = {"blocked", "would-block", "upgraded", "passed"};
    return names[outcome];
}

static void copy(char *to, size_t size, const char *from)
{
    tf_label_copy(to, size, tf_text_of(from != NULL ? from : ""));
}

static enum tf_outcome outcome_of(const struct tf_facts *facts)
{
    switch (tf_record_event(facts)) {
    case TF_EVENT_NONE:
        return TF_OUTCOME_PASSED;
    case TF_EVENT_UPGRADED:
        return TF_OUTCOME_UPGRADED;
    case TF_EVENT_VERSION_WOULD_BLOCK:
        return TF_OUTCOME_WOULD_BLOCK;
    case TF_EVENT_VERSION_BLOCKED:
    case TF_EVENT_SERVER_BELOW_FLOOR:
    case TF_EVENT_NOT_TLS:
    case TF_EVENT_MALFORMED:
    case TF_EVENT_ACCESS_DENIED:
    case TF_EVENT_VERIFY_FAILED:
    case TF_EVENT_COUNT:
        break;
    }
    return TF_OUTCOME_BLOCKED;
}

/* By name where one is known, as rules go by. */
static void take_destination(struct tf_sighting *s, const struct tf_facts *facts)
{
    if (!facts->has_target)
        return;
    struct tf_writer w = tf_writer_of(s->host, sizeof s->host - 1);
    if (facts->target.is_address && facts->name[0] == '\0')
        tf_put_addr(&w, &facts->target.addr);
    else
        tf_put_text(&w, facts->target.is_address ? facts->name : facts->target.host);
    s->port = facts->target.port;
    s->is_m365 = facts->m365 != NULL;
    if (s->is_m365)
        s->area = facts->m365->area;
}

static void take_hello(struct tf_sighting *s, const struct tf_hello *hello, const struct tf_digest *sha256)
{
    struct tf_writer ja4 = tf_writer_of(s->ja4, sizeof s->ja4 - 1);
    s->version = tf_version_rank(hello->max_version);
    tf_put_ja4(&ja4, hello, sha256);
    if (ja4.len > 0)
        tf_sighting_put_fingerprint(s);
    else
        s->fingerprint = tf_client_fingerprint(hello);
}

void tf_sighting_put_fingerprint(struct tf_sighting *s)
{
    s->fingerprint = tf_hash64(TF_HASH64_START, s->ja4, strlen(s->ja4));
}

static void take_client(struct tf_sighting *s, const struct tf_facts *facts)
{
    const struct tf_client *client = &facts->client;
    s->is_fallback = facts->is_fallback;
    s->family = client->family;
    s->certainty = client->certainty;
    if (client->family != TF_CLIENT_FAMILY_UNKNOWN)
        copy(s->name, sizeof s->name,
             client->name[0] != '\0' ? client->name : tf_client_info(client->family)->name);
    tf_sighting_put_agent(s, tf_text_of(facts->user_agent), tf_text_of(facts->greeting));
}

void tf_sighting_put_agent(struct tf_sighting *s, struct tf_text user_agent, struct tf_text greeting)
{
    static const char ehlo[] = "EHLO ";
    size_t prefix = 0;
    if (user_agent.n == 0 && greeting.n > 0) {
        prefix = sizeof ehlo - 1;
        memcpy(s->user_agent, ehlo, prefix);
    }
    tf_label_copy(s->user_agent + prefix, sizeof s->user_agent - prefix, prefix > 0 ? greeting : user_agent);
}

void tf_sighting_of_facts(struct tf_sighting *s, const struct tf_facts *facts, const struct tf_digest *sha256)
{
    memset(s, 0, sizeof *s);
    s->outcome = outcome_of(facts);
    if (s->outcome == TF_OUTCOME_BLOCKED || s->outcome == TF_OUTCOME_WOULD_BLOCK)
        s->reason = facts->reason;
    s->count = 1;
    s->first_us = s->last_us = facts->started_us;
    s->source = facts->source;
    s->source.port = 0;
    take_destination(s, facts);
    if (facts->has_hello)
        take_hello(s, &facts->hello, sha256);
    if (s->outcome == TF_OUTCOME_UPGRADED)
        s->to = tf_version_rank(facts->outside.version);
    take_client(s, facts);
    copy(s->user, sizeof s->user, facts->user);
    copy(s->listener, sizeof s->listener, facts->listener);
    copy(s->rule, sizeof s->rule, facts->rule != NULL ? facts->rule->name : NULL);
}

/* No hello: plain text that was carried on in TLS, or that was refused because it is plain text. */
static bool is_plain(const struct tf_sighting *s)
{
    return s->outcome == TF_OUTCOME_UPGRADED || s->reason == TF_REASON_CLIENT_NOT_TLS ||
           s->reason == TF_REASON_MAIL_CLEARTEXT || s->reason == TF_REASON_M365_CLEARTEXT;
}

bool tf_sighting_is_below(const struct tf_sighting *s, uint16_t floor)
{
    if (s->is_fallback)
        return false;
    if (s->version == 0)
        return is_plain(s);
    return s->reason == TF_REASON_CLIENT_SSLV2_HELLO || tf_version_rank(s->version) < floor;
}

bool tf_sighting_is_about_tls(const struct tf_sighting *s)
{
    if (s->source.family == TF_FAMILY_NONE)
        return false;
    if (s->is_fallback || tf_sighting_is_below(s, TF_TLS12))
        return true;
    return s->version != 0 &&
           (s->reason == TF_REASON_NONE || tf_reason_info(s->reason)->event == TF_EVENT_VERSION_BLOCKED);
}
