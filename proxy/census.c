/* Counting sessions; see census.h. */
#include "census.h"

#include <assert.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Source addresses and users are in one tree; the first byte of a key keeps them apart. */
enum { KEY_USER = 'u' };

struct census_entry {
    uint32_t sessions; /* the entry goes with the last */
    size_t size;
    uint8_t key[];
};

struct census {
    pthread_mutex_t mutex; /* guards all below, and the entries */
    void *tree;            /* of tsearch(3) */
};

static int by_key(const void *a, const void *b)
{
    const struct census_entry *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return memcmp(x->key, y->key, x->size);
}

struct census *census_new(void)
{
    struct census *c = calloc(1, sizeof *c);
    if (c)
        pthread_mutex_init(&c->mutex, NULL);
    return c;
}

void census_free(struct census *c)
{
    if (!c)
        return;
    assert(!c->tree);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

/* The entry of the key; made, if it is not there. NULL: out of memory. The mutex is held. */
static struct census_entry *entry_of(struct census *c, uint8_t kind, const void *p, size_t n)
{
    struct census_entry *made = calloc(1, sizeof *made + 1 + n);
    if (!made)
        return NULL;
    made->size = 1 + n;
    made->key[0] = kind;
    memcpy(made->key + 1, p, n);
    void *node = tsearch(made, &c->tree, by_key);
    struct census_entry *found = node ? *(struct census_entry **)node : NULL;
    if (found != made)
        free(made);
    return found;
}

/* Nobody is counted in it any more. The mutex is held. */
static void drop(struct census *c, struct census_entry *entry)
{
    tdelete(entry, &c->tree, by_key);
    free(entry);
}

static bool enter(struct census *c, uint8_t kind, const void *p, size_t n, uint32_t limit,
                  struct census_entry **entry)
{
    *entry = NULL;
    if (limit == 0)
        return true;
    pthread_mutex_lock(&c->mutex);
    struct census_entry *e = entry_of(c, kind, p, n);
    bool has_room = e && e->sessions < limit;
    if (has_room) {
        e->sessions++;
        *entry = e;
    }
    pthread_mutex_unlock(&c->mutex);
    return has_room;
}

bool census_enter_source(struct census *c, const struct tf_addr *source, uint32_t limit,
                         struct census_entry **entry)
{
    enum { V4_BYTES = 4, V6_BYTES = 8 }; /* whoever has an IPv6 address has a /64 of them */
    size_t n = source->family == TF_FAMILY_V4 ? V4_BYTES : V6_BYTES;
    return enter(c, source->family, source->ip, n, limit, entry);
}

bool census_enter_user(struct census *c, const char *user, uint32_t limit, struct census_entry **entry)
{
    return enter(c, KEY_USER, user, strlen(user), limit, entry);
}

void census_leave(struct census *c, struct census_entry *entry)
{
    if (!entry)
        return;
    pthread_mutex_lock(&c->mutex);
    assert(entry->sessions > 0);
    if (--entry->sessions == 0)
        drop(c, entry);
    pthread_mutex_unlock(&c->mutex);
}
