/* dial.c with several addresses: Happy Eyeballs, and cancelling in every phase.
 *
 * A port that refuses is one that is bound and does not listen; one that does
 * not answer listens with a queue that is full. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "dial_fixture.h"
#include <poll.h>

/* Listens with a queue that is full already: further connections hang. */
static void listen_silently(int fd)
{
    struct sockaddr_storage sa;
    socklen_t size = sizeof sa;
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &size), 0);
    int filler = new_socket(sa.ss_family);
    (void)connect(filler, (struct sockaddr *)&sa, size);
    assert_int_equal(poll(&(struct pollfd){.fd = filler, .events = POLLOUT}, 1, 5000), 1);
}

/* The same port on ::1, *six, and on 127.0.0.1, *four; neither listens yet. Without IPv6 the test is skipped.
 */
static uint16_t bind_both(int *six, int *four)
{
    for (int i = 0; i < 5; i++) {
        *six = bind_to("::1", 0);
        if (*six < 0)
            skip();
        *four = bind_to("127.0.0.1", port_of(*six));
        if (*four >= 0)
            return port_of(*six);
    }
    fail_msg("no port is free on both ::1 and 127.0.0.1");
    return 0;
}

/* Happy Eyeballs. */

static void ipv6_comes_first(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(six);
    listening_port(four);
    dial(&o, "both.test", port);
    assert_connected(&o, "::1", port);
}

static void refused_address_is_followed_by_the_next_at_once(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(four);
    dial(&o, "both.test", port);
    assert_true(o.took_ms < ATTEMPT_DELAY_MS);
    assert_connected(&o, "127.0.0.1", port);
}

static void silent_addresses_are_overtaken_and_closed(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(four);
    listen_silently(six);
    int other = bind_to("127.0.0.2", port);
    if (other < 0)
        skip();
    listen_silently(other);
    size_t descriptors = count_descriptors();
    dial(&o, "three.test", port);
    assert_in_range(o.took_ms, 2 * ATTEMPT_DELAY_MS - 5, 2 * ATTEMPT_DELAY_MS + 200);
    assert_connected(&o, "127.0.0.1", port);
    assert_int_equal(count_descriptors(), descriptors);
}

static void families_take_turns(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(four);
    listen_silently(six);
    dial(&o, "twice6.test", port);
    assert_in_range(o.took_ms, ATTEMPT_DELAY_MS - 5, 2 * ATTEMPT_DELAY_MS - 50);
    assert_connected(&o, "127.0.0.1", port);
}

static void slow_ipv6_lookup_is_not_waited_for(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(six);
    listening_port(four);
    dial(&o, "slow6.test", port);
    assert_in_range(o.took_ms, RESOLUTION_DELAY_MS - 5, SLOW_MS / 2);
    assert_connected(&o, "127.0.0.1", port);
}

static void ipv6_lookup_within_the_resolution_delay_wins(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(six);
    listening_port(four);
    dial(&o, "late6.test", port);
    assert_connected(&o, "::1", port);
}

static void slow_ipv4_lookup_is_not_waited_for(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(six);
    dial(&o, "slow4.test", port);
    assert_true(o.took_ms < SLOW_MS / 2);
    assert_connected(&o, "::1", port);
}

static void ipv4_alone_does_not_wait(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    dial(&o, "four.test", port);
    assert_true(o.took_ms < RESOLUTION_DELAY_MS);
    assert_connected(&o, "127.0.0.1", port);
}

static void seventeenth_address_is_not_tried(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listening_port(four);
    dial(&o, "sixteen.test", port);
    assert_connected(&o, "127.0.0.1", port);
    dial(&o, "seventeen.test", port);
    assert_failed(&o, TF_REASON_DIAL_REFUSED, "::1"); /* of failures that tell the same, the first */
}

/* Cancelling. tear_down and the sanitizer see what is left behind. */

/* On a machine that was busy for longer than the dial took, there is nothing left to cancel. */
static void cancel(struct outcome *o)
{
    if (o->calls > 0)
        skip();
    dial_cancel(o->dial);
    let_pass(RESOLUTION_DELAY_MS * 2);
    assert_int_equal(o->calls, 0);
}

static void cancelled_during_the_lookup(void **state)
{
    (void)state;
    struct outcome o;
    set_dns_ms(RESOLUTION_DELAY_MS);
    start(&o, "silent.test", 443);
    let_pass(10);
    cancel(&o);
}

static void cancelled_during_the_resolution_delay(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    start(&o, "slow6.test", port);
    let_pass(RESOLUTION_DELAY_MS / 3);
    assert_int_equal(server.asked4, 1);
    cancel(&o);
}

static void cancelled_during_attempts(void **state)
{
    (void)state;
    struct outcome o;
    int six, four;
    uint16_t port = bind_both(&six, &four);
    listen_silently(six);
    listen_silently(four);
    let_pass(1);
    size_t descriptors = count_descriptors();
    start(&o, "both.test", port);
    let_pass(ATTEMPT_DELAY_MS + 50);
    assert_int_equal(count_descriptors(), descriptors + 2);
    cancel(&o);
    assert_int_equal(count_descriptors(), descriptors);
}

static void cancelled_at_once(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    size_t descriptors = count_descriptors();
    start(&o, "127.0.0.1", port);
    cancel(&o);
    assert_int_equal(count_descriptors(), descriptors);
}

static struct outcome twins[2];

static void cancel_the_other(void *arg, const struct dial_result *result)
{
    struct outcome *other = arg == &twins[0] ? &twins[1] : &twins[0];
    on_dialled(arg, result);
    dial_cancel(other->dial);
    other->dial = NULL;
}

static void cancelled_by_another_dial_of_the_same_batch(void **state)
{
    (void)state;
    const char *hosts[] = {"127.0.0.1",
                           "four.test"}; /* by events of sockets, and by answers to one question */
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    size_t descriptors = count_descriptors();
    for (size_t h = 0; h < 2; h++) {
        assert_int_equal(tf_host_parse(hosts[h], strlen(hosts[h]), &target), TF_HOST_OK);
        target.port = target.addr.port = port;
        for (size_t i = 0; i < 2; i++) {
            twins[i] = (struct outcome){0};
            twins[i].dial =
                dial_start(&dialer, &conf, &target, cancel_the_other, &twins[i], &twins[i].why, NULL);
            assert_non_null(twins[i].dial);
        }
        while (twins[0].calls + twins[1].calls == 0)
            uv_run(&loop, UV_RUN_DEFAULT);
        let_pass(10);
        assert_int_equal(twins[0].calls + twins[1].calls, 1);
        drop(twins[0].calls > 0 ? &twins[0] : &twins[1]);
    }
    let_pass(10);
    assert_int_equal(count_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(ipv6_comes_first),
        TEST(refused_address_is_followed_by_the_next_at_once),
        TEST(silent_addresses_are_overtaken_and_closed),
        TEST(families_take_turns),
        TEST(slow_ipv6_lookup_is_not_waited_for),
        TEST(ipv6_lookup_within_the_resolution_delay_wins),
        TEST(slow_ipv4_lookup_is_not_waited_for),
        TEST(ipv4_alone_does_not_wait),
        TEST(seventeenth_address_is_not_tried),
        TEST(cancelled_during_the_lookup),
        TEST(cancelled_during_the_resolution_delay),
        TEST(cancelled_during_attempts),
        TEST(cancelled_at_once),
        TEST(cancelled_by_another_dial_of_the_same_batch),
#undef TEST
    };
    return cmocka_run_group_tests_name("dial_race", tests, NULL, NULL);
}
