/* What the tests of the session core share: a loop without a thread, run by
 * the test itself, with settings made by hand: an `sni` and a `connect`
 * listener, and an origin on a free port of 127.0.0.1 behind every name. */
#ifndef LOOP_FIXTURE_H
#define LOOP_FIXTURE_H

#include "../../proxy/listener.h"
#include "../../proxy/loop.h"
#include "../../proxy/session.h"
#include "tcp_pair.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 10000 };

struct stage {
    struct conf conf;
    struct tf_listener sni, connect;
    struct tf_override override;
    struct tf_port_range ports;
    struct setting setting;
    struct loop *loop;
    int origin; /* listening */
    int dns;    /* a UDP socket that is asked and never answers */
    char dns_server[32];
};

static inline int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline void bind_silent_dns(struct stage *t)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    t->dns = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(t->dns, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(t->dns, (struct sockaddr *)&a, &len), 0);
    snprintf(t->dns_server, sizeof t->dns_server, "127.0.0.1:%u", ntohs(a.sin_port));
}

static inline void on_loop_end(void *arg)
{
    (void)arg;
}

static inline void fill_conf(struct stage *t, uint16_t origin_port)
{
    struct tf_listener blank = {.certificate = "", .key = "", .users = "", .oauth = "", .server_name = ""};
    t->sni = t->connect = blank;
    t->sni.name = "straight";
    t->sni.kind = TF_KIND_SNI;
    t->sni.port = 443;
    t->connect.name = "proxy";
    t->connect.next = &t->sni;
    t->override = (struct tf_override){
        .host = "*", .to = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}, .port = origin_port}};
    t->ports = (struct tf_port_range){1, 65535};
    struct tf_conf *tf = &t->conf.tf;
    tf->policy.floor = TF_TLS12;
    tf->access.source.classes = tf->access.destination.classes = 1u << TF_CLASS_LOOPBACK;
    tf->access.ports = &t->ports;
    tf->access.port_count = 1;
    tf->listeners = &t->connect;
    tf->overrides = &t->override;
    tf->limits = (struct tf_limits){.hello_ms = 60000,
                                    .request_ms = 60000,
                                    .dial_ms = 60000,
                                    .idle_ms = 3000000,
                                    .half_closed_ms = 50000,
                                    .linger_ms = 60000,
                                    .hello_bytes = TF_HELLO_MAX,
                                    .head_bytes = 4096,
                                    .lookahead_bytes = 1 << 20,
                                    .dns_entries = 16,
                                    .dns_ms = 60000,
                                    .pipes = 4};
    tf->dns_servers = t->dns_server;
    tf->parent.user = tf->parent.password_file = tf->name = "";
    atomic_init(&t->conf.refs, 1u); /* and it is never given up: this one is not on the heap */
}

static inline int begin(void **state)
{
    struct stage *t = calloc(1, sizeof *t);
    char error[256];
    uint16_t port;
    t->origin = listen_anywhere(&port);
    bind_silent_dns(t);
    fill_conf(t, port);
    t->setting = (struct setting){.conf = &t->conf,
                                  .census = census_new(),
                                  .acquaintances = acquaintances_new(1024),
                                  .session_max = 100};
    t->loop = loop_new(&t->setting, (struct loop_end){on_loop_end, NULL}, error, sizeof error);
    assert_non_null(t->loop);
    *state = t;
    return 0;
}

/* Whatever a test leaves behind must go, and every byte and session be given back. */
static inline int finish(void **state)
{
    struct stage *t = *state;
    assert_true(loop_drain(t->loop, 0, false));
    uv_run(&t->loop->uv, UV_RUN_DEFAULT);
    assert_int_equal(t->loop->session_count, 0);
    assert_int_equal(t->loop->gathered, 0);
    assert_int_equal(atomic_load(&t->loop->counters.values[COUNTER_SESSIONS_ACTIVE]), 0);
    loop_free(t->loop);
    census_free(t->setting.census);
    acquaintances_free(t->setting.acquaintances);
    assert_int_equal(atomic_load(&t->conf.refs), 1);
    close(t->origin);
    close(t->dns);
    free(t);
    return 0;
}

static inline void on_patience_over(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("what the test waits for never came");
}

/* Runs the loop until something that `holds` says is true. */
static inline void run_until(struct stage *t, bool (*holds)(struct stage *t))
{
    uv_timer_t patience;
    uv_timer_init(&t->loop->uv, &patience);
    uv_timer_start(&patience, on_patience_over, PATIENCE_MS, 0);
    while (!holds(t))
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&patience, NULL);
    uv_run(&t->loop->uv, UV_RUN_NOWAIT);
}

static inline bool has_no_session(struct stage *t)
{
    return t->loop->session_count == 0;
}

static inline void await_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static inline void send_all(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static inline void send_text(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

/* Reads n bytes, waiting for them. */
static inline void receive(int fd, void *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        await_readable(fd);
        ssize_t k = recv(fd, (char *)p + at, n - at, 0);
        assert_true(k > 0);
        at += (size_t)k;
    }
}

/* The client's end of a new session of this listener, which has sent p[0..n). */
static inline int start_session(struct stage *t, const struct tf_listener *listener, const void *p, size_t n)
{
    struct tf_addr source = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}, .port = 1};
    int pair[2];
    tcp_pair(pair);
    if (n > 0) {
        send_all(pair[0], p, n);
        await_readable(pair[1]);
    }
    session_start(t->loop, listener, pair[1], &source);
    return pair[0];
}

static inline uint64_t count_of(const struct stage *t, enum reason_kind kind, enum tf_reason reason)
{
    return atomic_load(&t->loop->counters.reasons[kind][reason]);
}

static const uint8_t hello_random[32];

/* A ClientHello for origin.test that offers `version` at most, in one record. */
static inline size_t put_client_hello(uint8_t *out, uint16_t version)
{
    static const uint8_t name[] = {0,   0,   0,   16,  0,   14,  0,   0,   11,  'o',
                                   'r', 'i', 'g', 'i', 'n', '.', 't', 'e', 's', 't'};
    struct tf_writer w = tf_writer_of((char *)out, 512);
    enum { BODY = 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2 + sizeof name };
    tf_put(&w, (uint8_t[]){22, 3, 1, 0, BODY + 4, 1, 0, 0, BODY, (uint8_t)(version >> 8), (uint8_t)version},
           11);
    tf_put(&w, hello_random, sizeof hello_random);
    tf_put(&w, (uint8_t[]){0, 0, 2, 0xc0, 0x2f, 1, 0, 0, sizeof name}, 9);
    tf_put(&w, name, sizeof name);
    return w.len;
}

/* A ServerHello that picks TLS 1.2, in one record. */
static inline size_t put_server_hello(uint8_t *out)
{
    struct tf_writer w = tf_writer_of((char *)out, 512);
    tf_put(&w, (uint8_t[]){22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, 11);
    tf_put(&w, hello_random, sizeof hello_random);
    tf_put(&w, (uint8_t[]){0, 0xc0, 0x2f, 0}, 4);
    return w.len;
}

#endif
