/* cells.c: columns that stand below each other, whatever is in them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/cells.h"
#include <string.h>

static char out[64];

static const char *cell(const char *text, size_t columns)
{
    struct tf_writer w = tf_writer_of(out, sizeof out - 1);
    tf_put_cell(&w, text, strlen(text), columns);
    out[w.len] = '\0';
    return out;
}

static void a_cell_is_padded_or_cut(void **state)
{
    (void)state;
    assert_string_equal(cell("", 3), "   ");
    assert_string_equal(cell("ab", 4), "ab  ");
    assert_string_equal(cell("abcd", 4), "abcd");
    assert_string_equal(cell("abcde", 4), "a...");
    assert_string_equal(cell("abcde", 2), "ab"); /* no room for dots */
    assert_string_equal(cell("abcde", 0), "");
}

static void a_letter_beyond_ASCII_has_one_column(void **state)
{
    (void)state;
    assert_string_equal(cell("J\xc3\xbcrgen", 8), "J\xc3\xbcrgen  ");
    assert_string_equal(cell("J\xc3\xbcrgen", 6), "J\xc3\xbcrgen");
    assert_string_equal(cell("J\xc3\xbcrgen", 5), "J\xc3\xbc...");
}

static void what_a_terminal_would_obey_is_a_question_mark_a_byte(void **state)
{
    (void)state;
    assert_string_equal(cell("a\x1b[31m", 8), "a?[31m  ");
    assert_string_equal(cell("\xe2\x80\xae\xfc", 5), "???? ");
}

static void what_fits_ends_between_characters(void **state)
{
    (void)state;
    assert_int_equal(tf_cell_fit("\xc3\xbc\xe2\x82\xac"
                                 "b",
                                 6, 0),
                     0);
    assert_int_equal(tf_cell_fit("\xc3\xbc\xe2\x82\xac"
                                 "b",
                                 6, 1),
                     2);
    assert_int_equal(tf_cell_fit("\xc3\xbc\xe2\x82\xac"
                                 "b",
                                 6, 2),
                     5);
    assert_int_equal(tf_cell_fit("\xc3\xbc\xe2\x82\xac"
                                 "b",
                                 6, 9),
                     6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_is_padded_or_cut),
        cmocka_unit_test(a_letter_beyond_ASCII_has_one_column),
        cmocka_unit_test(what_a_terminal_would_obey_is_a_question_mark_a_byte),
        cmocka_unit_test(what_fits_ends_between_characters),
    };
    return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
