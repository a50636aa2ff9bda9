/* Addresses between lib's struct tf_addr and the kernel's structures. */
#ifndef SOCKADDR_H
#define SOCKADDR_H

#include "../lib/addr.h"
#include <sys/socket.h>

/* Fills *out and returns its length for bind and connect. TF_FAMILY_NONE becomes the IPv6 wildcard, which
 * takes both families on a socket without IPV6_V6ONLY. */
socklen_t sockaddr_from_addr(struct sockaddr_storage *out, const struct tf_addr *a);

/* The address as it is written: an IPv4-mapped one stays IPv6. False, and *out zeroed: no IP address. */
bool sockaddr_to_addr(const struct sockaddr *sa, struct tf_addr *out);

/* The same for what accept, getpeername and getsockname say: there an IPv4-mapped address means that IPv4
 * came in on an IPv6 socket, so *out is the IPv4 address. Never for addresses that a peer or a DNS server
 * named. */
bool sockaddr_to_peer(const struct sockaddr *sa, struct tf_addr *out);

#endif
