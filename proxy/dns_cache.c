/* A set-associative table of answers; see dns_cache.h.
 *
 * Like a processor's cache: a question's hash names a set of a few places,
 * and it is kept in one of these or not at all. So every look costs a few
 * comparisons whatever names clients make up, and the table needs no list of
 * uses and no growing. */
#include "dns_cache.h"

#include "hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 };

/* The host, with its NUL, lies behind the addresses. */
struct entry {
    uint64_t expires_ms;
    uint64_t used; /* the cache's count of uses when it was last looked at */
    uint8_t family;
    uint8_t n;
    struct tf_addr addresses[];
};

struct dns_cache {
    size_t sets, ways;
    uint64_t uses;
    struct entry *places[]; /* `ways` of each set in a row; NULL: empty */
};

uint32_t dns_hash(const char *host, enum tf_family family)
{
    return hash_text(HASH_START ^ (uint32_t)family, host);
}

struct dns_cache *dns_cache_new(size_t entries)
{
    size_t ways = entries < WAYS ? entries : WAYS;
    size_t sets = ways == 0 ? 0 : entries / ways;
    struct dns_cache *c = calloc(1, sizeof *c + sets * ways * sizeof c->places[0]);
    if (c == NULL)
        return NULL;
    c->sets = sets;
    c->ways = ways;
    return c;
}

void dns_cache_free(struct dns_cache *c)
{
    for (size_t i = 0; i < c->sets * c->ways; i++)
        free(c->places[i]);
    free(c);
}

static const char *host_of(const struct entry *e)
{
    return (const char *)&e->addresses[e->n];
}

static bool answers(const struct entry *e, const char *host, enum tf_family family)
{
    return e != NULL && e->family == family && strcmp(host_of(e), host) == 0;
}

/* Nothing, and what has run out, is worth least: it is replaced first, then what was unused for longest. */
static uint64_t worth(const struct entry *e, uint64_t now_ms)
{
    return e == NULL || now_ms >= e->expires_ms ? 0 : e->used;
}

/* The place of this question, or else the one that it may take. NULL: the cache has no places. */
static struct entry **place_of(struct dns_cache *c, const char *host, enum tf_family family, uint64_t now_ms)
{
    if (c->sets == 0)
        return NULL;
    struct entry **set = &c->places[dns_hash(host, family) % c->sets * c->ways];
    struct entry **best = set;
    for (struct entry **p = set; p < set + c->ways; p++) {
        if (answers(*p, host, family))
            return p;
        if (worth(*p, now_ms) < worth(*best, now_ms))
            best = p;
    }
    return best;
}

bool dns_cache_get(struct dns_cache *c, const char *host, enum tf_family family, uint64_t now_ms,
                   struct tf_addr *out, size_t room, size_t *n)
{
    struct entry **place = place_of(c, host, family, now_ms);
    if (place == NULL || !answers(*place, host, family) || now_ms >= (*place)->expires_ms)
        return false;
    struct entry *e = *place;
    e->used = ++c->uses;
    *n = e->n < room ? e->n : room;
    if (*n > 0)
        memcpy(out, e->addresses, *n * sizeof *out);
    return true;
}

void dns_cache_put(struct dns_cache *c, const char *host, enum tf_family family, uint64_t now_ms,
                   uint64_t ttl_ms, const struct tf_addr *addresses, size_t n)
{
    struct entry **place = place_of(c, host, family, now_ms);
    size_t host_size = strlen(host) + 1;
    assert(n <= UINT8_MAX);
    if (place == NULL || (ttl_ms == 0 && !answers(*place, host, family)))
        return;
    free(*place);
    *place = ttl_ms == 0 ? NULL : malloc(sizeof **place + n * sizeof *addresses + host_size);
    if (*place == NULL)
        return;
    **place = (struct entry){
        .expires_ms = now_ms + ttl_ms, .used = ++c->uses, .family = (uint8_t)family, .n = (uint8_t)n};
    if (n > 0)
        memcpy((*place)->addresses, addresses, n * sizeof *addresses);
    memcpy(&(*place)->addresses[n], host, host_size);
}
