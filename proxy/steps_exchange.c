/* Steps: one plain HTTP request and its response, both ways at once.
 *
 * A side's bytes are shown to the front only when what it said before has been
 * taken by the other side: a slow reader holds up the writer, not our memory. */
#include "steps.h"

#include "../lib/front_http.h"
#include "loop.h"
#include "tls_link.h"

#include <stddef.h>

/* Rounds before other sessions have their turn. */
enum { ROUNDS = 32 };

enum turn {
    TURN_STUCK,  /* until an edge */
    TURN_PAUSED, /* until the others have had their turn */
    TURN_MOVED,
    TURN_OVER,  /* the front has said how: setup->over */
    TURN_RETRY, /* a connection that was kept is gone, and nobody but us needs to know */
    TURN_BROKEN /* the connection is, or a head does not fit its bound: facts->reason */
};

static enum turn broken(struct session *s, enum tf_reason reason)
{
    session_facts(s)->reason = reason;
    return TURN_BROKEN;
}

/* Shows the front what a side has sent. TURN_STUCK: it wants more. */
static enum turn feed(struct session *s, enum tf_side from)
{
    struct setup *setup = s->setup;
    struct outbox *out = setup->out;
    size_t before = link_ahead(&s->side[from]).n;
    struct tf_writer to_client = outbox_writer(&out[TF_CLIENT]);
    struct tf_writer to_server = outbox_writer(&out[TF_SERVER]);
    setup->over = front_feed(s, from, &to_client, &to_server);
    outbox_add(&out[TF_CLIENT], to_client.len);
    outbox_add(&out[TF_SERVER], to_server.len);
    if (from == TF_SERVER || to_server.len > 0)
        setup->resend = 0;
    if (setup->over != TF_FEED_MORE)
        return TURN_OVER;
    bool moved = to_client.len + to_server.len > 0 || link_ahead(&s->side[from]).n < before;
    return moved ? TURN_MOVED : TURN_STUCK;
}

/* Reads more from a side. TURN_MOVED: there is more to show, if only the end. */
static enum turn fill(struct session *s, enum tf_side from)
{
    struct link *l = &s->side[from];
    switch (link_fill(l, s->loop, s->conf->tf.limits.head_bytes)) {
    case LINK_OK:
        return TURN_MOVED;
    case LINK_AGAIN:
        return l->readable ? TURN_PAUSED : TURN_STUCK;
    case LINK_FULL:
        return broken(s, from == TF_CLIENT ? TF_REASON_REQUEST_TOO_LARGE : TF_REASON_UPSTREAM_MALFORMED);
    case LINK_NO_MEMORY:
        return broken(s, TF_REASON_NO_RESOURCES);
    case LINK_EOF:
        l->failed |= tls_link_is_cut(l);
        break;
    case LINK_ERROR:
        if (from == TF_CLIENT)
            return broken(s, TF_REASON_RESET);
        l->eof = l->failed = true; /* the front knows whether the response was whole */
        break;
    }
    return from == TF_SERVER && s->setup->resend > 0 ? TURN_RETRY : TURN_MOVED;
}

static enum turn take_turn(struct session *s, enum tf_side from)
{
    const struct link *l = &s->side[from];
    enum turn turn;
    if (!outbox_is_empty(&s->setup->out[1 - from]))
        return TURN_STUCK;
    do {
        bool has_some = link_ahead(l).n > 0 || l->eof;
        turn = has_some ? feed(s, from) : TURN_STUCK;
        /* The client's next request, sent ahead, waits until this exchange is over. */
        if (turn != TURN_STUCK || l->eof || (has_some && from == TF_CLIENT))
            return turn;
        turn = fill(s, from);
    } while (turn == TURN_MOVED);
    return turn;
}

/* A server that takes no more of the request may have answered already: its response still counts, and what
 * is left of the request is dropped. */
static void flush_to_server(struct session *s)
{
    struct outbox *box = &s->setup->out[TF_SERVER];
    struct link *server = &s->side[TF_SERVER];
    if (!server->shut && outbox_flush(box, server, &s->bytes[TF_CLIENT]) == LINK_ERROR)
        server->shut = true;
    if (server->shut)
        box->at = box->end;
}

/* The head of the request is in the outbox still, and the client has heard nothing: a new connection, and
 * once more. */
static enum step_result retry(struct session *s)
{
    struct setup *setup = s->setup;
    link_close(&s->side[TF_SERVER], s->loop, false);
    setup->out[TF_SERVER].at = 0;
    setup->out[TF_SERVER].end = setup->resend;
    setup->resend = 0;
    s->bytes[TF_CLIENT] = 0;
    s->route = setup->facts.verdict == TF_VERDICT_UPGRADE ? &route_retry_secure : &route_retry;
    return STEP_ROUTE;
}

/* The client may ask again. */
static enum step_result finish_again(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *server = &s->side[TF_SERVER];
    /* A server may answer before it has taken all of the request: then no other must follow. */
    if (!tf_http_server_reusable(setup->front_state) || server->shut ||
        !outbox_is_empty(&setup->out[TF_SERVER]))
        link_close(server, s->loop, false);
    session_exchange_over(s);
    if (s->loop->draining) {
        session_linger(s);
        return end_for(s, TF_REASON_DRAINED);
    }
    s->route = &route_again;
    return STEP_ROUTE;
}

/* The front has seen the end of the exchange, and the client has all of the response. */
static enum step_result finish(struct session *s)
{
    switch (s->setup->over) {
    case TF_FEED_AGAIN:
        return finish_again(s);
    case TF_FEED_CLOSE:
        if (!tf_http_is_broken_off(s->setup->front_state) && !s->side[TF_SERVER].failed)
            s->must_reset = false;
        session_linger(s);
        return end_for(s, TF_REASON_NONE);
    case TF_FEED_SWITCH:
        s->route = &route_carry;
        return STEP_ROUTE;
    case TF_FEED_MORE:
    case TF_FEED_TARGET:
    case TF_FEED_BAD:
    case TF_FEED_LOGIN:
    case TF_FEED_TLS_SERVER:
    case TF_FEED_TLS_CLIENT:
        break;
    }
    return STEP_REFUSE;
}

/* Both sides have their turn. The worst that happened to either; TURN_STUCK: nothing did to any. */
static enum turn take_turns(struct session *s)
{
    enum turn worst = TURN_STUCK;
    for (enum tf_side from = TF_CLIENT; from <= TF_SERVER && worst <= TURN_MOVED; from++) {
        enum turn turn = take_turn(s, from);
        worst = turn > worst ? turn : worst;
    }
    return worst;
}

static enum step_result run_exchange(struct session *s)
{
    struct setup *setup = s->setup;
    const struct link *client = &s->side[TF_CLIENT];
    for (int round = 0; round < ROUNDS; round++) {
        flush_to_server(s);
        enum link_io flushed =
            outbox_flush(&setup->out[TF_CLIENT], &s->side[TF_CLIENT], &s->bytes[TF_SERVER]);
        if (flushed == LINK_ERROR)
            return end_for(s, TF_REASON_RESET);
        if (setup->over != TF_FEED_MORE)
            return flushed == LINK_OK ? finish(s) : STEP_WAIT;
        bool was_half = client->eof;
        enum turn turn = take_turns(s);
        if (turn == TURN_BROKEN)
            return session_facts(s)->reason == TF_REASON_RESET ? end_for(s, TF_REASON_RESET) : STEP_REFUSE;
        if (turn == TURN_RETRY)
            return retry(s);
        /* A client that can only tell the end of the response by the end of the connection must never take an
         * early end for it. Others can tell, and keep what has come so far. */
        s->must_reset = tf_http_end_is_the_end(setup->front_state);
        if ((turn >= TURN_MOVED || client->eof != was_half) &&
            !session_touch(s, client->eof ? offsetof(struct tf_limits, half_closed_ms) : step_exchange.limit))
            return end_for(s, TF_REASON_NO_RESOURCES);
        if (turn <= TURN_PAUSED)
            return turn == TURN_PAUSED ? STEP_MORE : STEP_WAIT;
    }
    return STEP_MORE;
}

static enum step_result late_exchange(struct session *s)
{
    return refuse_for(s, TF_REASON_UPSTREAM_TIMEOUT);
}

const struct step step_exchange = {"exchange", run_exchange, offsetof(struct tf_limits, idle_ms),
                                   late_exchange};
