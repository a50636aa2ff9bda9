/* dns_cache.c with a clock of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/dns_cache.h"
#include <stdio.h>
#include <string.h>

enum { NOW = 1000, TTL = 500, ENTRIES = 64, ROOM = 16 };

static struct dns_cache *cache;
static struct tf_addr out[ROOM];
static size_t n;

static int set_up(void **state)
{
    (void)state;
    cache = dns_cache_new(ENTRIES);
    n = 99;
    return cache == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    dns_cache_free(cache);
    return 0;
}

static struct tf_addr address(uint8_t last)
{
    return (struct tf_addr){.family = TF_FAMILY_V4, .ip = {192, 0, 2, last}};
}

static void put(const char *host, uint64_t now_ms, uint64_t ttl_ms, uint8_t last)
{
    struct tf_addr a = address(last);
    dns_cache_put(cache, host, TF_FAMILY_V4, now_ms, ttl_ms, &a, 1);
}

static bool get(const char *host, uint64_t now_ms)
{
    return dns_cache_get(cache, host, TF_FAMILY_V4, now_ms, out, ROOM, &n);
}

static void answer_holds_until_its_time_is_over(void **state)
{
    (void)state;
    assert_false(get("a.test", NOW));
    put("a.test", NOW, TTL, 1);
    assert_true(get("a.test", NOW + TTL - 1));
    assert_int_equal(n, 1);
    assert_int_equal(out[0].family, TF_FAMILY_V4);
    assert_int_equal(out[0].ip[3], 1);
    assert_false(get("a.test", NOW + TTL));
    assert_false(get("b.test", NOW));
}

static void families_are_kept_apart(void **state)
{
    (void)state;
    dns_cache_free(cache);
    cache = dns_cache_new(2); /* so few that both are looked for in the same places */
    put("a.test", NOW, TTL, 1);
    assert_false(dns_cache_get(cache, "a.test", TF_FAMILY_V6, NOW, out, ROOM, &n));
}

static void absence_is_an_answer(void **state)
{
    (void)state;
    dns_cache_put(cache, "none.test", TF_FAMILY_V6, NOW, TTL, NULL, 0);
    assert_true(dns_cache_get(cache, "none.test", TF_FAMILY_V6, NOW, out, ROOM, &n));
    assert_int_equal(n, 0);
}

static void newer_answer_replaces_the_older(void **state)
{
    (void)state;
    put("a.test", NOW, TTL, 1);
    put("a.test", NOW + 1, TTL, 2);
    assert_true(get("a.test", NOW + TTL));
    assert_int_equal(out[0].ip[3], 2);
}

static void answer_without_a_time_is_not_kept_and_ends_the_older(void **state)
{
    (void)state;
    put("a.test", NOW, 0, 1);
    assert_false(get("a.test", NOW));
    put("a.test", NOW, TTL, 1);
    put("a.test", NOW, 0, 2);
    assert_false(get("a.test", NOW));
}

static void sixteen_addresses_come_back_as_many_as_there_is_room_for(void **state)
{
    (void)state;
    struct tf_addr many[ROOM];
    for (uint8_t i = 0; i < ROOM; i++)
        many[i] = address(i);
    dns_cache_put(cache, "many.test", TF_FAMILY_V4, NOW, TTL, many, ROOM);
    assert_true(get("many.test", NOW));
    assert_int_equal(n, ROOM);
    for (uint8_t i = 0; i < ROOM; i++)
        assert_true(out[i].ip[3] == i && out[i].family == TF_FAMILY_V4);
    memset(out, 0, sizeof out);
    assert_true(dns_cache_get(cache, "many.test", TF_FAMILY_V4, NOW, out, 3, &n));
    assert_int_equal(n, 3);
    assert_int_equal(out[3].family, TF_FAMILY_NONE);
}

static size_t count_held(size_t names, uint64_t now_ms)
{
    size_t held = 0;
    for (size_t i = 0; i < names; i++) {
        char host[32];
        snprintf(host, sizeof host, "host%zu.test", i);
        held += get(host, now_ms);
    }
    return held;
}

static void flood_of_names_stays_within_the_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < 50 * ENTRIES; i++) {
        char host[32];
        snprintf(host, sizeof host, "host%zu.test", i);
        put(host, NOW, TTL, 1);
    }
    size_t held = count_held(50 * ENTRIES, NOW);
    assert_in_range(held, ENTRIES / 2, ENTRIES);
}

static void what_is_in_use_outlives_a_flood_of_single_names(void **state)
{
    (void)state;
    put("busy.test", NOW, TTL, 7);
    for (size_t i = 0; i < 50 * ENTRIES; i++) {
        char host[32];
        snprintf(host, sizeof host, "host%zu.test", i);
        put(host, NOW, TTL, 1);
        assert_true(get("busy.test", NOW));
    }
}

static void what_has_run_out_goes_before_what_still_holds(void **state)
{
    (void)state;
    dns_cache_free(cache);
    cache = dns_cache_new(2);
    put("long.test", NOW, 10 * TTL, 1);
    put("short.test", NOW, TTL, 2); /* used later, but over sooner */
    put("new.test", NOW + TTL, TTL, 3);
    assert_true(get("long.test", NOW + TTL));
    assert_true(get("new.test", NOW + TTL));
}

static void cache_without_places_keeps_nothing(void **state)
{
    (void)state;
    dns_cache_free(cache);
    cache = dns_cache_new(0);
    put("a.test", NOW, TTL, 1);
    assert_false(get("a.test", NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(answer_holds_until_its_time_is_over),
        TEST(families_are_kept_apart),
        TEST(absence_is_an_answer),
        TEST(newer_answer_replaces_the_older),
        TEST(answer_without_a_time_is_not_kept_and_ends_the_older),
        TEST(sixteen_addresses_come_back_as_many_as_there_is_room_for),
        TEST(flood_of_names_stays_within_the_bound),
        TEST(what_is_in_use_outlives_a_flood_of_single_names),
        TEST(what_has_run_out_goes_before_what_still_holds),
        TEST(cache_without_places_keeps_nothing),
#undef TEST
    };
    return cmocka_run_group_tests_name("dns_cache", tests, NULL, NULL);
}
