/* The conversation with the gateway whose place this one takes; see
 * predecessor.h. */
#include "predecessor.h"

#include "handover.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 10000, MESSAGES = 64 /* in one go */ };

union message {
    struct handover_message word;
    struct tf_sighting sighting;
};

static void say(int fd, enum handover_word word, size_t value)
{
    struct handover_message m = {word, (uint32_t)value};
    send(fd, &m, sizeof m, MSG_NOSIGNAL);
}

/* Whatever comes of it, the file says itself whether it is free. */
void predecessor_ask_for_inventory(int fd)
{
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    struct handover_message m;
    say(fd, HANDOVER_INVENTORY, sizeof(struct tf_sighting));
    if (poll(&answer, 1, WAIT_MS) == 1)
        recv(fd, &m, sizeof m, MSG_DONTWAIT);
}

static void take_service(struct predecessor *p)
{
    if (!p->is_ours)
        p->on_yours(p->arg);
    p->is_ours = true;
}

static void on_end(struct predecessor *p)
{
    fprintf(stderr, "tlsfloor: the gateway before this one has ended\n");
    take_service(p); /* also where it could not say so any more */
    predecessor_stop(p);
}

/* False: there is nothing more to read now. */
static bool take_message(struct predecessor *p)
{
    union message m;
    ssize_t n = recv(p->fd, &m, sizeof m, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n == (ssize_t)sizeof m.sighting && p->inventory != NULL)
        inventory_note(p->inventory, &m.sighting);
    else if (n == (ssize_t)sizeof m.word && m.word.word == HANDOVER_YOURS)
        take_service(p);
    else if (n <= 0)
        on_end(p);
    return p->fd >= 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    for (int i = 0; i < MESSAGES && take_message(poll->data); i++)
        continue;
}

void predecessor_say_ready(struct predecessor *p, uv_loop_t *uv, int fd)
{
    say(fd, HANDOVER_READY, 0);
    if (uv_poll_init(uv, &p->poll, fd) != 0) {
        take_service(p); /* the channel stays open: that it ends would mean that we do */
        return;
    }
    p->fd = fd;
    p->poll.data = p;
    uv_poll_start(&p->poll, UV_READABLE, on_readable);
}

void predecessor_stop(struct predecessor *p)
{
    if (p->fd < 0)
        return;
    uv_close((uv_handle_t *)&p->poll, NULL);
    close(p->fd);
    p->fd = -1;
}
