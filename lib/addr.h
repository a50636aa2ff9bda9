/* IP addresses as plain data: text forms, CIDR blocks, address classes.
 *
 * No resolver and no sockets here: `proxy/sockaddr.h` converts to and from
 * the kernel's structures. */
#ifndef TF_ADDR_H
#define TF_ADDR_H

#include "bytes.h"

enum tf_family { TF_FAMILY_NONE = 0, TF_FAMILY_V4 = 4, TF_FAMILY_V6 = 6 };

/* An address and a port in host byte order. An IPv4 address fills ip[0..3],
 * the rest is zero. An IPv4-mapped IPv6 address stays an IPv6 one. */
struct tf_addr {
    uint8_t family; /* enum tf_family */
    uint8_t ip[16];
    uint16_t port;
    uint32_t scope; /* of a link-local IPv6 address, as the kernel numbers interfaces; else 0 */
};

/* A block of addresses: those whose first `bits` bits are those of `base`. */
struct tf_cidr {
    struct tf_addr base;
    uint8_t bits;
};

/* What kind of address this is. Exactly one class holds; TF_CLASS_PUBLIC is
 * what no special-purpose registry entry covers (RFC 6890 and its registries). */
enum tf_class {
    TF_CLASS_PUBLIC,
    TF_CLASS_LOOPBACK,      /* 127.0.0.0/8, ::1 */
    TF_CLASS_PRIVATE,       /* RFC 1918, fc00::/7 */
    TF_CLASS_LINK_LOCAL,    /* 169.254.0.0/16, fe80::/10 (metadata has its own class) */
    TF_CLASS_METADATA,      /* 169.254.169.254, fd00:ec2::254 and the like: cloud credentials */
    TF_CLASS_SHARED,        /* 100.64.0.0/10 */
    TF_CLASS_DOCUMENTATION, /* 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20 */
    TF_CLASS_BENCHMARK,     /* 198.18.0.0/15, 2001:2::/48 */
    TF_CLASS_MULTICAST,     /* 224.0.0.0/4, ff00::/8 */
    TF_CLASS_MAPPED,        /* ::ffff:0:0/96, and the old IPv4-compatible ::/96 */
    TF_CLASS_NAT64,         /* 64:ff9b::/96, 64:ff9b:1::/48 */
    TF_CLASS_6TO4,          /* 2002::/16, and the relay anycast 192.88.99.0/24 */
    TF_CLASS_TEREDO,        /* 2001::/32 */
    TF_CLASS_UNSPECIFIED,   /* 0.0.0.0/8, :: */
    TF_CLASS_RESERVED       /* 240.0.0.0/4, 192.0.0.0/24, discard-only and other special blocks */
};

enum tf_class tf_addr_class(const struct tf_addr *a);
const char *tf_class_name(enum tf_class c);

/* Strict text forms: dotted quad without leading zeros, or RFC 4291 IPv6
 * without brackets, zone or port. The whole text must be the address.
 * Port and scope of *out are set to 0. False: not an address. */
bool tf_addr_parse(const char *text, size_t n, struct tf_addr *out);
/* `a.b.c.d/len`, `v6/len` or a lone address (then the full length). Bits
 * behind the prefix must be zero: false, with *error set to a fixed sentence. */
bool tf_cidr_parse(const char *text, size_t n, struct tf_cidr *out, const char **error);
/* `address:port`, `[v6]:port`, `:port` or `*:port` (the last two: family
 * TF_FAMILY_NONE, meaning every address of both families). */
bool tf_addr_port_parse(const char *text, size_t n, struct tf_addr *out);

/* RFC 5952 text; tf_put_addr_port writes `1.2.3.4:443` or `[2001:db8::1]:443`. */
void tf_put_addr(struct tf_writer *w, const struct tf_addr *a);
void tf_put_addr_port(struct tf_writer *w, const struct tf_addr *a);
#define TF_ADDR_TEXT_MAX 64 /* holds either text form and a NUL */

bool tf_addr_same_ip(const struct tf_addr *a, const struct tf_addr *b);
bool tf_cidr_has(const struct tf_cidr *c, const struct tf_addr *a); /* families must agree */

#endif
