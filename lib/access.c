/* Access control; see access.h. */
#include "access.h"

#include <string.h>

bool tf_address_set_has(const struct tf_address_set *set, const struct tf_addr *a)
{
    if (set->classes & 1u << tf_addr_class(a))
        return true;
    for (size_t i = 0; i < set->block_count; i++)
        if (tf_cidr_has(&set->blocks[i], a))
            return true;
    return false;
}

enum tf_reason tf_access_source(const struct tf_access *access, const struct tf_addr *source)
{
    return tf_address_set_has(&access->source, source) ? TF_REASON_NONE : TF_REASON_SOURCE_DENIED;
}

enum tf_reason tf_access_port(const struct tf_access *access, uint16_t port)
{
    for (size_t i = 0; i < access->port_count; i++)
        if (port >= access->ports[i].first && port <= access->ports[i].last)
            return TF_REASON_NONE;
    return TF_REASON_PORT_DENIED;
}

static bool is_wildcard(const struct tf_addr *a)
{
    static const uint8_t zeros[16];
    return memcmp(a->ip, zeros, sizeof zeros) == 0;
}

/* Whether the kernel would deliver a connection to `a` on this very machine. Connecting to the unspecified
 * address, or to any address of its block, reaches the machine itself. */
static bool is_local(const struct tf_access *access, const struct tf_addr *a)
{
    enum tf_class class = tf_addr_class(a);
    if (class == TF_CLASS_LOOPBACK || class == TF_CLASS_UNSPECIFIED)
        return true;
    for (size_t i = 0; i < access->local_count; i++)
        if (tf_addr_same_ip(&access->local[i], a))
            return true;
    return false;
}

static bool is_own_listener(const struct tf_access *access, const struct tf_addr *a)
{
    for (size_t i = 0; i < access->listener_count; i++) {
        const struct tf_addr *l = &access->listeners[i];
        if (l->port != a->port)
            continue;
        if (is_wildcard(l) || is_wildcard(a) ? is_local(access, a) : tf_addr_same_ip(l, a))
            return true;
    }
    return false;
}

/* An IPv4-mapped address leaves the machine as IPv4, so the IPv4 address must pass as well. */
static bool unmap(const struct tf_addr *a, struct tf_addr *out)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    if (a->family != TF_FAMILY_V6 || memcmp(a->ip, prefix, sizeof prefix) != 0)
        return false;
    *out = (struct tf_addr){.family = TF_FAMILY_V4, .port = a->port};
    memcpy(out->ip, a->ip + sizeof prefix, 4);
    return true;
}

static enum tf_reason check_address(const struct tf_access *access, const struct tf_addr *a)
{
    if (is_own_listener(access, a))
        return TF_REASON_DESTINATION_SELF;
    return tf_address_set_has(&access->destination, a) ? TF_REASON_NONE : TF_REASON_DESTINATION_DENIED;
}

enum tf_reason tf_access_address(const struct tf_access *access, const struct tf_addr *destination)
{
    struct tf_addr v4;
    enum tf_reason reason = check_address(access, destination);
    if (reason == TF_REASON_NONE && unmap(destination, &v4))
        return check_address(access, &v4);
    return reason;
}
