/* Rules and the verdict; see policy.h. */
#include "policy.h"

#include "inside.h"
#include <string.h>

/* Whether a rule, or a part of one, covers a session. */
enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_UNKNOWN /* it depends on the destination's address, which is not known yet */
};

static bool has_listener(const struct tf_rule *rule, const char *listener)
{
    for (size_t i = 0; i < rule->listener_count; i++)
        if (strcmp(rule->listeners[i], listener) == 0)
            return true;
    return rule->listener_count == 0;
}

static bool has_source(const struct tf_rule *rule, const struct tf_addr *source)
{
    for (size_t i = 0; i < rule->source_count; i++)
        if (tf_cidr_has(&rule->sources[i], source))
            return true;
    return rule->source_count == 0;
}

static bool has_port(const struct tf_rule *rule, uint16_t port)
{
    return rule->port_count == 0 || tf_ports_have(rule->ports, rule->port_count, port);
}

/* The address that blocks are compared with: the one dialled, or the one asked for; NULL while neither is
 * known. */
static const struct tf_addr *known_address(const struct tf_facts *facts)
{
    if (facts->destination.family != TF_FAMILY_NONE)
        return &facts->destination;
    return facts->target.is_address ? &facts->target.addr : NULL;
}

const char *tf_policy_host(const struct tf_facts *facts)
{
    return facts->target.is_address && facts->name[0] ? facts->name : facts->target.host;
}

/* The host that the names of a rule are compared with. What a hello says of an address is a claim that
 * anybody can make: it may be held against a session, and an upgrade proves it, but nothing passes untouched
 * for it. */
static const char *host_for(const struct tf_rule *rule, const struct tf_facts *facts, bool may_upgrade)
{
    bool claims_count = rule->action == TF_ACTION_BLOCK || (rule->action == TF_ACTION_UPGRADE && may_upgrade);
    return claims_count ? tf_policy_host(facts) : facts->target.host;
}

/* By name; or where only an address is known, by the set's address ranges. */
static const struct tf_m365_set *find_m365(const struct tf_policy *policy, const struct tf_facts *facts,
                                           const char *host, const struct tf_m365_filter *filter)
{
    const struct tf_target *target = &facts->target;
    if (!policy->m365)
        return NULL;
    return target->is_address && host == target->host
               ? tf_m365_find_address(policy->m365, &target->addr, target->port, filter)
               : tf_m365_find(policy->m365, host, target->port, filter);
}

static enum match match_destination(const struct tf_policy *policy, const struct tf_destination *d,
                                    const struct tf_facts *facts, const char *host)
{
    const struct tf_addr *address = known_address(facts);
    bool has = false;

    switch (d->kind) {
    case TF_TO_NAME:
        has = tf_host_matches(d->pattern, host, strlen(host));
        break;
    case TF_TO_BLOCK:
        if (!address)
            return facts->by_parent ? MATCH_NO : MATCH_UNKNOWN;
        has = tf_cidr_has(&d->cidr, address);
        break;
    case TF_TO_M365:
        has = find_m365(policy, facts, host, &d->m365) != NULL;
        break;
    }
    return has ? MATCH_YES : MATCH_NO;
}

static enum match match_destinations(const struct tf_policy *policy, const struct tf_rule *rule,
                                     const struct tf_facts *facts, bool may_upgrade)
{
    const char *host = host_for(rule, facts, may_upgrade);
    enum match result = rule->destination_count == 0 ? MATCH_YES : MATCH_NO;

    for (size_t i = 0; i < rule->destination_count && result != MATCH_YES; i++) {
        enum match m = match_destination(policy, &rule->destinations[i], facts, host);
        if (m != MATCH_NO)
            result = m;
    }
    return result;
}

/* The first rule that matches, or NULL. False: that depends on the destination's address. */
static bool find_rule(const struct tf_policy *policy, const struct tf_facts *facts, bool may_upgrade,
                      int32_t today, const struct tf_rule **found)
{
    *found = NULL;
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct tf_rule *rule = &policy->rules[i];
        if (today > rule->until_day || !has_listener(rule, facts->listener) ||
            !has_source(rule, &facts->source) || !has_port(rule, facts->target.port))
            continue;
        switch (match_destinations(policy, rule, facts, may_upgrade)) {
        case MATCH_NO:
            continue;
        case MATCH_UNKNOWN:
            return false;
        case MATCH_YES:
            *found = rule;
            return true;
        }
    }
    return true;
}

/* What the floor has against the client's side of the session; TF_REASON_NONE: nothing. A session without a
 * hello is not TLS as far as anybody knows. */
static enum tf_reason complaint_of(const struct tf_policy *policy, const struct tf_facts *facts)
{
    if (facts->ask == TF_ASK_HTTP)
        return TF_REASON_NONE;
    if (facts->ask == TF_ASK_MAIL)
        return facts->m365 ? TF_REASON_M365_CLEARTEXT : TF_REASON_MAIL_CLEARTEXT;
    if (facts->reason != TF_REASON_NONE)
        return facts->reason;
    if (facts->not_tls || !facts->has_hello)
        return TF_REASON_CLIENT_NOT_TLS;
    if (facts->hello.format == TF_FORMAT_SSLV2)
        return TF_REASON_CLIENT_SSLV2_HELLO;
    return tf_version_passes(policy, facts->hello.max_version) ? TF_REASON_NONE
                                                               : TF_REASON_CLIENT_BELOW_FLOOR;
}

/* Whether what would be blocked passes, and is only noted. */
static bool is_monitored(const struct tf_policy *policy, const struct tf_rule *rule)
{
    return policy->monitor || (rule && rule->action == TF_ACTION_MONITOR);
}

/* Whether an upgrade is of any use to a session with this complaint: to an old client, and to plain text. */
static bool is_upgradable(const struct tf_facts *facts, enum tf_reason complaint)
{
    return facts->ask != TF_ASK_TUNNEL || complaint == TF_REASON_CLIENT_BELOW_FLOOR ||
           complaint == TF_REASON_CLIENT_SSLV2_HELLO;
}

bool tf_policy_never_terminates(const struct tf_policy *policy, const char *host)
{
    return tf_m365_names_match(policy->never_terminate, policy->never_terminate_count, host) != NULL;
}

/* Whether plain HTTP to the session's host goes on as it is, whatever a rule says. */
static bool is_kept_plain(const struct tf_policy *policy, const struct tf_facts *facts)
{
    const char *host = tf_policy_host(facts);
    return (facts->m365 && facts->m365->stays_plain) || tf_policy_never_terminates(policy, host) ||
           tf_m365_names_match(policy->stay_plain, policy->stay_plain_count, host) != NULL;
}

/* Whether there is a certificate to show to clients whose TLS ends here. */
static bool can_terminate(const struct tf_policy *policy, const struct tf_facts *facts)
{
    return policy->can_upgrade || facts->has_certificate;
}

/* Whether rules, or the default, mean a session to be upgraded. Who only watches does not end anybody's TLS,
 * unless a rule says so. */
static bool is_meant(const struct tf_policy *policy, const struct tf_facts *facts)
{
    bool by_default = facts->m365 != NULL && !policy->monitor;
    return can_terminate(policy, facts) &&
           (facts->rule ? facts->rule->action == TF_ACTION_UPGRADE : by_default);
}

bool tf_policy_stays_plain(const struct tf_policy *policy, const struct tf_facts *facts)
{
    return facts->ask == TF_ASK_HTTP && is_meant(policy, facts) && is_kept_plain(policy, facts);
}

/* Whether a session for which it would be of use is to be upgraded. */
static bool wants_upgrade(const struct tf_policy *policy, const struct tf_facts *facts)
{
    return is_meant(policy, facts) && !tf_policy_stays_plain(policy, facts);
}

/* Whether a session's TLS ends here whatever its version: nothing else would get it through, or a rule that
 * blocks is in the way. */
static bool is_terminated(const struct tf_policy *policy, const struct tf_facts *facts,
                          enum tf_reason complaint)
{
    return facts->must_terminate && can_terminate(policy, facts) &&
           !(facts->rule && facts->rule->action == TF_ACTION_BLOCK) &&
           (complaint == TF_REASON_NONE ||
            (is_upgradable(facts, complaint) && is_monitored(policy, facts->rule)));
}

/* Whether the hello names another host than the client has asked for. Who takes a `forward` listener for the
 * server may well call it by the listener's name. */
static bool contradicts(const struct tf_facts *facts)
{
    const struct tf_span *name = &facts->hello.server_name;
    return name->n > 0 && !facts->target.is_address && !facts->is_fixed &&
           !tf_host_matches(facts->target.host, (const char *)name->p, name->n);
}

/* Why a session that is to be upgraded cannot be; TF_REASON_NONE: it can. */
static enum tf_reason obstacle_of(const struct tf_policy *policy, const struct tf_facts *facts,
                                  enum tf_reason complaint)
{
    enum tf_leaf leaf;

    bool is_nameless = facts->target.is_address && !facts->name[0];

    if (facts->ask == TF_ASK_HTTP)
        return TF_REASON_NONE;
    if (tf_policy_never_terminates(policy, tf_policy_host(facts)))
        return TF_REASON_NEVER_TERMINATED;
    if (facts->ask == TF_ASK_MAIL) /* it may still say a name, in a hello behind STARTTLS */
        return is_nameless ? complaint : TF_REASON_NONE;
    if (tf_version_rank(facts->hello.max_version) < TF_TLS10)
        return complaint;
    enum tf_reason unserved = tf_inside_choose(&facts->hello, &leaf);
    if (unserved != TF_REASON_NONE)
        return unserved;
    if (contradicts(facts) && !policy->sni_mismatch)
        return TF_REASON_SNI_MISMATCH;
    return is_nameless ? TF_REASON_UPGRADE_NAMELESS : TF_REASON_NONE;
}

enum tf_decided tf_policy_decide(const struct tf_policy *policy, struct tf_facts *facts, int32_t today)
{
    const struct tf_rule *rule;

    facts->m365 = find_m365(policy, facts, tf_policy_host(facts), NULL);
    enum tf_reason reason = complaint_of(policy, facts);
    bool upgrade = is_upgradable(facts, reason);
    if (!find_rule(policy, facts, upgrade, today, &rule))
        return TF_NEEDS_ADDRESS;
    facts->rule = rule;
    facts->page = rule && rule->page ? &policy->page : NULL;

    upgrade = (upgrade && wants_upgrade(policy, facts)) || is_terminated(policy, facts, reason);
    if (upgrade)
        reason = obstacle_of(policy, facts, reason);
    else if (rule && rule->action == TF_ACTION_BLOCK &&
             (reason == TF_REASON_NONE || facts->ask == TF_ASK_MAIL))
        reason = TF_REASON_RULE_BLOCK;

    facts->reason = reason;
    if (policy->monitor && policy->can_upgrade && facts->m365 && !rule &&
        reason == TF_REASON_CLIENT_BELOW_FLOOR)
        facts->detail = "with [floor] mode = enforce it would be upgraded";
    if (reason == TF_REASON_NONE)
        facts->verdict = upgrade ? TF_VERDICT_UPGRADE : TF_VERDICT_TUNNEL;
    else
        facts->verdict = is_monitored(policy, rule) ? TF_VERDICT_MONITOR : TF_VERDICT_BLOCK;
    return TF_DECIDED;
}

bool tf_policy_allows_page(const struct tf_policy *policy, const struct tf_facts *facts)
{
    bool is_version =
        facts->reason == TF_REASON_CLIENT_BELOW_FLOOR || facts->reason == TF_REASON_CLIENT_SSLV2_HELLO;
    return facts->page && facts->verdict == TF_VERDICT_BLOCK && facts->mail == TF_MAIL_NONE && is_version &&
           !tf_version_passes(policy, facts->hello.max_version) && can_terminate(policy, facts) &&
           obstacle_of(policy, facts, facts->reason) == TF_REASON_NONE;
}

bool tf_policy_upgrades(const struct tf_policy *policy, const struct tf_facts *facts,
                        const struct tf_target *target, int32_t today)
{
    struct tf_facts other = {.source = facts->source,
                             .listener = facts->listener,
                             .ask = TF_ASK_HTTP,
                             .has_target = true,
                             .target = *target};
    if (strcmp(target->host, facts->target.host) == 0)
        other.destination = facts->destination;
    return tf_policy_decide(policy, &other, today) == TF_DECIDED && other.verdict == TF_VERDICT_UPGRADE;
}

bool tf_policy_server_wrong(const struct tf_policy *policy, struct tf_facts *facts, enum tf_reason reason,
                            const char *detail)
{
    bool monitored = is_monitored(policy, facts->rule);

    /* What the client did wrong came first, and stays the reason of a monitored session. */
    if (!monitored || facts->reason == TF_REASON_NONE) {
        facts->reason = reason;
        facts->detail = detail;
    }
    facts->verdict = monitored ? TF_VERDICT_MONITOR : TF_VERDICT_BLOCK;
    return monitored;
}

bool tf_policy_server(const struct tf_policy *policy, struct tf_facts *facts)
{
    /* A ServerHello whose legacy_version is below TLS 1.2 is below every floor, whatever its extensions say.
     */
    if (facts->server.legacy_version >= TF_TLS12 && tf_version_passes(policy, facts->server.version))
        return true;
    return tf_policy_server_wrong(policy, facts, TF_REASON_SERVER_BELOW_FLOOR, NULL);
}

bool tf_rule_terminates(const struct tf_rule *rule)
{
    return rule->action == TF_ACTION_UPGRADE || (rule->page && rule->action != TF_ACTION_MONITOR);
}

bool tf_policy_has_action(const struct tf_policy *policy, enum tf_action action)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].action == action)
            return true;
    return false;
}

bool tf_version_passes(const struct tf_policy *policy, uint16_t version)
{
    return tf_version_rank(version) >= policy->floor;
}

const char *tf_action_name(enum tf_action action)
{
    switch (action) {
    case TF_ACTION_TUNNEL:
        return "tunnel";
    case TF_ACTION_UPGRADE:
        return "upgrade";
    case TF_ACTION_BLOCK:
        return "block";
    case TF_ACTION_MONITOR:
        return "monitor";
    }
    return "";
}

const char *tf_verdict_name(enum tf_verdict verdict)
{
    switch (verdict) {
    case TF_VERDICT_NONE:
        return "none";
    case TF_VERDICT_TUNNEL:
        return "tunnel";
    case TF_VERDICT_MONITOR:
        return "monitor";
    case TF_VERDICT_BLOCK:
        return "block";
    case TF_VERDICT_UPGRADE:
        return "upgrade";
    }
    return "";
}
