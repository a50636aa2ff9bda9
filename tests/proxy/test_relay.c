/* One direction of a tunnel over real TCP sockets: a writer, the two links, a reader. */
#include "../../proxy/loop.h"
#include "../../proxy/relay.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_pair.h"

/* The far ends are `writer` and `reader`; the relay's own sockets are in the links. */
struct tunnel {
    struct loop loop;
    struct link from, to;
    struct flow flow;
    uint64_t bytes;
    int writer, reader;
};

static int begin(void **state)
{
    static const struct setting nothing_special;
    struct tunnel *t = calloc(1, sizeof *t);
    int pair[2];
    t->loop.setting = &nothing_special;
    t->loop.buffer = malloc(LOOP_BUFFER_SIZE);
    pool_init(&t->loop.blocks, LOOP_BLOCK_SIZE);
    pipes_init(&t->loop.pipes, 4);
    tcp_pair(pair);
    t->writer = pair[0];
    link_init(&t->from, pair[1]);
    tcp_pair(pair);
    t->reader = pair[0];
    link_init(&t->to, pair[1]);
    t->from.writable = t->to.writable = true;
    *state = t;
    return 0;
}

static int finish(void **state)
{
    struct tunnel *t = *state;
    flow_fini(&t->flow, &t->loop);
    link_close(&t->from, &t->loop, false);
    link_close(&t->to, &t->loop, false);
    close(t->writer);
    close(t->reader);
    pipes_fini(&t->loop.pipes);
    pool_fini(&t->loop.blocks);
    assert_int_equal(t->loop.gathered, 0);
    free(t->loop.buffer);
    free(t);
    return 0;
}

/* Waits for the event and notes it as the watcher would. */
static void await(struct link *l, short event, bool *flag)
{
    struct pollfd p = {.fd = l->fd, .events = event};
    assert_int_equal(poll(&p, 1, 5000), 1);
    *flag = true;
    if (p.revents & (POLLHUP | POLLRDHUP))
        l->hangup = true;
}

static enum pump pump(struct tunnel *t)
{
    return relay_pump(&t->loop, &t->from, &t->to, &t->flow, &t->bytes);
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void read_pattern(struct tunnel *t, size_t from, size_t to)
{
    static uint8_t got[65536];
    while (from < to) {
        ssize_t n = recv(t->reader, got, sizeof got < to - from ? sizeof got : to - from, 0);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(got[i], pattern(from + (size_t)i));
        from += (size_t)n;
    }
}

static void a_small_record_is_copied_at_once(void **state)
{
    struct tunnel *t = *state;
    char got[8];
    assert_int_equal(send(t->writer, "hello", 5, 0), 5);
    await(&t->from, POLLIN, &t->from.readable);
    assert_int_equal(pump(t), PUMP_IDLE);
    assert_int_equal(t->bytes, 5);
    assert_int_equal(recv(t->reader, got, sizeof got, 0), 5);
    assert_memory_equal(got, "hello", 5);
    assert_null(t->flow.pipe);
    assert_null(t->from.ahead.p);
}

static void the_lookahead_goes_first(void **state)
{
    struct tunnel *t = *state;
    char got[16];
    assert_true(link_stash(&t->from, &t->loop, "first ", 6));
    assert_int_equal(send(t->writer, "second", 6, 0), 6);
    await(&t->from, POLLIN, &t->from.readable);
    assert_int_equal(pump(t), PUMP_IDLE);
    assert_int_equal(recv(t->reader, got, sizeof got, MSG_WAITALL | MSG_DONTWAIT), 12);
    assert_memory_equal(got, "first second", 12);
}

/* The writer is always ahead and the reader only reads when the relay is stuck: every path is taken, and the
 * bytes must come out as they went in. */
static void bulk_over_a_slow_reader_is_identical(void **state)
{
    struct tunnel *t = *state;
    enum { TOTAL = 24 * 1024 * 1024 };
    size_t written = 0, read = 0;
    uint8_t *block = malloc(1 << 20);
    bool spliced = false, held = false;
    while (read < TOTAL) {
        while (written < TOTAL) {
            size_t want = TOTAL - written < 1 << 20 ? TOTAL - written : 1 << 20;
            for (size_t i = 0; i < want; i++)
                block[i] = pattern(written + i);
            ssize_t n = send(t->writer, block, want, MSG_DONTWAIT);
            if (n < 0)
                break;
            written += (size_t)n;
        }
        t->from.readable = t->to.writable = true;
        pump(t);
        spliced = spliced || t->flow.pipe != NULL;
        held = held || t->flow.piped > 0 || t->from.ahead.p != NULL;
        read_pattern(t, read, t->bytes);
        read = t->bytes;
    }
    assert_true(spliced);
    assert_true(held); /* the reader did not keep up */
    t->from.readable = true;
    assert_int_equal(pump(t), PUMP_IDLE);
    assert_null(t->flow.pipe); /* given back when the direction runs dry */
    free(block);
}

static void without_pipes_bulk_is_copied(void **state)
{
    struct tunnel *t = *state;
    enum { TOTAL = 1024 * 1024 };
    static uint8_t block[TOTAL];
    t->loop.pipes.max = 0;
    for (size_t i = 0; i < TOTAL; i++)
        block[i] = pattern(i);
    size_t written = 0;
    while (t->bytes < TOTAL) {
        if (written < TOTAL) {
            ssize_t n = send(t->writer, block + written, TOTAL - written, MSG_DONTWAIT);
            written += n > 0 ? (size_t)n : 0;
        }
        size_t before = t->bytes;
        t->from.readable = t->to.writable = true;
        pump(t);
        read_pattern(t, before, t->bytes);
        assert_null(t->flow.pipe);
    }
}

static void the_end_is_passed_on_after_the_last_byte(void **state)
{
    struct tunnel *t = *state;
    char got[8];
    assert_int_equal(send(t->writer, "bye", 3, 0), 3);
    shutdown(t->writer, SHUT_WR);
    await(&t->from, POLLIN | POLLRDHUP, &t->from.readable);
    enum pump r = pump(t);
    if (r == PUMP_IDLE) { /* the FIN came after the edge: there will be another one */
        await(&t->from, POLLIN | POLLRDHUP, &t->from.readable);
        r = pump(t);
    }
    assert_int_equal(r, PUMP_DONE);
    assert_true(t->to.shut);
    assert_int_equal(recv(t->reader, got, sizeof got, MSG_WAITALL), 3);
    assert_int_equal(recv(t->reader, got, sizeof got, 0), 0);
}

static void a_broken_writer_is_an_error(void **state)
{
    struct tunnel *t = *state;
    struct linger abort_now = {.l_onoff = 1};
    setsockopt(t->writer, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
    close(t->writer);
    t->writer = -1;
    await(&t->from, POLLIN, &t->from.readable);
    assert_int_equal(pump(t), PUMP_ERROR);
}

/* What the receiver said before it went may still be waiting in the other direction. */
static void a_receiver_that_is_gone_ends_only_this_direction(void **state)
{
    struct tunnel *t = *state;
    struct linger abort_now = {.l_onoff = 1};
    setsockopt(t->reader, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
    close(t->reader);
    t->reader = -1;
    bool reset;
    await(&t->to, POLLIN, &reset);
    assert_int_equal(send(t->writer, "lost", 4, 0), 4);
    await(&t->from, POLLIN, &t->from.readable);
    assert_int_equal(pump(t), PUMP_DONE);
    assert_true(t->flow.done);
    assert_null(t->from.ahead.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_small_record_is_copied_at_once, begin, finish),
        cmocka_unit_test_setup_teardown(the_lookahead_goes_first, begin, finish),
        cmocka_unit_test_setup_teardown(bulk_over_a_slow_reader_is_identical, begin, finish),
        cmocka_unit_test_setup_teardown(without_pipes_bulk_is_copied, begin, finish),
        cmocka_unit_test_setup_teardown(the_end_is_passed_on_after_the_last_byte, begin, finish),
        cmocka_unit_test_setup_teardown(a_broken_writer_is_an_error, begin, finish),
        cmocka_unit_test_setup_teardown(a_receiver_that_is_gone_ends_only_this_direction, begin, finish),
    };
    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
