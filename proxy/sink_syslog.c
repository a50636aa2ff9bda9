/* The sink that is a syslog: a socket of this machine, UDP or TCP; see
 * sink.h. What a message looks like is lib/syslog's business.
 *
 * While nobody is there, the lines wait: the thread holds the one that did
 * not get through, tries again each PAUSE_MS, and the queue fills behind it.
 * What the receiver has done with a line nobody tells: over TCP, what was on
 * its way when the connection broke counts as written. */
#include "sink.h"

#include "../lib/syslog.h"
#include "clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    PAUSE_MS = 500,
    DEAD_MS = 30000, /* a TCP peer that answers nothing for so long is gone */
    PARTS = 3
};

struct syslog {
    struct sink sink;
    struct tf_syslog_target target;
    struct addrinfo *addresses; /* of the name; NULL: of target.path, as `local` */
    struct sockaddr_un local;
    struct addrinfo local_info;
    const struct addrinfo *next; /* to connect to */
    bool is_stream;
    int fd; /* -1: not connected */
    char hostname[256];
};

static struct syslog *syslog_of(struct sink *sink)
{
    return (struct syslog *)sink;
}

/* --- connecting --- */

static void hang_up(struct syslog *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* Begins to connect to the next address; what is said about it then, SO_ERROR tells. 0, or errno. */
static int dial(struct syslog *s)
{
    const struct addrinfo *to = s->next;
    int patience = DEAD_MS;
    s->next = to->ai_next != NULL ? to->ai_next : s->addresses != NULL ? s->addresses : &s->local_info;
    s->fd =
        socket(to->ai_family, (s->is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return errno;
    if (s->target.transport == TF_SYSLOG_TCP)
        setsockopt(s->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    if (connect(s->fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS)
        return 0;
    int error = errno;
    hang_up(s);
    return error;
}

/* As libc does: a socket that takes no datagrams may be a stream. */
static int dial_local(struct syslog *s)
{
    int error = dial(s);
    if (error != EPROTOTYPE)
        return error;
    s->is_stream = !s->is_stream;
    return dial(s);
}

static int connect_to(struct syslog *s)
{
    int error = s->target.transport == TF_SYSLOG_UNIX ? dial_local(s) : dial(s);
    socklen_t size = sizeof error;
    if (error != 0)
        return error;
    if (!sink_wait(s->sink.stop, s->fd, POLLOUT))
        return ETIMEDOUT;
    return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* Whether the other end of a stream is known to be gone: what is written to it then goes nowhere. */
static bool is_gone(const struct syslog *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLRDHUP};
    return s->is_stream && poll(&p, 1, 0) > 0;
}

/* --- opening --- */

static bool resolve(struct syslog *s, const char *title, char *error, size_t size)
{
    const struct tf_target *host = &s->target.host;
    struct addrinfo hints = {.ai_socktype = s->is_stream ? SOCK_STREAM : SOCK_DGRAM,
                             .ai_flags = AI_NUMERICSERV};
    char port[8];
    snprintf(port, sizeof port, "%u", host->port);
    int rc = getaddrinfo(host->host, port, &hints, &s->addresses);
    if (rc == 0)
        return true;
    snprintf(error, size, "log %s: %s: %s; write a name that resolves, or an address", title, host->host,
             gai_strerror(rc));
    return false;
}

/* A socket of this machine is there from the start, or it is a mistake. */
static bool open_local(struct syslog *s, const char *title, char *error, size_t size)
{
    s->local = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(s->local.sun_path, s->target.path, sizeof s->local.sun_path);
    s->local_info = (struct addrinfo){
        .ai_family = AF_UNIX, .ai_addr = (struct sockaddr *)&s->local, .ai_addrlen = sizeof s->local};
    s->next = &s->local_info;
    int why = dial_local(s);
    if (why == 0)
        return true;
    snprintf(error, size,
             "log %s: %s: %s; start the syslog daemon, or write syslog:/PATH with its socket, "
             "syslog:HOST:PORT or syslog:tcp:HOST:PORT",
             title, s->target.path, strerror(why));
    return false;
}

static void syslog_close(struct sink *sink)
{
    struct syslog *s = syslog_of(sink);
    hang_up(s);
    if (s->addresses != NULL)
        freeaddrinfo(s->addresses);
    free(s);
}

static struct sink *syslog_open(const struct journal_options *options, char *error, size_t size)
{
    const char *title = sink_title(options);
    struct syslog *s = calloc(1, sizeof *s);
    if (s == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    s->fd = -1;
    gethostname(s->hostname, sizeof s->hostname - 1);
    const char *wrong = tf_syslog_parse(title, strlen(title), &s->target);
    s->is_stream = s->target.transport == TF_SYSLOG_TCP;
    if (wrong != NULL)
        snprintf(error, size, "log %s: %s", title, wrong);
    bool ok = wrong == NULL && (s->target.transport == TF_SYSLOG_UNIX ? open_local(s, title, error, size)
                                                                      : resolve(s, title, error, size));
    if (!ok) {
        syslog_close(&s->sink);
        return NULL;
    }
    if (s->addresses != NULL)
        s->next = s->addresses;
    return &s->sink;
}

/* --- writing --- */

/* Takes the first n bytes off a message. */
static void skip(struct msghdr *m, size_t n)
{
    for (; m->msg_iovlen > 0 && n >= m->msg_iov->iov_len; m->msg_iov++, m->msg_iovlen--)
        n -= m->msg_iov->iov_len;
    if (m->msg_iovlen > 0) {
        m->msg_iov->iov_base = (char *)m->msg_iov->iov_base + n;
        m->msg_iov->iov_len -= n;
    }
}

/* 0, or errno. */
static int send_parts(const struct syslog *s, struct iovec *parts, size_t count)
{
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = count};
    while (m.msg_iovlen > 0) {
        ssize_t k = sendmsg(s->fd, &m, MSG_NOSIGNAL);
        if (k >= 0)
            skip(&m, (size_t)k);
        else if (errno == EAGAIN && !sink_wait(s->sink.stop, s->fd, POLLOUT))
            return ETIMEDOUT;
        else if (errno != EAGAIN && errno != EINTR)
            return errno;
    }
    return 0;
}

/* One message, without the newline. A stream needs to be told where it ends: TCP by its length in front, a
 * stream of this machine by a NUL, as libc does. 0, or errno. */
static int send_line(const struct syslog *s, char *text, const struct sink_line *line, int64_t unix_us)
{
    static const enum tf_syslog_severity severities[JOURNAL_KINDS] = {
        [JOURNAL_REFUSED] = TF_SYSLOG_WARNING,
        [JOURNAL_WOULD_BLOCK] = TF_SYSLOG_NOTICE,
        [JOURNAL_OTHER] = TF_SYSLOG_INFO,
    };
    struct tf_syslog_header about = {severities[line->kind], unix_us, s->hostname, (uint64_t)getpid(),
                                     s->sink.options->name};
    char header[TF_SYSLOG_HEADER_MAX], length[24], nul = '\0';
    struct tf_writer h = tf_writer_of(header, sizeof header);
    struct tf_writer l = tf_writer_of(length, sizeof length);
    bool is_tcp = s->target.transport == TF_SYSLOG_TCP;
    size_t size = line->size - 1;
    tf_put_syslog_header(&h, &about);
    if (is_tcp) {
        tf_put_u64(&l, h.len + size);
        tf_put_char(&l, ' ');
    }
    struct iovec parts[] = {{length, l.len}, {header, h.len}, {text, size}, {&nul, s->is_stream && !is_tcp}};
    return send_parts(s, parts, sizeof parts / sizeof *parts);
}

/* Tries until it is sent. What is too large for the transport is left out. False: the journal ends. */
static bool deliver(struct syslog *s, char *text, struct sink_line *line, int64_t unix_us)
{
    for (bool is_first = true;; is_first = false) {
        int error = s->fd < 0 ? connect_to(s) : 0;
        if (error == 0)
            error = send_line(s, text, line, unix_us);
        if (error == 0 || error == EMSGSIZE) {
            line->is_written = error == 0;
            sink_note_recovery(&s->sink);
            return true;
        }
        hang_up(s);
        if (is_first)
            continue; /* the other end may only have been started anew */
        char why[128];
        snprintf(why, sizeof why, "%s; lines wait, and are dropped when the queue is full", strerror(error));
        sink_note_failure(&s->sink, why);
        if (!sink_pause(s->sink.stop, PAUSE_MS))
            return false;
    }
}

static bool syslog_write(struct sink *sink, struct sink_batch *batch)
{
    struct syslog *s = syslog_of(sink);
    int64_t unix_us = clock_wall_us();
    char *text = batch->text;
    if (s->fd >= 0 && is_gone(s))
        hang_up(s);
    for (size_t i = 0; i < batch->count; i++) {
        if (!deliver(s, text, &batch->lines[i], unix_us))
            return false;
        text += batch->lines[i].size;
    }
    return true;
}

const struct sink_type sink_syslog = {syslog_open, syslog_close, syslog_write, NULL};
