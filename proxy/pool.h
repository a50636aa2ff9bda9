/* Objects of one size, for one loop.
 *
 * Long-lived sessions and short-lived buffers never share a page, so what
 * the handshakes of a busy minute needed is given back to the system
 * afterwards instead of being pinned by an idle tunnel in its midst. */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

struct pool_slab;

enum { POOL_EMPTY_MAX = 4 };

struct pool {
    size_t object_size;
    size_t per_slab;
    struct pool_slab *partial; /* slabs with room; the front one serves */
    size_t empty;              /* slabs of these that hold no object */
};

void pool_init(struct pool *p, size_t object_size); /* object_size at most 8 KiB */
void *pool_get(struct pool *p);                     /* not cleared; NULL: out of memory */
void pool_put(struct pool *p, void *object);
void pool_fini(struct pool *p); /* every object must be back */

#endif
