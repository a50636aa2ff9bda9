/* Handing over to a new gateway: the side of the one that goes. (The other
 * side is predecessor.h; what the two say to each other is here.)
 *
 * The new gateway is started with every listening socket, and with one end of
 * a pair of SOCK_SEQPACKET sockets, on which the two talk:
 *
 *     new: INVENTORY   all is there, but for the inventory's file
 *     old: INVENTORY   the file is free
 *     new: READY       it takes connections
 *     old: YOURS       the old one takes none any more, and the service is yours
 *     old: struct tf_sighting, any number of them: what its last sessions show
 *
 * Until READY the old gateway goes on as if nothing were. Whoever ends, or
 * dies, closes its end. */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "successor.h"
#include <stdint.h>
#include <uv.h>

enum handover_word { HANDOVER_INVENTORY = 1, HANDOVER_READY, HANDOVER_YOURS, HANDOVER_CANNOT_RUN };

struct handover_message {
    uint32_t word;  /* enum handover_word */
    uint32_t value; /* INVENTORY of the new one: sizeof (struct tf_sighting); CANNOT_RUN: errno */
};

/* On the loop's thread. After `ready` or `failed` the handover is over. */
struct handover_events {
    void *arg;
    void (*inventory)(void *arg); /* the file must be free when it returns */
    void (*ready)(void *arg);     /* the new one is no child of ours; handover_finish is to follow */
    void (*failed)(void *arg, const char *why); /* the new one is gone */
};

struct handover {
    uv_timer_t timer;
    uv_poll_t *poll; /* of fd; NULL: nobody is listened to */
    int fd;          /* our end; -1: no handover is under way */
    struct successor successor;
    struct handover_events events;
    uint32_t patience_ms;
    int cannot_run;       /* errno, or 0 */
    bool reads_sightings; /* the new one, as we write them */
};

void handover_init(struct handover *h, uv_loop_t *uv);
bool handover_is_under_way(const struct handover *h);
/* Starts the new gateway, with `list`, whose last place is left free for the channel. False: errno says why.
 */
bool handover_begin(struct handover *h, const struct program *program, struct handed *list, size_t count,
                    uint32_t patience_ms, struct handover_events events);
/* The new gateway has the service. Our end of the channel, for sightings, to be closed: to send waits for a
 * while, and fails for good. */
int handover_finish(struct handover *h);
/* Ends the new gateway, if one is being started, without a further event. */
void handover_cancel(struct handover *h);
/* No handover is under way: closes what the loop would wait for. */
void handover_fini(struct handover *h);

#endif
