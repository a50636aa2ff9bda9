/* Names to addresses: c-ares on the loop, in front of it a bounded cache
 * that honours TTLs. One a loop, no locks: at worst each loop asks once a TTL,
 * which is cheaper than a mutex on the path of every session. */
#ifndef DNS_H
#define DNS_H

#include "../lib/conf.h"
#include <uv.h>

struct dns;
struct dns_query;

#define DNS_ADDRESSES_MAX 16 /* of one name in one family; what a server says beyond that is left out */

enum dns_status { DNS_OK, DNS_NOT_FOUND, DNS_TIMEOUT, DNS_FAILED };

/* `addresses` have port 0 and are valid during the call only. n is 0 unless DNS_OK. Called once a query,
 * which is gone by then, and never from within dns_ask. */
typedef void dns_cb(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n);

/* `servers` as tf_conf.dns_servers. NULL, with a sentence in error[0..size). */
struct dns *dns_new(uv_loop_t *loop, const struct tf_limits *limits, const char *servers, char *error,
                    size_t size);
/* New settings after a reload; resolv.conf is read anew and the cache begins anew. Queries in flight are
 * answered all the same. False, with a sentence in error: the old settings stay. */
bool dns_configure(struct dns *d, const struct tf_limits *limits, const char *servers, char *error,
                   size_t size);
void dns_free(
    struct dns *d); /* calls back nothing any more; the memory goes when the loop has run its closes */

/* What the cache holds of host in this family; true if it knows (n 0: known not to exist). No I/O. Hosts are
 * any case, and shorter than TF_HOST_MAX. */
bool dns_cached(struct dns *d, const char *host, enum tf_family family, struct tf_addr *out, size_t room,
                size_t *n);
/* Looks host up (hosts file, then DNS, no search list) in one family; dns_cached comes first. Queries for the
 * same share one question. NULL: out of memory. */
struct dns_query *dns_ask(struct dns *d, const char *host, enum tf_family family, dns_cb *cb, void *arg);
void dns_cancel(struct dns_query *q); /* the callback is then not made */

#endif
