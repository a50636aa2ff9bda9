/* Copy or splice; see relay.h.
 *
 * A direction copies through the loop's one buffer. When a read fills that
 * buffer the direction is bulk, and moves on with splice until it runs dry.
 * Small records are cheaper copied (one recv, one send), large ones spliced.
 * Only a receiver that does not keep up makes a direction hold memory: the
 * rest of one buffer, or a pipe. */
#include "relay.h"

#include "loop.h"
#include "tls_link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* Rounds before other sessions have their turn. */
enum { ROUNDS = 16 };

void flow_fini(struct flow *flow, struct loop *loop)
{
    if (flow->pipe != NULL)
        pipes_put(&loop->pipes, flow->pipe, flow->piped > 0);
    flow->pipe = NULL;
    flow->piped = 0;
    flow->bulk = false;
}

/* The receiver takes no more: what is left is dropped. The other direction goes on, since what the receiver
 * said last (an alert, say) may still be waiting to be read. */
static enum pump receiver_gone(struct loop *loop, struct link *from, struct link *to, struct flow *flow)
{
    lookahead_drop(&from->ahead, loop);
    flow_fini(flow, loop);
    flow->done = true;
    to->shut = true;
    return PUMP_DONE;
}

static enum link_io send_ahead(struct loop *loop, struct link *from, struct link *to, uint64_t *bytes)
{
    struct tf_span rest = link_ahead(from);
    size_t sent;
    enum link_io r = link_send(to, rest.p, rest.n, &sent);
    *bytes += sent;
    link_consume(from, loop, sent);
    return r;
}

static enum link_io send_piped(struct link *to, struct flow *flow, uint64_t *bytes)
{
    while (flow->piped > 0) {
        ssize_t n =
            splice(flow->pipe->out, NULL, to->fd, NULL, flow->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n <= 0) {
            to->writable = false;
            return n < 0 && errno == EAGAIN ? LINK_AGAIN : LINK_ERROR;
        }
        flow->piped -= (uint32_t)n;
        *bytes += (uint64_t)n;
    }
    return LINK_OK;
}

static enum link_io read_end(struct link *from, ssize_t n)
{
    if (n == 0) {
        from->eof = true;
        return LINK_EOF;
    }
    from->readable = false;
    return errno == EAGAIN || errno == EINTR ? LINK_AGAIN : LINK_ERROR;
}

static enum link_io fill_pipe(struct link *from, struct flow *flow)
{
    ssize_t n =
        splice(from->fd, NULL, flow->pipe->in, NULL, flow->pipe->size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n <= 0)
        return read_end(from, n);
    flow->piped = (uint32_t)n;
    return LINK_OK;
}

static enum link_io copy(struct loop *loop, struct link *from, struct link *to, struct flow *flow,
                         uint64_t *bytes)
{
    size_t n, sent;
    enum link_io r = link_recv(from, loop->buffer, LOOP_BUFFER_SIZE, &n);
    if (r != LINK_OK)
        return r;
    flow->bulk = n == LOOP_BUFFER_SIZE && from->tls == NULL && to->tls == NULL;
    r = link_send(to, loop->buffer, n, &sent);
    *bytes += sent;
    if (r == LINK_AGAIN && !link_stash(from, loop, loop->buffer + sent, n - sent))
        errno = ENOMEM, r = LINK_ERROR;
    if (r == LINK_ERROR)
        to->failed = true;
    return r;
}

/* What `from` said is all there is, or all that will come: `to` is told so, and which of the two it is. If
 * the other direction is over as well, both sockets are closed right away, which sends the FIN; TLS wants its
 * word first. False: the socket has no room for that word now. */
static bool pass_end_on(struct link *from, struct link *to)
{
    if (tls_link_is_cut(from))
        link_shut_raw(to);
    else if (to->tls != NULL || !from->shut)
        return link_shut(to);
    return true;
}

enum pump relay_pump(struct loop *loop, struct link *from, struct link *to, struct flow *flow,
                     uint64_t *bytes)
{
    if (flow->done)
        return PUMP_DONE;
    for (int round = 0; round < ROUNDS; round++) {
        bool waiting = from->ahead.p != NULL || flow->piped > 0;
        if (waiting && !to->writable)
            return PUMP_IDLE;
        enum link_io r = LINK_OK;
        if (from->ahead.p != NULL)
            r = send_ahead(loop, from, to, bytes);
        if (r == LINK_OK)
            r = send_piped(to, flow, bytes);
        if (r == LINK_AGAIN)
            return PUMP_IDLE;
        if (r == LINK_ERROR)
            return receiver_gone(loop, from, to, flow);
        if (from->eof) {
            flow_fini(flow, loop);
            flow->done = pass_end_on(from, to);
            return flow->done ? PUMP_DONE : PUMP_IDLE;
        }
        if (!from->readable) {
            flow_fini(flow, loop);
            return PUMP_IDLE;
        }
        if (flow->bulk && flow->pipe == NULL)
            flow->pipe = pipes_get(&loop->pipes);
        r = flow->pipe != NULL ? fill_pipe(from, flow) : copy(loop, from, to, flow, bytes);
        if (r == LINK_ERROR)
            return to->failed ? receiver_gone(loop, from, to, flow) : PUMP_ERROR;
        if (r == LINK_AGAIN && from->readable && from->ahead.p == NULL) /* tls_link_has_more */
            return PUMP_MORE;
    }
    return PUMP_MORE;
}
