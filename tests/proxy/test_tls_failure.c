/* Failed handshakes in words: alerts of either side, ends of connections, and what is not TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../proxy/tls_context.h"
#include "tls_pair.h"

static struct tls *tls;
static struct maker own;

static int setup(void **state)
{
    (void)state;
    own = cert_make(&(struct cert_plan){.cn = "www.good.test"}, NULL);
    struct tf_conf conf = pair_conf("system");
    tls = pair_tls(&conf, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tls_unref(tls);
    cert_free(&own);
    return 0;
}

struct told {
    enum tf_reason reason;
    char why[512];
};

/* What is said when a handshake meets these bytes, and then the end. Takes ssl over. */
static struct told tell(SSL *ssl, const void *bytes, size_t n,
                        enum tf_reason (*failure)(SSL *, struct tf_writer *))
{
    struct told t = {.reason = TF_REASON_NONE};
    struct tf_writer w = tf_writer_of(t.why, sizeof t.why - 1);
    SSL_set_bio(ssl, BIO_new_mem_buf(bytes, (int)n), BIO_new(BIO_s_mem()));
    assert_int_not_equal(SSL_do_handshake(ssl), 1);
    t.reason = failure(ssl, &w);
    assert_false(w.full);
    assert_int_equal(ERR_peek_error(), 0);
    SSL_free(ssl);
    return t;
}

static struct told server_says(const void *bytes, size_t n)
{
    return tell(tls_outside(tls, "www.good.test", (struct tf_span){NULL, 0}, false, NULL), bytes, n,
                tls_outside_failure);
}

/* Behind a hello of TLS 1.0. */
static struct told client_says_of(const void *bytes, size_t n,
                                  enum tf_reason (*failure)(SSL *, struct tf_writer *))
{
    uint8_t stream[4096];
    SSL_CTX *inside = tls_context_inside(0);
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_VERSION, TLS1_VERSION, NULL, NULL, 0);
    SSL *server = pair_server(inside), *client = pair_client(context, NULL);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_do_handshake(client);
    int hello = BIO_read(SSL_get_wbio(client), stream, sizeof stream / 2);
    assert_true(hello > 0 && n <= sizeof stream / 2);
    memcpy(stream + hello, bytes, n);
    assert_int_equal(SSL_use_cert_and_key(server, own.certificate, own.key, NULL, 1), 1);
    struct told t = tell(server, stream, (size_t)hello + n, failure);
    SSL_free(client);
    SSL_CTX_free(context);
    SSL_CTX_free(inside);
    return t;
}

static struct told client_says(const void *bytes, size_t n)
{
    return client_says_of(bytes, n, tls_inside_failure);
}

static void assert_told(const struct told *t, enum tf_reason reason, const char *words)
{
    assert_int_equal(t->reason, reason);
    if (strstr(t->why, words) == NULL)
        fail_msg("%s\nis not in:\n%s", words, t->why);
}

#define ALERT(number) ((const uint8_t[]){21, 3, 1, 0, 2, 2, number})

static void alert_of_a_server_is_told_with_its_usual_meaning(void **state)
{
    (void)state;
    static const struct {
        uint8_t alert;
        const char *words;
    } rows[] = {
        {70, "the server sent the alert protocol version (70): it has nothing that is TLS 1.2 or 1.3"},
        {40, "the server sent the alert handshake failure (40): it has no version, suite or group of ours"},
        {112, "the server sent the alert unrecognized name (112): it does not know this name"},
        {116, "(116): it wants a client certificate: [upstream] certificate"},
        {51, "the server sent the alert decrypt error (51)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct told t = server_says(ALERT(rows[i].alert), 7);
        assert_told(&t, TF_REASON_UPSTREAM_TLS_FAILED, rows[i].words);
    }
}

static void every_alert_is_told(void **state)
{
    (void)state;
    for (unsigned alert = 1; alert <= 255; alert++) { /* 0 is close_notify */
        char number[16];
        snprintf(number, sizeof number, " (%u)", alert);
        struct told t = server_says(ALERT((uint8_t)alert), 7);
        assert_told(&t, TF_REASON_UPSTREAM_TLS_FAILED, number);
    }
}

/* A client that has our certificate's issuer not among its own is told in TLS 1.0 and in TLS 1.3, where its
 * alert is encrypted. */
static void client_that_does_not_know_the_ca_distrusts_it(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX *inside = tls_context_inside(0);
        SSL_CTX *context = pair_peer(TLS_client_method(), versions[i], versions[i], NULL, NULL, 0);
        SSL *server = pair_server(inside), *client = pair_client(context, NULL);
        SSL_set_verify(client, SSL_VERIFY_PEER, NULL);
        assert_int_equal(SSL_use_cert_and_key(server, own.certificate, own.key, NULL, 1), 1);
        assert_false(pair_shake(server, client));
        struct told t = {.reason = TF_REASON_NONE};
        struct tf_writer w = tf_writer_of(t.why, sizeof t.why - 1);
        t.reason = tls_inside_failure(server, &w);
        assert_told(&t, TF_REASON_CLIENT_DISTRUSTS_CA, "the client sent the alert unknown CA (48)");
        SSL_free(client);
        SSL_free(server);
        SSL_CTX_free(context);
        SSL_CTX_free(inside);
    }
}

static void only_alerts_about_certificates_speak_of_trust(void **state)
{
    (void)state;
    for (unsigned alert = 1; alert <= 255; alert++) {
        struct told t = client_says(ALERT((uint8_t)alert), 7);
        bool is_trust = (alert >= 42 && alert <= 46) || alert == 48;
        assert_told(&t, is_trust ? TF_REASON_CLIENT_DISTRUSTS_CA : TF_REASON_CLIENT_HANDSHAKE_FAILED,
                    "the client sent the alert ");
    }
}

static void certificate_of_a_listener_is_no_matter_of_the_ca(void **state)
{
    (void)state;
    static const uint8_t alerts[] = {48, 46, 40};
    for (size_t i = 0; i < sizeof alerts; i++) {
        struct told inner = client_says_of(ALERT(alerts[i]), 7, tls_own_failure),
                    outer = client_says_of(ALERT(alerts[i]), 7, tls_outer_failure);
        assert_told(&inner, TF_REASON_CLIENT_HANDSHAKE_FAILED, "the client sent the alert ");
        assert_told(&outer, TF_REASON_OUTER_TLS_FAILED, "the client sent the alert ");
    }
}

/* The certificate is an ECDSA one. */
static void client_that_the_certificate_does_not_suit_has_no_common_suite(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *ciphers, *signatures, *words;
    } rows[] = {
        {TLS1_VERSION, "AES128-SHA", NULL, "the client has no suite that goes with this certificate"},
        {TLS1_3_VERSION, NULL, "RSA-PSS+SHA256", "the client takes no signature of this certificate's key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        SSL_CTX *inside = tls_context_inside(0);
        SSL_CTX *context = pair_peer(TLS_client_method(), rows[i].version, rows[i].version, NULL, NULL, 0);
        if (rows[i].ciphers != NULL)
            assert_int_equal(SSL_CTX_set_cipher_list(context, rows[i].ciphers), 1);
        if (rows[i].signatures != NULL)
            assert_int_equal(SSL_CTX_set1_sigalgs_list(context, rows[i].signatures), 1);
        SSL *server = pair_server(inside), *client = pair_client(context, NULL);
        assert_int_equal(SSL_use_cert_and_key(server, own.certificate, own.key, NULL, 1), 1);
        assert_false(pair_shake(server, client));
        struct told t = {.reason = TF_REASON_NONE};
        struct tf_writer w = tf_writer_of(t.why, sizeof t.why - 1);
        t.reason = tls_inside_failure(server, &w);
        assert_told(&t, TF_REASON_NO_COMMON_SUITE, rows[i].words);
        SSL_free(client);
        SSL_free(server);
        SSL_CTX_free(context);
        SSL_CTX_free(inside);
    }
}

static void end_of_the_connection_is_told(void **state)
{
    (void)state;
    struct told t = server_says("", 0);
    assert_told(&t, TF_REASON_UPSTREAM_TLS_FAILED, "the server closed the connection");
    t = server_says(ALERT(70), 4);
    assert_told(&t, TF_REASON_UPSTREAM_TLS_FAILED, "the server closed the connection");
    t = client_says("", 0);
    assert_told(&t, TF_REASON_CLIENT_HANDSHAKE_FAILED, "the client closed the connection");
}

static void what_is_not_tls_is_told(void **state)
{
    (void)state;
    static const char *const texts[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.test ESMTP\r\n",
                                        "SSH-2.0-OpenSSH_9.2\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct told t = server_says(texts[i], strlen(texts[i]));
        assert_told(&t, TF_REASON_UPSTREAM_TLS_FAILED, "what the server sent is not TLS");
    }
}

/* A ServerHello of TLS 1.1 with TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA. */
static void server_that_picks_an_old_version_is_told(void **state)
{
    (void)state;
    uint8_t hello[5 + 4 + 38] = {22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2};
    hello[44] = 0xc0;
    hello[45] = 0x13;
    struct told t = server_says(hello, sizeof hello);
    assert_told(&t, TF_REASON_UPSTREAM_TLS_FAILED, "unsupported protocol: the server picked a version below");
}

static void error_without_words_is_told_all_the_same(void **state)
{
    (void)state;
    char text[256] = "";
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    ERR_raise(ERR_LIB_USER, 77);
    tls_put_error(&w);
    assert_string_equal(text, "an error that OpenSSL has no words for");
    assert_int_equal(ERR_peek_error(), 0);
}

static void of_several_errors_the_oldest_is_told(void **state)
{
    (void)state;
    char text[256] = "";
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    ERR_raise(ERR_LIB_SYS, 2);
    ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
    tls_put_error(&w);
    assert_string_equal(text, "No such file or directory");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(alert_of_a_server_is_told_with_its_usual_meaning),
        cmocka_unit_test(every_alert_is_told),
        cmocka_unit_test(client_that_does_not_know_the_ca_distrusts_it),
        cmocka_unit_test(only_alerts_about_certificates_speak_of_trust),
        cmocka_unit_test(certificate_of_a_listener_is_no_matter_of_the_ca),
        cmocka_unit_test(client_that_the_certificate_does_not_suit_has_no_common_suite),
        cmocka_unit_test(end_of_the_connection_is_told),
        cmocka_unit_test(what_is_not_tls_is_told),
        cmocka_unit_test(server_that_picks_an_old_version_is_told),
        cmocka_unit_test(error_without_words_is_told_all_the_same),
        cmocka_unit_test(of_several_errors_the_oldest_is_told),
    };
    return cmocka_run_group_tests_name("tls_failure", tests, setup, teardown);
}
