/* What the tests of dial.c share: a loop, a DNS server of their own, sockets
 * on loopback addresses, and dials whose outcome is noted. Inline, since not
 * every test uses all of it. */
#ifndef DIAL_FIXTURE_H
#define DIAL_FIXTURE_H

#include "../../proxy/dial.h"
#include "../../proxy/sockaddr.h"
#include "fake_dns.h"
#include <dirent.h>
#include <unistd.h>

enum { RESOLUTION_DELAY_MS = 50, ATTEMPT_DELAY_MS = 250, SLOW_MS = 600, SOCKETS_MAX = 16 };

static const struct fake_name names[] = {
    {.name = "four.test", .v4 = "127.0.0.1", .ttl = 60},
    {.name = "both.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60},
    {.name = "slow6.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60, .delay6_ms = SLOW_MS},
    {.name = "late6.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60, .delay6_ms = RESOLUTION_DELAY_MS / 3},
    {.name = "slow4.test", .v4 = "127.0.0.1", .v6 = "::1", .ttl = 60, .delay4_ms = SLOW_MS},
    {.name = "three.test", .v4 = "127.0.0.2 127.0.0.1", .v6 = "::1", .ttl = 60},
    {.name = "twice6.test", .v4 = "127.0.0.1", .v6 = "::1 ::1", .ttl = 60},
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
static struct counters counters;
static struct tf_conf conf;
static struct tf_limits limits;
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

static inline uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static inline void on_dialled(void *arg, const struct dial_result *result)
{
    struct outcome *o = arg;
    o->calls++;
    o->dial = NULL;
    o->result = *result;
    o->took_ms = now_ms() - o->started_ms;
    uv_stop(&loop);
}

static inline int set_up(void **state)
{
    (void)state;
    char error[256];
    limits = (struct tf_limits){
        .dns_entries = 64, .dns_ttl_max_ms = 60000, .dns_negative_ms = 60000, .dns_ms = 2000};
    assert_int_equal(uv_loop_init(&loop), 0);
    fake_dns_start(&server, &loop, names, sizeof names / sizeof names[0]);
    memset(&counters, 0, sizeof counters);
    dialer = (struct dialer){.uv = &loop,
                             .watcher = watcher_new(&loop),
                             .dns = dns_new(&loop, &limits, server.server, error, sizeof error),
                             .counters = &counters};
    assert_true(dialer.watcher != NULL && dialer.dns != NULL);
    conf = (struct tf_conf){.access.destination.classes = 1u << TF_CLASS_LOOPBACK};
    socket_count = 0;
    return 0;
}

static inline void set_dns_ms(uint32_t ms)
{
    char error[256];
    limits.dns_ms = ms;
    assert_true(dns_configure(dialer.dns, &limits, server.server, error, sizeof error));
}

static inline int tear_down(void **state)
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
static inline int new_socket(int family)
{
    assert_true(socket_count < SOCKETS_MAX);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    return sockets[socket_count++] = fd;
}

static inline struct tf_addr address(const char *ip, uint16_t port)
{
    struct tf_addr a;
    assert_true(tf_addr_parse(ip, strlen(ip), &a));
    a.port = port;
    return a;
}

/* Binds to `ip`, to a free port when `port` is 0; -1 when that is not to be had. */
static inline int bind_to(const char *ip, uint16_t port)
{
    struct sockaddr_storage sa;
    struct tf_addr a = address(ip, port);
    socklen_t size = sockaddr_from_addr(&sa, &a);
    int fd = new_socket(sa.ss_family);
    return fd >= 0 && bind(fd, (struct sockaddr *)&sa, size) == 0 ? fd : -1;
}

static inline uint16_t port_of(int fd)
{
    struct sockaddr_storage sa;
    struct tf_addr a;
    socklen_t size = sizeof sa;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &size), 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &a));
    return a.port;
}

static inline uint16_t listening_port(int fd)
{
    assert_int_equal(listen(fd, 64), 0);
    return port_of(fd);
}

static inline void start(struct outcome *o, const char *host, uint16_t port)
{
    *o = (struct outcome){.started_ms = now_ms()};
    assert_int_equal(tf_host_parse(host, strlen(host), &target), TF_HOST_OK);
    target.port = target.addr.port = port;
    uv_update_time(&loop);
    o->dial = dial_start(&dialer, &conf, &target, on_dialled, o, &o->why, &o->denied);
    assert_int_equal(o->calls, 0);
}

static inline void await(struct outcome *o)
{
    assert_non_null(o->dial);
    while (o->calls == 0)
        uv_run(&loop, UV_RUN_DEFAULT);
}

static inline void dial(struct outcome *o, const char *host, uint16_t port)
{
    start(o, host, port);
    await(o);
}

static inline void drop(struct outcome *o)
{
    watch_forget(dialer.watcher, o->result.watch);
    close(o->result.fd);
}

static inline void assert_connected(struct outcome *o, const char *ip, uint16_t port)
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

static inline void assert_failed(const struct outcome *o, enum tf_reason reason, const char *ip)
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

static inline void assert_failed_at_once(const struct outcome *o, enum tf_reason reason, const char *ip)
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

static inline void on_time(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    uv_stop(timer->loop);
}

static inline void let_pass(unsigned ms)
{
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_time, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static inline size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static inline void count_handle(uv_handle_t *handle, void *arg)
{
    (void)handle;
    ++*(size_t *)arg;
}

static inline size_t count_handles(void)
{
    size_t n = 0;
    uv_walk(&loop, count_handle, &n);
    return n;
}

#endif
