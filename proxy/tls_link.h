/* TLS over a link: OpenSSL reads the link's socket through one small BIO, and
 * writes through it. Whoever uses a link with TLS moves plain text by
 * link_fill, link_recv, link_send and link_shut, as over any other link.
 *
 * I/O model: `readable` of a link with TLS says that SSL_read may have
 * something; whether the socket has, is known here, so that no recv is made
 * only to hear EAGAIN. */
#ifndef TLS_LINK_H
#define TLS_LINK_H

#include "link.h"
#include "resume.h"
#include <openssl/ssl.h>

/* What a link with TLS holds besides. */
struct tls_link {
    SSL *ssl;
    struct resume_entry *resume; /* held; NULL: nothing is resumed */
    struct tf_span
        raw;         /* records that were read before TLS began; the caller's until the handshake is over */
    bool drained;    /* the socket has nothing more until the next edge */
    bool ended;      /* the socket has told its end */
    int error;       /* or its failure, as errno; which it tells only once */
    int write_error; /* likewise, of a send */
    size_t turn;     /* bytes of the socket that the call in progress may still read; or a few more */
};

/* Puts `ssl` on the link: taken over, also on failure. `raw`: what has been read from the socket already; the
 * link's own lookahead must be empty. False: out of memory. */
bool tls_link_start(struct link *l, SSL *ssl, struct tf_span raw);
/* Sessions with this server are kept in `entry` (may be NULL), which the link releases. */
void tls_link_resume(struct link *l, struct resume_entry *entry);
/* Goes on with the handshake: LINK_OK (it is over), LINK_AGAIN, LINK_ERROR (tls_*_failure says why). */
enum link_io tls_link_handshake(struct link *l);
bool tls_link_is_up(const struct link *l); /* the handshake is over */
/* After LINK_AGAIN: the peer has sent more than one turn is for, none of it text. Come back after the others.
 */
bool tls_link_has_more(const struct link *l);

/* Whether the end of what the peer said came without its close_notify, and so may have been cut off. */
bool tls_link_is_cut(const struct link *l);

/* For link.c. */
enum link_io tls_link_recv(struct link *l, void *p, size_t room, size_t *n);
enum link_io tls_link_send(struct link *l, const void *p, size_t n, size_t *sent);
bool tls_link_shut(struct link *l); /* close_notify. False: once more when the socket is writable */
void tls_link_free(struct link *l);
void tls_link_moved(struct link *l); /* the link is at another address now */

#endif
