/* suggest.c: the nearest word. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/suggest.h"
#include <string.h>

static size_t distance(const char *a, const char *b)
{
    return tf_edit_distance(tf_text_of(a), tf_text_of(b));
}

static void distance_counts_changes_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("abc", ""), 3);
    assert_int_equal(distance("listen", "Listen"), 0);
    assert_int_equal(distance("listen", "listn"), 1);
    assert_int_equal(distance("listen", "lsiten"), 1);
    assert_int_equal(distance("ca", "ac"), 1);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("abcdef", "badcfe"), 3);
}

static void words_that_are_too_long_are_far_from_everything(void **state)
{
    char longest[66];
    (void)state;
    memset(longest, 'a', 65);
    longest[65] = '\0';
    assert_int_equal(distance(longest, "a"), SIZE_MAX);
    assert_int_equal(distance(longest + 1, "a"), 63);
}

static const char *nearest(const char *unknown)
{
    static const char *const words[] = {"minimum", "mode", "listen", "listener", "port"};
    struct tf_suggestion s = {.unknown = tf_text_of(unknown)};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        tf_suggest(&s, words[i]);
    return s.best ? s.best : "";
}

static void the_nearest_word_is_suggested_unless_all_are_far(void **state)
{
    (void)state;
    assert_string_equal(nearest("minimun"), "minimum");
    assert_string_equal(nearest("listne"), "listen");
    assert_string_equal(nearest("listeners"), "listener");
    assert_string_equal(nearest("prot"), "port");
    assert_string_equal(nearest("xyzzy"), "");
    assert_string_equal(nearest(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_changes_in_any_case),
        cmocka_unit_test(words_that_are_too_long_are_far_from_everything),
        cmocka_unit_test(the_nearest_word_is_suggested_unless_all_are_far),
    };
    return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
