/* TLS on one side of a session: the gateway's end is a link, the peer is OpenSSL in a thread of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/tls_link.h"
#include "loop_fixture.h"
#include <fcntl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/ioctl.h>

/* Together more than one turn reads; a record each. */
enum { KEY_UPDATES = 6000, KEY_UPDATE_BYTES = 27 };

struct peer {
    SSL *ssl;
    void (*talk)(SSL *ssl);
};

struct side {
    struct stage *stage;
    struct link link;
    SSL_CTX *server, *client;
    uv_thread_t thread;
    struct peer peer;
    int far; /* the peer's socket */
};

static EVP_PKEY *key;
static X509 *certificate;

static int make_certificate(void **state)
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

static int drop_certificate(void **state)
{
    (void)state;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return 0;
}

static int begin_side_on(void **state, const int pair[2])
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
    *state = s;
    return 0;
}

static int begin_side(void **state)
{
    int pair[2];
    tcp_pair(pair);
    return begin_side_on(state, pair);
}

/* Over a socket that holds more than one turn is for. */
static int begin_local_side(void **state)
{
    int pair[2], size = 1 << 20;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    return begin_side_on(state, pair);
}

static int finish_side(void **state)
{
    struct side *s = *state;
    link_close(&s->link, s->stage->loop, false);
    uv_thread_join(&s->thread);
    close(s->far);
    SSL_CTX_free(s->server);
    SSL_CTX_free(s->client);
    finish((void **)&s->stage);
    free(s);
    return 0;
}

static void peer_main(void *arg)
{
    struct peer *p = arg;
    if (SSL_connect(p->ssl) == 1)
        p->talk(p->ssl);
    SSL_free(p->ssl);
}

static void start_peer(struct side *s, void (*talk)(SSL *ssl))
{
    s->peer = (struct peer){.ssl = SSL_new(s->client), .talk = talk};
    SSL_set_fd(s->peer.ssl, s->far);
    assert_int_equal(uv_thread_create(&s->thread, peer_main, &s->peer), 0);
}

static SSL *new_ssl(struct side *s)
{
    SSL *ssl = SSL_new(s->server);
    SSL_set_accept_state(ssl);
    return ssl;
}

static void edge(struct side *s)
{
    await_readable(s->link.fd);
    link_note(&s->link, WATCH_READ);
}

static void shake_hands(struct side *s)
{
    enum link_io r;
    while ((r = tls_link_handshake(&s->link)) == LINK_AGAIN)
        edge(s);
    assert_int_equal(r, LINK_OK);
}

static void begin_tls(struct side *s, void (*talk)(SSL *ssl))
{
    start_peer(s, talk);
    assert_true(tls_link_start(&s->link, new_ssl(s), (struct tf_span){NULL, 0}));
    shake_hands(s);
}

/* The next answer but AGAIN. */
static enum link_io next(struct side *s, char *p, size_t room, size_t *n)
{
    enum link_io r;
    while ((r = link_recv(&s->link, p, room, n)) == LINK_AGAIN)
        edge(s);
    return r;
}

static void say_hello_and_close(SSL *ssl)
{
    SSL_write(ssl, "hello", 5);
    SSL_shutdown(ssl);
    shutdown(SSL_get_fd(ssl), SHUT_WR);
}

static void say_hello_and_break_off(SSL *ssl)
{
    SSL_write(ssl, "hello", 5);
    shutdown(SSL_get_fd(ssl), SHUT_WR);
}

static void say_hello_and_reset(SSL *ssl)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    char heard;
    SSL_write(ssl, "hello", 5);
    SSL_read(ssl, &heard, 1); /* a reset may overtake what is not read yet */
    connect(SSL_get_fd(ssl), &nowhere, sizeof nowhere);
}

/* All of it in one go, so that it is there at once. */
static void update_keys_and_say_hello(SSL *ssl)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *records;
    SSL_set0_wbio(ssl, bio);
    for (int i = 0; i < KEY_UPDATES; i++) {
        SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
        SSL_do_handshake(ssl);
    }
    SSL_write(ssl, "hello", 5);
    long n = BIO_get_mem_data(bio, &records);
    send(SSL_get_rfd(ssl), records, (size_t)n, 0);
}

static void say_bye_after_a_close_notify(SSL *ssl)
{
    char text[16];
    if (SSL_get_error(ssl, SSL_read(ssl, text, sizeof text)) == SSL_ERROR_ZERO_RETURN)
        SSL_write(ssl, "bye", 3);
}

static void answer_all(SSL *ssl)
{
    static char text[100000];
    for (int n; (n = SSL_read(ssl, text, sizeof text)) > 0;)
        SSL_write(ssl, text, n);
}

static void plain_text_arrives_and_a_close_notify_is_a_clean_end(void **state)
{
    struct side *s = *state;
    char text[16];
    size_t n;
    begin_tls(s, say_hello_and_close);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_EOF);
    assert_true(s->link.eof);
    assert_false(tls_link_is_cut(&s->link));
}

static void an_end_without_close_notify_is_told_apart(void **state)
{
    struct side *s = *state;
    char text[16];
    size_t n;
    begin_tls(s, say_hello_and_break_off);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_OK);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_EOF);
    assert_true(tls_link_is_cut(&s->link));
}

static void a_reset_behind_the_last_text_is_told_after_it(void **state)
{
    struct side *s = *state;
    char text[16];
    size_t n;
    begin_tls(s, say_hello_and_reset);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_OK);
    assert_int_equal(n, 5);
    assert_int_equal(link_send(&s->link, "!", 1, &n), LINK_OK);
    struct pollfd p = {.fd = s->link.fd};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    link_note(&s->link, WATCH_READ | WATCH_HANGUP | WATCH_ERROR);
    for (int again = 0; again < 2; again++) {
        errno = 0;
        assert_int_equal(link_recv(&s->link, text, sizeof text, &n), LINK_ERROR);
        assert_int_equal(errno, ECONNRESET);
    }
}

static void a_close_notify_that_finds_no_room_is_sent_later(void **state)
{
    struct side *s = *state;
    char text[16];
    size_t n;
    begin_tls(s, say_bye_after_a_close_notify);
    s->link.writable = false;
    assert_false(link_shut(&s->link));
    assert_false(s->link.shut);
    link_note(&s->link, WATCH_WRITE);
    assert_true(link_shut(&s->link));
    assert_true(s->link.shut);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_OK);
    assert_memory_equal(text, "bye", 3);
}

static void what_is_no_text_does_not_keep_others_waiting(void **state)
{
    struct side *s = *state;
    char text[16];
    size_t n;
    int there = 0, turns = 1;
    begin_tls(s, update_keys_and_say_hello);
    while (there < KEY_UPDATES * KEY_UPDATE_BYTES) {
        await_readable(s->link.fd);
        assert_int_equal(ioctl(s->link.fd, FIONREAD, &there), 0);
    }
    link_note(&s->link, WATCH_READ);
    while (link_recv(&s->link, text, sizeof text, &n) == LINK_AGAIN) {
        assert_true(s->link.readable);
        assert_true(tls_link_has_more(&s->link));
        turns++;
    }
    assert_int_equal(n, 5);
    assert_in_range(turns, 2, 10);
}

static void records_read_before_tls_began_are_part_of_it(void **state)
{
    struct side *s = *state;
    struct loop *loop = s->stage->loop;
    start_peer(s, say_hello_and_close);
    edge(s);
    assert_int_equal(link_fill(&s->link, loop, LOOP_BLOCK_SIZE), LINK_OK);
    struct lookahead hello = s->link.ahead;
    s->link.ahead = (struct lookahead){.p = NULL};
    assert_true(tls_link_start(&s->link, new_ssl(s), lookahead_rest(&hello)));
    shake_hands(s);
    lookahead_drop(&hello, loop);
}

static void a_link_that_moved_goes_on(void **state)
{
    struct side *s = *state;
    struct link moved;
    char text[16];
    size_t n;
    begin_tls(s, answer_all);
    assert_int_equal(link_send(&s->link, "one", 3, &n), LINK_OK);
    link_move(&moved, &s->link);
    assert_int_equal(s->link.fd, -1);
    link_move(&s->link, &moved);
    assert_int_equal(link_send(&s->link, "two", 3, &n), LINK_OK);
    for (size_t got = 0; got < 6; got += n)
        assert_int_equal(next(s, text, sizeof text, &n), LINK_OK);
    link_shut(&s->link);
}

static void what_the_socket_does_not_take_is_sent_later_and_once(void **state)
{
    enum { SIZE = 8 << 20 };
    struct side *s = *state;
    uint8_t *out = malloc(SIZE), *in = malloc(SIZE);
    size_t sent = 0, got = 0, n;
    bool was_full = false;
    for (size_t i = 0; i < SIZE; i++)
        out[i] = (uint8_t)(i * 2654435761u >> 13);
    begin_tls(s, answer_all);
    while (got < SIZE) {
        if (sent < SIZE) {
            enum link_io r = link_send(&s->link, out + sent, SIZE - sent, &n);
            sent += n;
            assert_int_not_equal(r, LINK_ERROR);
            was_full = was_full || r == LINK_AGAIN;
        }
        enum link_io r = link_recv(&s->link, in + got, SIZE - got, &n);
        got += n;
        if (r == LINK_AGAIN) {
            struct pollfd p = {.fd = s->link.fd, .events = (short)(sent < SIZE ? POLLIN | POLLOUT : POLLIN)};
            assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
            link_note(&s->link,
                      (p.revents & POLLIN ? WATCH_READ : 0u) | (p.revents & POLLOUT ? WATCH_WRITE : 0u));
        }
    }
    assert_true(was_full);
    assert_memory_equal(in, out, SIZE);
    link_shut(&s->link);
    free(out);
    free(in);
}

static void a_handshake_with_something_else_fails(void **state)
{
    struct side *s = *state;
    start_peer(s, answer_all);
    assert_true(tls_link_start(&s->link, new_ssl(s),
                               (struct tf_span){(const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18}));
    assert_int_equal(tls_link_handshake(&s->link), LINK_ERROR);
    assert_false(tls_link_is_up(&s->link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_text_arrives_and_a_close_notify_is_a_clean_end, begin_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(an_end_without_close_notify_is_told_apart, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(a_reset_behind_the_last_text_is_told_after_it, begin_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(a_close_notify_that_finds_no_room_is_sent_later, begin_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(what_is_no_text_does_not_keep_others_waiting, begin_local_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(records_read_before_tls_began_are_part_of_it, begin_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(a_link_that_moved_goes_on, begin_side, finish_side),
        cmocka_unit_test_setup_teardown(what_the_socket_does_not_take_is_sent_later_and_once, begin_side,
                                        finish_side),
        cmocka_unit_test_setup_teardown(a_handshake_with_something_else_fails, begin_side, finish_side),
    };
    return cmocka_run_group_tests_name("tls_link", tests, make_certificate, drop_certificate);
}
