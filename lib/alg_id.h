/* The numbers by which Windows logs TLS: Schannel's protocol bits (those of
 * servers) and CryptoAPI's ALG_IDs, as IIS has them in crypt-protocol,
 * crypt-cipher, crypt-hash and crypt-keyexchange. */
#ifndef TF_ALG_ID_H
#define TF_ALG_ID_H

#include <stdint.h>

/* Of the parts of a suite; 0 where there is no such number. */
struct tf_alg_ids {
    uint16_t cipher, hash, key_exchange;
};

uint16_t tf_alg_protocol(uint16_t version); /* 0x40 for TLS 1.0; 0: none */
/* An AEAD suite has no hash: what its name ends in is the hash of its key derivation. */
struct tf_alg_ids tf_alg_ids_of(uint16_t suite);

#endif
