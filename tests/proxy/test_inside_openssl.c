/* Whatever lib/inside.c says of a hello, OpenSSL's server of the inside leg says as well: for hellos that
 * were captured from real clients, and for many thousands that are put together at random. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/inside.h"
#include "../../proxy/tls_context.h"
#include "../lib/hello_maker.h"
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>

/* One SSL_CTX a kind of certificate, with a self-signed one: nobody looks at it. */
static SSL_CTX *contexts[2];

static X509 *new_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    assert_non_null(x);
    X509_set_version(x, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static int make_contexts(void **state)
{
    EVP_PKEY *keys[] = {[TF_LEAF_RSA] = EVP_RSA_gen(2048), [TF_LEAF_ECDSA] = EVP_EC_gen("P-256")};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        contexts[i] = tls_context_inside(0);
        X509 *x = new_certificate(keys[i]);
        assert_int_equal(SSL_CTX_use_cert_and_key(contexts[i], x, keys[i], NULL, 1), 1);
        X509_free(x);
        EVP_PKEY_free(keys[i]);
    }
    return 0;
}

static int free_contexts(void **state)
{
    (void)state;
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    return 0;
}

/* What OpenSSL makes of a hello; other reasons than these are a hello that it cannot read. */
enum answer { GOES_ON, NO_SUITE, FALLBACK, OTHER };

static enum answer ask(enum tf_leaf leaf, const struct maker *wire)
{
    SSL *ssl = SSL_new(contexts[leaf]);
    BIO *in = BIO_new_mem_buf(wire->p, (int)wire->n), *out = BIO_new(BIO_s_mem());
    assert_non_null(ssl);
    SSL_set_bio(ssl, in, out);
    BIO_set_mem_eof_return(in, -1);
    int result = SSL_accept(ssl), error = SSL_get_error(ssl, result);
    enum answer answer = OTHER;
    if (error == SSL_ERROR_WANT_READ) {
        answer = GOES_ON;
    } else if (error == SSL_ERROR_SSL) {
        int reason = ERR_GET_REASON(ERR_peek_error());
        if (reason == SSL_R_INAPPROPRIATE_FALLBACK)
            answer = FALLBACK;
        else if (reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM ||
                 reason == SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS || reason == SSL_R_NO_SUITABLE_KEY_SHARE ||
                 reason == SSL_R_NO_SUITABLE_GROUPS)
            answer = NO_SUITE;
    }
    ERR_clear_error();
    SSL_free(ssl);
    return answer;
}

static void show(const struct maker *wire)
{
    for (size_t i = 0; i < wire->n; i++)
        fprintf(stderr, "%02x", wire->p[i]);
    fprintf(stderr, "\n");
}

static void assert_agreed(const struct maker *wire, const struct tf_hello *hello)
{
    enum tf_leaf leaf;
    switch (tf_inside_choose(hello, &leaf)) {
    case TF_REASON_NONE:
        if (ask(leaf, wire) == GOES_ON)
            return;
        break;
    case TF_REASON_CLIENT_FALLBACK:
        if (ask(TF_LEAF_RSA, wire) == FALLBACK)
            return;
        break;
    default:
        if (ask(TF_LEAF_RSA, wire) == NO_SUITE && ask(TF_LEAF_ECDSA, wire) == NO_SUITE)
            return;
    }
    show(wire);
    fail_msg("OpenSSL answers with %d and %d", ask(TF_LEAF_RSA, wire), ask(TF_LEAF_ECDSA, wire));
}

static enum tf_parse parse(const struct maker *wire, struct tf_hello *hello)
{
    static uint8_t scratch[TF_HELLO_MAX];
    struct tf_hello_scan scan = {.limit = TF_HELLO_MAX};
    return tf_client_scan(&scan, wire->p, wire->n, scratch, sizeof scratch, hello);
}

static void put_hex_bytes(struct maker *m, const char *hex)
{
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        put_uint(m, byte, 1);
}

static void hellos_of_real_clients(void **state)
{
    static const char field[] = "\"record_hex\": \"";
    static char line[1 << 18];
    static struct maker wire;
    struct tf_hello hello;
    FILE *f = fopen("tests/data/clienthellos.jsonl", "r");
    size_t served = 0;
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        const char *hex = strstr(line, field);
        assert_non_null(hex);
        wire.n = 0;
        put_hex_bytes(&wire, hex + strlen(field));
        if (parse(&wire, &hello) != TF_PARSE_DONE || hello.max_version < TF_TLS10 ||
            hello.max_version > TF_TLS13) /* drafts, which are at every floor and so never upgraded */
            continue;
        assert_agreed(&wire, &hello);
        enum tf_leaf leaf;
        served += tf_inside_choose(&hello, &leaf) == TF_REASON_NONE;
    }
    fclose(f);
    assert_true(served > 20);
}

/* The same numbers every time (xorshift). */
static uint32_t seed = 2463534242;

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

/* Up to `most` of the values, in any order. */
static void put_some(struct maker *m, const uint16_t *values, uint32_t n, uint32_t most, size_t size)
{
    for (uint32_t left = 1 + below(most); left > 0; left--)
        put_uint(m, values[below(n)], size);
}

#define PUT_SOME(m, values, most, size) put_some(m, values, sizeof(values) / sizeof *(values), most, size)

static const uint16_t suites[] = {0x0005, 0x000a, 0x002f, 0x0033, 0x0035, 0x0039, 0x003c, 0x0067, 0x009c,
                                  0x009e, 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc027, 0xc02b, 0xc02c,
                                  0xc02f, 0xc030, 0xcca8, 0xcca9, 0x00ff, 0x5600, 0xc011, 0xc007};

static void put_random_extensions(struct maker *m)
{
    static const uint16_t groups[] = {23, 24, 25, 29, 26, 30, 0x0a0a};
    static const uint16_t signatures[] = {0x0401, 0x0403, 0x0804, 0x0201, 0x0203, 0x0101, 0x0503,
                                          0x0601, 0x0807, 0x0809, 0x0301, 0x0202, 0x0805};
    static struct maker list;
    m->n = 0;
    if (below(4) > 0) {
        list.n = 0;
        size_t v = vec_begin(&list, 2);
        PUT_SOME(&list, groups, 3, 2);
        vec_end(&list, v, 2);
        put_extension(m, 10, list.p, list.n);
    }
    if (below(2))
        put_extension(m, 11, "\3\0\1\2", 4);
    if (below(4) > 0) {
        list.n = 0;
        size_t v = vec_begin(&list, 2);
        PUT_SOME(&list, signatures, 4, 2);
        vec_end(&list, v, 2);
        put_extension(m, 13, list.p, list.n);
    }
}

static void hellos_put_together_at_random(void **state)
{
    static struct maker ciphers, extensions, body, message, wire;
    size_t counts[2] = {0, 0};
    (void)state;
    for (int round = 0; round < 6000; round++) {
        struct tf_hello hello;
        enum tf_leaf leaf;
        ciphers.n = body.n = message.n = wire.n = 0;
        PUT_SOME(&ciphers, suites, 3, 2);
        put_random_extensions(&extensions);
        put_client_hello(&body, (struct client_hello){.version = (uint16_t)(TF_TLS10 + below(3)),
                                                      .ciphers = &ciphers,
                                                      .extensions = &extensions,
                                                      .bare = extensions.n == 0});
        put_message(&message, 1, &body);
        put_records(&wire, &message, 16384, 16384);
        assert_int_equal(parse(&wire, &hello), TF_PARSE_DONE);
        assert_agreed(&wire, &hello);
        counts[tf_inside_choose(&hello, &leaf) == TF_REASON_NONE]++;
    }
    assert_true(counts[0] > 1000 && counts[1] > 1000);
}

static void hellos_in_sslv2_format(void **state)
{
    static struct maker wire;
    size_t counts[2] = {0, 0};
    (void)state;
    for (int round = 0; round < 1000; round++) {
        struct tf_hello hello;
        enum tf_leaf leaf;
        wire.n = 0;
        size_t record = vec_begin(&wire, 2);
        put_uint(&wire, 1, 1);
        put_uint(&wire, TF_TLS10 + below(3), 2);
        uint32_t specs = 1 + below(4);
        put_uint(&wire, 3 * specs, 2);
        put_uint(&wire, 0, 2);
        put_uint(&wire, 16, 2);
        for (uint32_t i = 0; i < specs; i++) {
            put_uint(&wire, below(3) == 0, 1);
            PUT_SOME(&wire, suites, 1, 2);
        }
        put_fill(&wire, 'c', 16);
        vec_end(&wire, record, 2);
        wire.p[0] |= 0x80;
        assert_int_equal(parse(&wire, &hello), TF_PARSE_DONE);
        assert_agreed(&wire, &hello);
        counts[tf_inside_choose(&hello, &leaf) == TF_REASON_NONE]++;
    }
    assert_true(counts[0] > 100 && counts[1] > 100);
}

/* RFC 8422 5.1.2 wants every client to take uncompressed points; OpenSSL does not ask. */
static void points_that_are_always_compressed_are_not_tried(void **state)
{
    static struct maker ciphers, extensions, body, message, wire;
    struct tf_hello hello;
    enum tf_leaf leaf;
    (void)state;
    put_uint(&ciphers, 0xc013, 2);
    put_extension(&extensions, 10, "\0\2\0\x17", 4);
    put_extension(&extensions, 11, "\1\1", 2);
    put_client_hello(
        &body, (struct client_hello){.version = TF_TLS10, .ciphers = &ciphers, .extensions = &extensions});
    put_message(&message, 1, &body);
    put_records(&wire, &message, 16384, 16384);
    assert_int_equal(parse(&wire, &hello), TF_PARSE_DONE);
    assert_int_equal(tf_inside_choose(&hello, &leaf), TF_REASON_NO_COMMON_SUITE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hellos_of_real_clients),
        cmocka_unit_test(hellos_put_together_at_random),
        cmocka_unit_test(hellos_in_sslv2_format),
        cmocka_unit_test(points_that_are_always_compressed_are_not_tried),
    };
    return cmocka_run_group_tests_name("inside_openssl", tests, make_contexts, free_contexts);
}
