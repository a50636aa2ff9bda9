/* Sockets of commands: to a connected one, through the parent proxy where there
 * is one, and waiting on it with a deadline; see fetch.h. What goes over them
 * is left to fetch.c and the probe. */
#include "fetch.h"

#include "../lib/parent.h"
#include "../lib/sasl.h"
#include "parent_login.h"
#include "sockaddr.h"
#include "tls_verdict.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { ADDRESSES_MAX = 16, ANSWER_MAX = 8192 };

uint64_t fetch_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

bool fetch_wait(int fd, short events, uint64_t deadline_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now_ms = fetch_now_ms();
        if (now_ms >= deadline_ms) {
            errno = ETIMEDOUT;
            return false;
        }
        uint64_t left_ms = deadline_ms - now_ms;
        int n = poll(&p, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

bool fetch_retry(SSL *ssl, int result, uint64_t deadline_ms)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return fetch_wait(SSL_get_fd(ssl), POLLIN, deadline_ms);
    case SSL_ERROR_WANT_WRITE:
        return fetch_wait(SSL_get_fd(ssl), POLLOUT, deadline_ms);
    default: /* an error, or the end */
        return false;
    }
}

/* The system's answer for a name. 0 with a sentence in error. */
static size_t ask_system(const struct tf_target *target, struct tf_addr *out, char *error, size_t size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int failed = getaddrinfo(target->host, NULL, &hints, &list);
    size_t n = 0;
    for (const struct addrinfo *a = failed ? NULL : list; a && n < ADDRESSES_MAX; a = a->ai_next)
        if (sockaddr_to_addr(a->ai_addr, &out[n]))
            out[n++].port = target->port;
    if (n == 0)
        snprintf(error, size,
                 "%s has no address (%s); check the name and this machine's DNS, or set [upstream] resolve",
                 target->host, failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
    if (list)
        freeaddrinfo(list);
    return n;
}

static size_t find_addresses(const struct tf_conf *conf, const struct tf_target *target, struct tf_addr *out,
                             char *error, size_t size)
{
    const struct tf_override *o = tf_conf_override(conf, target);
    if (!o && !target->is_address)
        return ask_system(target, out, error, size);
    *out = o ? o->to : target->addr;
    if (!o || out->port == 0)
        out->port = target->port;
    return 1;
}

/* -1 with errno set. */
static int finish_connect(int fd, uint64_t deadline_ms)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (!fetch_wait(fd, POLLOUT, deadline_ms) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

int fetch_connect_to(const struct tf_addr *address, uint64_t deadline_ms)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from_addr(&sa, address);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(fd, (struct sockaddr *)&sa, len) == 0 ||
        (errno == EINPROGRESS && finish_connect(fd, deadline_ms) == 0))
        return fd;
    int kept = errno;
    close(fd);
    errno = kept;
    return -1;
}

static int connect_directly(const struct tf_conf *conf, const struct tf_target *target, uint64_t deadline_ms,
                            char *error, size_t size)
{
    struct tf_addr addresses[ADDRESSES_MAX];
    size_t n = find_addresses(conf, target, addresses, error, size);
    if (n == 0)
        return -1;
    /* A peer that is gone is an error of one call, not the end of the command. */
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < n; i++) {
        /* What is left of the time is shared out, so that an address that swallows everything leaves some for
         * the next. */
        uint64_t now_ms = fetch_now_ms();
        uint64_t share_ms = deadline_ms > now_ms ? (deadline_ms - now_ms) / (n - i) : 0;
        int fd = fetch_connect_to(&addresses[i], now_ms + share_ms);
        if (fd >= 0)
            return fd;
    }
    char last[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(last, sizeof last);
    int why = errno;
    tf_put_addr_port(&w, &addresses[n - 1]);
    snprintf(error, size,
             "cannot connect to %s port %u (%.*s: %s); check that the server runs, and the way to it",
             target->host, target->port, (int)w.len, last, strerror(why));
    return -1;
}

/* A connection to the parent proxy that is to become one to a server. */
struct crossing {
    int fd;
    uint64_t deadline_ms;
    struct tf_facts facts; /* what went wrong, and where it is about */
    uint8_t answer[ANSWER_MAX];
    char why[512];
};

static bool fail_crossing(struct crossing *c, enum tf_reason reason, const char *detail)
{
    c->facts.reason = reason;
    c->facts.detail = detail;
    return false;
}

/* Whatever fits a new socket's buffer goes out at once. */
static bool ask_parent(struct crossing *c, const char *login)
{
    char text[TF_AUTHORITY_MAX * 2 + PARENT_LOGIN_MAX + 128];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_parent_request(&w, &c->facts.target, login);
    assert(!w.full);
    bool sent = send(c->fd, w.p, w.len, MSG_NOSIGNAL) == (ssize_t)w.len;
    tf_wipe(text, sizeof text);
    return sent || fail_crossing(c, TF_REASON_PARENT_REFUSED, "it closed the connection");
}

/* Without a detail, the parent's own words are it. */
static bool note_refusal(struct crossing *c, struct tf_span answer, size_t used)
{
    struct tf_text line =
        c->facts.detail == NULL ? tf_parent_status_line(answer, used) : tf_text_of(c->facts.detail);
    struct tf_writer why = tf_writer_of(c->why, sizeof c->why - 1);
    tls_put_peer_text(&why, line.p, line.n);
    c->why[why.len] = '\0';
    return fail_crossing(c, c->facts.reason, c->why);
}

/* Looks before it takes, since what is behind the answer is the server's. */
static bool hear_parent(struct crossing *c)
{
    size_t len = 0;
    while (len < sizeof c->answer) {
        if (!fetch_wait(c->fd, POLLIN, c->deadline_ms))
            return fail_crossing(c, TF_REASON_PARENT_REFUSED, "it did not answer in time");
        ssize_t n = recv(c->fd, c->answer + len, sizeof c->answer - len, MSG_PEEK);
        size_t used, seen = len + (n > 0 ? (size_t)n : 0);
        struct tf_span in = {c->answer, seen};
        enum tf_parse result = tf_parent_response(in, n <= 0, &used, &c->facts);
        if (result == TF_PARSE_BAD || n <= 0)
            return note_refusal(c, in, used);
        size_t take = (result == TF_PARSE_DONE ? used : seen) - len;
        if (recv(c->fd, c->answer + len, take, 0) != (ssize_t)take)
            return fail_crossing(c, TF_REASON_PARENT_REFUSED, "it closed the connection");
        if (result == TF_PARSE_DONE)
            return true;
        len = seen;
    }
    return fail_crossing(c, TF_REASON_PARENT_MALFORMED, "its answer is longer than 8192 bytes");
}

static bool cross(struct crossing *c, const struct tf_conf *conf, char *error, size_t size)
{
    char login[PARENT_LOGIN_MAX];
    if (!parent_login_load(conf, login, error, size))
        return false;
    bool ok = ask_parent(c, login) && hear_parent(c);
    tf_wipe(login, sizeof login);
    if (!ok)
        snprintf(error, size, "%s port %u: %s %s port %u: %s", c->facts.target.host, c->facts.target.port,
                 tf_reason_info(c->facts.reason)->sentence, conf->parent.proxy.host, conf->parent.proxy.port,
                 c->facts.detail);
    return ok;
}

int fetch_connect(const struct tf_conf *conf, const struct tf_target *target, uint64_t deadline_ms,
                  char *error, size_t size)
{
    if (!tf_parent_takes(conf, target))
        return connect_directly(conf, target, deadline_ms, error, size);
    struct crossing c = {.fd = connect_directly(conf, &conf->parent.proxy, deadline_ms, error, size),
                         .deadline_ms = deadline_ms,
                         .facts.target = *target};
    if (c.fd < 0 || cross(&c, conf, error, size))
        return c.fd;
    close(c.fd);
    return -1;
}
