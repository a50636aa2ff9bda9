/* sighting_row.c: rows of w3c by their #Fields, and rows that are none. That a row of our own says the same
 * as its session is in test_sighting.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/sighting.h"
#include <string.h>

static struct tf_columns columns;
static struct tf_sighting sighting;

static int begin(void **state)
{
    (void)state;
    columns = (struct tf_columns){0};
    return 0;
}

static enum tf_line take(const char *line)
{
    memset(&sighting, 0xa5, sizeof sighting);
    return tf_sighting_of_row(&sighting, &columns, line, strlen(line));
}

static void assert_is(enum tf_line expected, const char *line)
{
    if (take(line) != expected)
        fail_msg("%s", line);
}

#define FIELDS "#Fields: date time c-ip cs-host r-ip cs(User-Agent) x-action x-versions-offered"

/* A row of these with another host and User-Agent. */
#define ROW(host, agent)                                                                                     \
    "2026-11-21 23:06:59 192.0.2.1 " host " 198.51.100.9 " agent " tls-version-blocked 1.0"

static void without_fields_no_row_says_anything(void **state)
{
    (void)state;
    assert_is(TF_LINE_BAD, ROW("mail.example.com", "-"));
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_SIGHTING, ROW("mail.example.com", "-"));
    assert_int_equal(sighting.first_us, 1795302419000000);
    assert_int_equal(sighting.version, TF_TLS10);
    assert_string_equal(sighting.host, "mail.example.com");
    assert_string_equal(sighting.user_agent, "");
}

static void the_last_fields_hold_in_any_order_and_case(void **state)
{
    (void)state;
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_OTHER, "#fields:  X-Action unheard-of X-VERSIONS-OFFERED  time c-ip date \r");
    assert_is(TF_LINE_SIGHTING, "tls-version-blocked x 1.0 23:06:59 192.0.2.7 2026-11-21\r");
    assert_int_equal(sighting.source.ip[3], 7);
    assert_is(TF_LINE_BAD, ROW("mail.example.com", "-"));
}

static void other_directives_change_nothing(void **state)
{
    (void)state;
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_OTHER, "#Software: tlsfloor");
    assert_is(TF_LINE_OTHER, "#Date: 2026-11-21 23:06:59");
    assert_is(TF_LINE_OTHER, "#");
    assert_is(TF_LINE_SIGHTING, ROW("mail.example.com", "-"));
}

static void escapes_are_taken_back_and_what_is_not_printable_is_not_printed(void **state)
{
    (void)state;
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_SIGHTING, ROW("mail.example.com", "a+b%2bc%22d%25e%0a#%1b[2J%c3%A9"));
    assert_string_equal(sighting.user_agent, "a b+c\"d%e?#?[2J?");
    assert_is(TF_LINE_SIGHTING, ROW("mail.example.com", "%2g%g2%zz%\x80%4"));
    assert_string_equal(sighting.user_agent, "????4");
    assert_is(TF_LINE_SIGHTING, ROW("mail.example.com", "%"));
    assert_string_equal(sighting.user_agent, "?");
}

static void an_address_that_was_asked_for_is_told_as_the_one_that_was_dialled(void **state)
{
    (void)state;
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_SIGHTING, ROW("198.51.100.7", "-"));
    assert_string_equal(sighting.host, "198.51.100.9");
    assert_is(TF_LINE_SIGHTING, ROW("-", "-"));
    assert_string_equal(sighting.host, "198.51.100.9");
}

static void the_best_of_the_versions_counts(void **state)
{
    (void)state;
    assert_is(TF_LINE_OTHER, "#Fields: date time c-ip x-action x-code x-versions-offered");
    assert_is(TF_LINE_SIGHTING,
              "2026-11-21 23:06:59 ::1 tls-version-blocked client-below-floor ssl3,1.1,1.0");
    assert_int_equal(sighting.version, TF_TLS11);
    assert_is(TF_LINE_OTHER, "2026-11-21 23:06:59 ::1 upstream-verify-failed upstream-verify-failed 1.2,1.3");
    assert_int_equal(sighting.version, TF_TLS13);
    assert_is(TF_LINE_SIGHTING, "2026-11-21 23:06:59 ::1 not-tls client-not-tls -");
    assert_int_equal(sighting.version, 0);
    assert_is(TF_LINE_OTHER, "2026-11-21 23:06:59 ::1 tls-version-blocked client-below-floor ,,9.9,7f1c");
}

static void rows_of_others_are_bad(void **state)
{
    (void)state;
    assert_is(TF_LINE_OTHER, "#Fields: date time s-ip cs-method cs-uri-stem sc-status");
    assert_is(TF_LINE_BAD, "2026-11-21 23:06:59 192.0.2.1 GET /index.html 200");
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_BAD, "2026-13-21 23:06:59 192.0.2.1 a.example - - tls-version-blocked 1.0");
    assert_is(TF_LINE_BAD, "2026-11-21 2306:59 192.0.2.1 a.example - - tls-version-blocked 1.0");
    assert_is(TF_LINE_BAD, "2026-11-21 - 192.0.2.1 a.example - - tls-version-blocked 1.0");
    assert_is(TF_LINE_BAD,
              "2026-11-21 23:06:59.123456789012 192.0.2.1 a.example - - tls-version-blocked 1.0");
    assert_is(TF_LINE_BAD, "2026-11-21 23:06:59 printer a.example - - tls-version-blocked 1.0");
    assert_is(TF_LINE_BAD, "2026-11-21 23:06:59 192.0.2.1 a.example - - user-login 1.0");
    assert_is(TF_LINE_BAD, "2026-11-21 23:06:59 192.0.2.1 a.example - - - 1.0");
    assert_is(TF_LINE_BAD, "");
    assert_is(TF_LINE_BAD, "junk");
}

static void a_row_has_as_many_values_as_there_are_fields(void **state)
{
    static const char row[] = ROW("mail.example.com", "-");
    (void)state;
    assert_is(TF_LINE_OTHER, FIELDS);
    assert_is(TF_LINE_BAD, ROW("mail.example.com", "-") " -");
    assert_is(TF_LINE_SIGHTING, ROW("mail.example.com", "-") " ");
    for (size_t n = 0; n < strlen(row) - strlen("1.0"); n++)
        assert_int_equal(tf_sighting_of_row(&sighting, &columns, row, n), TF_LINE_BAD);
}

static void more_fields_than_there_is_room_for_are_none(void **state)
{
    char names[4096] = FIELDS, row[4096] = ROW("mail.example.com", "-");
    size_t n = 8;
    (void)state;
    for (; n < TF_COLUMNS_MAX; n++) {
        strcat(names, " x");
        strcat(row, " -");
    }
    assert_is(TF_LINE_OTHER, names);
    assert_is(TF_LINE_SIGHTING, row);
    assert_is(TF_LINE_OTHER, strcat(names, " x"));
    assert_is(TF_LINE_BAD, row);
    assert_is(TF_LINE_BAD, strcat(row, " -"));
    assert_is(TF_LINE_BAD, "");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_fields_no_row_says_anything),
        TEST(the_last_fields_hold_in_any_order_and_case),
        TEST(other_directives_change_nothing),
        TEST(escapes_are_taken_back_and_what_is_not_printable_is_not_printed),
        TEST(an_address_that_was_asked_for_is_told_as_the_one_that_was_dialled),
        TEST(the_best_of_the_versions_counts),
        TEST(rows_of_others_are_bad),
        TEST(a_row_has_as_many_values_as_there_are_fields),
        TEST(more_fields_than_there_is_room_for_are_none),
    };
    return cmocka_run_group_tests_name("sighting_row", tests, NULL, NULL);
}
