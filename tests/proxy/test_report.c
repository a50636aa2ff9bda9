/* report_view.c, report_read.c: who stands in a report, in which order, and what is made of files. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/report_read.h"
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

/* --- Files. --- */

static char path[2][32];

/* Makes file i of these bytes. */
static void make_file(int i, const char *text, size_t n)
{
    strcpy(path[i], "/tmp/tlsfloor-report-XXXXXX");
    int fd = mkstemp(path[i]);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static struct tf_report_input read_files(int n)
{
    struct report_file files[2];
    struct tf_report_input input = {0};
    for (int i = 0; i < n; i++) {
        report_file_open(&files[i], path[i]);
        assert_int_equal(files[i].kind, REPORT_LOG);
    }
    qsort(files, (size_t)n, sizeof *files, report_file_order);
    assert_true(report_read(roster, &input, files, (size_t)n));
    for (int i = 0; i < n; i++) {
        report_file_close(&files[i]);
        unlink(path[i]);
    }
    return input;
}

static struct tf_report_input read_text(const char *text)
{
    make_file(0, text, strlen(text));
    return read_files(1);
}

#define BLOCKED(hour)                                                                                        \
    "{\"@timestamp\":\"2026-11-21T" hour ":00:00.000Z\",\"event.action\":\"tls-version-blocked\","           \
    "\"event.code\":\"client-below-floor\",\"source.ip\":\"192.0.2.1\",\"tlsfloor.max_version\":\"1.0\"}\n"
#define PASSED(hour)                                                                                         \
    "{\"@timestamp\":\"2026-11-21T" hour ":00:00.000Z\",\"event.action\":\"connection-end\","                \
    "\"source.ip\":\"192.0.2.1\",\"tlsfloor.max_version\":\"1.3\",\"tlsfloor.verdict\":\"tunnel\","          \
    "\"tls.cipher\":\"TLS_AES_128_GCM_SHA256\"}\n"

static void lines_are_counted_and_the_first_that_is_none_is_named(void **state)
{
    (void)state;
    struct tf_report_input input =
        read_text(BLOCKED("08") "\n" BLOCKED("09") "junk\n\x01\x02\n" BLOCKED("10"));
    assert_int_equal(input.files, 1);
    assert_int_equal(input.lines, 6);
    assert_int_equal(input.sightings, 3);
    assert_int_equal(input.bad, 2);
    assert_true(strlen(input.first_bad) > 2 &&
                strcmp(input.first_bad + strlen(input.first_bad) - 2, ":4") == 0);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_BLOCKED], 3);
}

static void a_last_line_without_its_newline_counts_if_it_is_whole(void **state)
{
    char text[] = BLOCKED("08") BLOCKED("09");
    (void)state;
    text[sizeof text - 2] = '\0';
    assert_int_equal(read_text(text).sightings, 2);
    text[sizeof text - 9] = '\0';
    struct tf_report_input input = read_text(text);
    assert_int_equal(input.sightings, 1);
    assert_int_equal(input.bad, 1);
}

static void a_line_of_any_length_is_one_line(void **state)
{
    enum { LONG = 5 << 20 };
    char *text = malloc(LONG + 2 * sizeof BLOCKED("08"));
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONG);
    strcpy(text + LONG, "\n" BLOCKED("08"));
    struct tf_report_input input = read_text(text);
    assert_int_equal(input.lines, 2);
    assert_int_equal(input.bad, 1);
    assert_int_equal(input.sightings, 1);
    free(text);
}

static void lines_go_over_the_ends_of_chunks(void **state)
{
    enum { MANY = 20000 };
    static const char record[] = BLOCKED("08");
    char *text = malloc(MANY * (sizeof record - 1) + 1);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < MANY; i++)
        memcpy(text + i * (sizeof record - 1), record, sizeof record);
    assert_int_equal(read_text(text).sightings, MANY);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_BLOCKED], MANY);
    free(text);
}

static void the_access_log_is_read_last_wherever_it_is_named(void **state)
{
    static const char blocked[] = BLOCKED("08"), passed[] = PASSED("09");
    (void)state;
    make_file(0, passed, strlen(passed));
    make_file(1, blocked, strlen(blocked));
    assert_int_equal(read_files(2).sightings, 2);
    assert_int_equal(roster_count(roster), 1);
    assert_true(roster_at(roster, 0)->fixed_us > roster_at(roster, 0)->below_us);
}

#define W3C(fields) "#Software: tlsfloor\n#Version: 1.0\n#Fields: " fields "\n"
#define W3C_LONG    W3C("date time c-ip cs-host s-port x-action x-code x-versions-offered")
#define W3C_SHORT   W3C("x-action x-versions-offered c-ip time date x-unheard-of")

static void rows_of_w3c_are_read_by_the_last_fields_and_among_lines_of_ecs(void **state)
{
    (void)state;
    struct tf_report_input input = read_text(
        W3C_LONG "2026-11-21 07:00:00 192.0.2.1 mail.example.com 443 tls-version-blocked client-below-floor "
                 "1.0\n" W3C_SHORT "tls-upgraded ssl3,1.0 192.0.2.1 09:00:00 2026-11-21 -\n"
                 "2026-11-21 07:00:00 192.0.2.1 mail.example.com 443 tls-version-blocked client-below-floor "
                 "1.0\n" BLOCKED("08"));
    assert_int_equal(input.lines, 10);
    assert_int_equal(input.sightings, 3);
    assert_int_equal(input.bad, 1);
    assert_int_equal(roster_count(roster), 1);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_BLOCKED], 2);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_UPGRADED], 1);
    assert_int_equal(roster_at(roster, 0)->outcome, TF_OUTCOME_UPGRADED);
}

static void fields_hold_for_their_file_alone(void **state)
{
    static const char row[] = "tls-upgraded 1.0 192.0.2.1 10:00:00 2026-11-21 -\n", head[] = W3C_SHORT;
    (void)state;
    make_file(0, head, strlen(head));
    make_file(1, row, strlen(row));
    struct tf_report_input input = read_files(2);
    assert_int_equal(input.sightings, 0);
    assert_int_equal(input.bad, 1);
}

static void a_file_of_w3c_is_a_block_log_and_has_a_time(void **state)
{
    static const char rows[] = W3C_SHORT "tls-upgraded 1.0 192.0.2.1 07:00:00 2026-11-21 -\n",
                      passed[] = PASSED("06"), later[] = BLOCKED("08");
    struct report_file w3c, access, block;
    (void)state;
    make_file(0, rows, strlen(rows));
    report_file_open(&w3c, path[0]);
    make_file(1, passed, strlen(passed));
    report_file_open(&access, path[1]);
    unlink(path[1]);
    make_file(1, later, strlen(later));
    report_file_open(&block, path[1]);
    unlink(path[0]);
    unlink(path[1]);
    assert_true(report_file_order(&w3c, &access) < 0);
    assert_true(report_file_order(&w3c, &block) < 0);
    assert_true(report_file_order(&block, &access) < 0);
    report_file_close(&w3c);
    report_file_close(&access);
    report_file_close(&block);
}

static void what_a_file_is_is_told_by_its_beginning(void **state)
{
    static const char sqlite[] = "SQLite format 3\0and so on", gzip[] = "\x1f\x8b\x08 and so on";
    struct report_file file;
    (void)state;
    make_file(0, sqlite, sizeof sqlite);
    make_file(1, gzip, sizeof gzip);
    report_file_open(&file, path[0]);
    assert_int_equal(file.kind, REPORT_INVENTORY);
    report_file_close(&file);
    report_file_open(&file, path[1]);
    assert_int_equal(file.kind, REPORT_UNREADABLE);
    report_file_close(&file);
    unlink(path[0]);
    unlink(path[1]);
    report_file_open(&file, path[0]);
    assert_int_equal(file.kind, REPORT_UNREADABLE);
    report_file_close(&file);
    report_file_open(&file, "/tmp");
    assert_int_equal(file.kind, REPORT_UNREADABLE);
    report_file_close(&file);
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
        TEST(a_client_is_left_until_it_is_fixed_or_not_seen_for_30_days),
        TEST(the_burn_down_goes_400_days_back_at_most),
        TEST(what_is_to_come_counts_as_of_today),
        TEST(a_report_of_nobody_has_a_day),
        TEST(destinations_stacks_and_areas_have_the_most_on_top),
        TEST(exceptions_are_rules_with_an_end_an_owner_or_a_ticket),
        TEST(lines_are_counted_and_the_first_that_is_none_is_named),
        TEST(a_last_line_without_its_newline_counts_if_it_is_whole),
        TEST(a_line_of_any_length_is_one_line),
        TEST(lines_go_over_the_ends_of_chunks),
        TEST(the_access_log_is_read_last_wherever_it_is_named),
        TEST(rows_of_w3c_are_read_by_the_last_fields_and_among_lines_of_ecs),
        TEST(fields_hold_for_their_file_alone),
        TEST(a_file_of_w3c_is_a_block_log_and_has_a_time),
        TEST(what_a_file_is_is_told_by_its_beginning),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
