/* A report: which clients are below a floor, what to fix first on top, and
 * how the number of them changes. Here is only how it is written, in each of
 * its formats; what stands in it is put together by proxy/report_view.c.
 *
 * Whatever peers have said is in here as text: each format sees to it that it
 * can break neither a line, a terminal, a spreadsheet nor a page. */
#ifndef TF_REPORT_H
#define TF_REPORT_H

#include "sighting.h"

/* What clients offer at best, as a place in a set; as enum roster_version. */
enum tf_report_version {
    TF_REPORT_PLAIN,
    TF_REPORT_SSL2,
    TF_REPORT_SSL3,
    TF_REPORT_TLS10,
    TF_REPORT_TLS11,
    TF_REPORT_TLS12,
    TF_REPORT_TLS13,
    TF_REPORT_VERSIONS
};

/* How a client stands, what to fix first in front. */
enum tf_report_state {
    TF_STATE_BLOCKED,
    TF_STATE_WOULD_BLOCK,
    TF_STATE_UPGRADED,
    TF_STATE_PASSES,   /* it is below the floor that the report asks for, not below the one in force */
    TF_STATE_FALLBACK, /* stray hellos of a client that also does better */
    TF_STATE_SILENT,   /* not seen for 30 days: neither left nor fixed */
    TF_STATE_FIXED,
    TF_STATES
};

struct tf_report_destination {
    const char *host; /* "" if it was never known */
    uint16_t port;
    bool is_m365;
    enum tf_m365_area area;
    uint8_t versions; /* bits: 1 << enum tf_report_version */
    uint64_t counts[TF_OUTCOMES];
    int64_t first_us, last_us;
};

struct tf_report_client {
    struct tf_addr source;
    enum tf_report_state state;
    enum tf_client_family family;
    enum tf_client_certainty certainty;
    const char *name, *user_agent, *user, *ja4, *listener, *rule; /* "" where not known */
    uint8_t versions;
    enum tf_reason reason;
    uint64_t counts[TF_OUTCOMES];
    uint64_t fallbacks;
    int64_t first_us, last_us;
    int64_t fixed_us;                                 /* 0: it is not */
    const struct tf_report_destination *destinations; /* the most connections first */
    size_t destination_count;
    uint64_t more_destinations; /* connections on the way to further ones */
};

struct tf_report_day {
    int32_t day; /* days since 1970-01-01 UTC */
    uint64_t left, fresh, fixed;
};

struct tf_report_stack {
    enum tf_client_family family;
    uint64_t clients, left;
};

struct tf_report_area {
    bool is_m365; /* false: all other destinations */
    enum tf_m365_area area;
    uint64_t clients;
    uint64_t counts[TF_OUTCOMES];
};

/* What was read for it. */
struct tf_report_input {
    uint64_t files, lines;
    uint64_t sightings;  /* of them, those that say something of a client's TLS; clients of an inventory */
    uint64_t bad;        /* and those that are no records, or cut */
    char first_bad[256]; /* FILE:LINE of the first; "" */
    bool is_full;        /* there were more clients than the report can hold */
    bool is_inventory;
};

struct tf_report {
    int64_t now_us;
    int64_t since_us;                       /* 0: all */
    uint16_t floor;                         /* TF_TLS12 or TF_TLS13 */
    const struct tf_report_input *input;    /* NULL: it comes from the running gateway */
    const struct tf_report_client *clients; /* what to fix first on top */
    size_t client_count;
    uint64_t states[TF_STATES]; /* clients in each */
    uint64_t healthy;           /* clients that are not listed: never seen below the floor asked for, */
    uint64_t older;             /* and not seen since since_us */
    uint64_t counts[TF_OUTCOMES];
    const struct tf_report_day *days; /* one after the other */
    size_t day_count;
    const struct tf_report_stack *stacks; /* the most left first, then the most clients */
    size_t stack_count;
    const struct tf_report_area *areas; /* the most connections first */
    size_t area_count;
    const struct tf_rule *const *exceptions; /* the next to end first */
    size_t exception_count;
};

/* Where a report goes: through a buffer of at least TF_REPORT_ROOM bytes, which is given away as it fills. */
#define TF_REPORT_ROOM 16384
struct tf_report_sink {
    struct tf_writer w;
    void (*take)(void *arg, const char *p, size_t n);
    void *arg;
};

/* Whole reports. */
void tf_report_put_json(struct tf_report_sink *to,
                        const struct tf_report *report); /* conf/report.schema.json */
void tf_report_put_csv(struct tf_report_sink *to, const struct tf_report *report); /* RFC 4180 */
void tf_report_put_html(struct tf_report_sink *to, const struct tf_report *report);
/* UTF-8 in lines of at most `width` columns, of 80 to 200; what a terminal would not show as it is, is '?'.
 */
void tf_report_put_text(struct tf_report_sink *to, const struct tf_report *report, size_t width);

/* Between the formats: words that are the same in all of them. */

/* Gives away what is in the buffer if it is more than half full, so that half of TF_REPORT_ROOM is there. */
void tf_report_make_room(struct tf_report_sink *to);
/* Gives away the rest. Nothing that was written may have been lost. */
void tf_report_flush(struct tf_report_sink *to);
uint64_t tf_report_sum(const uint64_t counts[TF_OUTCOMES]);
/* Clients that are left to fix. */
uint64_t tf_report_left(const struct tf_report *report);
/* Whether the report may name a client twice, once as fixed, and what there is to say of that. */
bool tf_report_has_twins(const struct tf_report *report);
extern const char tf_report_twins[];
const char *tf_report_state_name(enum tf_report_state state);        /* `would-block`, as the JSON says it */
const char *tf_report_state_title(enum tf_report_state state);       /* `would be blocked`, for people */
const char *tf_report_version_name(enum tf_report_version version);  /* `1.0` */
const char *tf_report_version_title(enum tf_report_version version); /* `TLS 1.0`, `no TLS` */
enum tf_report_version tf_report_best(uint8_t versions);
const char *tf_report_floor_name(const struct tf_report *report);       /* `1.2` */
const char *tf_report_area_name(bool is_m365, enum tf_m365_area area);  /* `Skype`, as the web service says */
const char *tf_report_area_title(bool is_m365, enum tf_m365_area area); /* `Teams`, as people do */
const char *tf_report_family_name(enum tf_client_family family);        /* `Java 6`, `unknown` */
/* What software a client is, worded as a guess where it is one. */
void tf_put_report_stack(struct tf_writer *w, const struct tf_report_client *client);
/* The same without what stands behind a comma or in brackets, for where there is no room. */
void tf_put_report_short_stack(struct tf_writer *w, const struct tf_report_client *client);
/* `an inventory of 14 clients`, or how many files and lines. */
void tf_put_report_input(struct tf_writer *w, const struct tf_report_input *input);
/* `2 clients that ...`: who is known, and not listed. Nothing, and false, where that is nobody. */
bool tf_put_report_unlisted(struct tf_writer *w, const struct tf_report *report);
/* What is to be done about a client; "" where that is nothing any more. */
const char *tf_report_fix(const struct tf_report_client *client);
/* `HOST:PORT`, with brackets where they are needed; `unknown`. The host is written as it is. */
void tf_put_report_destination(struct tf_writer *w, const struct tf_report_destination *destination);
/* Days that a rule has left; false: it has no end. */
bool tf_report_days_left(const struct tf_report *report, const struct tf_rule *rule, int64_t *days);
void tf_put_report_day(struct tf_writer *w, int32_t day);

/* Pictures of the page, as SVG in HTML. */
void tf_report_draw_burn_down(struct tf_report_sink *to, const struct tf_report *report);
void tf_report_draw_stacks(struct tf_report_sink *to, const struct tf_report *report);
void tf_report_draw_areas(struct tf_report_sink *to, const struct tf_report *report);

#endif
