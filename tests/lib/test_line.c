/* line.c: flat objects pair by pair, and all that is none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/line.h"
#include <stdlib.h>
#include <string.h>

/* From the heap, so that a sanitizer sees whoever reads beyond the end. */
static enum tf_scan_state scan_all(const char *text, size_t n, size_t *pairs)
{
    char *copy = malloc(n + 1);
    struct tf_line_pair pair;
    assert_non_null(copy);
    memcpy(copy + 1, text, n);
    struct tf_line_scan scan = tf_line_scan_of(copy + 1, n);
    *pairs = 0;
    while (tf_line_next(&scan, &pair))
        ++*pairs;
    assert_false(tf_line_next(&scan, &pair));
    free(copy);
    return scan.state;
}

static void assert_whole(const char *text, size_t expected)
{
    size_t pairs;
    if (scan_all(text, strlen(text), &pairs) != TF_SCAN_WHOLE)
        fail_msg("not whole: %s", text);
    assert_int_equal(pairs, expected);
}

static void assert_broken(const char *text)
{
    size_t pairs;
    if (scan_all(text, strlen(text), &pairs) != TF_SCAN_BROKEN)
        fail_msg("not broken: %s", text);
}

static void assert_pair(struct tf_line_scan *scan, const char *key, const char *value)
{
    struct tf_line_pair pair;
    assert_true(tf_line_next(scan, &pair));
    assert_true(tf_text_is(pair.key, key));
    if (!tf_text_is(pair.value, value))
        fail_msg("%s is %.*s", key, (int)pair.value.n, pair.value.p);
}

static void pairs_come_in_their_order_and_as_they_stand(void **state)
{
    static const char text[] = "{\"a.b\":\"x\",\"n\":-12.5e3,\"t\":true,\"z\":null,\"l\":[\"]\",1,[\"\" ";
    struct tf_line_scan scan = tf_line_scan_of(text, sizeof text - 1);
    struct tf_line_pair pair;
    (void)state;
    assert_pair(&scan, "a.b", "x");
    assert_pair(&scan, "n", "-12.5e3");
    assert_pair(&scan, "t", "true");
    assert_pair(&scan, "z", "null");
    assert_false(tf_line_next(&scan, &pair)); /* a list in a list */
    assert_int_equal(scan.state, TF_SCAN_BROKEN);
}

static void a_list_is_one_value_whatever_its_texts_hold(void **state)
{
    static const char text[] = "{\"l\":[\"]\",\"\\\"]\\\\\",3],\"k\":[]}";
    struct tf_line_scan scan = tf_line_scan_of(text, sizeof text - 1);
    (void)state;
    assert_pair(&scan, "l", "[\"]\",\"\\\"]\\\\\",3]");
    assert_pair(&scan, "k", "[]");
    assert_whole(text, 2);
}

static void quotes_behind_backslashes_belong_to_the_text_if_their_number_is_odd(void **state)
{
    static const char text[] = "{\"a\":\"\\\"\",\"b\":\"\\\\\",\"c\":\"\\\\\\\"x\",\"d\":\"\"}";
    struct tf_line_scan scan = tf_line_scan_of(text, sizeof text - 1);
    (void)state;
    assert_pair(&scan, "a", "\\\"");
    assert_pair(&scan, "b", "\\\\");
    assert_pair(&scan, "c", "\\\\\\\"x");
    assert_pair(&scan, "d", "");
    assert_whole(text, 4);
}

static void blanks_may_stand_anywhere_between(void **state)
{
    (void)state;
    assert_whole(" \t{ \"a\" : 1 , \"b\" : [ 1 ] } \r", 2);
    assert_whole("{}", 0);
    assert_whole("{ }", 0);
}

static void what_is_no_whole_flat_object_is_broken(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "x",
                                        "[]",
                                        "{",
                                        "{\"",
                                        "{\"a",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":1",
                                        "{\"a\":1,",
                                        "{\"a\":1,}",
                                        "{,}",
                                        "{\"a\":}",
                                        "{a:1}",
                                        "{\"a\" 1}",
                                        "{\"a\":{}}",
                                        "{\"a\":1}x",
                                        "{\"a\":1}{}",
                                        "{\"a\":\"\\\"}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\":[",
                                        "{\"a\":[{}]}",
                                        "null",
                                        "\"a\"",
                                        "{\"a\":1}\n{\"a\":2}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_broken(texts[i]);
}

static void a_line_that_is_cut_anywhere_is_broken(void **state)
{
    static const char text[] = "{\"a\":\"x\\u0041\",\"n\":12,\"l\":[\"p\",\"q\"],\"t\":false}";
    size_t pairs;
    (void)state;
    assert_whole(text, 4);
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_int_equal(scan_all(text, n, &pairs), TF_SCAN_BROKEN);
}

static void bytes_of_zero_and_above_ascii_are_no_end(void **state)
{
    static const char text[] = "{\"a\":\"\0\xff\x80\",\"b\":1}";
    size_t pairs;
    (void)state;
    assert_int_equal(scan_all(text, sizeof text - 1, &pairs), TF_SCAN_WHOLE);
    assert_int_equal(pairs, 2);
}

static void assert_label(const char *value, size_t size, const char *expected)
{
    char to[64];
    memset(to, 'x', sizeof to);
    tf_line_label(to, size, tf_text_of(value));
    assert_string_equal(to, expected);
    assert_int_equal(to[size], 'x');
}

static void a_label_is_printable_whatever_was_escaped(void **state)
{
    (void)state;
    assert_label("plain", 32, "plain");
    assert_label("\\u003cb\\u003E \\\"\\\\\\/", 32, "<b> \"\\/");
    assert_label("a\\u0000b\\u001b\\u007f\\u00e9\\u2028\\n\\t\\x", 32, "a?b???????");
    assert_label("\x01\xc3\xa9", 32, "???");
    assert_label("\\", 32, "?");
    assert_label("\\u", 32, "?");
    assert_label("\\u00", 32, "?");
    assert_label("\\u00zz", 32, "?");
    assert_label("", 32, "");
}

static void a_label_is_cut_to_fit(void **state)
{
    (void)state;
    assert_label("0123456789", 5, "0123");
    assert_label("012\\u0041x", 5, "012A");
    assert_label("abc", 1, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_in_their_order_and_as_they_stand),
        cmocka_unit_test(a_list_is_one_value_whatever_its_texts_hold),
        cmocka_unit_test(quotes_behind_backslashes_belong_to_the_text_if_their_number_is_odd),
        cmocka_unit_test(blanks_may_stand_anywhere_between),
        cmocka_unit_test(what_is_no_whole_flat_object_is_broken),
        cmocka_unit_test(a_line_that_is_cut_anywhere_is_broken),
        cmocka_unit_test(bytes_of_zero_and_above_ascii_are_no_end),
        cmocka_unit_test(a_label_is_printable_whatever_was_escaped),
        cmocka_unit_test(a_label_is_cut_to_fit),
    };
    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
