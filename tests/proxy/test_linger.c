/* Refused connections on their way out, on TCP connections and a loop that the test runs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "loop_fixture.h"

/* The client's end of a connection that was told something and lingers for linger_ms at most. */
static int start_lingering(struct stage *t, uint32_t linger_ms)
{
    int pair[2];
    tcp_pair(pair);
    send_text(pair[1], "no");
    shutdown(pair[1], SHUT_WR);
    linger_add(&t->loop->lingers, t->loop, pair[1], NULL, linger_ms);
    return pair[0];
}

static bool is_empty(struct stage *t)
{
    return t->loop->lingers.count == 0;
}

static void it_ends_when_the_client_closes(void **state)
{
    struct stage *t = *state;
    int client = start_lingering(t, 60000);
    assert_int_equal(t->loop->lingers.count, 1);
    close(client);
    run_until(t, is_empty);
}

static void it_ends_when_its_time_is_over(void **state)
{
    struct stage *t = *state;
    char got[4];
    int client = start_lingering(t, 50);
    run_until(t, is_empty);
    assert_int_equal(recv(client, got, sizeof got, MSG_WAITALL), 2);
    close(client);
}

/* A socket closed with bytes unread would be reset, and the word before the FIN lost. */
static void what_the_client_still_sends_does_not_cost_it_the_answer(void **state)
{
    static uint8_t block[100000];
    struct stage *t = *state;
    char got[4];
    int client = start_lingering(t, 60000);
    send_all(client, block, sizeof block);
    shutdown(client, SHUT_WR);
    run_until(t, is_empty);
    assert_int_equal(recv(client, got, sizeof got, MSG_WAITALL), 2);
    assert_memory_equal(got, "no", 2);
    close(client);
}

static void a_client_that_never_stops_sending_is_dropped(void **state)
{
    static uint8_t block[1 << 16];
    struct stage *t = *state;
    int client = start_lingering(t, 60000);
    while (!is_empty(t)) {
        send(client, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    }
    close(client);
}

static void many_end_in_any_order(void **state)
{
    struct stage *t = *state;
    enum { MANY = 100 };
    int clients[MANY];
    for (int i = 0; i < MANY; i++)
        clients[i] = start_lingering(t, 60000);
    for (int i = 0; i < MANY; i += 2)
        close(clients[i]);
    while (t->loop->lingers.count > MANY / 2)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    for (int i = 1; i < MANY; i += 2)
        close(clients[i]);
    run_until(t, is_empty);
}

static void dropping_closes_them_all(void **state)
{
    struct stage *t = *state;
    char got[4];
    int client = start_lingering(t, 60000);
    lingers_drop(&t->loop->lingers, t->loop);
    assert_true(is_empty(t));
    assert_int_equal(recv(client, got, sizeof got, MSG_WAITALL), 2);
    send_text(client, "x"); /* nobody is there any more: this is answered with a reset */
    struct pollfd p = {.fd = client};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    assert_true(p.revents & POLLHUP);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_ends_when_the_client_closes, begin, finish),
        cmocka_unit_test_setup_teardown(it_ends_when_its_time_is_over, begin, finish),
        cmocka_unit_test_setup_teardown(what_the_client_still_sends_does_not_cost_it_the_answer, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_client_that_never_stops_sending_is_dropped, begin, finish),
        cmocka_unit_test_setup_teardown(many_end_in_any_order, begin, finish),
        cmocka_unit_test_setup_teardown(dropping_closes_them_all, begin, finish),
    };
    return cmocka_run_group_tests_name("linger", tests, NULL, NULL);
}
