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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_joined),
        cmocka_unit_test(all_but_letters_digits_and_four_signs_is_encoded),
        cmocka_unit_test(what_does_not_fit_is_noticed),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
