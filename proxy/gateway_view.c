/* What the admin socket tells of the gateway; see gateway_parts.h. */
#include "gateway_parts.h"

#include "clock.h"
#include "status.h"

void gateway_sum_up(struct gateway *g, struct totals *t)
{
    *t = g->totals_base;
    for (size_t i = 0; i < g->loop_count; i++)
        totals_add(t, &g->loops[i]->counters);
    stage_add_lines(&g->stage, t);
    if (g->stage.inventory != NULL)
        t->values[COUNTER_INVENTORY_DROPPED] = inventory_dropped(g->stage.inventory);
}

/* Also for who has asked the old one of two gateways in the moment of a handover: the new one is. */
static bool is_ready(const struct gateway *g)
{
    return g->phase == SERVING || g->is_handed_over;
}

static void on_metrics(void *arg, struct tf_writer *w)
{
    const struct gateway *g = arg;
    struct metrics_state state = {.now_s = clock_wall_us() / 1000000,
                                  .started_s = g->started_us / 1000000,
                                  .is_ready = is_ready(g),
                                  .reload_failed = g->reload_failed,
                                  .loaded_s = g->loaded_us / 1000000};
    struct totals t;
    gateway_sum_up(arg, &t);
    metrics_look(&state, &g->stage);
    metrics_format(w, &t, &state);
}

/* What the admin socket asks for. */

static void on_status(void *arg, FILE *to)
{
    const struct gateway *g = arg;
    struct totals t;
    gateway_sum_up(arg, &t);
    struct status s = {.stage = &g->stage,
                       .totals = &t,
                       .admin = &g->admin_address,
                       .now_us = clock_wall_us(),
                       .started_us = g->started_us,
                       .is_draining = g->phase != SERVING};
    status_write(to, &s);
}

static const struct tf_conf *on_conf(void *arg)
{
    const struct gateway *g = arg;
    return &g->stage.conf->tf;
}

static struct inventory *on_inventory(void *arg)
{
    const struct gateway *g = arg;
    return g->stage.inventory;
}

static bool on_ready(void *arg)
{
    return is_ready(arg);
}

struct admin_source gateway_view(struct gateway *g)
{
    return (struct admin_source){.arg = g,
                                 .metrics = on_metrics,
                                 .ready = on_ready,
                                 .status = on_status,
                                 .conf = on_conf,
                                 .inventory = on_inventory};
}
