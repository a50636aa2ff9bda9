/* text.c: the little that parsers do with text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/text.h"
#include <string.h>

static void blanks_are_trimmed_at_both_ends(void **state)
{
    (void)state;
    assert_true(tf_text_is(tf_text_trim(tf_text_of(" \t a b\r\n ")), "a b"));
    assert_true(tf_text_is(tf_text_trim(tf_text_of(" \t ")), ""));
    assert_true(tf_text_is(tf_text_trim(tf_text_of("")), ""));
}

static void words_are_compared_in_any_case(void **state)
{
    (void)state;
    assert_true(tf_text_same(tf_text_of("Host"), tf_text_of("hOST")));
    assert_true(tf_text_same((struct tf_text){NULL, 0}, tf_text_of("")));
    assert_false(tf_text_same(tf_text_of("host"), tf_text_of("hosts")));
    assert_true(tf_text_is_word(tf_text_of("StartTls"), "STARTTLS"));
    assert_false(tf_text_is_word(tf_text_of("STARTTLSX"), "STARTTLS"));
    assert_false(tf_text_is_word(tf_text_of("START"), "STARTTLS"));
    assert_false(tf_text_is_word(tf_text_of("@"), "`")); /* what differs by 0x20 but is no letter */
    assert_true(tf_text_begins(tf_text_of("auth=PLAIN"), "AUTH="));
    assert_false(tf_text_begins(tf_text_of("aut"), "AUTH="));
    assert_true(tf_text_ends(tf_text_of("mail.Example"), ".example"));
    assert_true(tf_text_ends(tf_text_of("x"), ""));
    assert_false(tf_text_ends(tf_text_of("ample"), "example"));
    assert_false(tf_text_ends(tf_text_of("example.org"), "example"));
}

static void a_list_is_taken_apart_with_its_empty_items(void **state)
{
    static const char *const expected[] = {"a", "", "b", ""};
    struct tf_text rest = tf_text_of("a,,b,");
    size_t n = 0;
    (void)state;
    while (rest.p) {
        struct tf_text item = tf_text_take(&rest, ',');
        assert_true(n < 4 && tf_text_is(item, expected[n]));
        n++;
    }
    assert_int_equal(n, 4);
}

static void numbers_are_digits_up_to_a_maximum(void **state)
{
    uint64_t v;
    (void)state;
    assert_true(tf_text_number(tf_text_of("65535"), 65535, &v) && v == 65535);
    assert_false(tf_text_number(tf_text_of("65536"), 65535, &v));
    assert_true(tf_text_number(tf_text_of("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
    assert_false(tf_text_number(tf_text_of("18446744073709551616"), UINT64_MAX, &v));
    assert_true(tf_text_number(tf_text_of("000"), 5, &v) && v == 0);
    assert_false(tf_text_number(tf_text_of("6"), 5, &v));
    assert_false(tf_text_number(tf_text_of(""), 5, &v));
    assert_false(tf_text_number(tf_text_of("+1"), 5, &v));
    assert_false(tf_text_number(tf_text_of("1 "), 5, &v));
}

static void characters_are_told_apart_without_a_locale(void **state)
{
    (void)state;
    for (int i = -128; i < 256; i++) {
        char c = (char)i;
        bool digit = c != '\0' && strchr("0123456789", c);
        bool letter = c != '\0' && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", c);
        assert_int_equal(tf_ascii_is_digit(c), digit);
        assert_int_equal(tf_ascii_is_alnum(c), digit || letter);
        assert_int_equal(tf_ascii_lower(c), letter ? c | 0x20 : c);
    }
    assert_int_equal(tf_ascii_hex('0'), 0);
    assert_int_equal(tf_ascii_hex('F'), 15);
    assert_int_equal(tf_ascii_hex('g'), 16);
}

static void what_readers_do_not_see_as_it_is_is_not_shown(void **state)
{
    static const char *const shown[] = {
        " ", "~", "\xc2\xa0", "\xc3\xbc", "\xe2\x82\xac", "\xe6\x97\xa5", "\xf0\x9f\x93\xa0", "\xef\xbf\xbd"};
    static const char *const hidden[] = {
        "",
        "\x1f",
        "\x7f",
        "\xfc",             /* no UTF-8 */
        "\xc2\x85",         /* a control */
        "\xc2\xad",         /* a soft hyphen */
        "\xe2\x80\x8b",     /* no width */
        "\xe2\x80\xa8",     /* ends a line */
        "\xe2\x80\xae",     /* turns what follows round */
        "\xe2\x81\xa7",     /* likewise */
        "\xef\xbb\xbf",     /* a byte order mark */
        "\xee\x80\x80",     /* private */
        "\xef\xbf\xbf",     /* none */
        "\xf3\xa0\x81\x81", /* a tag */
        "\xf4\x8f\xbf\xbf"  /* none */
    };
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        assert_int_equal(tf_text_shown(shown[i], strlen(shown[i])), strlen(shown[i]));
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        assert_int_equal(tf_text_shown(hidden[i], strlen(hidden[i])), 0);
    assert_int_equal(tf_text_shown("\xc3\xbc", 1), 0); /* cut */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_are_trimmed_at_both_ends),
        cmocka_unit_test(words_are_compared_in_any_case),
        cmocka_unit_test(a_list_is_taken_apart_with_its_empty_items),
        cmocka_unit_test(numbers_are_digits_up_to_a_maximum),
        cmocka_unit_test(characters_are_told_apart_without_a_locale),
        cmocka_unit_test(what_readers_do_not_see_as_it_is_is_not_shown),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
