/* calendar.c, against the C library's own calendar. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/calendar.h"
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, LAST_DAY = 2932896 /* 9999-12-31 */, FIRST_DAY = -719528 /* 0000-01-01 */ };

static void every_day_of_ten_thousand_years_agrees_with_gmtime(void **state)
{
    (void)state;
    for (int32_t day = FIRST_DAY; day <= LAST_DAY; day++) {
        int year, month, of_month;
        int32_t back;
        time_t t = (time_t)day * DAY_S;
        struct tm tm;
        gmtime_r(&t, &tm);
        tf_civil_from_days(day, &year, &month, &of_month);
        if (year != tm.tm_year + 1900 || month != tm.tm_mon + 1 || of_month != tm.tm_mday ||
            !tf_days_from_civil(year, month, of_month, &back) || back != day)
            fail_msg("day %d became %d-%d-%d", day, year, month, of_month);
    }
}

static void days_beyond_that_are_no_undefined_behaviour(void **state)
{
    (void)state;
    int year, month, day;
    tf_civil_from_days(INT32_MAX, &year, &month, &day);
    assert_int_equal(year, 5881580);
    tf_civil_from_days(INT32_MIN, &year, &month, &day);
    assert_int_equal(year, -5877641);
}

static void dates_that_do_not_exist_are_refused(void **state)
{
    static const int none[][3] = {{2026, 0, 1},  {2026, 13, 1},  {2026, 1, 0},  {2026, 1, 32},
                                  {2026, 2, 29}, {1900, 2, 29},  {2024, 2, 30}, {2026, 4, 31},
                                  {2024, 4, 31}, {2026, 12, 32}, {-1, 1, 1},    {10000, 1, 1}};
    (void)state;
    int32_t days;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(tf_days_from_civil(none[i][0], none[i][1], none[i][2], &days));
    assert_true(tf_days_from_civil(2024, 2, 29, &days));
    assert_true(tf_days_from_civil(2000, 2, 29, &days));
}

static void assert_time(int64_t unix_us, const char *expected)
{
    char text[32];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_time(&w, unix_us);
    assert_int_equal(w.len, strlen(expected));
    assert_memory_equal(text, expected, w.len);
}

static void times_are_rfc_3339_with_milliseconds(void **state)
{
    (void)state;
    assert_time(0, "1970-01-01T00:00:00.000Z");
    assert_time(999, "1970-01-01T00:00:00.000Z");
    assert_time(1000, "1970-01-01T00:00:00.001Z");
    assert_time(1795302419123999, "2026-11-21T23:06:59.123Z");
    assert_time(1709251199999999, "2024-02-29T23:59:59.999Z");
    assert_time(253402300799999999, "9999-12-31T23:59:59.999Z");
}

static void the_day_stands_alone_as_well(void **state)
{
    char text[32];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    (void)state;
    tf_put_day(&w, 1795305600 + 86399);
    tf_put_day(&w, -1);
    assert_int_equal(w.len, 20);
    assert_memory_equal(text, "2026-11-221970-01-01", 20);
}

static void a_clock_before_1970_is_taken_to_stand_at_1970(void **state)
{
    (void)state;
    assert_time(-1, "1970-01-01T00:00:00.000Z");
    assert_time(INT64_MIN, "1970-01-01T00:00:00.000Z");
}

static void assert_parsed(const char *text, int64_t expected)
{
    int64_t us = -1;
    if (!tf_time_parse(tf_text_of(text), &us) || us != expected)
        fail_msg("%s is %lld", text, (long long)us);
}

static void times_are_read_as_they_are_written(void **state)
{
    (void)state;
    assert_parsed("2026-11-21T23:06:59.123Z", 1795302419123000);
    assert_parsed("2026-11-21T23:06:59Z", 1795302419000000);
    assert_parsed("2026-11-21T23:06:59.1234567Z", 1795302419123456);
    assert_parsed("2026-11-22T00:06:59.5+01:00", 1795302419500000);
    assert_parsed("2026-11-21T17:36:59-05:30", 1795302419000000);
    assert_parsed("2026-11-22", 1795305600000000);
    assert_parsed("1969-12-31T23:59:59.5Z", -500000);
    assert_parsed("2016-12-31T23:59:60Z", 1483228800000000);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11",
        "2026-02-29",
        "2026-11-21T",
        "2026-11-21T23:06",
        "2026-11-21T23:06:59",
        "2026-11-21T24:06:59Z",
        "2026-11-21T23:60:59Z",
        "2026-11-21T23:06:61Z",
        "2026-11-21T23:06:59.Z",
        "2026-11-21T23:06:59Zx",
        "2026-11-21T23:06:59+1:00",
        "2026-11-21T23:06:59+24:00",
        "2026-11-21T23:06:59+01:60",
        "2026-11-21 23:06:59Z",
        "+026-11-21",
        "2026-11-21x",
    };
    int64_t us;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (tf_time_parse(tf_text_of(texts[i]), &us))
            fail_msg("%s", texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years_agrees_with_gmtime),
        cmocka_unit_test(days_beyond_that_are_no_undefined_behaviour),
        cmocka_unit_test(dates_that_do_not_exist_are_refused),
        cmocka_unit_test(times_are_rfc_3339_with_milliseconds),
        cmocka_unit_test(the_day_stands_alone_as_well),
        cmocka_unit_test(a_clock_before_1970_is_taken_to_stand_at_1970),
        cmocka_unit_test(times_are_read_as_they_are_written),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
