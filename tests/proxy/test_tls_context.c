/* What the roles agree on, and that no OpenSSL configuration changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../lib/inside.h"
#include "../../proxy/tls_context.h"
#include "../../proxy/tls_verdict.h"
#include "tls_pair.h"
#include <openssl/conf.h>

static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

static struct maker rsa, ecdsa;

static int setup(void **state)
{
    (void)state;
    rsa = cert_make(&(struct cert_plan){.cn = "www.good.test", .san = "DNS:www.good.test", .rsa_bits = 2048},
                    NULL);
    ecdsa = cert_make(&(struct cert_plan){.cn = "www.good.test", .san = "DNS:www.good.test"}, NULL);
    return tls_verdict_init() ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cert_free(&rsa);
    cert_free(&ecdsa);
    return 0;
}

/* A handshake of the inside leg with a client that has only these; the suite agreed on, or NULL. */
static const char *inside_with(SSL_CTX *inside, const struct maker *leaf, int version, const char *ciphers,
                               const char *groups)
{
    SSL_CTX *context = pair_peer(TLS_client_method(), version, version, NULL, NULL, 0);
    if (ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(context, ciphers), 1);
    if (groups != NULL)
        assert_int_equal(SSL_CTX_set1_groups_list(context, groups), 1);
    SSL *server = pair_server(inside), *client = pair_client(context, NULL);
    assert_int_equal(SSL_use_cert_and_key(server, leaf->certificate, leaf->key, NULL, 1), 1);
    const char *name =
        pair_shake(server, client) ? SSL_CIPHER_get_name(SSL_get_current_cipher(server)) : NULL;
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return name;
}

/* The same of the outside leg, for a server with these. The certificate is let pass: it is not what is
 * tested. */
static const char *outside_with(SSL_CTX *outside, const struct maker *leaf, int lowest, int highest,
                                const char *ciphers)
{
    SSL_CTX *context = pair_peer(TLS_server_method(), lowest, highest, leaf, NULL, 0);
    SSL_CTX_set_dh_auto(context, 1);
    if (ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(context, ciphers), 1);
    SSL *server = pair_server(context), *client = pair_client(outside, "www.good.test");
    SSL_set_verify(client, SSL_VERIFY_NONE, NULL);
    const char *name =
        pair_shake(client, server) ? SSL_CIPHER_get_name(SSL_get_current_cipher(client)) : NULL;
    if (name != NULL && SSL_version(client) == TLS1_3_VERSION)
        assert_int_equal(SSL_get_negotiated_group(client), NID_X25519);
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return name;
}

/* These take the context over. */
static void assert_inside_is_whole(SSL_CTX *inside)
{
    assert_non_null(inside);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        assert_non_null(inside_with(inside, &rsa, versions[i], NULL, NULL));
        assert_non_null(inside_with(inside, &ecdsa, versions[i], NULL, NULL));
    }
    assert_string_equal(inside_with(inside, &rsa, TLS1_VERSION, "AES128-SHA", NULL), "AES128-SHA");
    assert_int_equal(SSL_CTX_get_verify_mode(inside), SSL_VERIFY_NONE);
    SSL_CTX_free(inside);
}

static void assert_outside_is_strong(SSL_CTX *outside)
{
    assert_non_null(outside);
    assert_null(outside_with(outside, &ecdsa, TLS1_VERSION, TLS1_1_VERSION, NULL));
    assert_non_null(outside_with(outside, &ecdsa, TLS1_VERSION, TLS1_2_VERSION, NULL));
    assert_non_null(outside_with(outside, &ecdsa, TLS1_VERSION, TLS1_3_VERSION, NULL));
    assert_non_null(outside_with(outside, &rsa, TLS1_2_VERSION, TLS1_2_VERSION, NULL));
    static const char *const weak[] = {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ADH-AES128-SHA256",
                                       "ECDHE-RSA-NULL-SHA", "DHE-RSA-AES128-SHA"};
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        assert_null(outside_with(outside, &rsa, TLS1_2_VERSION, TLS1_2_VERSION, weak[i]));
    assert_int_equal(SSL_CTX_get_verify_mode(outside), SSL_VERIFY_PEER);
    assert_int_equal(SSL_CTX_get_security_level(outside), 2);
    assert_int_equal(SSL_CTX_get_options(outside) & SSL_OP_LEGACY_SERVER_CONNECT, 0);
    SSL_CTX_free(outside);
}

static void assert_outer_is_strong(SSL_CTX *outer)
{
    assert_non_null(outer);
    assert_null(inside_with(outer, &rsa, TLS1_VERSION, NULL, NULL));
    assert_null(inside_with(outer, &rsa, TLS1_1_VERSION, NULL, NULL));
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        assert_non_null(inside_with(outer, &rsa, version, NULL, NULL));
        assert_non_null(inside_with(outer, &ecdsa, version, NULL, NULL));
    }
    assert_null(inside_with(outer, &rsa, TLS1_2_VERSION, "AES128-GCM-SHA256", NULL));
    assert_null(inside_with(outer, &rsa, TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA", NULL));
    assert_int_equal(SSL_CTX_get_security_level(outer), 2);
    assert_int_equal(SSL_CTX_get_options(outer) & SSL_OP_NO_TICKET, 0);
    SSL_CTX_free(outer);
}

static void inside_takes_tls_1_0_to_1_3_with_either_kind_of_leaf(void **state)
{
    (void)state;
    assert_inside_is_whole(tls_context_inside(0));
}

static void outside_takes_tls_1_2_and_1_3_and_strong_suites(void **state)
{
    (void)state;
    assert_outside_is_strong(tls_context_outside(TLS1_2_VERSION));
}

static void outside_can_be_raised_to_1_3(void **state)
{
    (void)state;
    SSL_CTX *outside = tls_context_outside(TLS1_3_VERSION);
    assert_null(outside_with(outside, &ecdsa, TLS1_VERSION, TLS1_2_VERSION, NULL));
    assert_non_null(outside_with(outside, &ecdsa, TLS1_VERSION, TLS1_3_VERSION, NULL));
    SSL_CTX_free(outside);
}

static void outer_takes_tls_1_2_and_1_3_and_strong_suites(void **state)
{
    (void)state;
    assert_outer_is_strong(tls_context_outer(TLS1_2_VERSION));
}

static void outer_can_be_raised_to_1_3(void **state)
{
    (void)state;
    SSL_CTX *outer = tls_context_outer(TLS1_3_VERSION);
    assert_null(inside_with(outer, &ecdsa, TLS1_2_VERSION, NULL, NULL));
    assert_non_null(inside_with(outer, &ecdsa, TLS1_3_VERSION, NULL, NULL));
    SSL_CTX_free(outer);
}

static void outside_takes_what_microsoft_365_has(void **state)
{
    (void)state;
    static const char *const taken[] = {
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384",
        "ECDHE-RSA-AES128-SHA256",     "DHE-RSA-AES256-GCM-SHA384",   "DHE-RSA-AES128-GCM-SHA256",
    };
    SSL_CTX *outside = tls_context_outside(TLS1_2_VERSION);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const char *got = outside_with(outside, &rsa, TLS1_2_VERSION, TLS1_2_VERSION, taken[i]);
        assert_non_null(got);
        assert_string_equal(got, taken[i]);
    }
    SSL_CTX_free(outside);
}

static void outside_refuses_a_weak_diffie_hellman_group(void **state)
{
    (void)state;
    SSL_CTX *outside = tls_context_outside(TLS1_2_VERSION);
    SSL_CTX *context = pair_peer(TLS_server_method(), TLS1_2_VERSION, TLS1_2_VERSION, &rsa, NULL, 0);
    SSL_CTX_set_dh_auto(context, 2); /* 1024 bits */
    assert_int_equal(SSL_CTX_set_cipher_list(context, "DHE-RSA-AES128-GCM-SHA256"), 1);
    SSL *server = pair_server(context), *client = pair_client(outside, NULL);
    SSL_set_verify(client, SSL_VERIFY_NONE, NULL);
    assert_false(pair_shake(client, server));
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_DH_KEY_TOO_SMALL);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    SSL_CTX_free(outside);
}

static void openssl_knows_every_suite_of_the_inside_table(void **state)
{
    (void)state;
    int rows = 0, known = 0;
    while (tf_inside_suites[rows].name != NULL)
        rows++;
    SSL_CTX *inside = tls_context_inside(0);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(inside);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(ciphers, i);
        if (strcmp(SSL_CIPHER_get_version(c), "TLSv1.3") == 0)
            continue;
        assert_int_equal(SSL_CIPHER_get_protocol_id(c), tf_inside_suites[known].id);
        known++;
    }
    assert_int_equal(known, rows);
    SSL_CTX_free(inside);
}

static void inside_never_agrees_on_a_broken_suite(void **state)
{
    (void)state;
    SSL_CTX *inside = tls_context_inside(0);
    static const char *const broken[] = {"aNULL", "eNULL", "CAMELLIA"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_null(inside_with(inside, &rsa, TLS1_VERSION, broken[i], NULL));
    SSL_CTX_free(inside);
}

static void inside_prefers_forward_secrecy_whatever_the_client_likes_best(void **state)
{
    (void)state;
    SSL_CTX *inside = tls_context_inside(0);
    const char *got =
        inside_with(inside, &rsa, TLS1_VERSION, "AES256-SHA:AES128-SHA:ECDHE-RSA-AES128-SHA", NULL);
    assert_string_equal(got, "ECDHE-RSA-AES128-SHA");
    SSL_CTX_free(inside);
}

static void inside_has_diffie_hellman_of_2048_bits_for_those_with_nothing_else(void **state)
{
    (void)state;
    SSL_CTX *inside = tls_context_inside(0);
    assert_string_equal(inside_with(inside, &rsa, TLS1_VERSION, "DHE-RSA-AES128-SHA", NULL),
                        "DHE-RSA-AES128-SHA");
    SSL_CTX_free(inside);
}

static void inside_takes_each_group(void **state)
{
    (void)state;
    static const char *const groups[] = {"P-256", "X25519", "P-384", "P-521"};
    SSL_CTX *inside = tls_context_inside(0);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        assert_non_null(inside_with(inside, &rsa, TLS1_VERSION, "ECDHE-RSA-AES128-SHA", groups[i]));
    SSL_CTX_free(inside);
}

/* What the inside leg says first to these bytes: the type of its record, and the version in it. */
static void assert_answer(const uint8_t *hello, size_t n, uint8_t type, uint8_t minor)
{
    SSL_CTX *inside = tls_context_inside(0);
    SSL *server = pair_server(inside);
    uint8_t answer[6] = {0};
    assert_int_equal(SSL_use_cert_and_key(server, rsa.certificate, rsa.key, NULL, 1), 1);
    SSL_set_bio(server, BIO_new_mem_buf(hello, (int)n), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(server), -1);
    SSL_do_handshake(server);
    assert_int_equal(BIO_read(SSL_get_wbio(server), answer, sizeof answer), sizeof answer);
    assert_int_equal(answer[0], type);
    assert_int_equal(answer[1], 3);
    assert_int_equal(answer[2], minor);
    ERR_clear_error();
    SSL_free(server);
    SSL_CTX_free(inside);
}

/* RFC 5246 E.2: length with the high bit set, type 1, version, lengths of suites (three bytes each), session
 * ID and challenge. TLS_RSA_WITH_AES_128_CBC_SHA, SSL_CK_RC4_128_WITH_MD5 and the SCSV of RFC 5746. */
static void hello_in_sslv2_format_is_taken_from_tls_1_0_on(void **state)
{
    (void)state;
    uint8_t hello[] = {0x80, 34,   1,    3,    1,    0,    9,    0,    0,    0,    16,   0x00,
                       0x00, 0x2f, 0x01, 0x00, 0x80, 0x00, 0x00, 0xff, 0x10, 0x11, 0x12, 0x13,
                       0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
    for (uint8_t minor = 1; minor <= 3; minor++) {
        hello[4] = minor;
        assert_answer(hello, sizeof hello, SSL3_RT_HANDSHAKE, minor);
    }
    hello[4] = 0; /* SSL 3.0 */
    assert_answer(hello, sizeof hello, SSL3_RT_ALERT, 0);
}

/* Of two that have shaken hands, one asks for another handshake; the other says no, which ends it. */
static void assert_no_renegotiation(SSL *asking, SSL *asked)
{
    char byte;
    assert_true(pair_shake(asked, asking));
    assert_int_equal(SSL_renegotiate(asking), 1);
    SSL_do_handshake(asking);
    SSL_read(asked, &byte, 1);
    ERR_clear_error();
    assert_int_equal(SSL_read(asking, &byte, 1), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    SSL_free(asking);
    SSL_free(asked);
}

static void no_leg_renegotiates(void **state)
{
    (void)state;
    SSL_CTX *inside = tls_context_inside(0), *outside = tls_context_outside(TLS1_2_VERSION);
    SSL_CTX *client = pair_peer(TLS_client_method(), TLS1_VERSION, TLS1_VERSION, NULL, NULL, 0);
    SSL_CTX *server = pair_peer(TLS_server_method(), TLS1_2_VERSION, TLS1_2_VERSION, &rsa, NULL, 0);
    SSL_CTX *outer = tls_context_outer(TLS1_2_VERSION);
    SSL_CTX *newer = pair_peer(TLS_client_method(), TLS1_2_VERSION, TLS1_2_VERSION, NULL, NULL, 0);
    SSL *asked = pair_server(inside);
    assert_int_equal(SSL_use_cert_and_key(asked, rsa.certificate, rsa.key, NULL, 1), 1);
    assert_no_renegotiation(pair_client(client, NULL), asked);
    asked = pair_server(outer);
    assert_int_equal(SSL_use_cert_and_key(asked, rsa.certificate, rsa.key, NULL, 1), 1);
    assert_no_renegotiation(pair_client(newer, NULL), asked);
    asked = pair_client(outside, NULL);
    SSL_set_verify(asked, SSL_VERIFY_NONE, NULL);
    assert_no_renegotiation(pair_server(server), asked);
    SSL_CTX_free(client);
    SSL_CTX_free(newer);
    SSL_CTX_free(server);
    SSL_CTX_free(inside);
    SSL_CTX_free(outer);
    SSL_CTX_free(outside);
}

static void sessions_are_kept_as_many_as_was_said(void **state)
{
    (void)state;
    SSL_CTX *none = tls_context_inside(0), *some = tls_context_inside(7);
    assert_int_equal(SSL_CTX_get_session_cache_mode(none), SSL_SESS_CACHE_OFF);
    assert_int_equal(SSL_CTX_get_session_cache_mode(some), SSL_SESS_CACHE_SERVER);
    assert_int_equal(SSL_CTX_sess_get_cache_size(some), 7);
    SSL_CTX_free(none);
    SSL_CTX_free(some);
}

static bool is_same_scope(struct tls_scope a, struct tls_scope b)
{
    return memcmp(a.id, b.id, sizeof a.id) == 0;
}

static void scope_of_a_session_is_its_role_certificate_and_name(void **state)
{
    (void)state;
    static const uint8_t one[TLS_ID_SIZE] = {1}, two[TLS_ID_SIZE] = {2};
    struct tls_scope scope = tls_scope_of("inside", one, "a.test");
    assert_true(is_same_scope(scope, tls_scope_of("inside", one, "a.test")));
    assert_false(is_same_scope(scope, tls_scope_of("outer", one, "a.test")));
    assert_false(is_same_scope(scope, tls_scope_of("inside", two, "a.test")));
    assert_false(is_same_scope(scope, tls_scope_of("inside", one, "b.test")));
}

/* Makes both contexts as they are where openssl.cnf has these lines in its system_default section. They show
 * that they are in force by a minimum version. The peers of the test are made without them. */
static void assert_openssl_conf_changes_nothing(const char *lines, int minimum)
{
    char file[] = "/tmp/tlsfloor-test-XXXXXX";
    FILE *f = fdopen(mkstemp(file), "w");
    assert_non_null(f);
    fprintf(f, "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\n%s", lines);
    fclose(f);
    assert_int_equal(CONF_modules_load_file(file, NULL, 0), 1);
    unlink(file);
    SSL_CTX *plain = SSL_CTX_new(TLS_method());
    SSL_CTX *inside = tls_context_inside(0), *outside = tls_context_outside(TLS1_2_VERSION),
            *outer = tls_context_outer(TLS1_2_VERSION);
    CONF_modules_finish();
    assert_int_equal(SSL_CTX_get_min_proto_version(plain), minimum);
    SSL_CTX_free(plain);
    assert_inside_is_whole(inside);
    assert_outside_is_strong(outside);
    assert_outer_is_strong(outer);
}

static void lax_openssl_conf_does_not_weaken_the_outside_leg(void **state)
{
    (void)state;
    assert_openssl_conf_changes_nothing("MinProtocol = TLSv1\nMaxProtocol = TLSv1.1\n"
                                        "CipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0\n"
                                        "Options = UnsafeLegacyServerConnect, UnsafeLegacyRenegotiation\n"
                                        "SignatureAlgorithms = RSA+SHA1:ECDSA+SHA1\nGroups = P-521\n"
                                        "Ciphersuites = TLS_AES_128_CCM_8_SHA256\n",
                                        TLS1_VERSION);
}

static void strict_openssl_conf_does_not_keep_old_clients_out(void **state)
{
    (void)state;
    assert_openssl_conf_changes_nothing("MinProtocol = TLSv1.2\n"
                                        "CipherString = DEFAULT:@SECLEVEL=2\nOptions = -SessionTicket\n"
                                        "SignatureAlgorithms = RSA+SHA256\nGroups = P-384\n",
                                        TLS1_2_VERSION);
}

static void openssl_conf_may_not_turn_versions_off(void **state)
{
    (void)state;
    assert_openssl_conf_changes_nothing(
        "MinProtocol = TLSv1.3\nProtocol = -TLSv1, -TLSv1.1, -TLSv1.2, -TLSv1.3\n", TLS1_3_VERSION);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(inside_takes_tls_1_0_to_1_3_with_either_kind_of_leaf),
        cmocka_unit_test(outside_takes_tls_1_2_and_1_3_and_strong_suites),
        cmocka_unit_test(outside_can_be_raised_to_1_3),
        cmocka_unit_test(outer_takes_tls_1_2_and_1_3_and_strong_suites),
        cmocka_unit_test(outer_can_be_raised_to_1_3),
        cmocka_unit_test(outside_takes_what_microsoft_365_has),
        cmocka_unit_test(outside_refuses_a_weak_diffie_hellman_group),
        cmocka_unit_test(openssl_knows_every_suite_of_the_inside_table),
        cmocka_unit_test(inside_never_agrees_on_a_broken_suite),
        cmocka_unit_test(inside_prefers_forward_secrecy_whatever_the_client_likes_best),
        cmocka_unit_test(inside_has_diffie_hellman_of_2048_bits_for_those_with_nothing_else),
        cmocka_unit_test(inside_takes_each_group),
        cmocka_unit_test(hello_in_sslv2_format_is_taken_from_tls_1_0_on),
        cmocka_unit_test(no_leg_renegotiates),
        cmocka_unit_test(sessions_are_kept_as_many_as_was_said),
        cmocka_unit_test(scope_of_a_session_is_its_role_certificate_and_name),
        cmocka_unit_test(lax_openssl_conf_does_not_weaken_the_outside_leg),
        cmocka_unit_test(strict_openssl_conf_does_not_keep_old_clients_out),
        cmocka_unit_test(openssl_conf_may_not_turn_versions_off),
    };
    return cmocka_run_group_tests_name("tls_context", tests, setup, teardown);
}
