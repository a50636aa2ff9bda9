/* Which sockets a reload keeps, opens and lets go. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "loop_fixture.h"

#include "../../proxy/sockets.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>

enum { LOOPS = 2 };

static const struct tf_addr any_port = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
static char error[256];

static struct tf_listener listener_of(const char *name, const struct tf_addr *address,
                                      struct tf_listener *next)
{
    return (struct tf_listener){.name = name, .addresses = address, .address_count = 1, .next = next};
}

static struct sockets open_all(struct tf_listener *first, const struct sockets *old)
{
    struct tf_conf conf = {.listeners = first};
    struct sockets s;
    assert_true(sockets_open(&s, &conf, old, NULL, LOOPS, error, sizeof error));
    return s;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* What the loops would close. */
static void close_all(struct sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < LOOPS; k++)
            close(s->list[i].fds[k]);
    sockets_free(s);
}

static void every_loop_has_a_socket_of_its_own_on_one_port(void **state)
{
    (void)state;
    struct tf_listener only = listener_of("a", &any_port, NULL);
    struct sockets s = open_all(&only, NULL);
    size_t count;
    struct listening *first = sockets_of_loop(&s, 0, &count), *second = sockets_of_loop(&s, 1, &count);
    assert_int_equal(count, 1);
    assert_int_equal(s.count, 1);
    assert_true(s.list[0].actual.port != 0);
    assert_int_not_equal(first->fd, second->fd);
    assert_ptr_equal(first->listener, &only);
    free(first);
    free(second);
    close_all(&s);
}

static void an_address_that_stays_keeps_its_sockets(void **state)
{
    (void)state;
    struct tf_listener before = listener_of("a", &any_port, NULL), after = before;
    struct sockets old = open_all(&before, NULL), new = open_all(&after, &old);
    assert_memory_equal(old.list[0].fds, new.list[0].fds, LOOPS * sizeof(int));
    assert_int_equal(old.list[0].actual.port, new.list[0].actual.port);
    assert_false(new.list[0].is_new);
    assert_ptr_equal(new.list[0].listener, &after);
    sockets_free(&old);
    close_all(&new);
}

/* The port is free, so the address alone does not tell them apart. */
static void two_free_ports_stay_two_over_a_reload(void **state)
{
    (void)state;
    struct tf_listener b = listener_of("b", &any_port, NULL), a = listener_of("a", &any_port, &b);
    struct sockets old = open_all(&a, NULL), new = open_all(&a, &old);
    assert_int_not_equal(new.list[0].fds[0], new.list[1].fds[0]);
    struct sockets only_b = open_all(&b, &old);
    assert_int_equal(only_b.list[0].fds[0], old.list[1].fds[0]);
    sockets_free(&only_b);
    sockets_free(&new);
    close_all(&old);
}

static void a_reload_that_fails_later_closes_only_what_it_opened(void **state)
{
    (void)state;
    struct tf_listener before = listener_of("a", &any_port, NULL);
    struct sockets old = open_all(&before, NULL);
    struct tf_listener added = listener_of("b", &any_port, NULL);
    before.next = &added;
    struct sockets new = open_all(&before, &old);
    int opened = new.list[1].fds[0];
    sockets_undo(&new);
    assert_false(is_open(opened));
    assert_true(is_open(old.list[0].fds[0]));
    close_all(&old);
}

static void one_address_that_is_taken_leaves_none_open(void **state)
{
    (void)state;
    struct tf_addr taken = any_port;
    int other = listen_anywhere(&taken.port);
    struct tf_listener b = listener_of("b", &taken, NULL), a = listener_of("a", &any_port, &b);
    struct tf_conf conf = {.listeners = &a};
    struct sockets s;
    int before = dup(0);
    close(before);
    assert_false(sockets_open(&s, &conf, NULL, NULL, LOOPS, error, sizeof error));
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
    assert_non_null(strstr(error, "another program listens there"));
    close(other);
}

/* Where a firewall hands connections over in another way, sockets of another kind are needed; that we listen
 * there ourselves is no reason not to. */
static void another_way_of_intercepting_needs_other_sockets(void **state)
{
    (void)state;
    struct tf_listener before = listener_of("a", &any_port, NULL);
    before.kind = TF_KIND_TRANSPARENT;
    struct sockets old = open_all(&before, NULL), new;
    struct tf_addr address = old.list[0].wanted = old.list[0].actual; /* as if its port had been written */
    struct tf_listener after = listener_of("a", &address, NULL);
    after.kind = TF_KIND_TRANSPARENT;
    after.intercept = TF_INTERCEPT_TPROXY;
    struct tf_conf conf = {.listeners = &after};
    if (!sockets_open(&new, &conf, &old, NULL, LOOPS, error, sizeof error)) {
        assert_non_null(strstr(error, "CAP_NET_ADMIN"));
        close_all(&old);
        skip();
    }
    assert_true(new.list[0].is_new);
    assert_int_not_equal(new.list[0].fds[0], old.list[0].fds[0]);
    struct sockets same = open_all(&after, &new);
    assert_false(same.list[0].is_new);
    sockets_free(&same);
    close_all(&old);
    close_all(&new);
}

static bool waits_for_bytes(const struct sockets *s)
{
    int seconds = 0;
    socklen_t len = sizeof seconds;
    assert_int_equal(getsockopt(s->list[0].fds[LOOPS - 1], IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &len), 0);
    return seconds > 0;
}

/* A client of mail would be silent until its server has greeted it. */
static void a_connection_is_awaited_with_its_first_bytes_unless_the_server_may_speak_first(void **state)
{
    static const struct {
        enum tf_kind kind;
        enum tf_protocol protocol;
        bool waits;
    } rows[] = {
        {TF_KIND_CONNECT, TF_PROTOCOL_TLS, true},  {TF_KIND_FORWARD, TF_PROTOCOL_SMTP, false},
        {TF_KIND_SNI, TF_PROTOCOL_TLS, true},      {TF_KIND_FORWARD, TF_PROTOCOL_POP3, false},
        {TF_KIND_SOCKS5, TF_PROTOCOL_TLS, true},   {TF_KIND_TRANSPARENT, TF_PROTOCOL_TLS, false},
        {TF_KIND_FORWARD, TF_PROTOCOL_HTTP, true},
    };
    (void)state;
    struct tf_listener listener = listener_of("a", &any_port, NULL);
    struct sockets old = open_all(&listener, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        listener.kind = rows[i].kind;
        listener.protocol = rows[i].protocol;
        struct sockets new = open_all(&listener, &old); /* a reload, which keeps the sockets */
        assert_false(new.list[0].is_new);
        assert_int_equal(waits_for_bytes(&new), rows[i].waits);
        sockets_free(&old);
        old = new;
    }
    close_all(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_loop_has_a_socket_of_its_own_on_one_port),
        cmocka_unit_test(an_address_that_stays_keeps_its_sockets),
        cmocka_unit_test(two_free_ports_stay_two_over_a_reload),
        cmocka_unit_test(a_reload_that_fails_later_closes_only_what_it_opened),
        cmocka_unit_test(one_address_that_is_taken_leaves_none_open),
        cmocka_unit_test(another_way_of_intercepting_needs_other_sockets),
        cmocka_unit_test(a_connection_is_awaited_with_its_first_bytes_unless_the_server_may_speak_first),
    };
    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
