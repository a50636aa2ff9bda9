/* Steps: which way a mail session goes. The dialogue itself is in steps_dialogue.c.
 *
 * A mail server speaks first and in plain text, so what the client is can be
 * known in the middle only. What is decided in front of it is what would
 * become of the session if it stayed plain: if it were upgraded, the gateway
 * takes part in the dialogue; else it only follows it, until STARTTLS. */
#include "steps.h"

#include "../lib/way.h"
#include "loop.h"

#include <assert.h>

/* mail: whether it is one at all. */

static const struct tf_front *front_of(enum tf_mail mail)
{
    switch (mail) {
    case TF_MAIL_SMTP:
        return &tf_front_smtp;
    case TF_MAIL_IMAP:
        return &tf_front_imap;
    case TF_MAIL_POP3:
        return &tf_front_pop3;
    case TF_MAIL_NONE:
        break;
    }
    return NULL;
}

static enum step_result run_mail(struct session *s)
{
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    tf_way_aim(s->listener, facts);
    if (facts->mail == TF_MAIL_NONE)
        return STEP_NEXT;
    if (!session_take_front(s, front_of(facts->mail)))
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    spares_free(&setup->spares, s->loop); /* there will be no further request */
    setup->plan = tf_way_plan(&s->conf->tf, s->listener, facts);
    setup->is_client_mute = setup->plan.client_tls == TF_CLIENT_TLS_IMPLICIT;
    if (setup->is_client_mute)
        setup->tongue = &tf_front_tls;
    s->route = setup->is_client_mute ? &route_mail_implicit : &route_mail;
    return STEP_ROUTE;
}

const struct step step_mail = {.name = "mail", .run = run_mail};

/* intent: what would become of the session if it stayed plain; as soon as the facts allow it. */

static enum step_result run_intent(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (facts->verdict != TF_VERDICT_NONE)
        return STEP_NEXT;
    facts->ask = TF_ASK_MAIL;
    if (tf_policy_decide(&s->conf->tf.policy, facts, tf_day_of(facts->started_us / 1000000)) ==
        TF_NEEDS_ADDRESS)
        return STEP_NEXT;
    if (facts->verdict == TF_VERDICT_UPGRADE) {
        s->setup->plan.way = TF_MAIL_UPGRADE;
        return STEP_NEXT;
    }
    bool is_rule = facts->rule != NULL && facts->rule->action == TF_ACTION_BLOCK;
    if (facts->must_terminate || (is_rule && facts->verdict == TF_VERDICT_BLOCK))
        return STEP_REFUSE;           /* there is nothing to follow */
    facts->verdict = TF_VERDICT_NONE; /* it may still turn to TLS */
    facts->reason = TF_REASON_NONE;
    return STEP_NEXT;
}

const struct step step_intent = {.name = "intent", .run = run_intent};

/* mail-verdict: the client's hello has come, and policy has spoken. Who is at the floor gets through to the
 * server, to which a connection is there that has not begun with TLS yet, or is made. */

/* What cannot get through as it is, does not pass because it is only watched, or because there is no
 * certificate for it. */
static enum step_result refuse_bound(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (facts->reason != TF_REASON_NONE)
        return STEP_REFUSE;
    facts->detail = "the client's TLS must end here, and there is no certificate to show to it";
    return refuse_for(s, TF_REASON_NO_RESOURCES);
}

static enum step_result tunnel_mail(struct session *s)
{
    struct setup *setup = s->setup;
    bool is_implicit = setup->plan.client_tls == TF_CLIENT_TLS_IMPLICIT;
    if (setup->plan.way == TF_MAIL_FOLLOW || is_implicit)
        return STEP_NEXT;
    link_close(&s->side[TF_SERVER], s->loop, false);
    setup->plan.way = TF_MAIL_REPEAT;
    setup->mail = MAIL_BEGIN;
    setup->is_client_mute = true;
    s->route = &route_mail_repeat;
    return STEP_ROUTE;
}

static enum step_result run_mail_verdict(struct session *s)
{
    struct setup *setup = s->setup;
    bool is_first = setup->mail == MAIL_BEGIN; /* the hello came in front of the dialogue */
    assert(setup->facts.verdict != TF_VERDICT_NONE);
    if (setup->facts.verdict != TF_VERDICT_UPGRADE)
        return setup->facts.must_terminate ? refuse_bound(s) : tunnel_mail(s);
    if (setup->plan.way == TF_MAIL_FOLLOW && !is_first)
        return STEP_NEXT; /* a rule that goes by the name in the hello: what follows is not looked at */
    setup->plan.way = TF_MAIL_UPGRADE;
    setup->mail = is_first ? MAIL_BEGIN : MAIL_CLIENT_TLS;
    s->route = is_first ? &route_mail_dialogue : &route_mail_upgrade;
    return STEP_ROUTE;
}

const struct step step_mail_verdict = {.name = "mail-verdict", .run = run_mail_verdict};
