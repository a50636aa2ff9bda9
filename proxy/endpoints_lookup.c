/* `tlsfloor endpoints lookup`: the sets that a name or an address and a port
 * are in, and what the gateway makes of that. */
#include "endpoints_command.h"

#include <string.h>

enum { HTTPS_PORT = 443 };

/* How the host lies in the set: on this port, on others, or not at all. */
enum place { PLACE_HERE, PLACE_ELSEWHERE, PLACE_NONE };

static bool has_host(const struct tf_m365_set *set, const struct tf_target *target)
{
    return target->is_address ? tf_m365_block(set, &target->addr) != NULL
                              : tf_m365_names_match(set->names, set->name_count, target->host) != NULL;
}

static enum place place_of(const struct tf_m365_set *set, const struct tf_target *target)
{
    if (!has_host(set, target))
        return PLACE_NONE;
    return tf_ports_have(set->ports, set->port_count, target->port) ? PLACE_HERE : PLACE_ELSEWHERE;
}

/* The block or pattern of the set that has the host. */
static void print_match(const struct tf_m365_set *set, const struct tf_target *target)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    if (!target->is_address) {
        printf("%s", tf_m365_names_match(set->names, set->name_count, target->host));
        return;
    }
    const struct tf_cidr *block = tf_m365_block(set, &target->addr);
    tf_put_addr(&w, &block->base);
    printf("%.*s/%u", (int)w.len, text, block->bits);
}

static void print_set(const struct tf_m365_set *set, const struct tf_target *target, const char *label)
{
    printf("  %-10s set %u (", label, set->id);
    endpoints_put_rank(stdout, set);
    printf("), by ");
    print_match(set, target);
    printf(" on ");
    endpoints_put_ports(stdout, set);
    printf("\n");
}

/* Every set at this place but `except`. How many there are. */
static size_t print_sets(const struct tf_m365 *m365, const struct tf_target *target, enum place place,
                         const char *label, const struct tf_m365_set *except)
{
    size_t n = 0;
    for (const struct tf_m365_set *set = m365->sets; set < m365->sets + m365->set_count; set++) {
        if (set == except || place_of(set, target) != place)
            continue;
        print_set(set, target, label);
        n++;
    }
    return n;
}

/* Whether another set has the host here and is of the same category. */
static bool has_equal(const struct tf_m365 *m365, const struct tf_target *target,
                      const struct tf_m365_set *best)
{
    for (const struct tf_m365_set *set = m365->sets; set < m365->sets + m365->set_count; set++)
        if (set != best && set->category == best->category && place_of(set, target) == PLACE_HERE)
            return true;
    return false;
}

static const char *kind_of(const struct tf_target *target)
{
    return target->is_address ? "address" : "name";
}

static void print_why(const struct tf_m365 *m365, const struct tf_target *target,
                      const struct tf_m365_set *best, size_t others)
{
    const char *rest = best->stays_plain
                           ? "no category is better, and it is the set of certificate revocation"
                           : "no category is better, and it is the first of the file";
    if (others == 0)
        printf("  %-10s no other set has the %s on this port\n", "because", kind_of(target));
    else
        printf("  %-10s %s\n", "because", has_equal(m365, target, best) ? rest : "it has the best category");
}

static void print_treatment(const struct tf_policy *policy, const struct tf_target *target,
                            const struct tf_m365_set *set)
{
    const char *never =
        tf_m365_names_match(policy->never_terminate, policy->never_terminate_count, target->host);
    const char *plain = tf_m365_names_match(policy->stay_plain, policy->stay_plain_count, target->host);

    if (never)
        printf("  %-10s never terminated, so never upgraded: %s in [m365] never_terminate\n", "upgrade",
               never);
    if (plain)
        printf("  %-10s stays plain: %s in [m365] stay_plain\n", "plain HTTP", plain);
    else if (set && set->stays_plain)
        printf("  %-10s stays plain: set %u is for certificate revocation\n", "plain HTTP", set->id);
}

static enum endpoints_exit lookup(const struct tf_policy *policy, const struct tf_target *target)
{
    const struct tf_m365 *m365 = policy->m365;
    const struct tf_m365_set *set = target->is_address
                                        ? tf_m365_find_address(m365, &target->addr, target->port, NULL)
                                        : tf_m365_find(m365, target->host, target->port, NULL);
    char text[TF_AUTHORITY_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);

    tf_put_authority(&w, target, 0);
    printf("%.*s, looked up in %s\n", (int)w.len, text, m365->origin);
    if (set) {
        print_set(set, target, "counts");
        size_t others = print_sets(m365, target, PLACE_HERE, "also in", set);
        print_why(m365, target, set, others);
    } else {
        printf("  %-10s nothing: no set has the %s on this port\n", "counts", kind_of(target));
    }
    print_sets(m365, target, PLACE_ELSEWHERE, "elsewhere", NULL);
    print_treatment(policy, target, set);
    return set ? ENDPOINTS_FINE : ENDPOINTS_FINDING;
}

enum endpoints_exit endpoints_lookup(const struct endpoints_call *call)
{
    struct tf_target target;
    enum tf_host_error e = tf_authority_parse(call->operand, strlen(call->operand), HTTPS_PORT, &target);
    if (e == TF_HOST_OK)
        return lookup(&call->conf->policy, &target);
    fprintf(stderr, "tlsfloor endpoints: '%s' is no HOST or HOST:PORT: %s\n", call->operand,
            tf_host_error_text(e));
    return ENDPOINTS_USAGE;
}
