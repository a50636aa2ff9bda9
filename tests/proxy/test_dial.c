/* dial.c on loopback addresses, with a DNS server of its own.
 *
 * A port that refuses is one that is bound and does not listen; one that does
 * not answer listens with a queue that is full. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/dial.h"
#include "../../proxy/sockaddr.h"
#include "fake_dns.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESOLUTION_DELAY_MS = 50, ATTEMPT_DELAY_MS = 250, SLOW_MS = 600, DNS_MS = 90, SOCKETS_MAX = 16 };

static const struct fake_name names[] = {
    {.name = "four.test", .v4 = "127.0.0.1", .ttl = 60},
    {.name = "both.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60},
    {.name = "slow6.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60, .delay6_ms = SLOW_MS},
    {.name = "late6.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60, .delay6_ms = RESOLUTION_DELAY_MS / 3},
    {.name = "slow4.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60, .delay4_ms = SLOW_MS},
    {.name = "three.test", .v4 = "127.0.0.2 127.0.0.1", .v6 = "::1", .ttl = 60},
    {.name = "mixed.test", .v4 = "10.1.2.3 127.0.0.1", .v6 = "2001:db8::1", .ttl = 60},
    {.name = "private.test", .v4 = "10.1.2.3", .ttl = 60},
    {.name = "mapped.test", .v6 = "::ffff:127.0.0.1", .ttl = 60},
    {.name = "sixteen.test",
     .v4 = "127.0.1.1 127.0.1.2 127.0.1.3 127.0.1.4 127.0.1.5 127.0.1.6 127.0.1.7 127.0.1.8 127.0.1.9 "
           "127.0.1.10 127.0.1.11 127.0.1.12 127.0.1.13 127.0.1.14 127.0.1.15 127.0.0.1",
     .ttl = 60},
    {.name = "seventeen.test",
     .v4 = "127.0.1.1 127.0.1.2 127.0.1.3 127.0.1.4 127.0.1.5 127.0.1.6 127.0.1.7 127.0.1.8 127.0.1.9 "
           "127.0.1.10 127.0.1.11 127.0.1.12 127.0.1.13 127.0.1.14 127.0.1.15 127.0.0.1",
     .v6 = "::1",
     .ttl = 60},
    {.name = "broken.test", .rcode = FAKE_SERVFAIL},
    {.name = "silent.test", .silent = true},
};

static uv_loop_t loop;
static struct fake_dns server;
static struct dialer dialer;
static struct tf_conf conf;
static struct tf_target target; /* outlives its dial */
static int sockets[SOCKETS_MAX];
static size_t socket_count;

/* What one dial came to. */
struct outcome {
    unsigned calls;
    struct dial_result result;
    uint64_t started_ms, took_ms;
    struct dial *dial; /* while it is under way */
    enum tf_reason why;
    struct tf_addr denied;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void on_dialled(void *arg, const struct dial_result *result)
{
    struct outcome *o = arg;
    o->calls++;
    o->dial = NULL;
    o->result = *result;
    o->took_ms = now_ms() - o->started_ms;
    uv_stop(&loop);
}

static int set_up(void **state)
{
    (void)state;
    struct tf_limits limits = {
        .dns_entries = 64, .dns_ttl_max_ms = 60000, .dns_negative_ms = 60000, .dns_ms = DNS_MS};
    char error[256];
    assert_int_equal(uv_loop_init(&loop), 0);
    fake_dns_start(&server, &loop, names, sizeof names / sizeof names[0]);
    dialer = (struct dialer){.uv = &loop,
                             .watcher = watcher_new(&loop),
                             .dns = dns_new(&loop, &limits, server.server, error, sizeof error)};
    assert_true(dialer.watcher != NULL && dialer.dns != NULL);
    conf = (struct tf_conf){.access.destination.classes = 1u << TF_CLASS_LOOPBACK};
    socket_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dns_free(dialer.dns);
    watcher_free(dialer.watcher);
    fake_dns_stop(&server);
    while (socket_count > 0)
        close(sockets[--socket_count]);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop); /* fails when a handle is left */
}

/* A socket that is closed at the end of the test. */
static int new_socket(int family)
{
    assert_true(socket_count < SOCKETS_MAX);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    return sockets[socket_count++] = fd;
}

static struct tf_addr address(const char *ip, uint16_t port)
{
    struct tf_addr a;
    assert_true(tf_addr_parse(ip, strlen(ip), &a));
    a.port = port;
    return a;
}

/* Binds to `ip`, to a free port when `port` is 0; -1 when that is not to be had. */
static int bind_to(const char *ip, uint16_t port)
{
    struct sockaddr_storage sa;
    struct tf_addr a = address(ip, port);
    socklen_t size = sockaddr_from_addr(&sa, &a);
    int fd = new_socket(sa.ss_family);
    return fd >= 0 && bind(fd, (struct sockaddr *)&sa, size) == 0 ? fd : -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage sa;
    struct tf_addr a;
    socklen_t size = sizeof sa;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &size), 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &a));
    return a.port;
}

static uint16_t listening_port(int fd)
{
    assert_int_equal(listen(fd, 64), 0);
    return port_of(fd);
}

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

static void start(struct outcome *o, const char *host, uint16_t port)
{
    *o = (struct outcome){.started_ms = now_ms()};
    assert_int_equal(tf_host_parse(host, strlen(host), &target), TF_HOST_OK);
    target.port = target.addr.port = port;
    uv_update_time(&loop);
    o->dial = dial_start(&dialer, &conf, &target, on_dialled, o, &o->why, &o->denied);
    assert_int_equal(o->calls, 0);
}

static void await(struct outcome *o)
{
    assert_non_null(o->dial);
    while (o->calls == 0)
        uv_run(&loop, UV_RUN_DEFAULT);
}

static void dial(struct outcome *o, const char *host, uint16_t port)
{
    start(o, host, port);
    await(o);
}

static void drop(struct outcome *o)
{
    watch_forget(dialer.watcher, o->result.watch);
    close(o->result.fd);
}

static void assert_connected(struct outcome *o, const char *ip, uint16_t port)
{
    struct tf_addr a = address(ip, port), peer;
    struct sockaddr_storage sa;
    socklen_t size = sizeof sa;
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->result.reason, TF_REASON_NONE);
    assert_non_null(o->result.watch);
    assert_true(tf_addr_same_ip(&o->result.destination, &a));
    assert_int_equal(o->result.destination.port, port);
    assert_int_equal(getpeername(o->result.fd, (struct sockaddr *)&sa, &size), 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &peer));
    assert_true(tf_addr_same_ip(&peer, &a) && peer.port == port);
    drop(o);
}

static void assert_failed(const struct outcome *o, enum tf_reason reason, const char *ip)
{
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->result.reason, reason);
    assert_int_equal(o->result.fd, -1);
    if (ip == NULL) {
        assert_int_equal(o->result.destination.family, TF_FAMILY_NONE);
    } else {
        struct tf_addr a = address(ip, 0);
        assert_true(tf_addr_same_ip(&o->result.destination, &a));
    }
}

static void assert_failed_at_once(const struct outcome *o, enum tf_reason reason, const char *ip)
{
    assert_null(o->dial);
    assert_int_equal(o->why, reason);
    if (ip == NULL) {
        assert_int_equal(o->denied.family, TF_FAMILY_NONE);
    } else {
        struct tf_addr a = address(ip, 0);
        assert_true(tf_addr_same_ip(&o->denied, &a));
    }
}

static void on_time(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    uv_stop(timer->loop);
}

static void let_pass(unsigned ms)
{
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_time, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void count_handle(uv_handle_t *handle, void *arg)
{
    (void)handle;
    ++*(size_t *)arg;
}

static size_t count_handles(void)
{
    size_t n = 0;
    uv_walk(&loop, count_handle, &n);
    return n;
}

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
    drop(&o);
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

static void assert_cancelled(struct outcome *o, size_t descriptors)
{
    dial_cancel(o->dial);
    let_pass(DNS_MS * 2);
    assert_int_equal(o->calls, 0);
    assert_int_equal(count_descriptors(), descriptors);
}

static void cancelled_during_the_lookup(void **state)
{
    (void)state;
    struct outcome o;
    size_t descriptors = count_descriptors();
    start(&o, "silent.test", 443);
    let_pass(10);
    assert_cancelled(&o, descriptors);
}

static void cancelled_during_the_resolution_delay(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    size_t descriptors = count_descriptors();
    start(&o, "slow6.test", port);
    let_pass(RESOLUTION_DELAY_MS / 3);
    assert_int_equal(server.asked4, 1);
    assert_cancelled(&o, descriptors);
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
    assert_cancelled(&o, descriptors);
}

static void cancelled_at_once(void **state)
{
    (void)state;
    struct outcome o;
    uint16_t port = listening_port(bind_to("127.0.0.1", 0));
    size_t descriptors = count_descriptors();
    start(&o, "127.0.0.1", port);
    assert_cancelled(&o, descriptors);
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
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
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
        TEST(refused_connection_is_told),
        TEST(without_descriptors_it_fails_at_once),
        TEST(address_that_is_not_allowed_fails_at_once),
        TEST(own_listener_fails_at_once),
        TEST(name_with_denied_addresses_only_is_denied),
        TEST(denied_addresses_of_a_name_are_passed_over),
        TEST(name_is_looked_up_once_and_then_known),
        TEST(unknown_name_is_told_and_then_known),
        TEST(dns_that_fails_or_says_nothing_is_told),
        TEST(override_goes_elsewhere_without_a_lookup),
        TEST(override_must_be_allowed_too),
        TEST(ipv6_comes_first),
        TEST(refused_address_is_followed_by_the_next_at_once),
        TEST(silent_addresses_are_overtaken_and_closed),
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
        TEST(address_without_a_route_fails_at_once),
        TEST(connection_to_itself_counts_as_refused),
#undef TEST
    };
    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
