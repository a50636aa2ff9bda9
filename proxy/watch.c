/* Readiness of session sockets; see watch.h.
 *
 * Owns the inner epoll instance and the memory of the registrations. The
 * sockets are their owners'. */
#include "watch.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Events taken in one go. libuv calls again when there are more, so that other handles get their turn. */
enum { BATCH = 256, SLAB_WATCHES = 255 };

/* cb is NULL in a forgotten one: the rest of the batch may still name it. */
struct watch {
    watch_cb *cb;
    union {
        void *arg;
        struct watch *next; /* in the free list, or in the graveyard */
    };
};

/* Registrations are few bytes, and many come and go with every session: they are cut from slabs that live as
 * long as the watcher. */
struct slab {
    struct slab *next;
    struct watch watches[SLAB_WATCHES];
};

struct watcher {
    uv_poll_t poll;
    int epoll_fd;
    bool in_batch;
    struct watch *free;
    struct watch *graveyard; /* forgotten in this batch: free when it is over */
    struct slab *slabs;
};

static void push(struct watch **list, struct watch *w)
{
    w->next = *list;
    *list = w;
}

static struct watch *pop(struct watch **list)
{
    struct watch *w = *list;
    *list = w->next;
    return w;
}

static bool grow(struct watcher *r)
{
    struct slab *s = malloc(sizeof *s);
    if (s == NULL)
        return false;
    s->next = r->slabs;
    r->slabs = s;
    for (size_t i = SLAB_WATCHES; i > 0; i--)
        push(&r->free, &s->watches[i - 1]);
    return true;
}

/* An error or a hangup counts as readable too: a read then tells which, so a reader need not know the others.
 */
static unsigned ready_of(uint32_t events)
{
    unsigned ready = 0;
    if (events & EPOLLIN)
        ready |= WATCH_READ;
    if (events & EPOLLOUT)
        ready |= WATCH_WRITE;
    if (events & EPOLLERR)
        ready |= WATCH_ERROR | WATCH_READ;
    if (events & (EPOLLHUP | EPOLLRDHUP))
        ready |= WATCH_HANGUP | WATCH_READ;
    return ready;
}

static void on_epoll(uv_poll_t *poll, int status, int events)
{
    struct watcher *r = poll->data;
    struct epoll_event batch[BATCH];
    (void)events;
    assert(status == 0);

    int n = epoll_wait(r->epoll_fd, batch, BATCH, 0);
    assert(n >= 0 || errno == EINTR);

    r->in_batch = true;
    for (int i = 0; i < n && !uv_is_closing((uv_handle_t *)poll); i++) {
        struct watch *w = batch[i].data.ptr;
        if (w->cb != NULL)
            w->cb(w->arg, ready_of(batch[i].events));
    }
    r->in_batch = false;
    while (r->graveyard != NULL)
        push(&r->free, pop(&r->graveyard));
}

struct watcher *watcher_new(uv_loop_t *loop)
{
    struct watcher *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (r->epoll_fd == -1) {
        free(r);
        return NULL;
    }
    int error = uv_poll_init(loop, &r->poll, r->epoll_fd);
    if (error != 0) {
        close(r->epoll_fd);
        free(r);
        errno = -error;
        return NULL;
    }
    r->poll.data = r;
    error = uv_poll_start(&r->poll, UV_READABLE, on_epoll);
    assert(error == 0);
    return r;
}

static void on_closed(uv_handle_t *poll)
{
    struct watcher *r = poll->data;
    while (r->slabs != NULL) {
        struct slab *s = r->slabs;
        r->slabs = s->next;
        free(s);
    }
    free(r);
}

void watcher_free(struct watcher *r)
{
    uv_close((uv_handle_t *)&r->poll, on_closed);
    close(r->epoll_fd);
}

struct watch *watch_add(struct watcher *r, int fd, watch_cb *cb, void *arg)
{
    assert(cb != NULL);
    if (r->free == NULL && !grow(r))
        return NULL;
    struct watch *w = pop(&r->free);
    struct epoll_event event = {.events = EPOLLET | EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.ptr = w};
    *w = (struct watch){.cb = cb, .arg = arg};
    if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        w->cb = NULL;
        push(&r->free, w);
        return NULL;
    }
    return w;
}

void watch_hand_over(struct watch *w, watch_cb *cb, void *arg)
{
    assert(w->cb != NULL && cb != NULL);
    w->cb = cb;
    w->arg = arg;
}

void watch_forget(struct watcher *r, struct watch *w)
{
    assert(w->cb != NULL);
    w->cb = NULL;
    push(r->in_batch ? &r->graveyard : &r->free, w);
}
