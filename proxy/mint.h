/* Leaf certificates for upgraded sessions: a bounded cache of each loop, and
 * the jobs in the thread pool that fill it. A leaf is asked for only when the
 * server that has its name has verified. */
#ifndef MINT_H
#define MINT_H

#include "ca.h"
#include "metrics.h"
#include <uv.h>

struct leaf;

/* Of one loop, and only used on its thread. */
struct minter {
    uv_loop_t *uv;
    struct counters *counters;
    size_t max;        /* entries; may change */
    struct mint *mint; /* private */
};

/* Shown to a client. Belongs to the cache: use it at once (SSL_use_certificate takes a reference). */
struct leaf {
    X509 *certificate;
    EVP_PKEY *key;
};

/* leaf NULL: it could not be made. The wait is gone when this is called; never from within mint_get. */
typedef void mint_cb(void *arg, const struct leaf *leaf);
struct mint_wait;

bool minter_init(struct minter *m, uv_loop_t *uv, struct counters *counters,
                 size_t max); /* false: out of memory */
/* The leaf of this CA for a name, if it is there and valid for a while yet. NULL: ask for it. */
const struct leaf *mint_cached(struct minter *m, const struct ca *ca, const char *name, enum tf_leaf kind);
/* Starts to make it, or joins those who wait for it already. NULL: out of memory. */
struct mint_wait *mint_start(struct minter *m, struct ca *ca, const char *name, enum tf_leaf kind,
                             mint_cb *cb, void *arg);
void mint_cancel(struct mint_wait *wait); /* no callback; the leaf is still made and kept */
/* Nobody may wait any more. Jobs that run keep the uv loop alive until they are over. One that was never
 * initialised is zeroed, and there is nothing to close. */
void minter_close(struct minter *m);

#endif
