/* original.c, as far as it needs no firewall; with one it is tests/e2e/67-transparent.py's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/original.h"
#include "../../proxy/sockaddr.h"
#include "tcp_pair.h"

static struct tf_addr address_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    struct tf_addr a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    assert_true(sockaddr_to_peer((struct sockaddr *)&sa, &a));
    return a;
}

static void assert_same(const struct tf_addr *a, const struct tf_addr *b)
{
    assert_true(tf_addr_same_ip(a, b));
    assert_int_equal(a->port, b->port);
}

/* A connection to a socket that takes both families, by IPv4 or IPv6; pair[1] is the end that was accepted.
 * False: there is no IPv6 here. */
static bool dual_pair(int pair[2], bool by_v6)
{
    struct sockaddr_in6 every = {.sin6_family = AF_INET6};
    socklen_t len = sizeof every;
    int listening = socket(AF_INET6, SOCK_STREAM, 0), no = 0;
    if (listening < 0)
        return false;
    assert_int_equal(setsockopt(listening, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no), 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&every, len), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&every, &len), 0);
    struct tf_addr to = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}, .port = ntohs(every.sin6_port)};
    if (by_v6)
        to = (struct tf_addr){.family = TF_FAMILY_V6, .ip = {[15] = 1}, .port = to.port};
    struct sockaddr_storage sa;
    len = sockaddr_from_addr(&sa, &to);
    pair[0] = socket(sa.ss_family, SOCK_STREAM, 0);
    bool connected = connect(pair[0], (struct sockaddr *)&sa, len) == 0;
    if (connected)
        pair[1] = accept(listening, NULL, NULL);
    else
        close(pair[0]);
    close(listening);
    return connected;
}

static void close_pair(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

static void a_connection_that_was_not_turned_has_no_original_destination(void **state)
{
    struct tf_addr found;
    int pair[2];
    (void)state;
    tcp_pair(pair);
    assert_false(original_destination(pair[1], TF_INTERCEPT_REDIRECT, &found));
    close_pair(pair);
    for (int by_v6 = 0; by_v6 <= 1; by_v6++) {
        if (!dual_pair(pair, by_v6))
            continue;
        assert_false(original_destination(pair[1], TF_INTERCEPT_REDIRECT, &found));
        close_pair(pair);
    }
}

static void what_is_no_connection_has_no_original_destination(void **state)
{
    struct tf_addr found;
    (void)state;
    assert_false(original_destination(-1, TF_INTERCEPT_REDIRECT, &found));
    assert_false(original_destination(-1, TF_INTERCEPT_TPROXY, &found));
}

static void with_tproxy_it_is_the_name_of_the_socket(void **state)
{
    struct tf_addr found, expected;
    int pair[2];
    (void)state;
    tcp_pair(pair);
    expected = address_of(pair[1]);
    assert_true(original_destination(pair[1], TF_INTERCEPT_TPROXY, &found));
    assert_same(&found, &expected);
    close_pair(pair);
}

static void IPv4_on_a_socket_of_both_families_stays_IPv4(void **state)
{
    struct tf_addr found;
    int pair[2];
    (void)state;
    if (!dual_pair(pair, false))
        skip();
    assert_true(original_destination(pair[1], TF_INTERCEPT_TPROXY, &found));
    assert_int_equal(found.family, TF_FAMILY_V4);
    assert_int_equal(found.ip[0], 127);
    close_pair(pair);
}

/* Connections of the gateway are pair[0] here: pair[1] is where they would come back. */

static void an_own_connection_is_known_until_it_is_taken_out(void **state)
{
    struct own_ports *p = own_ports_new();
    int pair[2];
    (void)state;
    tcp_pair(pair);
    struct tf_addr from = address_of(pair[0]), to = address_of(pair[1]);
    assert_false(own_ports_have(p, &from, &to));
    uint16_t port = own_ports_add(p, pair[0], &to);
    assert_int_equal(port, from.port);
    assert_true(own_ports_have(p, &from, &to));
    own_ports_remove(p, port);
    assert_false(own_ports_have(p, &from, &to));
    close_pair(pair);
    own_ports_free(p);
}

static void an_IPv6_connection_is_known_too(void **state)
{
    struct own_ports *p = own_ports_new();
    int pair[2];
    (void)state;
    if (!dual_pair(pair, true)) {
        own_ports_free(p);
        skip();
    }
    struct tf_addr from = address_of(pair[0]), to = address_of(pair[1]);
    own_ports_add(p, pair[0], &to);
    assert_true(own_ports_have(p, &from, &to));
    close_pair(pair);
    own_ports_free(p);
}

/* The kernel gives one port to connections to different servers. */
static void another_program_on_the_same_port_is_not_taken_for_us(void **state)
{
    struct own_ports *p = own_ports_new();
    int pair[2];
    (void)state;
    tcp_pair(pair);
    struct tf_addr from = address_of(pair[0]), to = address_of(pair[1]);
    own_ports_add(p, pair[0], &to);
    struct tf_addr other_server = to, other_port = to, other_machine = from;
    other_server.ip[3] ^= 2;
    other_port.port ^= 1;
    other_machine.ip[0] = 10;
    assert_false(own_ports_have(p, &from, &other_server));
    assert_false(own_ports_have(p, &from, &other_port));
    assert_false(own_ports_have(p, &other_machine, &to));
    assert_true(own_ports_have(p, &from, &to));
    close_pair(pair);
    own_ports_free(p);
}

static void while_there_is_no_transparent_listener_nothing_is_noted(void **state)
{
    int pair[2];
    (void)state;
    tcp_pair(pair);
    struct tf_addr from = address_of(pair[0]), to = address_of(pair[1]);
    assert_int_equal(own_ports_add(NULL, pair[0], &to), 0);
    assert_false(own_ports_have(NULL, &from, &to));
    own_ports_remove(NULL, from.port);
    close_pair(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_was_not_turned_has_no_original_destination),
        cmocka_unit_test(what_is_no_connection_has_no_original_destination),
        cmocka_unit_test(with_tproxy_it_is_the_name_of_the_socket),
        cmocka_unit_test(IPv4_on_a_socket_of_both_families_stays_IPv4),
        cmocka_unit_test(an_own_connection_is_known_until_it_is_taken_out),
        cmocka_unit_test(an_IPv6_connection_is_known_too),
        cmocka_unit_test(another_program_on_the_same_port_is_not_taken_for_us),
        cmocka_unit_test(while_there_is_no_transparent_listener_nothing_is_noted),
    };
    return cmocka_run_group_tests_name("original", tests, NULL, NULL);
}
