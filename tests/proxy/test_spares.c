/* Connections that are kept for later, on a loop that the test runs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/spares.h"
#include "loop_fixture.h"
#include <fcntl.h>

enum { PEERS = SPARES_MAX + 1 };

struct shelf {
    struct stage *stage;
    struct spares *spares;
    int far[PEERS];
    unsigned told; /* what the owner heard of a connection that it has taken */
};

static int begin_shelf(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    begin((void **)&s->stage);
    for (int i = 0; i < PEERS; i++)
        s->far[i] = -1;
    *state = s;
    return 0;
}

static int finish_shelf(void **state)
{
    struct shelf *s = *state;
    spares_free(&s->spares, s->stage->loop);
    assert_null(s->spares);
    for (int i = 0; i < PEERS; i++)
        if (s->far[i] >= 0)
            close(s->far[i]);
    finish((void **)&s->stage);
    free(s);
    return 0;
}

static void on_taken(void *arg, unsigned ready)
{
    struct shelf *s = arg;
    s->told |= ready;
}

static struct place place_of(int number, bool is_secure)
{
    struct place p = {.is_secure = is_secure, .target.port = 443, .address.port = (uint16_t)number};
    snprintf(p.target.host, sizeof p.target.host, "n%d.test", number);
    return p;
}

static struct link connect_to(struct shelf *s, int number)
{
    struct link link;
    int pair[2];
    tcp_pair(pair);
    s->far[number] = pair[0];
    link_init(&link, pair[1]);
    assert_true(link_watch(&link, s->stage->loop, on_taken, s));
    return link;
}

static void put(struct shelf *s, int number)
{
    struct link link = connect_to(s, number);
    struct place place = place_of(number, true);
    spares_put(&s->spares, s->stage->loop, &link, &place);
    assert_int_equal(link.fd, -1);
}

static bool take(struct shelf *s, int number, bool is_secure, struct link *link, struct place *place)
{
    struct place wanted = place_of(number, is_secure);
    link_init(link, -1);
    return spares_take(s->spares, &wanted.target, is_secure, link, place, on_taken, s);
}

/* It is there, works, and is not there any more. */
static void expect_taken(struct shelf *s, int number)
{
    struct link link;
    struct place place;
    char got[2];
    assert_true(take(s, number, true, &link, &place));
    assert_int_equal(place.address.port, number);
    assert_true(place.is_secure);
    send_all(link.fd, "hi", 2);
    receive(s->far[number], got, 2);
    link_close(&link, s->stage->loop, false);
    assert_false(take(s, number, true, &link, &place));
}

static bool is_closed(int far)
{
    char c;
    return recv(far, &c, 1, MSG_DONTWAIT) == 0;
}

static void one_is_found_by_where_it_leads(void **state)
{
    struct shelf *s = *state;
    struct link link;
    struct place place;
    assert_false(take(s, 0, true, &link, &place));
    put(s, 0);
    put(s, 1);
    assert_false(take(s, 2, true, &link, &place));
    assert_false(take(s, 0, false, &link, &place));
    expect_taken(s, 1);
    expect_taken(s, 0);
}

static void host_port_and_security_make_a_place(void **state)
{
    (void)state;
    struct place place = place_of(0, true), other = place;
    assert_true(place_is(&place, &other.target, true));
    assert_false(place_is(&place, &other.target, false));
    other.target.port = 80;
    assert_false(place_is(&place, &other.target, true));
    other = place_of(1, true);
    assert_false(place_is(&place, &other.target, true));
}

static void the_oldest_makes_room(void **state)
{
    struct shelf *s = *state;
    for (int i = 0; i < PEERS; i++)
        put(s, i);
    await_readable(s->far[0]);
    assert_true(is_closed(s->far[0]));
    for (int i = 1; i < PEERS; i++)
        expect_taken(s, i);
}

static int kept_fd;

static bool is_kept_fd_closed(struct stage *t)
{
    (void)t;
    return fcntl(kept_fd, F_GETFD) < 0;
}

static void one_that_the_server_closes_is_closed_at_once(void **state)
{
    struct shelf *s = *state;
    struct link link = connect_to(s, 0);
    struct place place = place_of(0, true);
    kept_fd = link.fd;
    spares_put(&s->spares, s->stage->loop, &link, &place);
    close(s->far[0]);
    s->far[0] = -1;
    run_until(s->stage, is_kept_fd_closed);
    assert_false(take(s, 0, true, &link, &place));
}

static void edges_go_to_who_has_it(void **state)
{
    struct shelf *s = *state;
    struct link link;
    struct place place;
    put(s, 0);
    send_text(s->far[0], "unasked");
    for (int i = 0; i < 3; i++)
        uv_run(&s->stage->loop->uv, UV_RUN_NOWAIT);
    assert_int_equal(s->told, 0);
    assert_true(take(s, 0, true, &link, &place));
    assert_true(link.readable); /* the edge was told while it was kept, and is not lost */
    assert_int_equal(link_fill(&link, s->stage->loop, 4096), LINK_OK);
    link_close(&link, s->stage->loop, false);
}

static void one_that_is_known_to_be_over_is_not_kept(void **state)
{
    struct shelf *s = *state;
    struct link link = connect_to(s, 0);
    struct place place = place_of(0, true);
    link_note(&link, WATCH_HANGUP);
    spares_put(&s->spares, s->stage->loop, &link, &place);
    await_readable(s->far[0]);
    assert_true(is_closed(s->far[0]));
    assert_false(take(s, 0, true, &link, &place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_is_found_by_where_it_leads, begin_shelf, finish_shelf),
        cmocka_unit_test(host_port_and_security_make_a_place),
        cmocka_unit_test_setup_teardown(the_oldest_makes_room, begin_shelf, finish_shelf),
        cmocka_unit_test_setup_teardown(one_that_the_server_closes_is_closed_at_once, begin_shelf,
                                        finish_shelf),
        cmocka_unit_test_setup_teardown(edges_go_to_who_has_it, begin_shelf, finish_shelf),
        cmocka_unit_test_setup_teardown(one_that_is_known_to_be_over_is_not_kept, begin_shelf, finish_shelf),
    };
    return cmocka_run_group_tests_name("spares", tests, NULL, NULL);
}
