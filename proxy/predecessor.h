/* Taking over from a gateway that hands over: the side of the one that comes.
 * What the two say to each other is in handover.h. */
#ifndef PREDECESSOR_H
#define PREDECESSOR_H

#include "inventory.h"
#include <uv.h>

/* Asks for the inventory's file, and waits until it is free, or the other one has ended, or ten seconds are
 * over. */
void predecessor_ask_for_inventory(int fd);

/* The other one, while its last sessions go on. */
struct predecessor {
    uv_poll_t poll;
    int fd;                      /* -1: there is none, or none any more */
    struct inventory *inventory; /* NULL: off */
    void *arg;
    void (*on_yours)(void *arg); /* the service is ours alone */
    bool is_ours;                /* that has been called */
};

/* Says that we take connections, and listens from then on. Takes the channel over; the fields behind it are
 * to be set before. */
void predecessor_say_ready(struct predecessor *p, uv_loop_t *uv, int fd);
/* Hears nothing more of it. */
void predecessor_stop(struct predecessor *p);

#endif
