/* struct tf_addr to and from the kernel's address structures; see sockaddr.h. */
#include "sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_from_addr(struct sockaddr_storage *out, const struct tf_addr *a)
{
    memset(out, 0, sizeof *out);
    if (a->family == TF_FAMILY_V4) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&v4.sin_addr, a->ip, sizeof v4.sin_addr);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope};
    memcpy(&v6.sin6_addr, a->ip, sizeof v6.sin6_addr);
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

bool sockaddr_to_addr(const struct sockaddr *sa, struct tf_addr *out)
{
    *out = (struct tf_addr){.family = TF_FAMILY_NONE};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, sa, sizeof v4);
        out->family = TF_FAMILY_V4;
        out->port = ntohs(v4.sin_port);
        memcpy(out->ip, &v4.sin_addr, sizeof v4.sin_addr);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, sa, sizeof v6);
        out->family = TF_FAMILY_V6;
        out->port = ntohs(v6.sin6_port);
        out->scope = v6.sin6_scope_id;
        memcpy(out->ip, &v6.sin6_addr, sizeof v6.sin6_addr);
        return true;
    }
    return false;
}

bool sockaddr_to_peer(const struct sockaddr *sa, struct tf_addr *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (!sockaddr_to_addr(sa, out))
        return false;
    if (out->family == TF_FAMILY_V6 && memcmp(out->ip, mapped, sizeof mapped) == 0) {
        struct tf_addr v4 = {.family = TF_FAMILY_V4, .port = out->port};
        memcpy(v4.ip, out->ip + sizeof mapped, 4);
        *out = v4;
    }
    return true;
}
