/* The part of /metrics that is looked up and not counted; see
 * metrics_state.h. Where something is not known or not there, neither is its
 * metric. */
#include "metrics_state.h"

#include "openmetrics.h"
#include <openssl/crypto.h>
#include <string.h>

enum { DAY_S = 86400 };

static void put_gauge(struct tf_writer *w, const char *name, int64_t value, const char *help)
{
    const struct om_family family = {name, "gauge", help};
    om_put_family(w, &family);
    om_put_name(w, &family);
    om_put_signed(w, value);
}

static void put_known(struct tf_writer *w, const char *name, int64_t value, const char *help)
{
    if (value != 0)
        put_gauge(w, name, value, help);
}

/* A gauge of 1 whose labels are what it tells. */
static void put_info(struct tf_writer *w, const char *name, const char *help, const char *const labels[4])
{
    const struct om_family family = {name, "gauge", help};
    om_put_family(w, &family);
    om_put_name(w, &family);
    om_put_label(w, true, labels[0], labels[1]);
    om_put_label(w, false, labels[2], labels[3]);
    om_end_labels(w);
    om_put_value(w, 1);
}

static void put_process(struct tf_writer *w, const struct metrics_state *state)
{
    static const struct om_family cpu = {"process_cpu_seconds", "counter", "User and system time."};
    const struct vitals *v = &state->vitals;

    om_put_family(w, &cpu);
    om_put_name(w, &cpu);
    om_put_milli(w, v->cpu_ms);
    put_gauge(w, "process_start_time_seconds", state->started_s, "When it was started, in Unix time.");
    put_known(w, "process_open_fds", (int64_t)v->open_files, "Open file descriptors.");
    put_known(w, "process_max_fds", (int64_t)v->open_files_max, "And how many may be.");
    put_known(w, "process_resident_memory_bytes", (int64_t)v->resident_bytes, "Resident memory.");
}

static void put_gateway(struct tf_writer *w, const struct metrics_state *state)
{
    const struct tf_policy *policy = state->policy;

    put_info(w, "tlsfloor_build_info", "Which program this is; always 1.",
             (const char *const[]){"version", TLSFLOOR_VERSION, "openssl",
                                   OpenSSL_version(OPENSSL_VERSION_STRING)});
    put_info(w, "tlsfloor_floor_info", "Which floor is in force, and whether it is only watched; always 1.",
             (const char *const[]){"minimum", policy->floor == TF_TLS13 ? "1.3" : "1.2", "mode",
                                   policy->monitor ? "monitor" : "enforce"});
    put_gauge(w, "tlsfloor_ready", state->is_ready, "Whether it takes new connections; 0: it is draining.");
    put_gauge(w, "tlsfloor_config_last_reload_success", !state->reload_failed,
              "Whether the last reload was taken; 0: older settings stay in force.");
    put_gauge(w, "tlsfloor_config_last_reload_timestamp_seconds", state->loaded_s,
              "Since when the settings are in force, in Unix time.");
    put_known(w, "tlsfloor_ca_not_after_seconds", state->ca_until_s,
              "When the certificate of the gateway's CA ends, in Unix time.");
    put_known(w, "tlsfloor_endpoints_timestamp_seconds", state->endpoints_s,
              "When the Microsoft 365 endpoint set was fetched, in Unix time.");
}

/* A rule holds to the end of its last day, in UTC. */
static void put_rules(struct tf_writer *w, const struct metrics_state *state)
{
    static const struct om_family family = {
        "tlsfloor_rule_left_seconds", "gauge",
        "Until rules with an end no longer apply; below 0: they do not any more."};
    unsigned count = 0;

    om_put_family(w, &family);
    for (size_t i = 0; i < state->policy->rule_count && count < METRICS_RULES_MAX; i++) {
        const struct tf_rule *rule = &state->policy->rules[i];
        if (rule->until_day == INT32_MAX)
            continue;
        om_put_name(w, &family);
        om_put_label(w, true, "rule", rule->name);
        om_put_label(w, false, "owner", rule->owner);
        om_end_labels(w);
        om_put_signed(w, ((int64_t)rule->until_day + 1) * DAY_S - state->now_s);
        count++;
    }
}

static void put_inventory(struct tf_writer *w, const struct metrics_state *state)
{
    static const struct om_family clients = {
        "tlsfloor_clients", "gauge",
        "Clients of the inventory: legacy ones are left to fix, fixed ones "
        "have come back at or above TLS 1.2, fallback is a stray hello, silent ones were not seen for 30 "
        "days."};
    static const struct om_family families = {"tlsfloor_clients_by_family", "gauge",
                                              "Those left to fix, by what software they are."};
    static const char *const words[CLIENTS_KINDS] = {[CLIENTS_LEGACY] = "legacy",
                                                     [CLIENTS_FIXED] = "fixed",
                                                     [CLIENTS_FALLBACK] = "fallback",
                                                     [CLIENTS_SILENT] = "silent"};

    put_gauge(w, "tlsfloor_inventory_failing", state->is_inventory_failing,
              "Whether the inventory could not be stored lately, and is kept in memory only.");
    om_put_family(w, &clients);
    for (size_t i = 0; i < CLIENTS_KINDS; i++)
        om_put_labelled(w, &clients, "state", words[i], state->clients[i]);
    om_put_family(w, &families);
    for (int i = 0; i < TF_CLIENT_FAMILY_COUNT; i++)
        if (state->families[i] > 0)
            om_put_labelled(w, &families, "family", metrics_family_label((enum tf_client_family)i),
                            state->families[i]);
}

const char *metrics_family_label(enum tf_client_family family)
{
    return family == TF_CLIENT_FAMILY_UNKNOWN ? "unknown" : tf_client_info(family)->slug;
}

void metrics_put_state(struct tf_writer *w, const struct metrics_state *state)
{
    put_gateway(w, state);
    put_rules(w, state);
    if (state->has_inventory)
        put_inventory(w, state);
    put_process(w, state);
}
