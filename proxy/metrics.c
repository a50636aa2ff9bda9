/* Counting and adding up, and the OpenMetrics text; see metrics.h. What is
 * counted is in metrics.def and reasons.def; when, is up to who counts. */
#include "metrics.h"

#include <string.h>

struct counter_info {
    const char *type, *family, *labels, *help;
};

static const struct counter_info counter_infos[] = {
#define COUNTER(name, type, family, labels, help) {#type, family, labels, help},
#include "metrics.def"
#undef COUNTER
};

static const struct counter_info kind_infos[REASON_KIND_COUNT] = {
    [REASON_BLOCKED] = {"counter", "tlsfloor_blocked", "reason", "Connections that were refused."},
    [REASON_WOULD_BLOCK] = {"counter", "tlsfloor_would_block", "reason",
                            "Connections that monitor mode let pass and that would have been refused."},
    [REASON_ERROR] = {"counter", "tlsfloor_errors", "reason",
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

void totals_add(struct totals *t, const struct counters *c)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        t->values[i] += atomic_load_explicit(&c->values[i], memory_order_relaxed);
    for (size_t kind = 0; kind < REASON_KIND_COUNT; kind++)
        for (size_t reason = 0; reason < TF_REASON_COUNT; reason++)
            t->reasons[kind][reason] += atomic_load_explicit(&c->reasons[kind][reason], memory_order_relaxed);
}

uint64_t totals_sum(const struct totals *t, enum counter first, enum counter end)
{
    uint64_t sum = 0;
    for (size_t i = first; i < end; i++)
        sum += t->values[i];
    return sum;
}

static void put_family(struct tf_writer *w, const struct counter_info *info)
{
    const char *const parts[] = {"# TYPE ",    info->family, " ",        info->type, "\n# HELP ",
                                 info->family, " ",          info->help, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        tf_put_text(w, parts[i]);
}

static void put_name(struct tf_writer *w, const struct counter_info *info)
{
    tf_put_text(w, info->family);
    if (strcmp(info->type, "counter") == 0)
        tf_put_text(w, "_total");
}

static void put_value(struct tf_writer *w, uint64_t value)
{
    tf_put_char(w, ' ');
    tf_put_u64(w, value);
    tf_put_char(w, '\n');
}

static void put_counters(struct tf_writer *w, const struct totals *t)
{
    const char *family = "";
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];
        if (strcmp(family, info->family) != 0)
            put_family(w, info);
        family = info->family;
        put_name(w, info);
        if (info->labels[0] != '\0') {
            tf_put_char(w, '{');
            tf_put_text(w, info->labels);
            tf_put_char(w, '}');
        }
        put_value(w, t->values[i]);
    }
}

/* Zeros are written too: a rate can then be taken of a reason's very first event. */
static void put_reasons(struct tf_writer *w, const struct totals *t, enum reason_kind kind)
{
    const struct counter_info *info = &kind_infos[kind];
    put_family(w, info);
    for (size_t i = TF_REASON_NONE + 1; i < TF_REASON_COUNT; i++) {
        const struct tf_reason_info *reason = tf_reason_info((enum tf_reason)i);
        bool is_refusal = reason->event != TF_EVENT_NONE;
        if (is_refusal == (kind == REASON_ERROR) && t->reasons[kind][i] == 0)
            continue;
        put_name(w, info);
        tf_put_text(w, "{reason=\"");
        tf_put_text(w, reason->code);
        tf_put_text(w, "\"}");
        put_value(w, t->reasons[kind][i]);
    }
}

void metrics_format(struct tf_writer *w, const struct totals *t)
{
    put_counters(w, t);
    for (size_t kind = 0; kind < REASON_KIND_COUNT; kind++)
        put_reasons(w, t, (enum reason_kind)kind);
    tf_put_text(w, "# EOF\n");
}
