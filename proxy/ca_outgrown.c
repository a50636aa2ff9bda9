/* Where the rules have outgrown the CA: names that they upgrade and that it
 * may not vouch for, and rules that make it good for every name. */
#include "ca.h"

#include "../lib/calendar.h"
#include "conf_load.h"
#include <string.h>
#include <time.h>

enum { SENTENCE_MAX = 1024 };

/* A walk over what may be upgraded, a rule after the other. */
struct outgrown {
    const struct tf_conf *conf;
    const struct ca *ca;
    FILE *errors;
    const struct tf_rule *rule;
    const char *first; /* of the patterns that the CA does not cover; NULL: none of this rule yet */
    size_t count;
    bool is_wide; /* the rule upgrades every name */
};

static void warn(const struct outgrown *o, const char *sentence)
{
    conf_report(o->errors, TF_WARNING,
                o->rule ? tf_conf_rule_origin(o->conf, o->rule) : tf_conf_origin(o->conf, "ca", "directory"),
                sentence);
}

static const char *verb_of(const struct tf_rule *rule)
{
    return rule == NULL || rule->action == TF_ACTION_UPGRADE ? "upgrades" : "shows a page for";
}

/* Whoever steals the key of such a CA can be anybody to the clients that trust it. */
static void report_wide(const struct outgrown *o)
{
    char sentence[SENTENCE_MAX];
    if (!o->is_wide)
        return;
    snprintf(sentence, sizeof sentence,
             "[rule %s] %s every name, by an address, by * or by no destination, so that the CA has to "
             "be good "
             "for every name; write the names that are meant",
             o->rule->name, verb_of(o->rule));
    warn(o, sentence);
}

const char *ca_option(const struct tf_conf *conf)
{
    return conf->option ? conf->option : "";
}

static void report_outgrown(const struct outgrown *o)
{
    char more[64] = "", sentence[SENTENCE_MAX];
    if (!o->first)
        return;
    if (o->count > 1)
        snprintf(more, sizeof more, " and %zu more", o->count - 1);
    snprintf(sentence, sizeof sentence,
             "%s%s%s %s %s%s, which the CA in %.300s may not vouch for; make a new certificate with "
             "tlsfloor ca init --renew%.300s, and let the clients import it",
             o->rule ? "[rule " : "what no rule matches", o->rule ? o->rule->name : "", o->rule ? "]" : "",
             verb_of(o->rule), o->first, more, o->conf->ca.directory, ca_option(o->conf));
    warn(o, sentence);
}

static void on_pattern(void *arg, const char *pattern, const struct tf_rule *rule)
{
    struct outgrown *o = arg;
    if (rule != o->rule) {
        report_outgrown(o);
        report_wide(o);
        *o = (struct outgrown){.conf = o->conf, .ca = o->ca, .errors = o->errors, .rule = rule};
    }
    o->is_wide = o->is_wide || strcmp(pattern, "*") == 0;
    if (ca_covers(o->ca, pattern))
        return;
    if (!o->first)
        o->first = pattern;
    o->count++;
}

void ca_report_outgrown(const struct ca *ca, const struct tf_conf *conf, FILE *errors)
{
    struct outgrown o = {.conf = conf, .ca = ca, .errors = errors};
    tf_constraint_walk(conf, tf_day_of(time(NULL)), on_pattern, &o);
    report_outgrown(&o);
    report_wide(&o);
}
