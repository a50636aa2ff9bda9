/* The Microsoft 365 endpoint set: patterns, and the set that a name and port
 * belong to; see m365.h. Reading the set from a file is proxy/endpoints.c's. */
#include "m365.h"

#include "host.h"
#include "text.h"
#include <string.h>

static const char *const area_names[TF_M365_AREAS] = {
    [TF_M365_COMMON] = "Common", [TF_M365_EXCHANGE] = "Exchange", [TF_M365_SHAREPOINT] = "SharePoint",
    [TF_M365_SKYPE] = "Skype",   [TF_M365_MEM] = "MEM",           [TF_M365_OTHER] = "Other",
};

static const char *const category_names[TF_M365_CATEGORIES] = {
    [TF_M365_OPTIMIZE] = "Optimize",
    [TF_M365_ALLOW] = "Allow",
    [TF_M365_DEFAULT] = "Default",
};

const char *tf_m365_area_name(enum tf_m365_area area)
{
    return area_names[area];
}

const char *tf_m365_category_name(enum tf_m365_category category)
{
    return category_names[category];
}

bool tf_m365_area_parse(const char *text, size_t n, enum tf_m365_area *area)
{
    static const struct {
        const char *word;
        enum tf_m365_area area;
    } others[] = {{"Teams", TF_M365_SKYPE}, {"Intune", TF_M365_MEM}};
    struct tf_text t = {text, n};

    for (int i = 0; i < TF_M365_OTHER; i++) {
        if (tf_text_is_word(t, area_names[i])) {
            *area = (enum tf_m365_area)i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (tf_text_is_word(t, others[i].word)) {
            *area = others[i].area;
            return true;
        }
    }
    return false;
}

bool tf_m365_category_parse(const char *text, size_t n, enum tf_m365_category *category)
{
    for (int i = 0; i < TF_M365_CATEGORIES; i++) {
        if (tf_text_is_word((struct tf_text){text, n}, category_names[i])) {
            *category = (enum tf_m365_category)i;
            return true;
        }
    }
    return false;
}

bool tf_m365_filter_parse(const char *text, size_t n, struct tf_m365_filter *filter)
{
    struct tf_text what = {text, n};
    struct tf_text m365 = tf_text_take(&what, ':');

    *filter = (struct tf_m365_filter){.by_area = false};
    if (!tf_text_is_word(m365, "m365"))
        return false;
    if (!what.p)
        return true;
    filter->by_area = tf_m365_area_parse(what.p, what.n, &filter->area);
    filter->by_category = !filter->by_area && tf_m365_category_parse(what.p, what.n, &filter->category);
    return filter->by_area || filter->by_category;
}

enum form {
    FORM_NAME,   /* name */
    FORM_BELOW,  /* *.suffix */
    FORM_ENDING, /* *suffix */
    FORM_TENANT, /* a.*.b */
    FORM_NONE
};

static enum form form_of(const char *pattern, size_t n)
{
    const char *star = n > 0 ? memchr(pattern, '*', n) : NULL;
    if (!star)
        return n > 0 ? FORM_NAME : FORM_NONE;

    size_t before = (size_t)(star - pattern);
    struct tf_text behind = {star + 1, n - before - 1};
    if (behind.n < 2 || memchr(behind.p, '*', behind.n))
        return FORM_NONE;
    bool is_label = behind.p[0] == '.';
    if (before > 0)
        return before > 1 && star[-1] == '.' && is_label ? FORM_TENANT : FORM_NONE;
    if (is_label)
        return FORM_BELOW;
    /* Without a dot it would be the end of a top-level domain, or of an address. */
    return memchr(behind.p, '.', behind.n) ? FORM_ENDING : FORM_NONE;
}

bool tf_m365_is_pattern(const char *pattern, size_t n)
{
    char name[TF_HOST_MAX];
    struct tf_target host;

    if (n >= sizeof name || form_of(pattern, n) == FORM_NONE)
        return false;
    for (size_t i = 0; i < n; i++)
        name[i] = pattern[i] == '*' ? 'x' : pattern[i]; /* a name that the pattern matches */
    return tf_host_parse(name, n, &host) == TF_HOST_OK && !host.is_address &&
           tf_text_is((struct tf_text){name, n}, host.host);
}

/* `a.*.b`: `a.`, one label, `.b`. */
static bool matches_tenant(const char *pattern, struct tf_text host)
{
    const char *star = strchr(pattern, '*');
    size_t before = (size_t)(star - pattern);
    size_t behind = strlen(star + 1);

    return host.n > before + behind &&
           tf_text_same((struct tf_text){pattern, before}, (struct tf_text){host.p, before}) &&
           tf_text_ends(host, star + 1) && !memchr(host.p + before, '.', host.n - before - behind);
}

bool tf_m365_name_matches(const char *pattern, const char *host, size_t host_len)
{
    struct tf_text name = {host, host_len};

    if (name.n > 0 && host[name.n - 1] == '.')
        name.n--;
    switch (form_of(pattern, strlen(pattern))) {
    case FORM_NAME:
        return tf_text_is_word(name, pattern);
    case FORM_BELOW:
        return name.n >= strlen(pattern) && tf_text_ends(name, pattern + 1);
    case FORM_ENDING:
        return tf_text_ends(name, pattern + 1);
    case FORM_TENANT:
        return matches_tenant(pattern, name);
    case FORM_NONE:
        return false;
    }
    return false;
}

const char *tf_m365_names_match(const char *const *patterns, size_t n, const char *host)
{
    for (size_t i = 0; i < n; i++)
        if (tf_m365_name_matches(patterns[i], host, strlen(host)))
            return patterns[i];
    return NULL;
}

bool tf_m365_is_ordered(const char *pattern)
{
    enum form form = form_of(pattern, strlen(pattern));
    return form == FORM_NAME || form == FORM_BELOW;
}

int tf_m365_order(const void *a, const void *b)
{
    const struct tf_m365_entry *x = a, *y = b;
    bool x_ordered = tf_m365_is_ordered(x->pattern);
    if (x_ordered != tf_m365_is_ordered(y->pattern))
        return x_ordered ? -1 : 1;
    int order = strcmp(x->pattern, y->pattern);
    if (order != 0)
        return order;
    return (x->set > y->set) - (x->set < y->set);
}

bool tf_ports_have(const struct tf_port_range *ranges, size_t n, uint16_t port)
{
    for (size_t i = 0; i < n; i++)
        if (port >= ranges[i].first && port <= ranges[i].last)
            return true;
    return false;
}

/* A search: the best of all sets that match, and the best of those in the filter's area. */
struct search {
    uint16_t port;
    const struct tf_m365_filter *filter;
    const struct tf_m365_set *best, *best_of_area;
};

/* The better category; among equals a set that stays plain, so that nothing hides it, then the first in the
 * file. */
static bool is_better(const struct tf_m365_set *set, const struct tf_m365_set *than)
{
    if (!than || set->category != than->category)
        return !than || set->category < than->category;
    if (set->stays_plain != than->stays_plain)
        return set->stays_plain;
    return set < than;
}

static void consider(struct search *s, const struct tf_m365_set *set)
{
    if (!tf_ports_have(set->ports, set->port_count, s->port))
        return;
    if (is_better(set, s->best))
        s->best = set;
    if (s->filter && s->filter->by_area && set->area == s->filter->area && is_better(set, s->best_of_area))
        s->best_of_area = set;
}

/* What passes the filter. */
static const struct tf_m365_set *found(const struct search *s)
{
    if (s->filter && s->filter->by_category && s->best && s->best->category != s->filter->category)
        return NULL;
    return s->filter && s->filter->by_area ? s->best_of_area : s->best;
}

/* All ordered entries whose pattern is `pattern`, letter for letter. */
static void consider_pattern(struct search *s, const struct tf_m365 *m365, const char *pattern)
{
    size_t low = 0, high = m365->ordered_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(m365->entries[middle].pattern, pattern) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < m365->ordered_count && strcmp(m365->entries[low].pattern, pattern) == 0; low++)
        consider(s, m365->entries[low].set);
}

const struct tf_m365_set *tf_m365_find(const struct tf_m365 *m365, const char *host, uint16_t port,
                                       const struct tf_m365_filter *filter)
{
    struct search s = {.port = port, .filter = filter};
    char name[TF_HOST_MAX];
    size_t n = strlen(host);

    if (n > 0 && host[n - 1] == '.')
        n--;
    if (n == 0 || n >= sizeof name)
        return NULL;
    for (size_t i = 0; i < n; i++)
        name[i] = tf_ascii_lower(host[i]);
    name[n] = '\0';

    for (size_t i = m365->ordered_count; i < m365->entry_count; i++)
        if (tf_m365_name_matches(m365->entries[i].pattern, host, n))
            consider(&s, m365->entries[i].set);
    consider_pattern(&s, m365, name);
    for (size_t i = 1; i < n; i++) {
        if (name[i] != '.')
            continue;
        name[i - 1] = '*'; /* what stands before the dot is not needed any more */
        consider_pattern(&s, m365, name + i - 1);
    }
    return found(&s);
}

const struct tf_cidr *tf_m365_block(const struct tf_m365_set *set, const struct tf_addr *address)
{
    for (size_t i = 0; i < set->block_count; i++)
        if (tf_cidr_has(&set->blocks[i], address))
            return &set->blocks[i];
    return NULL;
}

/* A look at every block: there are some two hundred, and this is asked once a connection. */
const struct tf_m365_set *tf_m365_find_address(const struct tf_m365 *m365, const struct tf_addr *address,
                                               uint16_t port, const struct tf_m365_filter *filter)
{
    struct search s = {.port = port, .filter = filter};
    for (size_t i = 0; i < m365->set_count; i++)
        if (tf_m365_block(&m365->sets[i], address))
            consider(&s, &m365->sets[i]);
    return found(&s);
}
