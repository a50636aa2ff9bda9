/* form.c: forms as the body of a POST. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/form.h"
#include <string.h>

static void fields_are_joined(void **state)
{
    (void)state;
    char text[64];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_form_field(&w, "grant_type", "refresh_token");
    tf_put_form_field(&w, "empty", "");
    tf_put_form_field(&w, "n", "1");
    assert_false(w.full);
    assert_int_equal(w.len, strlen("grant_type=refresh_token&empty=&n=1"));
    assert_memory_equal(text, "grant_type=refresh_token&empty=&n=1", w.len);
}

static void assert_encoded(const char *value, const char *expected)
{
    char text[1024];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_form_field(&w, "", value);
    assert_int_equal(w.len, strlen(expected) + 1);
    assert_memory_equal(text + 1, expected, w.len - 1);
}

static void all_but_letters_digits_and_four_signs_is_encoded(void **state)
{
    (void)state;
    assert_encoded("AZaz09*-._", "AZaz09*-._");
    assert_encoded("a b", "a+b");
    assert_encoded("+&=%/:~", "%2B%26%3D%25%2F%3A%7E");
    assert_encoded("\x01\x7f\xc3\xbc\xff", "%01%7F%C3%BC%FF");
    char every[256];
    for (int c = 1; c < 256; c++)
        every[c - 1] = (char)c;
    every[255] = '\0';
    char text[1024];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_form_field(&w, "", every);
    for (size_t i = 0; i < w.len; i++)
        assert_non_null(
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._+%=", text[i]));
}

static void what_does_not_fit_is_noticed(void **state)
{
    (void)state;
    char text[8];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_form_field(&w, "name", "abc");
    assert_false(w.full);
    w = tf_writer_of(text, sizeof text);
    tf_put_form_field(&w, "name", "ab\n");
    assert_true(w.full);
}

static void assert_field(const char *query, const char *name, const char *value)
{
    struct tf_text rest = tf_text_of(query), found;
    char text[16];
    assert_true(tf_form_take(&rest, &found, text, sizeof text));
    assert_true(tf_text_is(found, name));
    assert_string_equal(text, value);
}

static void a_field_is_taken_and_decoded(void **state)
{
    (void)state;
    assert_field("floor=1.3", "floor", "1.3");
    assert_field("since=00%3a00%3A00Z", "since", "00:00:00Z");
    assert_field("a=b+c%2B", "a", "b c+");
    assert_field("a=b=c", "a", "b=c");
    assert_field("a", "a", "");
    assert_field("a=", "a", "");
    assert_field("a=123456789012345", "a", "123456789012345");
}

static void fields_are_taken_one_after_the_other(void **state)
{
    (void)state;
    struct tf_text rest = tf_text_of("a=1&b=2&&c=3"), name;
    char value[4], seen[32] = "";
    while (rest.p != NULL) {
        assert_true(tf_form_take(&rest, &name, value, sizeof value));
        strncat(seen, name.p, name.n);
        strcat(strcat(seen, value), ";");
    }
    assert_string_equal(seen, "a1;b2;;c3;");
}

static void a_field_that_is_encoded_wrong_or_too_long_is_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a=%", "a=%4", "a=%zz", "a=%4g", "a=b%00", "a=1234567890123456"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tf_text rest = tf_text_of(wrong[i]), name;
        char value[16];
        if (tf_form_take(&rest, &name, value, sizeof value))
            fail_msg("%s is taken", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_joined),
        cmocka_unit_test(all_but_letters_digits_and_four_signs_is_encoded),
        cmocka_unit_test(what_does_not_fit_is_noticed),
        cmocka_unit_test(a_field_is_taken_and_decoded),
        cmocka_unit_test(fields_are_taken_one_after_the_other),
        cmocka_unit_test(a_field_that_is_encoded_wrong_or_too_long_is_none),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
