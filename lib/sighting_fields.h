/* Between the two formats of our logs, and what is made of them: the fields
 * that count, taken out of a line by sighting_line.c (ecs) or sighting_row.c
 * (w3c), and made into a sighting by sighting_fields.c. */
#ifndef TF_SIGHTING_FIELDS_H
#define TF_SIGHTING_FIELDS_H

#include "sighting.h"

/* FIELD(id, key in ecs, column in w3c), in the order in which record.c writes the keys: the one that is
 * looked for is then mostly the one behind the last. The access log has no w3c form. */
#define TF_FIELDS(FIELD)                                                                                     \
    FIELD(TIME, "@timestamp", "")                                                                            \
    FIELD(ACTION, "event.action", "x-action")                                                                \
    FIELD(CODE, "event.code", "x-code")                                                                      \
    FIELD(RULE, "rule.name", "x-rule")                                                                       \
    FIELD(LISTENER, "observer.ingress.interface.name", "s-sitename")                                         \
    FIELD(SOURCE, "source.ip", "c-ip")                                                                       \
    FIELD(DOMAIN, "destination.domain", "cs-host")                                                           \
    FIELD(ADDRESS, "destination.ip", "r-ip")                                                                 \
    FIELD(PORT, "destination.port", "s-port")                                                                \
    FIELD(USER_AGENT, "user_agent.original", "cs(User-Agent)")                                               \
    FIELD(USER, "user.name", "cs-username")                                                                  \
    FIELD(CIPHER, "tls.cipher", "")                                                                          \
    FIELD(SERVER_NAME, "tls.client.server_name", "x-sni")                                                    \
    FIELD(JA4, "tlsfloor.ja4", "x-ja4")                                                                      \
    FIELD(VERSION, "tlsfloor.max_version", "x-versions-offered")                                             \
    FIELD(VERDICT, "tlsfloor.verdict", "x-verdict")                                                          \
    FIELD(AREA, "tlsfloor.m365.service_area", "x-m365-area")                                                 \
    FIELD(UPGRADE_TO, "tlsfloor.upgrade.to", "x-upgrade-to")                                                 \
    FIELD(GREETING, "tlsfloor.greeting", "x-greeting")                                                       \
    FIELD(CLASS, "tlsfloor.client_class", "x-client-class")                                                  \
    FIELD(FAMILY, "tlsfloor.client_family", "x-client-family")                                               \
    FIELD(NAME, "tlsfloor.client_name", "x-client-name")                                                     \
    FIELD(CERTAINTY, "tlsfloor.client_certainty", "x-client-certainty")                                      \
    FIELD(REPEAT_COUNT, "tlsfloor.repeat.count", "x-repeat-count")                                           \
    FIELD(REPEAT_FIRST, "tlsfloor.repeat.first", "x-repeat-first")                                           \
    FIELD(REPEAT_LAST, "tlsfloor.repeat.last", "x-repeat-last")                                              \
    FIELD(W3C_DATE, "", "date")                                                                              \
    FIELD(W3C_TIME, "", "time")

enum tf_field {
#define FIELD(id, key, column) TF_FIELD_##id,
    TF_FIELDS(FIELD)
#undef FIELD
        TF_FIELD_COUNT
};

struct tf_fields {
    struct tf_text values[TF_FIELD_COUNT]; /* as they stand in the line; p NULL: it does not have it */
    /* Such a value without its escapes; as tf_line_label. */
    void (*put_label)(char *to, size_t size, struct tf_text value);
};

/* *s is all zeros before. */
enum tf_line tf_sighting_of_fields(struct tf_sighting *s, const struct tf_fields *fields);

#endif
