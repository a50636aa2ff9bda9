/* html.c: what is text stays text, in every browser. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/html.h"
#include <string.h>

static char out[256];

static const char *html(const char *text, size_t room)
{
    struct tf_writer w = tf_writer_of(out, sizeof out - 1);
    tf_put_html_text(&w, text, room);
    out[w.len] = '\0';
    return out;
}

static void markup_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(html("<a href=\"x\">&'", 100), "&#60;a href=&#34;x&#34;&#62;&#38;&#39;");
}

static void letters_beyond_ASCII_are_references(void **state)
{
    (void)state;
    assert_string_equal(html("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa0", 100),
                        "J&#252;rgen &#8364; &#128224;");
    assert_string_equal(html("\xc2\xa0\xef\xbf\xbd", 100), "&#160;&#65533;");
}

static void what_is_no_text_is_a_question_mark(void **state)
{
    (void)state;
    assert_string_equal(html("a\r\n\t\x1b\x7f"
                             "b",
                             100),
                        "a?????b");
    assert_string_equal(html("\xc2\x85", 100), "?"); /* a control character, though well formed */
    assert_string_equal(html("a\xe2\x80\xae"
                             "b",
                             100),
                        "a?b"); /* turns what follows round */
}

static void what_is_no_UTF_8_is_never_taken_for_a_letter(void **state)
{
    static const struct {
        const char *text, *html;
    } cases[] = {
        {"\x80", "?"},
        {"\xc3<", "?&#60;"}, /* the markup behind it is not swallowed */
        {"\xe2\x82", "??"},  /* cut */
        {"\xc0\xbc", "??"},  /* not the shortest form of '<' */
        {"\xe0\x80\xbc", "???"},
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond the last character */
        {"\xf8\x88\x80\x80\x80", "?????"},
        {"\xff", "?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(html(cases[i].text, 100), cases[i].html);
}

static void a_text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_string_equal(html("abc<<<", 4), "abc&#60;");
    assert_string_equal(html("abc", 0), "");
}

static void no_byte_takes_more_room_than_promised(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++)
        assert_true(strlen(html((const char[]){(char)c, '\0'}, 100)) <= TF_HTML_GROWTH);
    assert_true(strlen(html("\xc3\xbc", 100)) <= 2 * TF_HTML_GROWTH);
    assert_true(strlen(html("\xef\xbf\xbd", 100)) <= 3 * TF_HTML_GROWTH);
    assert_true(strlen(html("\xf4\x8f\xbf\xbf", 100)) <= 4 * TF_HTML_GROWTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_escaped),
        cmocka_unit_test(letters_beyond_ASCII_are_references),
        cmocka_unit_test(what_is_no_text_is_a_question_mark),
        cmocka_unit_test(what_is_no_UTF_8_is_never_taken_for_a_letter),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(no_byte_takes_more_room_than_promised),
    };
    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
