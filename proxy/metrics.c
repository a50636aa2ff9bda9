/* Counting and adding up, and the OpenMetrics text; see metrics.h. What is
 * counted is in metrics.def and reasons.def; when, is up to who counts. */
#include "metrics.h"

#include "openmetrics.h"
#include <string.h>

static const struct {
    struct om_family family;
    const char *labels;
} rows[] = {
#define COUNTER(name, type, family, labels, help) {{family, #type, help}, labels},
#include "metrics.def"
#undef COUNTER
};

static const struct om_family kinds[REASON_KIND_COUNT] = {
    [REASON_BLOCKED] = {"tlsfloor_blocked", "counter", "Connections that were refused."},
    [REASON_WOULD_BLOCK] = {"tlsfloor_would_block", "counter",
                            "Connections that monitor mode let pass and that would have been refused."},
    [REASON_ERROR] = {"tlsfloor_errors", "counter",
                      "Sessions that the network or the gateway's own bounds ended."},
};

/* Relaxed: every value stands for itself, and nothing is published through it. */
void counters_add(struct counters *c, enum counter which, int64_t n)
{
    atomic_fetch_add_explicit(&c->values[which], (uint64_t)n, memory_order_relaxed);
}

void counters_reason(struct counters *c, enum tf_reason reason, enum reason_kind kind)
{
    atomic_fetch_add_explicit(&c->reasons[kind][reason], 1, memory_order_relaxed);
}

void counters_family(struct counters *c, enum tf_client_family family)
{
    atomic_fetch_add_explicit(&c->families[family], 1, memory_order_relaxed);
}

void counters_version(struct counters *c, uint16_t version)
{
    uint16_t rank = tf_version_rank(version);
    enum counter which = rank == 0          ? COUNTER_OFFERED_PLAIN
                         : rank == TF_SSL2  ? COUNTER_OFFERED_SSL2
                         : rank == TF_SSL3  ? COUNTER_OFFERED_SSL3
                         : rank == TF_TLS10 ? COUNTER_OFFERED_10
                         : rank == TF_TLS11 ? COUNTER_OFFERED_11
                         : rank == TF_TLS12 ? COUNTER_OFFERED_12
                                            : COUNTER_OFFERED_13;
    counters_add(c, which, 1);
}

void totals_add(struct totals *t, const struct counters *c)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        t->values[i] += atomic_load_explicit(&c->values[i], memory_order_relaxed);
    for (size_t kind = 0; kind < REASON_KIND_COUNT; kind++)
        for (size_t reason = 0; reason < TF_REASON_COUNT; reason++)
            t->reasons[kind][reason] += atomic_load_explicit(&c->reasons[kind][reason], memory_order_relaxed);
    for (size_t i = 0; i < TF_CLIENT_FAMILY_COUNT; i++)
        t->families[i] += atomic_load_explicit(&c->families[i], memory_order_relaxed);
}

uint64_t totals_sum(const struct totals *t, enum counter first, enum counter end)
{
    uint64_t sum = 0;
    for (size_t i = first; i < end; i++)
        sum += t->values[i];
    return sum;
}

static void put_counters(struct tf_writer *w, const struct totals *t)
{
    const char *last = "";
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        const struct om_family *family = &rows[i].family;
        if (strcmp(last, family->name) != 0)
            om_put_family(w, family);
        last = family->name;
        om_put_name(w, family);
        if (rows[i].labels[0] != '\0') {
            tf_put_char(w, '{');
            tf_put_text(w, rows[i].labels);
            om_end_labels(w);
        }
        om_put_value(w, t->values[i]);
    }
}

/* Zeros are written too: a rate can then be taken of a reason's very first event. */
static void put_reasons(struct tf_writer *w, const struct totals *t, enum reason_kind kind)
{
    om_put_family(w, &kinds[kind]);
    for (size_t i = TF_REASON_NONE + 1; i < TF_REASON_COUNT; i++) {
        const struct tf_reason_info *reason = tf_reason_info((enum tf_reason)i);
        bool is_refusal = reason->event != TF_EVENT_NONE;
        if (is_refusal != (kind == REASON_ERROR) || t->reasons[kind][i] != 0)
            om_put_labelled(w, &kinds[kind], "reason", reason->code, t->reasons[kind][i]);
    }
}

/* The same for what a hello can tell. */
static void put_families(struct tf_writer *w, const struct totals *t)
{
    static const struct om_family family = {"tlsfloor_below_floor", "counter",
                                            "Sessions of clients below TLS 1.2 that were refused, would have "
                                            "been, or were upgraded, by what software that "
                                            "is."};
    om_put_family(w, &family);
    for (int i = 0; i < TF_CLIENT_FAMILY_COUNT; i++)
        if (tf_client_info((enum tf_client_family)i)->kind != TF_CLIENT_PRODUCT || t->families[i] != 0)
            om_put_labelled(w, &family, "family", metrics_family_label((enum tf_client_family)i),
                            t->families[i]);
}

void metrics_format(struct tf_writer *w, const struct totals *t, const struct metrics_state *state)
{
    put_counters(w, t);
    for (size_t kind = 0; kind < REASON_KIND_COUNT; kind++)
        put_reasons(w, t, (enum reason_kind)kind);
    put_families(w, t);
    metrics_put_state(w, state);
    tf_put_text(w, "# EOF\n");
}
