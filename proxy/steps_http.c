/* Steps: what the HTTP front asks for, and the plain exchanges that it carries out. */
#include "steps.h"

#include "../lib/front_http.h"
#include "loop.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Shows the front what a side has sent. The writers are the session's outboxes, or of no room. */
static enum tf_feed feed(struct session *s, enum tf_side from, struct tf_writer *to_client,
                         struct tf_writer *to_server)
{
    struct setup *setup = s->setup;
    struct link *l = &s->side[from];
    struct tf_feed_io io = {
        .in = link_ahead(l), .eof = l->eof, .to_client = to_client, .to_server = to_server};
    enum tf_feed result = setup->front->feed(setup->front_state, from, &io, &setup->facts);
    link_consume(l, s->loop, io.used);
    return result;
}

/* request: the client says where it wants to go. */

/* A plain request goes over the connection of the one before it, if that leads to the same place. */
static void keep_or_drop_server(struct session *s)
{
    const struct tf_facts *facts = session_facts(s);
    struct link *server = &s->side[TF_SERVER];
    const struct tf_target *old = &s->setup->server_target;
    if (server->fd < 0)
        return;
    bool same = facts->ask == TF_ASK_HTTP && old->port == facts->target.port &&
                strcmp(old->host, facts->target.host) == 0;
    if (same && link_fill(server, s->loop, LOOP_BLOCK_SIZE) == LINK_AGAIN) {
        s->setup->facts.destination = s->setup->server_address;
        return;
    }
    link_close(server, s->loop, false);
}

static enum step_result run_request(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    struct tf_writer none = tf_writer_of(NULL, 0);
    session_renew(s);
    for (;;) {
        if (link_ahead(client).n > 0) {
            switch (feed(s, TF_CLIENT, &none, &none)) {
            case TF_FEED_MORE:
                assert(!client->eof);
                break;
            case TF_FEED_TARGET:
                session_facts(s)->has_target = true;
                keep_or_drop_server(s);
                if (session_facts(s)->ask == TF_ASK_TUNNEL)
                    return STEP_NEXT;
                s->route = &route_http;
                return STEP_ROUTE;
            case TF_FEED_BAD:
                return STEP_REFUSE;
            case TF_FEED_AGAIN:
            case TF_FEED_CLOSE:
                return end_for(s, TF_REASON_NONE);
            }
        }
        switch (link_fill(client, s->loop, s->conf->tf.limits.head_bytes)) {
        case LINK_OK:
            continue;
        case LINK_AGAIN:
            return STEP_WAIT;
        case LINK_FULL:
            return refuse_for(s, TF_REASON_REQUEST_TOO_LARGE);
        case LINK_NO_MEMORY:
            return refuse_for(s, TF_REASON_NO_RESOURCES);
        case LINK_EOF:
        case LINK_ERROR:
            if (link_ahead(client).n == 0)
                return end_for(s, TF_REASON_NONE);
            client->eof = true; /* the front says what is missing */
            continue;
        }
    }
}

static enum step_result late_request(struct session *s)
{
    if (link_ahead(&s->side[TF_CLIENT]).n == 0)
        return end_for(s, TF_REASON_CLIENT_SILENT);
    return refuse_for(s, TF_REASON_REQUEST_TIMEOUT);
}

const struct step step_request = {"request", run_request, offsetof(struct tf_limits, request_ms),
                                  late_request};

/* answer: the server is there; the front tells the client so (CONNECT), or begins with the server (plain). */

static bool outboxes_take(struct session *s)
{
    /* A reload may have lowered the bound since the first bytes of the head came. */
    size_t head = link_ahead(&s->side[TF_CLIENT]).n, head_max = s->conf->tf.limits.head_bytes;
    size_t cap = (head > head_max ? head : head_max) + LOOP_BLOCK_SIZE;
    for (enum tf_side side = TF_CLIENT; side <= TF_SERVER; side++) {
        struct outbox *box = &s->setup->out[side];
        if (box->p == NULL)
            box->p = malloc(cap);
        if (box->p == NULL)
            return false;
        box->at = box->end = 0;
        box->cap = cap;
    }
    return true;
}

/* A writer for the room that is left behind what waits to be sent. */
static struct tf_writer outbox_writer(struct outbox *box)
{
    if (box->at == box->end)
        box->at = box->end = 0;
    return tf_writer_of(box->p + box->end, box->cap - box->end);
}

static enum link_io outbox_flush(struct session *s, enum tf_side to)
{
    struct outbox *box = &s->setup->out[to];
    struct link *l = &s->side[to];
    if (box->at == box->end)
        return LINK_OK;
    if (!l->writable)
        return LINK_AGAIN;
    size_t sent;
    enum link_io r = link_send(l, box->p + box->at, box->end - box->at, &sent);
    box->at += sent;
    s->bytes[1 - to] += sent;
    return r;
}

/* A server that takes no more of the request may have answered already: its response still counts, and what
 * is left of the request is dropped. */
static void flush_to_server(struct session *s)
{
    struct outbox *box = &s->setup->out[TF_SERVER];
    struct link *server = &s->side[TF_SERVER];
    if (!server->shut && outbox_flush(s, TF_SERVER) == LINK_ERROR)
        server->shut = true;
    if (server->shut)
        box->at = box->end = 0;
}

static enum step_result answer_tunnel(struct session *s)
{
    char text[512];
    struct tf_writer to_client = tf_writer_of(text, sizeof text), none = tf_writer_of(NULL, 0);
    struct tf_feed_io io = {.to_client = &to_client, .to_server = &none};
    s->setup->front->answer(s->setup->front_state, &io, session_facts(s));
    /* A client that has only sent its request has room for these few bytes, or is not worth waiting for. */
    size_t sent;
    if (link_send(&s->side[TF_CLIENT], to_client.p, to_client.len, &sent) != LINK_OK)
        return end_for(s, TF_REASON_RESET);
    s->setup->tongue = &tf_front_tls;
    return STEP_NEXT;
}

static enum step_result run_answer(struct session *s)
{
    if (session_facts(s)->ask == TF_ASK_TUNNEL)
        return answer_tunnel(s);
    if (!outboxes_take(s))
        return end_for(s, TF_REASON_NO_RESOURCES);
    struct link *client = &s->side[TF_CLIENT];
    struct tf_writer to_client = outbox_writer(&s->setup->out[TF_CLIENT]);
    struct tf_writer to_server = outbox_writer(&s->setup->out[TF_SERVER]);
    struct tf_feed_io io = {
        .in = link_ahead(client), .eof = client->eof, .to_client = &to_client, .to_server = &to_server};
    s->setup->front->answer(s->setup->front_state, &io, session_facts(s));
    link_consume(client, s->loop, io.used);
    s->setup->out[TF_CLIENT].end += to_client.len;
    s->setup->out[TF_SERVER].end += to_server.len;
    counters_add(&s->loop->counters, COUNTER_HTTP_REQUESTS, 1);
    return STEP_NEXT;
}

const struct step step_answer = {.name = "answer", .run = run_answer};

/* exchange: one request and its response, both ways at once. A side's bytes are shown to the front only when
 * what it said before has been taken by the other side: a slow reader holds up the writer, not our memory. */

/* Rounds before other sessions have their turn. */
enum { ROUNDS = 32 };

enum turn {
    TURN_STUCK, /* until an edge */
    TURN_MOVED,
    TURN_OVER,  /* the front has said how: setup->over */
    TURN_BROKEN /* the connection is, or a head does not fit its bound: facts->reason */
};

static enum turn broken(struct session *s, enum tf_reason reason)
{
    session_facts(s)->reason = reason;
    return TURN_BROKEN;
}

static enum turn take_turn(struct session *s, enum tf_side from)
{
    struct setup *setup = s->setup;
    struct link *l = &s->side[from];
    struct outbox *out = setup->out;
    if (out[1 - from].at < out[1 - from].end)
        return TURN_STUCK;
    for (;;) {
        size_t before = link_ahead(l).n;
        if (before > 0 || l->eof) {
            struct tf_writer to_client = outbox_writer(&out[TF_CLIENT]);
            struct tf_writer to_server = outbox_writer(&out[TF_SERVER]);
            setup->over = feed(s, from, &to_client, &to_server);
            out[TF_CLIENT].end += to_client.len;
            out[TF_SERVER].end += to_server.len;
            if (setup->over != TF_FEED_MORE)
                return TURN_OVER;
            if (to_client.len + to_server.len > 0 || link_ahead(l).n < before)
                return TURN_MOVED;
            /* The next request, sent ahead, waits until this exchange is over. */
            if (l->eof || from == TF_CLIENT)
                return TURN_STUCK;
        }
        switch (link_fill(l, s->loop, s->conf->tf.limits.head_bytes)) {
        case LINK_OK:
        case LINK_EOF:
            continue;
        case LINK_AGAIN:
            return TURN_STUCK;
        case LINK_FULL:
            return broken(s, from == TF_CLIENT ? TF_REASON_REQUEST_TOO_LARGE : TF_REASON_UPSTREAM_MALFORMED);
        case LINK_NO_MEMORY:
            return broken(s, TF_REASON_NO_RESOURCES);
        case LINK_ERROR:
            if (from == TF_CLIENT)
                return broken(s, TF_REASON_RESET);
            l->eof = l->failed = true; /* the front knows whether the response was whole */
            continue;
        }
    }
}

/* The front has seen the end of the exchange, and the client has all of the response. */
static enum step_result finish(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *server = &s->side[TF_SERVER];
    switch (setup->over) {
    case TF_FEED_AGAIN:
        /* A server may answer before it has taken all of the request: then no other must follow. */
        if (!tf_http_server_reusable(setup->front_state) || server->shut ||
            setup->out[TF_SERVER].at < setup->out[TF_SERVER].end)
            link_close(server, s->loop, false);
        session_exchange_over(s);
        if (s->loop->draining) {
            session_linger(s);
            return end_for(s, TF_REASON_DRAINED);
        }
        s->route = &route_again;
        return STEP_ROUTE;
    case TF_FEED_CLOSE:
        if (session_facts(s)->reason == TF_REASON_NONE && !server->failed)
            s->must_reset = false;
        session_linger(s);
        return end_for(s, TF_REASON_NONE);
    case TF_FEED_MORE:
    case TF_FEED_TARGET:
    case TF_FEED_BAD:
        break;
    }
    return STEP_REFUSE;
}

static enum step_result run_exchange(struct session *s)
{
    struct setup *setup = s->setup;
    const struct link *client = &s->side[TF_CLIENT];
    for (int round = 0; round < ROUNDS; round++) {
        flush_to_server(s);
        enum link_io flushed = outbox_flush(s, TF_CLIENT);
        if (flushed == LINK_ERROR)
            return end_for(s, TF_REASON_RESET);
        if (setup->over != TF_FEED_MORE)
            return flushed == LINK_OK ? finish(s) : STEP_WAIT;
        bool was_half = client->eof;
        enum turn turn[2] = {TURN_STUCK, TURN_STUCK};
        for (enum tf_side from = TF_CLIENT; from <= TF_SERVER && setup->over == TF_FEED_MORE; from++) {
            turn[from] = take_turn(s, from);
            if (turn[from] == TURN_BROKEN)
                return session_facts(s)->reason == TF_REASON_RESET ? end_for(s, TF_REASON_RESET)
                                                                   : STEP_REFUSE;
        }
        /* A client that can only tell the end of the response by the end of the connection must never take an
         * early end for it. Others can tell, and keep what has come so far. */
        s->must_reset = tf_http_end_is_the_end(setup->front_state);
        bool is_stuck = turn[TF_CLIENT] == TURN_STUCK && turn[TF_SERVER] == TURN_STUCK;
        if ((!is_stuck || client->eof != was_half) &&
            !session_touch(s, client->eof ? offsetof(struct tf_limits, half_closed_ms) : step_exchange.limit))
            return end_for(s, TF_REASON_NO_RESOURCES);
        if (is_stuck)
            return STEP_WAIT;
    }
    return STEP_MORE;
}

static enum step_result late_exchange(struct session *s)
{
    return refuse_for(s, TF_REASON_UPSTREAM_TIMEOUT);
}

const struct step step_exchange = {"exchange", run_exchange, offsetof(struct tf_limits, idle_ms),
                                   late_exchange};
