/* The inventory: which clients are left to fix, kept across restarts. A
 * thread of its own sums up sightings in a roster and stores what changed in
 * SQLite; sessions only put sightings into a bounded queue and never wait. */
#ifndef INVENTORY_H
#define INVENTORY_H

#include "acquaintances.h"
#include "roster.h"

struct inventory;

/* What [inventory] and [limits] say. */
struct inventory_options {
    const char *file; /* SQLite file, or "memory" */
    uint32_t forget_days;
    size_t clients, destinations, queue;
    struct acquaintances *acquaintances; /* told of every client that is known to be below the floor, also of
                                            those that the file has */
};

/* A sighting with its number, counted from 1: the latest ones are kept for whoever watches. */
struct inventory_event {
    uint64_t number;
    struct tf_sighting sighting;
};

enum { INVENTORY_EVENTS = 256 };

/* NULL, with a sentence in error[0..size), when the file cannot be used. A file that is damaged, or of a
 * later version, is one; it is left as it is. */
struct inventory *inventory_open(const struct inventory_options *options, char *error, size_t size);
/* From any thread; copied. False: the queue is full; dropped, and counted. */
bool inventory_note(struct inventory *inv, const struct tf_sighting *s);
uint64_t inventory_dropped(const struct inventory *inv); /* sightings */
/* Whether what was seen could not be stored lately (disk full); the roster goes on in memory. */
bool inventory_is_failing(const struct inventory *inv);
/* The roster, held still until inventory_unlock. All that was noted before is in it, unless a disk holds the
 * thread up for more than a second. */
const struct roster *inventory_lock(struct inventory *inv);
void inventory_unlock(struct inventory *inv);
/* The refusals, would-be refusals and upgrades with a number above `after`, oldest first, at most n of them.
 * The roster need not be locked. */
size_t inventory_events(struct inventory *inv, uint64_t after, struct inventory_event *out, size_t n);
/* Other bounds from now on, after a reload. */
void inventory_set_bounds(struct inventory *inv, const struct inventory_options *options);
/* For another gateway to take the file over: all is stored, and the file is free. What is seen from now on
 * waits in the queue, for one of the two below. */
void inventory_let_go(struct inventory *inv);
/* The other gateway has not come: reads the file again, and works off the queue. Where the file cannot be
 * used any more that is said on standard error, and the inventory goes on in memory. */
void inventory_take_back(struct inventory *inv);
/* The other gateway is at work: the queue, and what else is seen, is sent to it as messages of a struct
 * tf_sighting each, on a socket of type SOCK_SEQPACKET that stays open until inventory_close. */
void inventory_pass_on(struct inventory *inv, int fd);
/* Stores (or passes on) what is left, ends the thread, frees. NULL is nothing. */
void inventory_close(struct inventory *inv);

#endif
