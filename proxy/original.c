/* Where turned connections were meant for, and our own among them; see original.h. */
#include "original.h"

#include "hash.h"
#include "sockaddr.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>

/* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of the kernel's netfilter headers, which not every libc's own bear
 * beside them. */
enum { ORIGINAL_DST = 80 };

enum { PORTS = 65536 };

typedef int name_call(int fd, struct sockaddr *sa, socklen_t *len);

static bool name_of(name_call *call, int fd, struct tf_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    return call(fd, (struct sockaddr *)&sa, &len) == 0 && sockaddr_to_peer((struct sockaddr *)&sa, out);
}

static int ask_conntrack_v4(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getsockopt(fd, IPPROTO_IP, ORIGINAL_DST, sa, len);
}

static int ask_conntrack_v6(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getsockopt(fd, IPPROTO_IPV6, ORIGINAL_DST, sa, len);
}

bool original_destination(int fd, enum tf_intercept how, struct tf_addr *out)
{
    struct tf_addr local;
    if (!name_of(getsockname, fd, out))
        return false;
    if (how == TF_INTERCEPT_TPROXY) /* the socket has the name of the server that the client wanted */
        return true;
    local = *out;
    name_call *ask = local.family == TF_FAMILY_V4 ? ask_conntrack_v4 : ask_conntrack_v6;
    /* Of a connection that is tracked but was not turned, it says where it has come to. */
    return name_of(ask, fd, out) && !(tf_addr_same_ip(out, &local) && out->port == local.port);
}

/* By local port: from which address to which server the last connection from there goes; 0: there is none.
 * One port serves connections to several servers, so the port alone would take other programs of this machine
 * for us. That the last one hides those before does no harm: a connection that goes round comes back right
 * after it was made. */
struct own_ports {
    _Atomic uint32_t marks[PORTS];
};

/* Who finds another pair with the same mark can have but his own connection refused. */
static uint32_t mark_of(const struct tf_addr *from, const struct tf_addr *to)
{
    uint32_t mark = hash_bytes(HASH_START, from->ip, sizeof from->ip);
    mark = hash_bytes(mark, to->ip, sizeof to->ip);
    mark = hash_bytes(mark, &to->port, sizeof to->port);
    return mark != 0 ? mark : 1;
}

struct own_ports *own_ports_new(void)
{
    return calloc(1, sizeof(struct own_ports));
}

void own_ports_free(struct own_ports *p)
{
    free(p);
}

uint16_t own_ports_add(struct own_ports *p, int fd, const struct tf_addr *to)
{
    struct tf_addr from;
    if (p == NULL || !name_of(getsockname, fd, &from))
        return 0;
    atomic_store_explicit(&p->marks[from.port], mark_of(&from, to), memory_order_release);
    return from.port;
}

void own_ports_remove(struct own_ports *p, uint16_t port)
{
    if (p != NULL && port != 0)
        atomic_store_explicit(&p->marks[port], 0, memory_order_release);
}

bool own_ports_have(const struct own_ports *p, const struct tf_addr *source, const struct tf_addr *meant_for)
{
    return p != NULL &&
           atomic_load_explicit(&p->marks[source->port], memory_order_acquire) == mark_of(source, meant_for);
}
