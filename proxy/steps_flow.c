/* Steps: bytes flow untouched, or the client is told why not. */
#include "steps.h"

#include "loop.h"

#include <stddef.h>

/* What relay and carry have in common: both directions, until both are over. */
static enum step_result flow(struct session *s, const struct step *step)
{
    struct flow *up = &s->flow[TF_CLIENT], *down = &s->flow[TF_SERVER];
    uint64_t before = s->bytes[TF_CLIENT] + s->bytes[TF_SERVER];
    bool was_half = up->done || down->done;
    enum pump result[2];
    for (enum tf_side from = TF_CLIENT; from <= TF_SERVER; from++)
        result[from] =
            relay_pump(s->loop, &s->side[from], &s->side[1 - from], &s->flow[from], &s->bytes[from]);
    if (result[TF_CLIENT] == PUMP_ERROR || result[TF_SERVER] == PUMP_ERROR)
        return end_for(s, TF_REASON_RESET);
    if (up->done && down->done)
        return end_for(s, TF_REASON_NONE);
    bool is_half = up->done || down->done;
    bool moved = s->bytes[TF_CLIENT] + s->bytes[TF_SERVER] != before;
    /* One side may have finished before the flow began, so its first time is set here as well. */
    if ((moved || is_half != was_half || s->timed != step) &&
        !session_touch(s, is_half ? offsetof(struct tf_limits, half_closed_ms) : step->limit))
        return end_for(s, TF_REASON_NO_RESOURCES);
    return result[TF_CLIENT] == PUMP_MORE || result[TF_SERVER] == PUMP_MORE ? STEP_MORE : STEP_WAIT;
}

static enum step_result late_flow(struct session *s)
{
    return end_for(s, TF_REASON_IDLE);
}

/* relay: a tunnel's bytes, as they are. */

static void begin_relay(struct session *s)
{
    uint32_t passed = s->setup->server_passed;
    counters_add(&s->loop->counters, COUNTER_TUNNELS, 1);
    session_settle(s);
    link_consume(&s->side[TF_SERVER], s->loop, passed);
}

static enum step_result run_relay(struct session *s)
{
    if (s->setup != NULL)
        begin_relay(s);
    return flow(s, &step_relay);
}

const struct step step_relay = {"relay", run_relay, offsetof(struct tf_limits, idle_ms), late_flow};

/* carry: an upgraded session's plain text, from one TLS to the other. */

static enum step_result run_carry(struct session *s)
{
    if (s->setup != NULL)
        session_settle(s);
    return flow(s, &step_carry);
}

const struct step step_carry = {"carry", run_carry, offsetof(struct tf_limits, idle_ms), late_flow};

/* refuse: in the client's own tongue, and so that it arrives. */

static enum step_result run_refuse(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *client = &s->side[TF_CLIENT];
    struct tf_writer w = tf_writer_of((char *)s->loop->buffer, LOOP_BUFFER_SIZE);
    if (setup->tongue != NULL) /* within a handshake, only OpenSSL may speak; and has */
        setup->tongue->refuse(setup->front_state, &w, &setup->facts);
    size_t sent;
    /* What does not fit a socket buffer is a peer that reads nothing: it has lost its claim to the rest. */
    enum link_io r = client->fd >= 0 ? link_send_last(client, w.p, w.len, &sent) : LINK_ERROR;
    if (r == LINK_OK)
        session_linger(s);
    return end_for(s, setup->facts.reason);
}

const struct step step_refuse = {.name = "refuse", .run = run_refuse};
