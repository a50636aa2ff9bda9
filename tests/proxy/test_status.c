/* status.c: what /api/status says, read back as JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/inventory.h"
#include "../../proxy/status.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1795300000 /* 2026-11-21 */, DAY_S = 86400 };

static struct endpoints endpoints;
static struct conf conf;
static struct tf_listener listener;
static struct bound bound;
static struct stage stage;
static struct totals totals;
static const struct tf_addr admin = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}, .port = 9180};

static int prepare(void **state)
{
    (void)state;
    endpoints = (struct endpoints){.m365 = {.origin = "builtin (Worldwide)", .set_count = 79},
                                   .as_of_s = NOW_S - 50 * DAY_S};
    listener = (struct tf_listener){.name = "proxy", .kind = TF_KIND_CONNECT};
    bound = (struct bound){.actual = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}, .port = 3128},
                           .listener = &listener};
    conf = (struct conf){.file = (char *)"conf/tlsfloor.ini", .endpoints = &endpoints};
    conf.tf.policy.floor = TF_TLS12;
    conf.tf.log.block = "-";
    conf.tf.log.access = "off";
    conf.tf.inventory.file = "memory";
    stage = (struct stage){.conf = &conf, .sockets = {.list = &bound, .count = 1}};
    totals = (struct totals){.values = {0}};
    return 0;
}

/* To be given back with json_decref. */
static json_t *told(bool is_draining)
{
    char *text;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    struct status s = {.stage = &stage,
                       .totals = &totals,
                       .admin = &admin,
                       .now_us = INT64_C(1000000) * NOW_S,
                       .started_us = INT64_C(1000000) * (NOW_S - DAY_S),
                       .is_draining = is_draining};
    assert_true(status_write(to, &s));
    assert_int_equal(fclose(to), 0);
    json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

/* `a.b` of an object. */
static const json_t *at(const json_t *json, const char *path)
{
    char part[32];
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        snprintf(part, sizeof part, "%.*s", (int)(dot - path), path);
        json = json_object_get(json, part);
    }
    const json_t *value = json_object_get(json, path);
    assert_non_null(value);
    return value;
}

static void assert_text(const json_t *json, const char *path, const char *expected)
{
    assert_string_equal(json_string_value(at(json, path)), expected);
}

static void assert_number(const json_t *json, const char *path, long long expected)
{
    assert_true(json_is_integer(at(json, path)));
    assert_int_equal(json_integer_value(at(json, path)), expected);
}

static void it_says_what_is_in_force(void **state)
{
    (void)state;
    json_t *json = told(false);
    assert_text(json, "generated", "2026-11-21T22:26:40.000Z");
    assert_text(json, "started", "2026-11-20T22:26:40.000Z");
    assert_text(json, "mode", "enforce");
    assert_text(json, "floor", "1.2");
    assert_text(json, "file", "conf/tlsfloor.ini");
    assert_text(json, "admin", "127.0.0.1:9180");
    assert_true(json_is_false(at(json, "draining")));
    json_decref(json);
    conf.tf.policy.monitor = true;
    conf.tf.policy.floor = TF_TLS13;
    json = told(true);
    assert_text(json, "mode", "monitor");
    assert_text(json, "floor", "1.3");
    assert_true(json_is_true(at(json, "draining")));
    json_decref(json);
}

static void a_listener_is_told_where_it_is_bound(void **state)
{
    (void)state;
    json_t *json = told(false);
    const json_t *only = json_array_get(at(json, "listeners"), 0);
    assert_int_equal(json_array_size(at(json, "listeners")), 1);
    assert_text(only, "name", "proxy");
    assert_text(only, "address", "127.0.0.1:3128");
    assert_text(only, "kind", "connect");
    assert_text(only, "protocol", "");
    assert_text(only, "upstream", "");
    json_decref(json);
    listener.kind = TF_KIND_FORWARD;
    listener.protocol = TF_PROTOCOL_SMTP;
    listener.upstream = (struct tf_target){.host = "smtp.office365.com", .port = 587};
    json = told(false);
    only = json_array_get(at(json, "listeners"), 0);
    assert_text(only, "protocol", "smtp");
    assert_text(only, "upstream", "smtp.office365.com:587");
    json_decref(json);
}

static void the_endpoint_set_has_an_age_where_it_is_known(void **state)
{
    (void)state;
    json_t *json = told(false);
    assert_text(json, "endpoints.as_of", "2026-10-02");
    assert_number(json, "endpoints.age_days", 50);
    json_decref(json);
    endpoints.as_of_s = 0;
    json = told(false);
    assert_true(json_is_null(at(json, "endpoints.as_of")));
    assert_true(json_is_null(at(json, "endpoints.age_days")));
    json_decref(json);
}

static void what_is_not_there_is_null(void **state)
{
    (void)state;
    json_t *json = told(false);
    assert_true(json_is_null(at(json, "ca")));
    assert_true(json_is_null(at(json, "inventory")));
    json_decref(json);
}

static void the_inventory_is_told(void **state)
{
    (void)state;
    struct inventory_options options = {
        .file = "memory", .forget_days = 400, .clients = 16, .destinations = 4, .queue = 64};
    struct tf_sighting s = {.outcome = TF_OUTCOME_BLOCKED,
                            .reason = TF_REASON_CLIENT_BELOW_FLOOR,
                            .count = 1,
                            .first_us = INT64_C(1000000) * NOW_S,
                            .last_us = INT64_C(1000000) * NOW_S,
                            .source = {.family = TF_FAMILY_V4, .ip = {10, 0, 0, 1}},
                            .version = TF_TLS10};
    char error[128];
    stage.inventory = inventory_open(&options, error, sizeof error);
    assert_non_null(stage.inventory);
    assert_true(inventory_note(stage.inventory, &s));
    conf.tf.limits.inventory_clients = 16;
    json_t *json = told(false);
    assert_text(json, "inventory.file", "memory");
    assert_number(json, "inventory.clients", 1);
    assert_number(json, "inventory.clients_max", 16);
    assert_number(json, "inventory.dropped", 0);
    assert_true(json_is_false(at(json, "inventory.failing")));
    json_decref(json);
    inventory_close(stage.inventory);
}

static void counts_are_added_up(void **state)
{
    (void)state;
    totals.values[COUNTER_SESSIONS_CONNECT] = 5;
    totals.values[COUNTER_SESSIONS_SOCKS5] = 2;
    totals.values[COUNTER_SESSIONS_ACTIVE] = 1;
    totals.values[COUNTER_UPGRADES_PLAIN] = 3;
    totals.values[COUNTER_UPGRADES_10] = 4;
    totals.values[COUNTER_LOG_WRITTEN] = 9;
    totals.values[COUNTER_LOG_DROPPED] = 2;
    totals.values[COUNTER_LOG_DROPPED_OTHER] = 1;
    totals.reasons[REASON_BLOCKED][TF_REASON_CLIENT_BELOW_FLOOR] = 6;
    totals.reasons[REASON_WOULD_BLOCK][TF_REASON_CLIENT_BELOW_FLOOR] = 7;
    json_t *json = told(false);
    assert_number(json, "totals.connections", 7);
    assert_number(json, "totals.active", 1);
    assert_number(json, "totals.upgraded", 7);
    assert_number(json, "totals.blocked", 6);
    assert_number(json, "totals.would_block", 7);
    assert_number(json, "logs.block.written", 9);
    assert_number(json, "logs.block.dropped", 3);
    assert_text(json, "logs.access.sink", "off");
    json_decref(json);
}

/* More than is tried at first. */
static void long_settings_are_told_whole(void **state)
{
    (void)state;
    static char path[100000];
    memset(path, '<', sizeof path - 1);
    conf.tf.log.block = path;
    json_t *json = told(false);
    assert_text(json, "logs.block.sink", path);
    json_decref(json);
}

#define prepared(f) cmocka_unit_test_setup(f, prepare)

int main(void)
{
    const struct CMUnitTest tests[] = {
        prepared(it_says_what_is_in_force),
        prepared(a_listener_is_told_where_it_is_bound),
        prepared(the_endpoint_set_has_an_age_where_it_is_known),
        prepared(what_is_not_there_is_null),
        prepared(the_inventory_is_told),
        prepared(counts_are_added_up),
        prepared(long_settings_are_told_whole),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
