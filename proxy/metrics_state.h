/* What /metrics tells that nobody counts: how things stand at the moment it
 * is asked for. */
#ifndef METRICS_STATE_H
#define METRICS_STATE_H

#include "../lib/conf.h"
#include "vitals.h"

struct stage;

/* How clients of the inventory stand. */
enum metrics_clients {
    CLIENTS_LEGACY,   /* below TLS 1.2, and left to fix */
    CLIENTS_FIXED,    /* have come back at or above it */
    CLIENTS_FALLBACK, /* seen below it by stray hellos only */
    CLIENTS_SILENT,   /* below it, and not seen for 30 days */
    CLIENTS_KINDS
};

/* Times are seconds since 1970. */
struct metrics_state {
    int64_t now_s, started_s;
    bool is_ready; /* false: draining */
    const struct tf_policy *policy;
    int64_t ca_until_s;  /* 0: there is no CA */
    int64_t endpoints_s; /* when the endpoint set was fetched; 0: not known */
    bool reload_failed;  /* the last one */
    int64_t loaded_s;    /* since when the settings are in force */
    bool has_inventory, is_inventory_failing;
    uint64_t clients[CLIENTS_KINDS];
    uint64_t families[TF_CLIENT_FAMILY_COUNT]; /* those left to fix, by what they are */
    struct vitals vitals;
};

/* What a stage, its inventory and the kernel tell; the rest (times, reloads, readiness) is left as it is. The
 * policy is the stage's. */
void metrics_look(struct metrics_state *state, const struct stage *stage);

/* Of more rules that end than this, those further down are left out. */
enum { METRICS_RULES_MAX = 256 };

/* As a label; `unknown` where it is not known. */
const char *metrics_family_label(enum tf_client_family family);
/* Its part of the OpenMetrics text. */
void metrics_put_state(struct tf_writer *w, const struct metrics_state *state);

#endif
