/* The cache of leaves and the jobs that fill it; see mint.h. What a leaf is,
 * is up to ca.c.
 *
 * A leaf that is being made stands in the table already, without its
 * certificate and with its job, so that whoever asks for it finds the job to
 * wait for. It is on the list of uses, and counts, once it is there. */
#include "mint.h"

#include "certificate.h"
#include "hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum { BUCKETS_FIRST = 64 };

struct entry {
    struct leaf leaf;   /* both NULL while it is being made */
    struct job *job;    /* NULL when it is not */
    struct entry *next; /* of the bucket */
    TAILQ_ENTRY(entry) uses;
    int64_t from_s, until_s; /* when it may be shown; a quarter of its life is left at the end */
    uint32_t hash;
    enum tf_leaf kind;
    uint8_t ca[CA_ID_SIZE];
    char name[];
};

/* Freed with its job, so that a callback may cancel any other. */
struct mint_wait {
    SLIST_ENTRY(mint_wait) others;
    mint_cb *cb; /* NULL: called, or cancelled */
    void *arg;
};

struct job {
    uv_work_t work;
    struct mint *mint;
    struct entry *entry; /* its name and kind do not change, so the pool's thread may read them */
    struct ca *ca;
    struct leaf leaf; /* what the thread makes; both NULL: it could not */
    SLIST_HEAD(, mint_wait) waits;
    LIST_ENTRY(job) others;
};

struct mint {
    struct minter *owner; /* NULL once closed */
    struct entry **buckets;
    size_t bucket_count, count;
    TAILQ_HEAD(uses, entry) uses; /* the latest first */
    LIST_HEAD(, job) jobs;
};

/* --- the table --- */

static uint32_t hash_of(const char *name, enum tf_leaf kind)
{
    return hash_text(HASH_START ^ (uint32_t)kind, name);
}

static struct entry **bucket_of(struct mint *m, uint32_t hash)
{
    return &m->buckets[hash & (m->bucket_count - 1)];
}

static struct entry *find(struct mint *m, const struct ca *ca, const char *name, enum tf_leaf kind)
{
    uint32_t hash = hash_of(name, kind);
    for (struct entry *e = *bucket_of(m, hash); e; e = e->next)
        if (e->hash == hash && e->kind == kind && strcmp(e->name, name) == 0 &&
            memcmp(e->ca, ca_id(ca), sizeof e->ca) == 0)
            return e;
    return NULL;
}

static void link_entry(struct mint *m, struct entry *e)
{
    struct entry **bucket = bucket_of(m, e->hash);
    e->next = *bucket;
    *bucket = e;
}

/* Keeps the buckets short. Without memory they become longer, which only costs time. */
static void grow(struct mint *m)
{
    assert(m->bucket_count > 0);
    struct mint wider = {.bucket_count = m->bucket_count * 2};
    wider.buckets = calloc(wider.bucket_count, sizeof *wider.buckets);
    if (!wider.buckets)
        return;
    for (size_t i = 0; i < m->bucket_count; i++) {
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            link_entry(&wider, e);
        }
    }
    free(m->buckets);
    m->buckets = wider.buckets;
    m->bucket_count = wider.bucket_count;
}

static void free_entry(struct entry *e)
{
    X509_free(e->leaf.certificate);
    EVP_PKEY_free(e->leaf.key);
    free(e);
}

static void forget(struct mint *m, struct entry *e)
{
    struct entry **at = bucket_of(m, e->hash);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    if (!e->job) {
        TAILQ_REMOVE(&m->uses, e, uses);
        m->count--;
    }
    free_entry(e);
}

/* A new entry in the table, to be made by job. NULL: out of memory. */
static struct entry *add(struct mint *m, struct job *job, const char *name, enum tf_leaf kind)
{
    size_t size = strlen(name) + 1;
    struct entry *e = calloc(1, sizeof *e + size);
    if (!e)
        return NULL;
    e->job = job;
    e->hash = hash_of(name, kind);
    e->kind = kind;
    memcpy(e->ca, ca_id(job->ca), sizeof e->ca);
    memcpy(e->name, name, size);
    link_entry(m, e);
    return e;
}

/* --- jobs --- */

/* In a thread of the pool. */
static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    struct leaf *leaf = &job->leaf;
    leaf->certificate = ca_sign_leaf(job->ca, job->entry->name, job->entry->kind, time(NULL));
    if (!leaf->certificate)
        return;
    leaf->key = ca_leaf_key(job->ca, job->entry->kind);
    EVP_PKEY_up_ref(leaf->key);
}

/* Puts a leaf that is made into the cache, in the place of those unused for longest. */
static void keep(struct mint *m, struct entry *e, const struct leaf *leaf)
{
    int64_t until_s = certificate_seconds(X509_get0_notAfter(leaf->certificate));
    while (m->count > 0 && m->count >= m->owner->max)
        forget(m, TAILQ_LAST(&m->uses, uses));
    e->job = NULL;
    e->leaf = *leaf;
    X509_up_ref(leaf->certificate);
    EVP_PKEY_up_ref(leaf->key);
    e->from_s = certificate_seconds(X509_get0_notBefore(leaf->certificate));
    e->until_s = until_s - (until_s - time(NULL)) / 4;
    TAILQ_INSERT_HEAD(&m->uses, e, uses);
    m->count++;
    if (m->count > m->bucket_count)
        grow(m);
}

/* What was made, or could not be, to its place. */
static void settle(struct mint *m, struct job *job)
{
    if (!m->owner) {
        free_entry(job->entry);
        return;
    }
    if (job->leaf.certificate)
        keep(m, job->entry, &job->leaf);
    else
        forget(m, job->entry);
    counters_add(m->owner->counters, job->leaf.certificate ? COUNTER_MINTED : COUNTER_MINT_FAILED, 1);
}

static void free_if_done(struct mint *m)
{
    if (!m->owner && LIST_EMPTY(&m->jobs))
        free(m);
}

static void free_job(struct job *job)
{
    for (struct mint_wait *wait = SLIST_FIRST(&job->waits), *next; wait; wait = next) {
        next = SLIST_NEXT(wait, others);
        free(wait);
    }
    X509_free(job->leaf.certificate);
    EVP_PKEY_free(job->leaf.key);
    ca_unref(job->ca);
    free(job);
}

/* Those who wait are shown the job's own leaf, since what they do may change the cache. The job stays on its
 * list meanwhile, so that none of them can end the mint. */
static void on_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct mint *m = job->mint;
    struct mint_wait *wait;
    (void)status; /* cancelled: there is no leaf */
    settle(m, job);
    SLIST_FOREACH(wait, &job->waits, others)
    {
        mint_cb *cb = wait->cb;
        wait->cb = NULL;
        if (cb)
            cb(wait->arg, job->leaf.certificate ? &job->leaf : NULL);
    }
    LIST_REMOVE(job, others);
    free_job(job);
    free_if_done(m);
}

/* NULL: out of memory. */
static struct job *start_job(struct minter *minter, struct ca *ca, const char *name, enum tf_leaf kind)
{
    struct mint *m = minter->mint;
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    SLIST_INIT(&job->waits);
    job->work.data = job;
    job->mint = m;
    job->ca = ca_ref(ca);
    job->entry = add(m, job, name, kind);
    if (!job->entry) {
        free_job(job);
        return NULL;
    }
    LIST_INSERT_HEAD(&m->jobs, job, others);
    int failed = uv_queue_work(minter->uv, &job->work, on_work, on_done);
    assert(!failed); /* it does only where there is no work */
    return job;
}

/* --- the interface --- */

bool minter_init(struct minter *m, uv_loop_t *uv, struct counters *counters, size_t max)
{
    struct mint *mint = calloc(1, sizeof *mint);
    *m = (struct minter){.uv = uv, .counters = counters, .max = max, .mint = mint};
    if (!mint)
        return false;
    mint->owner = m;
    mint->bucket_count = BUCKETS_FIRST;
    mint->buckets = calloc(BUCKETS_FIRST, sizeof *mint->buckets);
    TAILQ_INIT(&mint->uses);
    LIST_INIT(&mint->jobs);
    if (mint->buckets)
        return true;
    free(mint);
    m->mint = NULL;
    return false;
}

static bool is_good(const struct entry *e, int64_t now_s)
{
    return !e->job && now_s >= e->from_s && now_s < e->until_s;
}

const struct leaf *mint_cached(struct minter *m, const struct ca *ca, const char *name, enum tf_leaf kind)
{
    struct entry *e = find(m->mint, ca, name, kind);
    if (!e || !is_good(e, time(NULL)))
        return NULL;
    TAILQ_REMOVE(&m->mint->uses, e, uses);
    TAILQ_INSERT_HEAD(&m->mint->uses, e, uses);
    counters_add(m->counters, COUNTER_MINT_CACHE_HITS, 1);
    return &e->leaf;
}

struct mint_wait *mint_start(struct minter *m, struct ca *ca, const char *name, enum tf_leaf kind,
                             mint_cb *cb, void *arg)
{
    struct mint_wait *wait = malloc(sizeof *wait);
    if (!wait)
        return NULL;
    struct entry *e = find(m->mint, ca, name, kind);
    struct job *job = e ? e->job : NULL;
    if (e && !job)
        forget(m->mint, e);
    if (!job)
        job = start_job(m, ca, name, kind);
    if (!job) {
        free(wait);
        return NULL;
    }
    *wait = (struct mint_wait){.cb = cb, .arg = arg};
    SLIST_INSERT_HEAD(&job->waits, wait, others);
    return wait;
}

void mint_cancel(struct mint_wait *wait)
{
    wait->cb = NULL;
}

void minter_close(struct minter *m)
{
    struct mint *mint = m->mint;
    struct mint_wait *wait;
    struct job *job;
    if (!mint)
        return;
    for (struct entry *e = TAILQ_FIRST(&mint->uses), *next; e; e = next) {
        next = TAILQ_NEXT(e, uses);
        free_entry(e);
    }
    free(mint->buckets);
    mint->owner = NULL;
    LIST_FOREACH(job, &mint->jobs, others)
    {
        SLIST_FOREACH(wait, &job->waits, others)
        assert(!wait->cb);
        uv_cancel((uv_req_t *)&job->work); /* those that run already end by themselves */
    }
    free_if_done(mint);
    m->mint = NULL;
}
