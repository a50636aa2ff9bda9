/* TLS on one side of a session. What holds for one layer holds for two. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tls_side.h"
#include <sys/ioctl.h>

static void say_hello_and_break_off(struct peer *p)
{
    SSL_write(p->ssl, "hello", 5);
    shutdown(p->fd, SHUT_WR);
}

static void say_hello_and_reset(struct peer *p)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    char heard;
    SSL_write(p->ssl, "hello", 5);
    SSL_read(p->ssl, &heard, 1); /* a reset may overtake what is not read yet */
    connect(p->fd, &nowhere, sizeof nowhere);
}

static void update_keys_and_say_hello(struct peer *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *records;
    SSL_set0_wbio(p->ssl, bio);
    update_keys(p->ssl);
    SSL_write(p->ssl, "hello", 5);
    long n = BIO_get_mem_data(bio, &records);
    if (p->under != NULL)
        SSL_write(p->under, records, (int)n);
    else
        send(p->fd, records, (size_t)n, 0);
}

static void say_bye_after_a_close_notify(struct peer *p)
{
    char text[16];
    if (SSL_get_error(p->ssl, SSL_read(p->ssl, text, sizeof text)) == SSL_ERROR_ZERO_RETURN)
        SSL_write(p->ssl, "bye", 3);
}

static void answer_all(struct peer *p)
{
    static char text[100000];
    for (int n; (n = SSL_read(p->ssl, text, sizeof text)) > 0;)
        SSL_write(p->ssl, text, n);
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
    assert_int_equal(link_send(&moved, "two", 3, &n), LINK_OK);
    link_move(&s->link, &moved);
    assert_int_equal(link_send(&s->link, "three", 5, &n), LINK_OK);
    for (size_t got = 0; got < 11; got += n)
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
    if (s->is_layered) {
        start_peer(s, say_hello_and_close);
        begin_layer(s);
        lookahead_drop(&s->link.ahead, s->stage->loop);
    }
    assert_true(tls_link_start(&s->link, new_ssl(s),
                               (struct tf_span){(const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18}));
    assert_int_equal(tls_link_handshake(&s->link), LINK_ERROR);
    assert_false(tls_link_is_up(&s->link));
}

#define TEST(name, begin)                                                                                    \
    cmocka_unit_test_setup_teardown(name, begin_##begin, finish_side),                                       \
    {                                                                                                        \
#name ", in layers", name, begin_layered_##begin, finish_side, NULL                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_text_arrives_and_a_close_notify_is_a_clean_end, side),
        TEST(an_end_without_close_notify_is_told_apart, side),
        TEST(a_reset_behind_the_last_text_is_told_after_it, side),
        TEST(a_close_notify_that_finds_no_room_is_sent_later, side),
        TEST(what_is_no_text_does_not_keep_others_waiting, local_side),
        TEST(a_link_that_moved_goes_on, side),
        TEST(what_the_socket_does_not_take_is_sent_later_and_once, side),
        TEST(a_handshake_with_something_else_fails, side),
    };
    return cmocka_run_group_tests_name("tls_link", tests, make_certificate, drop_certificate);
}
