/* The end of a loop: what keeps it alive, and what comes after. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "loop_fixture.h"

enum { LONG_MS = 600000 };

static bool is_drained(struct stage *t)
{
    return t->loop->is_deaf;
}

static void drain(struct stage *t, uint32_t ms)
{
    assert_true(loop_drain(t->loop, ms, false));
    uv_run(&t->loop->uv, UV_RUN_NOWAIT);
}

static void tell_to_drain(void *arg)
{
    assert_true(loop_drain(arg, LONG_MS, false));
}

static void settings_that_cannot_be_used_leave_nothing_behind(void **state)
{
    struct stage *t = *state;
    char error[256] = "";
    t->conf.tf.dns_servers = "no address";
    assert_null(loop_new(&t->setting, (struct loop_end){on_loop_end, NULL}, error, sizeof error));
    assert_int_not_equal(strlen(error), 0);
}

static void draining_ends_a_client_that_only_may_ask_again(void **state)
{
    struct stage *t = *state;
    char c;
    int client = start_session(t, &t->connect, NULL, 0);
    drain(t, LONG_MS);
    assert_true(has_no_session(t));
    assert_int_equal(recv(client, &c, 1, 0), 0);
    close(client);
}

static void draining_lets_a_request_that_has_begun_come_to_its_end(void **state)
{
    struct stage *t = *state;
    int client = start_session(t, &t->connect, "C", 1);
    drain(t, LONG_MS);
    assert_int_equal(t->loop->session_count, 1);
    send_text(client, "\r\n\r\n");
    run_until(t, has_no_session);
    assert_int_equal(count_of(t, REASON_BLOCKED, TF_REASON_REQUEST_MALFORMED), 1);
    close(client);
}

/* Else what it was told could be lost to a reset. */
static void draining_waits_for_a_refused_client_to_leave(void **state)
{
    struct stage *t = *state;
    uint8_t hello[512];
    int client = start_session(t, &t->sni, hello, put_client_hello(hello, TF_TLS10));
    assert_true(has_no_session(t));
    drain(t, LONG_MS);
    assert_false(is_drained(t));
    close(client);
    uv_run(&t->loop->uv, UV_RUN_DEFAULT);
    assert_true(is_drained(t));
}

static void draining_again_ends_everything_at_once(void **state)
{
    struct stage *t = *state;
    uint8_t hello[512];
    int live = start_session(t, &t->connect, "C", 1);
    int refused = start_session(t, &t->sni, hello, put_client_hello(hello, TF_TLS10));
    drain(t, LONG_MS);
    assert_true(loop_drain(t->loop, 0, false));
    uv_run(&t->loop->uv, UV_RUN_DEFAULT);
    assert_true(is_drained(t));
    assert_int_equal(count_of(t, REASON_ERROR, TF_REASON_DRAINED), 1);
    close(live);
    close(refused);
}

/* It may be told while it is at it. (A leak, were the message kept.) */
static void told_again_at_the_last_moment_it_ends_all_the_same(void **state)
{
    struct stage *t = *state;
    assert_true(loop_drain(t->loop, LONG_MS, false));
    assert_true(loop_change(t->loop, &t->setting, tell_to_drain, t->loop));
    uv_run(&t->loop->uv, UV_RUN_DEFAULT);
    assert_true(is_drained(t));
    assert_null(t->loop->messages);
}

/* One loop may be over while another still drains and is told again. (A leak, were the message kept.) */
static void a_loop_that_is_over_can_be_told_to_drain(void **state)
{
    struct stage *t = *state;
    drain(t, 0);
    uv_run(&t->loop->uv, UV_RUN_DEFAULT);
    assert_true(is_drained(t));
    assert_true(loop_drain(t->loop, 0, false));
    assert_null(t->loop->messages);
}

static enum step_result run_twice(struct session *s)
{
    s->end = TF_REASON_IDLE;
    return s->bytes[TF_CLIENT]++ == 0 ? STEP_MORE : STEP_END;
}

/* A step that always has more to do must not escape its deadline. */
static void a_step_with_more_to_do_has_its_own_deadline(void **state)
{
    struct stage *t = *state;
    const struct step greedy = {
        .name = "greedy", .run = run_twice, .limit = offsetof(struct tf_limits, idle_ms), .late = run_twice};
    const struct route route = {"greedy", {&greedy, NULL}};
    int client = start_session(t, &t->connect, NULL, 0);
    struct session *s = t->loop->all;
    s->route = &route;
    s->at = route.steps;
    session_run(s);
    assert_ptr_equal(s->timed, &greedy);
    assert_true(s->deadline.at_ms - uv_now(&t->loop->uv) > t->conf.tf.limits.request_ms);
    uv_run(&t->loop->uv, UV_RUN_NOWAIT);
    while (t->loop->all != NULL)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_that_cannot_be_used_leave_nothing_behind, begin, finish),
        cmocka_unit_test_setup_teardown(draining_ends_a_client_that_only_may_ask_again, begin, finish),
        cmocka_unit_test_setup_teardown(draining_lets_a_request_that_has_begun_come_to_its_end, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(draining_waits_for_a_refused_client_to_leave, begin, finish),
        cmocka_unit_test_setup_teardown(draining_again_ends_everything_at_once, begin, finish),
        cmocka_unit_test_setup_teardown(told_again_at_the_last_moment_it_ends_all_the_same, begin, finish),
        cmocka_unit_test_setup_teardown(a_loop_that_is_over_can_be_told_to_drain, begin, finish),
        cmocka_unit_test_setup_teardown(a_step_with_more_to_do_has_its_own_deadline, begin, finish),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
