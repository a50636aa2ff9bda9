/* Outgoing bytes of one side, on a TCP connection. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/outbox.h"
#include "loop_fixture.h"

enum { CAP = 100 };

struct side {
    struct outbox box;
    struct link link;
    int far;
    uint64_t bytes;
};

static int begin_side(void **state)
{
    struct side *s = calloc(1, sizeof *s);
    int pair[2];
    tcp_pair(pair);
    s->far = pair[0];
    link_init(&s->link, pair[1]);
    s->link.writable = true;
    assert_true(outbox_open(&s->box, CAP));
    *state = s;
    return 0;
}

static int finish_side(void **state)
{
    struct side *s = *state;
    outbox_free(&s->box);
    assert_null(s->box.p);
    close(s->link.fd);
    close(s->far);
    free(s);
    return 0;
}

static void put(struct side *s, const char *text)
{
    struct tf_writer w = outbox_writer(&s->box);
    tf_put_text(&w, text);
    assert_false(w.full);
    outbox_add(&s->box, w.len);
}

static void what_is_added_is_sent_in_order_and_counted(void **state)
{
    struct side *s = *state;
    char got[10];
    put(s, "first ");
    put(s, "next");
    assert_false(outbox_is_empty(&s->box));
    assert_int_equal(outbox_flush(&s->box, &s->link, &s->bytes), LINK_OK);
    assert_true(outbox_is_empty(&s->box));
    assert_int_equal(s->bytes, 10);
    receive(s->far, got, 10);
    assert_memory_equal(got, "first next", 10);
}

static void nothing_is_sent_before_an_edge(void **state)
{
    struct side *s = *state;
    put(s, "text");
    s->link.writable = false;
    assert_int_equal(outbox_flush(&s->box, &s->link, &s->bytes), LINK_AGAIN);
    assert_int_equal(s->bytes, 0);
    assert_false(outbox_is_empty(&s->box));
}

static void an_empty_one_has_all_of_its_room_again(void **state)
{
    struct side *s = *state;
    put(s, "text");
    assert_int_equal(outbox_writer(&s->box).cap, CAP - 4);
    assert_int_equal(outbox_flush(&s->box, &s->link, &s->bytes), LINK_OK);
    assert_int_equal(outbox_writer(&s->box).cap, CAP);
}

static void opened_anew_it_is_empty_and_large_enough(void **state)
{
    struct side *s = *state;
    put(s, "text");
    assert_true(outbox_open(&s->box, CAP / 2));
    assert_true(outbox_is_empty(&s->box));
    assert_int_equal(outbox_writer(&s->box).cap, CAP);
    assert_true(outbox_open(&s->box, CAP * 2));
    assert_int_equal(outbox_writer(&s->box).cap, CAP * 2);
}

static void a_peer_that_is_gone_is_an_error(void **state)
{
    struct side *s = *state;
    struct linger abort_now = {.l_onoff = 1};
    setsockopt(s->far, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
    close(s->far);
    s->far = dup(s->link.fd);
    await_readable(s->link.fd);
    put(s, "text");
    assert_int_equal(outbox_flush(&s->box, &s->link, &s->bytes), LINK_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_added_is_sent_in_order_and_counted, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(nothing_is_sent_before_an_edge, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(an_empty_one_has_all_of_its_room_again, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(opened_anew_it_is_empty_and_large_enough, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_peer_that_is_gone_is_an_error, begin_side, finish_side),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
