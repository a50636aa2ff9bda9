/* Where a connection was meant for, that a firewall has turned to a
 * transparent listener; and whether it is one of our own that came back. */
#ifndef ORIGINAL_H
#define ORIGINAL_H

#include "../lib/conf.h"

/* False: it was not turned here (REDIRECT: conntrack knows of no translation). */
bool original_destination(int fd, enum tf_intercept how, struct tf_addr *out);

/* The local ports that the gateway's own connections to servers have now, shared by all loops: a set of 65536
 * atomic bits. A connection from one of this machine's addresses and one of these ports has gone round in a
 * circle. NULL everywhere while there is no transparent listener. */
struct own_ports;

struct own_ports *own_ports_new(void); /* NULL: out of memory */
void own_ports_free(struct own_ports *p);
/* Notes the port of a socket that is being connected; 0: it has none. */
uint16_t own_ports_add(struct own_ports *p, int fd);
void own_ports_remove(struct own_ports *p, uint16_t port); /* 0 is nothing */
/* Whether `source`, the peer of `fd`, is such a socket: its address is one of this machine's, too. */
bool own_ports_have(const struct own_ports *p, const struct tf_addr *source);

#endif
