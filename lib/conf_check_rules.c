/* Rules as a whole: the listeners that they name, the days on which they end,
 * and rules that can never match. */
#include "conf_table.h"
#include "suggest.h"
#include "way.h"

#include <string.h>

/* Lists longer than this are not compared with each other: a warning less, but no load that takes minutes. */
enum { COMPARED_MAX = 64, SOON_DAYS = 90 };

static void check_names(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_rule *rule = section->object;
    for (size_t i = 0; i < rule->listener_count; i++) {
        struct tf_suggestion near = {.unknown = tf_text_of(rule->listeners[i])};
        const struct tf_listener *l = load->conf->listeners;
        while (l && strcmp(l->name, rule->listeners[i]) != 0) {
            tf_suggest(&near, l->name);
            l = l->next;
        }
        if (!l)
            tf_report(load, TF_ERROR, &section->settings[TF_KEY_RULE_listener].origin,
                      TF_PARTS(TF_SECTION_PARTS(section), " names the listener ", rule->listeners[i],
                               ", which is not there", TF_DID_YOU_MEAN(near)));
    }
}

/* `1 day` or `10 days`. */
static void put_days(struct tf_writer *w, int64_t days)
{
    tf_put_i64(w, days);
    tf_put_text(w, days == 1 ? " day" : " days");
}

/* Who is to be asked: ` (owner print team, CHG-1042)`, or what of it there is. */
static void put_owner(struct tf_writer *w, const struct tf_rule *rule)
{
    bool has_owner = rule->owner[0] != '\0', has_ticket = rule->ticket[0] != '\0';
    if (has_owner || has_ticket)
        tf_put_parts(w, TF_PARTS(" (", has_owner ? "owner " : "", rule->owner,
                                 has_owner && has_ticket ? ", " : "", rule->ticket, ")"));
}

static void check_until(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_rule *rule = section->object;
    const struct tf_setting *until = &section->settings[TF_KEY_RULE_until];
    int64_t days = (int64_t)rule->until_day - load->today;
    char distance[32], owner[700];
    struct tf_writer w = tf_writer_of(distance, sizeof distance - 1);

    if (days > SOON_DAYS)
        return;
    tf_put_text(&w, days > 0 ? "in " : "");
    if (days == 0)
        tf_put_text(&w, "today");
    else
        put_days(&w, days > 0 ? days : -days);
    tf_put_text(&w, days < 0 ? " ago" : "");
    distance[w.len] = '\0';
    w = tf_writer_of(owner, sizeof owner - 1);
    put_owner(&w, rule);
    owner[w.len] = '\0';

    if (days < 0)
        tf_report(load, TF_WARNING, &until->origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " ended on ", until->text, ", ", distance,
                           ", and no longer applies", owner, "; take it out, or agree on a later day"));
    else
        tf_report(load, TF_NOTE, &until->origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " ends on ", until->text, ", ", distance, owner));
}

static void check_upgrade(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_rule *rule = section->object;
    if (rule->action == TF_ACTION_UPGRADE && !load->conf->policy.can_upgrade &&
        tf_way_needs_ca(load->conf->listeners, rule))
        tf_report(load, TF_ERROR, &section->settings[TF_KEY_RULE_action].origin,
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " action = upgrade needs a CA, and [ca] directory is off; ",
                           "write a directory there, or action = tunnel here"));
}

/* Whether all that one entry of a list matches is matched by another as well. */
typedef bool covers_item(const void *a, const void *b);

static bool covers_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
}

static bool covers_cidr(const void *a, const void *b)
{
    const struct tf_cidr *wide = a, *narrow = b;
    return wide->bits <= narrow->bits && tf_cidr_has(wide, &narrow->base);
}

static bool covers_filter(const struct tf_m365_filter *wide, const struct tf_m365_filter *narrow)
{
    if (wide->by_area)
        return narrow->by_area && wide->area == narrow->area;
    if (wide->by_category)
        return narrow->by_category && wide->category == narrow->category;
    return true;
}

/* What is in the endpoint set is not known here. */
static bool covers_destination(const void *a, const void *b)
{
    const struct tf_destination *wide = a, *narrow = b;
    if (wide->kind != narrow->kind)
        return wide->kind == TF_TO_NAME && strcmp(wide->pattern, "*") == 0;
    switch (wide->kind) {
    case TF_TO_NAME: /* "*.b.a" lies below "*.a" just as the name "x.b.a" does. */
        return strcmp(wide->pattern, narrow->pattern) == 0 ||
               tf_host_matches(wide->pattern, narrow->pattern, strlen(narrow->pattern));
    case TF_TO_BLOCK:
        return covers_cidr(&wide->cidr, &narrow->cidr);
    case TF_TO_M365:
        return covers_filter(&wide->m365, &narrow->m365);
    }
    return false;
}

static bool covers_port(const void *a, const void *b)
{
    const struct tf_port_range *wide = a, *narrow = b;
    return wide->first <= narrow->first && narrow->last <= wide->last;
}

static bool is_covered(const uint8_t *list, size_t n, size_t size, const void *item, covers_item *covers)
{
    for (size_t i = 0; i < n; i++)
        if (covers(list + i * size, item))
            return true;
    return false;
}

/* The same for whole lists. An empty one matches everything. */
static bool covers_list(const void *a, size_t a_count, const void *b, size_t b_count, size_t size,
                        covers_item *covers)
{
    const uint8_t *items = b;
    if (a_count == 0 || b_count == 0)
        return a_count == 0;
    if (a_count > COMPARED_MAX || b_count > COMPARED_MAX)
        return false;
    for (size_t i = 0; i < b_count; i++)
        if (!is_covered(a, a_count, size, items + i * size, covers))
            return false;
    return true;
}

static bool covers_rule(const struct tf_rule *a, const struct tf_rule *b)
{
    return a->until_day >= b->until_day &&
           covers_list(a->listeners, a->listener_count, b->listeners, b->listener_count, sizeof *a->listeners,
                       covers_name) &&
           covers_list(a->sources, a->source_count, b->sources, b->source_count, sizeof *a->sources,
                       covers_cidr) &&
           covers_list(a->destinations, a->destination_count, b->destinations, b->destination_count,
                       sizeof *a->destinations, covers_destination) &&
           covers_list(a->ports, a->port_count, b->ports, b->port_count, sizeof *a->ports, covers_port);
}

static bool is_rule(const struct tf_section *section)
{
    return section->info->object == TF_OBJECT_RULE;
}

static void check_reached(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_rule *rule = section->object;
    if (rule->until_day < load->today)
        return;
    for (const struct tf_section *s = load->conf->sections; s != section; s = s->next) {
        struct tf_place place;
        if (!is_rule(s) || !covers_rule(s->object, rule))
            continue;
        tf_report(load, TF_WARNING, &section->origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " can never match: ", TF_SECTION_PARTS(s), " in ",
                           tf_place_text(&place, &s->origin),
                           " matches all of it first; move it up, or take it out"));
        return;
    }
}

void tf_gather_rules(struct tf_conf_load *load)
{
    size_t n = 0;
    for (const struct tf_section *s = load->conf->sections; s; s = s->next)
        n += is_rule(s);
    struct tf_rule *rules = tf_arena_alloc(load->arena, n * sizeof *rules);
    if (!rules)
        return;
    load->conf->policy.rules = rules;
    load->conf->policy.rule_count = n;
    for (const struct tf_section *s = load->conf->sections; s; s = s->next)
        if (is_rule(s))
            *rules++ = *(const struct tf_rule *)s->object;
}

void tf_check_rules(struct tf_conf_load *load)
{
    for (const struct tf_section *s = load->conf->sections; s; s = s->next) {
        if (!is_rule(s))
            continue;
        check_names(load, s);
        check_until(load, s);
        check_upgrade(load, s);
        if (load->errors == 0) /* a list that could not be read would match everything */
            check_reached(load, s);
    }
}
