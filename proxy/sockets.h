/* The listening sockets of the whole gateway: what was open before it, and
 * what a reload keeps, opens and lets go.
 *
 * What the gateway opens is one socket a loop and address, so that the kernel
 * shares out connections (SO_REUSEPORT). Sockets that were open before it are
 * dealt out to the loops in turn, and where they are fewer, loops share them:
 * each of those is woken by a connection, and all but one find nothing. To
 * open more beside them would be worse. The kernel lets nobody but the user
 * who has opened the first one do that, who is root under a service manager;
 * and what waits in the queue of a socket that only we have is lost when we
 * are started anew, which is what activation is there against. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "inherit.h"
#include "loop.h"

/* One address of the configuration, bound. */
struct bound {
    struct tf_addr wanted; /* as configured; its port may be 0 */
    struct tf_addr actual;
    const struct tf_listener *listener;
    int *fds; /* one at least for each loop; the i-th is that of loop i % loops */
    size_t fd_count;
    bool is_new;  /* not shared with the setting before */
    bool is_kept; /* a service manager has a copy, who listens on when we do not */
};

struct sockets {
    struct bound *list;
    size_t count;
    size_t loops;
};

/* Opens what conf wants; what `old` or `inherited` (both may be NULL) has is taken over. False, with what was
 * opened closed again and a sentence in error. */
bool sockets_open(struct sockets *s, const struct tf_conf *conf, const struct sockets *old,
                  struct inherited *inherited, size_t loops, char *error, size_t size);
/* Closes what sockets_open opened anew; for a reload that fails later. */
void sockets_undo(struct sockets *s);
void sockets_free(struct sockets *s); /* the sockets are the loops' */
/* What loop `index` listens on, *count of them; to be freed. NULL: out of memory. */
struct listening *sockets_of_loop(const struct sockets *s, size_t index, size_t *count);
/* Says on standard error which sockets of `old` nobody listens on any more, though a service manager does. */
void sockets_say_kept(const struct sockets *old, const struct sockets *new);

#endif
