/* Sessions from the accepted socket to their end, on real sockets and a loop that the test runs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "loop_fixture.h"

#include "../../proxy/steps.h"

static bool has_come_to_relay(struct stage *t)
{
    return t->loop->all != NULL && *t->loop->all->at == &step_relay;
}

static bool is_at_exchange(struct stage *t)
{
    return t->loop->all != NULL && *t->loop->all->at == &step_exchange;
}

static bool has_dialled(struct stage *t)
{
    return t->loop->all != NULL && t->loop->all->side[TF_SERVER].fd >= 0;
}

static bool has_response(struct stage *t)
{
    return t->loop->all->bytes[TF_SERVER] > 0;
}

/* A tunnel through `proxy` that has come to its relay; *server is the origin's end. The client has sent its
 * FIN behind the hello if it `has_finished`. */
static int start_tunnel(struct stage *t, int *server, bool has_finished)
{
    static const char request[] = "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n\r\n";
    uint8_t flight[1024], answer[512], got[512];
    size_t head = strlen(request);
    memcpy(flight, request, head);
    size_t hello = put_client_hello(flight + head, TF_TLS12);
    int client = start_session(t, &t->connect, flight, head + hello);
    if (has_finished)
        shutdown(client, SHUT_WR);
    run_until(t, has_dialled);
    await_readable(t->origin);
    *server = accept(t->origin, NULL, NULL);
    assert_true(*server >= 0);
    receive(*server, got, hello);
    assert_memory_equal(got, flight + head, hello);
    if (has_finished) { /* the FIN has come through before there is a ServerHello */
        await_readable(*server);
        assert_int_equal(recv(*server, got, 1, 0), 0);
    }
    send_all(*server, answer, put_server_hello(answer));
    run_until(t, has_come_to_relay);
    assert_int_equal(t->loop->all->bytes[TF_CLIENT], hello); /* the CONNECT itself was not passed on */
    return client;
}

static int start_exchange(struct stage *t, const char *request, int *server)
{
    char got[4096];
    int client = start_session(t, &t->connect, request, strlen(request));
    run_until(t, is_at_exchange);
    await_readable(t->origin);
    *server = accept(t->origin, NULL, NULL);
    assert_true(*server >= 0);
    await_readable(*server);
    assert_true(recv(*server, got, sizeof got, 0) > 0);
    return client;
}

static void a_client_below_the_floor_gets_an_alert_and_then_the_end(void **state)
{
    static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 70};
    struct stage *t = *state;
    uint8_t hello[512], got[sizeof alert];
    int client = start_session(t, &t->sni, hello, put_client_hello(hello, TF_TLS10));
    receive(client, got, sizeof got);
    assert_memory_equal(got, alert, sizeof alert);
    assert_int_equal(recv(client, got, 1, 0), 0);
    assert_true(has_no_session(t));
    assert_int_equal(count_of(t, REASON_BLOCKED, TF_REASON_CLIENT_BELOW_FLOOR), 1);
    close(client);
}

static void a_client_that_sent_nothing_is_no_refusal(void **state)
{
    struct stage *t = *state;
    int client = start_session(t, &t->sni, NULL, 0);
    close(client);
    run_until(t, has_no_session);
    for (enum tf_reason r = TF_REASON_NONE; r < TF_REASON_COUNT; r++)
        assert_int_equal(count_of(t, REASON_BLOCKED, r), 0);
}

static void a_hello_that_is_cut_is_one_refusal(void **state)
{
    struct stage *t = *state;
    uint8_t hello[512];
    int client = start_session(t, &t->sni, hello, put_client_hello(hello, TF_TLS12) - 1);
    close(client);
    run_until(t, has_no_session);
    assert_int_equal(count_of(t, REASON_BLOCKED, TF_REASON_CLIENT_HELLO_CUT), 1);
}

static void an_idle_tunnel_holds_no_buffer(void **state)
{
    struct stage *t = *state;
    int server, client = start_tunnel(t, &server, false);
    struct session *s = t->loop->all;
    assert_null(s->setup);
    assert_null(s->side[TF_CLIENT].ahead.p);
    assert_null(s->side[TF_SERVER].ahead.p);
    assert_int_equal(t->loop->gathered, 0);
    close(client);
    close(server);
    run_until(t, has_no_session);
}

static uint64_t time_left(const struct stage *t)
{
    return t->loop->all->deadline.at_ms - uv_now(&t->loop->uv);
}

static void a_tunnel_has_idle_s(void **state)
{
    struct stage *t = *state;
    int server, client = start_tunnel(t, &server, false);
    assert_true(time_left(t) > t->conf.tf.limits.half_closed_ms);
    close(client);
    close(server);
}

static void a_tunnel_that_begins_half_closed_has_half_closed_s(void **state)
{
    struct stage *t = *state;
    int server, client = start_tunnel(t, &server, true);
    assert_true(time_left(t) <= t->conf.tf.limits.half_closed_ms);
    close(client);
    close(server);
}

static void a_client_that_has_finished_waits_half_closed_s_for_its_response(void **state)
{
    struct stage *t = *state;
    int server,
        client = start_exchange(t, "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", &server);
    assert_true(time_left(t) > t->conf.tf.limits.half_closed_ms);
    shutdown(client, SHUT_WR);
    while (!t->loop->all->side[TF_CLIENT].eof)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    assert_true(time_left(t) <= t->conf.tf.limits.half_closed_ms);
    close(client);
    close(server);
}

/* With as much gathered as may be, the gateway cannot hear the server out; that is not the server's fault. */
static void a_server_is_not_blamed_for_our_want_of_memory(void **state)
{
    static const char start[] = "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16";
    struct stage *t = *state;
    t->conf.tf.limits.lookahead_bytes = LOOP_BLOCK_SIZE;
    int client = start_session(t, &t->connect, start, strlen(start));
    run_until(t, has_dialled);
    await_readable(t->origin);
    int server = accept(t->origin, NULL, NULL);
    send_text(server, "220");
    run_until(t, has_no_session);
    assert_int_equal(count_of(t, REASON_BLOCKED, TF_REASON_SERVER_SPOKE_FIRST), 0);
    assert_int_equal(count_of(t, REASON_ERROR, TF_REASON_NO_RESOURCES), 1);
    close(client);
    close(server);
}

/* The client would take the end of the connection for the end of the response. */
static void a_response_without_a_length_that_breaks_off_ends_in_a_reset(void **state)
{
    struct stage *t = *state;
    char got[512];
    int server,
        client = start_exchange(t, "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", &server);
    send_text(server, "HTTP/1.1 200 OK\r\n\r\npart of it");
    run_until(t, has_response);
    session_abort(t->loop->all, TF_REASON_DRAINED);
    while (recv(client, got, sizeof got, 0) > 0)
        continue;
    assert_int_equal(errno, ECONNRESET);
    close(client);
    close(server);
}

static void so_does_one_that_stalls(void **state)
{
    struct stage *t = *state;
    char got[512];
    int server,
        client = start_exchange(t, "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", &server);
    send_text(server, "HTTP/1.1 200 OK\r\n\r\npart of it");
    run_until(t, has_response);
    deadline_clear(&t->loop->all->deadline);
    session_on_deadline(&t->loop->all->deadline);
    while (recv(client, got, sizeof got, 0) > 0)
        continue;
    assert_int_equal(errno, ECONNRESET);
    close(client);
    close(server);
}

static void a_response_without_a_length_that_is_whole_ends_in_a_fin(void **state)
{
    struct stage *t = *state;
    char got[512];
    int server,
        client = start_exchange(t, "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", &server);
    send_text(server, "HTTP/1.1 200 OK\r\n\r\nall of it");
    close(server);
    run_until(t, has_no_session);
    ssize_t n;
    while ((n = recv(client, got, sizeof got, 0)) > 0)
        continue;
    assert_int_equal(n, 0);
    close(client);
}

/* What is left of the request would be the beginning of the next one. */
static void a_server_that_has_not_taken_all_of_a_request_gets_no_other(void **state)
{
    struct stage *t = *state;
    int server,
        client = start_exchange(t, "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", &server);
    struct session *s = t->loop->all;
    struct outbox *rest = &s->setup->out[TF_SERVER];
    memcpy(rest->p, "rest", 4);
    rest->at = 0;
    rest->end = 4;
    s->side[TF_SERVER].writable = false;
    send_text(server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    await_readable(s->side[TF_SERVER].fd);
    s->side[TF_SERVER].readable = true;
    session_run(s);
    assert_ptr_equal(*s->at, &step_request);
    assert_int_equal(s->side[TF_SERVER].fd, -1);
    close(client);
    close(server);
}

static void a_kept_connection_holds_no_buffer(void **state)
{
    struct stage *t = *state;
    int server,
        client = start_exchange(t, "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", &server);
    struct session *s = t->loop->all;
    send_text(server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    while (*s->at != &step_request)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    assert_true(s->side[TF_SERVER].fd >= 0);
    assert_null(s->setup->out[TF_CLIENT].p);
    assert_null(s->setup->out[TF_SERVER].p);
    assert_int_equal(t->loop->gathered, 0);
    close(client);
    close(server);
}

static void a_client_that_is_gone_is_not_dialled_for(void **state)
{
    static const char request[] = "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct stage *t = *state;
    struct linger abort_now = {.l_onoff = 1};
    t->override.host = "other.test"; /* so that the DNS is asked, which never answers */
    int client = start_session(t, &t->connect, request, strlen(request));
    assert_ptr_equal(*t->loop->all->at, &step_dial);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
    close(client);
    run_until(t, has_no_session);
    assert_int_equal(count_of(t, REASON_ERROR, TF_REASON_RESET), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_below_the_floor_gets_an_alert_and_then_the_end, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_client_that_sent_nothing_is_no_refusal, begin, finish),
        cmocka_unit_test_setup_teardown(a_hello_that_is_cut_is_one_refusal, begin, finish),
        cmocka_unit_test_setup_teardown(an_idle_tunnel_holds_no_buffer, begin, finish),
        cmocka_unit_test_setup_teardown(a_tunnel_has_idle_s, begin, finish),
        cmocka_unit_test_setup_teardown(a_tunnel_that_begins_half_closed_has_half_closed_s, begin, finish),
        cmocka_unit_test_setup_teardown(a_client_that_has_finished_waits_half_closed_s_for_its_response,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(a_server_is_not_blamed_for_our_want_of_memory, begin, finish),
        cmocka_unit_test_setup_teardown(a_response_without_a_length_that_breaks_off_ends_in_a_reset, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(so_does_one_that_stalls, begin, finish),
        cmocka_unit_test_setup_teardown(a_response_without_a_length_that_is_whole_ends_in_a_fin, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_server_that_has_not_taken_all_of_a_request_gets_no_other, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_kept_connection_holds_no_buffer, begin, finish),
        cmocka_unit_test_setup_teardown(a_client_that_is_gone_is_not_dialled_for, begin, finish),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
