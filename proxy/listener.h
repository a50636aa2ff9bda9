/* Listening sockets. The gateway opens them, one for each loop and address
 * (SO_REUSEPORT), or has them from elsewhere; a loop accepts on its own. */
#ifndef LISTENER_H
#define LISTENER_H

#include "loop.h"

/* What to do about an errno of bind or listen, behind what strerror says: `; ...`, or "". */
const char *listener_hint(int error);
/* Whether nobody listens on an address. One that another process listens on is not ours to listen on, even
 * though that process might share it: two gateways on one port are a mistake. False with a sentence in error.
 */
bool listener_is_free(const struct tf_addr *address, char *error, size_t size);
/* Opens `count` sockets on one address into fds. With *address's port 0 the first gets a free port, which the
 * others share and *address then holds. `tproxy`: the firewall hands them connections to other addresses.
 * False, and nothing left open, with a sentence in error. */
bool listener_open(struct tf_addr *address, bool tproxy, int *fds, size_t count, char *error, size_t size);

/* Makes a socket that somebody else has opened as ours are. False, with a sentence in error; it stays open.
 */
bool listener_adopt(int fd, const struct tf_addr *address, bool tproxy, char *error, size_t size);

/* Whether connections are handed over with their first bytes, which saves a wait; where servers speak first
 * there are none. May be changed while it listens. */
void listener_defer(int fd, bool defer);

/* Accepting on one socket of one loop. */
struct acceptor;

struct acceptor *acceptor_start(struct loop *loop,
                                const struct listening *listening); /* NULL: out of memory */
struct acceptor **acceptor_next(struct acceptor *a);                /* the loop keeps them in a list */
int acceptor_fd(const struct acceptor *a);
/* From now on its connections belong to this listener: the same socket, under other settings. */
void acceptor_serve(struct acceptor *a, const struct tf_listener *listener);
/* Closes. First it takes in what the kernel has already accepted, unless somebody else has the same sockets
 * and goes on with them. */
void acceptor_stop(struct acceptor *a, bool is_shared);

#endif
