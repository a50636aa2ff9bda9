/* Connections to servers that a client's plain requests have left, and may
 * come back to: a client that alternates between hosts finds each of them
 * connected. They belong to one session, so that no client ever speaks over
 * what another one has used. */
#ifndef SPARES_H
#define SPARES_H

#include "../lib/host.h"
#include "link.h"

/* Where a connection leads to. */
struct place {
    struct tf_target target;
    bool is_secure;         /* in TLS, verified for the name that goes with the target */
    struct tf_addr address; /* that was dialled */
};

enum { SPARES_MAX = 4 };

struct spares; /* made with the first one that is put in */

/* Whether one leads where the other does; the address is whichever was dialled. */
bool place_is(const struct place *place, const struct tf_target *target, bool is_secure);
/* Takes over a connection that is not in use; the longest one in there makes room. It is closed when there is
 * no memory, and later as soon as an edge tells of its end. */
void spares_put(struct spares **all, struct loop *loop, struct link *link, const struct place *place);
/* Moves one that leads there into `to`, and says in *place how; its watch is handed over to cb(arg). False:
 * there is none, and nothing has changed. */
bool spares_take(struct spares *all, const struct tf_target *target, bool is_secure, struct link *to,
                 struct place *place, watch_cb *cb, void *arg);
void spares_free(struct spares **all, struct loop *loop); /* closes them all */

#endif
