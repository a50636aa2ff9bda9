/* Questions in flight, and who waits for them; see dns.h.
 *
 * Life of a question: it waits in `waiting`, ordered by deadline, until the
 * channel answers or its time is over; it is then `answered`, and the timer
 * calls back whoever waits for it, so that no callback comes from within
 * dns_ask or from within c-ares. A channel cannot be told to drop a question:
 * one whose time was over is an orphan until the channel lets go of it, and
 * what it brings still feeds the cache.
 *
 * The wire is dns_channel.c's, the memory of answers dns_cache.c's. */
#include "dns.h"

#include "../lib/text.h"
#include "dns_cache.h"
#include "dns_channel.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { QUESTIONS_MAX = 1024, INDEX_SIZE = 256 };

TAILQ_HEAD(questions, question);
TAILQ_HEAD(queries, dns_query);
LIST_HEAD(bucket, question);

/* What one set of settings asks with. A reload makes a new one; the old one goes with its last question. */
struct source {
    struct dns_channel *channel;
    struct dns_cache *cache;
    struct tf_limits limits;
    size_t open; /* questions that the channel holds */
    struct source *next;
};

struct question {
    TAILQ_ENTRY(question) in_list;
    LIST_ENTRY(question) in_bucket; /* while it waits */
    struct questions *list;         /* the one that it is in */
    struct dns *dns;
    struct source *source;
    struct queries queries;
    uint64_t deadline_ms;
    struct dns_channel_question asked_as;
    bool asked; /* the channel holds it */
    enum dns_status status;
    enum tf_family family;
    size_t n;
    struct tf_addr addresses[DNS_ADDRESSES_MAX];
    char host[TF_HOST_MAX];
};

struct dns_query {
    TAILQ_ENTRY(dns_query) in_question;
    struct question *question;
    dns_cb *cb;
    void *arg;
};

struct dns {
    uv_loop_t *loop;
    uv_timer_t timer; /* for answers to hand out, or else the first deadline */
    struct source *source;
    struct source *old; /* of earlier settings, still asking */
    bool closing;
    struct questions waiting, answered, orphans;
    struct bucket index[INDEX_SIZE]; /* of the waiting ones */
};

static void on_timer(uv_timer_t *timer);

/* A copy in lower case, as questions and the cache are keyed. */
static void fold(char out[TF_HOST_MAX], const char *host)
{
    size_t n = strlen(host);
    assert(n < TF_HOST_MAX);
    for (size_t i = 0; i <= n; i++)
        out[i] = tf_ascii_lower(host[i]);
}

static void arm(struct dns *d)
{
    const struct question *first = TAILQ_FIRST(&d->waiting);
    uint64_t now_ms = uv_now(d->loop);
    if (!TAILQ_EMPTY(&d->answered))
        uv_timer_start(&d->timer, on_timer, 0, 0);
    else if (first != NULL)
        uv_timer_start(&d->timer, on_timer, first->deadline_ms > now_ms ? first->deadline_ms - now_ms : 0, 0);
    else
        uv_timer_stop(&d->timer);
}

static void source_free(struct source *s)
{
    dns_channel_free(s->channel);
    dns_cache_free(s->cache);
    free(s);
}

static struct source *source_new(struct dns *d, const struct tf_limits *limits, const char *servers,
                                 char *error, size_t size)
{
    struct source *s = calloc(1, sizeof *s);
    struct dns_cache *cache = dns_cache_new(limits->dns_entries);
    if (s == NULL || cache == NULL) {
        snprintf(error, size, "no memory for name lookup");
        goto fail;
    }
    *s = (struct source){.cache = cache, .limits = *limits};
    s->channel = dns_channel_new(d->loop, limits->dns_ms, servers, error, size);
    if (s->channel == NULL)
        goto fail;
    return s;
fail:
    if (cache != NULL)
        dns_cache_free(cache);
    free(s);
    return NULL;
}

/* Takes the question out of the list it is in, and puts it last in `list`, where that is not NULL. */
static void move(struct question *question, struct questions *list)
{
    if (question->list == &question->dns->waiting)
        LIST_REMOVE(question, in_bucket);
    if (question->list != NULL)
        TAILQ_REMOVE(question->list, question, in_list);
    question->list = list;
    if (list != NULL)
        TAILQ_INSERT_TAIL(list, question, in_list);
}

static void settle(struct question *question, enum dns_status status)
{
    question->status = status;
    move(question, &question->dns->answered);
}

static void question_free(struct question *question)
{
    struct dns_query *next;
    move(question, NULL);
    for (struct dns_query *q = TAILQ_FIRST(&question->queries); q != NULL; q = next) {
        next = TAILQ_NEXT(q, in_question);
        free(q);
    }
    free(question);
}

/* From within the channel, so nobody is called back from here. A failure has a ttl_s of 0, and is so not
 * kept. */
static void on_answer(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n,
                      uint32_t ttl_s)
{
    struct question *question = arg;
    struct source *s = question->source;
    struct dns *d = question->dns;
    uint64_t ttl_ms = (uint64_t)ttl_s * 1000;

    if (status == DNS_NOT_FOUND)
        ttl_ms = s->limits.dns_negative_ms;
    else if (ttl_ms > s->limits.dns_ttl_max_ms)
        ttl_ms = s->limits.dns_ttl_max_ms;
    dns_cache_put(s->cache, question->host, question->family, uv_now(d->loop), ttl_ms, addresses, n);

    question->asked = false;
    s->open--;
    question->n = n;
    for (size_t i = 0; i < n; i++)
        question->addresses[i] = addresses[i];
    settle(question, status);
    uv_timer_start(&d->timer, on_timer, 0, 0);
}

static void expire(struct dns *d)
{
    struct question *first;
    while ((first = TAILQ_FIRST(&d->waiting)) != NULL && first->deadline_ms <= uv_now(d->loop))
        settle(first, DNS_TIMEOUT);
}

/* Callbacks may ask, cancel, and free the whole: the loops look at the lists anew each time. */
static void deliver(struct dns *d)
{
    struct question *question;
    while (!d->closing && (question = TAILQ_FIRST(&d->answered)) != NULL) {
        struct dns_query *q = TAILQ_FIRST(&question->queries);
        if (q != NULL) {
            dns_cb *cb = q->cb;
            void *arg = q->arg;
            dns_cancel(q);
            cb(arg, question->status, question->addresses, question->n);
        } else if (question->asked) {
            move(question, &d->orphans);
        } else {
            question_free(question);
        }
    }
}

static void drop_old_sources(struct dns *d)
{
    for (struct source **at = &d->old; *at != NULL;) {
        struct source *s = *at;
        if (s->open > 0) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        source_free(s);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct dns *d = timer->data;
    expire(d);
    deliver(d);
    if (d->closing)
        return;
    drop_old_sources(d);
    arm(d);
}

struct dns *dns_new(uv_loop_t *loop, const struct tf_limits *limits, const char *servers, char *error,
                    size_t size)
{
    struct dns *d = calloc(1, sizeof *d);
    if (d == NULL) {
        snprintf(error, size, "no memory for name lookup");
        return NULL;
    }
    d->loop = loop;
    d->source = source_new(d, limits, servers, error, size);
    if (d->source == NULL) {
        free(d);
        return NULL;
    }
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    TAILQ_INIT(&d->waiting);
    TAILQ_INIT(&d->answered);
    TAILQ_INIT(&d->orphans);
    return d;
}

bool dns_configure(struct dns *d, const struct tf_limits *limits, const char *servers, char *error,
                   size_t size)
{
    struct source *s = source_new(d, limits, servers, error, size);
    if (s == NULL)
        return false;
    d->source->next = d->old;
    d->old = d->source;
    d->source = s;
    drop_old_sources(d);
    return true;
}

static void free_all(struct questions *list)
{
    struct question *next;
    for (struct question *question = TAILQ_FIRST(list); question != NULL; question = next) {
        next = TAILQ_NEXT(question, in_list);
        question_free(question);
    }
}

static void on_closed(uv_handle_t *timer)
{
    struct dns *d = timer->data;
    free_all(&d->waiting);
    free_all(&d->answered);
    free_all(&d->orphans);
    free(d);
}

void dns_free(struct dns *d)
{
    d->closing = true;
    d->source->next = d->old;
    while (d->source != NULL) {
        struct source *s = d->source;
        d->source = s->next;
        source_free(s);
    }
    uv_close((uv_handle_t *)&d->timer, on_closed);
}

bool dns_cached(struct dns *d, const char *host, enum tf_family family, struct tf_addr *out, size_t room,
                size_t *n)
{
    char folded[TF_HOST_MAX];
    fold(folded, host);
    return dns_cache_get(d->source->cache, folded, family, uv_now(d->loop), out, room, n);
}

static struct bucket *bucket_of(struct dns *d, const char *host, enum tf_family family)
{
    return &d->index[dns_hash(host, family) % INDEX_SIZE];
}

static struct question *find(struct dns *d, const char *host, enum tf_family family)
{
    struct question *question;
    LIST_FOREACH(question, bucket_of(d, host, family), in_bucket)
    if (question->source == d->source && question->family == family && strcmp(question->host, host) == 0)
        return question;
    return NULL;
}

/* By deadline; the new one's is the last, unless a reload has made the time shorter. */
static void enqueue(struct question *question)
{
    struct questions *list = &question->dns->waiting;
    struct question *before = TAILQ_LAST(list, questions);
    while (before != NULL && before->deadline_ms > question->deadline_ms)
        before = TAILQ_PREV(before, questions, in_list);
    if (before != NULL)
        TAILQ_INSERT_AFTER(list, before, question, in_list);
    else
        TAILQ_INSERT_HEAD(list, question, in_list);
    question->list = list;
    LIST_INSERT_HEAD(bucket_of(question->dns, question->host, question->family), question, in_bucket);
}

/* The channel may answer at once: the question is then settled when this returns. */
static void ask(struct question *question)
{
    struct source *s = question->source;
    if (s->open == QUESTIONS_MAX) {
        settle(question, DNS_FAILED);
        return;
    }
    enqueue(question);
    question->asked = true;
    s->open++;
    question->asked_as = (struct dns_channel_question){
        .host = question->host, .family = question->family, .cb = on_answer, .arg = question};
    dns_channel_ask(s->channel, &question->asked_as);
}

static struct question *question_new(struct dns *d, const char *host, enum tf_family family)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    question->dns = d;
    question->source = d->source;
    question->family = family;
    question->deadline_ms = uv_now(d->loop) + d->source->limits.dns_ms;
    memcpy(question->host, host, strlen(host) + 1);
    TAILQ_INIT(&question->queries);
    return question;
}

struct dns_query *dns_ask(struct dns *d, const char *host, enum tf_family family, dns_cb *cb, void *arg)
{
    char folded[TF_HOST_MAX];
    fold(folded, host);
    struct dns_query *q = malloc(sizeof *q);
    if (q == NULL)
        return NULL;
    struct question *question = find(d, folded, family);
    if (question == NULL) {
        question = question_new(d, folded, family);
        if (question == NULL) {
            free(q);
            return NULL;
        }
        ask(question);
        arm(d);
    }
    *q = (struct dns_query){.question = question, .cb = cb, .arg = arg};
    TAILQ_INSERT_TAIL(&question->queries, q, in_question);
    return q;
}

void dns_cancel(struct dns_query *q)
{
    TAILQ_REMOVE(&q->question->queries, q, in_question);
    free(q);
}
