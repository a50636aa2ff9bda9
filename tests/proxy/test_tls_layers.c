/* TLS on top of TLS: what is between the two layers, and how each of them ends. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tls_side.h"
#include <sys/ioctl.h>

/* --- ends --- */

static void close_both_layers(struct peer *p)
{
    SSL_write(p->ssl, "hello", 5);
    SSL_shutdown(p->ssl);
    SSL_shutdown(p->under);
    shutdown(p->fd, SHUT_WR);
}

static void close_the_lower_layer_only(struct peer *p)
{
    SSL_write(p->ssl, "hello", 5);
    SSL_shutdown(p->under);
    shutdown(p->fd, SHUT_WR);
}

/* Not even the socket is closed. */
static void close_the_upper_layer_only(struct peer *p)
{
    SSL_write(p->ssl, "hello", 5);
    SSL_shutdown(p->ssl);
}

static void break_the_lower_layer(struct peer *p)
{
    SSL_write(p->ssl, "hello", 5);
    send(p->fd, "this is no TLS record", 21, 0);
}

static void note_end(struct peer *p)
{
    char text[16];
    SSL_read(p->ssl, text, sizeof text);
    p->saw_bye = SSL_get_shutdown(p->ssl) & SSL_RECEIVED_SHUTDOWN;
    SSL_read(p->under, text, sizeof text);
    p->saw_bye_under = SSL_get_shutdown(p->under) & SSL_RECEIVED_SHUTDOWN;
    p->saw_end = recv(p->fd, text, sizeof text, 0) == 0;
}

static void read_by_word_and_note_end(struct peer *p)
{
    char byte;
    do
        uv_sem_wait(&p->go);
    while (SSL_read(p->ssl, &byte, 1) == 1 && (uv_sem_post(&p->done), true));
    note_end(p);
    uv_sem_post(&p->done);
}

static void assert_hello_then(struct side *s, void (*talk)(struct peer *p), enum link_io end, bool is_cut)
{
    char text[16];
    size_t n;
    begin_tls(s, talk);
    assert_int_equal(next(s, text, sizeof text, &n), LINK_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(text, "hello", 5);
    for (int again = 0; again < 2; again++)
        assert_int_equal(next(s, text, sizeof text, &n), end);
    assert_int_equal(tls_link_is_cut(&s->link), is_cut);
}

static void ends_of_both_layers_are_a_clean_end(void **state)
{
    assert_hello_then(*state, close_both_layers, LINK_EOF, false);
}

static void end_of_the_upper_layer_is_a_clean_end_at_once(void **state)
{
    assert_hello_then(*state, close_the_upper_layer_only, LINK_EOF, false);
}

static void end_of_the_lower_layer_alone_is_a_cut(void **state)
{
    assert_hello_then(*state, close_the_lower_layer_only, LINK_EOF, true);
}

static void what_breaks_the_lower_layer_breaks_the_upper(void **state)
{
    assert_hello_then(*state, break_the_lower_layer, LINK_ERROR, false);
}

static void assert_peer_saw_all_ends(struct side *s)
{
    uv_thread_join(&s->thread);
    s->peer.talk = NULL;
    assert_true(s->peer.saw_bye);
    assert_true(s->peer.saw_bye_under);
    assert_true(s->peer.saw_end);
}

static void both_layers_say_goodbye_from_the_top_down(void **state)
{
    struct side *s = *state;
    begin_tls(s, note_end);
    assert_true(link_shut(&s->link));
    assert_peer_saw_all_ends(s);
}

/* The socket is filled to the brim, and emptied by a byte of text at a time: the two goodbyes and the FIN
 * find room one after the other. */
static void goodbyes_that_find_no_room_go_out_one_by_one(void **state)
{
    struct side *s = *state;
    size_t n, sent = 0;
    unsigned refused = 0;
    begin_tls(s, read_by_word_and_note_end);
    assert_int_equal(link_send(&s->link, "!", 1, &n), LINK_OK);
    uv_sem_post(&s->peer.go); /* with it the tickets go, which take more room */
    uv_sem_wait(&s->peer.done);
    while (link_send(&s->link, "!", 1, &n) == LINK_OK)
        sent++;
    for (bool is_closed = false, is_sent = false; !is_closed;) {
        uv_sem_post(&s->peer.go);
        uv_sem_wait(&s->peer.done);
        link_note(&s->link, WATCH_WRITE);
        if (!is_sent)
            is_sent = link_send(&s->link, "!", 1, &n) == LINK_OK;
        else
            is_closed = link_shut(&s->link);
        refused += is_sent && !is_closed;
    }
    for (size_t i = 0; i <= sent; i++)
        uv_sem_post(&s->peer.go);
    assert_peer_saw_all_ends(s);
    assert_true(refused >= 2);
}

/* --- what is not text --- */

static void update_keys_below_and_say_hello(struct peer *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *records;
    SSL_set0_wbio(p->under, bio);
    update_keys(p->under);
    SSL_write(p->ssl, "hello", 5);
    long n = BIO_get_mem_data(bio, &records);
    send(p->fd, records, (size_t)n, 0);
}

static void what_is_no_text_in_the_lower_layer_does_not_keep_others_waiting(void **state)
{
    struct side *s = *state;
    char text[16];
    size_t n;
    int there = 0, turns = 1;
    begin_tls(s, update_keys_below_and_say_hello);
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

/* Asks for new keys in both layers after each piece of text. */
static void answer_and_update_keys(struct peer *p)
{
    char text[4096];
    for (int n; (n = SSL_read(p->ssl, text, sizeof text)) > 0;) {
        SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_key_update(p->under, SSL_KEY_UPDATE_REQUESTED);
        SSL_write(p->ssl, text, n);
    }
}

static void text_comes_through_while_both_layers_change_keys(void **state)
{
    struct side *s = *state;
    begin_tls(s, answer_and_update_keys);
    for (unsigned round = 0; round < 300; round++) {
        char out[3000], in[sizeof out];
        size_t n;
        memset(out, (int)(round % 251), sizeof out);
        assert_int_equal(link_send(&s->link, out, sizeof out, &n), LINK_OK);
        for (size_t got = 0; got < sizeof in; got += n)
            assert_int_equal(next(s, in + got, sizeof in - got, &n), LINK_OK);
        assert_memory_equal(in, out, sizeof out);
    }
    link_shut(&s->link);
}

/* --- pieces --- */

/* Each in a record of its own, in both layers; all of it in one go. */
static void say_three_words_at_once(struct peer *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *records;
    SSL_set0_wbio(p->under, bio);
    for (int i = 0; i < 3; i++)
        SSL_write(p->ssl, "word", 4);
    long n = BIO_get_mem_data(bio, &records);
    send(p->fd, records, (size_t)n, 0);
}

static void one_edge_is_enough_for_all_that_has_come(void **state)
{
    struct side *s = *state;
    char text[64];
    size_t n;
    begin_tls(s, say_three_words_at_once);
    while (link_recv(&s->link, text, sizeof text, &n) == LINK_AGAIN)
        edge(s);
    assert_int_equal(n, 12);
    assert_false(s->link.readable);
}

/* A peer without a thread, whose records the test carries. */
struct puppet {
    SSL *ssl, *under;
    BIO *in, *out;
};

static struct puppet puppet_of(struct side *s)
{
    struct puppet p = {.under = SSL_new(s->client), .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem())};
    BIO_set_mem_eof_return(p.in, -1);
    SSL_set_bio(p.under, p.in, p.out);
    SSL_set_connect_state(p.under);
    p.ssl = put_on_top(SSL_new(s->client), p.under);
    return p;
}

/* What the gateway does with an edge: first one layer, then two, then everything it hears comes back. */
static void answer_edge(struct side *s, unsigned *layers)
{
    struct link *l = &s->link;
    char text[64];
    size_t n, sent;
    while (l->tls != NULL && !tls_link_is_up(l)) {
        enum link_io r = tls_link_handshake(l);
        if (r == LINK_AGAIN)
            return;
        assert_int_equal(r, LINK_OK);
        ++*layers;
    }
    if (*layers < 2) {
        assert_true(tls_link_start(l, new_ssl(s), (struct tf_span){NULL, 0}));
        answer_edge(s, layers);
        return;
    }
    while (l->readable && link_recv(l, text, sizeof text, &n) == LINK_OK)
        assert_int_equal(link_send(l, text, n, &sent), LINK_OK);
}

static void what_comes_a_byte_at_a_time_goes_through_both_layers(void **state)
{
    static const char text[] = "one byte, and one byte, and one byte more";
    struct side *s = *state;
    struct puppet p = puppet_of(s);
    char byte, heard[4096], said[sizeof text];
    unsigned layers = 0;
    size_t got = 0;
    while (got < sizeof text) {
        if (SSL_is_init_finished(p.ssl) && got == 0)
            for (size_t i = 0; i < sizeof text && BIO_pending(p.out) == 0; i++)
                assert_int_equal(SSL_write(p.ssl, text, sizeof text), (int)sizeof text);
        else if (!SSL_is_init_finished(p.ssl))
            SSL_do_handshake(p.ssl);
        while (BIO_read(p.out, &byte, 1) == 1) {
            send_all(s->far, &byte, 1);
            edge(s);
            answer_edge(s, &layers);
        }
        ssize_t n = recv(s->far, heard, sizeof heard, MSG_DONTWAIT);
        if (n > 0)
            BIO_write(p.in, heard, (int)n);
        int r = SSL_is_init_finished(p.ssl) ? SSL_read(p.ssl, said + got, (int)(sizeof said - got)) : 0;
        got += r > 0 ? (size_t)r : 0;
    }
    assert_memory_equal(said, text, sizeof text);
    SSL_free(p.ssl);
    SSL_free(p.under);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, begin_layered_side, finish_side)
#define LOCAL_TEST(name) cmocka_unit_test_setup_teardown(name, begin_layered_local_side, finish_side)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ends_of_both_layers_are_a_clean_end),
        TEST(end_of_the_upper_layer_is_a_clean_end_at_once),
        TEST(end_of_the_lower_layer_alone_is_a_cut),
        TEST(what_breaks_the_lower_layer_breaks_the_upper),
        TEST(both_layers_say_goodbye_from_the_top_down),
        LOCAL_TEST(goodbyes_that_find_no_room_go_out_one_by_one),
        LOCAL_TEST(what_is_no_text_in_the_lower_layer_does_not_keep_others_waiting),
        LOCAL_TEST(text_comes_through_while_both_layers_change_keys),
        LOCAL_TEST(one_edge_is_enough_for_all_that_has_come),
        LOCAL_TEST(what_comes_a_byte_at_a_time_goes_through_both_layers),
    };
    return cmocka_run_group_tests_name("tls_layers", tests, make_certificate, drop_certificate);
}
