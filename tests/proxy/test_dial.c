/* dial.c, one address at a time: what is dialled, and how failures are told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/original.h"
#include "dial_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Addresses as such. */

static void address_is_dialled_without_a_timer_or_a_lookup(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    size_t handles = count_handles();
    start(&o, "127.0.0.1", port);
    assert_int_equal(count_handles(), handles);
    await(&o);
    assert_true(fcntl(o.result.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(o.result.fd, F_GETFD) & FD_CLOEXEC);
    int nodelay = 0;
    socklen_t size = sizeof nodelay;
    assert_int_equal(getsockopt(o.result.fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size), 0);
    assert_true(nodelay);
    assert_connected(&o, "127.0.0.1", port);
    assert_int_equal(server.asked4 + server.asked6, 0);
}

static void ipv6_address_is_dialled(void **state)
{
    (void)state;
    struct outcome o;
    int fd = bind_to("::1", 0);
    if (fd < 0)
        skip();
    uint16_t port = listening_port(fd);
    dial(&o, "[::1]", port);
    assert_connected(&o, "::1", port);
}

static void server_that_hangs_up_at_once_is_still_a_connection(void **state)
{
    (void)state;
    struct outcome o;
    int fd = bind_to("127.0.0.1", 0);
    uint16_t port = listening_port(fd);
    start(&o, "127.0.0.1", port);
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000), 1);
    int accepted = accept(fd, NULL, NULL);
    assert_int_equal(write(accepted, "bye", 3), 3);
    close(accepted);
    await(&o);
    assert_int_equal(o.result.reason, TF_REASON_NONE);
    assert_int_equal(o.result.ready, WATCH_READ | WATCH_WRITE | WATCH_HANGUP); /* nobody tells of it again */
    drop(&o);
}

/* A firewall may turn it back to a listener of ours, which then must know it before the dial hears of it. */
static void connection_is_known_as_ours_from_its_start_to_its_failure(void **state)
{
    (void)state;
    struct outcome o;
    struct own_ports *own = dialer.own_ports = own_ports_new();
    struct tf_addr server_side = address("127.0.0.1", 0), from;
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    int listening = bind_to("127.0.0.1", 0);
    server_side.port = listening_port(listening);
    start(&o, "127.0.0.1", server_side.port);
    int accepted = accept(listening, (struct sockaddr *)&sa, &len);
    assert_true(accepted >= 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &from));
    assert_true(own_ports_have(own, &from, &server_side));
    await(&o);
    assert_int_equal(o.result.own_port, from.port);
    assert_true(own_ports_have(own, &from, &server_side));
    close(accepted);
    drop(&o);

    start(&o, "127.0.0.1", server_side.port);
    accepted = accept(listening, (struct sockaddr *)&sa, &len);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &from));
    dial_cancel(o.dial);
    assert_false(own_ports_have(own, &from, &server_side));
    close(accepted);
    dialer.own_ports = NULL;
    own_ports_free(own);
}

static void refused_connection_is_told(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = port_of(bind_to("127.0.0.1", 0));
    dial(&o, "127.0.0.1", port);
    assert_failed(&o, TF_REASON_DIAL_REFUSED, "127.0.0.1");
    assert_int_equal(o.result.destination.port, port);
}

static void without_descriptors_it_fails_at_once(void **state)
{
    (void)state;
    struct outcome o;
    struct rlimit old, none;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    start(&o, "127.0.0.1", port);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_failed_at_once(&o, TF_REASON_NO_RESOURCES, "127.0.0.1");
}

/* Access. */

static void address_that_is_not_allowed_fails_at_once(void **state)
{
    (void)state;
    struct outcome o;
    start(&o, "10.1.2.3", 443);
    assert_failed_at_once(&o, TF_REASON_DESTINATION_DENIED, "10.1.2.3");
    start(&o, "::ffff:127.0.0.1", 443);
    assert_failed_at_once(&o, TF_REASON_DESTINATION_DENIED, "::ffff:127.0.0.1");
}

static void own_listener_fails_at_once(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    struct tf_addr own = address("127.0.0.1", port);
    conf.access.listeners = &own;
    conf.access.listener_count = 1;
    start(&o, "127.0.0.1", port);
    assert_failed_at_once(&o, TF_REASON_DESTINATION_SELF, "127.0.0.1");
}

static void dial_parent(struct outcome *o, const char *host, uint16_t port)
{
    *o = (struct outcome){.started_ms = now_ms()};
    assert_int_equal(tf_host_parse(host, strlen(host), &conf.parent.proxy), TF_HOST_OK);
    conf.parent.proxy.port = conf.parent.proxy.addr.port = port;
    uv_update_time(&loop);
    o->dial = dial_parent_start(&dialer, &conf, on_dialled, o, &o->why, &o->denied);
}

static void parent_proxy_may_have_any_address(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    conf.access.destination.classes = 1u << TF_CLASS_PUBLIC;
    start(&o, "127.0.0.1", port);
    assert_failed_at_once(&o, TF_REASON_DESTINATION_DENIED, "127.0.0.1");
    dial_parent(&o, "127.0.0.1", port);
    await(&o);
    assert_connected(&o, "127.0.0.1", port);
    dial_parent(&o, "four.test", port);
    await(&o);
    assert_connected(&o, "127.0.0.1", port);
}

static void parent_proxy_must_not_be_an_own_listener(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    struct tf_addr own = address("127.0.0.1", port);
    conf.access.listeners = &own;
    conf.access.listener_count = 1;
    dial_parent(&o, "127.0.0.1", port);
    assert_failed_at_once(&o, TF_REASON_DESTINATION_SELF, "127.0.0.1");
}

static void name_with_denied_addresses_only_is_denied(void **state)
{
    (void)state;
    struct outcome o;
    dial(&o, "private.test", 443);
    assert_failed(&o, TF_REASON_DESTINATION_DENIED, "10.1.2.3");
    dial(&o, "mapped.test", 443);
    assert_failed(&o, TF_REASON_DESTINATION_DENIED, "::ffff:127.0.0.1");
}

static void denied_addresses_of_a_name_are_passed_over(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    dial(&o, "mixed.test", port);
    assert_connected(&o, "127.0.0.1", port);
}

/* Names. */

static void name_is_looked_up_once_and_then_known(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    dial(&o, "four.test", port);
    assert_connected(&o, "127.0.0.1", port);
    size_t handles = count_handles();
    start(&o, "four.test", port);
    assert_int_equal(count_handles(), handles); /* one address: no timer */
    await(&o);
    assert_connected(&o, "127.0.0.1", port);
    assert_int_equal(server.asked4, 1);
    assert_int_equal(server.asked6, 1);
    assert_int_equal(atomic_load(&counters.values[COUNTER_DNS_CACHE_MISSES]), 2); /* one a family */
    assert_int_equal(atomic_load(&counters.values[COUNTER_DNS_CACHE_HITS]), 2);
}

static void unknown_name_is_told_and_then_known(void **state)
{
    (void)state;
    struct outcome o;
    dial(&o, "nowhere.test", 443);
    assert_failed(&o, TF_REASON_NAME_NOT_FOUND, NULL);
    start(&o, "nowhere.test", 443);
    assert_failed_at_once(&o, TF_REASON_NAME_NOT_FOUND, NULL);
}

static void dns_that_fails_or_says_nothing_is_told(void **state)
{
    (void)state;
    struct outcome o;
    dial(&o, "broken.test", 443);
    assert_failed(&o, TF_REASON_NAME_NOT_FOUND, NULL);
    set_dns_ms(60);
    dial(&o, "silent.test", 443);
    assert_failed(&o, TF_REASON_NAME_TIMEOUT, NULL);
}

static void override_goes_elsewhere_without_a_lookup(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    struct tf_override any = {.host = "*", .port = 80, .to = address("127.0.0.1", port)};
    struct tf_override same_port = {.host = "same.test", .to = address("127.0.0.1", 0), .next = &any};
    struct tf_override one = {
        .host = "one.test", .port = 443, .to = address("127.0.0.1", port), .next = &same_port};
    conf.overrides = &one;
    dial(&o, "one.test", 443);
    assert_connected(&o, "127.0.0.1", port);
    dial(&o, "same.test", port);
    assert_connected(&o, "127.0.0.1", port);
    dial(&o, "192.0.2.1", 80);
    assert_connected(&o, "127.0.0.1", port);
    assert_int_equal(server.asked4 + server.asked6, 0);
    dial(&o, "four.test", port);
    assert_connected(&o, "127.0.0.1", port);
    assert_int_equal(server.asked4, 1);
}

static void override_must_be_allowed_too(void **state)
{
    (void)state;
    struct outcome o;
    struct tf_override inside = {.host = "one.test", .to = address("10.1.2.3", 443)};
    conf.overrides = &inside;
    start(&o, "one.test", 443);
    assert_failed_at_once(&o, TF_REASON_DESTINATION_DENIED, "10.1.2.3");
}

/* In a network of its own. */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

/* One loopback interface, no routes, and port 40000 the only one for local sockets. */
static bool enter_own_network(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return up && write_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000");
}

/* Runs `body` in a child, since there is no way back from a network of one's own. */
static void in_own_network(void (*body)(void))
{
    enum { SKIPPED = 77 };
    int status = 0;
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (!enter_own_network())
            _exit(SKIPPED);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(status, 0);
}

static void dial_unrouted(void)
{
    struct outcome o;
    conf.access.destination.classes = 1u << TF_CLASS_DOCUMENTATION;
    start(&o, "192.0.2.1", 443);
    if (o.dial != NULL || o.why != TF_REASON_DIAL_UNREACHABLE)
        _exit(1);
}

static void address_without_a_route_fails_at_once(void **state)
{
    (void)state;
    in_own_network(dial_unrouted);
}

static void dial_own_port(void)
{
    struct outcome o;
    watcher_free(dialer.watcher); /* a child of fork shares the old one's epoll instances with its parent */
    if (uv_loop_fork(&loop) != 0 || (dialer.watcher = watcher_new(&loop)) == NULL)
        _exit(2);
    dial(&o, "127.0.0.1", 40000);
    if (o.result.reason != TF_REASON_DIAL_REFUSED)
        _exit(3);
}

static void connection_to_itself_counts_as_refused(void **state)
{
    (void)state;
    in_own_network(dial_own_port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(address_is_dialled_without_a_timer_or_a_lookup),
        TEST(ipv6_address_is_dialled),
        TEST(server_that_hangs_up_at_once_is_still_a_connection),
        TEST(connection_is_known_as_ours_from_its_start_to_its_failure),
        TEST(refused_connection_is_told),
        TEST(without_descriptors_it_fails_at_once),
        TEST(address_that_is_not_allowed_fails_at_once),
        TEST(own_listener_fails_at_once),
        TEST(parent_proxy_may_have_any_address),
        TEST(parent_proxy_must_not_be_an_own_listener),
        TEST(name_with_denied_addresses_only_is_denied),
        TEST(denied_addresses_of_a_name_are_passed_over),
        TEST(name_is_looked_up_once_and_then_known),
        TEST(unknown_name_is_told_and_then_known),
        TEST(dns_that_fails_or_says_nothing_is_told),
        TEST(override_goes_elsewhere_without_a_lookup),
        TEST(override_must_be_allowed_too),
        TEST(address_without_a_route_fails_at_once),
        TEST(connection_to_itself_counts_as_refused),
#undef TEST
    };
    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
