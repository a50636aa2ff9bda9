/* Name constraints, made and read; see ca_names.h. Which names the rules
 * need is up to lib/constraint.c. */
#include "ca_names.h"

#include "../lib/calendar.h"
#include "../lib/constraint.h"
#include "certificate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUBTREES_MAX = 2000 };

struct subtrees {
    const char **list; /* the configuration's own texts */
    size_t n, room;
    bool everything; /* a rule may upgrade any name */
    bool failed;     /* out of memory */
};

static void add_subtree(void *arg, const char *pattern, const struct tf_rule *rule)
{
    struct subtrees *s = arg;
    const char *subtree = tf_constraint_of(pattern);
    (void)rule;
    s->everything |= subtree == NULL;
    if (s->n == s->room) {
        size_t room = s->room * 2 + 64;
        const char **list = realloc(s->list, room * sizeof *list);
        s->failed |= list == NULL;
        if (!list)
            return;
        s->list = list;
        s->room = room;
    }
    if (subtree)
        s->list[s->n++] = subtree;
}

/* A dot comes before any other character, so that all below a name follows it at once. */
static int rank(char c)
{
    return c == '.' ? 0 : (unsigned char)c;
}

/* Compares from the end. */
static int compare_subtrees(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    size_t i = strlen(x), k = strlen(y);
    while (i > 0 && k > 0) {
        int difference = rank(x[--i]) - rank(y[--k]);
        if (difference != 0)
            return difference;
    }
    return (i > 0) - (k > 0);
}

/* Leaves those that no other one covers. */
static void reduce(struct subtrees *s)
{
    size_t kept = 0;
    if (s->n > 0)
        qsort(s->list, s->n, sizeof *s->list, compare_subtrees);
    for (size_t i = 0; i < s->n; i++)
        if (kept == 0 || !tf_constraint_covers(s->list[kept - 1], s->list[i]))
            s->list[kept++] = s->list[i];
    s->n = kept;
}

/* Takes name. */
static bool push_subtree(STACK_OF(GENERAL_SUBTREE) * to, GENERAL_NAME *name)
{
    GENERAL_SUBTREE *subtree = name ? GENERAL_SUBTREE_new() : NULL;
    if (!subtree) {
        GENERAL_NAME_free(name);
        return false;
    }
    GENERAL_NAME_free(subtree->base);
    subtree->base = name;
    if (sk_GENERAL_SUBTREE_push(to, subtree) > 0)
        return true;
    GENERAL_SUBTREE_free(subtree);
    return false;
}

/* All addresses of a family: as many zeros for the base, and for the mask. */
static GENERAL_NAME *all_addresses(int bytes)
{
    static const unsigned char zeros[32];
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    if (general && octets && ASN1_OCTET_STRING_set(octets, zeros, 2 * bytes) == 1) {
        GENERAL_NAME_set0_value(general, GEN_IPADD, octets);
        return general;
    }
    GENERAL_NAME_free(general);
    ASN1_OCTET_STRING_free(octets);
    return NULL;
}

/* Leaves are for DNS names only, so that all addresses are excluded, whatever the rules say. */
static bool fill_constraints(NAME_CONSTRAINTS *c, const struct subtrees *s)
{
    c->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
    bool ok = c->excludedSubtrees && push_subtree(c->excludedSubtrees, all_addresses(4)) &&
              push_subtree(c->excludedSubtrees, all_addresses(16));
    if (s->everything || !ok)
        return ok;
    c->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    ok = c->permittedSubtrees != NULL;
    for (size_t i = 0; ok && i < s->n; i++)
        ok = push_subtree(c->permittedSubtrees, certificate_dns_name(s->list[i]));
    return ok;
}

static bool add_constraints(X509 *x, const struct subtrees *s, bool critical)
{
    NAME_CONSTRAINTS *c = NAME_CONSTRAINTS_new();
    bool ok = c && fill_constraints(c, s) &&
              X509_add1_ext_i2d(x, NID_name_constraints, c, critical, X509V3_ADD_APPEND) == 1;
    NAME_CONSTRAINTS_free(c);
    return ok;
}

bool ca_names_add(X509 *certificate, const struct tf_conf *conf, char *error, size_t size)
{
    struct subtrees s = {.n = 0};
    tf_constraint_walk(conf, tf_day_of(time(NULL)), add_subtree, &s);
    if (s.n == 0) /* an empty list would permit everything; no real name ends so (RFC 6761) */
        add_subtree(&s, "invalid", NULL);
    reduce(&s);
    bool fits = s.everything || s.n <= SUBTREES_MAX;
    bool ok = fits && !s.failed && add_constraints(certificate, &s, !conf->ca.lenient);
    if (!fits)
        snprintf(
            error, size,
            "the rules may upgrade %zu domains, and a CA of more than %d is too large for clients; write "
            "fewer and wider ones, such as *.example.com",
            s.n, SUBTREES_MAX);
    else if (!ok)
        snprintf(error, size, "out of memory");
    free(s.list);
    return ok;
}

/* --- reading --- */

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

/* The DNS names among the subtrees, to a NULL. NULL: out of memory. */
static char **read_subtrees(const STACK_OF(GENERAL_SUBTREE) * from)
{
    int count = from ? sk_GENERAL_SUBTREE_num(from) : 0;
    char **list = calloc((size_t)count + 1, sizeof *list);
    size_t n = 0;
    for (int i = 0; list && i < count; i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(from, i)->base;
        if (base->type != GEN_DNS)
            continue;
        const ASN1_STRING *text = base->d.dNSName;
        list[n] = strndup((const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        if (!list[n++]) {
            free_list(list);
            return NULL;
        }
    }
    return list;
}

bool ca_names_read(struct ca_names *names, const X509 *certificate)
{
    int found; /* -1: there is no such extension */
    NAME_CONSTRAINTS *c = X509_get_ext_d2i(certificate, NID_name_constraints, &found, NULL);
    names->permitted = read_subtrees(c ? c->permittedSubtrees : NULL);
    names->excluded = read_subtrees(c ? c->excludedSubtrees : NULL);
    NAME_CONSTRAINTS_free(c);
    return names->permitted && names->excluded && (c || found == -1);
}

void ca_names_fini(struct ca_names *names)
{
    free_list(names->permitted);
    free_list(names->excluded);
}

static bool covers(char *const *subtrees, const char *name)
{
    for (; *subtrees; subtrees++)
        if (tf_constraint_covers(*subtrees, name))
            return true;
    return false;
}

bool ca_names_permit(const struct ca_names *names, const char *name)
{
    return (!names->permitted[0] || covers(names->permitted, name)) && !covers(names->excluded, name);
}
