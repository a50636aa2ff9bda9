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

/* The same, twice as wide: for what stands for the key itself. */
#define HASH64_PRIME UINT64_C(0x100000001b3)
#define HASH64_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash64_bytes(uint64_t hash, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * HASH64_PRIME;
    return hash;
}

#endif
