/* sockaddr.c: there and back, and what the kernel says of IPv4 on IPv6 sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/sockaddr.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static struct tf_addr at(const char *text)
{
    struct tf_addr a;
    assert_true(tf_addr_port_parse(text, strlen(text), &a));
    return a;
}

static void both_families_survive_the_way_there_and_back(void **state)
{
    struct tf_addr addrs[] = {at("192.0.2.1:443"), at("[2001:db8::1]:65535"), at("[::ffff:192.0.2.1]:1"),
                              at("[fe80::1]:2")};
    (void)state;
    addrs[3].scope = 7;
    for (size_t i = 0; i < 4; i++) {
        struct sockaddr_storage ss;
        struct tf_addr back;
        socklen_t n = sockaddr_from_addr(&ss, &addrs[i]);
        assert_int_equal(n, i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        assert_true(sockaddr_to_addr((const struct sockaddr *)&ss, &back));
        assert_memory_equal(&back, &addrs[i], sizeof back);
    }
}

static void no_family_is_the_wildcard_of_both(void **state)
{
    struct tf_addr any = at("*:80");
    struct sockaddr_storage ss;
    (void)state;
    assert_int_equal(sockaddr_from_addr(&ss, &any), sizeof(struct sockaddr_in6));
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&ss;
    assert_int_equal(v6->sin6_family, AF_INET6);
    assert_int_equal(v6->sin6_port, htons(80));
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr));
}

static void a_peer_on_a_dual_stack_socket_is_ipv4(void **state)
{
    struct tf_addr mapped = at("[::ffff:192.0.2.1]:5"), v4 = at("192.0.2.1:5"), v6 = at("[2001:db8::1]:5"),
                   got;
    struct sockaddr_storage ss;
    (void)state;
    sockaddr_from_addr(&ss, &mapped);
    assert_true(sockaddr_to_peer((const struct sockaddr *)&ss, &got));
    assert_memory_equal(&got, &v4, sizeof got);
    sockaddr_from_addr(&ss, &v6);
    assert_true(sockaddr_to_peer((const struct sockaddr *)&ss, &got));
    assert_memory_equal(&got, &v6, sizeof got);
}

static void other_families_are_no_address(void **state)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct tf_addr got = at("192.0.2.1:5");
    (void)state;
    assert_false(sockaddr_to_addr((const struct sockaddr *)&local, &got));
    assert_int_equal(got.family, TF_FAMILY_NONE);
    assert_false(sockaddr_to_peer((const struct sockaddr *)&local, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_survive_the_way_there_and_back),
        cmocka_unit_test(no_family_is_the_wildcard_of_both),
        cmocka_unit_test(a_peer_on_a_dual_stack_socket_is_ipv4),
        cmocka_unit_test(other_families_are_no_address),
    };
    return cmocka_run_group_tests_name("sockaddr", tests, NULL, NULL);
}
