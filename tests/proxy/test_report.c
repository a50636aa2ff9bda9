/* report_view.c: who stands in a report, and in which order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/report_view.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define DAY(n) ((INT64_C(20000) + (n)) * DAY_US + 1000) /* some days after each other */

static struct roster *roster;
static struct report_view *view;
static struct report_options options;

static int begin(void **state)
{
    (void)state;
    roster = roster_new(1000, 8);
    options = (struct report_options){.floor = TF_TLS12, .now_us = DAY(100)};
    return roster ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    roster_free(roster);
    report_view_free(view);
    view = NULL;
    return 0;
}

/* The client 192.0.2.LAST, on some day. */
static struct tf_sighting seen(uint8_t last, enum tf_outcome outcome, uint64_t count, int day)
{
    return (struct tf_sighting){.outcome = outcome,
                                .reason = outcome <= TF_OUTCOME_WOULD_BLOCK ? TF_REASON_CLIENT_BELOW_FLOOR
                                                                            : TF_REASON_NONE,
                                .count = count,
                                .first_us = DAY(day),
                                .last_us = DAY(day),
                                .source = {.family = TF_FAMILY_V4, .ip = {192, 0, 2, last}},
                                .host = "mail.example.com",
                                .port = 443,
                                .version = outcome == TF_OUTCOME_PASSED ? TF_TLS12 : TF_TLS10,
                                .fingerprint = 17};
}

static void add(struct tf_sighting s)
{
    assert_true(roster_add(roster, &s));
}

static const struct tf_report *look(void)
{
    report_view_free(view);
    view = report_view_new(roster, &options);
    assert_non_null(view);
    return report_view_of(view);
}

static void assert_order(const struct tf_report *report, const uint8_t *expected, size_t n)
{
    assert_int_equal(report->client_count, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(report->clients[i].source.ip[3], expected[i]);
}

static void what_to_fix_first_is_on_top(void **state)
{
    (void)state;
    struct tf_sighting stray = seen(1, TF_OUTCOME_BLOCKED, 999, 99);
    stray.is_fallback = true;
    add(stray);
    add(seen(2, TF_OUTCOME_BLOCKED, 999, 50)); /* comes back below */
    add(seen(3, TF_OUTCOME_UPGRADED, 500, 99));
    add(seen(4, TF_OUTCOME_WOULD_BLOCK, 500, 99));
    add(seen(5, TF_OUTCOME_BLOCKED, 100, 80));  /* often, but not lately */
    add(seen(8, TF_OUTCOME_BLOCKED, 9999, 60)); /* and not for 30 days */
    add(seen(6, TF_OUTCOME_BLOCKED, 5, 99));
    add(seen(7, TF_OUTCOME_BLOCKED, 7, 99));
    struct tf_sighting fixed = seen(2, TF_OUTCOME_PASSED, 1, 70);
    fixed.version = TF_TLS13;
    add(fixed);
    const struct tf_report *report = look();
    assert_order(report, (const uint8_t[]){7, 6, 5, 4, 3, 1, 8, 2}, 8);
    assert_int_equal(report->states[TF_STATE_BLOCKED], 3);
    assert_int_equal(report->states[TF_STATE_FALLBACK], 1);
    assert_int_equal(report->states[TF_STATE_FIXED], 1);
    assert_int_equal(tf_report_left(report), 5);
    assert_int_equal(report->states[TF_STATE_SILENT], 1);
    assert_int_equal(report->clients[7].fixed_us, DAY(70));
    assert_int_equal(report->counts[TF_OUTCOME_BLOCKED], 999 + 999 + 100 + 9999 + 5 + 7);
}

static enum tf_report_state state_after(enum tf_outcome first, enum tf_outcome then)
{
    roster_forget_before(roster, INT64_MAX);
    add(seen(1, first, 1000, 98));
    add(seen(1, then, 1, 99));
    const struct tf_report *report = look();
    assert_int_equal(report->client_count, 1);
    return report->clients[0].state;
}

static void what_happened_last_counts_not_what_happened_most(void **state)
{
    (void)state;
    assert_int_equal(state_after(TF_OUTCOME_BLOCKED, TF_OUTCOME_UPGRADED), TF_STATE_UPGRADED);
    assert_int_equal(state_after(TF_OUTCOME_WOULD_BLOCK, TF_OUTCOME_BLOCKED), TF_STATE_BLOCKED);
    assert_int_equal(state_after(TF_OUTCOME_UPGRADED, TF_OUTCOME_WOULD_BLOCK), TF_STATE_WOULD_BLOCK);
    assert_int_equal(look()->clients[0].counts[TF_OUTCOME_UPGRADED], 1000);
}

static void a_floor_of_1_3_asks_for_those_with_1_2_too(void **state)
{
    (void)state;
    add(seen(1, TF_OUTCOME_PASSED, 10, 99));
    add(seen(2, TF_OUTCOME_BLOCKED, 1, 99));
    assert_order(look(), (const uint8_t[]){2}, 1);
    options.floor = TF_TLS13;
    assert_order(look(), (const uint8_t[]){2, 1}, 2);
    assert_int_equal(look()->clients[1].state, TF_STATE_PASSES);
    assert_int_equal(look()->states[TF_STATE_PASSES], 1);
}

static void only_who_was_seen_since_is_listed(void **state)
{
    (void)state;
    add(seen(1, TF_OUTCOME_BLOCKED, 1, 50));
    add(seen(2, TF_OUTCOME_BLOCKED, 1, 90));
    options.since_us = DAY(80);
    assert_order(look(), (const uint8_t[]){2}, 1);
    assert_int_equal(look()->day_count, 11); /* from day 90 to day 100 */
}

static const struct tf_report_day *on(const struct tf_report *report, int day)
{
    for (size_t i = 0; i < report->day_count; i++)
        if (report->days[i].day == 20000 + day)
            return &report->days[i];
    fail_msg("day %d is not there", day);
    return NULL;
}

static void who_is_known_and_not_listed_is_counted(void **state)
{
    (void)state;
    add(seen(1, TF_OUTCOME_BLOCKED, 1, 95));
    add(seen(2, TF_OUTCOME_PASSED, 1, 95));
    add(seen(3, TF_OUTCOME_PASSED, 1, 90));
    const struct tf_report *report = look();
    assert_int_equal(report->client_count, 1);
    assert_int_equal(report->healthy, 2);
    assert_int_equal(report->older, 0);
    options.since_us = DAY(94);
    report = look();
    assert_int_equal(report->healthy, 1);
    assert_int_equal(report->older, 1);
    options.floor = TF_TLS13;
    report = look();
    assert_int_equal(report->healthy, 0);
    assert_int_equal(report->older, 1);
}

static void assert_day(const struct tf_report *report, int day, uint64_t left, uint64_t fresh, uint64_t fixed)
{
    assert_int_equal(on(report, day)->left, left);
    assert_int_equal(on(report, day)->fresh, fresh);
    assert_int_equal(on(report, day)->fixed, fixed);
}

static void a_client_is_left_until_it_is_fixed_or_not_seen_for_30_days(void **state)
{
    (void)state;
    add(seen(1, TF_OUTCOME_BLOCKED, 1, 40));
    add(seen(2, TF_OUTCOME_BLOCKED, 1, 42));
    add(seen(2, TF_OUTCOME_BLOCKED, 1, 60));
    struct tf_sighting fixed = seen(2, TF_OUTCOME_PASSED, 1, 65);
    fixed.version = TF_TLS13;
    add(fixed);
    struct tf_sighting stray = seen(3, TF_OUTCOME_BLOCKED, 1, 41);
    stray.is_fallback = true;
    add(stray);
    const struct tf_report *report = look();
    assert_int_equal(report->day_count, 61);
    assert_day(report, 40, 1, 1, 0);
    assert_day(report, 41, 1, 0, 0);
    assert_day(report, 42, 2, 1, 0);
    assert_day(report, 64, 2, 0, 0);
    assert_day(report, 65, 1, 0, 1);
    assert_day(report, 70, 1, 0, 0);
    assert_day(report, 71, 0, 0, 0);
    assert_day(report, 100, 0, 0, 0);
}

static void the_burn_down_goes_400_days_back_at_most(void **state)
{
    (void)state;
    options.now_us = DAY(1000);
    add(seen(1, TF_OUTCOME_BLOCKED, 1, 1));
    add(seen(1, TF_OUTCOME_BLOCKED, 1, 999));
    const struct tf_report *report = look();
    assert_int_equal(report->day_count, 400);
    assert_int_equal(report->days[0].day, 20601);
    assert_int_equal(report->days[0].left, 1);
    assert_int_equal(report->days[0].fresh, 0);
    assert_int_equal(report->days[399].left, 1);
}

/* Whenever they were seen first and last, and whether they were fixed. */
static void those_left_are_as_many_as_on_the_last_day(void **state)
{
    static const int days[] = {-500, 1, 68, 69, 70, 71, 99, 100, 101, 500};
    (void)state;
    uint8_t last = 0;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        for (size_t k = i; k < sizeof days / sizeof *days; k++) {
            add(seen(++last, TF_OUTCOME_BLOCKED, 1, days[i]));
            add(seen(last, TF_OUTCOME_BLOCKED, 1, days[k]));
            struct tf_sighting fixed = seen(last, TF_OUTCOME_PASSED, 1, days[k] + 1);
            if (last % 3 == 0)
                add(fixed);
            const struct tf_report *report = look();
            assert_int_equal(tf_report_left(report), report->days[report->day_count - 1].left);
        }
    const struct tf_report *report = look();
    assert_true(tf_report_left(report) > 0 && report->states[TF_STATE_SILENT] > 0 &&
                report->states[TF_STATE_FIXED] > 0);
    options.floor = TF_TLS13;
    report = look();
    assert_int_equal(tf_report_left(report), report->days[report->day_count - 1].left);
}

/* A log from a machine whose clock is ahead. */
static void what_is_to_come_counts_as_of_today(void **state)
{
    (void)state;
    add(seen(1, TF_OUTCOME_BLOCKED, 1, 5000));
    options.since_us = DAY(4000);
    const struct tf_report *report = look();
    assert_int_equal(report->client_count, 1);
    assert_int_equal(report->day_count, 1);
    assert_int_equal(report->days[0].left, 1);
    assert_int_equal(report->days[0].fresh, 1);
}

static void a_report_of_nobody_has_a_day(void **state)
{
    (void)state;
    const struct tf_report *report = look();
    assert_int_equal(report->client_count, 0);
    assert_int_equal(report->stack_count, 0);
    assert_int_equal(report->area_count, 0);
    assert_int_equal(report->day_count, 1);
}

static void destinations_stacks_and_areas_have_the_most_on_top(void **state)
{
    (void)state;
    struct tf_sighting office = seen(1, TF_OUTCOME_BLOCKED, 7, 99), java = seen(2, TF_OUTCOME_BLOCKED, 1, 99);
    strcpy(office.host, "outlook.office365.com");
    office.is_m365 = true;
    office.area = TF_M365_EXCHANGE;
    java.family = TF_CLIENT_FAMILY_JAVA_6;
    add(seen(1, TF_OUTCOME_BLOCKED, 2, 99));
    add(office);
    add(java);
    java.source.ip[3] = 3;
    add(java);
    const struct tf_report *report = look();
    assert_string_equal(report->clients[0].destinations[0].host, "outlook.office365.com");
    assert_string_equal(report->clients[0].destinations[1].host, "mail.example.com");
    assert_int_equal(report->stack_count, 2);
    assert_int_equal(report->stacks[0].family, TF_CLIENT_FAMILY_JAVA_6);
    assert_int_equal(report->stacks[0].left, 2);
    assert_int_equal(report->area_count, 2);
    assert_true(report->areas[0].is_m365);
    assert_int_equal(report->areas[0].area, TF_M365_EXCHANGE);
    assert_int_equal(report->areas[0].counts[TF_OUTCOME_BLOCKED], 7);
    assert_false(report->areas[1].is_m365);
    assert_int_equal(report->areas[1].clients, 3);
}

static void exceptions_are_rules_with_an_end_an_owner_or_a_ticket(void **state)
{
    static const struct tf_rule rules[] = {
        {.name = "plain", .until_day = INT32_MAX, .owner = "", .ticket = ""},
        {.name = "owned", .until_day = INT32_MAX, .owner = "print team", .ticket = ""},
        {.name = "later", .until_day = 20130, .owner = "", .ticket = ""},
        {.name = "sooner", .until_day = 20110, .owner = "", .ticket = ""},
    };
    static const struct tf_conf conf = {.policy = {.rules = rules, .rule_count = 4}};
    (void)state;
    options.conf = &conf;
    const struct tf_report *report = look();
    int64_t days;
    assert_int_equal(report->exception_count, 3);
    assert_string_equal(report->exceptions[0]->name, "sooner");
    assert_string_equal(report->exceptions[1]->name, "later");
    assert_string_equal(report->exceptions[2]->name, "owned");
    assert_true(tf_report_days_left(report, report->exceptions[0], &days));
    assert_int_equal(days, 10);
    assert_false(tf_report_days_left(report, report->exceptions[2], &days));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_to_fix_first_is_on_top),
        TEST(what_happened_last_counts_not_what_happened_most),
        TEST(those_left_are_as_many_as_on_the_last_day),
        TEST(a_floor_of_1_3_asks_for_those_with_1_2_too),
        TEST(only_who_was_seen_since_is_listed),
        TEST(who_is_known_and_not_listed_is_counted),
        TEST(a_client_is_left_until_it_is_fixed_or_not_seen_for_30_days),
        TEST(the_burn_down_goes_400_days_back_at_most),
        TEST(what_is_to_come_counts_as_of_today),
        TEST(a_report_of_nobody_has_a_day),
        TEST(destinations_stacks_and_areas_have_the_most_on_top),
        TEST(exceptions_are_rules_with_an_end_an_owner_or_a_ticket),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
