/* A sighting: what one session, or one line of a log that stands for several,
 * says of a client that is not what it should be. The inventory is fed with
 * them by sessions, `tlsfloor report` by lines; both sum them up the same way
 * (proxy/roster.h). Plain data, owns everything: it goes through queues. */
#ifndef TF_SIGHTING_H
#define TF_SIGHTING_H

#include "record.h"
#include "text.h"

enum tf_outcome {
    TF_OUTCOME_BLOCKED,
    TF_OUTCOME_WOULD_BLOCK, /* passed under monitor */
    TF_OUTCOME_UPGRADED,
    TF_OUTCOME_PASSED, /* at or above the floor */
    TF_OUTCOMES
};

const char *tf_outcome_name(enum tf_outcome outcome); /* `blocked`, `would-block`, `upgraded`, `passed` */

enum { TF_SIGHTING_NAME_MAX = 80, TF_SIGHTING_AGENT_MAX = 128, TF_JA4_MAX = 40, TF_LABEL_MAX = 64 };

struct tf_sighting {
    enum tf_outcome outcome;
    enum tf_reason reason;     /* of a refusal; TF_REASON_NONE: an upgrade, or passed */
    uint64_t count;            /* connections: 1, or a roll-up's */
    int64_t first_us, last_us; /* UTC, microseconds since 1970 */
    struct tf_addr source;     /* port 0 */
    char host[TF_HOST_MAX];    /* destination: name, or address as text; "" if it was never known */
    uint16_t port;
    bool is_m365;
    enum tf_m365_area area;
    uint16_t
        version; /* the highest that the client offered, drafts as TF_TLS13; 0: plain text, or no hello */
    uint16_t to; /* of an upgrade: the version outside; else 0 */
    bool is_fallback;     /* a stray hello of a client that also does better */
    uint64_t fingerprint; /* a hash of the JA4; where that is not known, tf_client_fingerprint of a session's
                             hello, and 0 of a line; 0: no hello */
    enum tf_client_family family;
    enum tf_client_certainty certainty;
    char name[TF_SIGHTING_NAME_MAX];        /* tlsfloor.client_name; peer bytes nowhere but in the next two */
    char user_agent[TF_SIGHTING_AGENT_MAX]; /* what it says of itself: its User-Agent, or else `EHLO` and its
                                               name; cut to fit; printable ASCII, other bytes are '?' */
    char user[TF_LABEL_MAX];                /* who has logged in, likewise; "" */
    char ja4[TF_JA4_MAX];                   /* "" where there is none */
    char listener[TF_LABEL_MAX], rule[TF_LABEL_MAX]; /* "" where none */
};

/* From a session, when its record is due or would be if it were not healthy. `sha256` makes the JA4. */
void tf_sighting_of_facts(struct tf_sighting *s, const struct tf_facts *facts,
                          const struct tf_digest *sha256);

/* What a line of a log is. */
enum tf_line {
    TF_LINE_SIGHTING, /* *s is filled */
    TF_LINE_OTHER,    /* sound, but says nothing of a client's TLS: access control, network errors */
    TF_LINE_BAD       /* none of our records, or cut */
};

/* From a line of the block log or of the access log in format ecs, without its newline. Lines of the access
 * log count only where the block log has none of the same session. Bounded, never fails on any input. */
enum tf_line tf_sighting_of_line(struct tf_sighting *s, const char *line, size_t n);

/* Which value of a row is what, as the last #Fields of a w3c file says. All zeros: none has come yet. */
enum { TF_COLUMNS_MAX = 64 };
struct tf_columns {
    size_t count;
    uint8_t fields[TF_COLUMNS_MAX]; /* enum tf_field */
};

/* The same from a line of a block log in format w3c, which knows of seconds only. A #Fields directive is
 * taken into *columns, for the rows that follow it; like other directives it is TF_LINE_OTHER. */
enum tf_line tf_sighting_of_row(struct tf_sighting *s, struct tf_columns *columns, const char *line,
                                size_t n);

/* Whether a client that was seen so is below a floor (TF_TLS12, TF_TLS13). A stray hello of one that does
 * better does not say so. */
bool tf_sighting_is_below(const struct tf_sighting *s, uint16_t floor);
/* Whether it says anything of a client's TLS. What was refused for other reasons (access control, the
 * server's side, broken hellos) does so only if the hello came, and is below TLS 1.2. */
bool tf_sighting_is_about_tls(const struct tf_sighting *s);

/* Between sighting.c and sighting_fields.c. */
void tf_sighting_put_agent(struct tf_sighting *s, struct tf_text user_agent, struct tf_text greeting);
/* Takes `ja4` for the fingerprint. */
void tf_sighting_put_fingerprint(struct tf_sighting *s);
/* Cut to fit size, and NUL-terminated; what is not printable ASCII is '?'. */
void tf_label_copy(char *to, size_t size, struct tf_text from);

#endif
