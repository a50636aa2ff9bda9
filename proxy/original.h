/* Where a connection was meant for, that a firewall has turned to a
 * transparent listener; and whether it is one of our own that came back. */
#ifndef ORIGINAL_H
#define ORIGINAL_H

#include "../lib/conf.h"

/* False: it was not turned here (REDIRECT: conntrack knows of no translation). TPROXY leaves no trace of
 * that: then it is what the client has connected to, which may be the listener itself. */
bool original_destination(int fd, enum tf_intercept how, struct tf_addr *out);

/* The gateway's own connections to servers, shared by all loops: for each local port a mark of where the last
 * one from there goes. What comes from the same address and port, and was meant for the same server, has gone
 * round in a circle. Each function takes NULL, while there is no transparent listener, and does nothing. */
struct own_ports;

struct own_ports *own_ports_new(void); /* NULL: out of memory */
void own_ports_free(struct own_ports *p);
/* Notes a socket that is on its way to an address, right after connect: it may come round before it is heard
 * of again. The port to take out when it is closed; 0: none. */
uint16_t own_ports_add(struct own_ports *p, int fd, const struct tf_addr *to);
void own_ports_remove(struct own_ports *p, uint16_t port); /* 0 is nothing */
/* Whether a connection from `source`, meant for `meant_for`, is one of ours. */
bool own_ports_have(const struct own_ports *p, const struct tf_addr *source, const struct tf_addr *meant_for);

#endif
