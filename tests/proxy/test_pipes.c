/* The pool of pipes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/pipes.h"
#include <fcntl.h>
#include <unistd.h>

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void a_pipe_passes_bytes_and_does_not_block(void **state)
{
    struct pipes all;
    char c = 0;
    (void)state;
    pipes_init(&all, 1);
    struct pipe *p = pipes_get(&all);
    assert_non_null(p);
    assert_true(p->size >= 64 * 1024);
    assert_int_equal(read(p->out, &c, 1), -1); /* empty, and it does not wait */
    assert_int_equal(write(p->in, "x", 1), 1);
    assert_int_equal(read(p->out, &c, 1), 1);
    assert_int_equal(c, 'x');
    pipes_put(&all, p, false);
    pipes_fini(&all);
    assert_int_equal(all.open, 0);
}

static void an_empty_pipe_is_lent_again(void **state)
{
    struct pipes all;
    (void)state;
    pipes_init(&all, 2);
    struct pipe *p = pipes_get(&all);
    pipes_put(&all, p, false);
    assert_ptr_equal(pipes_get(&all), p);
    assert_int_equal(all.open, 1);
    pipes_put(&all, p, false);
    pipes_fini(&all);
}

/* Else one session's bytes would reach another's peer. */
static void a_pipe_with_bytes_in_it_is_never_lent_again(void **state)
{
    struct pipes all;
    (void)state;
    pipes_init(&all, 1);
    struct pipe *p = pipes_get(&all);
    int in = p->in, out = p->out;
    assert_int_equal(write(in, "x", 1), 1);
    pipes_put(&all, p, true);
    assert_int_equal(all.open, 0);
    assert_false(is_open(in));
    assert_false(is_open(out));
    pipes_fini(&all);
}

static void there_are_no_more_than_max(void **state)
{
    struct pipes all;
    (void)state;
    pipes_init(&all, 1);
    struct pipe *p = pipes_get(&all);
    assert_null(pipes_get(&all));
    pipes_put(&all, p, false);
    pipes_fini(&all);
}

static void a_lower_max_closes_what_comes_back(void **state)
{
    struct pipes all;
    (void)state;
    pipes_init(&all, 2);
    struct pipe *a = pipes_get(&all), *b = pipes_get(&all);
    all.max = 1;
    pipes_put(&all, a, false);
    pipes_put(&all, b, false);
    assert_int_equal(all.open, 1);
    pipes_fini(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_passes_bytes_and_does_not_block),
        cmocka_unit_test(an_empty_pipe_is_lent_again),
        cmocka_unit_test(a_pipe_with_bytes_in_it_is_never_lent_again),
        cmocka_unit_test(there_are_no_more_than_max),
        cmocka_unit_test(a_lower_max_closes_what_comes_back),
    };
    return cmocka_run_group_tests_name("pipes", tests, NULL, NULL);
}
