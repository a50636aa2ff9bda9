/* MD5 and SHA-256 for fingerprints (lib/ja.h), from OpenSSL. */
#ifndef DIGEST_H
#define DIGEST_H

#include "../lib/ja.h"
#include <openssl/types.h>

struct digest {
    EVP_MD *algorithm; /* looked up once: a look-up costs more than a fingerprint */
    EVP_MD_CTX *running;
    bool failed;
};

/* One for each thread. What tf_digest points to is in here, so it must not move. */
struct digests {
    struct tf_digest md5, sha256; /* size 0 where OpenSSL refuses it, as it does MD5 in FIPS mode */
    struct digest md5_state, sha256_state;
};

/* False: out of memory, and there is nothing to fini. */
bool digests_init(struct digests *d);
void digests_fini(struct digests *d);

#endif
