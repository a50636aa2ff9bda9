/* Steps: what the HTTP front asks for, up to the request that a server gets. The exchange that follows is in
 * steps_exchange.c. */
#include "steps.h"

#include "../lib/front_http.h"
#include "loop.h"

#include <stddef.h>

struct tf_feed_io front_io(struct session *s, enum tf_side from, struct tf_writer *to_client,
                           struct tf_writer *to_server)
{
    const struct link *l = &s->side[from];
    bool is_within = session_is_within(s), is_forward = s->listener->kind == TF_KIND_FORWARD;
    bool is_to_parent = session_facts(s)->ask == TF_ASK_HTTP && session_facts(s)->by_parent;
    const struct tf_target *upstream = is_within    ? &s->setup->within
                                       : is_forward ? &s->listener->upstream
                                                    : NULL;
    return (struct tf_feed_io){.in = link_ahead(l),
                               .eof = l->eof,
                               .to_client = to_client,
                               .to_server = to_server,
                               .policy = &s->conf->tf.policy,
                               .tenants = &s->conf->tf.tenants,
                               .upstream = upstream,
                               .is_within = is_within,
                               .parent_login = is_to_parent ? s->loop->setting->parent_login : NULL,
                               .wants_login = s->listener->users[0] && !s->listener->bridge && !is_within,
                               .login = &s->setup->login.login};
}

enum tf_feed front_feed(struct session *s, enum tf_side from, struct tf_writer *to_client,
                        struct tf_writer *to_server)
{
    struct setup *setup = s->setup;
    struct tf_feed_io io = front_io(s, from, to_client, to_server);
    enum tf_feed result = setup->front->feed(setup->front_state, from, &io, &setup->facts);
    link_consume(&s->side[from], s->loop, io.used);
    return result;
}

/* request: the client says where it wants to go, and perhaps who it is. */

/* A client that has only begun has room for these few bytes, or is not worth waiting for. */
static bool send_short(struct session *s, const struct tf_writer *w)
{
    size_t sent;
    return w->len == 0 || link_send(&s->side[TF_CLIENT], w->p, w->len, &sent) == LINK_OK;
}

/* Shows the front what has come, and tells it what became of a login. STEP_NEXT: *feed is what it says. */
static enum step_result hear_request(struct session *s, enum tf_feed *feed)
{
    char text[512];
    struct tf_writer to_client = tf_writer_of(text, sizeof text), none = tf_writer_of(NULL, 0);
    bool is_login = session_is_login_pending(s);
    if (!is_login)
        *feed = front_feed(s, TF_CLIENT, &to_client, &none);
    is_login |= *feed == TF_FEED_LOGIN;
    enum step_result r = is_login ? session_login(s, &to_client, &none, feed) : STEP_NEXT;
    if (is_login && r == STEP_NEXT && *feed == TF_FEED_MORE) /* it has not looked at what is there since */
        *feed = front_feed(s, TF_CLIENT, &to_client, &none);
    return send_short(s, &to_client) ? r : end_for(s, TF_REASON_RESET);
}

/* STEP_MORE: the front wants more bytes. */
static enum step_result take_request(struct session *s)
{
    enum tf_feed feed = TF_FEED_MORE;
    enum step_result r = hear_request(s, &feed);
    if (r != STEP_NEXT)
        return r;
    switch (feed) {
    case TF_FEED_MORE:
        return STEP_MORE;
    case TF_FEED_TARGET:
        if (session_facts(s)->ask == TF_ASK_HTTP) {
            s->route = session_is_within(s) ? &route_within : &route_http;
            return STEP_ROUTE;
        }
        link_close(&s->side[TF_SERVER], s->loop, false);
        return STEP_NEXT;
    case TF_FEED_BAD:
        return STEP_REFUSE;
    case TF_FEED_AGAIN:
    case TF_FEED_CLOSE:
    case TF_FEED_SWITCH:
    case TF_FEED_LOGIN:
    case TF_FEED_TLS_SERVER:
    case TF_FEED_TLS_CLIENT:
        break;
    }
    return end_for(s, TF_REASON_NONE);
}

/* The client will say no more; the front says what is missing, if anything. */
static enum step_result end_request(struct session *s)
{
    s->side[TF_CLIENT].eof = true;
    enum step_result r = take_request(s);
    return r == STEP_MORE ? end_for(s, TF_REASON_NONE) : r;
}

enum step_result read_request(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    switch (link_fill(client, s->loop, s->conf->tf.limits.head_bytes)) {
    case LINK_OK:
        return STEP_NEXT;
    case LINK_AGAIN:
        return client->readable ? STEP_MORE : STEP_WAIT; /* tls_link_has_more */
    case LINK_FULL:
        return refuse_for(s, TF_REASON_REQUEST_TOO_LARGE);
    case LINK_NO_MEMORY:
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    case LINK_EOF:
    case LINK_ERROR:
        break;
    }
    return STEP_END;
}

static enum step_result run_request(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    if (session_is_login_pending(s) && client->failed)
        return end_for(s, TF_REASON_RESET);
    session_renew(s);
    for (;;) {
        if (link_ahead(client).n > 0 || session_is_login_pending(s)) {
            size_t before = link_ahead(client).n;
            s->setup->has_spoken = true;
            enum step_result r = take_request(s);
            if (r != STEP_MORE)
                return r;
            if (link_ahead(client).n > 0 && link_ahead(client).n < before)
                continue; /* there is more for the front */
        }
        enum step_result r = read_request(s);
        if (r != STEP_NEXT)
            return r == STEP_END ? end_request(s) : r;
    }
}

static enum step_result late_request(struct session *s)
{
    return s->setup->has_spoken ? refuse_for(s, TF_REASON_REQUEST_TIMEOUT)
                                : end_for(s, TF_REASON_CLIENT_SILENT);
}

const struct step step_request = {"request", run_request, offsetof(struct tf_limits, request_ms),
                                  late_request};

/* reuse: a plain request goes over a connection that an earlier one has left, if it leads to the same place
 * and the server has neither closed it nor said anything since. */

static enum step_result run_reuse(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *server = &s->side[TF_SERVER];
    const struct tf_target *target = &setup->facts.target;
    bool is_secure = setup->facts.verdict == TF_VERDICT_UPGRADE;
    if (server->fd >= 0 && !place_is(&setup->server, target, is_secure))
        spares_put(&setup->spares, s->loop, server, &setup->server);
    if (server->fd < 0)
        spares_take(setup->spares, target, is_secure, server, &setup->server, session_on_server, s);
    if (server->fd >= 0 && (link_fill(server, s->loop, LOOP_BLOCK_SIZE) != LINK_AGAIN || server->readable))
        link_close(server, s->loop, false);
    setup->is_reused = server->fd >= 0;
    if (setup->is_reused)
        setup->facts.destination = setup->server.address;
    return STEP_NEXT;
}

const struct step step_reuse = {.name = "reuse", .run = run_reuse};

/* answer: the server is there; the front tells the client so (CONNECT), or begins with the server (plain). */

static enum step_result answer_tunnel(struct session *s)
{
    char text[512];
    struct tf_writer to_client = tf_writer_of(text, sizeof text), none = tf_writer_of(NULL, 0);
    struct tf_feed_io io = {.to_client = &to_client, .to_server = &none};
    s->setup->front->answer(s->setup->front_state, &io, session_facts(s));
    if (!send_short(s, &to_client))
        return end_for(s, TF_REASON_RESET);
    s->setup->tongue = &tf_front_tls;
    return STEP_NEXT;
}

static bool open_outboxes(struct session *s)
{
    /* A reload may have lowered the bound since the first bytes of the head came. */
    size_t head = link_ahead(&s->side[TF_CLIENT]).n, head_max = s->conf->tf.limits.head_bytes;
    size_t cap = (head > head_max ? head : head_max) + TF_HTTP_HEAD_GROWTH;
    return outbox_open(&s->setup->out[TF_CLIENT], cap) && outbox_open(&s->setup->out[TF_SERVER], cap);
}

static enum step_result answer_http(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *client = &s->side[TF_CLIENT];
    if (!open_outboxes(s))
        return end_for(s, TF_REASON_NO_RESOURCES);
    struct tf_writer to_client = outbox_writer(&setup->out[TF_CLIENT]);
    struct tf_writer to_server = outbox_writer(&setup->out[TF_SERVER]);
    struct tf_feed_io io = front_io(s, TF_CLIENT, &to_client, &to_server);
    setup->front->answer(setup->front_state, &io, &setup->facts);
    link_consume(client, s->loop, io.used);
    outbox_add(&setup->out[TF_CLIENT], to_client.len);
    outbox_add(&setup->out[TF_SERVER], to_server.len);
    setup->resend = setup->is_reused && tf_http_is_repeatable(setup->front_state) ? to_server.len : 0;
    counters_add(&s->loop->counters, COUNTER_HTTP_REQUESTS, 1);
    return STEP_NEXT;
}

static enum step_result run_answer(struct session *s)
{
    return session_facts(s)->ask == TF_ASK_TUNNEL ? answer_tunnel(s) : answer_http(s);
}

const struct step step_answer = {.name = "answer", .run = run_answer};
