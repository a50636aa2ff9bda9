/* TLS of upgraded sessions: one context for each role, and what OpenSSL says
 * when it fails, in words. Certificates of a listener's own are in tls_own.h.
 *
 * The two never share anything. Inside is what legacy clients need: TLS 1.0,
 * security level 0, CBC. Outside is what the Internet wants: TLS 1.2 or 1.3,
 * chain, name and purpose verified; no setting, file or environment variable
 * lowers it.
 *
 * RSA signatures of the inside handshakes stay on the loop: 0.3 ms each, and
 * a loop is a core's own thread, so that handing them to another one costs
 * more than it gives. What is off the loop is minting (mint.h). */
#ifndef TLS_H
#define TLS_H

#include "mint.h"
#include <openssl/ssl.h>

/* Immutable, counted, shared by all loops. */
struct tls;

/* `ca` may be NULL: nothing can be terminated, and only plain HTTP is upgraded. Its reference is taken on
 * success. `old`, where not NULL, is the one that this replaces: clients can go on resuming if the CA is the
 * same. NULL with a sentence that names the setting in error. */
struct tls *tls_new(const struct tf_conf *conf, struct ca *ca, const struct tls *old, char *error,
                    size_t size);
struct tls *tls_ref(struct tls *t);
void tls_unref(struct tls *t);
struct ca *tls_ca(const struct tls *t); /* may be NULL */

/* The server's side of an upgrade; connect state. `name` goes into SNI and is what the certificate must have.
 * `alpn`: what the client offered (ProtocolNames, RFC 7301), of which h2 is left out; empty: http/1.1 where
 * `is_http`, else nothing. `resume`, which may be NULL, is offered unless a certificate in it has expired:
 * what is resumed is not verified again. NULL: out of memory, or `name` is no host. */
SSL *tls_outside(const struct tls *t, const char *name, struct tf_span alpn, bool is_http,
                 SSL_SESSION *resume);
/* Before its handshake: `group` (of SSL_get_negotiated_group; 0: not known) is what the server has taken
 * before, and is offered first. */
void tls_outside_lead(SSL *ssl, int group);
/* The client's side, accept state. `is_legacy`: the client is below the floor, and TLS 1.0 will do; others,
 * whose TLS ends here because a listener wants it, get 1.2 at least. The suites are those of lib/inside.h
 * either way, so that what tf_inside_choose has promised holds. `name` keeps sessions of one name from being
 * resumed for another; those by ticket need keys (tickets_attach). ALPN answers what `outside`, which must
 * live as long and is the SSL's app data, has agreed on; NULL: the server's side is plain text, and nothing
 * is. */
SSL *tls_inside(const struct tls *t, const struct leaf *leaf, bool is_legacy, const char *name, SSL *outside);

/* Whether this OpenSSL, as built and configured here, can do TLS 1.0 at all. */
bool tls_can_tls10(void);
/* The version and suite agreed on. */
struct tf_leg tls_leg(SSL *ssl);

/* After a handshake call that failed with SSL_ERROR_SSL or SSL_ERROR_SYSCALL: the reason, and the exact cause
 * in words, such as `certificate has expired: CN=... (depth 0, issued by CN=...), valid until 2024-01-01`.
 * Empties OpenSSL's queue. Peer bytes in it are printable ASCII. */
enum tf_reason tls_outside_failure(SSL *ssl, struct tf_writer *why);
enum tf_reason tls_inside_failure(SSL *ssl, struct tf_writer *why);
/* The same where the certificate is the listener's own (tls_own_inside), of which no CA of ours knows. */
enum tf_reason tls_own_failure(SSL *ssl, struct tf_writer *why);
/* The same for TLS to the proxy itself. */
enum tf_reason tls_outer_failure(SSL *ssl, struct tf_writer *why);
/* The oldest error of OpenSSL's queue in words; empties it. */
void tls_put_error(struct tf_writer *w);

#endif
