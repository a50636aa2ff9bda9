/* The inside leg: what a legacy client may agree on with the gateway, and
 * what that takes. The suites stand in one table, which both this answer and
 * OpenSSL's context of the inside leg (proxy/tls.c) are made from, so that
 * "no common suite" is known before anybody is dialled. */
#ifndef TF_INSIDE_H
#define TF_INSIDE_H

#include "hello.h"

enum tf_leaf { TF_LEAF_RSA, TF_LEAF_ECDSA };

struct tf_inside_suite {
    uint16_t id;
    const char *name; /* OpenSSL's */
    uint16_t since;   /* the lowest version that has it */
    bool is_ecdhe;
    enum tf_leaf leaf; /* whose key it takes */
};

/* TLS 1.2 and below, safest first; NULL name behind the last. ECDSA before RSA where all else is equal,
 * forward secrecy before static RSA, DHE last (Java 6 and 7 break on groups above 1024 bits). RC4, 3DES,
 * export, NULL and anonymous suites are never in it. */
extern const struct tf_inside_suite tf_inside_suites[];

/* TF_REASON_NONE, with the kind of leaf that the client takes in *leaf; or why the inside leg cannot serve
 * it: TF_REASON_NO_COMMON_SUITE, or TF_REASON_CLIENT_FALLBACK where TLS_FALLBACK_SCSV says that the client
 * can do better than this hello (RFC 7507). The hello announces TLS 1.0 or more, in either format. */
enum tf_reason tf_inside_choose(const struct tf_hello *hello, enum tf_leaf *leaf);

#endif
