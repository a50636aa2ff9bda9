/* Dialling; see dial.h.
 *
 * A dial gathers addresses of both families, and starts attempts on them one
 * after the other: IPv6 and IPv4 in turn, IPv6 first. `not_before_ms` alone
 * says how long the next attempt has to wait: for the other family's addresses
 * when IPv4's came first, for the attempt before it when that is still under
 * way, and not at all when that has failed. The first connection wins.
 *
 * The common dial, of one address, costs socket, connect, setsockopt and
 * epoll_ctl; the timer exists only if there is something to wait for. */
#include "dial.h"

#include "original.h"
#include "sockaddr.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ATTEMPTS_MAX = 16,
    RESOLUTION_DELAY_MS = 50, /* RFC 8305 section 8 */
    ATTEMPT_DELAY_MS = 250    /* the same */
};

/* Addresses of one family, and the lookup that finds them. */
struct source {
    struct dial *dial;
    struct dns_query *query; /* NULL: not asked, or answered */
    size_t n, next;          /* known, and the first that was not tried */
    struct tf_addr addresses[DNS_ADDRESSES_MAX];
};

/* In the order of preference. */
enum { V6, V4, FAMILIES };

struct attempt {
    struct dial *dial;
    int fd; /* -1: it failed */
    uint16_t own_port;
    struct watch *watch;
    struct tf_addr address;
};

struct dial {
    struct dialer dialer;
    struct tf_access access;
    uint16_t port;
    dial_cb *cb;
    void *arg;
    struct source sources[FAMILIES];
    size_t turn; /* the family that is next, if it has addresses left */
    struct attempt attempts[ATTEMPTS_MAX];
    size_t attempted, live;
    uint64_t not_before_ms;    /* of the next attempt */
    struct dial_result result; /* so far: the most telling failure */
    bool has_timer;
    uv_timer_t timer;
};

static const struct tf_addr no_address = {.family = TF_FAMILY_NONE};

/* Of several failures the last one in this list is reported. */
static const enum tf_reason telling[] = {
    TF_REASON_NONE,
    TF_REASON_NAME_NOT_FOUND,
    TF_REASON_NAME_TIMEOUT,
    TF_REASON_DESTINATION_DENIED,
    TF_REASON_DESTINATION_SELF,
    TF_REASON_DIAL_UNREACHABLE,
    TF_REASON_DIAL_TIMEOUT,
    TF_REASON_DIAL_REFUSED,
    TF_REASON_NO_RESOURCES,
};

static size_t rank(enum tf_reason reason)
{
    size_t i = 0;
    while (telling[i] != reason) {
        i++;
        assert(i < sizeof telling / sizeof telling[0]);
    }
    return i;
}

static void note_failure(struct dial *dial, enum tf_reason reason, const struct tf_addr *address)
{
    if (rank(reason) <= rank(dial->result.reason))
        return;
    dial->result.reason = reason;
    dial->result.destination = *address;
}

static enum tf_reason reason_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
        return TF_REASON_DIAL_REFUSED;
    case ETIMEDOUT:
        return TF_REASON_DIAL_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC: /* epoll's bound on watched descriptors */
    case EAGAIN: /* no local port is left */
        return TF_REASON_NO_RESOURCES;
    default:
        return TF_REASON_DIAL_UNREACHABLE;
    }
}

/* A socket on its way to address; -1 with errno set. */
static int open_socket(const struct tf_addr *address)
{
    static const int on = 1;
    struct sockaddr_storage sa;
    socklen_t size = sockaddr_from_addr(&sa, address);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    if ((connect(fd, (const struct sockaddr *)&sa, size) != 0 && errno != EINPROGRESS) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void on_ready(void *arg, unsigned ready);
static void on_timer(uv_timer_t *timer);

static void close_socket(struct attempt *a)
{
    own_ports_remove(a->dial->dialer.own_ports, a->own_port);
    close(a->fd);
}

/* False: it failed at once, and that is noted. */
static bool start_attempt(struct dial *dial, const struct tf_addr *address)
{
    enum tf_reason denied = tf_access_address(&dial->access, address);
    if (denied != TF_REASON_NONE) {
        note_failure(dial, denied, address);
        return false;
    }
    struct attempt *a = &dial->attempts[dial->attempted];
    *a = (struct attempt){.dial = dial, .fd = open_socket(address), .address = *address};
    if (a->fd >= 0) {
        a->own_port = own_ports_add(dial->dialer.own_ports, a->fd, address);
        a->watch = watch_add(dial->dialer.watcher, a->fd, on_ready, a);
    }
    if (a->watch == NULL) {
        note_failure(dial, reason_of(errno), address);
        if (a->fd >= 0)
            close_socket(a);
        return false;
    }
    dial->attempted++;
    dial->live++;
    return true;
}

static void close_attempt(struct attempt *a)
{
    watch_forget(a->dial->dialer.watcher, a->watch);
    close_socket(a);
    a->fd = -1;
    a->dial->live--;
}

static bool has_address(const struct dial *dial)
{
    const struct source *s = dial->sources;
    return dial->attempted < ATTEMPTS_MAX && (s[V6].next < s[V6].n || s[V4].next < s[V4].n);
}

static const struct tf_addr *take_address(struct dial *dial)
{
    if (dial->sources[dial->turn].next == dial->sources[dial->turn].n)
        dial->turn = FAMILIES - 1 - dial->turn;
    struct source *s = &dial->sources[dial->turn];
    dial->turn = FAMILIES - 1 - dial->turn;
    return &s->addresses[s->next++];
}

static void set_timer(struct dial *dial)
{
    if (!dial->has_timer)
        uv_timer_init(dial->dialer.uv, &dial->timer);
    dial->timer.data = dial;
    dial->has_timer = true;
    uv_timer_start(&dial->timer, on_timer, dial->not_before_ms - uv_now(dial->dialer.uv), 0);
}

/* Starts what may start now. False: nothing is under way any more, and the result says why. */
static bool advance(struct dial *dial)
{
    uint64_t now_ms = uv_now(dial->dialer.uv);
    while (has_address(dial) && dial->not_before_ms <= now_ms)
        if (start_attempt(dial, take_address(dial)))
            dial->not_before_ms = now_ms + ATTEMPT_DELAY_MS;
    if (has_address(dial))
        set_timer(dial);
    return dial->live > 0 || has_address(dial) || dial->sources[V6].query != NULL ||
           dial->sources[V4].query != NULL;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void dial_cancel(struct dial *dial)
{
    for (size_t i = 0; i < dial->attempted; i++)
        if (dial->attempts[i].fd >= 0)
            close_attempt(&dial->attempts[i]);
    for (size_t i = 0; i < FAMILIES; i++)
        if (dial->sources[i].query != NULL)
            dns_cancel(dial->sources[i].query);
    if (dial->has_timer)
        uv_close((uv_handle_t *)&dial->timer, on_closed);
    else
        free(dial);
}

static void finish(struct dial *dial)
{
    struct dial_result result = dial->result;
    dial_cb *cb = dial->cb;
    void *arg = dial->arg;
    dial_cancel(dial);
    cb(arg, &result);
}

static void advance_or_finish(struct dial *dial)
{
    if (!advance(dial))
        finish(dial);
}

static void on_timer(uv_timer_t *timer)
{
    advance_or_finish(timer->data);
}

/* A connection to an unused port from which local sockets get theirs may reach itself (RFC 9293 3.5,
 * simultaneous open). Ports below 1024 are not given out so, unless a machine is told to. */
static bool is_connected_to_itself(const struct attempt *a)
{
    struct sockaddr_storage sa;
    struct tf_addr local;
    socklen_t size = sizeof sa;
    return a->address.port >= 1024 && getsockname(a->fd, (struct sockaddr *)&sa, &size) == 0 &&
           sockaddr_to_addr((const struct sockaddr *)&sa, &local) && local.port == a->address.port &&
           tf_addr_same_ip(&local, &a->address);
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static void on_ready(void *arg, unsigned ready)
{
    struct attempt *a = arg;
    struct dial *dial = a->dial;
    int error = ready & (WATCH_ERROR | WATCH_HANGUP) ? error_of(a->fd) : 0;
    if (error == 0 && !(ready & WATCH_WRITE))
        return;
    if (error == 0 && is_connected_to_itself(a))
        error = ECONNREFUSED;
    if (error != 0) {
        note_failure(dial, reason_of(error), &a->address);
        close_attempt(a);
        dial->not_before_ms = 0;
        advance_or_finish(dial);
        return;
    }
    dial->result = (struct dial_result){.reason = TF_REASON_NONE,
                                        .fd = a->fd,
                                        .own_port = a->own_port,
                                        .watch = a->watch,
                                        .ready = ready,
                                        .destination = a->address};
    a->fd = -1; /* the winner's is not closed */
    finish(dial);
}

/* Takes over addresses[0..n), with the port to dial. */
static void take_over(struct source *s, const struct tf_addr *addresses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->addresses[i] = addresses[i];
        s->addresses[i].port = s->dial->port;
    }
    s->n = n;
}

static void take_answer(struct source *s, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    if (status != DNS_OK || n == 0)
        note_failure(s->dial, status == DNS_TIMEOUT ? TF_REASON_NAME_TIMEOUT : TF_REASON_NAME_NOT_FOUND,
                     &no_address);
    take_over(s, addresses, n);
}

/* IPv4 addresses give IPv6 ones a moment to turn up before the first attempt (RFC 8305 section 3). */
static void set_first_attempt(struct dial *dial)
{
    bool waits = dial->sources[V6].query != NULL;
    if (dial->attempted == 0)
        dial->not_before_ms = waits ? uv_now(dial->dialer.uv) + RESOLUTION_DELAY_MS : 0;
}

static void on_answer(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    struct source *s = arg;
    s->query = NULL;
    take_answer(s, status, addresses, n);
    set_first_attempt(s->dial);
    advance_or_finish(s->dial);
}

static void look_up(struct source *s, const char *host, enum tf_family family)
{
    struct tf_addr addresses[DNS_ADDRESSES_MAX];
    struct dns *dns = s->dial->dialer.dns;
    size_t n;
    bool known = dns_cached(dns, host, family, addresses, DNS_ADDRESSES_MAX, &n);
    counters_add(s->dial->dialer.counters, known ? COUNTER_DNS_CACHE_HITS : COUNTER_DNS_CACHE_MISSES, 1);
    if (known) {
        take_answer(s, DNS_OK, addresses, n);
        return;
    }
    s->query = dns_ask(dns, host, family, on_answer, s);
    if (s->query == NULL)
        note_failure(s->dial, TF_REASON_NO_RESOURCES, &no_address);
}

static void find_addresses(struct dial *dial, const struct tf_conf *conf, const struct tf_target *target)
{
    const struct tf_override *override = tf_conf_override(conf, target);
    const struct tf_addr *address = override != NULL     ? &override->to
                                    : target->is_address ? &target->addr
                                                         : NULL;
    dial->port = override != NULL && override->to.port != 0 ? override->to.port : target->port;
    if (address != NULL) {
        take_over(&dial->sources[address->family == TF_FAMILY_V6 ? V6 : V4], address, 1);
        return;
    }
    look_up(&dial->sources[V6], target->host, TF_FAMILY_V6);
    look_up(&dial->sources[V4], target->host, TF_FAMILY_V4);
}

static struct dial *start(const struct dialer *d, const struct tf_conf *conf, const struct tf_access *access,
                          const struct tf_target *target, dial_cb *cb, void *arg, enum tf_reason *why,
                          struct tf_addr *denied)
{
    struct dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL) {
        *why = TF_REASON_NO_RESOURCES;
        return NULL;
    }
    dial->dialer = *d;
    dial->access = *access;
    dial->cb = cb;
    dial->arg = arg;
    dial->result.fd = -1;
    dial->sources[V6].dial = dial->sources[V4].dial = dial;
    find_addresses(dial, conf, target);
    set_first_attempt(dial);
    if (advance(dial))
        return dial;

    *why = dial->result.reason;
    if (denied != NULL && dial->result.destination.family != TF_FAMILY_NONE)
        *denied = dial->result.destination;
    dial_cancel(dial);
    return NULL;
}

struct dial *dial_start(const struct dialer *d, const struct tf_conf *conf, const struct tf_target *target,
                        dial_cb *cb, void *arg, enum tf_reason *why, struct tf_addr *denied)
{
    return start(d, conf, &conf->access, target, cb, arg, why, denied);
}

struct dial *dial_parent_start(const struct dialer *d, const struct tf_conf *conf, dial_cb *cb, void *arg,
                               enum tf_reason *why, struct tf_addr *denied)
{
    struct tf_access anywhere = conf->access;
    anywhere.destination.classes = UINT32_MAX;
    return start(d, conf, &anywhere, &conf->parent.proxy, cb, arg, why, denied);
}
