/* TLS over a link: OpenSSL reads the link's socket through one small BIO, and
 * writes through it. Whoever uses a link with TLS moves plain text by
 * link_fill, link_recv, link_send and link_shut, as over any other link.
 *
 * I/O model: `readable` of a link with TLS says that SSL_read may have
 * something; whether the socket has, is known here, so that no recv is made
 * only to hear EAGAIN.
 *
 * TLS may be put on top of TLS: that of a CONNECT inside that to the proxy
 * itself. The upper layer's BIO reads and writes the lower layer's plain text;
 * the socket is the lowest layer's alone, and so is what is known of it:
 * whether it is drained, and how much of the turn is left. An edge wakes the
 * lowest layer, and the uppermost is called, which asks all the way down: a
 * layer that answers "not now" has asked the one below in vain, so nothing can
 * be stuck between two of them. A write that blocks, blocks every layer, and
 * each repeats it with the same bytes; what a layer has taken, is in the
 * socket. Every layer ends for itself: close_notify goes out from the top
 * down, and the end of a lower layer before that of the one above is a cut. */
#ifndef TLS_LINK_H
#define TLS_LINK_H

#include "link.h"
#include "resume.h"
#include <openssl/ssl.h>

/* One layer of what a link with TLS holds besides. */
struct tls_link {
    SSL *ssl;
    struct link *link;
    struct tls_link *under;      /* NULL: the socket is */
    struct resume_entry *resume; /* held; NULL: nothing is resumed */
    struct tf_span raw;          /* what was read from below before this layer began; the caller's until the
                                    handshake is over */
    bool said_bye;               /* our close_notify is out */
    bool ended;                  /* what is below has told its end */
    int error;                   /* or its failure, as errno; which a socket tells only once */
    int write_error;             /* likewise, of a send */
    /* of the lowest */
    bool drained; /* the socket has nothing more until the next edge */
    size_t turn;  /* bytes of the socket that the call in progress may still read; or a few more */
};

/* Puts `ssl` on the link, and on top of the TLS that it has: taken over, also on failure. `raw`: what has
 * been read from the link already; its own lookahead must be empty. False: out of memory. */
bool tls_link_start(struct link *l, SSL *ssl, struct tf_span raw);
/* Sessions with this server are kept in `entry` (may be NULL), which the link releases. */
void tls_link_resume(struct link *l, struct resume_entry *entry);
/* Goes on with the uppermost handshake: LINK_OK (it is over), LINK_AGAIN, LINK_ERROR (tls_*_failure says
 * why). */
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
void tls_link_note(struct link *l); /* an edge came */
void tls_link_free(struct link *l);
void tls_link_moved(struct link *l); /* the link is at another address now */

#endif
