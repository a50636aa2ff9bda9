/* Pairs of source and destination, in sets of a few; see acquaintances.h.
 *
 * A set is a bucket that a key can be in: when it is full, the pair that was
 * silent for the longest time goes. Thus there is nothing to allocate, to
 * link or to sweep, and a flood of sources pushes out no more than its share.
 * Which sources are marked is a Bloom filter: it never forgets one, and that
 * it takes a few others for marked costs a sighting that nobody needs. */
#include "acquaintances.h"

#include "hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    WAYS = 4,
    LOCKS = 64,
    MARK_BITS = 1 << 19, /* of 10,000 sources, one other in 700 is taken for one of them */
    TELL_MS = 60000,
    STRAY_MAX = 3 /* old hellos in a row that may still be stray ones */
};

#define NEVER INT64_MIN

struct pair {
    uint64_t key; /* 0: free */
    int64_t heard_ms;
    int64_t healthy_ms; /* the last hello at or above TLS 1.2; NEVER: none */
    int64_t told_ms;    /* likewise, when it was last told of */
    uint32_t below;     /* hellos below TLS 1.2 since healthy_ms */
    uint32_t untold;    /* healthy ones since told_ms */
};

struct acquaintances {
    uint64_t seed; /* so that nobody outside can choose who shares a set */
    size_t sets;   /* a power of two */
    pthread_mutex_t locks[LOCKS];
    _Atomic(uint64_t) marks[MARK_BITS / 64];
    struct pair pairs[]; /* WAYS a set */
};

struct acquaintances *acquaintances_new(size_t pairs)
{
    size_t sets = 1;
    while (sets * WAYS < pairs)
        sets *= 2;
    struct acquaintances *a = calloc(1, sizeof *a + sets * WAYS * sizeof *a->pairs);
    if (a == NULL)
        return NULL;
    a->sets = sets;
    if (getrandom(&a->seed, sizeof a->seed, 0) != sizeof a->seed)
        a->seed = (uint64_t)(uintptr_t)a;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&a->locks[i], NULL);
    return a;
}

void acquaintances_free(struct acquaintances *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&a->locks[i]);
    free(a);
}

static uint64_t key_of(const struct acquaintances *a, const struct tf_addr *source, const char *host)
{
    uint64_t key = tf_hash64(TF_HASH64_START ^ a->seed, source->ip, sizeof source->ip);
    key = tf_hash64(key, &source->family, sizeof source->family);
    key = tf_hash64(key, host, strlen(host));
    key ^= key >> 29; /* the low bits choose the set */
    return key != 0 ? key : 1;
}

/* The pair's place in its set, taken from the one that was silent for the longest time if it is new. The lock
 * is held. */
static struct pair *pair_of(struct acquaintances *a, uint64_t key)
{
    struct pair *set = &a->pairs[(key & (a->sets - 1)) * WAYS];
    struct pair *oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].heard_ms < oldest->heard_ms))
            oldest = &set[i];
    }
    *oldest = (struct pair){.key = key, .healthy_ms = NEVER, .told_ms = NEVER};
    return oldest;
}

static pthread_mutex_t *lock_of(struct acquaintances *a, uint64_t key)
{
    return &a->locks[(key & (a->sets - 1)) % LOCKS];
}

/* Two bits of the filter, from either half of a source's key. */
static void mark_places(uint64_t key, size_t places[2])
{
    places[0] = (size_t)(key % MARK_BITS);
    places[1] = (size_t)((key >> 32) % MARK_BITS);
}

static bool is_marked(const struct acquaintances *a, uint64_t key)
{
    size_t places[2];
    mark_places(key, places);
    for (size_t i = 0; i < 2; i++)
        if ((atomic_load_explicit(&a->marks[places[i] / 64], memory_order_relaxed) >> (places[i] % 64) & 1) ==
            0)
            return false;
    return true;
}

void acquaintances_mark(struct acquaintances *a, const struct tf_addr *source)
{
    size_t places[2];
    mark_places(key_of(a, source, ""), places);
    for (size_t i = 0; i < 2; i++)
        atomic_fetch_or_explicit(&a->marks[places[i] / 64], UINT64_C(1) << (places[i] % 64),
                                 memory_order_relaxed);
}

uint64_t acquaintances_note_healthy(struct acquaintances *a, const struct tf_addr *source, const char *host,
                                    int64_t now_ms, bool tell)
{
    uint64_t key = key_of(a, source, host);
    uint64_t told = 0;
    tell = tell || is_marked(a, key_of(a, source, ""));
    pthread_mutex_lock(lock_of(a, key));
    struct pair *p = pair_of(a, key);
    p->heard_ms = p->healthy_ms = now_ms;
    p->below = 0;
    p->untold++;
    if (tell && (p->told_ms == NEVER || now_ms - p->told_ms >= TELL_MS)) {
        told = p->untold;
        p->untold = 0;
        p->told_ms = now_ms;
    }
    pthread_mutex_unlock(lock_of(a, key));
    return told;
}

bool acquaintances_note_below(struct acquaintances *a, const struct tf_addr *source, const char *host,
                              int64_t now_ms, int64_t window_ms)
{
    uint64_t key = key_of(a, source, host);
    pthread_mutex_lock(lock_of(a, key));
    struct pair *p = pair_of(a, key);
    bool does_better = p->healthy_ms != NEVER && now_ms - p->healthy_ms < window_ms;
    bool is_stray = does_better && p->below < STRAY_MAX;
    p->below++;
    p->heard_ms = now_ms;
    p->told_ms = NEVER; /* when it does better again, that is news */
    pthread_mutex_unlock(lock_of(a, key));
    return is_stray;
}
