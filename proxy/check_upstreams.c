/* `tlsfloor check`: servers of `forward` listeners that clients do not get
 * to, or not those that the listener seems to be made for. */
#include "check.h"

#include "../lib/calendar.h"
#include "../lib/way.h"
#include "foreseen.h"
#include <time.h>

static void report(const struct conf *c, enum tf_severity severity, const struct tf_listener *listener,
                   const char *key, const char *sentence)
{
    char text[1024];
    snprintf(text, sizeof text, "[listener %s] %s %s", listener->name, key, sentence);
    conf_report(stderr, severity, tf_conf_listener_origin(&c->tf, listener, key), text);
}

/* Where an address is known already, whether it may be dialled. */
static void check_address(const struct conf *c, const struct tf_listener *listener,
                          const struct tf_facts *facts)
{
    enum tf_reason why = foreseen_access(&c->tf, facts);
    const struct tf_reason_info *info = tf_reason_info(why);
    char sentence[512];
    if (why == TF_REASON_NONE)
        return;
    snprintf(sentence, sizeof sentence, "= %s: nobody gets there: %s (%s)%s%s", facts->target.host,
             info->sentence, info->code, why == TF_REASON_DESTINATION_DENIED ? "; add it there" : "",
             foreseen_is_resolved(&c->tf, facts) ? "; [upstream] resolve has another address for it" : "");
    report(c, TF_WARNING, listener, "upstream", sentence);
}

/* Whether one rule, or with NULL the default, upgrades plain mail, whatever its source. What hangs on an
 * address that is not known yet may be. */
static bool upgrades(const struct tf_policy *policy, const struct tf_rule *rule, struct tf_facts facts)
{
    struct tf_policy alone = *policy;
    struct tf_rule for_all = {.name = ""};
    if (rule != NULL)
        for_all = *rule;
    for_all.source_count = 0;
    alone.rules = &for_all;
    alone.rule_count = rule != NULL;
    facts.ask = TF_ASK_MAIL;
    return tf_policy_decide(&alone, &facts, tf_day_of(time(NULL))) == TF_NEEDS_ADDRESS ||
           facts.verdict == TF_VERDICT_UPGRADE;
}

static bool may_be_upgraded(const struct tf_policy *policy, const struct tf_facts *facts)
{
    bool found = upgrades(policy, NULL, *facts);
    for (size_t i = 0; i < policy->rule_count && !found; i++)
        found = policy->rules[i].action == TF_ACTION_UPGRADE && upgrades(policy, &policy->rules[i], *facts);
    return found;
}

/* Without an upgrade a mail session is only followed, unless there would be nothing to follow. Clients whose
 * TLS comes first are another matter: at the floor they need no rule. */
static void check_mail(const struct conf *c, const struct tf_listener *listener, const struct tf_facts *facts)
{
    const char *host = tf_policy_host(facts);
    bool is_nameless = facts->target.is_address && !facts->name[0];
    bool is_starttls = listener->client_tls == TF_CLIENT_TLS_STARTTLS;
    char sentence[1024];

    if (facts->mail == TF_MAIL_NONE || listener->client_tls == TF_CLIENT_TLS_IMPLICIT ||
        may_be_upgraded(&c->tf.policy, facts))
        return;
    if (c->tf.policy.monitor) {
        if (is_starttls)
            report(c, TF_WARNING, listener, "client_tls",
                   "= starttls holds only for upgraded sessions, and with [floor] mode = monitor nothing is "
                   "upgraded there without a [rule] with action = upgrade");
        return;
    }
    snprintf(sentence, sizeof sentence,
             "= %s: no rule upgrades it, so that %s refused; write a [rule] with destination = %s and action "
             "= upgrade%s%s",
             host, facts->must_terminate ? "everybody is" : "clients in plain text or below the floor are",
             host, is_nameless ? ", and server_name = with the name in its certificate" : "",
             facts->must_terminate ? "" : ", if they are to pass");
    report(c, facts->must_terminate ? TF_WARNING : TF_NOTE, listener, "upstream", sentence);
}

static void check_opportunistic(const struct conf *c, const struct tf_listener *listener,
                                const struct tf_facts *facts)
{
    const struct tf_m365 *m365 = c->tf.policy.m365;
    if (listener->opportunistic &&
        tf_m365_find(m365, tf_policy_host(facts), facts->target.port, NULL) != NULL)
        report(
            c, TF_WARNING, listener, "server_tls",
            "= opportunistic means nothing with Microsoft 365, which is never spoken to in plain text; leave "
            "it out");
}

void check_upstreams(const struct conf *c)
{
    for (const struct tf_listener *l = c->tf.listeners; l != NULL; l = l->next) {
        struct tf_facts facts = {.listener = l->name};
        if (l->kind != TF_KIND_FORWARD)
            continue;
        tf_way_begin(l, &facts);
        tf_way_aim(l, &facts);
        foresee_way(&c->tf, &facts);
        check_address(c, l, &facts);
        check_mail(c, l, &facts);
        check_opportunistic(c, l, &facts);
    }
}
