/* Checking logins off the loop, and remembering those that were right; see
 * login.h. What is right is up to users.c.
 *
 * A login is known by its print: a digest of it and of its file, under a key
 * that is nowhere but here, so that nothing that is kept lets anybody log in.
 * Prints are in a tree, to be found, and on a list in the order in which they
 * came, which is that in which they expire. */
#include "login.h"

#include "../lib/sasl.h"
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { KNOWN_MS = 5 * 60 * 1000, JOBS_MAX = 64, DIGEST_SIZE = 32, KEY_SIZE = 32 };

struct fingerprint {
    uint8_t bytes[DIGEST_SIZE];
};

/* Has been right. */
struct known {
    struct fingerprint print; /* first, so that a print alone finds it */
    uint64_t until_ms;
    TAILQ_ENTRY(known) ages;
};

/* Freed with its job, so that a callback may cancel any other. */
struct login_wait {
    SLIST_ENTRY(login_wait) others;
    login_cb *cb; /* NULL: called, or cancelled */
    void *arg;
};

struct job {
    uv_work_t work;
    struct logins_private *logins;
    struct fingerprint print;
    struct users *users;
    struct tf_login login; /* the pool's thread wipes it */
    bool ok;
    SLIST_HEAD(, login_wait) waits;
    LIST_ENTRY(job) others;
};

struct logins_private {
    struct logins *owner; /* NULL once closed */
    uint8_t key[KEY_SIZE];
    void *tree;               /* of tsearch(3) */
    TAILQ_HEAD(, known) ages; /* the oldest first */
    size_t count;
    LIST_HEAD(, job) jobs;
    size_t job_count;
};

/* --- those that are known --- */

static int by_print(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fingerprint));
}

/* False: OpenSSL cannot. */
static bool take_print(const struct logins_private *p, const struct users *users,
                       const struct tf_login *login, struct fingerprint *out)
{
    char text[USERS_ID_SIZE + sizeof *login];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put(&w, users_id(users), USERS_ID_SIZE);
    tf_put(&w, login->user, strlen(login->user) + 1);
    tf_put(&w, login->password, strlen(login->password) + 1);
    bool ok = HMAC(EVP_sha256(), p->key, KEY_SIZE, (const uint8_t *)text, w.len, out->bytes, NULL) != NULL;
    tf_wipe(text, sizeof text);
    return ok;
}

static void forget(struct logins_private *p, struct known *k)
{
    tdelete(k, &p->tree, by_print);
    TAILQ_REMOVE(&p->ages, k, ages);
    p->count--;
    free(k);
}

/* Those that are too old, and as many more as are too many. */
static void forget_oldest(struct logins_private *p, size_t max)
{
    for (struct known *k; (k = TAILQ_FIRST(&p->ages)) != NULL;) {
        if (p->count <= max && uv_now(p->owner->uv) < k->until_ms)
            return;
        forget(p, k);
    }
}

static struct known *find(struct logins_private *p, const struct fingerprint *print)
{
    void *node = tfind(print, &p->tree, by_print);
    return node ? *(struct known **)node : NULL;
}

/* Without memory it is not, and the next login costs a hash again. */
static void remember(struct logins_private *p, const struct fingerprint *print)
{
    struct known *old = find(p, print), *k = calloc(1, sizeof *k);
    if (old)
        forget(p, old);
    if (!k)
        return;
    k->print = *print;
    k->until_ms = uv_now(p->owner->uv) + KNOWN_MS;
    if (!tsearch(k, &p->tree, by_print)) {
        free(k);
        return;
    }
    TAILQ_INSERT_TAIL(&p->ages, k, ages);
    p->count++;
    forget_oldest(p, p->owner->max);
}

/* --- jobs --- */

/* In a thread of the pool. */
static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->ok = users_check(job->users, job->login.user, job->login.password);
    tf_login_wipe(&job->login);
}

static void free_if_done(struct logins_private *p)
{
    if (p->owner || p->job_count > 0)
        return;
    tf_wipe(p->key, sizeof p->key);
    free(p);
}

static void free_job(struct job *job)
{
    for (struct login_wait *wait = SLIST_FIRST(&job->waits), *next; wait; wait = next) {
        next = SLIST_NEXT(wait, others);
        free(wait);
    }
    users_unref(job->users);
    tf_login_wipe(&job->login); /* the work may have been cancelled */
    free(job);
}

/* The job counts until the last has been told, so that none of them can end the rest. */
static void on_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct logins_private *p = job->logins;
    struct login_wait *wait;
    (void)status; /* cancelled: it is not ok */
    LIST_REMOVE(job, others);
    if (job->ok && p->owner)
        remember(p, &job->print);
    SLIST_FOREACH(wait, &job->waits, others)
    {
        login_cb *cb = wait->cb;
        wait->cb = NULL;
        if (cb)
            cb(wait->arg, job->ok);
    }
    free_job(job);
    p->job_count--;
    free_if_done(p);
}

static struct job *find_job(struct logins_private *p, const struct fingerprint *print)
{
    struct job *job;
    LIST_FOREACH(job, &p->jobs, others)
    if (by_print(&job->print, print) == 0)
        break;
    return job;
}

/* NULL: out of memory, or too many are being checked. */
static struct job *start_job(struct logins_private *p, const struct fingerprint *print, struct users *users,
                             const struct tf_login *login)
{
    struct job *job = p->job_count < JOBS_MAX ? calloc(1, sizeof *job) : NULL;
    if (!job)
        return NULL;
    job->work.data = job;
    job->logins = p;
    job->print = *print;
    job->users = users_ref(users);
    job->login = *login;
    SLIST_INIT(&job->waits);
    LIST_INSERT_HEAD(&p->jobs, job, others);
    p->job_count++;
    int failed = uv_queue_work(p->owner->uv, &job->work, on_work, on_done);
    assert(!failed); /* it does only where there is no work */
    return job;
}

/* --- the interface --- */

bool logins_init(struct logins *l)
{
    struct logins_private *p = calloc(1, sizeof *p);
    l->private = NULL;
    if (!p || RAND_bytes(p->key, KEY_SIZE) != 1) {
        free(p);
        return false;
    }
    p->owner = l;
    TAILQ_INIT(&p->ages);
    LIST_INIT(&p->jobs);
    l->private = p;
    return true;
}

bool login_is_known(struct logins *l, const struct users *users, const struct tf_login *login)
{
    struct fingerprint d;
    struct known *k = take_print(l->private, users, login, &d) ? find(l->private, &d) : NULL;
    return k && uv_now(l->uv) < k->until_ms;
}

struct login_wait *login_start(struct logins *l, struct users *users, const struct tf_login *login,
                               login_cb *cb, void *arg)
{
    struct fingerprint d;
    struct login_wait *wait = malloc(sizeof *wait);
    if (!wait || !take_print(l->private, users, login, &d)) {
        free(wait);
        return NULL;
    }
    struct job *job = find_job(l->private, &d);
    if (!job)
        job = start_job(l->private, &d, users, login);
    if (!job) {
        free(wait);
        return NULL;
    }
    *wait = (struct login_wait){.cb = cb, .arg = arg};
    SLIST_INSERT_HEAD(&job->waits, wait, others);
    return wait;
}

void login_cancel(struct login_wait *wait)
{
    wait->cb = NULL;
}

void logins_close(struct logins *l)
{
    struct logins_private *p = l->private;
    struct login_wait *wait;
    struct job *job;
    if (!p)
        return;
    forget_oldest(p, 0);
    p->owner = NULL;
    LIST_FOREACH(job, &p->jobs, others)
    {
        SLIST_FOREACH(wait, &job->waits, others)
        assert(!wait->cb);
        uv_cancel((uv_req_t *)&job->work); /* those that run already end by themselves */
    }
    free_if_done(p);
    l->private = NULL;
}
