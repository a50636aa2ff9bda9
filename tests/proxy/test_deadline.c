/* Deadlines: they come in order, once, and not when they were moved. */
#include "../../proxy/deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct deadlines all;
static struct deadline items[4];
static char order[16];

static void on_due(struct deadline *d)
{
    assert_null(d->next);
    order[strlen(order)] = (char)('a' + (d - items));
}

static int begin(void **state)
{
    uv_loop_t *loop = uv_default_loop();
    *state = loop;
    memset(items, 0, sizeof items);
    memset(order, 0, sizeof order);
    deadlines_init(&all, loop, on_due);
    return 0;
}

static int finish(void **state)
{
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        deadline_clear(&items[i]);
    deadlines_close(&all);
    return uv_run(*state, UV_RUN_DEFAULT);
}

/* The timer is the only handle: the loop ends when no deadline is left. */
static void deadlines_of_all_lengths_come_in_order(void **state)
{
    assert_true(deadline_set(&all, &items[0], 300));
    assert_true(deadline_set(&all, &items[1], 100));
    assert_true(deadline_set(&all, &items[2], 200));
    assert_true(deadline_set(&all, &items[3], 100));
    uv_run(*state, UV_RUN_DEFAULT);
    assert_string_equal(order, "bdca");
}

static void a_deadline_that_is_cleared_does_not_come(void **state)
{
    assert_true(deadline_set(&all, &items[0], 5));
    assert_true(deadline_set(&all, &items[1], 5));
    deadline_clear(&items[0]);
    deadline_clear(&items[0]);
    uv_run(*state, UV_RUN_DEFAULT);
    assert_string_equal(order, "b");
}

static struct deadline *moved_by_first;

static void on_due_moves_another(struct deadline *d)
{
    on_due(d);
    if (moved_by_first != NULL)
        assert_true(deadline_set(&all, moved_by_first, 400));
    moved_by_first = NULL;
}

static void a_deadline_that_is_moved_comes_later_and_once(void **state)
{
    all.cb = on_due_moves_another;
    moved_by_first = &items[1];
    assert_true(deadline_set(&all, &items[0], 5));
    assert_true(deadline_set(&all, &items[1], 200));
    assert_true(deadline_set(&all, &items[2], 300));
    uv_run(*state, UV_RUN_DEFAULT);
    assert_string_equal(order, "acb");
}

static struct deadline *cleared_by_first;

static void on_due_clears_another(struct deadline *d)
{
    on_due(d);
    deadline_clear(cleared_by_first);
}

/* A session may end another one that is due in the same moment. */
static void a_due_deadline_can_be_cleared_by_the_one_before(void **state)
{
    all.cb = on_due_clears_another;
    cleared_by_first = &items[1];
    assert_true(deadline_set(&all, &items[0], 5));
    assert_true(deadline_set(&all, &items[1], 5));
    assert_true(deadline_set(&all, &items[2], 5));
    uv_run(*state, UV_RUN_DEFAULT);
    assert_string_equal(order, "ac");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deadlines_of_all_lengths_come_in_order, begin, finish),
        cmocka_unit_test_setup_teardown(a_deadline_that_is_cleared_does_not_come, begin, finish),
        cmocka_unit_test_setup_teardown(a_deadline_that_is_moved_comes_later_and_once, begin, finish),
        cmocka_unit_test_setup_teardown(a_due_deadline_can_be_cleared_by_the_one_before, begin, finish),
    };
    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
