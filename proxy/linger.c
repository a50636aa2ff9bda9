/* Lingering close; see linger.h. */
#include "linger.h"

#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FIRST_LOOK_MS = 20,
    ENTRIES_MAX = 4096,      /* more at once: the oldest is closed as it is */
    DRAIN_MAX = 1024 * 1024, /* bytes that are read and dropped for one connection */
    DRAIN_ROUNDS = 4         /* reads for one look */
};

struct linger_entry {
    int fd;
    struct watch *watch;
    uint64_t look_ms, end_ms;
    uint32_t wait_ms; /* until the next look but one */
    uint32_t drained;
};

static void on_timer(uv_timer_t *timer);

static void ignore(void *arg, unsigned ready)
{
    (void)arg;
    (void)ready;
}

void lingers_init(struct lingers *all, struct loop *loop)
{
    *all = (struct lingers){.count = 0};
    uv_timer_init(&loop->uv, &all->timer);
    all->timer.data = loop;
}

static void entry_close(struct loop *loop, const struct linger_entry *e)
{
    if (e->watch != NULL)
        watch_forget(loop->watcher, e->watch);
    close(e->fd);
}

/* The oldest is in front: its place in the list is its age. */
static void remove_at(struct lingers *all, size_t i)
{
    all->count--;
    memmove(&all->entries[i], &all->entries[i + 1], (all->count - i) * sizeof *all->entries);
}

void linger_add(struct lingers *all, struct loop *loop, int fd, struct watch *watch, uint32_t linger_ms)
{
    uint64_t now_ms = uv_now(&loop->uv);
    struct linger_entry e = {fd, watch, now_ms + FIRST_LOOK_MS, now_ms + linger_ms, FIRST_LOOK_MS, 0};
    if (all->count == ENTRIES_MAX) {
        entry_close(loop, &all->entries[0]);
        remove_at(all, 0);
    }
    if (all->count == all->room) {
        size_t room = all->room > 0 ? all->room * 2 : 64;
        struct linger_entry *larger = realloc(all->entries, room * sizeof *larger);
        if (larger == NULL) {
            entry_close(loop, &e);
            return;
        }
        all->entries = larger;
        all->room = room;
    }
    if (watch != NULL)
        watch_hand_over(watch, ignore, NULL);
    all->entries[all->count++] = e;
    if (!uv_is_active((uv_handle_t *)&all->timer))
        uv_timer_start(&all->timer, on_timer, FIRST_LOOK_MS, FIRST_LOOK_MS);
}

/* True: the connection is over. */
static bool look(struct loop *loop, struct linger_entry *e, uint64_t now_ms)
{
    for (int round = 0; round < DRAIN_ROUNDS; round++) {
        ssize_t n = recv(e->fd, loop->buffer, LOOP_BUFFER_SIZE, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return true;
        if (n < 0)
            break;
        e->drained += (uint32_t)n;
        if (e->drained >= DRAIN_MAX)
            return true;
        e->wait_ms = FIRST_LOOK_MS;
    }
    e->look_ms = now_ms + e->wait_ms;
    e->wait_ms *= 2;
    return now_ms >= e->end_ms;
}

static void close_all(struct lingers *all, struct loop *loop)
{
    for (size_t i = 0; i < all->count; i++)
        entry_close(loop, &all->entries[i]);
    all->count = 0;
}

static void on_timer(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    struct lingers *all = &loop->lingers;
    uint64_t now_ms = uv_now(&loop->uv);
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct linger_entry *e = &all->entries[i];
        if (now_ms >= (e->look_ms < e->end_ms ? e->look_ms : e->end_ms) && look(loop, e, now_ms))
            entry_close(loop, e);
        else
            all->entries[kept++] = *e;
    }
    all->count = kept;
    if (kept > 0)
        return;
    uv_timer_stop(timer);
    loop_note_end(loop);
}

void lingers_drop(struct lingers *all, struct loop *loop)
{
    close_all(all, loop);
    uv_timer_stop(&all->timer);
    loop_note_end(loop);
}

void lingers_close(struct lingers *all, struct loop *loop)
{
    close_all(all, loop);
    free(all->entries);
    all->entries = NULL;
    all->room = 0;
    uv_close((uv_handle_t *)&all->timer, NULL);
}
