/* Pipes for splice, lent to a direction only while it moves bulk data. */
#ifndef PIPES_H
#define PIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipe {
    struct pipe *next;
    int in, out; /* written to, read from */
    uint32_t size;
};

struct pipes {
    struct pipe *free;
    size_t open, max;
};

void pipes_init(struct pipes *all, size_t max);
struct pipe *pipes_get(struct pipes *all); /* NULL: none to be had; copy instead */
void pipes_put(struct pipes *all, struct pipe *p,
               bool used); /* `used`: it still holds bytes, so it is closed */
void pipes_fini(struct pipes *all);

#endif
