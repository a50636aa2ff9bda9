/* What the fields of a line say, whichever format they come from; see
 * sighting_fields.h. */
#include "sighting_fields.h"

#include <string.h>

static struct tf_text value(const struct tf_fields *fields, enum tf_field field)
{
    return fields->values[field];
}

static bool has(const struct tf_fields *fields, enum tf_field field)
{
    return fields->values[field].p != NULL;
}

static bool is(const struct tf_fields *fields, enum tf_field field, const char *text)
{
    return has(fields, field) && tf_text_is(fields->values[field], text);
}

static void label(char *to, size_t size, const struct tf_fields *fields, enum tf_field field)
{
    fields->put_label(to, size, value(fields, field));
}

/* What kind of line it is. TF_LINE_SIGHTING: *outcome is filled in. A tunnel has passed once the server has
 * picked a suite, however it ended. */
static enum tf_line read_action(const struct tf_fields *fields, enum tf_outcome *outcome)
{
    if (is(fields, TF_FIELD_ACTION, "connection-end")) {
        *outcome = TF_OUTCOME_PASSED;
        return is(fields, TF_FIELD_VERDICT, "tunnel") && has(fields, TF_FIELD_CIPHER) ? TF_LINE_SIGHTING
                                                                                      : TF_LINE_OTHER;
    }
    for (int event = TF_EVENT_NONE + 1; event < TF_EVENT_COUNT; event++) {
        if (!is(fields, TF_FIELD_ACTION, tf_event_name((enum tf_event)event)))
            continue;
        *outcome = event == TF_EVENT_UPGRADED              ? TF_OUTCOME_UPGRADED
                   : event == TF_EVENT_VERSION_WOULD_BLOCK ? TF_OUTCOME_WOULD_BLOCK
                                                           : TF_OUTCOME_BLOCKED;
        return TF_LINE_SIGHTING;
    }
    return TF_LINE_BAD;
}

/* When, and how many. */
static bool read_count(struct tf_sighting *s, const struct tf_fields *fields)
{
    s->count = 1;
    if (!tf_time_parse(value(fields, TF_FIELD_TIME), &s->first_us))
        return false;
    s->last_us = s->first_us;
    if (!has(fields, TF_FIELD_REPEAT_COUNT))
        return true;
    return tf_text_number(value(fields, TF_FIELD_REPEAT_COUNT), UINT32_MAX, &s->count) &&
           tf_time_parse(value(fields, TF_FIELD_REPEAT_FIRST), &s->first_us) &&
           tf_time_parse(value(fields, TF_FIELD_REPEAT_LAST), &s->last_us) && s->first_us <= s->last_us;
}

static void read_reason(struct tf_sighting *s, const struct tf_fields *fields)
{
    struct tf_text code = value(fields, TF_FIELD_CODE);
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

static bool read_destination(struct tf_sighting *s, const struct tf_fields *fields)
{
    uint64_t port = 0;
    enum tf_field host = has(fields, TF_FIELD_DOMAIN)                   ? TF_FIELD_DOMAIN
                         : is_name(value(fields, TF_FIELD_SERVER_NAME)) ? TF_FIELD_SERVER_NAME
                                                                        : TF_FIELD_ADDRESS;
    struct tf_text area = value(fields, TF_FIELD_AREA);
    if (has(fields, TF_FIELD_PORT) && !tf_text_number(value(fields, TF_FIELD_PORT), UINT16_MAX, &port))
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

/* Of a list, as w3c has it; ecs names the best alone. */
static uint16_t best_of(struct tf_text list)
{
    uint16_t best = 0;
    while (list.p != NULL) {
        uint16_t version = version_of(tf_text_take(&list, ','));
        best = version > best ? version : best;
    }
    return best;
}

static void read_client(struct tf_sighting *s, const struct tf_fields *fields)
{
    struct tf_text family = value(fields, TF_FIELD_FAMILY);
    char user_agent[TF_SIGHTING_AGENT_MAX], greeting[TF_SIGHTING_AGENT_MAX];
    s->version = best_of(value(fields, TF_FIELD_VERSION));
    s->to = version_of(value(fields, TF_FIELD_UPGRADE_TO));
    s->is_fallback = is(fields, TF_FIELD_CLASS, "fallback");
    label(s->ja4, sizeof s->ja4, fields, TF_FIELD_JA4);
    if (s->ja4[0] != '\0')
        tf_sighting_put_fingerprint(s);
    if (family.n > 0 && tf_client_family_parse(family.p, family.n, &s->family)) {
        label(s->name, sizeof s->name, fields, TF_FIELD_NAME);
        s->certainty = TF_CLIENT_CERTAIN;
        while (s->certainty > TF_CLIENT_POSSIBLE &&
               !is(fields, TF_FIELD_CERTAINTY, tf_client_certainty_name(s->certainty)))
            s->certainty--;
    }
    label(user_agent, sizeof user_agent, fields, TF_FIELD_USER_AGENT);
    label(greeting, sizeof greeting, fields, TF_FIELD_GREETING);
    tf_sighting_put_agent(s, tf_text_of(user_agent), tf_text_of(greeting));
    label(s->user, sizeof s->user, fields, TF_FIELD_USER);
    label(s->listener, sizeof s->listener, fields, TF_FIELD_LISTENER);
    label(s->rule, sizeof s->rule, fields, TF_FIELD_RULE);
}

enum tf_line tf_sighting_of_fields(struct tf_sighting *s, const struct tf_fields *fields)
{
    enum tf_line kind = read_action(fields, &s->outcome);
    struct tf_text source = value(fields, TF_FIELD_SOURCE);
    if (kind == TF_LINE_BAD || !read_count(s, fields) || !read_destination(s, fields) ||
        (source.n > 0 && !tf_addr_parse(source.p, source.n, &s->source)))
        return TF_LINE_BAD;
    if (s->outcome == TF_OUTCOME_BLOCKED || s->outcome == TF_OUTCOME_WOULD_BLOCK)
        read_reason(s, fields);
    read_client(s, fields);
    return kind == TF_LINE_SIGHTING && tf_sighting_is_about_tls(s) ? TF_LINE_SIGHTING : TF_LINE_OTHER;
}
