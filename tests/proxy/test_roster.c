/* roster.c: who is whom, who is legacy, fixed or only stray, and who goes when there is no room. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/roster.h"
#include <stdio.h>
#include <string.h>

static struct roster *roster;

static int begin(void **state)
{
    (void)state;
    roster = roster_new(4, 2);
    return roster ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    roster_free(roster);
    return 0;
}

/* One of a client below the floor at some time; for a test to change. */
static struct tf_sighting old(const char *source, int64_t at)
{
    struct tf_sighting s = {.outcome = TF_OUTCOME_BLOCKED,
                            .reason = TF_REASON_CLIENT_BELOW_FLOOR,
                            .count = 1,
                            .first_us = at,
                            .last_us = at,
                            .host = "mail.example.com",
                            .port = 443,
                            .version = TF_TLS10,
                            .fingerprint = 17,
                            .family = TF_CLIENT_FAMILY_JAVA_6,
                            .certainty = TF_CLIENT_LIKELY,
                            .name = "Java 6u45"};
    assert_true(tf_addr_parse(source, strlen(source), &s.source));
    return s;
}

/* One of a healthy client. */
static struct tf_sighting healthy(const char *source, int64_t at, uint16_t version)
{
    struct tf_sighting s = old(source, at);
    s.outcome = TF_OUTCOME_PASSED;
    s.reason = TF_REASON_NONE;
    s.version = version;
    s.fingerprint = 99;
    s.family = TF_CLIENT_FAMILY_UNKNOWN;
    s.certainty = TF_CLIENT_NOT_KNOWN;
    s.name[0] = '\0';
    return s;
}

static void add(struct tf_sighting s)
{
    assert_true(roster_add(roster, &s));
}

/* Of this source, or NULL; of several, the first that was made. */
static struct roster_client *client_of(const char *source)
{
    struct tf_addr address;
    assert_true(tf_addr_parse(source, strlen(source), &address));
    for (size_t i = 0; i < roster_count(roster); i++)
        if (tf_addr_same_ip(&roster_at(roster, i)->source, &address))
            return roster_at(roster, i);
    return NULL;
}

static void sightings_of_a_client_are_summed_up(void **state)
{
    (void)state;
    struct tf_sighting later = old("192.0.2.1", 500);
    later.count = 10;
    later.first_us = 200;
    later.version = TF_TLS11;
    later.outcome = TF_OUTCOME_UPGRADED;
    later.reason = TF_REASON_NONE;
    add(old("192.0.2.1", 100));
    add(later);
    assert_int_equal(roster_count(roster), 1);
    struct roster_client *c = roster_at(roster, 0);
    assert_int_equal(c->counts[TF_OUTCOME_BLOCKED], 1);
    assert_int_equal(c->counts[TF_OUTCOME_UPGRADED], 10);
    assert_int_equal(c->first_us, 100);
    assert_int_equal(c->last_us, 500);
    assert_int_equal(c->below_us, 500);
    assert_int_equal(c->fixed_us, 0);
    assert_int_equal(c->versions, 1 << ROSTER_TLS10 | 1 << ROSTER_TLS11);
    assert_int_equal(c->reason, TF_REASON_CLIENT_BELOW_FLOOR);
    assert_string_equal(c->name, "Java 6u45");
    assert_true(c->is_dirty);
    assert_int_equal(c->destination_count, 1);
    assert_int_equal(c->destinations[0].counts[TF_OUTCOME_UPGRADED], 10);
    assert_int_equal(c->destinations[0].last_us, 500);
}

static void a_known_family_is_one_client_whatever_its_fingerprint(void **state)
{
    (void)state;
    struct tf_sighting other = old("192.0.2.1", 200);
    other.fingerprint = 18;
    add(old("192.0.2.1", 100));
    add(other);
    assert_int_equal(roster_count(roster), 1);
    assert_int_equal(roster_at(roster, 0)->fingerprint, 18);
    other.family = TF_CLIENT_FAMILY_IE_XP;
    add(other);
    assert_int_equal(roster_count(roster), 2);
}

static void unknown_software_is_told_apart_by_its_fingerprint(void **state)
{
    (void)state;
    struct tf_sighting s = old("192.0.2.1", 100);
    s.family = TF_CLIENT_FAMILY_UNKNOWN;
    add(s);
    add(s);
    s.fingerprint = 18;
    add(s);
    assert_int_equal(roster_count(roster), 2);
}

static void the_latest_words_count_whatever_comes_first(void **state)
{
    (void)state;
    struct tf_sighting late = old("192.0.2.1", 200), early = old("192.0.2.1", 100);
    strcpy(late.user, "anna");
    strcpy(early.user, "bert");
    strcpy(early.user_agent, "Java/1.6");
    add(late);
    add(early);
    assert_string_equal(roster_at(roster, 0)->user, "anna");
    assert_string_equal(roster_at(roster, 0)->user_agent, "");
    late.user[0] = '\0';
    late.last_us = 300;
    add(late);
    assert_string_equal(roster_at(roster, 0)->user, "anna");
}

static void one_that_comes_back_above_is_fixed_until_it_comes_below_again(void **state)
{
    (void)state;
    add(old("192.0.2.1", 100));
    add(healthy("192.0.2.1", 200, TF_TLS13));
    add(healthy("192.0.2.1", 300, TF_TLS13));
    assert_int_equal(roster_count(roster), 1);
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 200);
    add(old("192.0.2.1", 400));
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 0);
    add(healthy("192.0.2.1", 500, TF_TLS13));
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 500);
}

/* As in logs that are read one after the other. */
static void what_was_before_the_last_old_hello_fixes_nothing(void **state)
{
    (void)state;
    add(old("192.0.2.1", 300));
    add(healthy("192.0.2.1", 200, TF_TLS13));
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 0);
    add(healthy("192.0.2.1", 400, TF_TLS13));
    add(old("192.0.2.1", 100)); /* nor does an older one undo it */
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 400);
}

static void only_who_goes_to_the_same_place_is_fixed(void **state)
{
    (void)state;
    struct tf_sighting elsewhere = healthy("192.0.2.1", 200, TF_TLS13), port = elsewhere;
    strcpy(elsewhere.host, "www.example.com");
    port.port = 8443;
    add(old("192.0.2.1", 100));
    add(elsewhere);
    add(port);
    add(healthy("192.0.2.2", 200, TF_TLS13));
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 0);
}

static void where_not_all_places_are_known_any_will_do(void **state)
{
    (void)state;
    struct tf_sighting s = old("192.0.2.1", 100);
    for (int i = 0; i < 4; i++) {
        s.port = (uint16_t)(1000 + i);
        add(s);
    }
    assert_int_equal(client_of("192.0.2.1")->destination_count, 2);
    assert_int_equal(client_of("192.0.2.1")->more_destinations, 2);
    add(healthy("192.0.2.1", 200, TF_TLS13));
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 200);
}

static void all_old_clients_of_a_source_are_fixed_by_one_healthy_one(void **state)
{
    (void)state;
    struct tf_sighting other = old("192.0.2.1", 100);
    other.family = TF_CLIENT_FAMILY_IE_XP;
    add(old("192.0.2.1", 100));
    add(other);
    add(healthy("192.0.2.1", 200, TF_TLS12));
    assert_int_equal(roster_count(roster), 3);
    assert_int_equal(roster_at(roster, 0)->fixed_us, 200);
    assert_int_equal(roster_at(roster, 1)->fixed_us, 200);
    assert_int_equal(roster_at(roster, 2)->fixed_us, 0); /* the one with TLS 1.2, which 1.3 would block */
    assert_int_equal(roster_at(roster, 2)->below_us, 0);
    assert_int_equal(roster_at(roster, 2)->versions, 1 << ROSTER_TLS12);
}

static void stray_hellos_are_only_counted(void **state)
{
    (void)state;
    struct tf_sighting stray = old("192.0.2.1", 300);
    stray.is_fallback = true;
    add(stray);
    assert_int_equal(client_of("192.0.2.1")->below_us, 0);
    assert_int_equal(client_of("192.0.2.1")->fallbacks, 1);
    add(old("192.0.2.1", 400));
    add(healthy("192.0.2.1", 500, TF_TLS13));
    stray.last_us = stray.first_us = 600;
    add(stray);
    assert_int_equal(client_of("192.0.2.1")->below_us, 400);
    assert_int_equal(client_of("192.0.2.1")->fixed_us, 500);
    assert_int_equal(client_of("192.0.2.1")->fallbacks, 2);
}

static void the_last_outcome_is_that_of_the_latest_sighting_below(void **state)
{
    struct tf_sighting s = old("192.0.2.1", 100);
    (void)state;
    add(s);
    assert_int_equal(client_of("192.0.2.1")->outcome, TF_OUTCOME_BLOCKED);
    s.outcome = TF_OUTCOME_UPGRADED;
    s.first_us = s.last_us = 300;
    add(s);
    add(old("192.0.2.1", 200)); /* from an older file */
    assert_int_equal(client_of("192.0.2.1")->outcome, TF_OUTCOME_UPGRADED);
    struct tf_sighting stray = old("192.0.2.1", 400);
    stray.is_fallback = true;
    add(stray);
    add(healthy("192.0.2.1", 500, TF_TLS13));
    assert_int_equal(client_of("192.0.2.1")->outcome, TF_OUTCOME_UPGRADED);
    s.outcome = TF_OUTCOME_WOULD_BLOCK;
    s.first_us = s.last_us = 350; /* later than the last but the stray one */
    add(s);
    assert_int_equal(client_of("192.0.2.1")->outcome, TF_OUTCOME_WOULD_BLOCK);
}

static void above_it_too(void **state)
{
    struct tf_sighting s = healthy("192.0.2.1", 100, TF_TLS12);
    (void)state;
    add(s);
    assert_int_equal(client_of("192.0.2.1")->outcome, TF_OUTCOME_PASSED);
    s.outcome = TF_OUTCOME_BLOCKED;
    s.first_us = s.last_us = 200;
    add(s);
    add(healthy("192.0.2.1", 150, TF_TLS12));
    assert_int_equal(client_of("192.0.2.1")->outcome, TF_OUTCOME_BLOCKED);
}

static void who_was_not_seen_for_30_days_is_silent_unless_fixed(void **state)
{
    const int64_t day = INT64_C(86400) * 1000000;
    (void)state;
    add(old("192.0.2.1", day + 1));
    struct roster_client *c = client_of("192.0.2.1");
    assert_false(roster_is_silent(c, 32 * day - 1));
    assert_true(roster_is_silent(c, 32 * day));
    assert_false(roster_is_silent(c, 0));
    c->fixed_us = 2 * day;
    assert_false(roster_is_silent(c, 100 * day));
}

static void plain_text_is_below_the_floor(void **state)
{
    (void)state;
    struct tf_sighting s = old("192.0.2.1", 100);
    s.version = 0;
    s.fingerprint = 0;
    s.family = TF_CLIENT_FAMILY_UNKNOWN;
    s.reason = TF_REASON_MAIL_CLEARTEXT;
    add(s);
    assert_int_equal(client_of("192.0.2.1")->below_us, 100);
    assert_int_equal(client_of("192.0.2.1")->versions, 1 << ROSTER_PLAIN);
}

static void what_is_not_about_TLS_is_passed_over(void **state)
{
    (void)state;
    struct tf_sighting s = old("192.0.2.1", 100);
    s.version = 0;
    s.reason = TF_REASON_CLIENT_HELLO_MALFORMED;
    add(s);
    add(healthy("192.0.2.1", 100, TF_TLS13));
    assert_int_equal(roster_count(roster), 0);
}

static int64_t forgotten[8];
static size_t forgotten_count;

static void forget(void *arg, int64_t id)
{
    assert_ptr_equal(arg, &forgotten_count);
    forgotten[forgotten_count++] = id;
}

static void when_it_is_full_healthy_ones_go_then_who_was_not_seen_for_longest(void **state)
{
    (void)state;
    forgotten_count = 0;
    roster_on_forget(roster, forget, &forgotten_count);
    add(old("192.0.2.1", 100));
    add(old("192.0.2.2", 101));
    add(healthy("192.0.2.3", 102, TF_TLS12));
    add(old("192.0.2.4", 103));
    client_of("192.0.2.3")->id = 3;
    client_of("192.0.2.2")->id = 2;
    add(old("192.0.2.1", 104)); /* seen again */
    add(old("192.0.2.5", 105));
    assert_null(client_of("192.0.2.3"));
    add(old("192.0.2.6", 106));
    assert_null(client_of("192.0.2.2"));
    add(old("192.0.2.7", 107)); /* who goes now has no id */
    assert_null(client_of("192.0.2.4"));
    assert_non_null(client_of("192.0.2.1"));
    assert_int_equal(roster_count(roster), 4);
    assert_int_equal(forgotten_count, 2);
    assert_int_equal(forgotten[0], 3);
    assert_int_equal(forgotten[1], 2);
}

static void what_a_store_has_loaded_goes_before_what_came_later(void **state)
{
    (void)state;
    struct tf_sighting s = old("192.0.2.1", 0);
    for (uint8_t i = 1; i <= 4; i++) {
        s.source.ip[3] = i;
        struct roster_client *c = roster_take(roster, &s.source, s.family, s.fingerprint);
        assert_non_null(c);
        c->below_us = i == 3 ? 0 : i;
        c->last_us = i;
        assert_non_null(roster_take_destination(roster, c, "mail.example.com", 443));
    }
    add(old("192.0.2.1", 10));
    add(old("192.0.2.11", 11));
    assert_null(client_of("192.0.2.3")); /* never below the floor */
    add(old("192.0.2.12", 12));
    assert_null(client_of("192.0.2.2"));
    assert_non_null(client_of("192.0.2.1"));
    assert_non_null(client_of("192.0.2.4"));
    assert_ptr_equal(roster_take(roster, &client_of("192.0.2.1")->source, TF_CLIENT_FAMILY_JAVA_6, 0),
                     client_of("192.0.2.1"));
}

static void a_host_that_is_too_long_has_no_destination(void **state)
{
    (void)state;
    char host[TF_HOST_MAX + 1];
    memset(host, 'a', sizeof host - 1);
    host[TF_HOST_MAX] = '\0';
    add(old("192.0.2.1", 100));
    assert_null(roster_take_destination(roster, roster_at(roster, 0), host, 443));
    assert_non_null(roster_take_destination(roster, roster_at(roster, 0), host + 1, 443));
}

static void bounds_may_change(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct tf_sighting s = old("192.0.2.1", 100 + i);
        s.source.ip[3] = (uint8_t)i;
        add(s);
    }
    roster_set_bounds(roster, 2, 1);
    assert_int_equal(roster_count(roster), 2);
    assert_null(client_of("192.0.2.0"));
    assert_non_null(client_of("192.0.2.3"));
}

static void who_was_not_seen_lately_is_forgotten(void **state)
{
    (void)state;
    add(old("192.0.2.1", 100));
    add(old("192.0.2.2", 200));
    add(old("192.0.2.3", 50));
    roster_forget_before(roster, 101);
    assert_int_equal(roster_count(roster), 1);
    assert_non_null(client_of("192.0.2.2"));
}

/* Hellos that are drawn at random have as many fingerprints. */
static void no_source_pushes_all_others_out(void **state)
{
    enum { MANY = 5000 };
    (void)state;
    roster_set_bounds(roster, 1000, 1);
    add(old("192.0.2.2", 1));
    for (int i = 0; i < MANY; i++) {
        struct tf_sighting s = old("192.0.2.1", 2 + i);
        s.family = TF_CLIENT_FAMILY_UNKNOWN;
        s.fingerprint = (uint64_t)i + 1;
        add(s);
    }
    assert_non_null(client_of("192.0.2.2"));
    assert_int_equal(roster_count(roster), 257);
}

static void many_clients_are_found_again(void **state)
{
    enum { MANY = 20000 };
    (void)state;
    roster_set_bounds(roster, MANY / 2, 1);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            struct tf_sighting s = old("10.0.0.0", 1 + round);
            s.source.ip[1] = (uint8_t)(i >> 16);
            s.source.ip[2] = (uint8_t)(i >> 8);
            s.source.ip[3] = (uint8_t)i;
            add(s);
        }
    assert_int_equal(roster_count(roster), MANY / 2);
    assert_non_null(client_of("10.0.78.31")); /* the last one */
    assert_int_equal(client_of("10.0.78.31")->counts[TF_OUTCOME_BLOCKED], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sightings_of_a_client_are_summed_up),
        TEST(a_known_family_is_one_client_whatever_its_fingerprint),
        TEST(unknown_software_is_told_apart_by_its_fingerprint),
        TEST(the_latest_words_count_whatever_comes_first),
        TEST(one_that_comes_back_above_is_fixed_until_it_comes_below_again),
        TEST(what_was_before_the_last_old_hello_fixes_nothing),
        TEST(only_who_goes_to_the_same_place_is_fixed),
        TEST(where_not_all_places_are_known_any_will_do),
        TEST(all_old_clients_of_a_source_are_fixed_by_one_healthy_one),
        TEST(stray_hellos_are_only_counted),
        TEST(the_last_outcome_is_that_of_the_latest_sighting_below),
        TEST(above_it_too),
        TEST(who_was_not_seen_for_30_days_is_silent_unless_fixed),
        TEST(plain_text_is_below_the_floor),
        TEST(what_is_not_about_TLS_is_passed_over),
        TEST(when_it_is_full_healthy_ones_go_then_who_was_not_seen_for_longest),
        TEST(what_a_store_has_loaded_goes_before_what_came_later),
        TEST(a_host_that_is_too_long_has_no_destination),
        TEST(bounds_may_change),
        TEST(who_was_not_seen_lately_is_forgotten),
        TEST(no_source_pushes_all_others_out),
        TEST(many_clients_are_found_again),
    };
    return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
