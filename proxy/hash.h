/* FNV-1a, for tables whose keys nobody gains by making collide, or that are
 * small. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HASH_PRIME = 16777619 };
#define HASH_START UINT32_C(2166136261)

/* Goes on from `hash`, which is HASH_START at first. */
static inline uint32_t hash_bytes(uint32_t hash, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * HASH_PRIME;
    return hash;
}

static inline uint32_t hash_text(uint32_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text));
}

#endif
