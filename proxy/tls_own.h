/* A listener's own certificate, and the contexts that show it: for clients
 * who speak TLS to the proxy itself (`tls = on`), and for those whose TLS ends
 * here in the place of the server's (`forward` with a certificate). */
#ifndef TLS_OWN_H
#define TLS_OWN_H

#include "tls.h"

struct tls_own;

/* Reads [listener] certificate and key; the key must not be open to others than its owner and its group. A
 * certificate that has expired is taken. NULL with a sentence that names the setting in error. */
struct tls_own *tls_own_load(const struct tf_conf *conf, const struct tf_listener *listener, char *error,
                             size_t size);
void tls_own_free(struct tls_own *own); /* may be NULL */

/* TLS to the proxy itself, from [floor] minimum on; accept state. NULL: out of memory. */
SSL *tls_own_outer(const struct tls_own *own);
/* In the place of tls_inside: with this certificate. It is of one kind, which tf_inside_choose does not know
 * of: who could only be served with another is told so by a handshake that fails (tls_own_failure). */
SSL *tls_own_inside(const struct tls_own *own, bool is_legacy, const char *name, SSL *outside);
/* For `check` and `explain`: when the certificate ends, seconds since 1970, and whose it is, as `CN=...`. */
int64_t tls_own_expires(const struct tls_own *own);
void tls_own_put_subject(const struct tls_own *own, struct tf_writer *w);

#endif
