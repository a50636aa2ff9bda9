/* A bounded map from destinations to TLS sessions; see resume.h. */
#include "resume.h"

#include "hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct resume_entry {
    char *name;
    uint16_t port;
    SSL_SESSION *session;
    time_t until; /* when that is too old */
    int group;
    unsigned holders;
    bool is_out;               /* of the map: the last holder frees it */
    struct resume_entry *next; /* of its bucket */
    struct resume_entry *newer, *older;
};

static struct resume_entry **bucket_of(struct resumer *r, const char *name, uint16_t port)
{
    return &r->buckets[hash_text(HASH_START ^ port, name) & (r->bucket_count - 1)];
}

static void entry_free(struct resume_entry *e)
{
    SSL_SESSION_free(e->session);
    free(e->name);
    free(e);
}

static void unlink_age(struct resumer *r, struct resume_entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &r->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &r->oldest) = e->newer;
}

static void link_newest(struct resumer *r, struct resume_entry *e)
{
    e->newer = NULL;
    e->older = r->newest;
    *(r->newest != NULL ? &r->newest->newer : &r->oldest) = e;
    r->newest = e;
}

/* It is out of the map. */
static void let_go(struct resume_entry *e)
{
    e->is_out = true;
    if (e->holders == 0)
        entry_free(e);
}

static void take_out(struct resumer *r, struct resume_entry *e)
{
    struct resume_entry **p = bucket_of(r, e->name, e->port);
    while (*p != e)
        p = &(*p)->next;
    *p = e->next;
    unlink_age(r, e);
    r->count--;
    let_go(e);
}

/* The table is made for `max` entries, when the first one comes. */
static bool take_buckets(struct resumer *r)
{
    size_t n = 16;
    while (n < r->max && n < ((size_t)1 << 16))
        n *= 2;
    r->buckets = calloc(n, sizeof(struct resume_entry *));
    r->bucket_count = n;
    return r->buckets != NULL;
}

static struct resume_entry *entry_new(struct resumer *r, const char *name, uint16_t port)
{
    struct resume_entry *e = calloc(1, sizeof *e);
    char *copy = e != NULL ? strdup(name) : NULL;
    if (copy == NULL) {
        free(e);
        return NULL;
    }
    if (r->count >= r->max)
        take_out(r, r->oldest);
    *e = (struct resume_entry){.name = copy, .port = port};
    struct resume_entry **bucket = bucket_of(r, name, port);
    e->next = *bucket;
    *bucket = e;
    link_newest(r, e);
    r->count++;
    return e;
}

struct resume_entry *resume_hold(struct resumer *r, const char *name, uint16_t port)
{
    if (r->max == 0 || (r->buckets == NULL && !take_buckets(r)))
        return NULL;
    struct resume_entry *e = *bucket_of(r, name, port);
    while (e != NULL && (e->port != port || strcmp(e->name, name) != 0))
        e = e->next;
    if (e != NULL) {
        unlink_age(r, e);
        link_newest(r, e);
    } else {
        e = entry_new(r, name, port);
    }
    if (e != NULL)
        e->holders++;
    return e;
}

void resume_release(struct resume_entry *e)
{
    assert(e->holders > 0);
    if (--e->holders == 0 && e->is_out)
        entry_free(e);
}

SSL_SESSION *resume_session(struct resume_entry *e)
{
    if (e->session != NULL && e->until <= time(NULL))
        resume_drop(e);
    return e->session;
}

void resume_store(struct resume_entry *e, SSL_SESSION *session)
{
    SSL_SESSION_free(e->session);
    e->session = session;
    e->until = session != NULL ? time(NULL) + SSL_SESSION_get_timeout(session) : 0;
}

int resume_group(const struct resume_entry *e)
{
    return e->group;
}

void resume_set_group(struct resume_entry *e, int group)
{
    e->group = group;
}

void resume_drop(struct resume_entry *e)
{
    resume_store(e, NULL);
}

int resume_on_session(SSL *ssl, SSL_SESSION *session)
{
    struct resume_entry *e = SSL_get_app_data(ssl);
    if (e == NULL)
        return 0;
    resume_store(e, session);
    return 1;
}

void resumer_clear(struct resumer *r)
{
    for (struct resume_entry *e = r->newest, *older; e != NULL; e = older) {
        older = e->older;
        let_go(e);
    }
    free(r->buckets);
    *r = (struct resumer){.max = r->max};
}
