/* The loop and its messages; see loop.h. */
#include "loop.h"

#include "clock.h"
#include "listener.h"
#include "session.h"

#include <assert.h>
#include <stdlib.h>

/* What another thread asks of the loop. */
struct loop_message {
    enum { LOOP_CHANGE, LOOP_DRAIN, LOOP_PING } kind;
    const struct setting *setting; /* to change to */
    uint32_t drain_ms;
    bool is_shared; /* draining: the sockets are somebody else's too */
    void (*done)(void *arg);
    void *arg;
    struct loop_message *next;
};

static void on_deadline(struct deadline *d)
{
    session_on_deadline(d);
}

/* Sessions that had more to do. One that becomes ready meanwhile waits for the next round. */
static void on_idle(uv_idle_t *idle)
{
    struct loop *l = idle->data;
    struct session *s = l->ready;
    l->ready = NULL;
    while (s != NULL) {
        struct session *next = s->next_ready;
        s->is_ready = false;
        if (s->is_closed)
            loop_forget_session(l, s);
        else
            session_run(s);
        s = next;
    }
    if (l->ready == NULL)
        uv_idle_stop(idle);
}

void loop_make_ready(struct loop *l, struct session *s)
{
    if (s->is_ready)
        return;
    s->is_ready = true;
    s->next_ready = l->ready;
    l->ready = s;
    uv_idle_start(&l->idle, on_idle);
}

bool loop_has_room(const struct loop *l, size_t n)
{
    return l->gathered + n <= l->setting->conf->tf.limits.lookahead_bytes;
}

int64_t loop_wall_us(const struct loop *l)
{
    (void)l;
    return clock_wall_us();
}

/* The listeners of the new setting: sockets that it shares with the old one go on without a gap. The old
 * setting is still in force: the last sessions of a listener that goes belong to it. */
static bool set_listening(struct loop *l, const struct setting *setting)
{
    struct acceptor *old = l->acceptors;
    bool ok = true;
    l->acceptors = NULL;
    for (size_t i = 0; i < setting->listening_count; i++) {
        const struct listening *wanted = &setting->listening[i];
        struct acceptor **p = &old;
        while (*p != NULL && acceptor_fd(*p) != wanted->fd)
            p = acceptor_next(*p);
        struct acceptor *a = *p;
        if (a != NULL) {
            *p = *acceptor_next(a);
            acceptor_serve(a, wanted->listener);
        } else {
            a = acceptor_start(l, wanted);
            ok = ok && a != NULL;
        }
        if (a != NULL) {
            *acceptor_next(a) = l->acceptors;
            l->acceptors = a;
        }
    }
    while (old != NULL) {
        struct acceptor *next = *acceptor_next(old);
        acceptor_stop(old, false);
        old = next;
    }
    return ok;
}

static void stop_listening(struct loop *l, bool is_shared)
{
    while (l->acceptors != NULL) {
        struct acceptor *a = l->acceptors;
        l->acceptors = *acceptor_next(a);
        acceptor_stop(a, is_shared);
    }
}

/* What is summed up so far belongs to the setting that goes. */
static void set_rollups(struct loop *l, const struct setting *setting)
{
    const struct tf_conf *conf = &setting->conf->tf;
    rollups_flush(&l->rollups);
    l->rollups.sinks =
        (struct rollup_sinks){setting->block, conf->log.format == TF_LOG_W3C, setting->inventory};
    l->rollups.max = conf->limits.rollups;
    l->rollups.whole = conf->log.whole;
    l->rollups.every_ms = conf->log.rollup_ms;
}

static void change(struct loop *l, const struct setting *setting)
{
    const struct tf_conf *conf = &setting->conf->tf;
    char error[256];
    if (!set_listening(l, setting))
        fprintf(stderr, "tlsfloor: out of memory: a listener could not be started\n");
    l->setting = setting;
    set_rollups(l, setting);
    l->dialer.own_ports = setting->own_ports;
    l->pipes.max = conf->limits.pipes;
    l->minter.max = conf->limits.leaves;
    l->logins.max = conf->limits.logins;
    resumer_clear(&l->resumer);
    l->resumer.max = conf->limits.upstream_sessions;
    if (!dns_configure(l->dns, &conf->limits, conf->dns_servers, error, sizeof error))
        fprintf(stderr, "tlsfloor: the DNS settings stay as they were: %s\n", error);
}

/* Nothing can be said to it any more. What was said last, to drain once more, is done already; nor need it
 * answer a ping. */
static void turn_deaf(struct loop *l)
{
    uv_mutex_lock(&l->mutex);
    l->is_deaf = true;
    uv_mutex_unlock(&l->mutex);
    while (l->messages != NULL) {
        struct loop_message *m = l->messages;
        l->messages = m->next;
        free(m);
    }
}

/* All that keeps the thread running is closed, and uv_run returns. */
static void finish(struct loop *l)
{
    turn_deaf(l);
    stop_listening(l, false);
    lingers_close(&l->lingers, l);
    deadlines_close(&l->deadlines);
    minter_close(&l->minter);
    logins_close(&l->logins);
    rollups_close(&l->rollups);
    if (l->dns != NULL)
        dns_free(l->dns);
    if (l->watcher != NULL)
        watcher_free(l->watcher);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->drain_timer, NULL);
    uv_close((uv_handle_t *)&l->wake, NULL);
}

void loop_forget_session(struct loop *l, struct session *s)
{
    pool_put(&l->sessions, s);
    l->session_count--;
    loop_note_end(l);
}

static bool has_ended(const struct loop *l)
{
    return l->draining && l->session_count == 0 && l->lingers.count == 0;
}

void loop_note_end(struct loop *l)
{
    if (has_ended(l))
        uv_async_send(&l->wake);
}

static void on_drained(uv_timer_t *timer)
{
    struct loop *l = timer->data;
    while (l->all != NULL)
        session_abort(l->all, TF_REASON_DRAINED);
    lingers_drop(&l->lingers, l);
}

static void drain(struct loop *l, uint32_t drain_ms, bool is_shared)
{
    l->draining = true;
    stop_listening(l, is_shared);
    for (struct session *s = l->all, *next; s != NULL; s = next) {
        next = s->next;
        session_drain(s);
    }
    uv_timer_start(&l->drain_timer, on_drained, drain_ms, 0);
}

static void on_wake(uv_async_t *wake)
{
    struct loop *l = wake->data;
    uv_mutex_lock(&l->mutex);
    struct loop_message *m = l->messages;
    l->messages = NULL;
    uv_mutex_unlock(&l->mutex);
    while (m != NULL) {
        struct loop_message *next = m->next;
        if (m->kind == LOOP_CHANGE)
            change(l, m->setting);
        else if (m->kind == LOOP_DRAIN)
            drain(l, m->drain_ms, m->is_shared);
        if (m->done != NULL)
            m->done(m->arg);
        free(m);
        m = next;
    }
    if (has_ended(l) && !l->is_deaf)
        finish(l);
}

static bool send_message(struct loop *l, struct loop_message message)
{
    struct loop_message *m = malloc(sizeof *m);
    if (m == NULL)
        return false;
    *m = message;
    uv_mutex_lock(&l->mutex);
    if (l->is_deaf) {
        free(m); /* it is over */
    } else {
        struct loop_message **end = &l->messages;
        while (*end != NULL)
            end = &(*end)->next;
        *end = m;
        uv_async_send(&l->wake);
    }
    uv_mutex_unlock(&l->mutex);
    return true;
}

bool loop_change(struct loop *l, const struct setting *setting, void (*done)(void *arg), void *arg)
{
    return send_message(
        l, (struct loop_message){.kind = LOOP_CHANGE, .setting = setting, .done = done, .arg = arg});
}

bool loop_drain(struct loop *l, uint32_t drain_ms, bool is_shared)
{
    return send_message(
        l, (struct loop_message){.kind = LOOP_DRAIN, .drain_ms = drain_ms, .is_shared = is_shared});
}

bool loop_ping(struct loop *l, void (*done)(void *arg), void *arg)
{
    return send_message(l, (struct loop_message){.kind = LOOP_PING, .done = done, .arg = arg});
}

static void free_memory(struct loop *l)
{
    resumer_clear(&l->resumer);
    pipes_fini(&l->pipes);
    pool_fini(&l->blocks);
    pool_fini(&l->sessions);
    pool_fini(&l->setups);
    digests_fini(&l->digests);
    uv_mutex_destroy(&l->mutex);
    free(l->buffer);
    free(l);
}

/* What libuv is not needed for. */
static struct loop *take_memory(const struct setting *setting, struct loop_end end)
{
    struct loop *l = calloc(1, sizeof *l);
    uint8_t *buffer = malloc(LOOP_BUFFER_SIZE);
    if (l == NULL || buffer == NULL || !digests_init(&l->digests)) {
        free(buffer);
        free(l);
        return NULL;
    }
    l->buffer = buffer;
    l->end = end;
    l->setting = setting;
    pipes_init(&l->pipes, setting->conf->tf.limits.pipes);
    pool_init(&l->blocks, LOOP_BLOCK_SIZE);
    pool_init(&l->sessions, sizeof(struct session));
    pool_init(&l->setups, sizeof(struct setup));
    l->resumer.max = setting->conf->tf.limits.upstream_sessions;
    uv_mutex_init(&l->mutex);
    return l;
}

struct loop *loop_new(const struct setting *setting, struct loop_end end, char *error, size_t size)
{
    const struct tf_conf *conf = &setting->conf->tf;
    struct loop *l = take_memory(setting, end);
    snprintf(error, size, "out of memory or file descriptors");
    if (l == NULL)
        return NULL;
    if (uv_loop_init(&l->uv) != 0) {
        free_memory(l);
        return NULL;
    }
    uv_async_init(&l->uv, &l->wake, on_wake);
    uv_idle_init(&l->uv, &l->idle);
    uv_timer_init(&l->uv, &l->drain_timer);
    l->wake.data = l->idle.data = l->drain_timer.data = l;
    deadlines_init(&l->deadlines, &l->uv, on_deadline);
    lingers_init(&l->lingers, l);
    rollups_init(&l->rollups, &l->uv, &l->counters);
    set_rollups(l, setting);
    l->watcher = watcher_new(&l->uv);
    l->logins = (struct logins){.uv = &l->uv, .max = conf->limits.logins};
    if (l->watcher != NULL && minter_init(&l->minter, &l->uv, &l->counters, conf->limits.leaves) &&
        logins_init(&l->logins))
        l->dns = dns_new(&l->uv, &conf->limits, conf->dns_servers, error, size);
    l->dialer = (struct dialer){&l->uv, l->watcher, l->dns, &l->counters, setting->own_ports};
    if (l->dns != NULL && set_listening(l, setting))
        return l;
    finish(l);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    loop_free(l);
    return NULL;
}

static void thread_main(void *arg)
{
    struct loop *l = arg;
    pthread_setname_np(pthread_self(), "loop");
    uv_run(&l->uv, UV_RUN_DEFAULT);
    atomic_store(&l->over, true);
    l->end.cb(l->end.arg);
}

bool loop_start(struct loop *l)
{
    return uv_thread_create(&l->thread, thread_main, l) == 0;
}

bool loop_is_over(const struct loop *l)
{
    return atomic_load(&l->over);
}

void loop_join(struct loop *l)
{
    uv_thread_join(&l->thread);
    assert(l->session_count == 0);
}

void loop_free(struct loop *l)
{
    int busy = uv_loop_close(&l->uv);
    assert(busy == 0);
    (void)busy;
    free_memory(l);
}
