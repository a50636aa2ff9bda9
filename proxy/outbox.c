/* One side's outgoing bytes; see outbox.h. */
#include "outbox.h"

#include <assert.h>
#include <stdlib.h>

bool outbox_open(struct outbox *box, size_t cap)
{
    if (box->cap < cap) {
        outbox_free(box);
        box->p = malloc(cap);
        if (box->p == NULL)
            return false;
        box->cap = cap;
    }
    box->at = box->end = 0;
    return true;
}

void outbox_free(struct outbox *box)
{
    free(box->p);
    *box = (struct outbox){.p = NULL};
}

bool outbox_is_empty(const struct outbox *box)
{
    return box->at == box->end;
}

struct tf_writer outbox_writer(struct outbox *box)
{
    if (outbox_is_empty(box))
        box->at = box->end = 0;
    return tf_writer_of(box->p + box->end, box->cap - box->end);
}

void outbox_add(struct outbox *box, size_t n)
{
    assert(n <= box->cap - box->end);
    box->end += n;
}

enum link_io outbox_flush(struct outbox *box, struct link *to, uint64_t *bytes)
{
    if (outbox_is_empty(box))
        return LINK_OK;
    if (!to->writable)
        return LINK_AGAIN;
    size_t sent;
    enum link_io r = link_send(to, box->p + box->at, box->end - box->at, &sent);
    box->at += sent;
    *bytes += sent;
    return r;
}
