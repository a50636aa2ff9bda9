/* Tokens of the bridge: kept, asked for, handed out; see oauth.h. What the file
 * says is read by oauth_file.c, the endpoint is asked by oauth_ask.c.
 *
 * Each account of the file has one token. Who wants it while it is good gets
 * it; else the account is wanted, and who waits stands in its list. One job at
 * a time, in the thread pool, asks for the wanted accounts in turn, so a token
 * endpoint that is slow never takes more than one thread of the pool. An
 * answer is copied to all who wait, and each is woken on its own loop.
 *
 * The mutex guards what the job and the loops share, and is never held while
 * the endpoint is asked or a callback runs. */
#include "oauth.h"

#include "../lib/sasl.h"
#include "conf_load.h"
#include "fetch.h"
#include "oauth_ask.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A device that tries again and again asks the endpoint no oftener than once in FAILURE_MS, or YOUNG_MS. */
enum { FAILURE_MS = 10000, YOUNG_MS = 10000, SPARE_MS = 60000, WHY_MAX = 512 };

struct oauth_wait {
    uv_async_t async; /* of the loop that it belongs to */
    struct oauth *oauth;
    oauth_cb *cb;
    void *arg;
    TAILQ_ENTRY(oauth_wait) others;
    struct account *account; /* the one that it waits for; NULL: `text` is the answer */
    bool granted;
    char text[OAUTH_TOKEN_MAX + 1]; /* the token, or why there is none */
};

TAILQ_HEAD(waits, oauth_wait);

struct account {
    size_t number; /* in the file */
    struct waits waits;
    TAILQ_ENTRY(account) others; /* while it is wanted */
    bool is_wanted;
    char *token;                            /* the last; NULL: there was none */
    uint64_t got_ms;                        /* fetch_now_ms: when it came */
    uint64_t fresh_until_ms, good_until_ms; /* handed out without asking; at all */
    char *refresh_token;      /* that the endpoint gave in place of the file's; NULL: it did not */
    uint64_t failed_until_ms; /* nobody asks again before */
    char why[WHY_MAX];
};

struct oauth {
    atomic_uint refs;
    struct oauth_file file;
    pthread_mutex_t mutex; /* guards what follows, and all waits */
    TAILQ_HEAD(, account) wanted;
    bool has_job;
    struct account accounts[]; /* as many as the file has */
};

struct job {
    uv_work_t work;
    struct oauth *oauth;
    struct conf *conf;
    struct tls *tls;
};

/* --- answers; all with the mutex --- */

static bool is_settled(const struct account *a, uint64_t now_ms)
{
    return now_ms < a->fresh_until_ms || now_ms < a->failed_until_ms;
}

/* A token that could not be made new is still good for a while. */
static void answer(struct oauth_wait *wait, const struct account *a, uint64_t now_ms)
{
    wait->granted = a->token && now_ms < a->good_until_ms;
    snprintf(wait->text, sizeof wait->text, "%s", wait->granted ? a->token : a->why);
    wait->account = NULL;
    uv_async_send(&wait->async);
}

static void answer_all(struct account *a, uint64_t now_ms)
{
    struct oauth_wait *wait;
    while ((wait = TAILQ_FIRST(&a->waits)) != NULL) {
        TAILQ_REMOVE(&a->waits, wait, others);
        answer(wait, a, now_ms);
    }
}

static void replace_secret(char **secret, char *by)
{
    oauth_free_secret(*secret);
    *secret = by;
}

/* Takes over the answer's texts. */
static void keep_token(struct account *a, const struct oauth_answer *got, uint64_t now_ms)
{
    uint64_t spare_ms = got->life_ms / 10 > SPARE_MS ? got->life_ms / 10 : SPARE_MS;
    replace_secret(&a->token, got->token);
    if (got->refresh_token)
        replace_secret(&a->refresh_token, got->refresh_token);
    a->got_ms = now_ms;
    a->good_until_ms = now_ms + got->life_ms;
    a->fresh_until_ms = got->life_ms > spare_ms ? a->good_until_ms - spare_ms : now_ms;
    a->failed_until_ms = 0;
}

static void keep_failure(struct account *a, const char *why, uint64_t now_ms)
{
    a->failed_until_ms = now_ms + FAILURE_MS;
    snprintf(a->why, sizeof a->why, "%s", why);
}

/* --- the job --- */

/* The next account that somebody waits for, off the list. */
static struct account *take_wanted(struct oauth *o)
{
    struct account *a;
    while ((a = TAILQ_FIRST(&o->wanted)) != NULL) {
        TAILQ_REMOVE(&o->wanted, a, others);
        a->is_wanted = false;
        if (!TAILQ_EMPTY(&a->waits))
            return a;
    }
    return NULL;
}

static void settle(struct oauth *o, struct account *a, enum oauth_result result,
                   const struct oauth_answer *got, const char *why)
{
    uint64_t now_ms = fetch_now_ms();
    if (result == OAUTH_GRANTED)
        keep_token(a, got, now_ms);
    else
        keep_failure(a, why, now_ms);
    answer_all(a, now_ms);
    while (result == OAUTH_UNREACHABLE && (a = take_wanted(o)) != NULL) {
        keep_failure(a, why, now_ms);
        answer_all(a, now_ms);
    }
}

/* In a thread of the pool. */
static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    struct oauth *o = job->oauth;
    struct account *a;
    pthread_mutex_lock(&o->mutex);
    while ((a = take_wanted(o)) != NULL) {
        /* Nobody else changes it, so it stays what it is while the mutex is not held. */
        const char *refresh_token =
            a->refresh_token ? a->refresh_token : o->file.accounts[a->number].refresh_token;
        struct oauth_answer got;
        char why[WHY_MAX];
        pthread_mutex_unlock(&o->mutex);
        enum oauth_result result =
            oauth_ask(&o->file, refresh_token, &job->conf->tf, job->tls, &got, why, sizeof why);
        pthread_mutex_lock(&o->mutex);
        settle(o, a, result, &got, why);
    }
    o->has_job = false;
    pthread_mutex_unlock(&o->mutex);
}

static void free_job(struct job *job)
{
    conf_unref(job->conf);
    tls_unref(job->tls);
    oauth_unref(job->oauth);
    free(job);
}

static void on_done(uv_work_t *work, int status)
{
    assert(status == 0); /* it is never cancelled */
    free_job(work->data);
}

/* With the mutex. False: out of memory. */
static bool start_job(struct oauth *o, uv_loop_t *uv, struct conf *conf, struct tls *tls)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        return false;
    *job = (struct job){.work.data = job, .oauth = oauth_ref(o), .conf = conf_ref(conf), .tls = tls_ref(tls)};
    int failed = uv_queue_work(uv, &job->work, on_work, on_done);
    assert(!failed); /* it does only where there is no work */
    o->has_job = true;
    return true;
}

/* --- waits --- */

static void on_closed(uv_handle_t *handle)
{
    struct oauth_wait *wait = handle->data;
    oauth_unref(wait->oauth);
    tf_wipe(wait->text, sizeof wait->text);
    free(wait);
}

static void on_answer(uv_async_t *async)
{
    struct oauth_wait *wait = async->data;
    /* Whoever has answered has let go of the wait when the mutex is free. */
    pthread_mutex_lock(&wait->oauth->mutex);
    assert(!wait->account);
    pthread_mutex_unlock(&wait->oauth->mutex);
    uv_close((uv_handle_t *)async, on_closed);
    wait->cb(wait->arg, wait->granted ? wait->text : NULL, wait->granted ? NULL : wait->text);
}

/* With the mutex. False: out of memory. */
static bool join(struct oauth_wait *wait, struct account *a, struct conf *conf, struct tls *tls)
{
    struct oauth *o = wait->oauth;
    if (!o->has_job && !start_job(o, wait->async.loop, conf, tls))
        return false;
    wait->account = a;
    TAILQ_INSERT_TAIL(&a->waits, wait, others);
    if (!a->is_wanted)
        TAILQ_INSERT_TAIL(&o->wanted, a, others);
    a->is_wanted = true;
    return true;
}

struct oauth_wait *oauth_start(struct oauth *o, uv_loop_t *uv, struct conf *conf, struct tls *tls,
                               const char *mailbox, oauth_cb *cb, void *arg)
{
    struct account *a = &o->accounts[oauth_file_find(&o->file, mailbox)];
    struct oauth_wait *wait = calloc(1, sizeof *wait);
    if (!wait || uv_async_init(uv, &wait->async, on_answer) != 0) {
        free(wait);
        return NULL;
    }
    wait->async.data = wait;
    wait->oauth = oauth_ref(o);
    wait->cb = cb;
    wait->arg = arg;

    uint64_t now_ms = fetch_now_ms();
    bool ok = true;
    pthread_mutex_lock(&o->mutex);
    if (is_settled(a, now_ms))
        answer(wait, a, now_ms);
    else
        ok = join(wait, a, conf, tls);
    pthread_mutex_unlock(&o->mutex);
    if (ok)
        return wait;
    oauth_cancel(wait);
    return NULL;
}

void oauth_cancel(struct oauth_wait *wait)
{
    pthread_mutex_lock(&wait->oauth->mutex);
    if (wait->account)
        TAILQ_REMOVE(&wait->account->waits, wait, others);
    wait->account = NULL;
    pthread_mutex_unlock(&wait->oauth->mutex);
    uv_close((uv_handle_t *)&wait->async, on_closed);
}

void oauth_forget(struct oauth *o, const char *mailbox)
{
    struct account *a = &o->accounts[oauth_file_find(&o->file, mailbox)];
    pthread_mutex_lock(&o->mutex);
    if (fetch_now_ms() >= a->got_ms + YOUNG_MS)
        a->fresh_until_ms = 0;
    pthread_mutex_unlock(&o->mutex);
}

/* --- the whole --- */

/* What an earlier file's account has, if it asks for the same. */
static void take_over(struct account *a, const struct oauth_file *file, struct oauth *old)
{
    const char *mailbox = file->accounts[a->number].mailbox;
    size_t number = mailbox ? oauth_file_find(&old->file, mailbox) : 0;
    const struct account *before = &old->accounts[number];
    if (!oauth_file_same(file, a->number, &old->file, number))
        return;
    pthread_mutex_lock(&old->mutex);
    a->refresh_token = before->refresh_token ? strdup(before->refresh_token) : NULL;
    a->token = before->token ? strdup(before->token) : NULL;
    if (a->token) {
        a->got_ms = before->got_ms;
        a->fresh_until_ms = before->fresh_until_ms;
        a->good_until_ms = before->good_until_ms;
    }
    pthread_mutex_unlock(&old->mutex);
}

static void init_account(struct account *a, size_t number, const struct oauth_file *file)
{
    a->number = number;
    TAILQ_INIT(&a->waits);
    if (file->flow == OAUTH_CLIENT_CREDENTIALS || file->accounts[number].refresh_token)
        return;
    keep_failure(a, "the oauth file has no refresh token for this mailbox; add a [mailbox NAME] for it", 0);
    a->failed_until_ms = UINT64_MAX;
}

struct oauth *oauth_load(const char *path, struct oauth *old, char *error, size_t size)
{
    struct oauth_file file;
    if (!oauth_file_load(&file, path, error, size))
        return NULL;
    struct oauth *o = calloc(1, sizeof *o + file.account_count * sizeof *o->accounts);
    if (!o) {
        snprintf(error, size, "%s: out of memory", path);
        oauth_file_free(&file);
        return NULL;
    }
    atomic_init(&o->refs, 1);
    o->file = file;
    pthread_mutex_init(&o->mutex, NULL);
    TAILQ_INIT(&o->wanted);
    for (size_t i = 0; i < file.account_count; i++) {
        init_account(&o->accounts[i], i, &file);
        if (old)
            take_over(&o->accounts[i], &file, old);
    }
    return o;
}

struct oauth *oauth_ref(struct oauth *o)
{
    unsigned before = atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    assert(before > 0);
    return o;
}

void oauth_unref(struct oauth *o)
{
    if (!o)
        return;
    unsigned before = atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    for (size_t i = 0; i < o->file.account_count; i++) {
        assert(TAILQ_EMPTY(&o->accounts[i].waits));
        oauth_free_secret(o->accounts[i].token);
        oauth_free_secret(o->accounts[i].refresh_token);
    }
    pthread_mutex_destroy(&o->mutex);
    oauth_file_free(&o->file);
    free(o);
}
