/* Counters, and their text for Prometheus.
 *
 * Each loop counts in a `struct counters` of its own, without locks; whoever
 * answers /metrics adds them up while they run. Single values are exact, and
 * a sum over all loops is as old as its oldest part. What is not counted, but
 * looked up at each request, is in metrics_state.h. */
#ifndef METRICS_H
#define METRICS_H

#include "../lib/reasons.h"
#include "metrics_state.h"
#include <stdatomic.h>

enum counter {
#define COUNTER(name, type, family, labels, help) COUNTER_##name,
#include "metrics.def"
#undef COUNTER
    COUNTER_COUNT
};

/* What became of a session that has a reason. */
enum reason_kind { REASON_BLOCKED, REASON_WOULD_BLOCK, REASON_ERROR, REASON_KIND_COUNT };

/* Zeroed: ready for use. */
struct counters {
    _Atomic(uint64_t) values[COUNTER_COUNT];
    _Atomic(uint64_t) reasons[REASON_KIND_COUNT][TF_REASON_COUNT];
    _Atomic(uint64_t) families[TF_CLIENT_FAMILY_COUNT];
};

/* From any thread. n is negative where a gauge goes down. */
void counters_add(struct counters *c, enum counter which, int64_t n);
void counters_reason(struct counters *c, enum tf_reason reason, enum reason_kind kind);
/* A session of a client below TLS 1.2, by what software that is. */
void counters_family(struct counters *c, enum tf_client_family family);
/* A session, by the highest version that its client offered (hello->max_version); 0: it spoke no TLS. */
void counters_version(struct counters *c, uint16_t version);

/* Sums, plain data: zero it, add every loop's counters, set what others count (the journals' lines). */
struct totals {
    uint64_t values[COUNTER_COUNT];
    uint64_t reasons[REASON_KIND_COUNT][TF_REASON_COUNT];
    uint64_t families[TF_CLIENT_FAMILY_COUNT];
};

void totals_add(struct totals *t, const struct counters *c);
uint64_t totals_sum(const struct totals *t, enum counter first,
                    enum counter end); /* of the rows first..end-1 */

/* All of it as OpenMetrics 1.0 text, to its `# EOF`. */
#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_MAX  131072 /* holds it all */
void metrics_format(struct tf_writer *w, const struct totals *t, const struct metrics_state *state);

#endif
