/* Listening and accepting; see listener.h. */
#include "listener.h"

#include "session.h"
#include "sockaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    ACCEPTS = 64,  /* in one go, before sessions have their turn */
    DEFER_S = 3,   /* a connection is handed over with its first bytes, or after so long without any */
    PAUSE_MS = 100 /* without file descriptors */
};

struct acceptor {
    uv_poll_t poll;
    uv_timer_t pause;
    struct loop *loop;
    const struct tf_listener *listener;
    int fd;
    int spare; /* given up to accept, and close, a connection when no descriptor is left; -1: not to be had */
    unsigned closing;
    struct acceptor *next;
};

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static int open_socket(struct sockaddr_storage *sa, socklen_t *len, const struct tf_addr *address)
{
    *len = sockaddr_from_addr(sa, address);
    int fd = socket(sa->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 || errno != EAFNOSUPPORT || address->family != TF_FAMILY_NONE)
        return fd;
    /* Every address of a machine without IPv6 is every IPv4 one. */
    struct tf_addr every = {.family = TF_FAMILY_V4, .port = address->port};
    *len = sockaddr_from_addr(sa, &every);
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* So that connections to addresses that are not this machine's can be accepted. A socket that is so already
 * needs no capability any more. */
static bool set_transparent(int fd)
{
    int family = AF_INET, value = 0;
    socklen_t len = sizeof family;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int option = family == AF_INET6 ? IPV6_TRANSPARENT : IP_TRANSPARENT;
    len = sizeof value;
    return (getsockopt(fd, level, option, &value, &len) == 0 && value != 0) ||
           set_option(fd, level, option, 1);
}

static int open_one(const struct tf_addr *address, bool tproxy, bool shared)
{
    struct sockaddr_storage sa;
    socklen_t len;
    int fd = open_socket(&sa, &len, address);
    if (fd < 0)
        return -1;
    bool both = address->family == TF_FAMILY_NONE;
    bool ok = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
              (!shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
              (sa.ss_family != AF_INET6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1)) &&
              (!tproxy || set_transparent(fd)) &&
              set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) && /* accepted sockets inherit it */
              bind(fd, (struct sockaddr *)&sa, len) == 0 && (!shared || listen(fd, BACKLOG) == 0);
    if (!ok) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    struct tf_addr a = {0};
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
        sockaddr_to_addr((struct sockaddr *)&sa, &a);
    return a.port;
}

const char *listener_hint(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "; another program listens there (see `ss -ltnp`): stop it, or choose another port";
    case EADDRNOTAVAIL:
        return "; this machine has no such address (see `ip addr`)";
    case EACCES:
        return "; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
    case EPERM:
        return "; intercept = tproxy needs the capability CAP_NET_ADMIN";
    default:
        return "";
    }
}

static void explain(const struct tf_addr *address, char *error, size_t size)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    int saved = errno;
    tf_put_addr_port(&w, address);
    text[w.len] = '\0';
    snprintf(error, size, "cannot listen on %s: %s%s", text, strerror(saved), listener_hint(saved));
}

/* SO_REUSEPORT would share the port with another process of the same user without a word. */
bool listener_is_free(const struct tf_addr *address, char *error, size_t size)
{
    if (address->port == 0)
        return true;
    int probe = open_one(address, false, false);
    if (probe < 0) {
        explain(address, error, size);
        return false;
    }
    close(probe);
    return true;
}

bool listener_open(struct tf_addr *address, bool tproxy, int *fds, size_t count, char *error, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        fds[i] = open_one(address, tproxy, true);
        if (fds[i] < 0) {
            explain(address, error, size);
            while (i > 0)
                close(fds[--i]);
            return false;
        }
        if (address->port == 0)
            address->port = port_of(fds[i]);
    }
    return true;
}

bool listener_adopt(int fd, const struct tf_addr *address, bool tproxy, char *error, size_t size)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) && (!tproxy || set_transparent(fd)))
        return true;
    explain(address, error, size);
    return false;
}

void listener_defer(int fd, bool defer)
{
    set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, defer ? DEFER_S : 0);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
    struct acceptor *a = timer->data;
    if (a->spare < 0)
        a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_poll_start(&a->poll, UV_READABLE, on_readable);
}

static void shed(struct acceptor *a, int fd)
{
    if (fd < 0)
        return;
    close(fd);
    counters_add(&a->loop->counters, COUNTER_ACCEPT_SHED, 1);
}

/* No descriptor is left. The connection in front of the queue is closed with the spare one, so that its
 * client hears of it at once; then accepting pauses, since only time gives descriptors back. */
static void on_exhausted(struct acceptor *a)
{
    if (a->spare >= 0) {
        close(a->spare);
        shed(a, accept4(a->fd, NULL, NULL, SOCK_CLOEXEC));
        a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    uv_poll_stop(&a->poll);
    uv_timer_start(&a->pause, on_pause_over, PAUSE_MS, 0);
}

/* False: there is nothing more to accept now; where loops share one socket, another may have been quicker. */
static bool accept_one(struct acceptor *a)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    int fd = accept4(a->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        on_exhausted(a);
        return false;
    }
    if (fd < 0) /* a connection that ended in the queue is no reason to stop: accept(2) */
        return errno == EINTR || errno == ECONNABORTED || errno == EPROTO;
    struct tf_addr source;
    if (a->loop->session_count >= a->loop->setting->session_max ||
        !sockaddr_to_peer((struct sockaddr *)&sa, &source)) {
        shed(a, fd);
        return true;
    }
    session_start(a->loop, a->listener, fd, &source);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct acceptor *a = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS && accept_one(a); i++)
        continue;
}

struct acceptor *acceptor_start(struct loop *loop, const struct listening *listening)
{
    struct acceptor *a = malloc(sizeof *a);
    if (a == NULL)
        return NULL;
    *a = (struct acceptor){.loop = loop, .listener = listening->listener, .fd = listening->fd, .closing = 2};
    a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (uv_poll_init(&loop->uv, &a->poll, a->fd) != 0) {
        if (a->spare >= 0)
            close(a->spare);
        free(a);
        return NULL;
    }
    uv_timer_init(&loop->uv, &a->pause);
    a->poll.data = a->pause.data = a;
    uv_poll_start(&a->poll, UV_READABLE, on_readable);
    return a;
}

static void on_closed(uv_handle_t *handle)
{
    struct acceptor *a = handle->data;
    if (--a->closing == 0)
        free(a);
}

struct acceptor **acceptor_next(struct acceptor *a)
{
    return &a->next;
}

int acceptor_fd(const struct acceptor *a)
{
    return a->fd;
}

void acceptor_serve(struct acceptor *a, const struct tf_listener *listener)
{
    a->listener = listener;
}

void acceptor_stop(struct acceptor *a, bool is_shared)
{
    for (int i = 0; !is_shared && i < BACKLOG && accept_one(a); i++)
        continue;
    uv_close((uv_handle_t *)&a->poll, on_closed);
    uv_close((uv_handle_t *)&a->pause, on_closed);
    close(a->fd);
    if (a->spare >= 0)
        close(a->spare);
}
