/* Step: a mail session's plain text, shown to its front line by line, in both
 * directions, until there is nothing more to look at.
 *
 * A side's bytes are shown only when all that the front has said is sent: a
 * slow reader holds up the other side, not our memory. When a side turns to
 * TLS, nothing that it sent in plain text may be left: it would be taken for
 * something that was said inside TLS (CVE-2011-0411 and its kin). */
#include "steps.h"

#include "loop.h"
#include "tls_link.h"

#include <assert.h>
#include <stddef.h>

enum {
    ROUNDS = 32,            /* before other sessions have their turn */
    OUTBOX_ROOM = 16 * 1024 /* beyond a line */
};

/* One call of the front. */
typedef enum tf_feed front_call(struct session *s, enum tf_side side, struct tf_writer *to_client,
                                struct tf_writer *to_server);

static enum tf_feed call_begin(struct session *s, enum tf_side side, struct tf_writer *to_client,
                               struct tf_writer *to_server)
{
    struct setup *setup = s->setup;
    struct tf_feed_io io = {.to_client = to_client, .to_server = to_server, .login = &setup->login.login};
    (void)side;
    return setup->front->begin(setup->front_state, &setup->plan, &io, &setup->facts);
}

static enum tf_feed call_secured(struct session *s, enum tf_side side, struct tf_writer *to_client,
                                 struct tf_writer *to_server)
{
    struct setup *setup = s->setup;
    struct tf_feed_io io = {.to_client = to_client, .to_server = to_server, .login = &setup->login.login};
    return setup->front->secured(setup->front_state, side, &io, &setup->facts);
}

/* Whether a side has said something that nobody has read. Looks into the socket as well, whose edge may be
 * still to come. */
static bool has_unread(struct session *s, enum tf_side side)
{
    struct link *l = &s->side[side];
    l->readable = true;
    return link_ahead(l).n > 0 || link_fill(l, s->loop, LOOP_BLOCK_SIZE) == LINK_OK;
}

/* Until the client has been told that it may begin with TLS, all that it says is plain text. So this is
 * looked at before it is told: afterwards, what a quick client has sent is its hello. */
static bool is_client_early(struct session *s)
{
    return s->setup->over == TF_FEED_TLS_CLIENT && !session_facts(s)->has_hello && has_unread(s, TF_CLIENT);
}

/* What it writes goes into the outboxes, what it wants into setup->over. */
static void call_front(struct session *s, front_call *call, enum tf_side side)
{
    struct outbox *out = s->setup->out;
    struct tf_writer to_client = outbox_writer(&out[TF_CLIENT]);
    struct tf_writer to_server = outbox_writer(&out[TF_SERVER]);
    s->setup->over = call(s, side, &to_client, &to_server);
    session_forget_token(s);
    outbox_add(&out[TF_CLIENT], to_client.len);
    outbox_add(&out[TF_SERVER], to_server.len);
    if (is_client_early(s)) {
        session_facts(s)->reason = TF_REASON_COMMAND_INJECTION;
        s->setup->over = TF_FEED_BAD;
    }
}

static bool open_outboxes(struct session *s)
{
    size_t cap = s->setup->plan.line_max + OUTBOX_ROOM;
    for (enum tf_side side = TF_CLIENT; side <= TF_SERVER; side++)
        if (s->setup->out[side].p == NULL && !outbox_open(&s->setup->out[side], cap))
            return false;
    return true;
}

/* The dialogue begins, or goes on after one side's TLS. */
static bool resume(struct session *s)
{
    struct setup *setup = s->setup;
    enum mail_point point = setup->mail;
    if (point == MAIL_TALK)
        return true;
    if (!open_outboxes(s))
        return false;
    setup->mail = MAIL_TALK;
    if (point == MAIL_CLIENT_TLS) {
        setup->is_client_mute = false;
        setup->tongue = setup->front;
    }
    call_front(s, point == MAIL_BEGIN ? call_begin : call_secured,
               point == MAIL_CLIENT_TLS ? TF_CLIENT : TF_SERVER);
    return true;
}

static enum step_result begin_server_tls(struct session *s)
{
    struct setup *setup = s->setup;
    if (!setup->plan.is_server_tls && has_unread(s, TF_SERVER))
        return refuse_for(s, TF_REASON_RESPONSE_INJECTION);
    setup->mail = MAIL_SERVER_TLS;
    /* With REPEAT the server waits for the client's own hello, not for ours. */
    s->route = setup->plan.way == TF_MAIL_REPEAT ? &route_tunnel : &route_mail_secure;
    return STEP_ROUTE;
}

/* The verdict so far was about plain text; the hello may lead to another one. */
static enum step_result begin_client_tls(struct session *s)
{
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    setup->mail = MAIL_CLIENT_TLS;
    if (facts->has_hello) { /* client_tls = implicit */
        s->route = &route_mail_upgrade;
        return STEP_ROUTE;
    }
    setup->tongue = &tf_front_tls;
    facts->ask = TF_ASK_TUNNEL;
    facts->verdict = TF_VERDICT_NONE;
    s->route = &route_mail_hello;
    return STEP_ROUTE;
}

/* A client that goes on in plain text, which nobody upgrades: it is refused, unless it is only watched. */
static enum step_result judge_cleartext(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    facts->ask = TF_ASK_MAIL;
    facts->reason = TF_REASON_NONE;
    enum tf_decided decided =
        tf_policy_decide(&s->conf->tf.policy, facts, tf_day_of(facts->started_us / 1000000));
    assert(decided == TF_DECIDED); /* the address is known by now, or never will be */
    if (facts->verdict != TF_VERDICT_MONITOR)
        return STEP_REFUSE;
    s->route = &route_pass;
    return STEP_ROUTE;
}

/* The front gives up. While it only follows, both sides' own words have passed so far, and what it has not
 * understood is not consumed: who is only watched goes on. */
static enum step_result give_up(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (facts->reason == TF_REASON_MAIL_CLEARTEXT)
        return judge_cleartext(s);
    bool can_pass = s->setup->plan.way == TF_MAIL_FOLLOW && facts->reason != TF_REASON_UPSTREAM_CLOSED;
    if (!can_pass || !tf_policy_server_wrong(&s->conf->tf.policy, facts, facts->reason, facts->detail))
        return STEP_REFUSE;
    s->route = &route_pass;
    return STEP_ROUTE;
}

/* What the front wants; all that it said has been sent. */
static enum step_result act(struct session *s)
{
    struct setup *setup = s->setup;
    enum tf_feed want = setup->over;
    setup->over = TF_FEED_MORE;
    switch (want) {
    case TF_FEED_CLOSE:
        session_linger(s);
        return end_for(s, TF_REASON_NONE);
    case TF_FEED_SWITCH:
        s->route = &route_carry;
        return STEP_ROUTE;
    case TF_FEED_TLS_SERVER:
        return begin_server_tls(s);
    case TF_FEED_TLS_CLIENT:
        return begin_client_tls(s);
    case TF_FEED_BAD:
        return give_up(s);
    case TF_FEED_LOGIN:
    case TF_FEED_MORE:
    case TF_FEED_TARGET:
    case TF_FEED_AGAIN:
        break;
    }
    return STEP_REFUSE;
}

/* Whether the client has left, and with nothing said that the front has not heard. */
static bool has_left(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    enum link_io r;
    do
        r = link_fill(client, s->loop, s->conf->tf.limits.line_bytes + LOOP_BLOCK_SIZE);
    while (r == LINK_OK);
    return (r == LINK_EOF || r == LINK_ERROR) && link_ahead(client).n == 0;
}

/* A login is being checked. STEP_NEXT: it is over, and the front knows. */
static enum step_result check_login(struct session *s)
{
    struct outbox *out = s->setup->out;
    struct tf_writer to_client = outbox_writer(&out[TF_CLIENT]);
    struct tf_writer to_server = outbox_writer(&out[TF_SERVER]);
    if (s->side[TF_CLIENT].failed)
        return end_for(s, TF_REASON_RESET);
    enum step_result r = session_login(s, &to_client, &to_server, &s->setup->over);
    outbox_add(&out[TF_CLIENT], to_client.len);
    outbox_add(&out[TF_SERVER], to_server.len);
    /* A token would be for nobody. A password is checked all the same: who guesses is to be on record. */
    if (r == STEP_WAIT && s->setup->login.state == LOGIN_FETCHING && has_left(s))
        return end_for(s, TF_REASON_NONE);
    return r;
}

enum turn { TURN_STUCK, TURN_PAUSED, TURN_MOVED, TURN_BROKEN };

/* Shows the front what a side has sent, or else reads more of it. */
static enum turn take_turn(struct session *s, enum tf_side from)
{
    struct setup *setup = s->setup;
    struct link *l = &s->side[from];
    size_t before = link_ahead(l).n;
    if (from == TF_CLIENT && setup->is_client_mute)
        return TURN_STUCK;
    if (before > 0 || l->eof) {
        call_front(s, front_feed, from);
        bool spoke = !outbox_is_empty(&setup->out[TF_CLIENT]) || !outbox_is_empty(&setup->out[TF_SERVER]);
        if (setup->over != TF_FEED_MORE || spoke || link_ahead(l).n < before)
            return TURN_MOVED;
    }
    if (l->eof)
        return TURN_STUCK; /* what is left waits for the other side's answer */
    switch (link_fill(l, s->loop, s->conf->tf.limits.line_bytes + LOOP_BLOCK_SIZE)) {
    case LINK_OK:
        return TURN_MOVED;
    case LINK_AGAIN:
        return l->readable ? TURN_PAUSED : TURN_STUCK;
    case LINK_FULL: /* likewise */
        return TURN_STUCK;
    case LINK_NO_MEMORY:
        session_facts(s)->reason = TF_REASON_NO_RESOURCES;
        return TURN_BROKEN;
    case LINK_EOF:
    case LINK_ERROR:
        break;
    }
    l->eof = true; /* the front knows what that means here */
    return TURN_MOVED;
}

/* The server goes first: what it says may be what the client waits for. */
static enum turn take_turns(struct session *s)
{
    enum turn server = take_turn(s, TF_SERVER);
    if (server >= TURN_MOVED)
        return server;
    enum turn client = take_turn(s, TF_CLIENT);
    return client > server ? client : server;
}

/* Sends what the front has said. A server that takes no more may have said why. */
static enum link_io flush(struct session *s)
{
    struct outbox *out = s->setup->out;
    struct link *server = &s->side[TF_SERVER];
    enum link_io to_server = outbox_flush(&out[TF_SERVER], server, &s->bytes[TF_CLIENT]);
    if (to_server == LINK_ERROR)
        out[TF_SERVER].at = out[TF_SERVER].end;
    enum link_io to_client = outbox_flush(&out[TF_CLIENT], &s->side[TF_CLIENT], &s->bytes[TF_SERVER]);
    return to_client == LINK_OK && to_server == LINK_AGAIN ? LINK_AGAIN : to_client;
}

/* Bytes that were sent are progress, and nothing else is: who sends a byte of a line now and then must not
 * hold a session for ever. False: out of memory. */
static bool touch_if_sent(struct session *s, uint64_t before)
{
    return s->bytes[TF_CLIENT] + s->bytes[TF_SERVER] == before || session_touch(s, step_dialogue.limit);
}

static enum step_result run_dialogue(struct session *s)
{
    struct setup *setup = s->setup;
    if (!resume(s))
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    if (setup->is_client_mute && s->side[TF_CLIENT].failed)
        return end_for(s, TF_REASON_RESET);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = s->bytes[TF_CLIENT] + s->bytes[TF_SERVER];
        enum link_io flushed = flush(s);
        if (flushed == LINK_ERROR)
            return end_for(s, TF_REASON_RESET);
        if (!touch_if_sent(s, before))
            return end_for(s, TF_REASON_NO_RESOURCES);
        if (flushed == LINK_AGAIN)
            return STEP_WAIT;
        if (setup->over == TF_FEED_LOGIN || session_is_login_pending(s)) {
            enum step_result r = check_login(s);
            if (r != STEP_NEXT)
                return r;
            continue;
        }
        if (setup->over != TF_FEED_MORE)
            return act(s);
        enum turn turn = take_turns(s);
        if (turn == TURN_BROKEN)
            return STEP_REFUSE;
        if (turn <= TURN_PAUSED)
            return turn == TURN_PAUSED ? STEP_MORE : STEP_WAIT;
    }
    return STEP_MORE;
}

/* In the middle of a line that the client does not take, a refusal would be a part of it. */
static enum step_result late_dialogue(struct session *s)
{
    return outbox_is_empty(&s->setup->out[TF_CLIENT]) ? refuse_for(s, TF_REASON_IDLE)
                                                      : end_for(s, TF_REASON_IDLE);
}

const struct step step_dialogue = {"dialogue", run_dialogue, offsetof(struct tf_limits, mail_ms),
                                   late_dialogue};
