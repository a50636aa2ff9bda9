/* A connection on which TLS can begin: the probe's sockets, and the few lines
 * of mail protocols in front of TLS. Lines and their number are bounded; what
 * comes behind the server's consent is refused, as nobody can tell who wrote
 * it. */
#include "probe_parts.h"

#include "../lib/text.h"
#include "sockaddr.h"
#include "tls_verdict.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, LINES_MAX = 64, TURNS_MAX = 3 };

/* One turn of a dialogue: what is sent, and how the lines of a good answer begin: any number with `more`, the
 * last with `good`. */
struct turn {
    const char *says, *good, *more;
};

/* RFC 3207, RFC 9051 6.2.1, RFC 2595 4 */
static const struct {
    const char *name;
    struct turn turns[TURNS_MAX];
} protocols[] = {
    [PROBE_AT_ONCE] = {"", {{0}}},
    [PROBE_SMTP] = {"smtp",
                    {{"", "220", "220-"},
                     {"EHLO probe.invalid\r\n", "250", "250-"},
                     {"STARTTLS\r\n", "220", "220-"}}},
    [PROBE_IMAP] = {"imap", {{"", "* OK", NULL}, {"a STARTTLS\r\n", "a OK", "* "}}},
    [PROBE_POP3] = {"pop3", {{"", "+OK", NULL}, {"STLS\r\n", "+OK", NULL}}},
};

struct dialogue {
    int fd;
    uint64_t deadline_ms;
    char *error;      /* as that of probe_connect */
    size_t used, len; /* in[used..len) has been received and not been looked at */
    char in[LINE_BYTES];
};

const char *probe_starttls_name(enum probe_starttls s)
{
    return protocols[s].name;
}

static bool fail(struct dialogue *d, const char *sentence)
{
    snprintf(d->error, PROBE_TEXT_MAX, "%s", sentence);
    return false;
}

static bool receive(struct dialogue *d)
{
    if (d->len == sizeof d->in)
        return fail(d, "a line in front of TLS is longer than 4096 bytes");
    if (!fetch_wait(d->fd, POLLIN, d->deadline_ms))
        return fail(d, "the server was silent where a line in front of TLS belongs");
    ssize_t n = recv(d->fd, d->in + d->len, sizeof d->in - d->len, 0);
    if (n <= 0)
        return fail(d, "the server closed the connection in front of TLS");
    d->len += (size_t)n;
    return true;
}

/* The next line, without its LF or CRLF. */
static bool next_line(struct dialogue *d, struct tf_text *line)
{
    const char *end;
    memmove(d->in, d->in + d->used, d->len - d->used);
    d->len -= d->used;
    d->used = 0;
    while ((end = memchr(d->in, '\n', d->len)) == NULL)
        if (!receive(d))
            return false;
    *line = (struct tf_text){d->in, (size_t)(end - d->in)};
    d->used = line->n + 1;
    *line = tf_text_trim(*line);
    return true;
}

static bool begins_with(struct tf_text line, const char *prefix)
{
    size_t n = strlen(prefix);
    return line.n >= n && memcmp(line.p, prefix, n) == 0;
}

static bool fail_line(struct dialogue *d, struct tf_text line)
{
    char shown[PROBE_TEXT_MAX / 2];
    struct tf_writer w = tf_writer_of(shown, sizeof shown);
    tls_put_peer_text(&w, line.p, line.n);
    snprintf(d->error, PROBE_TEXT_MAX, "the server does not go on to TLS: it says \"%.*s\"", (int)w.len,
             shown);
    return false;
}

static bool take_turn(struct dialogue *d, const struct turn *turn)
{
    size_t n = strlen(turn->says);
    if (send(d->fd, turn->says, n, MSG_NOSIGNAL) != (ssize_t)n) /* a few bytes always fit */
        return fail(d, "the server closed the connection in front of TLS");
    for (int i = 0; i < LINES_MAX; i++) {
        struct tf_text line;
        if (!next_line(d, &line))
            return false;
        if (turn->more && begins_with(line, turn->more))
            continue;
        return begins_with(line, turn->good) || fail_line(d, line);
    }
    return fail(d, "the server sends more lines in front of TLS than anybody needs");
}

static bool go_to_tls(struct dialogue *d, enum probe_starttls protocol)
{
    const struct turn *turns = protocols[protocol].turns;
    for (size_t i = 0; i < TURNS_MAX && turns[i].says; i++)
        if (!take_turn(d, &turns[i]))
            return false;
    return d->used == d->len || fail(d, "the server sent more behind its consent to begin TLS");
}

/* From now on only the address that fd went to; unless there is a parent proxy, which is asked for names. */
static void pin_address(struct probe *p, int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    struct tf_addr peer;
    if (getpeername(fd, (struct sockaddr *)&sa, &len) != 0 ||
        !sockaddr_to_addr((struct sockaddr *)&sa, &peer))
        return;
    p->is_reached = true;
    p->target.addr = peer;
    if (p->conf->parent.proxy.host[0] != '\0')
        return;
    struct tf_writer w = tf_writer_of(p->target.host, sizeof p->target.host - 1);
    tf_put_addr(&w, &peer);
    p->target.host[w.len] = '\0';
    p->target.is_address = true;
    p->target.port = peer.port;
}

int probe_connect(struct probe *p, uint64_t *deadline_ms, char *error)
{
    *deadline_ms = fetch_now_ms() + p->timeout_ms;
    if (*deadline_ms > p->end_ms)
        *deadline_ms = p->end_ms;
    struct dialogue d = {.deadline_ms = *deadline_ms, .error = error};
    d.fd = fetch_connect(p->conf, &p->target, d.deadline_ms, error, PROBE_TEXT_MAX);
    if (d.fd < 0)
        return -1;
    pin_address(p, d.fd);
    if (go_to_tls(&d, p->starttls))
        return d.fd;
    close(d.fd);
    return -1;
}
