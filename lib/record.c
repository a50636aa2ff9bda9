/* Log lines from facts; see record.h. The fields are those of CONTRACT section 4
 * and of the Elastic Common Schema 8; what is not known is left out. A line
 * has four parts: what happened, who wanted where, what the two sides said
 * in their hellos, and how it ended. */
#include "record.h"
#include "json_fields.h"
#include "suites.h"
#include "w3c.h"

#include <string.h>

enum {
    NAME_CUT = 64,    /* texts of the configuration are cut to this */
    DETAIL_CUT = 256, /* and what a peer made fail to this */
    SUITES_MAX = 64,  /* a list names so many at most */
    VERSIONS_MAX = 16,
    /* must be left for a list to go on: an entry, "...", and the line's end, a roll-up's among them */
    LIST_ROOM = TF_SUITE_TEXT_MAX + 256,
    DIGITS = 40 /* holds JA3 and JA4 */
};

static void put_cut(struct tf_json *j, const char *key, const char *text, size_t max)
{
    size_t n = strlen(text);
    tf_json_bytes(j, key, text, n < max ? n : max);
}

static void put_name(struct tf_json *j, const char *key, const char *name)
{
    put_cut(j, key, name, NAME_CUT);
}

/* The constants of a line: what kind of event this is, in the words of ECS. */
static void put_kind(struct tf_json *j, const struct tf_facts *facts, const char *action, const char *type)
{
    tf_json_time(j, "@timestamp", facts->started_us);
    tf_put_text(j->w, ",\"ecs.version\":\"8.11.0\",\"event.kind\":\"event\",\"event.category\":[\"network\"],"
                      "\"event.type\":[\"connection\",\"");
    tf_put_text(j->w, type);
    tf_put_text(j->w, "\"]");
    tf_json_text(j, "event.action", action);
}

static void put_detail(struct tf_json *j, const struct tf_facts *facts)
{
    if (facts->detail != NULL)
        put_cut(j, "tlsfloor.detail", facts->detail, DETAIL_CUT);
}

static void put_reason(struct tf_json *j, const struct tf_facts *facts)
{
    const struct tf_reason_info *info = tf_reason_info(facts->reason);
    tf_json_text(j, "event.code", info->code);
    tf_json_text(j, "event.reason", info->sentence);
    put_detail(j, facts);
}

static void put_duration(struct tf_json *j, const struct tf_facts *facts)
{
    tf_json_u64(j, "event.duration", facts->duration_us > 0 ? (uint64_t)facts->duration_us * 1000 : 0);
}

static void put_rule(struct tf_json *j, const struct tf_rule *rule)
{
    put_name(j, "rule.name", rule->name);
    if (rule->owner != NULL && rule->owner[0] != '\0')
        put_name(j, "tlsfloor.rule.owner", rule->owner);
    if (rule->ticket != NULL && rule->ticket[0] != '\0')
        put_name(j, "tlsfloor.rule.ticket", rule->ticket);
}

static void put_who_and_where(struct tf_json *j, const struct tf_facts *facts)
{
    const struct tf_addr *destination = tf_record_destination(facts);
    if (facts->rule != NULL)
        put_rule(j, facts->rule);
    if (facts->listener != NULL)
        put_name(j, "observer.ingress.interface.name", facts->listener);
    if (facts->source.family != TF_FAMILY_NONE) {
        tf_json_addr(j, "source.ip", &facts->source);
        tf_json_u64(j, "source.port", facts->source.port);
    }
    if (facts->has_target && !facts->target.is_address)
        tf_json_text(j, "destination.domain", facts->target.host);
    if (destination->family != TF_FAMILY_NONE)
        tf_json_addr(j, "destination.ip", destination);
    if (facts->has_target)
        tf_json_u64(j, "destination.port", facts->target.port);
    if (facts->user_agent[0] != '\0')
        tf_json_text(j, "user_agent.original", facts->user_agent);
    if (facts->user[0] != '\0')
        tf_json_text(j, "user.name", facts->user);
    if (facts->failed_logins > 0)
        tf_json_u64(j, "tlsfloor.failed_logins", facts->failed_logins);
    if (facts->via.family != TF_FAMILY_NONE)
        tf_json_addr(j, "tlsfloor.via.ip", &facts->via);
}

/* A mail session: versions in the words of Exchange's own logs, and the answer of the server's that people
 * search for. */
static void put_mail(struct tf_json *j, const struct tf_facts *facts)
{
    bool upgraded = tf_record_is_upgraded(facts);
    bool has_outside = upgraded || facts->has_server_hello || facts->is_plain_outside;
    tf_json_text(j, "network.protocol", tf_mail_name(facts->mail));
    if (upgraded || facts->has_hello || facts->ask == TF_ASK_MAIL)
        tf_json_text(j, "tlsfloor.mail.inside", tf_mail_prot(tf_record_version(facts), true));
    if (has_outside)
        tf_json_text(j, "tlsfloor.mail.outside",
                     tf_mail_prot(upgraded ? facts->outside.version : facts->server.version, false));
    if (facts->mailbox[0] != '\0' && strcmp(facts->mailbox, facts->user) != 0)
        tf_json_text(j, "tlsfloor.mail.mailbox", facts->mailbox);
    if (facts->answer == NULL)
        return;
    tf_json_text(j, "tlsfloor.mail.answer", facts->answer->code);
    tf_json_bool(j, "tlsfloor.mail.answer_is_about_tls", facts->answer->is_tls_problem);
    tf_json_text(j, "tlsfloor.mail.answer_means", facts->answer->meaning);
}

/* A field of digits that its function may have nothing to write for. */
static void put_digits(struct tf_json *j, const char *key, const struct tf_writer *digits)
{
    if (digits->len > 0)
        tf_json_bytes(j, key, digits->p, digits->len);
}

static void put_client_hello(struct tf_json *j, const struct tf_hello *hello,
                             const struct tf_record_context *c)
{
    char ja3_text[DIGITS], ja4_text[DIGITS];
    struct tf_writer ja3 = tf_writer_of(ja3_text, sizeof ja3_text);
    struct tf_writer ja4 = tf_writer_of(ja4_text, sizeof ja4_text);
    if (hello->server_name.n > 0)
        tf_json_bytes(j, "tls.client.server_name", hello->server_name.p, hello->server_name.n);
    tf_put_ja3(&ja3, hello, &c->md5);
    put_digits(j, "tls.client.ja3", &ja3);
    tf_put_ja4(&ja4, hello, &c->sha256);
    put_digits(j, "tlsfloor.ja4", &ja4);
    if (tf_version_rank(hello->max_version) != 0)
        tf_json_version(j, "tlsfloor.max_version", hello->max_version);
}

static void put_server_hello(struct tf_json *j, const struct tf_server_hello *server,
                             const struct tf_record_context *c)
{
    char ja3s_text[DIGITS];
    struct tf_writer ja3s = tf_writer_of(ja3s_text, sizeof ja3s_text);
    tf_json_suite(j, "tls.cipher", server->cipher);
    tf_put_ja3s(&ja3s, server, &c->md5);
    put_digits(j, "tls.server.ja3s", &ja3s);
}

static void put_hellos(struct tf_json *j, const struct tf_facts *facts, const struct tf_record_context *c)
{
    uint16_t version = tf_record_version(facts);
    if (tf_version_rank(version) != 0) {
        tf_json_version(j, "tls.version", version);
        tf_json_text(j, "tls.version_protocol", version <= TF_SSL3 ? "ssl" : "tls");
    }
    if (tf_record_is_upgraded(facts) && facts->inside.version != 0) {
        tf_json_suite(j, "tls.cipher", facts->inside.cipher);
        tf_json_bool(j, "tls.resumed", facts->inside.resumed);
    } else if (facts->has_server_hello) {
        put_server_hello(j, &facts->server, c);
    }
    if (facts->has_hello)
        put_client_hello(j, &facts->hello, c);
}

static void put_upgrade(struct tf_json *j, const struct tf_facts *facts)
{
    const struct tf_leg *from = &facts->inside, *to = &facts->outside;
    if (from->version == 0) {
        tf_json_text(j, "tlsfloor.upgrade.from", "plain");
    } else {
        tf_json_version(j, "tlsfloor.upgrade.from", from->version);
        tf_json_suite(j, "tlsfloor.upgrade.from_cipher", from->cipher);
        tf_json_bool(j, "tlsfloor.upgrade.from_resumed", from->resumed);
    }
    tf_json_version(j, "tlsfloor.upgrade.to", to->version);
    tf_json_suite(j, "tlsfloor.upgrade.to_cipher", to->cipher);
    tf_json_bool(j, "tlsfloor.upgrade.to_resumed", to->resumed);
}

static void put_verdict(struct tf_json *j, const struct tf_facts *facts, const struct tf_record_context *c)
{
    tf_json_version(j, "tlsfloor.floor", c->policy->floor);
    tf_json_text(j, "tlsfloor.verdict", tf_verdict_name(facts->verdict));
    if (facts->mail != TF_MAIL_NONE)
        put_mail(j, facts);
    if (facts->m365 != NULL) {
        tf_json_text(j, "tlsfloor.m365.service_area", tf_m365_area_name(facts->m365->area));
        tf_json_text(j, "tlsfloor.m365.category", tf_m365_category_name(facts->m365->category));
    }
    if (tf_record_is_upgraded(facts))
        put_upgrade(j, facts);
}

/* An array of strings that ends in "..." where the bound or the line does. */
struct list {
    struct tf_writer *w;
    size_t left;
    bool first;
};

static struct list list_open(struct tf_json *j, const char *key, size_t max)
{
    tf_json_key(j, key);
    tf_put_char(j->w, '[');
    return (struct list){.w = j->w, .left = max, .first = true};
}

/* Opens the next entry's quotes; false: the list is over. */
static bool list_next(struct list *l)
{
    tf_put_text(l->w, l->first ? "\"" : ",\"");
    l->first = false;
    if (l->left > 0 && l->w->cap - l->w->len >= LIST_ROOM) {
        l->left--;
        return true;
    }
    tf_put_text(l->w, "...\"");
    return false;
}

static void put_offered_versions(struct tf_json *j, const struct tf_hello *hello)
{
    struct list list = list_open(j, "tlsfloor.offered_versions", VERSIONS_MAX);
    uint16_t version;
    for (size_t at = 0; tf_record_next_version(hello, &at, &version) && list_next(&list);) {
        tf_put_short_version(j->w, version);
        tf_put_char(j->w, '"');
    }
    tf_put_char(j->w, ']');
}

/* Those of SSLv2 have no names here. */
static void put_any_suite(struct tf_writer *w, uint32_t id)
{
    uint8_t kind = (uint8_t)(id >> 16);
    if (kind == 0) {
        tf_put_suite(w, (uint16_t)id);
        return;
    }
    tf_put_text(w, "0x");
    tf_put_hex(w, &kind, 1);
    tf_put_hex16(w, (uint16_t)id);
}

static void put_offered_suites(struct tf_json *j, const struct tf_hello *hello)
{
    struct list list = list_open(j, "tls.client.supported_ciphers", SUITES_MAX);
    uint32_t id;
    for (size_t at = 0; tf_record_next_suite(hello, &at, &id) && list_next(&list);) {
        put_any_suite(j->w, id);
        tf_put_char(j->w, '"');
    }
    tf_put_char(j->w, ']');
}

/* A line is made in a writer of its own over the caller's room, so that it comes whole or not at all. */
static struct tf_writer line_open(const struct tf_writer *w)
{
    size_t room = w->full ? 0 : w->cap - w->len;
    return tf_writer_of(w->p + w->len, room < TF_RECORD_MAX ? room : TF_RECORD_MAX);
}

static void line_close(struct tf_writer *w, const struct tf_writer *line)
{
    if (line->full)
        w->full = true;
    else
        w->len += line->len;
}

/* Who the client is, how sure that is, and what can be made of it. A healthy client is nobody's business. */
static void put_client(struct tf_json *j, const struct tf_facts *facts)
{
    const struct tf_client *client = &facts->client;
    const struct tf_client_info *info = tf_client_info(client->family);
    const char *class = tf_record_client_class(facts);
    if (facts->greeting[0] != '\0')
        tf_json_text(j, "tlsfloor.greeting", facts->greeting);
    if (class[0] != '\0')
        tf_json_text(j, "tlsfloor.client_class", class);
    if (client->family == TF_CLIENT_FAMILY_UNKNOWN)
        return;
    tf_json_text(j, "tlsfloor.client_family", info->slug);
    tf_json_text(j, "tlsfloor.client_name", tf_record_client_name(client));
    tf_json_text(j, "tlsfloor.client_certainty", tf_client_certainty_name(client->certainty));
    tf_json_text(j, "tlsfloor.client_ability", tf_client_ability_name(info->ability));
    if (info->article[0] != '\0')
        tf_json_text(j, "tlsfloor.client_article", info->article);
}

static void put_ecs_head(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c)
{
    struct tf_json j = tf_json_open(w);
    bool blocked = facts->verdict == TF_VERDICT_BLOCK;
    enum tf_event event = tf_record_event(facts);
    struct tf_told told = tf_record_told(facts);
    put_kind(&j, facts, tf_event_name(event), blocked ? "denied" : "allowed");
    tf_json_text(&j, "event.outcome", blocked ? "failure" : "success");
    tf_json_text(&j, "event.code", told.code);
    tf_json_text(&j, "event.reason", told.sentence);
    if (event != TF_EVENT_UPGRADED)
        put_detail(&j, facts);
    put_duration(&j, facts);
    put_who_and_where(&j, facts);
    put_hellos(&j, facts, c);
    put_verdict(&j, facts, c);
    if (facts->step != NULL)
        tf_json_text(&j, "tlsfloor.step", facts->step);
    if (facts->is_page_shown)
        tf_json_bool(&j, "tlsfloor.page", true);
    put_client(&j, facts);
    tf_json_text(&j, "tlsfloor.fix", told.fix);
    if (facts->has_hello) {
        put_offered_versions(&j, &facts->hello);
        put_offered_suites(&j, &facts->hello);
    }
}

static void put_ecs_tail(struct tf_writer *w, const struct tf_repeat *repeat)
{
    struct tf_json j = {.w = w, .first = false};
    if (repeat != NULL) {
        tf_json_u64(&j, "tlsfloor.repeat.count", repeat->count);
        tf_json_time(&j, "tlsfloor.repeat.first", repeat->first_us);
        tf_json_time(&j, "tlsfloor.repeat.last", repeat->last_us);
    }
    tf_json_close(&j);
    tf_put_char(w, '\n');
}

void tf_put_block_head(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c)
{
    struct tf_writer line = line_open(w);
    if (c->is_w3c)
        tf_put_w3c_row(&line, facts, c);
    else
        put_ecs_head(&line, facts, c);
    line_close(w, &line);
}

void tf_put_block_tail(struct tf_writer *w, bool is_w3c, const struct tf_repeat *repeat)
{
    struct tf_writer line = line_open(w);
    if (is_w3c)
        tf_put_w3c_repeat(&line, repeat);
    else
        put_ecs_tail(&line, repeat);
    line_close(w, &line);
}

void tf_put_block_record(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c)
{
    struct tf_writer line = line_open(w);
    tf_put_block_head(&line, facts, c);
    tf_put_block_tail(&line, c->is_w3c, NULL);
    line_close(w, &line);
}

void tf_put_access_head(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c)
{
    struct tf_writer line = line_open(w);
    struct tf_json j = tf_json_open(&line);
    put_kind(&j, facts, "connection-end", "end");
    put_who_and_where(&j, facts);
    put_hellos(&j, facts, c);
    put_verdict(&j, facts, c);
    put_detail(&j, facts); /* the tail's facts do not have it any more */
    line_close(w, &line);
}

void tf_put_access_tail(struct tf_writer *w, const struct tf_facts *facts)
{
    struct tf_writer line = line_open(w);
    struct tf_json j = {.w = &line, .first = false};
    tf_json_u64(&j, "source.bytes", facts->bytes_up);
    tf_json_u64(&j, "destination.bytes", facts->bytes_down);
    put_duration(&j, facts);
    tf_json_text(&j, "event.outcome", facts->reason == TF_REASON_NONE ? "success" : "failure");
    if (facts->reason != TF_REASON_NONE)
        put_reason(&j, facts);
    tf_json_close(&j);
    tf_put_char(&line, '\n');
    line_close(w, &line);
}
