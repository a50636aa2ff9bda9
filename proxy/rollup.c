/* The table of repeats; see rollup.h. */
#include "rollup.h"

#include "hash.h"
#include "inventory.h"
#include "metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = sizeof((struct rollups *)0)->buckets / sizeof(struct rollup *) };

struct rollup {
    struct rollup_kind kind;
    struct rollup *next;      /* in the order in which they came */
    struct rollup *next_here; /* in the bucket */
    uint32_t whole;           /* have had a line of their own */
    enum journal_kind what;
    struct tf_repeat repeat;
    char *head; /* NULL: nothing has been summed up */
    size_t head_size;
    struct tf_sighting sighting;
};

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    return tf_hash64(hash, &number, sizeof number);
}

static uint64_t hash_name(uint64_t hash, const char *name)
{
    return name != NULL ? tf_hash64(hash, name, strlen(name) + 1) : hash_number(hash, 0);
}

struct rollup_kind rollup_kind_of(const struct tf_facts *facts)
{
    struct rollup_kind kind = {.source = facts->source};
    uint64_t h = hash_number(TF_HASH64_START, (uint64_t)facts->reason);
    h = hash_number(h, (uint64_t)facts->verdict);
    h = hash_number(h, facts->has_hello ? tf_client_fingerprint(&facts->hello) : 0);
    h = hash_name(h, facts->listener);
    h = hash_name(h, facts->rule != NULL ? facts->rule->name : NULL);
    if (facts->has_target) {
        h = hash_name(h, facts->target.host);
        h = hash_number(h, facts->target.port);
    }
    if (facts->has_target && facts->target.is_address)
        h = tf_hash64(h, facts->target.addr.ip, sizeof facts->target.addr.ip);
    kind.source.port = 0;
    kind.rest = h;
    return kind;
}

static struct rollup **bucket_of(struct rollups *r, const struct rollup_kind *kind)
{
    return &r->buckets[hash_bytes((uint32_t)kind->rest, kind->source.ip, sizeof kind->source.ip) % BUCKETS];
}

static bool is_same_kind(const struct rollup_kind *a, const struct rollup_kind *b)
{
    return a->rest == b->rest && tf_addr_same_ip(&a->source, &b->source);
}

/* Writes the line of a roll-up, if it has summed up anything. */
static void deliver(struct rollups *r, struct rollup *u)
{
    if (u->repeat.count == 0)
        return;
    char line[TF_RECORD_MAX];
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put(&w, u->head, u->head_size);
    tf_put_block_tail(&w, r->sinks.is_w3c, &u->repeat);
    assert(!w.full);
    if (r->sinks.journal != NULL)
        journal_write(r->sinks.journal, w.p, w.len, u->what, u->repeat.count);
    if (u->what == JOURNAL_REFUSED)
        counters_add(r->counters, COUNTER_ROLLED_UP, (int64_t)u->repeat.count);
    if (r->sinks.inventory == NULL)
        return;
    u->sighting.count = u->repeat.count;
    u->sighting.first_us = u->repeat.first_us;
    u->sighting.last_us = u->repeat.last_us;
    inventory_note(r->sinks.inventory, &u->sighting);
}

/* Takes the one that came first out. */
static void drop_first(struct rollups *r)
{
    struct rollup *u = r->first;
    struct rollup **p = bucket_of(r, &u->kind);
    deliver(r, u);
    while (*p != u)
        p = &(*p)->next_here;
    *p = u->next_here;
    r->first = u->next;
    if (r->first == NULL)
        r->last = &r->first;
    r->count--;
    free(u->head);
    free(u);
}

void rollups_flush(struct rollups *r)
{
    while (r->first != NULL)
        drop_first(r);
}

static void on_interval(uv_timer_t *timer)
{
    rollups_flush(timer->data);
}

void rollups_init(struct rollups *r, uv_loop_t *uv, struct counters *counters)
{
    *r = (struct rollups){.counters = counters};
    uv_timer_init(uv, &r->timer);
    uv_unref((uv_handle_t *)&r->timer);
    r->timer.data = r;
    r->last = &r->first;
}

void rollups_close(struct rollups *r)
{
    rollups_flush(r);
    uv_close((uv_handle_t *)&r->timer, NULL);
}

static struct rollup *add(struct rollups *r, const struct rollup_kind *kind)
{
    struct rollup **bucket = bucket_of(r, kind);
    if (r->count >= r->max)
        drop_first(r);
    struct rollup *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    if (r->first == NULL)
        uv_timer_start(&r->timer, on_interval, r->every_ms, 0);
    u->kind = *kind;
    u->next_here = *bucket;
    *bucket = u;
    *r->last = u;
    r->last = &u->next;
    r->count++;
    return u;
}

struct rollup *rollups_note(struct rollups *r, const struct rollup_kind *kind, int64_t started_us)
{
    if (r->every_ms == 0)
        return NULL;
    struct rollup *u = *bucket_of(r, kind);
    while (u != NULL && !is_same_kind(&u->kind, kind))
        u = u->next_here;
    if (u == NULL)
        u = add(r, kind);
    if (u == NULL || u->whole < r->whole) {
        if (u != NULL)
            u->whole++;
        return NULL;
    }
    struct tf_repeat *repeat = &u->repeat;
    if (repeat->count == 0 || started_us < repeat->first_us)
        repeat->first_us = started_us;
    if (repeat->count == 0 || started_us > repeat->last_us)
        repeat->last_us = started_us;
    repeat->count++;
    return u;
}

bool rollup_is_new(const struct rollup *u)
{
    return u->head == NULL;
}

bool rollup_begin(struct rollup *u, enum journal_kind what, const char *head, size_t n,
                  const struct tf_sighting *sighting)
{
    u->head = malloc(n);
    if (u->head == NULL) {
        u->repeat = (struct tf_repeat){.count = 0};
        return false;
    }
    memcpy(u->head, head, n);
    u->head_size = n;
    u->what = what;
    u->sighting = *sighting;
    return true;
}
