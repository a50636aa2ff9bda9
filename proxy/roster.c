/* The table of clients; see roster.h.
 *
 * A hash table by source alone, since a healthy client must find all rows of
 * its source; how many rows one source may have is bounded, so its chain is
 * short, and no source can push all others out. Rows stand in two queues as
 * well, in the order in which they were seen last: what is evicted is the
 * head of one. */
#include "roster.h"

#include "hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    BUCKETS_MIN = 256,    /* a power of two */
    SOURCE_ROWS_MAX = 256 /* clients behind one address */
};

struct row {
    struct roster_client client;
    size_t place; /* in rows */
    size_t room;  /* of client.destinations */
    LIST_ENTRY(row) in_bucket;
    TAILQ_ENTRY(row) in_queue;
    struct queue *queue;
};

LIST_HEAD(bucket, row);
TAILQ_HEAD(queue, row);

struct roster {
    size_t clients_max, destinations_max;
    struct row **rows;
    size_t count, room; /* of rows */
    struct bucket *buckets;
    size_t bucket_count;
    struct queue taken;        /* by a store; not known yet to which of the others they belong */
    struct queue above, below; /* whether they were ever below TLS 1.2 */
    void (*forget)(void *arg, int64_t id);
    void *forget_arg;
};

struct roster *roster_new(size_t clients_max, size_t destinations_max)
{
    assert(clients_max > 0 && destinations_max > 0);
    struct roster *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->buckets = calloc(BUCKETS_MIN, sizeof *r->buckets);
    if (r->buckets == NULL) {
        free(r);
        return NULL;
    }
    r->bucket_count = BUCKETS_MIN;
    r->clients_max = clients_max;
    r->destinations_max = destinations_max;
    TAILQ_INIT(&r->taken);
    TAILQ_INIT(&r->above);
    TAILQ_INIT(&r->below);
    return r;
}

void roster_on_forget(struct roster *r, void (*forget)(void *arg, int64_t id), void *arg)
{
    r->forget = forget;
    r->forget_arg = arg;
}

static struct bucket *bucket_of(const struct roster *r, const struct tf_addr *source)
{
    uint32_t hash = hash_bytes(HASH_START, source->ip, sizeof source->ip);
    return &r->buckets[hash & (r->bucket_count - 1)];
}

/* Twice as many buckets. Without memory for them, chains are longer, that is all. */
static void widen(struct roster *r)
{
    struct bucket *wider = calloc(2 * r->bucket_count, sizeof *wider);
    if (wider == NULL)
        return;
    free(r->buckets);
    r->buckets = wider;
    r->bucket_count *= 2;
    for (size_t i = 0; i < r->count; i++)
        LIST_INSERT_HEAD(bucket_of(r, &r->rows[i]->client.source), r->rows[i], in_bucket);
}

static void free_row(struct row *row)
{
    for (size_t i = 0; i < row->client.destination_count; i++)
        free(row->client.destinations[i].host);
    free(row->client.destinations);
    free(row);
}

static void remove_row(struct roster *r, struct row *row)
{
    if (row->client.id != 0 && r->forget != NULL)
        r->forget(r->forget_arg, row->client.id);
    LIST_REMOVE(row, in_bucket);
    TAILQ_REMOVE(row->queue, row, in_queue);
    struct row *last = r->rows[--r->count];
    r->rows[row->place] = last;
    last->place = row->place;
    free_row(row);
}

void roster_free(struct roster *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        free_row(r->rows[i]);
    free(r->rows);
    free(r->buckets);
    free(r);
}

static void put_last(struct row *row, struct queue *queue)
{
    TAILQ_REMOVE(row->queue, row, in_queue);
    TAILQ_INSERT_TAIL(queue, row, in_queue);
    row->queue = queue;
}

static struct queue *queue_of(struct roster *r, const struct row *row)
{
    return row->client.below_us != 0 ? &r->below : &r->above;
}

/* What a store has taken is filled in by now. */
static void settle(struct roster *r)
{
    for (struct row *row; (row = TAILQ_FIRST(&r->taken)) != NULL;)
        put_last(row, queue_of(r, row));
}

/* Of those that were never below TLS 1.2, if there is one; of them, who was not seen for the longest time. */
static void evict(struct roster *r)
{
    settle(r);
    struct row *row = TAILQ_FIRST(&r->above);
    remove_row(r, row != NULL ? row : TAILQ_FIRST(&r->below));
}

/* The same among the rows of one source. */
static void evict_of_source(struct roster *r, const struct tf_addr *source)
{
    struct row *row, *worst = NULL;
    LIST_FOREACH(row, bucket_of(r, source), in_bucket)
    {
        if (!tf_addr_same_ip(&row->client.source, source))
            continue;
        bool is_below = row->client.below_us != 0, worst_is = worst != NULL && worst->client.below_us != 0;
        if (worst == NULL || (is_below != worst_is ? worst_is : row->client.last_us < worst->client.last_us))
            worst = row;
    }
    assert(worst != NULL); /* it has as many as it may */
    remove_row(r, worst);
}

void roster_set_bounds(struct roster *r, size_t clients_max, size_t destinations_max)
{
    assert(clients_max > 0 && destinations_max > 0);
    r->clients_max = clients_max;
    r->destinations_max = destinations_max;
    while (r->count > clients_max)
        evict(r);
}

/* *siblings: rows of the same source. */
static struct row *find(const struct roster *r, const struct tf_addr *source, enum tf_client_family family,
                        uint64_t fingerprint, size_t *siblings)
{
    struct row *row;
    *siblings = 0;
    LIST_FOREACH(row, bucket_of(r, source), in_bucket)
    {
        const struct roster_client *c = &row->client;
        if (!tf_addr_same_ip(&c->source, source))
            continue;
        if (c->family == family && (family != TF_CLIENT_FAMILY_UNKNOWN || c->fingerprint == fingerprint))
            return row;
        ++*siblings;
    }
    return NULL;
}

/* Room for one more in rows. */
static bool make_room(struct roster *r)
{
    if (r->count < r->room)
        return true;
    size_t room = r->room > 0 ? 2 * r->room : BUCKETS_MIN;
    struct row **rows = realloc(r->rows, room * sizeof *rows);
    if (rows == NULL)
        return false;
    r->rows = rows;
    r->room = room;
    return true;
}

/* The row of a client; made, at the end of the queue of those taken, if it is not there. */
static struct row *take(struct roster *r, const struct tf_addr *source, enum tf_client_family family,
                        uint64_t fingerprint)
{
    size_t siblings;
    struct row *row = find(r, source, family, fingerprint, &siblings);
    if (row != NULL)
        return row;
    row = make_room(r) ? calloc(1, sizeof *row) : NULL;
    if (row == NULL)
        return NULL;
    if (siblings >= SOURCE_ROWS_MAX)
        evict_of_source(r, source);
    else if (r->count >= r->clients_max)
        evict(r);
    row->client.source = *source;
    row->client.source.port = 0;
    row->client.family = family;
    row->client.fingerprint = fingerprint;
    row->client.is_dirty = true;
    row->place = r->count;
    r->rows[r->count++] = row;
    row->queue = &r->taken;
    TAILQ_INSERT_TAIL(&r->taken, row, in_queue);
    LIST_INSERT_HEAD(bucket_of(r, source), row, in_bucket);
    if (r->count > r->bucket_count)
        widen(r);
    return row;
}

struct roster_client *roster_take(struct roster *r, const struct tf_addr *source,
                                  enum tf_client_family family, uint64_t fingerprint)
{
    struct row *row = take(r, source, family, fingerprint);
    return row != NULL ? &row->client : NULL;
}

static struct roster_destination *find_destination(const struct roster_client *client, const char *host,
                                                   uint16_t port)
{
    for (size_t i = 0; i < client->destination_count; i++) {
        struct roster_destination *d = &client->destinations[i];
        if (d->port == port && strcmp(d->host, host) == 0)
            return d;
    }
    return NULL;
}

struct roster_destination *roster_take_destination(struct roster *r, struct roster_client *client,
                                                   const char *host, uint16_t port)
{
    struct row *row = (struct row *)client; /* its first member */
    struct roster_destination *d = find_destination(client, host, port);
    if (d != NULL || client->destination_count >= r->destinations_max || strlen(host) >= TF_HOST_MAX)
        return d;
    if (client->destination_count == row->room) {
        size_t room = row->room > 0 ? 2 * row->room : 1;
        struct roster_destination *wider = realloc(client->destinations, room * sizeof *wider);
        if (wider == NULL)
            return NULL;
        client->destinations = wider;
        row->room = room;
    }
    char *copy = strdup(host);
    if (copy == NULL)
        return NULL;
    d = &client->destinations[client->destination_count++];
    *d = (struct roster_destination){.host = copy, .port = port};
    return d;
}

/* A client that has come at or above TLS 1.2, and to where it had come below it. */
static void note_fixed(struct roster *r, const struct tf_sighting *s)
{
    struct row *row;
    LIST_FOREACH(row, bucket_of(r, &s->source), in_bucket)
    {
        struct roster_client *c = &row->client;
        if (!tf_addr_same_ip(&c->source, &s->source) || c->below_us == 0 || c->below_us >= s->first_us ||
            c->fixed_us != 0)
            continue;
        if (c->more_destinations == 0 && find_destination(c, s->host, s->port) == NULL)
            continue;
        c->fixed_us = s->first_us;
        c->is_dirty = true;
    }
}

static uint8_t version_bit(const struct tf_sighting *s)
{
    uint16_t rank = tf_version_rank(s->version);
    enum roster_version version = rank == 0          ? ROSTER_PLAIN
                                  : rank == TF_SSL2  ? ROSTER_SSL2
                                  : rank == TF_SSL3  ? ROSTER_SSL3
                                  : rank == TF_TLS10 ? ROSTER_TLS10
                                  : rank == TF_TLS11 ? ROSTER_TLS11
                                  : rank == TF_TLS12 ? ROSTER_TLS12
                                                     : ROSTER_TLS13;
    return (uint8_t)(1 << version);
}

static void stretch(int64_t *first_us, int64_t *last_us, const struct tf_sighting *s)
{
    if (*first_us == 0 || s->first_us < *first_us)
        *first_us = s->first_us;
    if (s->last_us > *last_us)
        *last_us = s->last_us;
}

static void add_destination(struct roster *r, struct roster_client *c, const struct tf_sighting *s)
{
    struct roster_destination *d = roster_take_destination(r, c, s->host, s->port);
    if (d == NULL) {
        c->more_destinations += s->count;
        return;
    }
    d->is_m365 = s->is_m365;
    d->area = s->area;
    d->versions |= version_bit(s);
    d->counts[s->outcome] += s->count;
    stretch(&d->first_us, &d->last_us, s);
}

/* The words of the latest sighting; what it does not know stays as it was. */
static void take_words(struct roster_client *c, const struct tf_sighting *s)
{
    const struct {
        char *to;
        const char *from;
        size_t size;
    } words[] = {
        {c->name, s->name, sizeof c->name},
        {c->user_agent, s->user_agent, sizeof c->user_agent},
        {c->user, s->user, sizeof c->user},
        {c->ja4, s->ja4, sizeof c->ja4},
        {c->listener, s->listener, sizeof c->listener},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].from[0] != '\0')
            memcpy(words[i].to, words[i].from, words[i].size);
    memcpy(c->rule, s->rule, sizeof c->rule); /* that no rule matches is knowledge too */
    if (s->certainty != TF_CLIENT_NOT_KNOWN)
        c->certainty = s->certainty;
    if (s->fingerprint != 0)
        c->fingerprint = s->fingerprint;
    if (s->reason != TF_REASON_NONE)
        c->reason = s->reason;
}

/* Of one that was ever below TLS 1.2 only what is below it counts. Logs may be read in any order. Before
 * `below_us` and `last_us` are stretched. */
static void note_outcome(struct roster_client *c, const struct tf_sighting *s, bool is_below)
{
    if (s->last_us >= (is_below ? c->below_us : c->last_us) && (is_below || c->below_us == 0))
        c->outcome = s->outcome;
}

static void note_below(struct roster_client *c, const struct tf_sighting *s)
{
    if (s->last_us > c->below_us)
        c->below_us = s->last_us;
    if (c->fixed_us <= c->below_us)
        c->fixed_us = 0;
}

bool roster_add(struct roster *r, const struct tf_sighting *s)
{
    if (!tf_sighting_is_about_tls(s))
        return true;
    settle(r);
    bool is_below = tf_sighting_is_below(s, TF_TLS12);
    if (!is_below && !s->is_fallback) {
        note_fixed(r, s);
        if (tf_version_rank(s->version) >= TF_TLS13)
            return true; /* there is nothing to keep of it */
    }
    struct row *row = take(r, &s->source, s->family, s->fingerprint);
    if (row == NULL)
        return false;
    struct roster_client *c = &row->client;
    if (s->last_us >= c->last_us)
        take_words(c, s);
    c->versions |= version_bit(s);
    c->counts[s->outcome] += s->count;
    if (s->is_fallback)
        c->fallbacks += s->count;
    note_outcome(c, s, is_below);
    stretch(&c->first_us, &c->last_us, s);
    add_destination(r, c, s);
    if (is_below)
        note_below(c, s);
    c->is_dirty = true;
    put_last(row, queue_of(r, row));
    return true;
}

bool roster_is_silent(const struct roster_client *client, int64_t now_us)
{
    int64_t days = (int64_t)tf_day_of(now_us / 1000000) - tf_day_of(client->last_us / 1000000);
    return client->fixed_us == 0 && days > ROSTER_SEEN_DAYS;
}

void roster_forget_before(struct roster *r, int64_t us)
{
    for (size_t i = r->count; i-- > 0;)
        if (r->rows[i]->client.last_us < us)
            remove_row(r, r->rows[i]);
}

size_t roster_count(const struct roster *r)
{
    return r->count;
}

struct roster_client *roster_at(const struct roster *r, size_t i)
{
    assert(i < r->count);
    return &r->rows[i]->client;
}
