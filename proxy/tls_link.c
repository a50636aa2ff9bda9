/* OpenSSL over a link; see tls_link.h. */
#include "tls_link.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What one call reads from the socket, which is more than a relay's buffer of text needs. KeyUpdates,
 * tickets, requests to renegotiate: a peer can send such things faster than they are understood, and without
 * an end. OpenSSL would not come back from the call, and all other sessions would wait. */
enum { TURN_BYTES = 96 * 1024 };

/* What a call that did not succeed means. The sockets' own flags have been set by the BIO. */
static enum link_io meaning_of(const struct tls_link *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
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

static struct tls_link *lowest(const struct link *l)
{
    struct tls_link *t = l->tls;
    while (t->under != NULL)
        t = t->under;
    return t;
}

/* The BIO: its data is the layer. */

static int read_raw(struct tls_link *t, char *p, size_t room)
{
    size_t n = t->raw.n < room ? t->raw.n : room;
    memcpy(p, t->raw.p, n);
    t->raw.p += n;
    t->raw.n -= n;
    return (int)n;
}

static bool is_over(const struct tls_link *t)
{
    return t->ended || t->error != 0;
}

/* Bytes of the socket, or 0: there are none now, or never again (is_over). */
static int read_socket(struct tls_link *t, char *p, size_t room)
{
    const struct link *l = t->link;
    ssize_t n;
    if (t->drained || t->turn == 0)
        return 0;
    do
        n = recv(l->fd, p, room, 0);
    while (n < 0 && errno == EINTR);
    /* After a hangup or an error, what is behind the bytes is still to be read, and is not told again. */
    t->drained = n < (ssize_t)room && !(n > 0 && (l->hangup || l->failed));
    t->ended = n == 0;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        t->error = errno;
    if (n <= 0)
        return 0;
    t->turn -= (size_t)n < t->turn ? (size_t)n : t->turn;
    return (int)n;
}

/* The same of the layer below. OpenSSL's queue is the thread's, and what the lower layer puts into it would
 * be taken for the upper one's. */
static int read_under(struct tls_link *t, char *p, size_t room)
{
    size_t n = 0;
    int r = SSL_read_ex(t->under->ssl, p, room, &n);
    enum link_io io = r == 1 ? LINK_OK : meaning_of(t->under, r);
    t->ended = io == LINK_EOF;
    if (io == LINK_ERROR)
        t->error = t->under->error != 0 ? t->under->error : EPROTO;
    return (int)n;
}

static int bio_read(BIO *bio, char *p, int room)
{
    struct tls_link *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    int n = 0;
    if (t->raw.n > 0)
        n = read_raw(t, p, (size_t)room);
    else if (!is_over(t))
        n = t->under != NULL ? read_under(t, p, (size_t)room) : read_socket(t, p, (size_t)room);
    if (n > 0 || t->ended)
        return n;
    if (t->error != 0)
        errno = t->error;
    else
        BIO_set_retry_read(bio);
    return -1;
}

/* How much the socket has taken. */
static size_t write_socket(struct tls_link *t, const char *p, size_t n)
{
    size_t sent = 0;
    if (t->link->writable && link_send_raw(t->link, p, n, &sent) == LINK_ERROR)
        t->write_error = errno;
    return sent;
}

/* The same of the layer below. OpenSSL wants a write that was blocked to be repeated with the same bytes; the
 * layer above does so, for the same reason. */
static size_t write_under(struct tls_link *t, const char *p, size_t n)
{
    size_t sent = 0;
    int r = SSL_write_ex(t->under->ssl, p, n, &sent);
    if (r != 1 && meaning_of(t->under, r) != LINK_AGAIN)
        t->write_error = t->under->write_error != 0 ? t->under->write_error : EPIPE;
    return sent;
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct tls_link *t = BIO_get_data(bio);
    size_t sent = 0;
    BIO_clear_retry_flags(bio);
    if (t->write_error == 0)
        sent = t->under != NULL ? write_under(t, p, (size_t)n) : write_socket(t, p, (size_t)n);
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
    const struct tls_link *t = BIO_get_data(bio);
    (void)number;
    (void)p;
    switch (command) {
    case BIO_CTRL_EOF:
        return t->ended && t->raw.n == 0;
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

static BIO *new_bio(struct tls_link *t)
{
    static uv_once_t once = UV_ONCE_INIT;
    uv_once(&once, make_method);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio != NULL) {
        BIO_set_data(bio, t);
        BIO_set_init(bio, 1);
    }
    return bio;
}

bool tls_link_start(struct link *l, SSL *ssl, struct tf_span raw)
{
    assert(l->ahead.p == NULL);
    struct tls_link *t = ssl != NULL ? calloc(1, sizeof *t) : NULL;
    BIO *bio = t != NULL ? new_bio(t) : NULL;
    if (bio == NULL) {
        free(t);
        SSL_free(ssl);
        return false;
    }
    *t = (struct tls_link){.ssl = ssl, .link = l, .under = l->tls, .raw = raw};
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
    const struct tls_link *t = lowest(l);
    return t->turn == 0 && !t->drained && !is_over(t);
}

enum link_io tls_link_handshake(struct link *l)
{
    struct tls_link *t = l->tls;
    ERR_clear_error();
    lowest(l)->turn = TURN_BYTES;
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
    enum link_io io = meaning_of(t, r);
    return io == LINK_EOF ? LINK_ERROR : io;
}

bool tls_link_is_cut(const struct link *l)
{
    return l->tls != NULL && l->tls->ended;
}

/* Whether OpenSSL and the socket have nothing more: another SSL_read would only say so, at some cost. */
static bool is_dry(const struct link *l)
{
    for (const struct tls_link *t = l->tls; t != NULL; t = t->under)
        if (t->raw.n > 0 || SSL_has_pending(t->ssl))
            return false;
    return lowest(l)->drained;
}

enum link_io tls_link_recv(struct link *l, void *p, size_t room, size_t *n)
{
    *n = 0;
    ERR_clear_error();
    lowest(l)->turn = TURN_BYTES;
    while (*n < room) {
        size_t got;
        int r = SSL_read_ex(l->tls->ssl, (uint8_t *)p + *n, room - *n, &got);
        if (r != 1) {
            /* An end or a failure is told again by the next call. */
            enum link_io io = meaning_of(l->tls, r);
            if (io == LINK_AGAIN)
                l->readable = tls_link_has_more(l);
            return *n > 0 ? LINK_OK : io;
        }
        *n += got;
        if (is_dry(l)) {
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
            return meaning_of(l->tls, r) == LINK_AGAIN ? LINK_AGAIN : LINK_ERROR;
        *sent += taken;
    }
    return LINK_OK;
}

/* False: the socket has no room for it now. OpenSSL must not be asked again once it is out: it would read. */
static bool say_bye(struct tls_link *t)
{
    if (t->said_bye || !SSL_is_init_finished(t->ssl))
        return true;
    ERR_clear_error();
    int r = SSL_shutdown(t->ssl);
    t->said_bye = r >= 0 || meaning_of(t, r) != LINK_AGAIN;
    ERR_clear_error();
    return t->said_bye;
}

bool tls_link_shut(struct link *l)
{
    for (struct tls_link *t = l->tls; t != NULL; t = t->under)
        if (!say_bye(t))
            return false;
    return true;
}

void tls_link_note(struct link *l)
{
    lowest(l)->drained = false;
}

void tls_link_moved(struct link *l)
{
    for (struct tls_link *t = l->tls; t != NULL; t = t->under)
        t->link = l;
}

static void layer_free(struct tls_link *t)
{
    /* However it ended, its session may be resumed: OpenSSL would forget one that was not shut down by both.
     */
    if (SSL_is_init_finished(t->ssl))
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    if (t->resume != NULL)
        resume_release(t->resume);
    free(t);
}

void tls_link_free(struct link *l)
{
    while (l->tls != NULL) {
        struct tls_link *upper = l->tls;
        l->tls = upper->under;
        layer_free(upper);
    }
}
