/* The SSL_CTX of each role, and what tls.c and tls_own.c have in common. Private to these and tls_ability.c.
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "../lib/bytes.h"
#include <openssl/ssl.h>

/* Each NULL, with OpenSSL's queue saying why, where OpenSSL cannot. The caller has the one reference. */

/* Towards clients whose TLS ends here, from TLS 1.0 on. `sessions`: how many session IDs are kept; 0: none,
 * clients resume by ticket only. Tickets are for those whose SSL has keys (tickets.h). */
SSL_CTX *tls_context_inside(uint32_t sessions);
/* Towards clients who speak TLS to the proxy itself: TLS 1.2 or 1.3 from `minimum` on. They resume by ticket.
 */
SSL_CTX *tls_context_outer(uint16_t minimum);
/* Towards servers: TLS 1.2 or 1.3 from `minimum` on. Nobody is trusted yet (trust.h). */
SSL_CTX *tls_context_outside(uint16_t minimum);

/* What a session may be resumed for, which goes into its session ID context. Each gateway with the same
 * certificates, and hence the same keys of tickets, comes to the same scopes. */
enum { TLS_ID_SIZE = 32 };
struct tls_scope {
    uint8_t id[TLS_ID_SIZE];
};
/* `role`: what the context is for; `id`: of the CA or of the certificate that clients see; `what`: the name
 * of the server, or whatever else tells sessions of this role apart. */
struct tls_scope tls_scope_of(const char *role, const uint8_t id[TLS_ID_SIZE], const char *what);

/* What tls_inside does, but for the certificate, which the context may have. */
SSL *tls_inside_from(SSL_CTX *context, bool is_legacy, const struct tls_scope *scope, SSL *outside);
/* For SSL_CTX_set_alpn_select_cb: the client gets what `outside`, the SSL's app data, has agreed on, if it is
 * among what the client offered. */
int tls_on_inside_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned offered_len, void *arg);
/* Answers for such a callback: `wanted`, one name or nothing, if it is among `offered`. */
int tls_pick_alpn(struct tf_span wanted, struct tf_span offered, const unsigned char **out,
                  unsigned char *out_len);

#endif
