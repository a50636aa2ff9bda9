/* Bytes that one side of a plain HTTP exchange still has to take. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "link.h"

/* at..end of p. Zero is an outbox without memory. */
struct outbox {
    char *p;
    size_t at, end, cap;
};

/* Makes it empty, with room for `cap` bytes at least. False: out of memory. */
bool outbox_open(struct outbox *box, size_t cap);
void outbox_free(struct outbox *box);
bool outbox_is_empty(const struct outbox *box);
/* A writer for the room behind what waits; what was written is then added by its length. */
struct tf_writer outbox_writer(struct outbox *box);
void outbox_add(struct outbox *box, size_t n);
/* Sends what it can: LINK_OK (all), LINK_AGAIN or LINK_ERROR. */
enum link_io outbox_flush(struct outbox *box, struct link *to, uint64_t *bytes);

#endif
