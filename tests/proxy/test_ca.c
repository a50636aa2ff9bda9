/* ca.c, ca_files.c: what a CA must be to be taken, which names it may vouch for, and its leaves. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/ca_files.h"
#include "../../proxy/certificate.h"
#include "ca_fixture.h"
#include <openssl/pem.h>
#include <sys/stat.h>
#include <time.h>

enum { DAY_S = 86400 };

static struct ca_stage stage;
static struct ca *ca; /* of most tests: for *.floor.test */

static int begin(void **state)
{
    (void)state;
    stage_begin(&stage);
    stage_make(&stage);
    ca = stage_load(&stage);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    ca_unref(ca);
    stage_end(&stage);
    return 0;
}

/* --- leaves --- */

/* What OpenSSL says of a leaf that is shown for a name, behind which `chain` is sent. */
static int verify(X509 *leaf, const char *name, X509 *root, STACK_OF(X509) * chain)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, chain), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set1_host(param, name, 0);
    int code = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return code;
}

static X509 *sign(const char *name, enum tf_leaf kind)
{
    X509 *leaf = ca_sign_leaf(ca, name, kind, time(NULL));
    assert_non_null(leaf);
    return leaf;
}

static int verify_name(const char *name, enum tf_leaf kind)
{
    X509 *leaf = sign(name, kind);
    int code = verify(leaf, name, ca_certificate(ca), NULL);
    X509_free(leaf);
    return code;
}

static void a_leaf_for_a_permitted_name_verifies_and_no_other_one(void **state)
{
    (void)state;
    for (enum tf_leaf kind = TF_LEAF_RSA; kind <= TF_LEAF_ECDSA; kind++) {
        assert_int_equal(verify_name("www.floor.test", kind), X509_V_OK);
        assert_int_equal(verify_name("floor.test", kind), X509_V_OK);
        assert_int_equal(verify_name("notfloor.test", kind), X509_V_ERR_PERMITTED_VIOLATION);
        assert_int_equal(verify_name("www.debian.org", kind), X509_V_ERR_PERMITTED_VIOLATION);
    }
    X509 *leaf = sign("www.floor.test", TF_LEAF_RSA);
    assert_int_equal(verify(leaf, "other.floor.test", ca_certificate(ca), NULL),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    X509_free(leaf);
}

/* Whoever steals the key cannot make what ca_sign_leaf would not make either. */
static void a_leaf_for_an_address_or_below_another_CA_does_not_verify(void **state)
{
    char error[CA_ERROR_MAX];
    int64_t now_s = time(NULL);
    EVP_PKEY *key = ca_read_key(stage_path(&stage, "ca.key"), error, sizeof error);
    X509_NAME *subject = certificate_subject("10.0.0.1");
    (void)state;
    X509 *leaf = certificate_new(subject, key, now_s, now_s + DAY_S);
    X509_set_issuer_name(leaf, X509_get_subject_name(ca_certificate(ca)));
    assert_true(certificate_extend(leaf, ca_certificate(ca), NID_subject_alt_name, "IP:10.0.0.1"));
    assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
    int code = verify(leaf, NULL, ca_certificate(ca), NULL);
    assert_true(code == X509_V_ERR_EXCLUDED_VIOLATION || code == X509_V_ERR_PERMITTED_VIOLATION);
    X509_free(leaf);

    X509 *below = certificate_new(subject, key, now_s, now_s + DAY_S);
    X509_set_issuer_name(below, X509_get_subject_name(ca_certificate(ca)));
    assert_true(certificate_extend(below, ca_certificate(ca), NID_basic_constraints, "critical,CA:TRUE"));
    assert_true(X509_sign(below, key, EVP_sha256()) > 0);
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, below);
    leaf = certificate_new(X509_get_subject_name(ca_certificate(ca)), key, now_s, now_s + DAY_S);
    X509_set_issuer_name(leaf, subject);
    assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
    assert_int_equal(verify(leaf, NULL, ca_certificate(ca), chain), X509_V_ERR_PATH_LENGTH_EXCEEDED);
    sk_X509_free(chain);
    X509_free(below);
    X509_free(leaf);
    X509_NAME_free(subject);
    EVP_PKEY_free(key);
}

static void a_leaf_is_for_a_server_and_says_so(void **state)
{
    (void)state;
    X509 *rsa = sign("www.floor.test", TF_LEAF_RSA), *ec = sign("www.floor.test", TF_LEAF_ECDSA);
    assert_int_equal(X509_get_key_usage(rsa), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_key_usage(ec), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(rsa), XKU_SSL_SERVER);
    assert_int_equal(X509_check_ca(rsa), 0);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(rsa)), 2048);
    assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(ec)), EVP_PKEY_EC);
    assert_int_equal(X509_get_signature_nid(ec), NID_sha256WithRSAEncryption);
    assert_int_equal(
        ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(rsa), X509_get0_subject_key_id(ca_certificate(ca))),
        0);
    X509_free(rsa);
    X509_free(ec);
}

static void a_leaf_lives_for_days_and_began_two_days_ago(void **state)
{
    int64_t now_s = time(NULL) + 30 * DAY_S;
    (void)state;
    X509 *leaf = ca_sign_leaf(ca, "a.floor.test", TF_LEAF_ECDSA, now_s);
    assert_int_equal(certificate_seconds(X509_get0_notBefore(leaf)), now_s - 2 * DAY_S);
    assert_int_equal(certificate_seconds(X509_get0_notAfter(leaf)), now_s + 7 * DAY_S);
    X509_free(leaf);
}

static void a_leaf_stays_within_the_days_of_its_CA(void **state)
{
    X509 *own = ca_certificate(ca);
    int64_t end_s = certificate_seconds(X509_get0_notAfter(own));
    (void)state;
    X509 *leaf = sign("a.floor.test", TF_LEAF_ECDSA); /* the CA is a day old by its own account */
    assert_int_equal(ASN1_TIME_compare(X509_get0_notBefore(leaf), X509_get0_notBefore(own)), 0);
    X509_free(leaf);
    leaf = ca_sign_leaf(ca, "a.floor.test", TF_LEAF_ECDSA, end_s - DAY_S);
    assert_int_equal(certificate_seconds(X509_get0_notAfter(leaf)), end_s);
    X509_free(leaf);
    assert_null(ca_sign_leaf(ca, "a.floor.test", TF_LEAF_ECDSA, end_s));
}

static void serial_numbers_are_positive_long_and_never_the_same(void **state)
{
    enum { MANY = 50 };
    BIGNUM *serials[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        X509 *leaf = sign("a.floor.test", TF_LEAF_ECDSA);
        serials[i] = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
        assert_false(BN_is_negative(serials[i]));
        assert_int_equal(BN_num_bits(serials[i]), 127);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(BN_cmp(serials[i], serials[k]), 0);
        X509_free(leaf);
    }
    for (size_t i = 0; i < MANY; i++)
        BN_free(serials[i]);
}

static void a_name_that_is_too_long_for_a_subject_stands_in_the_extension_alone(void **state)
{
    static const char fits[] = "a123456789.b123456789.c123456789.d123456789.e1234567890.floor.test";
    static const char longer[] = "a123456789.b123456789.c123456789.d123456789.e12345678901.floor.test";
    const char *const names[] = {fits + 2, longer + 2};
    (void)state;
    assert_int_equal(strlen(names[0]), 64);
    for (size_t i = 0; i < 2; i++) {
        int critical;
        X509 *leaf = sign(names[i], TF_LEAF_ECDSA);
        GENERAL_NAMES *san = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
        assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(leaf)), i == 0 ? 1 : 0);
        assert_int_equal(critical, i == 0 ? 0 : 1);
        assert_int_equal(sk_GENERAL_NAME_num(san), 1);
        assert_int_equal(verify(leaf, names[i], ca_certificate(ca), NULL), X509_V_OK);
        GENERAL_NAMES_free(san);
        X509_free(leaf);
    }
}

static void leaves_are_signed_with_the_digest_that_is_set(void **state)
{
    (void)state;
    stage.conf.ca.digest = TF_SHA1;
    struct ca *old = stage_load(&stage);
    X509 *leaf = ca_sign_leaf(old, "a.floor.test", TF_LEAF_RSA, time(NULL));
    assert_int_equal(X509_get_signature_nid(leaf), NID_sha1WithRSAEncryption);
    assert_memory_not_equal(ca_id(old), ca_id(ca), CA_ID_SIZE);
    X509_free(leaf);
    ca_unref(old);
}

static void leaves_of_a_kind_share_their_key(void **state)
{
    (void)state;
    EVP_PKEY *rsa = ca_leaf_key(ca, TF_LEAF_RSA), *ec = ca_leaf_key(ca, TF_LEAF_ECDSA);
    assert_ptr_equal(rsa, ca_leaf_key(ca, TF_LEAF_RSA));
    assert_ptr_not_equal(rsa, ec);
    X509 *leaf = sign("a.floor.test", TF_LEAF_ECDSA);
    assert_int_equal(X509_check_private_key(leaf, ec), 1);
    X509_free(leaf);
}

static void a_CA_loaded_anew_goes_on_with_the_keys_of_its_leaves(void **state)
{
    (void)state;
    char error[CA_ERROR_MAX];
    EVP_PKEY *ec = ca_leaf_key(ca, TF_LEAF_ECDSA);
    struct ca *next = ca_load(&stage.conf, NULL, error, sizeof error);
    assert_non_null(next);
    ca_share_leaf_keys(next, ca);
    assert_ptr_equal(ca_leaf_key(next, TF_LEAF_ECDSA), ec);
    EVP_PKEY *rsa = ca_leaf_key(next, TF_LEAF_RSA); /* not there yet before */
    assert_ptr_equal(ca_leaf_key(ca, TF_LEAF_RSA), rsa);
    ca_unref(next);
    assert_ptr_equal(ca_leaf_key(ca, TF_LEAF_RSA), rsa);
}

static void names_are_permitted_as_clients_will_see_it(void **state)
{
    (void)state;
    assert_true(ca_permits(ca, "a.b.floor.test"));
    assert_true(ca_permits(ca, "floor.test"));
    assert_false(ca_permits(ca, "test"));
    assert_true(ca_covers(ca, "*.floor.test"));
    assert_true(ca_covers(ca, "a.*.floor.test"));
    assert_false(ca_covers(ca, "*floor.test"));
    assert_false(ca_covers(ca, "*"));
}

/* --- what is refused --- */

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(stage_path(&stage, name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Certificates, the CA's own first, in place of what is there. */
static void write_certificates(X509 *const *list, size_t n)
{
    FILE *f = fopen(stage_path(&stage, "ca.pem"), "w");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(PEM_write_X509(f, list[i]), 1);
    fclose(f);
}

static EVP_PKEY *own_key(void)
{
    char error[CA_ERROR_MAX];
    EVP_PKEY *key = ca_read_key(stage_path(&stage, "ca.key"), error, sizeof error);
    assert_non_null(key);
    return key;
}

/* A certificate for our key: its issuer (NULL: itself) and that one's key, its days from today, its
 * extensions. */
static X509 *make(const char *subject, X509 *issuer, EVP_PKEY *issuer_key, int from_day, int to_day,
                  const char *basic, const char *names)
{
    int64_t now_s = time(NULL);
    EVP_PKEY *key = own_key();
    X509_NAME *name = certificate_subject(subject);
    X509 *x = certificate_new(name, key, now_s + from_day * DAY_S, now_s + to_day * DAY_S);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
    assert_true(!basic || certificate_extend(x, x, NID_basic_constraints, basic));
    assert_true(!names || certificate_extend(x, x, NID_name_constraints, names));
    assert_true(X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    return x;
}

static void refuse_certificate(X509 *x, const char *sentence)
{
    write_certificates(&x, 1);
    X509_free(x);
    stage_refuse(&stage, sentence);
}

static void certificates_that_cannot_be_a_CA_are_refused(void **state)
{
    (void)state;
    refuse_certificate(make("leaf", NULL, NULL, -1, 9, "CA:FALSE", NULL), "is no CA's certificate");
    refuse_certificate(make("old", NULL, NULL, -1, 9, NULL, NULL), "is no CA's certificate");
    refuse_certificate(make("over", NULL, NULL, -9, -1, "CA:TRUE", NULL), "tlsfloor ca init --renew");
    refuse_certificate(make("soon", NULL, NULL, 1, 9, "CA:TRUE", NULL), "is not valid before");

    X509 *x = make("mail", NULL, NULL, -1, 9, "CA:TRUE", NULL);
    EVP_PKEY *key = own_key();
    assert_true(certificate_extend(x, x, NID_ext_key_usage, "emailProtection"));
    X509_sign(x, key, EVP_sha256());
    EVP_PKEY_free(key);
    refuse_certificate(x, "extendedKeyUsage has no serverAuth");
}

static void files_that_are_no_certificates_are_refused(void **state)
{
    (void)state;
    write_text("ca.pem", "nothing\n");
    stage_refuse(&stage, "holds no certificate");
    write_text("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    stage_refuse(&stage, "certificate 1 of");
    write_certificates((X509 *[]){ca_certificate(ca), ca_certificate(ca)}, 2);
    assert_int_equal(truncate(stage_path(&stage, "ca.pem"), 2000), 0);
    stage_refuse(&stage, "certificate 2 of");
    unlink(stage_path(&stage, "ca.pem"));
    assert_int_equal(mkdir(stage_path(&stage, "ca.pem"), 0700), 0);
    stage_refuse(&stage, "ca.pem cannot be read");
}

static void a_chain_in_disorder_is_refused(void **state)
{
    (void)state;
    X509 *stranger = make("stranger", NULL, NULL, -1, 9, "CA:TRUE", NULL);
    write_certificates((X509 *[]){ca_certificate(ca), stranger}, 2);
    X509_free(stranger);
    stage_refuse(&stage, "certificate 2 of ");
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0601};
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(stage_path(&stage, "ca.key"), modes[i]), 0);
        stage_refuse(&stage, "chmod 600 ");
    }
    assert_int_equal(chmod(stage_path(&stage, "ca.key"), 0400), 0);
    ca_unref(stage_load(&stage));
}

static void write_key(EVP_PKEY *key, const char *password)
{
    FILE *f = fopen(stage_path(&stage, "ca.key"), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, password ? EVP_aes_128_cbc() : NULL, password,
                                               password ? (int)strlen(password) : 0, NULL, NULL),
                     1);
    fclose(f);
}

static void a_key_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = own_key(), *other = EVP_EC_gen("P-256"), *odd = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    write_key(key, "secret");
    stage_refuse(&stage, "has a password");
    write_key(other, NULL);
    stage_refuse(&stage, "is not the key of");
    write_key(odd, NULL);
    stage_refuse(&stage, "neither an RSA nor an EC key");
    write_text("ca.key", "nothing\n");
    stage_refuse(&stage, "holds no private key");
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(odd);
}

/* --- a CA that was given --- */

static void a_CA_below_a_company_s_root_sends_its_chain_and_keeps_to_all_its_limits(void **state)
{
    char error[CA_ERROR_MAX] = "";
    EVP_PKEY *root_key = EVP_EC_gen("P-256");
    X509 *parent = make("Company Root", NULL, NULL, -9, 99, "CA:TRUE", "excluded;DNS:secret.floor.test");
    X509_set_pubkey(parent, root_key);
    X509_sign(parent, root_key, EVP_sha256());
    X509 *own = make("Company Gateway", parent, root_key, -9, 99, "CA:TRUE", "permitted;DNS:Floor.test");
    (void)state;
    write_certificates((X509 *[]){own, parent}, 2);
    struct ca *given = stage_load(&stage);
    assert_int_equal(sk_X509_num(ca_chain(given)), 1);
    assert_int_equal(X509_cmp(sk_X509_value(ca_chain(given), 0), own), 0);
    assert_int_equal(sk_X509_num(ca_chain(ca)), 0);
    assert_true(ca_permits(given, "www.floor.test"));
    assert_false(ca_permits(given, "www.secret.floor.test"));
    assert_false(ca_permits(given, "www.debian.org"));

    X509 *leaf = ca_sign_leaf(given, "www.floor.test", TF_LEAF_RSA, time(NULL));
    assert_int_equal(verify(leaf, "www.floor.test", parent, ca_chain(given)), X509_V_OK);
    X509_free(leaf);
    ca_unref(given);
    assert_false(ca_make(&stage.conf, true, error, sizeof error));
    assert_non_null(strstr(error, "was issued by another CA"));
    X509_free(own);
    X509_free(parent);
    EVP_PKEY_free(root_key);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(a_leaf_for_a_permitted_name_verifies_and_no_other_one),
        TEST(a_leaf_for_an_address_or_below_another_CA_does_not_verify),
        TEST(a_leaf_is_for_a_server_and_says_so),
        TEST(a_leaf_lives_for_days_and_began_two_days_ago),
        TEST(a_leaf_stays_within_the_days_of_its_CA),
        TEST(serial_numbers_are_positive_long_and_never_the_same),
        TEST(a_name_that_is_too_long_for_a_subject_stands_in_the_extension_alone),
        TEST(leaves_are_signed_with_the_digest_that_is_set),
        TEST(leaves_of_a_kind_share_their_key),
        TEST(a_CA_loaded_anew_goes_on_with_the_keys_of_its_leaves),
        TEST(names_are_permitted_as_clients_will_see_it),
        TEST(certificates_that_cannot_be_a_CA_are_refused),
        TEST(files_that_are_no_certificates_are_refused),
        TEST(a_chain_in_disorder_is_refused),
        TEST(a_key_that_others_can_read_is_refused),
        TEST(a_key_that_cannot_be_used_is_refused),
        TEST(a_CA_below_a_company_s_root_sends_its_chain_and_keeps_to_all_its_limits),
    };
    return cmocka_run_group_tests_name("ca", tests, NULL, NULL);
}
