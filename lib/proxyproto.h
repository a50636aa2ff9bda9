/* The PROXY protocol, versions 1 and 2: who the client is, in front of its
 * first byte, from a load balancer that has taken its connection. */
#ifndef TF_PROXYPROTO_H
#define TF_PROXYPROTO_H

#include "addr.h"
#include "hello.h"

/* The longest header that is read: version 2 may carry TLVs, which are passed over. */
#define TF_PROXY_HEADER_MAX 4096
/* Room for one that is written. */
#define TF_PROXY_HEADER_ROOM 128

struct tf_proxy_header {
    bool has_addresses; /* false: the balancer speaks for itself (LOCAL, UNKNOWN, a family without ports) */
    struct tf_addr source, destination;
};

/* Reads one from the front of `in`. TF_PARSE_DONE: *used bytes were it. TF_PARSE_MORE: it is not whole yet.
 * TF_PARSE_BAD: *why says what is wrong; or there is none. */
enum tf_parse tf_proxy_header_parse(struct tf_span in, struct tf_proxy_header *out, size_t *used,
                                    const char **why);
/* Writes one of version 1 or 2. Addresses of different families are both written as IPv6 (mapped). */
void tf_put_proxy_header(struct tf_writer *w, unsigned version, const struct tf_addr *source,
                         const struct tf_addr *destination);

#endif
