/* The conversation with the new gateway; see handover.h. */
#include "handover.h"

#include "inherit.h"

#include "../lib/sighting.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HEIR_S = 5 /* until one that reads no sightings is given up */ };

static void say(const struct handover *h, enum handover_word word)
{
    struct handover_message m = {.word = word};
    send(h->fd, &m, sizeof m, MSG_NOSIGNAL);
}

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void stop_watching(struct handover *h)
{
    uv_timer_stop(&h->timer);
    if (h->poll != NULL)
        uv_close((uv_handle_t *)h->poll, free_poll);
    h->poll = NULL;
}

/* See successor_end. */
static int end_successor(struct handover *h)
{
    stop_watching(h);
    int end = successor_end(&h->successor);
    close(h->fd);
    h->fd = -1;
    return end;
}

void handover_cancel(struct handover *h)
{
    if (handover_is_under_way(h))
        end_successor(h);
}

/* It has ended, or closed its end of the channel. */
static void on_end(struct handover *h)
{
    char why[128];
    int end = end_successor(h);
    if (h->cannot_run != 0)
        snprintf(why, sizeof why, "it cannot be run: %s", strerror(h->cannot_run));
    else if (end < 0)
        snprintf(why, sizeof why, "it was ended by signal %d", -end);
    else
        snprintf(why, sizeof why, "it ended with exit code %d; what it said is above", end);
    h->events.failed(h->events.arg, why);
}

static void on_late(uv_timer_t *timer)
{
    struct handover *h = timer->data;
    char why[128];
    end_successor(h);
    snprintf(why, sizeof why, "it was not ready within [limits] handover_s = %u.%03u, and was ended",
             (unsigned)(h->patience_ms / 1000), (unsigned)(h->patience_ms % 1000));
    h->events.failed(h->events.arg, why);
}

static void on_word(struct handover *h, const struct handover_message *m)
{
    switch ((enum handover_word)m->word) {
    case HANDOVER_INVENTORY:
        h->reads_sightings = m->value == sizeof(struct tf_sighting);
        h->events.inventory(h->events.arg);
        say(h, HANDOVER_INVENTORY);
        break;
    case HANDOVER_READY:
        successor_release(&h->successor);
        h->events.ready(h->events.arg);
        break;
    case HANDOVER_CANNOT_RUN:
        h->cannot_run = (int)m->value;
        break;
    case HANDOVER_YOURS:
        break; /* ours to say */
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct handover *h = poll->data;
    struct handover_message m;
    (void)status, (void)events;
    ssize_t n = recv(h->fd, &m, sizeof m, MSG_DONTWAIT);
    if (n == (ssize_t)sizeof m)
        on_word(h, &m);
    else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        on_end(h);
}

void handover_init(struct handover *h, uv_loop_t *uv)
{
    *h = (struct handover){.fd = -1};
    uv_timer_init(uv, &h->timer);
    h->timer.data = h;
}

bool handover_is_under_way(const struct handover *h)
{
    return h->fd >= 0;
}

static bool watch(struct handover *h)
{
    h->poll = malloc(sizeof *h->poll);
    if (h->poll == NULL || uv_poll_init(h->timer.loop, h->poll, h->fd) != 0) {
        free(h->poll);
        h->poll = NULL;
        errno = ENOMEM;
        return false;
    }
    h->poll->data = h;
    uv_poll_start(h->poll, UV_READABLE, on_readable);
    uv_timer_start(&h->timer, on_late, h->patience_ms, 0);
    return true;
}

bool handover_begin(struct handover *h, const struct program *program, struct handed *list, size_t count,
                    uint32_t patience_ms, struct handover_events events)
{
    int pair[2];
    assert(count > 0 && !handover_is_under_way(h));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    list[count - 1] = (struct handed){pair[1], INHERIT_PREDECESSOR, ""};
    h->fd = pair[0];
    h->events = events;
    h->patience_ms = patience_ms;
    h->cannot_run = 0;
    h->reads_sightings = false;
    bool is_started = successor_start(&h->successor, program, list, count);
    int why = errno;
    close(pair[1]);
    if (!is_started)
        close(h->fd);
    else if (watch(h))
        return true;
    else
        end_successor(h);
    h->fd = -1;
    errno = why;
    return false;
}

/* libuv has made it non-blocking; but what is sent from now on may come faster than it is read. */
static void make_patient(int fd)
{
    struct timeval patience = {.tv_sec = HEIR_S};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

int handover_finish(struct handover *h)
{
    int fd = h->fd;
    stop_watching(h);
    say(h, HANDOVER_YOURS);
    make_patient(fd);
    h->fd = -1;
    return fd;
}

void handover_fini(struct handover *h)
{
    stop_watching(h);
    uv_close((uv_handle_t *)&h->timer, NULL);
}
