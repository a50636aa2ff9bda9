/* TLS on one side of a session: the gateway's end is a link with one layer of TLS, or with two; the peer is
 * OpenSSL in a thread of its own. */
#ifndef TLS_SIDE_H
#define TLS_SIDE_H

#include "../../proxy/tls_link.h"
#include "loop_fixture.h"
#include <fcntl.h>
#include <openssl/x509.h>
#include <signal.h>

enum { KEY_UPDATE_BYTES = 27 };

struct peer {
    SSL *ssl;   /* the uppermost layer */
    SSL *under; /* NULL: there is one only */
    int fd;
    void (*talk)(struct peer *p);
    uv_sem_t go, done; /* for whoever talks by word of the test */
    bool saw_bye, saw_bye_under, saw_end;
};

struct side {
    struct stage *stage;
    struct link link;
    SSL_CTX *server, *client;
    uv_thread_t thread;
    struct peer peer;
    bool is_layered;
    int far; /* the peer's socket */
};

static EVP_PKEY *key;
static X509 *certificate;

static inline int make_certificate(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as in the gateway; the peer's SSL writes to closed sockets */
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    return X509_sign(certificate, key, EVP_sha256()) > 0 ? 0 : -1;
}

static inline int drop_certificate(void **state)
{
    (void)state;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return 0;
}

static inline struct side *begin_side_on(const int pair[2])
{
    struct side *s = calloc(1, sizeof *s);
    begin((void **)&s->stage);
    s->far = pair[0];
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &(int){16384}, sizeof(int)); /* so that it is full at times */
    link_init(&s->link, pair[1]);
    s->link.writable = true;
    s->server = SSL_CTX_new(TLS_server_method());
    s->client = SSL_CTX_new(TLS_client_method());
    SSL_CTX_use_certificate(s->server, certificate);
    SSL_CTX_use_PrivateKey(s->server, key);
    SSL_CTX_set_mode(s->server, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(s->server, 1); /* as in the gateway */
    uv_sem_init(&s->peer.go, 0);
    uv_sem_init(&s->peer.done, 0);
    return s;
}

static inline int begin_side(void **state)
{
    int pair[2];
    tcp_pair(pair);
    *state = begin_side_on(pair);
    return 0;
}

/* Over a socket that holds more than one turn is for. */
static inline int begin_local_side(void **state)
{
    int pair[2], size = 1 << 20;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    *state = begin_side_on(pair);
    return 0;
}

static inline int layered(int (*begin_one)(void **), void **state)
{
    int r = begin_one(state);
    ((struct side *)*state)->is_layered = true;
    return r;
}

static inline int begin_layered_side(void **state)
{
    return layered(begin_side, state);
}

static inline int begin_layered_local_side(void **state)
{
    return layered(begin_local_side, state);
}

static inline int finish_side(void **state)
{
    struct side *s = *state;
    link_close(&s->link, s->stage->loop, false);
    if (s->peer.talk != NULL)
        uv_thread_join(&s->thread);
    close(s->far);
    SSL_CTX_free(s->server);
    SSL_CTX_free(s->client);
    uv_sem_destroy(&s->peer.go);
    uv_sem_destroy(&s->peer.done);
    finish((void **)&s->stage);
    free(s);
    return 0;
}

static inline void peer_main(void *arg)
{
    struct peer *p = arg;
    if ((p->under == NULL || SSL_connect(p->under) == 1) && SSL_connect(p->ssl) == 1)
        p->talk(p);
    SSL_free(p->ssl);
    SSL_free(p->under);
}

/* A client on top of another one. */
static inline SSL *put_on_top(SSL *ssl, SSL *under)
{
    BIO *bio = BIO_new(BIO_f_ssl());
    BIO_set_ssl(bio, under, BIO_NOCLOSE);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    return ssl;
}

static inline void start_peer(struct side *s, void (*talk)(struct peer *p))
{
    struct peer *p = &s->peer;
    SSL *lowest = SSL_new(s->client);
    SSL_set_fd(lowest, s->far);
    p->fd = s->far;
    p->talk = talk;
    p->under = s->is_layered ? lowest : NULL;
    p->ssl = s->is_layered ? put_on_top(SSL_new(s->client), lowest) : lowest;
    assert_int_equal(uv_thread_create(&s->thread, peer_main, p), 0);
}

static inline SSL *new_ssl(struct side *s)
{
    SSL *ssl = SSL_new(s->server);
    SSL_set_accept_state(ssl);
    return ssl;
}

static inline void edge(struct side *s)
{
    await_readable(s->link.fd);
    link_note(&s->link, WATCH_READ);
}

static inline void shake_hands(struct side *s)
{
    enum link_io r;
    while ((r = tls_link_handshake(&s->link)) == LINK_AGAIN)
        edge(s);
    assert_int_equal(r, LINK_OK);
}

/* One more layer, whose hello has been read before, as in the gateway. */
static inline void begin_layer(struct side *s)
{
    struct loop *loop = s->stage->loop;
    enum link_io r;
    s->link.readable = true;
    while ((r = link_fill(&s->link, loop, LOOP_BLOCK_SIZE)) == LINK_AGAIN)
        edge(s);
    assert_int_equal(r, LINK_OK);
    struct lookahead hello = s->link.ahead;
    s->link.ahead = (struct lookahead){.p = NULL};
    assert_true(tls_link_start(&s->link, new_ssl(s), lookahead_rest(&hello)));
    shake_hands(s);
    lookahead_drop(&hello, loop);
}

static inline void begin_tls(struct side *s, void (*talk)(struct peer *p))
{
    start_peer(s, talk);
    begin_layer(s);
    if (s->is_layered)
        begin_layer(s);
}

/* The next answer but AGAIN. */
static inline enum link_io next(struct side *s, char *p, size_t room, size_t *n)
{
    enum link_io r;
    while ((r = link_recv(&s->link, p, room, n)) == LINK_AGAIN) {
        assert_false(s->link.readable); /* or it would spin */
        edge(s);
    }
    return r;
}

static inline void say_hello_and_close(struct peer *p)
{
    SSL_write(p->ssl, "hello", 5);
    SSL_shutdown(p->ssl);
    shutdown(p->fd, SHUT_WR);
}

/* Together more than one turn reads; a record each. All of them in one go, so that they are there at once. */
enum { KEY_UPDATES = 6000 };

static inline void update_keys(SSL *ssl)
{
    for (int i = 0; i < KEY_UPDATES; i++) {
        SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
        SSL_do_handshake(ssl);
    }
}

#endif
