/* Which subtrees of DNS the rules need; see constraint.h. What a pattern
 * matches is up to m365.c and host.c; here it is only enclosed, so that the
 * answer may be wider than the rules, and never narrower. */
#include "constraint.h"

#include "text.h"
#include "way.h"
#include <string.h>

const char *tf_constraint_of(const char *pattern)
{
    const char *star = strrchr(pattern, '*');
    if (!star)
        return pattern;
    /* What stands between the star and the next dot is only the end of a label. */
    const char *dot = strchr(star, '.');
    return dot ? dot + 1 : NULL;
}

/* As OpenSSL and the others compare (RFC 5280 4.2.1.10): an empty subtree is all of DNS, and one with a dot
 * in front, which the RFC does not know but some CAs have, is all below the name. */
bool tf_constraint_covers(const char *subtree, const char *name)
{
    size_t n = strlen(subtree), len = strlen(name);
    if (!tf_text_ends((struct tf_text){name, len}, subtree))
        return false;
    return n == 0 || n == len || subtree[0] == '.' || name[len - n - 1] == '.';
}

/* A walk over a policy. */
struct walk {
    const struct tf_policy *policy;
    void (*each)(void *arg, const char *pattern, const struct tf_rule *rule);
    void *arg;
};

static void tell(const struct walk *w, const char *pattern, const struct tf_rule *rule)
{
    if (strchr(pattern, '*') || !tf_policy_never_terminates(w->policy, pattern))
        w->each(w->arg, pattern, rule);
}

/* A name's category is the best of its sets, so that it is in one of these sets at least. */
static bool is_wanted(const struct tf_m365_set *set, const struct tf_m365_filter *filter)
{
    return set->port_count > 0 && (!filter->by_area || set->area == filter->area) &&
           (!filter->by_category || set->category == filter->category);
}

static void walk_m365(const struct walk *w, const struct tf_m365_filter *filter, const struct tf_rule *rule)
{
    const struct tf_m365 *m365 = w->policy->m365;
    for (size_t i = 0; m365 && i < m365->set_count; i++) {
        const struct tf_m365_set *set = &m365->sets[i];
        for (size_t k = 0; is_wanted(set, filter) && k < set->name_count; k++)
            tell(w, set->names[k], rule);
    }
}

static void walk_destination(const struct walk *w, const struct tf_destination *to,
                             const struct tf_rule *rule)
{
    switch (to->kind) {
    case TF_TO_NAME:
        tell(w, to->pattern, rule);
        break;
    case TF_TO_BLOCK:
        tell(w, "*", rule);
        break;
    case TF_TO_M365:
        walk_m365(w, &to->m365, rule);
        break;
    }
}

static void walk_rule(const struct walk *w, const struct tf_rule *rule)
{
    for (size_t i = 0; i < rule->destination_count; i++)
        walk_destination(w, &rule->destinations[i], rule);
    if (rule->destination_count == 0)
        tell(w, "*", rule);
}

/* Whether nothing behind a rule is ever looked at. */
static bool is_last(const struct tf_rule *rule)
{
    return rule->listener_count == 0 && rule->source_count == 0 && rule->destination_count == 0 &&
           rule->port_count == 0 && rule->until_day == INT32_MAX;
}

/* Servers in whose place a listener shows certificates whatever the rules say. */
static void walk_listeners(const struct walk *w, const struct tf_listener *listeners)
{
    for (const struct tf_listener *l = listeners; l; l = l->next) {
        struct tf_facts facts = {.has_target = false};
        tf_way_begin(l, &facts);
        tf_way_aim(l, &facts);
        if (facts.must_terminate && !facts.has_certificate && !facts.target.is_address)
            tell(w, l->upstream.host, NULL);
    }
}

void tf_constraint_walk(const struct tf_conf *conf, int32_t today,
                        void (*each)(void *arg, const char *pattern, const struct tf_rule *rule), void *arg)
{
    static const struct tf_m365_filter all = {.by_area = false};
    const struct tf_policy *policy = &conf->policy;
    struct walk w = {.policy = policy, .each = each, .arg = arg};
    walk_listeners(&w, conf->listeners);
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct tf_rule *rule = &policy->rules[i];
        if (tf_rule_terminates(rule) && today <= rule->until_day && tf_way_needs_ca(conf->listeners, rule))
            walk_rule(&w, rule);
        if (is_last(rule))
            return;
    }
    walk_m365(&w, &all, NULL);
}
