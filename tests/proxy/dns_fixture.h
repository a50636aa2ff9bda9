/* What the tests of dns.c share: a loop, two DNS servers of their own, and
 * queries whose answer is noted. Inline, since not every test uses all of it. */
#ifndef DNS_FIXTURE_H
#define DNS_FIXTURE_H

#include "../../proxy/dns.h"
#include "fake_dns.h"
#include <unistd.h>

/* Times are long where nothing waits for them to pass: a slow machine must not repeat a question. */
enum { ROOM = 32, PATIENT_MS = 60000, HASTY_MS = 400, TTL_MAX_MS = 200, NEGATIVE_MS = 200 };

#define TEN(last)                                                                                            \
    "192.0.2." last "0 192.0.2." last "1 192.0.2." last "2 192.0.2." last "3 192.0.2." last "4 "             \
    "192.0.2." last "5 192.0.2." last "6 192.0.2." last "7 192.0.2." last "8 192.0.2." last "9"

static const struct fake_name names[] = {
    {.name = "both.test", .v4 = "192.0.2.1 192.0.2.2", .v6 = "2001:db8::1", .ttl = 3600},
    {.name = "only4.test", .v4 = "192.0.2.4", .ttl = 3600},
    {.name = "briefly.test", .v4 = "192.0.2.5", .ttl = 0},
    {.name = "www.test", .v4 = "192.0.2.6", .ttl = 3600, .aliased = true, .alias_ttl = 3600},
    {.name = "moving.test", .v4 = "192.0.2.7", .ttl = 3600, .aliased = true, .alias_ttl = 0},
    {.name = "twenty.test", .v4 = TEN("1") " " TEN("2"), .ttl = 3600},
    {.name = "broken.test", .rcode = FAKE_SERVFAIL},
    {.name = "silent.test", .silent = true},
    {.name = "slow.test", .v4 = "192.0.2.8", .ttl = 3600, .delay4_ms = 20},
    {.name = "late.test", .v4 = "192.0.2.9", .ttl = 3600, .delay4_ms = HASTY_MS},
};
static const struct fake_name other_names[] = {
    {.name = "both.test", .v4 = "198.51.100.1", .ttl = 3600},
    {.name = "slow.test", .v4 = "198.51.100.8", .ttl = 3600},
    {.name = "silent.test", .silent = true},
};

static uv_loop_t loop;
static struct fake_dns server, other_server;
static struct dns *dns;
static struct tf_limits limits;
static char error[256];

/* What one query was told. */
struct told {
    unsigned calls;
    enum dns_status status;
    struct tf_addr addresses[ROOM];
    size_t n;
};

static inline void note(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    struct told *t = arg;
    t->calls++;
    t->status = status;
    t->n = n;
    if (n > 0)
        memcpy(t->addresses, addresses, n * sizeof addresses[0]);
    uv_stop(&loop);
}

static inline int set_up(void **state)
{
    (void)state;
    limits = (struct tf_limits){.dns_entries = 64,
                                .dns_ttl_max_ms = TTL_MAX_MS,
                                .dns_negative_ms = NEGATIVE_MS,
                                .dns_ms = PATIENT_MS};
    assert_int_equal(uv_loop_init(&loop), 0);
    fake_dns_start(&server, &loop, names, sizeof names / sizeof names[0]);
    fake_dns_start(&other_server, &loop, other_names, sizeof other_names / sizeof other_names[0]);
    error[0] = '\0';
    dns = dns_new(&loop, &limits, server.server, error, sizeof error);
    assert_non_null(dns);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    if (dns != NULL)
        dns_free(dns);
    fake_dns_stop(&server);
    fake_dns_stop(&other_server);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop); /* fails when a handle is left */
}

static inline void use_servers(const char *servers)
{
    assert_true(dns_configure(dns, &limits, servers, error, sizeof error));
}

static inline struct dns_query *ask(const char *host, enum tf_family family, struct told *t)
{
    *t = (struct told){0};
    struct dns_query *q = dns_ask(dns, host, family, note, t);
    assert_non_null(q);
    assert_int_equal(t->calls, 0);
    return q;
}

static inline void await(const struct told *t)
{
    while (t->calls == 0)
        uv_run(&loop, UV_RUN_DEFAULT);
}

static inline struct told look_up(const char *host, enum tf_family family)
{
    struct told t;
    ask(host, family, &t);
    await(&t);
    return t;
}

static inline bool cached(const char *host, enum tf_family family, struct told *t)
{
    *t = (struct told){0};
    return dns_cached(dns, host, family, t->addresses, ROOM, &t->n);
}

static inline void assert_address(const struct tf_addr *a, const char *text)
{
    char is[INET6_ADDRSTRLEN];
    inet_ntop(a->family == TF_FAMILY_V6 ? AF_INET6 : AF_INET, a->ip, is, sizeof is);
    assert_string_equal(is, text);
    assert_int_equal(a->port, 0);
}

static inline void on_time(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
    uv_stop(timer->loop);
}

static inline void let_pass(unsigned ms)
{
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_time, ms, 0);
    while (!over)
        uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
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
