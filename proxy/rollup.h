/* Refusals that repeat themselves. The first few of a kind have a line each;
 * further ones are counted, and summed up in one line when the interval is
 * over, the table is full, or the loop moves on or ends. A kind is a source,
 * a fingerprint, a destination and a reason: two sources never share a line.
 * Of one loop; not thread-safe. */
#ifndef ROLLUP_H
#define ROLLUP_H

#include "../lib/sighting.h"
#include "journal.h"

#include <uv.h>

struct counters;
struct rollup;

/* What tells one kind from another. */
struct rollup_kind {
    struct tf_addr source; /* port 0 */
    uint64_t rest;         /* a hash of all else */
};

/* Where the lines and sightings go. */
struct rollup_sinks {
    struct journal *journal; /* NULL: the block log is off */
    bool is_w3c;
    struct inventory *inventory; /* NULL: there is none */
};

struct rollups {
    struct rollup_sinks sinks; /* change it only after rollups_flush */
    size_t max;
    uint32_t whole;    /* lines of their own, of a kind, in an interval */
    uint32_t every_ms; /* 0: each refusal has a line of its own */
    struct counters *counters;
    uv_timer_t timer; /* runs while the table holds something, and keeps no loop alive */
    struct rollup *first, **last;
    struct rollup *buckets[1024];
    size_t count;
};

void rollups_init(struct rollups *r, uv_loop_t *uv, struct counters *counters);
void rollups_close(struct rollups *r); /* flushes, and closes the timer */

/* The kind of a session's refusal. */
struct rollup_kind rollup_kind_of(const struct tf_facts *facts);
/* One refusal more, of a session that began then: one that came earlier may be refused later. NULL: it is to
 * have a line of its own. Else it is counted in that roll-up, which wants rollup_begin at once if it is its
 * first. */
struct rollup *rollups_note(struct rollups *r, const struct rollup_kind *kind, int64_t started_us);
bool rollup_is_new(const struct rollup *u);
/* head[0..n): tf_put_block_head of that first one, and its sighting; copied. False: out of memory, the
 * refusal is no longer counted here and is to have a line of its own. */
bool rollup_begin(struct rollup *u, enum journal_kind what, const char *head, size_t n,
                  const struct tf_sighting *sighting);
/* Writes what is summed up so far, and begins anew. */
void rollups_flush(struct rollups *r);

#endif
