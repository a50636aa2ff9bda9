/* Steps: may this client go there, what is the verdict, and the way to the server. */
#include "steps.h"

#include "../lib/parent.h"
#include "loop.h"

#include <stddef.h>
#include <string.h>

/* access: may it go there, as far as that can be said before names are looked up. */

static enum step_result run_access(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (!facts->has_target) {
        /* Monitoring lets what is not TLS pass, but without a name there is nowhere to go. */
        return refuse_for(s, facts->reason != TF_REASON_NONE ? facts->reason : TF_REASON_SNI_MISSING);
    }
    facts->by_parent = tf_parent_takes(&s->conf->tf, &facts->target);
    enum tf_reason why = tf_access_port(&s->conf->tf.access, facts->target.port);
    return why == TF_REASON_NONE ? STEP_NEXT : refuse_for(s, why);
}

const struct step step_access = {.name = "access", .run = run_access};

/* decide: the verdict, as soon as the facts allow it. */

static enum step_result run_decide(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (facts->verdict != TF_VERDICT_NONE)
        return STEP_NEXT;
    facts->by_parent = tf_parent_takes(&s->conf->tf, &facts->target);
    int32_t today = tf_day_of(facts->started_us / 1000000);
    if (tf_policy_decide(&s->conf->tf.policy, facts, today) == TF_NEEDS_ADDRESS)
        return STEP_NEXT;
    if (facts->verdict == TF_VERDICT_BLOCK)
        return session_begin_page(s) ? STEP_ROUTE : STEP_REFUSE;
    if (facts->verdict != TF_VERDICT_UPGRADE || facts->ask != TF_ASK_HTTP)
        return STEP_NEXT;
    s->route = &route_secure;
    return STEP_ROUTE;
}

const struct step step_decide = {.name = "decide", .run = run_decide};

/* dial: a connection to the server, or to the parent proxy in front of it, unless there is one already. */

/* Of a server behind the parent proxy, no address is known but one that the client itself has named. */
static const struct tf_addr *address_of(const struct tf_facts *facts, const struct tf_addr *dialled)
{
    return facts->by_parent ? &facts->target.addr : dialled;
}

static void note_failure(struct tf_facts *facts, enum tf_reason reason)
{
    facts->reason = reason;
    if (facts->by_parent)
        facts->detail = "this is about the parent proxy, [upstream] proxy";
}

static void on_dialled(void *arg, const struct dial_result *result)
{
    struct session *s = arg;
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    setup->dial = NULL;
    facts->destination = *address_of(facts, &result->destination);
    if (result->reason == TF_REASON_NONE) {
        struct link *server = &s->side[TF_SERVER];
        link_init(server, result->fd);
        server->own_port = result->own_port;
        server->watch = result->watch;
        watch_hand_over(server->watch, session_on_server, s);
        link_note(server, result->ready);
        setup->server = (struct place){.target = facts->target, .address = facts->destination};
    } else {
        note_failure(facts, result->reason);
        setup->dial_failed = true;
    }
    session_run(s);
}

static enum step_result dial_server(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    enum tf_reason why = TF_REASON_NONE;
    s->setup->dial =
        dial_start(&s->loop->dialer, &s->conf->tf, &facts->target, on_dialled, s, &why, &facts->destination);
    return s->setup->dial != NULL ? STEP_WAIT : refuse_for(s, why);
}

/* The parent would go anywhere for us: an address that it is to be asked for has to pass here, and so has its
 * own loopback (RFC 6761 6.3). */
static enum tf_reason may_ask_parent(const struct session *s)
{
    static const struct tf_addr loopback = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
    const struct tf_target *target = &s->setup->facts.target;
    bool is_localhost = tf_host_matches("localhost", target->host, strlen(target->host)) ||
                        tf_host_matches("*.localhost", target->host, strlen(target->host));
    if (!target->is_address && !is_localhost)
        return TF_REASON_NONE;
    return tf_access_address(&s->conf->tf.access, is_localhost ? &loopback : &target->addr);
}

static enum step_result dial_parent(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    enum tf_reason why = may_ask_parent(s);
    if (why != TF_REASON_NONE)
        return refuse_for(s, why);
    s->setup->dial = dial_parent_start(&s->loop->dialer, &s->conf->tf, on_dialled, s, &why, NULL);
    if (s->setup->dial != NULL)
        return STEP_WAIT;
    note_failure(facts, why);
    return STEP_REFUSE;
}

static enum step_result run_dial(struct session *s)
{
    struct setup *setup = s->setup;
    if (setup->dial != NULL) /* a client that is gone needs no server */
        return s->side[TF_CLIENT].failed ? end_for(s, TF_REASON_RESET) : STEP_WAIT;
    if (s->side[TF_SERVER].fd >= 0)
        return STEP_NEXT;
    if (setup->dial_failed)
        return STEP_REFUSE;
    return setup->facts.by_parent ? dial_parent(s) : dial_server(s);
}

static enum step_result late_dial(struct session *s)
{
    note_failure(session_facts(s), TF_REASON_DIAL_TIMEOUT);
    return STEP_REFUSE;
}

const struct step step_dial = {"dial", run_dial, offsetof(struct tf_limits, dial_ms), late_dial};
