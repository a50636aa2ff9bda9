/* What to do about a family of clients, in full: the steps, what the vendor
 * has written about it, what Windows needs in its registry, and whether the
 * gateway can upgrade it meanwhile. The table is remedies.def; the one
 * sentence of each family is in clients.def. */
#ifndef TF_REMEDY_H
#define TF_REMEDY_H

#include "client.h"

enum { TF_REMEDY_STEPS_MAX = 8, TF_REMEDY_ARTICLES_MAX = 4 };

struct tf_article {
    const char *title; /* NULL: behind the last */
    const char *link;  /* an address; "": the title is what to search for */
};

struct tf_remedy {
    const char *steps[TF_REMEDY_STEPS_MAX + 1]; /* sentences, NULL behind the last; at least one */
    struct tf_article articles[TF_REMEDY_ARTICLES_MAX + 1]; /* at least one, what matters most first */
    unsigned registry; /* TF_REGISTRY_...; 0: nothing of a registry helps */
    const char *trust; /* the gateway can upgrade it, once its CA is trusted: what `tlsfloor ca export --for`
                          calls that, "" where it has no word for it; NULL: an upgrade cannot help */
};

/* A day on which Microsoft 365 has given up old TLS: why clients below TLS 1.2 have to be fixed. */
struct tf_retirement {
    const char *when; /* `2020-10-15`, `2022-02` */
    const char *what;
};

/* Of a family that is known; never NULL, lives as long as the program. */
const struct tf_remedy *tf_remedy_of(enum tf_client_family family);
/* The i-th, oldest first; NULL behind the last. */
const struct tf_retirement *tf_retirement(size_t i);

#endif
