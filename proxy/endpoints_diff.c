/* `tlsfloor endpoints diff`: what another file would change in the set in
 * use, name by name and set by set; the overlay is laid over both. Addresses
 * are not compared: the gateway goes by names. */
#include "endpoints_command.h"

#include <string.h>

/* The entries of one pattern, which stand side by side in the index. */
struct run {
    const struct tf_m365_entry *first;
    size_t n;
};

/* The first run of the entries from `next` on; empty at the end. */
static struct run run_at(const struct tf_m365 *m365, size_t next)
{
    struct run run = {m365->entries + next, 0};
    while (next + run.n < m365->entry_count && strcmp(run.first[run.n].pattern, run.first->pattern) == 0)
        run.n++;
    return run;
}

static bool has_set(const struct run *run, uint32_t id)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->first[i].set->id == id)
            return true;
    return false;
}

static void print_entry(char sign, const struct tf_m365_entry *entry)
{
    printf("%c %s: set %u (", sign, entry->pattern, entry->set->id);
    endpoints_put_rank(stdout, entry->set);
    printf("), ");
    endpoints_put_ports(stdout, entry->set);
    printf("\n");
}

/* The entries of `run` whose sets are not in `other`. How many there are. */
static size_t print_entries(char sign, const struct run *run, const struct run *other)
{
    size_t n = 0;
    for (size_t i = 0; i < run->n; i++) {
        if (has_set(other, run->first[i].set->id))
            continue;
        print_entry(sign, &run->first[i]);
        n++;
    }
    return n;
}

/* As the index is ordered; what the sets are does not count. */
static int compare_patterns(const struct run *a, const struct run *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n == 0 ? 1 : -1; /* the longer index goes on alone */
    return strcmp(a->first->pattern, b->first->pattern) == 0 ? 0 : tf_m365_order(a->first, b->first);
}

static size_t print_names(const struct tf_m365 *before, const struct tf_m365 *after)
{
    size_t lines = 0, old_next = 0, new_next = 0;

    while (old_next < before->entry_count || new_next < after->entry_count) {
        struct run old = run_at(before, old_next);
        struct run new = run_at(after, new_next);
        int order = compare_patterns(&old, &new);
        if (order > 0)
            old.n = 0;
        if (order < 0)
            new.n = 0;
        lines += print_entries('-', &old, &new);
        lines += print_entries('+', &new, &old);
        old_next += old.n;
        new_next += new.n;
    }
    return lines;
}

static const struct tf_m365_set *set_with(const struct tf_m365 *m365, uint32_t id)
{
    for (size_t i = 0; i < m365->set_count; i++)
        if (m365->sets[i].id == id)
            return &m365->sets[i];
    return NULL;
}

static bool same_ports(const struct tf_m365_set *a, const struct tf_m365_set *b)
{
    if (a->port_count != b->port_count)
        return false;
    for (size_t i = 0; i < a->port_count; i++)
        if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
            return false;
    return true;
}

static void print_set(char sign, const struct tf_m365_set *set)
{
    printf("%c set %u: ", sign, set->id);
    endpoints_put_rank(stdout, set);
    printf(", ");
    endpoints_put_ports(stdout, set);
    printf("\n");
}

/* Sets that are in both, with another rank or other ports. */
static size_t print_sets(const struct tf_m365 *before, const struct tf_m365 *after)
{
    size_t lines = 0;
    for (size_t i = 0; i < before->set_count; i++) {
        const struct tf_m365_set *was = &before->sets[i];
        const struct tf_m365_set *is = set_with(after, was->id);
        if (!is || (was->area == is->area && was->category == is->category && was->required == is->required &&
                    same_ports(was, is)))
            continue;
        print_set('-', was);
        print_set('+', is);
        lines += 2;
    }
    return lines;
}

size_t endpoints_print_changes(const struct tf_m365 *before, const struct tf_m365 *after)
{
    size_t lines = print_names(before, after);
    return lines + print_sets(before, after);
}

enum endpoints_exit endpoints_diff(const struct endpoints_call *call)
{
    struct tf_conf other = *call->conf;
    char error[ENDPOINTS_ERROR_MAX];

    other.m365.endpoints = call->operand;
    struct endpoints *e = endpoints_load(&other, error, sizeof error);
    if (!e) {
        fprintf(stderr, "%s\n", error);
        return ENDPOINTS_FINDING;
    }
    size_t lines = endpoints_print_changes(call->conf->policy.m365, &e->m365);
    if (lines == 0)
        printf("the same names, ports and categories: %s and %s\n", call->conf->policy.m365->origin,
               e->m365.origin);
    endpoints_free(e);
    return lines == 0 ? ENDPOINTS_FINE : ENDPOINTS_FINDING;
}
