/* Sightings from lines of the logs, which record.c has written; see
 * sighting.h. A line is taken apart once, and the few fields that count are
 * remembered where they stand. */
#include "line.h"
#include "sighting.h"

#include <string.h>

/* The fields that count, in the order in which record.c writes them: the one that is looked for is then
 * mostly the one behind the last. */
#define FIELDS(FIELD)                                                                                        \
    FIELD(TIME, "@timestamp")                                                                                \
    FIELD(ACTION, "event.action")                                                                            \
    FIELD(CODE, "event.code")                                                                                \
    FIELD(RULE, "rule.name")                                                                                 \
    FIELD(LISTENER, "observer.ingress.interface.name")                                                       \
    FIELD(SOURCE, "source.ip")                                                                               \
    FIELD(DOMAIN, "destination.domain")                                                                      \
    FIELD(ADDRESS, "destination.ip")                                                                         \
    FIELD(PORT, "destination.port")                                                                          \
    FIELD(USER_AGENT, "user_agent.original")                                                                 \
    FIELD(USER, "user.name")                                                                                 \
    FIELD(CIPHER, "tls.cipher")                                                                              \
    FIELD(SERVER_NAME, "tls.client.server_name")                                                             \
    FIELD(JA4, "tlsfloor.ja4")                                                                               \
    FIELD(MAX_VERSION, "tlsfloor.max_version")                                                               \
    FIELD(VERDICT, "tlsfloor.verdict")                                                                       \
    FIELD(AREA, "tlsfloor.m365.service_area")                                                                \
    FIELD(UPGRADE_TO, "tlsfloor.upgrade.to")                                                                 \
    FIELD(GREETING, "tlsfloor.greeting")                                                                     \
    FIELD(CLASS, "tlsfloor.client_class")                                                                    \
    FIELD(FAMILY, "tlsfloor.client_family")                                                                  \
    FIELD(NAME, "tlsfloor.client_name")                                                                      \
    FIELD(CERTAINTY, "tlsfloor.client_certainty")                                                            \
    FIELD(REPEAT_COUNT, "tlsfloor.repeat.count")                                                             \
    FIELD(REPEAT_FIRST, "tlsfloor.repeat.first")                                                             \
    FIELD(REPEAT_LAST, "tlsfloor.repeat.last")
enum field {
#define FIELD(id, key) FIELD_##id,
    FIELDS(FIELD)
#undef FIELD
        FIELD_COUNT
};

static const struct tf_text keys[FIELD_COUNT] = {
#define FIELD(id, key) {key, sizeof key - 1},
    FIELDS(FIELD)
#undef FIELD
};

struct fields {
    struct tf_text values[FIELD_COUNT]; /* p NULL: the line does not have it */
};

static bool is_key(enum field field, struct tf_text key)
{
    return keys[field].n == key.n && memcmp(keys[field].p, key.p, key.n) == 0;
}

/* False: the line is no whole flat object. */
static bool read_fields(struct fields *fields, const char *line, size_t n)
{
    struct tf_line_scan scan = tf_line_scan_of(line, n);
    struct tf_line_pair pair;
    size_t next = 0;
    memset(fields, 0, sizeof *fields);
    while (tf_line_next(&scan, &pair))
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            size_t field = (next + i) % FIELD_COUNT;
            if (!is_key((enum field)field, pair.key))
                continue;
            fields->values[field] = pair.value;
            next = field + 1;
            break;
        }
    return scan.state == TF_SCAN_WHOLE;
}

static struct tf_text value(const struct fields *fields, enum field field)
{
    return fields->values[field];
}

static bool has(const struct fields *fields, enum field field)
{
    return fields->values[field].p != NULL;
}

static bool is(const struct fields *fields, enum field field, const char *text)
{
    return has(fields, field) && tf_text_is(fields->values[field], text);
}

static void label(char *to, size_t size, const struct fields *fields, enum field field)
{
    tf_line_label(to, size, value(fields, field));
}

/* What kind of line it is. TF_LINE_SIGHTING: *outcome is filled in. A tunnel has passed once the server has
 * picked a suite, however it ended. */
static enum tf_line read_action(const struct fields *fields, enum tf_outcome *outcome)
{
    if (is(fields, FIELD_ACTION, "connection-end")) {
        *outcome = TF_OUTCOME_PASSED;
        return is(fields, FIELD_VERDICT, "tunnel") && has(fields, FIELD_CIPHER) ? TF_LINE_SIGHTING
                                                                                : TF_LINE_OTHER;
    }
    for (int event = TF_EVENT_NONE + 1; event < TF_EVENT_COUNT; event++) {
        if (!is(fields, FIELD_ACTION, tf_event_name((enum tf_event)event)))
            continue;
        *outcome = event == TF_EVENT_UPGRADED              ? TF_OUTCOME_UPGRADED
                   : event == TF_EVENT_VERSION_WOULD_BLOCK ? TF_OUTCOME_WOULD_BLOCK
                                                           : TF_OUTCOME_BLOCKED;
        return TF_LINE_SIGHTING;
    }
    return TF_LINE_BAD;
}

/* When, and how many. */
static bool read_count(struct tf_sighting *s, const struct fields *fields)
{
    s->count = 1;
    if (!tf_time_parse(value(fields, FIELD_TIME), &s->first_us))
        return false;
    s->last_us = s->first_us;
    if (!has(fields, FIELD_REPEAT_COUNT))
        return true;
    return tf_text_number(value(fields, FIELD_REPEAT_COUNT), UINT32_MAX, &s->count) &&
           tf_time_parse(value(fields, FIELD_REPEAT_FIRST), &s->first_us) &&
           tf_time_parse(value(fields, FIELD_REPEAT_LAST), &s->last_us) && s->first_us <= s->last_us;
}

static void read_reason(struct tf_sighting *s, const struct fields *fields)
{
    struct tf_text code = value(fields, FIELD_CODE);
    for (int reason = TF_REASON_NONE + 1; code.n > 0 && reason < TF_REASON_COUNT; reason++)
        if (tf_text_is(code, tf_reason_info((enum tf_reason)reason)->code)) {
            s->reason = (enum tf_reason)reason;
            return;
        }
}

/* The name that a hello gives, where it is one. */
static bool is_name(struct tf_text text)
{
    struct tf_target target;
    return text.n > 0 && tf_host_parse(text.p, text.n, &target) == TF_HOST_OK && !target.is_address;
}

static bool read_destination(struct tf_sighting *s, const struct fields *fields)
{
    uint64_t port = 0;
    enum field host = has(fields, FIELD_DOMAIN)                   ? FIELD_DOMAIN
                      : is_name(value(fields, FIELD_SERVER_NAME)) ? FIELD_SERVER_NAME
                                                                  : FIELD_ADDRESS;
    struct tf_text area = value(fields, FIELD_AREA);
    if (has(fields, FIELD_PORT) && !tf_text_number(value(fields, FIELD_PORT), UINT16_MAX, &port))
        return false;
    label(s->host, sizeof s->host, fields, host);
    s->port = (uint16_t)port;
    s->is_m365 = area.p != NULL;
    if (s->is_m365 && !tf_m365_area_parse(area.p, area.n, &s->area))
        s->area = TF_M365_OTHER;
    return true;
}

static uint16_t version_of(struct tf_text text)
{
    static const uint16_t versions[] = {TF_SSL2, TF_SSL3, TF_TLS10, TF_TLS11, TF_TLS12, TF_TLS13};
    for (size_t i = 0; text.n > 0 && i < sizeof versions / sizeof *versions; i++) {
        char name[8];
        struct tf_writer w = tf_writer_of(name, sizeof name);
        tf_put_short_version(&w, versions[i]);
        if (w.len == text.n && memcmp(name, text.p, text.n) == 0)
            return versions[i];
    }
    return 0;
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static void read_client(struct tf_sighting *s, const struct fields *fields)
{
    struct tf_text family = value(fields, FIELD_FAMILY);
    char user_agent[TF_SIGHTING_AGENT_MAX], greeting[TF_SIGHTING_AGENT_MAX];
    s->version = version_of(value(fields, FIELD_MAX_VERSION));
    s->to = version_of(value(fields, FIELD_UPGRADE_TO));
    s->is_fallback = is(fields, FIELD_CLASS, "fallback");
    label(s->ja4, sizeof s->ja4, fields, FIELD_JA4);
    if (s->ja4[0] != '\0')
        s->fingerprint = hash_of(s->ja4);
    if (family.n > 0 && tf_client_family_parse(family.p, family.n, &s->family)) {
        label(s->name, sizeof s->name, fields, FIELD_NAME);
        s->certainty = TF_CLIENT_CERTAIN;
        while (s->certainty > TF_CLIENT_POSSIBLE &&
               !is(fields, FIELD_CERTAINTY, tf_client_certainty_name(s->certainty)))
            s->certainty--;
    }
    label(user_agent, sizeof user_agent, fields, FIELD_USER_AGENT);
    label(greeting, sizeof greeting, fields, FIELD_GREETING);
    tf_sighting_put_agent(s, tf_text_of(user_agent), tf_text_of(greeting));
    label(s->user, sizeof s->user, fields, FIELD_USER);
    label(s->listener, sizeof s->listener, fields, FIELD_LISTENER);
    label(s->rule, sizeof s->rule, fields, FIELD_RULE);
}

enum tf_line tf_sighting_of_line(struct tf_sighting *s, const char *line, size_t n)
{
    struct fields fields;
    memset(s, 0, sizeof *s);
    if (!read_fields(&fields, line, n))
        return TF_LINE_BAD;
    enum tf_line kind = read_action(&fields, &s->outcome);
    struct tf_text source = value(&fields, FIELD_SOURCE);
    if (kind == TF_LINE_BAD || !read_count(s, &fields) || !read_destination(s, &fields) ||
        (source.n > 0 && !tf_addr_parse(source.p, source.n, &s->source)))
        return TF_LINE_BAD;
    if (s->outcome == TF_OUTCOME_BLOCKED || s->outcome == TF_OUTCOME_WOULD_BLOCK)
        read_reason(s, &fields);
    read_client(s, &fields);
    return kind == TF_LINE_SIGHTING && tf_sighting_is_about_tls(s) ? TF_LINE_SIGHTING : TF_LINE_OTHER;
}
