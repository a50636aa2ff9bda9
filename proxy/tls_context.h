/* The SSL_CTX of each role of an upgrade. Private to tls.c and tls_ability.c. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdint.h>

/* Both NULL, with OpenSSL's queue saying why, where OpenSSL cannot. The caller has the one reference. */

/* Towards clients. `sessions`: how many session IDs are kept; 0: none, clients resume by ticket only. */
SSL_CTX *tls_context_inside(uint32_t sessions);
/* Towards servers: TLS 1.2 or 1.3 from `minimum` on. Nobody is trusted yet (trust.h). */
SSL_CTX *tls_context_outside(uint16_t minimum);

#endif
