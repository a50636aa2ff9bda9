/* TLS over a link: OpenSSL reads the link's lookahead and socket through one
 * small BIO, and writes through it. Whoever reads and writes a link with TLS
 * moves plain text; see link.h. */
#ifndef TLS_LINK_H
#define TLS_LINK_H

#include "link.h"
#include "resume.h"
#include <openssl/ssl.h>

/* What a link with TLS holds besides. */
struct tls_link {
    SSL *ssl;
    struct resume_entry *resume; /* of the server's side; may be NULL */
    bool drained;                /* the last recv was short: there is nothing more until the next edge */
    bool cut;                    /* the peer's end came without its close_notify */
};

/* Puts ssl (taken over, also on failure) on the link. Bytes in its lookahead are TLS records. False: out of memory. */
bool tls_link_start(struct link *l, struct loop *loop, SSL *ssl, struct resume_entry *resume);
/* Goes on with the handshake: LINK_OK (over), LINK_AGAIN, LINK_ERROR (tls_*_failure says why). */
enum link_io tls_link_handshake(struct link *l);
/* Plain text: as recv and send. LINK_EOF: close_notify, or the end without it (`cut`). */
enum link_io tls_link_recv(struct link *l, void *p, size_t room, size_t *n);
enum link_io tls_link_send(struct link *l, const void *p, size_t n, size_t *sent);
void tls_link_shut(struct link *l); /* close_notify, as far as it goes out */
void tls_link_free(struct link *l, struct loop *loop);

#endif
