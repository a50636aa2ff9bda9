/* inside.c: whom the inside leg can serve, and with which kind of certificate. What OpenSSL makes of the same
 * hellos is compared in tests/proxy/test_inside_openssl.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/inside.h"
#include "../../lib/suites.h"
#include <string.h>

#define BYTES(bytes)                                                                                         \
    {                                                                                                        \
        (const uint8_t *)(bytes), sizeof(bytes) - 1                                                          \
    }
#define SPAN(bytes) ((struct tf_span)BYTES(bytes))

/* Suites. */
#define RSA_AES     "\x00\x2f"
#define RSA_GCM     "\x00\x9c"
#define RSA_AES_256 "\x00\x3d" /* SHA-256, since TLS 1.2 */
#define DHE_AES     "\x00\x39"
#define ECDHE_RSA   "\xc0\x13"
#define ECDHE_ECDSA "\xc0\x09"
#define GCM_RSA     "\xc0\x2f"
#define GCM_ECDSA   "\xc0\x2b"
#define RC4         "\x00\x05"
#define TRIPLE_DES  "\x00\x0a"
#define FALLBACK    "\x56\x00"
#define TLS13_AES   "\x13\x01"
/* Groups. */
#define P256      "\x00\x17"
#define P384      "\x00\x18"
#define BRAINPOOL "\x00\x1a"
#define X25519    "\x00\x1d"
/* Signatures. */
#define RSA_SHA256   "\x04\x01"
#define PSS_SHA256   "\x08\x04"
#define RSA_MD5      "\x01\x01"
#define ECDSA_SHA256 "\x04\x03"
#define ECDSA_SHA1   "\x02\x03"

static struct tf_hello hello_of(uint16_t version, struct tf_span ciphers)
{
    return (struct tf_hello){.legacy_version = version, .max_version = version, .ciphers = ciphers};
}

static void assert_served(const struct tf_hello *hello, enum tf_leaf expected)
{
    enum tf_leaf leaf = expected == TF_LEAF_RSA ? TF_LEAF_ECDSA : TF_LEAF_RSA;
    assert_int_equal(tf_inside_choose(hello, &leaf), TF_REASON_NONE);
    assert_int_equal(leaf, expected);
}

static void assert_unserved(const struct tf_hello *hello, enum tf_reason reason)
{
    enum tf_leaf leaf;
    assert_int_equal(tf_inside_choose(hello, &leaf), reason);
}

static void aes_by_rsa_serves_every_version(void **state)
{
    static const uint16_t versions[] = {TF_TLS10, TF_TLS11, TF_TLS12};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tf_hello hello = hello_of(versions[i], SPAN(RC4 RSA_AES)),
                        dhe = hello_of(versions[i], SPAN(DHE_AES));
        assert_served(&hello, TF_LEAF_RSA);
        assert_served(&dhe, TF_LEAF_RSA);
    }
}

static void broken_ciphers_serve_nobody(void **state)
{
    struct tf_hello xp = hello_of(TF_TLS10, SPAN(RC4 TRIPLE_DES "\x00\x03\x00\x09\x00\x02\x00\x34\x00\x07"));
    (void)state;
    assert_unserved(&xp, TF_REASON_NO_COMMON_SUITE);
}

static void suites_of_tls_1_2_count_from_tls_1_2_on(void **state)
{
    (void)state;
    struct tf_hello old = hello_of(TF_TLS11, SPAN(RSA_GCM RSA_AES_256)),
                    gcm = hello_of(TF_TLS12, SPAN(RSA_GCM)), cbc = hello_of(TF_TLS12, SPAN(RSA_AES_256));
    assert_unserved(&old, TF_REASON_NO_COMMON_SUITE);
    assert_served(&gcm, TF_LEAF_RSA);
    assert_served(&cbc, TF_LEAF_RSA);
}

static void elliptic_curves_need_a_group_and_plain_points(void **state)
{
    static const struct {
        struct tf_span groups, formats;
        bool rsa, ecdsa;
    } rows[] = {
        {BYTES(P256), {NULL, 0}, true, true},
        {BYTES(P384), {NULL, 0}, true, false},
        {BYTES(X25519), BYTES("\x00"), true, false},
        {BYTES(BRAINPOOL P256), BYTES("\x01\x00"), true, true},
        {BYTES(BRAINPOOL), {NULL, 0}, false, false},
        {{NULL, 0}, {NULL, 0}, false, false},
        {BYTES(P256), BYTES("\x01\x02"), false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_hello rsa = hello_of(TF_TLS10, SPAN(ECDHE_RSA)),
                        ecdsa = hello_of(TF_TLS10, SPAN(ECDHE_ECDSA)),
                        either = hello_of(TF_TLS10, SPAN(ECDHE_RSA ECDHE_ECDSA RSA_AES));
        rsa.groups = ecdsa.groups = either.groups = rows[i].groups;
        rsa.point_formats = ecdsa.point_formats = either.point_formats = rows[i].formats;
        enum tf_leaf leaf;
        assert_int_equal(tf_inside_choose(&rsa, &leaf) == TF_REASON_NONE, rows[i].rsa);
        assert_int_equal(tf_inside_choose(&ecdsa, &leaf) == TF_REASON_NONE, rows[i].ecdsa);
        assert_served(&either, rows[i].ecdsa ? TF_LEAF_ECDSA : TF_LEAF_RSA);
    }
}

static void the_safer_suite_decides_the_certificate(void **state)
{
    struct tf_hello hello = hello_of(TF_TLS12, SPAN(ECDHE_ECDSA GCM_RSA));
    (void)state;
    hello.groups = SPAN(P256);
    assert_served(&hello, TF_LEAF_RSA);
    hello.ciphers = SPAN(RSA_GCM ECDHE_ECDSA);
    assert_served(&hello, TF_LEAF_ECDSA);
}

static void signatures_matter_in_tls_1_2(void **state)
{
    static const struct {
        struct tf_span signatures;
        bool rsa, ecdsa;
    } rows[] = {
        {{NULL, 0}, true, true},
        {BYTES(RSA_SHA256), true, false},
        {BYTES(ECDSA_SHA256), false, true},
        {BYTES(ECDSA_SHA1 PSS_SHA256), true, true},
        {BYTES(RSA_MD5), false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_hello rsa = hello_of(TF_TLS12, SPAN(RSA_AES)), ecdsa = hello_of(TF_TLS12, SPAN(GCM_ECDSA)),
                        old = hello_of(TF_TLS11, SPAN(RSA_AES));
        rsa.groups = ecdsa.groups = SPAN(P256);
        rsa.signature_algorithms = ecdsa.signature_algorithms = old.signature_algorithms = rows[i].signatures;
        enum tf_leaf leaf;
        assert_int_equal(tf_inside_choose(&rsa, &leaf) == TF_REASON_NONE, rows[i].rsa);
        assert_int_equal(tf_inside_choose(&ecdsa, &leaf) == TF_REASON_NONE, rows[i].ecdsa);
        assert_served(&old, TF_LEAF_RSA);
    }
}

static void a_fallback_hello_is_told_so(void **state)
{
    struct tf_hello old = hello_of(TF_TLS10, SPAN(RSA_AES FALLBACK)),
                    new = hello_of(TF_TLS12, SPAN(FALLBACK RC4)),
                    best = hello_of(TF_TLS13, SPAN(TLS13_AES FALLBACK));
    (void)state;
    assert_unserved(&old, TF_REASON_CLIENT_FALLBACK);
    assert_unserved(&new, TF_REASON_CLIENT_FALLBACK);
    best.groups = SPAN(X25519);
    best.signature_algorithms = SPAN(PSS_SHA256);
    assert_served(&best, TF_LEAF_RSA);
}

/* As Java 6 sends it. */
static void an_sslv2_hello_has_suites_of_three_bytes(void **state)
{
    struct tf_hello java = hello_of(TF_TLS10, SPAN("\x01\x00\x80\x00\x00\x04\x00\x00\x2f")),
                    kinds = hello_of(TF_TLS10, SPAN("\x01\x00\x2f\x2f\x00\x00")),
                    fallback = hello_of(TF_TLS10, SPAN("\x00\x00\x2f\x00\x56\x00"));
    (void)state;
    java.format = kinds.format = fallback.format = TF_FORMAT_SSLV2;
    assert_served(&java, TF_LEAF_RSA);
    assert_unserved(&kinds, TF_REASON_NO_COMMON_SUITE);
    assert_unserved(&fallback, TF_REASON_CLIENT_FALLBACK);
}

static void in_tls_1_3_signatures_decide_the_certificate(void **state)
{
    struct tf_hello hello = hello_of(TF_TLS13, SPAN(TLS13_AES RSA_AES));
    (void)state;
    hello.groups = SPAN(X25519);
    hello.signature_algorithms = SPAN(RSA_SHA256 PSS_SHA256 ECDSA_SHA256);
    assert_served(&hello, TF_LEAF_ECDSA);
    hello.signature_algorithms = SPAN(RSA_SHA256 PSS_SHA256);
    assert_served(&hello, TF_LEAF_RSA);
    hello.signature_algorithms = SPAN(RSA_SHA256);
    assert_unserved(&hello, TF_REASON_NO_COMMON_SUITE);
    hello.signature_algorithms = SPAN(PSS_SHA256);
    hello.groups = SPAN(BRAINPOOL);
    assert_unserved(&hello, TF_REASON_NO_COMMON_SUITE);
    hello.groups = SPAN(P256);
    hello.ciphers = SPAN(RSA_AES);
    assert_unserved(&hello, TF_REASON_NO_COMMON_SUITE);
    hello.ciphers = SPAN(TLS13_AES);
    hello.max_version = 0x7f1c; /* draft 28 */
    assert_unserved(&hello, TF_REASON_NO_COMMON_SUITE);
}

/* The name that IANA has for a suite. */
static const char *iana_name(uint16_t id, char name[TF_SUITE_TEXT_MAX + 1])
{
    struct tf_writer w = tf_writer_of(name, TF_SUITE_TEXT_MAX);
    tf_put_suite(&w, id);
    name[w.len] = '\0';
    return name;
}

static void the_table_says_what_the_names_say(void **state)
{
    char name[TF_SUITE_TEXT_MAX + 1];
    (void)state;
    for (const struct tf_inside_suite *s = tf_inside_suites; s->name; s++) {
        const char *iana = iana_name(s->id, name);
        assert_int_equal(strncmp(iana, "TLS_ECDHE_", 10) == 0, s->is_ecdhe);
        assert_int_equal(strstr(iana, "_ECDSA_") != NULL, s->leaf == TF_LEAF_ECDSA);
        bool is_old = strstr(iana, "_CBC_SHA") && !strstr(iana, "SHA2") && !strstr(iana, "SHA3");
        assert_int_equal(s->since, is_old ? TF_TLS10 : TF_TLS12);
        assert_int_equal(strncmp(s->name, "ECDHE-", 6) == 0, s->is_ecdhe);
        assert_int_equal(strncmp(s->name, "DHE-", 4) == 0, strncmp(iana, "TLS_DHE_", 8) == 0);
        assert_null(strstr(iana, "RC4"));
        assert_null(strstr(iana, "DES"));
        assert_null(strstr(iana, "EXPORT"));
        assert_null(strstr(iana, "NULL"));
        assert_null(strstr(iana, "anon"));
    }
}

/* Forward secrecy before none, and DHE, which Java 6 and 7 cannot do with our groups, behind all others. */
static void the_table_has_the_safest_first(void **state)
{
    int stage = 0;
    (void)state;
    for (const struct tf_inside_suite *s = tf_inside_suites; s->name; s++) {
        int now = s->is_ecdhe ? 0 : strncmp(s->name, "DHE-", 4) == 0 ? 2 : 1;
        assert_true(now >= stage);
        stage = now;
    }
    assert_int_equal(stage, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_by_rsa_serves_every_version),
        cmocka_unit_test(broken_ciphers_serve_nobody),
        cmocka_unit_test(suites_of_tls_1_2_count_from_tls_1_2_on),
        cmocka_unit_test(elliptic_curves_need_a_group_and_plain_points),
        cmocka_unit_test(the_safer_suite_decides_the_certificate),
        cmocka_unit_test(signatures_matter_in_tls_1_2),
        cmocka_unit_test(a_fallback_hello_is_told_so),
        cmocka_unit_test(an_sslv2_hello_has_suites_of_three_bytes),
        cmocka_unit_test(in_tls_1_3_signatures_decide_the_certificate),
        cmocka_unit_test(the_table_says_what_the_names_say),
        cmocka_unit_test(the_table_has_the_safest_first),
    };
    return cmocka_run_group_tests_name("inside", tests, NULL, NULL);
}
