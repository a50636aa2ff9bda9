/* json.c: what is written can break neither a line, a terminal nor a page. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/json.h"
#include "../flat_json.h"

static void assert_written(const struct tf_writer *w, const char *expected)
{
    assert_false(w->full);
    assert_int_equal(w->len, strlen(expected));
    assert_memory_equal(w->p, expected, w->len);
}

static void assert_string(const char *bytes, size_t n, const char *expected)
{
    char text[128];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_json_string(&w, bytes, n);
    assert_written(&w, expected);
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    assert_string("", 0, "\"\"");
    assert_string("mail.example.com", 16, "\"mail.example.com\"");
    assert_string("a/b c~`", 7, "\"a/b c~`\"");
}

static void quotes_and_backslashes_are_escaped(void **state)
{
    (void)state;
    assert_string("\"a\\b\"", 5, "\"\\\"a\\\\b\\\"\"");
}

static void bytes_that_could_break_a_line_or_a_terminal_are_escaped(void **state)
{
    (void)state;
    assert_string("a\nb\r\t\0c", 7, "\"a\\u000ab\\u000d\\u0009\\u0000c\"");
    assert_string("\x1b[31m", 5, "\"\\u001b[31m\"");
    assert_string("\x7f\x80\xff", 3, "\"\\u007f\\u0080\\u00ff\"");
}

static void bytes_that_could_break_a_page_are_escaped(void **state)
{
    (void)state;
    assert_string("</script>&'", 11, "\"\\u003c/script\\u003e\\u0026\\u0027\"");
}

static void letters_in_utf8_stay_letters(void **state)
{
    (void)state;
    assert_string("J\xc3\xbcrgen", 7, "\"J\\u00fcrgen\"");
    assert_string("\xe2\x80\xa8", 3, "\"\\u2028\"");
    assert_string("\xf0\x9f\x96\xa8", 4, "\"\\ud83d\\udda8\"");
}

/* Cut, overlong, a surrogate, beyond the last character, a lone continuation. */
static void bytes_that_are_no_utf8_are_escaped_each(void **state)
{
    (void)state;
    assert_string("\xe2\x80", 2, "\"\\u00e2\\u0080\"");
    assert_string("\xc0\xaf", 2, "\"\\u00c0\\u00af\"");
    assert_string("\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\"");
    assert_string("\xf4\x90\x80\x80", 4, "\"\\u00f4\\u0090\\u0080\\u0080\"");
    assert_string("\xbf!", 2, "\"\\u00bf!\"");
    assert_string("\xff", 1, "\"\\u00ff\"");
}

static void every_byte_makes_a_valid_string(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char line[32];
        char byte = (char)c;
        struct tf_writer w = tf_writer_of(line, sizeof line);
        struct tf_json j = tf_json_open(&w);
        tf_json_bytes(&j, "k", &byte, 1);
        tf_json_close(&j);
        tf_put_char(&w, '\n');
        assert_true(flat_read(line, w.len, NULL, NULL, NULL));
    }
}

static void an_object_has_commas_between_its_members_only(void **state)
{
    (void)state;
    char text[128];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_json j = tf_json_open(&w);
    tf_json_text(&j, "text", "x");
    tf_json_u64(&j, "most", UINT64_MAX);
    tf_json_bool(&j, "yes", true);
    tf_json_bool(&j, "no", false);
    tf_json_key(&j, "list");
    tf_put_text(&w, "[]");
    tf_json_close(&j);
    assert_written(&w,
                   "{\"text\":\"x\",\"most\":18446744073709551615,\"yes\":true,\"no\":false,\"list\":[]}");
}

static void a_member_can_be_an_object_or_below_zero_or_nothing(void **state)
{
    (void)state;
    char text[128];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_json j = tf_json_open(&w);
    struct tf_json o = tf_json_object(&j, "o");
    tf_json_i64(&o, "least", INT64_MIN);
    tf_json_close(&o);
    tf_json_null(&j, "null");
    tf_json_close(&j);
    assert_written(&w, "{\"o\":{\"least\":-9223372036854775808},\"null\":null}");
}

static void an_empty_object_is_two_braces(void **state)
{
    (void)state;
    char text[8];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_json j = tf_json_open(&w);
    tf_json_close(&j);
    assert_written(&w, "{}");
}

static void too_little_room_is_told(void **state)
{
    (void)state;
    for (size_t room = 0; room < strlen("{\"k\":\"a\\u000ab\"}"); room++) {
        char text[32];
        struct tf_writer w = tf_writer_of(text, room);
        struct tf_json j = tf_json_open(&w);
        tf_json_bytes(&j, "k", "a\nb", 3);
        tf_json_close(&j);
        assert_true(w.full);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(quotes_and_backslashes_are_escaped),
        cmocka_unit_test(bytes_that_could_break_a_line_or_a_terminal_are_escaped),
        cmocka_unit_test(bytes_that_could_break_a_page_are_escaped),
        cmocka_unit_test(letters_in_utf8_stay_letters),
        cmocka_unit_test(bytes_that_are_no_utf8_are_escaped_each),
        cmocka_unit_test(every_byte_makes_a_valid_string),
        cmocka_unit_test(an_object_has_commas_between_its_members_only),
        cmocka_unit_test(a_member_can_be_an_object_or_below_zero_or_nothing),
        cmocka_unit_test(an_empty_object_is_two_braces),
        cmocka_unit_test(too_little_room_is_told),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
