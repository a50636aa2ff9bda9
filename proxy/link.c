/* One side of a session; see link.h. */
#include "link.h"

#include "loop.h"
#include "original.h"
#include "tls_link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void link_init(struct link *l, int fd)
{
    *l = (struct link){.fd = fd};
}

bool link_watch(struct link *l, struct loop *loop, watch_cb *cb, void *arg)
{
    if (l->watch == NULL && l->fd >= 0)
        l->watch = watch_add(loop->watcher, l->fd, cb, arg);
    return l->watch != NULL;
}

void link_note(struct link *l, unsigned ready)
{
    if (l->tls != NULL)
        tls_link_note(l);
    if (ready & (WATCH_READ | WATCH_HANGUP))
        l->readable = true;
    if (ready & WATCH_WRITE)
        l->writable = true;
    if (ready & WATCH_HANGUP)
        l->hangup = true;
    if (ready & WATCH_ERROR)
        l->failed = l->readable = l->writable = true;
}

/* The first block comes from the loop's pool and serves nearly every hello; a larger one is on the heap. */
static bool take_block(struct lookahead *a, struct loop *loop, size_t n)
{
    a->p = n <= LOOP_BLOCK_SIZE ? pool_get(&loop->blocks) : malloc(n);
    if (a->p == NULL)
        return false;
    a->cap = n <= LOOP_BLOCK_SIZE ? LOOP_BLOCK_SIZE : (uint32_t)n;
    a->at = a->end = 0;
    a->is_gathered = false;
    return true;
}

void lookahead_drop(struct lookahead *a, struct loop *loop)
{
    if (a->p == NULL)
        return;
    if (a->is_gathered)
        loop->gathered -= a->cap;
    if (a->cap == LOOP_BLOCK_SIZE)
        pool_put(&loop->blocks, a->p);
    else
        free(a->p);
    *a = (struct lookahead){.p = NULL};
}

static bool grow(struct lookahead *a, struct loop *loop, size_t limit)
{
    size_t cap = a->p == NULL ? LOOP_BLOCK_SIZE : (size_t)a->cap * 2;
    if (cap > limit)
        cap = limit;
    struct lookahead larger;
    if (!loop_has_room(loop, cap) || !take_block(&larger, loop, cap))
        return false;
    larger.is_gathered = true;
    loop->gathered += larger.cap;
    larger.at = a->at;
    larger.end = a->end;
    if (a->p != NULL)
        memcpy(larger.p, a->p, a->end);
    lookahead_drop(a, loop);
    *a = larger;
    return true;
}

/* A short read has emptied the socket, unless the peer's FIN is behind it. */
static void note_read(struct link *l, size_t n, size_t room)
{
    if (n < room)
        l->readable = l->hangup || l->failed;
}

static enum link_io recv_raw(struct link *l, void *p, size_t room, size_t *n)
{
    ssize_t r;
    do
        r = recv(l->fd, p, room, 0);
    while (r < 0 && errno == EINTR);
    *n = r > 0 ? (size_t)r : 0;
    if (r > 0) {
        note_read(l, *n, room);
        return LINK_OK;
    }
    if (r == 0)
        return LINK_EOF;
    l->readable = false;
    return errno == EAGAIN || errno == EWOULDBLOCK ? LINK_AGAIN : LINK_ERROR;
}

enum link_io link_recv(struct link *l, void *p, size_t room, size_t *n)
{
    enum link_io r = l->tls != NULL ? tls_link_recv(l, p, room, n) : recv_raw(l, p, room, n);
    if (r == LINK_EOF)
        l->eof = true;
    return r;
}

enum link_io link_fill(struct link *l, struct loop *loop, size_t limit)
{
    if (l->eof)
        return LINK_EOF;
    if (!l->readable)
        return LINK_AGAIN;
    struct lookahead *a = &l->ahead;
    if (a->end == a->cap && a->at > 0) {
        memmove(a->p, a->p + a->at, a->end - a->at);
        a->end -= a->at;
        a->at = 0;
    }
    if (a->end == a->cap && a->end >= limit)
        return LINK_FULL;
    if (a->end == a->cap && !grow(a, loop, limit))
        return LINK_NO_MEMORY;
    size_t n;
    enum link_io r = link_recv(l, a->p + a->end, a->cap - a->end, &n);
    a->end += (uint32_t)n;
    if (r != LINK_OK && a->at == a->end)
        lookahead_drop(a, loop);
    return r;
}

struct tf_span lookahead_rest(const struct lookahead *a)
{
    if (a->p == NULL)
        return (struct tf_span){NULL, 0};
    return (struct tf_span){a->p + a->at, a->end - a->at};
}

struct tf_span link_ahead(const struct link *l)
{
    return lookahead_rest(&l->ahead);
}

void link_consume(struct link *l, struct loop *loop, size_t n)
{
    assert(n <= l->ahead.end - l->ahead.at);
    l->ahead.at += (uint32_t)n;
    if (l->ahead.at == l->ahead.end)
        lookahead_drop(&l->ahead, loop);
}

bool link_stash(struct link *l, struct loop *loop, const void *p, size_t n)
{
    assert(l->ahead.p == NULL && n > 0);
    if (!take_block(&l->ahead, loop, n))
        return false;
    memcpy(l->ahead.p, p, n);
    l->ahead.end = (uint32_t)n;
    return true;
}

static enum link_io send_with(struct link *l, const void *p, size_t n, size_t *sent, int flags)
{
    *sent = 0;
    while (*sent < n) {
        ssize_t w = send(l->fd, (const uint8_t *)p + *sent, n - *sent, flags | MSG_NOSIGNAL);
        if (w >= 0) {
            *sent += (size_t)w;
            continue;
        }
        if (errno == EINTR)
            continue;
        l->writable = false;
        return errno == EAGAIN || errno == EWOULDBLOCK ? LINK_AGAIN : LINK_ERROR;
    }
    return LINK_OK;
}

enum link_io link_send_raw(struct link *l, const void *p, size_t n, size_t *sent)
{
    return send_with(l, p, n, sent, 0);
}

enum link_io link_send(struct link *l, const void *p, size_t n, size_t *sent)
{
    return l->tls != NULL ? tls_link_send(l, p, n, sent) : link_send_raw(l, p, n, sent);
}

enum link_io link_send_last(struct link *l, const void *p, size_t n, size_t *sent)
{
    return l->tls != NULL ? tls_link_send(l, p, n, sent) : send_with(l, p, n, sent, MSG_MORE);
}

void link_shut_raw(struct link *l)
{
    if (!l->shut && l->fd >= 0)
        shutdown(l->fd, SHUT_WR);
    l->shut = true;
}

bool link_shut(struct link *l)
{
    if (!l->shut && l->tls != NULL && !tls_link_shut(l))
        return false;
    link_shut_raw(l);
    return true;
}

void link_move(struct link *to, struct link *from)
{
    *to = *from;
    if (to->tls != NULL)
        tls_link_moved(to);
    link_init(from, -1);
}

void link_close(struct link *l, struct loop *loop, bool reset)
{
    lookahead_drop(&l->ahead, loop);
    if (l->tls != NULL)
        tls_link_free(l);
    if (l->watch != NULL)
        watch_forget(loop->watcher, l->watch);
    if (l->own_port != 0)
        own_ports_remove(loop->setting->own_ports, l->own_port);
    if (l->fd >= 0) {
        struct linger abort_now = {.l_onoff = 1, .l_linger = 0};
        if (reset)
            setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
        close(l->fd);
    }
    link_init(l, -1);
}
