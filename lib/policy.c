/* Rules and the verdict; see policy.h. */
#include "policy.h"

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
    for (size_t i = 0; i < rule->port_count; i++)
        if (port >= rule->ports[i].first && port <= rule->ports[i].last)
            return true;
    return rule->port_count == 0;
}

/* The address that blocks are compared with: the one dialled, or the one asked for; NULL while neither is
 * known. */
static const struct tf_addr *known_address(const struct tf_facts *facts)
{
    if (facts->destination.family != TF_FAMILY_NONE)
        return &facts->destination;
    return facts->target.is_address ? &facts->target.addr : NULL;
}

static enum match match_destination(const struct tf_rule *rule, const struct tf_facts *facts)
{
    const struct tf_addr *address = known_address(facts);
    const char *host = facts->target.host;
    enum match result = rule->destination_count == 0 ? MATCH_YES : MATCH_NO;

    for (size_t i = 0; i < rule->destination_count; i++) {
        const struct tf_destination *d = &rule->destinations[i];
        if (d->pattern ? tf_host_matches(d->pattern, host, strlen(host))
                       : address && tf_cidr_has(&d->cidr, address))
            return MATCH_YES;
        if (!d->pattern && !address)
            result = MATCH_UNKNOWN;
    }
    return result;
}

static enum match match_rule(const struct tf_rule *rule, const struct tf_facts *facts, int32_t today)
{
    if (today > rule->until_day || !has_listener(rule, facts->listener) ||
        !has_source(rule, &facts->source) || !has_port(rule, facts->target.port))
        return MATCH_NO;
    return match_destination(rule, facts);
}

/* What the floor has against the client's side of the session; TF_REASON_NONE: nothing. A session without a
 * hello is not TLS as far as anybody knows. */
static enum tf_reason complaint_of(const struct tf_policy *policy, const struct tf_facts *facts)
{
    if (facts->ask == TF_ASK_HTTP)
        return TF_REASON_NONE;
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

enum tf_decided tf_policy_decide(const struct tf_policy *policy, struct tf_facts *facts, int32_t today)
{
    const struct tf_rule *rule = NULL;
    for (size_t i = 0; i < policy->rule_count && !rule; i++) {
        enum match m = match_rule(&policy->rules[i], facts, today);
        if (m == MATCH_UNKNOWN)
            return TF_NEEDS_ADDRESS;
        if (m == MATCH_YES)
            rule = &policy->rules[i];
    }

    enum tf_reason reason = complaint_of(policy, facts);
    if (rule && rule->action == TF_ACTION_BLOCK && reason == TF_REASON_NONE)
        reason = TF_REASON_RULE_BLOCK;
    bool monitored = is_monitored(policy, rule);

    facts->rule = rule;
    facts->reason = reason;
    if (reason == TF_REASON_NONE)
        facts->verdict = TF_VERDICT_TUNNEL;
    else
        facts->verdict = monitored ? TF_VERDICT_MONITOR : TF_VERDICT_BLOCK;
    return TF_DECIDED;
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
