/* Refused connections on their way out.
 *
 * Closing a socket while its peer still sends makes the kernel answer with a
 * reset, and some stacks then throw away the alert or page that came before
 * it. So a refused connection is shut down for writing, and kept for a short
 * while: what still comes is read and dropped until the peer closes. These
 * sockets are looked at by a timer at growing intervals, since most peers are
 * gone by the first look; they cost no epoll registration. */
#ifndef LINGER_H
#define LINGER_H

#include "watch.h"
#include <stddef.h>
#include <stdint.h>

struct loop;
struct linger_entry;

struct lingers {
    uv_timer_t timer;
    struct linger_entry *entries;
    size_t count, room;
};

void lingers_init(struct lingers *all, struct loop *loop);
/* Takes over fd, whose FIN has been sent, and its watch (may be NULL), for at most linger_ms. */
void linger_add(struct lingers *all, struct loop *loop, int fd, struct watch *watch, uint32_t linger_ms);
void lingers_drop(struct lingers *all, struct loop *loop);  /* closes all sockets as they are */
void lingers_close(struct lingers *all, struct loop *loop); /* the same, and the timer */

#endif
