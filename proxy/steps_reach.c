/* Steps: may this client go there, what is the verdict, and the way to the server. */
#include "steps.h"

#include "loop.h"

#include <stddef.h>

/* access: may it go there, as far as that can be said before names are looked up. */

static enum step_result run_access(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (!facts->has_target) {
        /* Monitoring lets what is not TLS pass, but without a name there is nowhere to go. */
        return refuse_for(s, facts->reason != TF_REASON_NONE ? facts->reason : TF_REASON_SNI_MISSING);
    }
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
    int32_t today = (int32_t)(facts->started_us / 1000000 / 86400);
    if (tf_policy_decide(&s->conf->tf.policy, facts, today) == TF_NEEDS_ADDRESS)
        return STEP_NEXT;
    if (facts->verdict == TF_VERDICT_BLOCK)
        return STEP_REFUSE;
    if (facts->verdict != TF_VERDICT_UPGRADE || facts->ask != TF_ASK_HTTP)
        return STEP_NEXT;
    s->route = &route_secure;
    return STEP_ROUTE;
}

const struct step step_decide = {.name = "decide", .run = run_decide};

/* dial: a connection to the server, unless there is one already. */

static void on_dialled(void *arg, const struct dial_result *result)
{
    struct session *s = arg;
    struct setup *setup = s->setup;
    setup->dial = NULL;
    setup->facts.destination = result->destination;
    if (result->reason == TF_REASON_NONE) {
        struct link *server = &s->side[TF_SERVER];
        link_init(server, result->fd);
        server->watch = result->watch;
        watch_hand_over(server->watch, session_on_server, s);
        /* An edge that the dial saw is not told again. */
        server->readable = server->writable = true;
        setup->server = (struct place){.target = setup->facts.target,
                                       .is_secure = setup->facts.verdict == TF_VERDICT_UPGRADE,
                                       .address = result->destination};
    } else {
        setup->facts.reason = result->reason;
        setup->dial_failed = true;
    }
    session_run(s);
}

static enum step_result run_dial(struct session *s)
{
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    if (setup->dial != NULL) /* a client that is gone needs no server */
        return s->side[TF_CLIENT].failed ? end_for(s, TF_REASON_RESET) : STEP_WAIT;
    if (s->side[TF_SERVER].fd >= 0)
        return STEP_NEXT;
    if (setup->dial_failed)
        return STEP_REFUSE;
    enum tf_reason why = TF_REASON_NONE;
    setup->dial =
        dial_start(&s->loop->dialer, &s->conf->tf, &facts->target, on_dialled, s, &why, &facts->destination);
    return setup->dial != NULL ? STEP_WAIT : refuse_for(s, why);
}

static enum step_result late_dial(struct session *s)
{
    return refuse_for(s, TF_REASON_DIAL_TIMEOUT);
}

const struct step step_dial = {"dial", run_dial, offsetof(struct tf_limits, dial_ms), late_dial};
