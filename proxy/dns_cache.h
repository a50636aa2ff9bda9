/* Answers of the DNS, kept until their time is over: a bounded table that
 * knows no clock and asks nobody. Host names are lower case here. */
#ifndef DNS_CACHE_H
#define DNS_CACHE_H

#include "../lib/addr.h"

struct dns_cache;

/* Holds at most `entries` answers; with 0 none. NULL: out of memory. */
struct dns_cache *dns_cache_new(size_t entries);
void dns_cache_free(struct dns_cache *c);

/* True if an answer for host in this family is held and still holds at now_ms: its addresses are then in out,
 * `room` of them at most, and *n tells how many (0: there are none). */
bool dns_cache_get(struct dns_cache *c, const char *host, enum tf_family family, uint64_t now_ms,
                   struct tf_addr *out, size_t room, size_t *n);
/* Keeps n addresses (0: there are none) for ttl_ms, in place of what was known; ttl_ms 0 only forgets that.
 * For want of memory, too, nothing is kept. */
void dns_cache_put(struct dns_cache *c, const char *host, enum tf_family family, uint64_t now_ms,
                   uint64_t ttl_ms, const struct tf_addr *addresses, size_t n);

/* The hash of a question, for tables of them. */
uint32_t dns_hash(const char *host, enum tf_family family);

#endif
