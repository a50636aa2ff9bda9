/* ini_lines.c: what each line is, and which one it is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/ini_lines.h"
#include <stdio.h>
#include <string.h>

static char told[4096];

static void tell(unsigned line, const char *what, const char *first, const char *second)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%u %s %s%s%s\n", line, what, first, second[0] ? " = " : "", second);
}

static void on_header(void *arg, const char *header, unsigned line)
{
    (void)arg;
    tell(line, "header", header ? header : "(none)", "");
}

static void on_value(void *arg, const char *key, const char *value, unsigned line)
{
    (void)arg;
    tell(line, "value", key, value);
}

static void on_error(void *arg, const char *sentence, unsigned line)
{
    (void)arg;
    tell(line, "error", sentence, "");
}

static bool read_lines(const char *text, size_t n)
{
    const struct ini_reader reader = {.on_header = on_header, .on_value = on_value, .on_error = on_error};
    told[0] = '\0';
    return ini_read_lines(&reader, text, n);
}

static void assert_told(const char *text, const char *expected)
{
    assert_true(read_lines(text, strlen(text)));
    assert_string_equal(told, expected);
}

static void keys_values_and_headers_are_told_with_their_lines(void **state)
{
    (void)state;
    assert_told("a = 1\n\n; comment\n  b=2 ; comment\r\n[ one two ] # comment\n[empty]\nc : x = y",
                "1 value a = 1\n4 value b = 2\n5 header  one two \n6 header empty\n7 value c = x = y\n");
    assert_told("\xef\xbb\xbf"
                "a = \xc3\xbc\n",
                "1 value a = \xc3\xbc\n");
    assert_told("", "");
}

static void what_cannot_be_read_is_passed_over(void **state)
{
    (void)state;
    assert_told("a\n= b\n[x\nc = d\n[y] z\n",
                "1 error this is no KEY = VALUE; a value has to be on one line with its key\n"
                "2 error there is no key in front of the =; write KEY = VALUE\n"
                "3 error the section header has no end; write [SECTION] or [SECTION NAME]\n"
                "3 header (none)\n"
                "4 value c = d\n"
                "5 error there is something behind the ]; give it a line of its own\n"
                "5 header (none)\n");
}

static void an_indented_line_continues_nothing(void **state)
{
    (void)state;
    assert_told("a = 1\n    2\n",
                "1 value a = 1\n"
                "2 error this is no KEY = VALUE; a value has to be on one line with its key\n");
}

static void a_line_may_be_as_long_as_allowed_and_no_longer(void **state)
{
    (void)state;
    static char text[INI_LINE_MAX + 8];
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "a = ", 4);
    text[INI_LINE_MAX - 2] = '\0';
    assert_true(read_lines(text, strlen(text)));
    assert_memory_equal(told, "1 value a = xxx", 15);
    text[INI_LINE_MAX - 2] = 'x';
    text[INI_LINE_MAX - 1] = '\0';
    assert_told(text,
                "1 error the line has 16383 bytes, and no more than 16382 can be read; make it shorter\n");
}

static void a_file_that_is_no_text_is_refused_as_a_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {"a = 1\nb = \x01", "a\n\x7f", "\n\rb"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(read_lines(texts[i], strlen(texts[i])));
        assert_string_equal(told,
                            "2 error there is a control character; write plain text, in ASCII or UTF-8\n");
    }
    assert_false(read_lines("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_values_and_headers_are_told_with_their_lines),
        cmocka_unit_test(what_cannot_be_read_is_passed_over),
        cmocka_unit_test(an_indented_line_continues_nothing),
        cmocka_unit_test(a_line_may_be_as_long_as_allowed_and_no_longer),
        cmocka_unit_test(a_file_that_is_no_text_is_refused_as_a_whole),
    };
    return cmocka_run_group_tests_name("ini_lines", tests, NULL, NULL);
}
