/* The listening sockets of the whole gateway: what a reload keeps, opens and
 * lets go. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "loop.h"

/* One address of the configuration, bound: a socket for each loop. */
struct bound {
    struct tf_addr wanted; /* as configured; its port may be 0 */
    struct tf_addr actual;
    const struct tf_listener *listener;
    int *fds;
    bool is_new; /* not shared with the setting before */
};

struct sockets {
    struct bound *list;
    size_t count;
    size_t loops;
};

/* Opens what conf wants; addresses that `old` (may be NULL) has are taken over. False, with what was opened
 * closed again and a sentence in error. */
bool sockets_open(struct sockets *s, const struct tf_conf *conf, const struct sockets *old, size_t loops,
                  char *error, size_t size);
/* Closes what sockets_open opened anew; for a reload that fails later. */
void sockets_undo(struct sockets *s);
void sockets_free(struct sockets *s); /* the sockets are the loops' */
/* What loop `index` listens on; to be freed. NULL: out of memory. */
struct listening *sockets_of_loop(const struct sockets *s, size_t index);

#endif
