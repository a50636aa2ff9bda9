/* The runner, the lifetime, and the one way out; see session.h. */
#include "session.h"

#include "../lib/sasl.h"
#include "../lib/way.h"
#include "loop.h"
#include "session_log.h"
#include "steps.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SESSION_MAGIC = 0x7f5e5510 };

static enum counter counter_of(enum tf_kind kind)
{
    static const enum counter counters[] = {
        [TF_KIND_CONNECT] = COUNTER_SESSIONS_CONNECT,         [TF_KIND_SNI] = COUNTER_SESSIONS_SNI,
        [TF_KIND_FORWARD] = COUNTER_SESSIONS_FORWARD,         [TF_KIND_SOCKS5] = COUNTER_SESSIONS_SOCKS5,
        [TF_KIND_TRANSPARENT] = COUNTER_SESSIONS_TRANSPARENT,
    };
    return counters[kind];
}

static struct session *session_of(void *p)
{
    struct session *s = p;
    assert(s->magic == SESSION_MAGIC);
    return s;
}

struct tf_facts *session_facts(struct session *s)
{
    return &s->setup->facts;
}

static void take_route(struct session *s, const struct route *route)
{
    s->route = route;
    s->at = route->steps;
    s->timed = NULL;
}

/* What the setup takes from the settings. */
static void note_settings(struct session *s)
{
    struct setup *p = s->setup;
    p->client_scan.limit = s->conf->tf.limits.hello_bytes;
    p->server_scan.floor = s->conf->tf.policy.floor;
    p->facts.listener = s->listener->name;
}

/* A login may be in it. */
static void drop_front_state(struct setup *p)
{
    if (p->front_state == NULL)
        return;
    tf_wipe(p->front_state, p->front->state_size);
    free(p->front_state);
    p->front_state = NULL;
}

bool session_take_front(struct session *s, const struct tf_front *front)
{
    struct setup *p = s->setup;
    void *state = front->state_size > 0 ? calloc(1, front->state_size) : NULL;
    if (front->state_size > 0 && state == NULL)
        return false;
    drop_front_state(p);
    p->front_state = state;
    p->front = p->tongue = front;
    return true;
}

static bool take_setup(struct session *s, const struct tf_front *front)
{
    struct setup *p = pool_get(&s->loop->setups);
    if (p == NULL)
        return false;
    memset(p, 0, sizeof *p);
    s->setup = p;
    if (!session_take_front(s, front)) {
        pool_put(&s->loop->setups, p);
        s->setup = NULL;
        return false;
    }
    p->facts.started_us = s->started_us;
    tf_way_begin(s->listener, &p->facts);
    note_settings(s);
    return true;
}

/* The listener of the same name, kind and protocol that a setting serves; NULL: there is none. */
static const struct tf_listener *same_listener(const struct setting *setting, const struct tf_listener *old)
{
    for (size_t i = 0; i < setting->listening_count; i++) {
        const struct tf_listener *l = setting->listening[i].listener;
        if (l->kind == old->kind && l->protocol == old->protocol && strcmp(l->name, old->name) == 0)
            return l;
    }
    return NULL;
}

void session_renew(struct session *s)
{
    const struct setting *setting = s->loop->setting;
    struct conf *conf = setting->conf;
    bool is_old = conf != s->conf && !session_is_within(s);
    const struct tf_listener *listener = is_old ? same_listener(setting, s->listener) : NULL;
    if (listener == NULL)
        return;
    conf_unref(s->conf);
    s->conf = conf_ref(conf);
    s->listener = listener;
    note_settings(s);
    link_close(&s->side[TF_SERVER], s->loop, false); /* the address has to pass anew */
    spares_free(&s->setup->spares, s->loop);
}

const struct door *session_door(const struct session *s)
{
    const struct setting *setting = s->loop->setting;
    for (size_t i = 0; i < setting->door_count; i++) {
        const struct tf_listener *l = setting->doors[i].listener;
        if (l->kind == s->listener->kind && strcmp(l->name, s->listener->name) == 0)
            return &setting->doors[i];
    }
    return NULL;
}

const char *session_server_name(const struct session *s)
{
    bool is_said = s->listener->kind == TF_KIND_FORWARD && s->listener->server_name[0] != '\0';
    return is_said ? s->listener->server_name : tf_policy_host(&s->setup->facts);
}

static void drop_outboxes(struct setup *p)
{
    for (enum tf_side side = TF_CLIENT; side <= TF_SERVER; side++)
        outbox_free(&p->out[side]);
}

static void setup_free(struct session *s)
{
    struct setup *p = s->setup;
    if (p->dial != NULL)
        dial_cancel(p->dial);
    if (p->mint != NULL)
        mint_cancel(p->mint);
    session_drop_login(s);
    lookahead_drop(&p->hello, s->loop);
    s->loop->gathered -= p->scratch_size + p->server_scratch_size;
    drop_front_state(p);
    free(p->scratch);
    free(p->server_scratch);
    drop_outboxes(p);
    spares_free(&p->spares, s->loop);
    pool_put(&s->loop->setups, p);
    s->setup = NULL;
}

void session_settle(struct session *s)
{
    session_log(s);
    setup_free(s);
}

/* All requests within one TLS session are that session: its line in the access log ends with it. */
static void go_on_within(struct session *s)
{
    session_log(s);
    s->setup->is_told = true;
    session_facts(s)->reason = TF_REASON_NONE;
    session_facts(s)->detail = NULL;
}

/* Of who is asking, all is known still; of what for, nothing. */
static void begin_anew(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    session_log(s);
    session_log_end(s, facts->reason, facts->started_us);
    *facts = (struct tf_facts){.source = facts->source,
                               .via = facts->via,
                               .listener = facts->listener,
                               .is_fixed = facts->is_fixed,
                               .has_certificate = facts->has_certificate,
                               .started_us = loop_wall_us(s->loop)};
}

void session_exchange_over(struct session *s)
{
    if (session_is_within(s))
        go_on_within(s);
    else
        begin_anew(s);
    s->setup->over = TF_FEED_MORE;
    s->setup->has_spoken = false;
    drop_outboxes(s->setup); /* a client that only may ask again holds no buffer */
}

void session_linger(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    if (client->fd < 0 || client->eof || s->must_reset)
        return;
    link_shut(client);
    linger_add(&s->loop->lingers, s->loop, client->fd, client->watch, s->conf->tf.limits.linger_ms);
    client->fd = -1;
    client->watch = NULL;
}

/* The one exit. A session of which nothing is known yet (it sent nothing) leaves no line. */
static void session_end(struct session *s, enum tf_reason reason)
{
    struct loop *loop = s->loop;
    bool reset = s->must_reset || reason == TF_REASON_RESET;
    reason = session_note_end(s, reason);
    if (s->setup != NULL)
        session_settle(s);
    session_log_end(s, reason, s->started_us);
    counters_add(&loop->counters, COUNTER_SESSIONS_ACTIVE, -1);
    deadline_clear(&s->deadline);
    census_leave(loop->setting->census, s->by_source);
    census_leave(loop->setting->census, s->by_user);
    for (enum tf_side side = TF_CLIENT; side <= TF_SERVER; side++) {
        flow_fini(&s->flow[side], loop);
        link_close(&s->side[side], loop, reset);
    }
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        loop->all = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    conf_unref(s->conf);
    s->is_closed = true;
    if (!s->is_ready)
        loop_forget_session(loop, s);
}

static void on_client(void *arg, unsigned ready)
{
    struct session *s = session_of(arg);
    link_note(&s->side[TF_CLIENT], ready);
    session_run(s);
}

void session_on_server(void *arg, unsigned ready)
{
    struct session *s = session_of(arg);
    link_note(&s->side[TF_SERVER], ready);
    session_run(s);
}

/* The step is not over yet. From the first time on the client is watched (one that is refused at once never
 * is), and the step has a deadline. */
static bool stay(struct session *s)
{
    const struct step *step = *s->at;
    assert(step->late != NULL);
    return link_watch(&s->side[TF_CLIENT], s->loop, on_client, s) &&
           (s->timed == step || session_touch(s, step->limit));
}

bool session_touch(struct session *s, size_t limit)
{
    uint32_t length_ms;
    memcpy(&length_ms, (const char *)&s->conf->tf.limits + limit, sizeof length_ms);
    s->timed = *s->at;
    return deadline_set(&s->loop->deadlines, &s->deadline, length_ms);
}

/* A network that fails is no verdict of ours, though the client hears of it in the same way; and mail that
 * was upgraded until then stays so, as does TLS. */
static void note_refusal(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    assert(facts->reason != TF_REASON_NONE);
    if (s->setup->page_for != TF_REASON_NONE) {
        session_give_up_page(s);
        return;
    }
    bool ours = tf_reason_info(facts->reason)->event != TF_EVENT_NONE;
    bool has_gone_on = facts->mail != TF_MAIL_NONE || facts->inside.version != 0;
    if (!ours && has_gone_on && tf_record_is_upgraded(facts))
        return;
    facts->verdict = ours ? TF_VERDICT_BLOCK : TF_VERDICT_NONE;
    facts->step = (*s->at)->name;
}

static const struct route *route_of_verdict(const struct session *s)
{
    enum tf_verdict verdict = s->setup->facts.verdict;
    assert(verdict != TF_VERDICT_NONE && verdict != TF_VERDICT_BLOCK);
    if (verdict != TF_VERDICT_UPGRADE)
        return &route_tunnel;
    return session_restricts_tenants(s) ? &route_upgrade_http : &route_upgrade;
}

/* False: the session waits, or is over. */
static bool go_on(struct session *s, enum step_result result)
{
    switch (result) {
    case STEP_NEXT:
        s->at++;
        if (*s->at == NULL)
            take_route(s, route_of_verdict(s));
        return true;
    case STEP_ROUTE:
        take_route(s, s->route);
        return true;
    case STEP_REFUSE:
        note_refusal(s);
        take_route(s, &route_block);
        return true;
    case STEP_WAIT:
    case STEP_MORE:
        if (!stay(s))
            session_end(s, TF_REASON_NO_RESOURCES);
        else if (result == STEP_MORE)
            loop_make_ready(s->loop, s);
        return false;
    case STEP_END:
        session_end(s, s->end);
        return false;
    }
    return false;
}

void session_run(struct session *s)
{
    if (s->is_closed)
        return;
    while (go_on(s, (*s->at)->run(s)))
        continue;
}

void session_on_deadline(struct deadline *d)
{
    struct session *s = session_of((char *)d - offsetof(struct session, deadline));
    if (go_on(s, (*s->at)->late(s)))
        session_run(s);
}

void session_abort(struct session *s, enum tf_reason reason)
{
    session_end(s, reason);
}

/* Whether a request has come in that we have not looked at: to close then would be a reset. */
static bool has_unread(const struct session *s)
{
    int n = 0;
    return ioctl(s->side[TF_CLIENT].fd, FIONREAD, &n) == 0 && n > 0;
}

void session_drain(struct session *s)
{
    if (*s->at == &step_request && !s->setup->has_spoken && !has_unread(s))
        session_end(s, TF_REASON_DRAINED);
}

void session_start(struct loop *loop, const struct tf_listener *listener, int fd,
                   const struct tf_addr *source)
{
    struct session *s = pool_get(&loop->sessions);
    if (s == NULL) {
        close(fd);
        counters_add(&loop->counters, COUNTER_ACCEPT_SHED, 1);
        return;
    }
    *s = (struct session){.magic = SESSION_MAGIC,
                          .loop = loop,
                          .conf = conf_ref(loop->setting->conf),
                          .listener = listener,
                          .next = loop->all,
                          .started_us = loop_wall_us(loop)};
    link_init(&s->side[TF_CLIENT], fd);
    link_init(&s->side[TF_SERVER], -1);
    /* The socket is mostly handed over with its first bytes (listener_defer), and can take ours. */
    s->side[TF_CLIENT].readable = s->side[TF_CLIENT].writable = true;
    if (loop->all != NULL)
        loop->all->prev = s;
    loop->all = s;
    loop->session_count++;
    counters_add(&loop->counters, COUNTER_SESSIONS_ACTIVE, 1);
    counters_add(&loop->counters, counter_of(listener->kind), 1);
    const struct way_in *way = way_in_of(listener);
    take_route(s, way->route);
    if (!take_setup(s, way->front)) {
        session_end(s, TF_REASON_NO_RESOURCES);
        return;
    }
    session_facts(s)->source = *source;
    session_run(s);
}
