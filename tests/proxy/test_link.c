/* One side of a session, on a TCP connection. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/link.h"
#include "../../proxy/original.h"
#include "../../proxy/sockaddr.h"
#include "loop_fixture.h"

enum { LIMIT = 20000 };

/* A link of the stage's loop; `far` is the other end. */
struct side {
    struct stage *stage;
    struct link link;
    int far;
};

static int begin_side(void **state)
{
    struct side *s = calloc(1, sizeof *s);
    int pair[2];
    begin((void **)&s->stage);
    tcp_pair(pair);
    s->far = pair[0];
    link_init(&s->link, pair[1]);
    s->link.writable = true;
    *state = s;
    return 0;
}

static int finish_side(void **state)
{
    struct side *s = *state;
    link_close(&s->link, s->stage->loop, false);
    close(s->far);
    finish((void **)&s->stage);
    free(s);
    return 0;
}

static enum link_io fill(struct side *s, size_t limit)
{
    return link_fill(&s->link, s->stage->loop, limit);
}

/* All of n bytes, which are sent and read bit by bit. */
static void gather(struct side *s, size_t n)
{
    uint8_t piece[1000];
    for (size_t at = 0; at < n;) {
        size_t k = n - at < sizeof piece ? n - at : sizeof piece;
        memset(piece, (int)(at / sizeof piece), sizeof piece);
        send_all(s->far, piece, k);
        at += k;
        while (link_ahead(&s->link).n < at) {
            await_readable(s->link.fd);
            s->link.readable = true;
            assert_int_equal(fill(s, LIMIT), LINK_OK);
        }
    }
}

static void nothing_is_read_before_an_edge(void **state)
{
    struct side *s = *state;
    send_text(s->far, "early");
    await_readable(s->link.fd);
    assert_int_equal(fill(s, LIMIT), LINK_AGAIN);
    link_note(&s->link, WATCH_READ);
    assert_int_equal(fill(s, LIMIT), LINK_OK);
    assert_memory_equal(link_ahead(&s->link).p, "early", 5);
}

static void a_short_read_waits_for_the_next_edge(void **state)
{
    struct side *s = *state;
    gather(s, 5);
    assert_false(s->link.readable);
    assert_int_equal(fill(s, LIMIT), LINK_AGAIN);
}

/* The FIN and the last bytes may be one edge. */
static void a_short_read_with_a_fin_behind_it_goes_on(void **state)
{
    struct side *s = *state;
    send_text(s->far, "bye");
    await_readable(s->link.fd);
    link_note(&s->link, WATCH_READ | WATCH_HANGUP);
    shutdown(s->far, SHUT_WR);
    assert_int_equal(fill(s, LIMIT), LINK_OK);
    while (fill(s, LIMIT) == LINK_AGAIN) { /* until the FIN has come, too */
        await_readable(s->link.fd);
        s->link.readable = true;
    }
    assert_true(s->link.eof);
    assert_int_equal(fill(s, LIMIT), LINK_EOF);
}

static void the_lookahead_grows_and_keeps_its_bytes(void **state)
{
    struct side *s = *state;
    gather(s, LIMIT);
    struct tf_span all = link_ahead(&s->link);
    assert_int_equal(all.n, LIMIT);
    for (size_t i = 0; i < LIMIT; i++)
        assert_int_equal(all.p[i], i / 1000);
    s->link.readable = true;
    assert_int_equal(fill(s, LIMIT), LINK_FULL);
}

/* What was consumed makes room for more within the same bound. */
static void consuming_makes_room(void **state)
{
    struct side *s = *state;
    gather(s, LIMIT);
    link_consume(&s->link, s->stage->loop, 1000);
    send_text(s->far, "more");
    await_readable(s->link.fd);
    s->link.readable = true;
    assert_int_equal(fill(s, LIMIT), LINK_OK);
    struct tf_span all = link_ahead(&s->link);
    assert_int_equal(all.n, LIMIT - 1000 + 4);
    assert_int_equal(all.p[0], 1);
    assert_memory_equal(all.p + LIMIT - 1000, "more", 4);
}

static void the_lookahead_goes_with_its_last_byte(void **state)
{
    struct side *s = *state;
    gather(s, 10);
    assert_true(s->stage->loop->gathered > 0);
    link_consume(&s->link, s->stage->loop, 9);
    assert_non_null(s->link.ahead.p);
    link_consume(&s->link, s->stage->loop, 1);
    assert_null(s->link.ahead.p);
    assert_int_equal(s->stage->loop->gathered, 0);
}

static void a_read_that_finds_nothing_leaves_no_lookahead(void **state)
{
    struct side *s = *state;
    s->link.readable = true;
    assert_int_equal(fill(s, LIMIT), LINK_AGAIN);
    assert_null(s->link.ahead.p);
}

static void what_all_gather_is_bounded(void **state)
{
    struct side *s = *state;
    s->stage->conf.tf.limits.lookahead_bytes = 3 * LOOP_BLOCK_SIZE;
    gather(s, 2 * LOOP_BLOCK_SIZE);
    s->link.readable = true;
    assert_int_equal(fill(s, LIMIT), LINK_NO_MEMORY);
    assert_int_equal(link_ahead(&s->link).n, 2 * LOOP_BLOCK_SIZE);
}

/* Else slow readers could use up what hellos need. */
static void what_a_tunnel_stashes_is_not_gathered(void **state)
{
    static uint8_t block[LOOP_BUFFER_SIZE];
    struct side *s = *state;
    assert_true(link_stash(&s->link, s->stage->loop, block, sizeof block));
    assert_int_equal(s->stage->loop->gathered, 0);
    assert_int_equal(link_ahead(&s->link).n, sizeof block);
    link_consume(&s->link, s->stage->loop, sizeof block);
    assert_int_equal(s->stage->loop->gathered, 0);
}

static void a_full_socket_says_how_much_it_took(void **state)
{
    static uint8_t block[1 << 20];
    struct side *s = *state;
    size_t sent, total = 0;
    enum link_io r;
    while ((r = link_send(&s->link, block, sizeof block, &sent)) == LINK_OK)
        total += sent;
    total += sent;
    assert_int_equal(r, LINK_AGAIN);
    assert_false(s->link.writable);
    link_shut(&s->link);
    size_t got = 0;
    for (ssize_t n; (n = recv(s->far, block, sizeof block, 0)) > 0;)
        got += (size_t)n;
    assert_int_equal(got, total);
}

static void a_send_to_a_peer_that_is_gone_is_an_error(void **state)
{
    struct side *s = *state;
    struct linger abort_now = {.l_onoff = 1};
    size_t sent;
    setsockopt(s->far, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
    close(s->far);
    s->far = -1;
    await_readable(s->link.fd);
    assert_int_equal(link_send(&s->link, "x", 1, &sent), LINK_ERROR);
    assert_int_equal(sent, 0);
    s->link.readable = true;
    assert_int_equal(fill(s, LIMIT), LINK_EOF); /* send took the error; what is left is the end */
}

static void assert_ends_with(struct side *s, bool reset, int error)
{
    char c;
    link_close(&s->link, s->stage->loop, reset);
    assert_int_equal(s->link.fd, -1);
    await_readable(s->far);
    errno = 0;
    assert_int_equal(recv(s->far, &c, 1, 0), error == 0 ? 0 : -1);
    assert_int_equal(errno, error);
}

static void closing_sends_a_fin(void **state)
{
    assert_ends_with(*state, false, 0);
}

static void closing_with_reset_sends_a_reset(void **state)
{
    assert_ends_with(*state, true, ECONNRESET);
}

/* As the far end sees it. */
static bool is_known_as_ours(struct side *s)
{
    struct sockaddr_in from, to;
    socklen_t len = sizeof from;
    struct tf_addr source, meant_for;
    assert_int_equal(getpeername(s->far, (struct sockaddr *)&from, &len), 0);
    assert_int_equal(getsockname(s->far, (struct sockaddr *)&to, &len), 0);
    sockaddr_to_addr((struct sockaddr *)&from, &source);
    sockaddr_to_addr((struct sockaddr *)&to, &meant_for);
    return own_ports_have(s->stage->setting.own_ports, &source, &meant_for);
}

static void what_is_noted_as_ours_is_forgotten_when_its_link_is_closed(void **state)
{
    struct side *s = *state;
    struct sockaddr_in to;
    socklen_t len = sizeof to;
    struct tf_addr server;
    struct link moved;
    assert_int_equal(getpeername(s->link.fd, (struct sockaddr *)&to, &len), 0);
    sockaddr_to_addr((struct sockaddr *)&to, &server);
    s->stage->setting.own_ports = own_ports_new();
    assert_false(is_known_as_ours(s));
    s->link.own_port = own_ports_add(s->stage->setting.own_ports, s->link.fd, &server);
    assert_true(is_known_as_ours(s));
    link_move(&moved, &s->link);
    link_close(&s->link, s->stage->loop, false); /* there is nothing in it any more */
    assert_true(is_known_as_ours(s));
    link_close(&moved, s->stage->loop, false);
    assert_false(is_known_as_ours(s));
    own_ports_free(s->stage->setting.own_ports);
    s->stage->setting.own_ports = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_read_before_an_edge, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_short_read_waits_for_the_next_edge, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_short_read_with_a_fin_behind_it_goes_on, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(the_lookahead_grows_and_keeps_its_bytes, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(consuming_makes_room, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(the_lookahead_goes_with_its_last_byte, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_read_that_finds_nothing_leaves_no_lookahead, begin_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(what_all_gather_is_bounded, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(what_a_tunnel_stashes_is_not_gathered, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_full_socket_says_how_much_it_took, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_send_to_a_peer_that_is_gone_is_an_error, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(closing_sends_a_fin, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(closing_with_reset_sends_a_reset, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(what_is_noted_as_ours_is_forgotten_when_its_link_is_closed,
                                        begin_side, finish_side),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
