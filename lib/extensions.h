/* The extensions of a hello, one by one. For hello.c, server_hello.c and ja.c. */
#ifndef TF_EXTENSIONS_H
#define TF_EXTENSIONS_H

#include "bytes.h"

/* RFC 8446 4.2, RFC 6066, RFC 7301, RFC 8422. */
enum tf_extension_type {
    TF_EXT_SERVER_NAME = 0,
    TF_EXT_SUPPORTED_GROUPS = 10,
    TF_EXT_EC_POINT_FORMATS = 11,
    TF_EXT_SIGNATURE_ALGORITHMS = 13,
    TF_EXT_ALPN = 16,
    TF_EXT_SUPPORTED_VERSIONS = 43
};

struct tf_extension {
    uint16_t type;
    struct tf_reader body;
};

/* Which types have been seen. Zero n, nothing else: the set is too large to be cleared for nothing. */
struct tf_type_set {
    size_t n;
    uint16_t few[32];
    uint32_t bits[65536 / 32]; /* in use once there are more than fit into `few` */
};

/* Takes the next extension off the block. False at its end, and where it is broken: then block->failed is
 * set. */
bool tf_extension_next(struct tf_reader *block, struct tf_extension *ext);
/* False if the type is in the set already. */
bool tf_type_set_add(struct tf_type_set *set, uint16_t type);

#endif
