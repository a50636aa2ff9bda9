/* What OpenSSL found wrong with a server's certificate, kept with the SSL
 * until somebody asks. */
#ifndef TLS_VERDICT_H
#define TLS_VERDICT_H

#include "../lib/bytes.h"
#include <openssl/ssl.h>

/* Before the first handshake. False: out of memory. */
bool tls_verdict_init(void);
/* For SSL_CTX_set_verify: keeps the certificate that is to blame, and forgives nothing. */
int tls_on_verify(int ok, X509_STORE_CTX *store);
/* `certificate has expired: CN=... (depth 0, issued by CN=...), valid until 2024-01-01`, after a verification
 * that failed. */
void tls_put_verdict(struct tf_writer *w, const SSL *ssl);

/* `CN=...`, or the organisation, which is what nameless intermediates have. */
void tls_put_subject(struct tf_writer *w, const X509_NAME *name);
/* Bytes of a peer's as printable ASCII, others and the backslash as \xNN, cut to a length that suits a
 * sentence. */
void tls_put_peer_text(struct tf_writer *w, const void *p, size_t n);

#endif
