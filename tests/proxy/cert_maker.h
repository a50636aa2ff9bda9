/* Certificates as tests want them, the worst included. They are signed with P-256 keys unless said otherwise.
 */
#ifndef CERT_MAKER_H
#define CERT_MAKER_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

/* One certificate with its key. */
struct maker {
    X509 *certificate;
    EVP_PKEY *key;
};

/* All that may be odd about one; what is 0 or NULL is as it should be. */
struct cert_plan {
    const char *cn;
    const char *san;      /* "DNS:a.test,DNS:b.test"; NULL: there is none */
    size_t san_count;     /* with `san` NULL: so many names */
    const char *raw_name; /* one dNSName with these bytes ... */
    size_t raw_len;       /* ... so many of them */
    const char *usage;    /* extendedKeyUsage; NULL: serverAuth. "": there is none */
    const char *basic;    /* basicConstraints; NULL: CA:FALSE, or CA:TRUE with `is_ca`. "": there is none */
    const char *constraints; /* nameConstraints */
    size_t padding;          /* bytes of a comment */
    bool is_ca;
    bool is_version_1;
    long from_s, to_s; /* from now; both 0: from an hour ago for a day */
    int rsa_bits;      /* 0: P-256 */
    const EVP_MD *digest;
};

static inline void cert_extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static inline void cert_add_name(GENERAL_NAMES *names, const char *bytes, size_t n)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    assert_int_equal(ASN1_STRING_set(text, bytes, (int)n), 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    assert_true(sk_GENERAL_NAME_push(names, name) > 0);
}

static inline void cert_set_names(X509 *x, const struct cert_plan *plan)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    if (plan->raw_name != NULL)
        cert_add_name(names, plan->raw_name, plan->raw_len);
    for (size_t i = 0; i < plan->san_count; i++) {
        char name[32];
        cert_add_name(names, name, (size_t)snprintf(name, sizeof name, "h%zu.many.test", i));
    }
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT), 1);
    GENERAL_NAMES_free(names);
}

static inline void cert_pad(X509 *x, size_t n)
{
    ASN1_OCTET_STRING *filler = ASN1_OCTET_STRING_new();
    char *zeros = calloc(1, n);
    assert_int_equal(ASN1_OCTET_STRING_set(filler, (unsigned char *)zeros, (int)n), 1);
    X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, filler);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(filler);
    free(zeros);
}

static inline void cert_set_extensions(X509 *x, X509 *issuer, const struct cert_plan *plan)
{
    const char *basic = plan->basic ? plan->basic : plan->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
    const char *usage = plan->usage ? plan->usage : plan->is_ca ? "" : "serverAuth";
    if (basic[0] != '\0')
        cert_extend(x, issuer, NID_basic_constraints, basic);
    if (usage[0] != '\0')
        cert_extend(x, issuer, NID_ext_key_usage, usage);
    if (plan->constraints != NULL)
        cert_extend(x, issuer, NID_name_constraints, plan->constraints);
    if (plan->san != NULL)
        cert_extend(x, issuer, NID_subject_alt_name, plan->san);
    if (plan->raw_name != NULL || plan->san_count > 0)
        cert_set_names(x, plan);
    if (plan->padding > 0)
        cert_pad(x, plan->padding);
}

static inline void cert_set_subject(X509_NAME *name, const char *cn)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0), 1);
}

/* Signed by `issuer`, or by itself where that is NULL; for a key that is there, or for a new one. */
static inline struct maker cert_make_for(const struct cert_plan *plan, const struct maker *issuer,
                                         EVP_PKEY *key)
{
    static long serial;
    struct maker made = {X509_new(), key};
    X509 *x = made.certificate;
    const struct maker *signer = issuer != NULL ? issuer : &made;
    assert_int_equal(X509_set_version(x, plan->is_version_1 ? X509_VERSION_1 : X509_VERSION_3), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    bool by_default = plan->from_s == 0 && plan->to_s == 0;
    X509_gmtime_adj(X509_getm_notBefore(x), by_default ? -3600 : plan->from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), by_default ? 86400 : plan->to_s);
    cert_set_subject(X509_get_subject_name(x), plan->cn);
    X509_set_issuer_name(x, X509_get_subject_name(signer->certificate));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    if (!plan->is_version_1)
        cert_set_extensions(x, signer->certificate, plan);
    assert_true(X509_sign(x, signer->key, plan->digest != NULL ? plan->digest : EVP_sha256()) > 0);
    return made;
}

static inline struct maker cert_make(const struct cert_plan *plan, const struct maker *issuer)
{
    EVP_PKEY *key = plan->rsa_bits > 0 ? EVP_RSA_gen((unsigned)plan->rsa_bits) : EVP_EC_gen("P-256");
    assert_non_null(key);
    return cert_make_for(plan, issuer, key);
}

static inline void cert_free(struct maker *m)
{
    X509_free(m->certificate);
    EVP_PKEY_free(m->key);
    *m = (struct maker){.certificate = NULL};
}

/* A file of PEM: certificates up to the first that is NULL (`n` at most), and a key, encrypted where there is
 * a password. */
static inline void cert_write(const char *path, X509 *const *certificates, size_t n, EVP_PKEY *key,
                              const char *password)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(PEM_write_X509(f, certificates[i]), 1);
    if (key != NULL)
        assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, password != NULL ? EVP_aes_128_cbc() : NULL,
                                                   password, password != NULL ? (int)strlen(password) : 0,
                                                   NULL, NULL),
                         1);
    fclose(f);
}

#endif
