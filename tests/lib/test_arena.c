/* arena.c: memory from one block. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/arena.h"
#include <stdalign.h>
#include <string.h>

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    alignas(max_align_t) uint8_t block[256];
    struct tf_arena a = {.base = block, .size = sizeof block};
    (void)state;
    memset(block, 0xff, sizeof block);
    char *text = tf_arena_text(&a, "abc", 2);
    uint8_t *one = tf_arena_alloc(&a, 20), *two = tf_arena_alloc(&a, 1);
    assert_string_equal(text, "ab");
    assert_int_equal((uintptr_t)one % alignof(max_align_t), 0);
    assert_int_equal((uintptr_t)two % alignof(max_align_t), 0);
    assert_true(one >= (uint8_t *)text + 3 && two >= one + 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(one[i], 0);
    assert_false(a.full);
}

static void what_does_not_fit_is_refused_for_good(void **state)
{
    alignas(max_align_t) uint8_t block[64];
    struct tf_arena a = {.base = block, .size = sizeof block}, b = a, c = a;
    (void)state;
    assert_non_null(tf_arena_alloc(&a, sizeof block));
    assert_false(a.full);
    assert_null(tf_arena_alloc(&a, 1));
    assert_true(a.full);
    assert_null(tf_arena_alloc(&b, SIZE_MAX));
    assert_null(tf_arena_alloc(&b, 1));
    assert_null(tf_arena_text(&c, "", SIZE_MAX - 1));
    assert_null(tf_arena_text(&c, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(what_does_not_fit_is_refused_for_good),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
