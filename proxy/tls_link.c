/* OpenSSL over a link's socket; see tls_link.h. */
#include "tls_link.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What one call reads from the socket, which is more than a relay's buffer of text needs. KeyUpdates,
 * tickets, requests to renegotiate: a peer can send such things faster than they are understood, and without
 * an end. OpenSSL would not come back from the call, and all other sessions would wait. */
enum { TURN_BYTES = 96 * 1024 };

/* The BIO: its data is the link. */

static int read_raw(struct tls_link *t, char *p, int room)
{
    size_t n = t->raw.n < (size_t)room ? t->raw.n : (size_t)room;
    memcpy(p, t->raw.p, n);
    t->raw.p += n;
    t->raw.n -= n;
    return (int)n;
}

static bool is_over(const struct tls_link *t)
{
    return t->ended || t->error != 0;
}

static int bio_read(BIO *bio, char *p, int room)
{
    struct link *l = BIO_get_data(bio);
    struct tls_link *t = l->tls;
    BIO_clear_retry_flags(bio);
    if (t->raw.n > 0)
        return read_raw(t, p, room);
    if (!is_over(t) && !t->drained && t->turn > 0) {
        ssize_t n;
        do
            n = recv(l->fd, p, (size_t)room, 0);
        while (n < 0 && errno == EINTR);
        /* After a hangup or an error, what is behind the bytes is still to be read, and is not told again. */
        t->drained = n < room && !(n > 0 && (l->hangup || l->failed));
        if (n > 0) {
            t->turn -= (size_t)n < t->turn ? (size_t)n : t->turn;
            return (int)n;
        }
        t->ended = n == 0;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            t->error = errno;
    }
    if (t->ended)
        return 0;
    if (t->error != 0)
        errno = t->error;
    else
        BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct link *l = BIO_get_data(bio);
    struct tls_link *t = l->tls;
    size_t sent = 0;
    BIO_clear_retry_flags(bio);
    if (t->write_error == 0 && l->writable && link_send_raw(l, p, (size_t)n, &sent) == LINK_ERROR)
        t->write_error = errno;
    if (sent > 0)
        return (int)sent;
    if (t->write_error != 0)
        errno = t->write_error;
    else
        BIO_set_retry_write(bio);
    return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *p)
{
    const struct link *l = BIO_get_data(bio);
    (void)number;
    (void)p;
    switch (command) {
    case BIO_CTRL_EOF:
        return l->tls->ended && l->tls->raw.n == 0;
    case BIO_CTRL_FLUSH: /* nothing is held back */
        return 1;
    default:
        return 0;
    }
}

static BIO_METHOD *method; /* made once, for all loops */

static void make_method(void)
{
    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "link");
    if (method == NULL)
        return;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
}

static BIO *new_bio(struct link *l)
{
    static uv_once_t once = UV_ONCE_INIT;
    uv_once(&once, make_method);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio != NULL) {
        BIO_set_data(bio, l);
        BIO_set_init(bio, 1);
    }
    return bio;
}

bool tls_link_start(struct link *l, SSL *ssl, struct tf_span raw)
{
    assert(l->tls == NULL && l->ahead.p == NULL);
    struct tls_link *t = ssl != NULL ? calloc(1, sizeof *t) : NULL;
    BIO *bio = t != NULL ? new_bio(l) : NULL;
    if (bio == NULL) {
        free(t);
        SSL_free(ssl);
        return false;
    }
    *t = (struct tls_link){.ssl = ssl, .raw = raw};
    SSL_set_bio(ssl, bio, bio);
    SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    l->tls = t;
    l->readable = true;
    return true;
}

void tls_link_resume(struct link *l, struct resume_entry *entry)
{
    l->tls->resume = entry;
    SSL_set_app_data(l->tls->ssl, entry);
}

bool tls_link_is_up(const struct link *l)
{
    return l->tls != NULL && SSL_is_init_finished(l->tls->ssl);
}

bool tls_link_has_more(const struct link *l)
{
    const struct tls_link *t = l->tls;
    return t->turn == 0 && !t->drained && !is_over(t);
}

/* What a call that did not succeed means. The sockets' own flags have been set by the BIO. */
static enum link_io meaning_of(const struct link *l, int result)
{
    switch (SSL_get_error(l->tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return LINK_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        /* OpenSSL is told to take the end of the connection for close_notify (a session would not be
         * resumable otherwise); whether there was one, is for the caller to ask. */
        return LINK_EOF;
    default:
        return LINK_ERROR;
    }
}

enum link_io tls_link_handshake(struct link *l)
{
    struct tls_link *t = l->tls;
    ERR_clear_error();
    t->turn = TURN_BYTES;
    int r = SSL_do_handshake(t->ssl);
    if (r == 1) {
        /* A client cannot have said anything valid before it had our random. */
        assert(t->raw.n == 0);
        l->readable = true;
        /* Buffers are held throughout a handshake, and from now on only while there is something in them. */
        SSL_set_mode(t->ssl, SSL_MODE_RELEASE_BUFFERS);
        SSL_free_buffers(t->ssl);
        return LINK_OK;
    }
    enum link_io io = meaning_of(l, r);
    return io == LINK_EOF ? LINK_ERROR : io;
}

bool tls_link_is_cut(const struct link *l)
{
    return l->tls != NULL && l->tls->ended;
}

/* Whether OpenSSL and the socket have nothing more: another SSL_read would only say so, at some cost. */
static bool is_dry(const struct tls_link *t)
{
    return t->drained && t->raw.n == 0 && !SSL_has_pending(t->ssl);
}

enum link_io tls_link_recv(struct link *l, void *p, size_t room, size_t *n)
{
    *n = 0;
    ERR_clear_error();
    l->tls->turn = TURN_BYTES;
    while (*n < room) {
        size_t got;
        int r = SSL_read_ex(l->tls->ssl, (uint8_t *)p + *n, room - *n, &got);
        if (r != 1) {
            /* An end or a failure is told again by the next call. */
            enum link_io io = meaning_of(l, r);
            if (io == LINK_AGAIN)
                l->readable = tls_link_has_more(l);
            return *n > 0 ? LINK_OK : io;
        }
        *n += got;
        if (is_dry(l->tls)) {
            l->readable = false;
            break;
        }
    }
    return LINK_OK;
}

enum link_io tls_link_send(struct link *l, const void *p, size_t n, size_t *sent)
{
    *sent = 0;
    ERR_clear_error();
    while (*sent < n) {
        size_t taken;
        int r = SSL_write_ex(l->tls->ssl, (const uint8_t *)p + *sent, n - *sent, &taken);
        if (r != 1)
            return meaning_of(l, r) == LINK_AGAIN ? LINK_AGAIN : LINK_ERROR;
        *sent += taken;
    }
    return LINK_OK;
}

bool tls_link_shut(struct link *l)
{
    ERR_clear_error();
    int r = tls_link_is_up(l) ? SSL_shutdown(l->tls->ssl) : 1;
    bool is_blocked = r < 0 && meaning_of(l, r) == LINK_AGAIN;
    ERR_clear_error();
    return !is_blocked;
}

void tls_link_moved(struct link *l)
{
    BIO_set_data(SSL_get_rbio(l->tls->ssl), l);
}

void tls_link_free(struct link *l)
{
    struct tls_link *t = l->tls;
    /* However it ended, its session may be resumed: OpenSSL would forget one that was not shut down by both.
     */
    if (SSL_is_init_finished(t->ssl))
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    if (t->resume != NULL)
        resume_release(t->resume);
    free(t);
    l->tls = NULL;
}
