/* Tests for lib/client_signature.c: patterns, and what hellos are recognised by. Whole hellos of real clients
 * are checked by tests/inspect_corpus.py. */
#include "../../lib/client_signature.h"

#include "../../lib/sighting.h"
#include "client_maker.h"
#include <string.h>

#define WIN7 "2f 35 5 a c013 c014 c009 c00a 32 38 13 4"

static bool fits(const char *pattern, const char *values)
{
    uint32_t v[16];
    size_t n = 0;
    char *end;
    for (unsigned long x = strtoul(values, &end, 16); end != values; x = strtoul(values, &end, 16)) {
        v[n++] = (uint32_t)x;
        values = end;
    }
    return tf_client_pattern_fits(pattern, v, n);
}

static struct tf_client_clue found;

static void assert_family(struct tf_hello hello, enum tf_client_family family,
                          enum tf_client_certainty certainty)
{
    found = tf_client_signature_find(&hello);
    assert_int_equal(found.family, family);
    assert_int_equal(found.certainty, certainty);
}

static void a_pattern_is_a_list_in_its_order(void **state)
{
    (void)state;
    assert_true(fits("", ""));
    assert_false(fits("", "5"));
    assert_true(fits("5 c014", "5 c014"));
    assert_false(fits("5 c014", "c014 5"));
    assert_false(fits("5 c014", "5"));
    assert_false(fits("5 c014", "5 c014 a"));
}

static void an_optional_value_may_be_missing(void **state)
{
    (void)state;
    assert_true(fits("?5 a ?4", "a"));
    assert_true(fits("?5 a ?4", "5 a 4"));
    assert_false(fits("?5 a ?4", "a 5"));
    assert_false(fits("?5 a ?4", "5 4"));
    assert_true(fits("?5", ""));
}

static void a_star_is_any_number_of_values(void **state)
{
    (void)state;
    assert_true(fits("*", ""));
    assert_true(fits("*", "1 2 3"));
    assert_true(fits("* 3", "3"));
    assert_true(fits("* 3", "1 3 2 3"));
    assert_false(fits("* 3", "3 1"));
    assert_true(fits("1 * 2 3 *", "1 2 2 3 3"));
    assert_false(fits("1 * 2 3 *", "1 2 4 3"));
    assert_true(fits("1 * 4 ?5 6", "1 4 5 7 4 6"));
}

static void three_bytes_of_SSLv2_format_are_one_value(void **state)
{
    (void)state;
    assert_family(
        sslv2_hello_of("4 10080 5 2f 33 32 a 700c0 16 13 9 60040 15 12 3 20080 8 14 11 ff", TF_TLS10),
        TF_CLIENT_FAMILY_JAVA_6, TF_CLIENT_LIKELY);
    assert_family(sslv2_hello_of("700c0 50080 30080 10080 60040 40080 20080", TF_SSL2),
                  TF_CLIENT_FAMILY_OPENSSL_SSL2, TF_CLIENT_LIKELY);
}

static void Vista_and_Windows_7_differ_in_the_order_of_their_suites(void **state)
{
    (void)state;
    assert_family(hello_of("2f 35 5 a c009 c00a c013 c014 32 38 13 4", "0 5 a b ff01", "17 18 19"),
                  TF_CLIENT_FAMILY_IE_VISTA, TF_CLIENT_LIKELY);
    assert_family(hello_of(WIN7, "ff01 0 5 a b", "17 18"), TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_LIKELY);
}

static void programs_on_Windows_do_not_ask_for_OCSP_responses(void **state)
{
    (void)state;
    assert_family(hello_of(WIN7, "ff01 0 a b", "17 18"), TF_CLIENT_FAMILY_SCHANNEL_WIN7, TF_CLIENT_LIKELY);
    assert_family(hello_of(WIN7, "ff01 0 a b 23", "17 18"), TF_CLIENT_FAMILY_SCHANNEL_WIN8, TF_CLIENT_LIKELY);
}

static void a_client_that_was_given_an_address_is_recognised_too(void **state)
{
    (void)state;
    assert_family(hello_of(WIN7, "ff01 5 a b", "17 18"), TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_LIKELY);
}

static void suites_turned_off_by_policy_leave_a_guess(void **state)
{
    (void)state;
    assert_family(hello_of("2f 35 a c013 c014 c009 c00a", "ff01 0 5 a b", "17 18"), TF_CLIENT_FAMILY_IE_WIN7,
                  TF_CLIENT_POSSIBLE);
    assert_family(hello_of("c013 35 2f a", "0 a b 23 17 ff01", "1d 17 18"),
                  TF_CLIENT_FAMILY_DOTNET_SCHANNEL_TLS10, TF_CLIENT_POSSIBLE);
}

static void GREASE_is_not_looked_at(void **state)
{
    (void)state;
    assert_family(hello_of("2a2a " WIN7, "1a1a ff01 0 5 a b 3a3a", "4a4a 17 18"), TF_CLIENT_FAMILY_IE_WIN7,
                  TF_CLIENT_LIKELY);
}

static void what_a_stack_of_today_sends_gives_it_away_in_an_old_hello(void **state)
{
    (void)state;
    static const char *const modern[] = {"0 b a 16", "0 17", "0 d", "0 1c", "0 2b", "0 33"};
    for (size_t i = 0; i < sizeof modern / sizeof *modern; i++)
        assert_family(hello_of("c014 35 ff", modern[i], ""), TF_CLIENT_FAMILY_CONFIGURED_DOWN,
                      TF_CLIENT_POSSIBLE);
    assert_family(hello_of("c014 35", "0 a b", "1d 17"), TF_CLIENT_FAMILY_CONFIGURED_DOWN,
                  TF_CLIENT_POSSIBLE);
    assert_family(hello_of("c014 35 ff", "0 b a", "e d 19"), TF_CLIENT_FAMILY_OPENSSL_10X,
                  TF_CLIENT_POSSIBLE);
}

static void the_mark_of_a_second_try_makes_a_fallback(void **state)
{
    (void)state;
    assert_family(hello_of("c00a c014 c009 c013 35 2f a 5600", "ff01 0 17 23 5 12 10 b a", "1d 17 18"),
                  TF_CLIENT_FAMILY_BROWSER_FALLBACK, TF_CLIENT_POSSIBLE);
    assert_family(hello_of("c00a c014 39 c009 c013 33 35 2f ff 5600", "0 b a 23 16 17", "1d 17 1e 19 18"),
                  TF_CLIENT_FAMILY_OPENSSL_CONFIGURED_DOWN, TF_CLIENT_LIKELY);
}

static void an_SSLv2_hello_for_TLS_12_is_the_trouble_itself(void **state)
{
    (void)state;
    assert_family(sslv2_hello_of("39 38 35 16 13 a 700c0 33 32 2f ff", TF_TLS12),
                  TF_CLIENT_FAMILY_SSLV2_HELLO_TLS12, TF_CLIENT_LIKELY);
    assert_family(sslv2_hello_of("39 38 35 16 13 a 700c0 33 32 2f ff", TF_TLS10),
                  TF_CLIENT_FAMILY_OPENSSL_098, TF_CLIENT_POSSIBLE);
    assert_family(sslv2_hello_of("c02c c00a 700c0 c014 2f", TF_TLS12), TF_CLIENT_FAMILY_CONFIGURED_DOWN,
                  TF_CLIENT_POSSIBLE);
}

static void nothing_is_said_of_a_hello_that_nobody_knows(void **state)
{
    (void)state;
    assert_family(hello_of("1 2 3", "0 a b", "17"), TF_CLIENT_FAMILY_UNKNOWN, TF_CLIENT_NOT_KNOWN);
}

/* So many times the same value; `words` has room for 200. */
static const char *repeated(char *words, const char *word, size_t n)
{
    words[0] = '\0';
    for (size_t i = 0; i < n; i++)
        strcat(words, word);
    return words;
}

static void lists_too_long_for_any_client_are_not_matched(void **state)
{
    (void)state;
    char words[200 * 5 + 1];
    assert_family(hello_of(repeated(words, "ff ", 128), "f", ""), TF_CLIENT_FAMILY_OPENSSL_10X,
                  TF_CLIENT_POSSIBLE);
    assert_family(hello_of(repeated(words, "ff ", 129), "f", ""), TF_CLIENT_FAMILY_UNKNOWN,
                  TF_CLIENT_NOT_KNOWN);
    assert_family(hello_of("ff", repeated(words, "f ", 129), ""), TF_CLIENT_FAMILY_UNKNOWN,
                  TF_CLIENT_NOT_KNOWN);
    assert_family(hello_of("ff", "f", repeated(words, "f ", 129)), TF_CLIENT_FAMILY_UNKNOWN,
                  TF_CLIENT_NOT_KNOWN);
    assert_family(hello_of("ff", "f", repeated(words, "1a1a ", 100)), TF_CLIENT_FAMILY_OPENSSL_10X,
                  TF_CLIENT_POSSIBLE);
}

static void every_name_is_worded_as_a_guess_that_can_be_made_a_statement(void **state)
{
    (void)state;
    assert_family(hello_of("c00a c014 39 6b 35 3d", "0", ""), TF_CLIENT_FAMILY_CHROME_LE_29,
                  TF_CLIENT_POSSIBLE);
    assert_string_equal(found.perhaps, "perhaps Chrome 29");
}

/* The table itself: a typing error in it must not wait until its row is met. */
static void every_pattern_is_words_of_hexadecimal_digits(void **state)
{
    (void)state;
    static const char *const patterns[] = {
#define SIGNATURE(family, certainty, suites, extensions, groups, name, source) suites, extensions, groups,
#include "../../lib/client_signatures.def"
#undef SIGNATURE
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const char *p = patterns[i];
        while (*p != '\0') {
            size_t mark = *p == '?';
            size_t n = *p == '*' ? 1 : strspn(p + mark, "0123456789abcdef");
            assert_in_range(n, 1, 5);
            p += mark + n;
            assert_true(*p == '\0' || (*p == ' ' && p[1] != '\0'));
            p += *p == ' ';
        }
    }
}

static void every_row_has_a_name_and_a_source(void **state)
{
    (void)state;
    static const struct {
        const char *name, *source;
    } rows[] = {
#define SIGNATURE(family, certainty, suites, extensions, groups, name, source) {name, source},
#include "../../lib/client_signatures.def"
#undef SIGNATURE
    };
    static const char *const sources[] = {"ssllabs", "p0f",      "joy",   "ja3prints",
                                          "capture", "loopback", "vendor"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(rows[i].name[0] != '\0');
        bool is_sourced = false;
        for (size_t k = 0; k < sizeof sources / sizeof *sources; k++)
            is_sourced |= strstr(rows[i].source, sources[k]) != NULL;
        assert_true(is_sourced);
    }
}

/* What a report has of it: a name that is cut says something else. */
static void every_name_fits_into_a_sighting_as_a_guess(void **state)
{
    (void)state;
    static const char *const names[] = {
#define SIGNATURE(family, certainty, suites, extensions, groups, name, source) TF_CLIENT_PERHAPS name,
#include "../../lib/client_signatures.def"
#undef SIGNATURE
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) >= TF_SIGHTING_NAME_MAX)
            fail_msg("'%s' has more than %d characters", names[i], TF_SIGHTING_NAME_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_a_list_in_its_order),
        cmocka_unit_test(an_optional_value_may_be_missing),
        cmocka_unit_test(a_star_is_any_number_of_values),
        cmocka_unit_test(three_bytes_of_SSLv2_format_are_one_value),
        cmocka_unit_test(Vista_and_Windows_7_differ_in_the_order_of_their_suites),
        cmocka_unit_test(programs_on_Windows_do_not_ask_for_OCSP_responses),
        cmocka_unit_test(a_client_that_was_given_an_address_is_recognised_too),
        cmocka_unit_test(suites_turned_off_by_policy_leave_a_guess),
        cmocka_unit_test(GREASE_is_not_looked_at),
        cmocka_unit_test(what_a_stack_of_today_sends_gives_it_away_in_an_old_hello),
        cmocka_unit_test(the_mark_of_a_second_try_makes_a_fallback),
        cmocka_unit_test(an_SSLv2_hello_for_TLS_12_is_the_trouble_itself),
        cmocka_unit_test(nothing_is_said_of_a_hello_that_nobody_knows),
        cmocka_unit_test(lists_too_long_for_any_client_are_not_matched),
        cmocka_unit_test(every_name_is_worded_as_a_guess_that_can_be_made_a_statement),
        cmocka_unit_test(every_pattern_is_words_of_hexadecimal_digits),
        cmocka_unit_test(every_row_has_a_name_and_a_source),
        cmocka_unit_test(every_name_fits_into_a_sighting_as_a_guess),
    };
    return cmocka_run_group_tests_name("client_signature", tests, NULL, NULL);
}
