/* Recognising a hello; see client_signatures.def. */
#ifndef TF_CLIENT_SIGNATURE_H
#define TF_CLIENT_SIGNATURE_H

#include "client.h"

/* What one piece of evidence says. `perhaps` is worded as a guess; the same without its first word is a
 * statement. */
struct tf_client_clue {
    enum tf_client_family family;
    enum tf_client_certainty certainty; /* TF_CLIENT_NOT_KNOWN: it says nothing */
    const char *perhaps;                /* `perhaps Java 6` */
};

#define TF_CLIENT_PERHAPS "perhaps "

/* Of a client below TLS 1.2, or of one that opens in SSLv2 format. */
struct tf_client_clue tf_client_signature_find(const struct tf_hello *hello);
/* Whether a list of values (at most 128, see client_signature.c) fits a pattern as client_signatures.def has
 * them. */
bool tf_client_pattern_fits(const char *pattern, const uint32_t *values, size_t n);

#endif
