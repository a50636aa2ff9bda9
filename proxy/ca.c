/* The CA in use: loaded, checked, signing; see ca.h. It is made in ca_make.c;
 * which names it may vouch for is read in ca_names.c. */
#include "ca.h"

#include "../lib/calendar.h"
#include "ca_files.h"
#include "ca_names.h"
#include "certificate.h"
#include <assert.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DAY_S = 86400,
    BACK_S = 2 * DAY_S, /* for clients whose clock is behind, as that of many a printer */
    LEAF_KINDS = TF_LEAF_ECDSA + 1,
    COMMON_NAME_MAX = 64 /* RFC 5280, ub-common-name */
};

/* A key of leaves. */
struct pair {
    EVP_PKEY *key;    /* with its private half */
    EVP_PKEY *public; /* the half that stands in certificates */
};

/* Counted, since a reload's CA goes on with them. */
struct leaf_keys {
    atomic_uint refs;
    pthread_mutex_t mutexes[LEAF_KINDS]; /* who needs one kind does not wait for the other */
    struct pair pairs[LEAF_KINDS];
};

struct ca {
    atomic_uint refs;
    X509 *certificates[CA_CHAIN_MAX]; /* the CA's own, and those behind it */
    struct ca_names names[CA_CHAIN_MAX];
    size_t count;
    STACK_OF(X509) * chain; /* what clients are sent; borrows from certificates */
    EVP_PKEY *key;
    int64_t not_before_s, not_after_s;
    uint32_t leaf_days;
    const EVP_MD *digest;
    uint8_t id[CA_ID_SIZE];
    struct leaf_keys *leaf_keys;
};

/* --- what must be true of it --- */

static void put_day(char *text, size_t size, int64_t time_s)
{
    struct tf_writer w = tf_writer_of(text, size - 1);
    tf_put_day(&w, time_s);
    text[w.len] = '\0';
}

static bool check_dates(struct ca *ca, const char *file, char *error, size_t size)
{
    int64_t now_s = time(NULL);
    char day[32];
    ca->not_before_s = certificate_seconds(X509_get0_notBefore(ca->certificates[0]));
    ca->not_after_s = certificate_seconds(X509_get0_notAfter(ca->certificates[0]));
    if (now_s < ca->not_before_s) {
        put_day(day, sizeof day, ca->not_before_s);
        snprintf(error, size, "%.300s is not valid before %s; set this machine's clock, if that is wrong",
                 file, day);
        return false;
    }
    if (now_s >= ca->not_after_s) {
        put_day(day, sizeof day, ca->not_after_s);
        snprintf(error, size,
                 "%.300s ended on %s; make a new certificate for its key: tlsfloor ca init --renew, then "
                 "import that "
                 "into the clients",
                 file, day);
        return false;
    }
    return true;
}

static bool check_purpose(X509 *x, const char *file, char *error, size_t size)
{
    if (X509_check_ca(x) != 1) {
        snprintf(error, size,
                 "%.300s is no CA's certificate (basicConstraints CA:TRUE, keyUsage keyCertSign); put one "
                 "there, or "
                 "move ca.pem and ca.key away and run: tlsfloor ca init",
                 file);
        return false;
    }
    if ((X509_get_extended_key_usage(x) & (XKU_SSL_SERVER | XKU_ANYEKU)) == 0) {
        snprintf(error, size, "%.300s may not vouch for servers: its extendedKeyUsage has no serverAuth",
                 file);
        return false;
    }
    return true;
}

/* Each certificate has issued the one before it. */
static bool check_order(const struct ca *ca, const char *file, char *error, size_t size)
{
    for (size_t i = 1; i < ca->count; i++) {
        if (X509_check_issued(ca->certificates[i], ca->certificates[i - 1]) == X509_V_OK)
            continue;
        snprintf(
            error, size,
            "certificate %zu of %.300s has not issued the one before it; write the CA's own first, then its "
            "issuer's, and so on",
            i + 1, file);
        return false;
    }
    return true;
}

/* --- loading --- */

/* Roots are left out: a client has them, or does not believe them. */
static bool collect_chain(struct ca *ca)
{
    ca->chain = sk_X509_new_null();
    bool ok = ca->chain != NULL;
    for (size_t i = 0; ok && i < ca->count; i++)
        if (X509_self_signed(ca->certificates[i], 0) != 1)
            ok = sk_X509_push(ca->chain, ca->certificates[i]) > 0;
    return ok;
}

static bool read_names(struct ca *ca, const char *file, char *error, size_t size)
{
    for (size_t i = 0; i < ca->count; i++) {
        if (!ca_names_read(&ca->names[i], ca->certificates[i])) {
            snprintf(error, size, "the name constraints of %.300s cannot be read", file);
            return false;
        }
    }
    return true;
}

/* All that a leaf depends on, but for its name, its kind and the time. */
static bool set_id(struct ca *ca)
{
    unsigned char fingerprint[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int digest = EVP_MD_get_type(ca->digest);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && X509_digest(ca->certificates[0], EVP_sha256(), fingerprint, &n) == 1 &&
              EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(context, fingerprint, n) == 1 &&
              EVP_DigestUpdate(context, &ca->leaf_days, sizeof ca->leaf_days) == 1 &&
              EVP_DigestUpdate(context, &digest, sizeof digest) == 1 &&
              EVP_DigestFinal_ex(context, ca->id, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static bool finish(struct ca *ca, char *error, size_t size)
{
    bool ok = collect_chain(ca) && set_id(ca);
    if (!ok)
        snprintf(error, size, "out of memory");
    return ok;
}

static bool load(struct ca *ca, const struct ca_files *files, char *error, size_t size)
{
    const char *file = files->certificate;
    ca->count = ca_read_certificates(file, ca->certificates, error, size);
    return ca->count > 0 && check_purpose(ca->certificates[0], file, error, size) &&
           check_dates(ca, file, error, size) && check_order(ca, file, error, size) &&
           (ca->key = ca_read_key(files->key, error, size)) != NULL &&
           ca_key_fits(ca->certificates[0], ca->key, files, error, size) &&
           read_names(ca, file, error, size) && finish(ca, error, size);
}

static struct leaf_keys *new_leaf_keys(void)
{
    struct leaf_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        return NULL;
    atomic_init(&keys->refs, 1u);
    for (size_t i = 0; i < LEAF_KINDS; i++)
        pthread_mutex_init(&keys->mutexes[i], NULL);
    return keys;
}

static void unref_leaf_keys(struct leaf_keys *keys)
{
    if (!keys || atomic_fetch_sub_explicit(&keys->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < LEAF_KINDS; i++) {
        EVP_PKEY_free(keys->pairs[i].key);
        EVP_PKEY_free(keys->pairs[i].public);
        pthread_mutex_destroy(&keys->mutexes[i]);
    }
    free(keys);
}

void ca_share_leaf_keys(struct ca *ca, const struct ca *old)
{
    atomic_fetch_add_explicit(&old->leaf_keys->refs, 1, memory_order_relaxed);
    unref_leaf_keys(ca->leaf_keys);
    ca->leaf_keys = old->leaf_keys;
}

bool ca_is_needed(const struct tf_conf *conf)
{
    return conf->ca.must_be_there || tf_policy_has_action(&conf->policy, TF_ACTION_UPGRADE);
}

struct ca *ca_load(const struct tf_conf *conf, bool *missing, char *error, size_t size)
{
    struct ca_files files = ca_files_of(conf->ca.directory);
    bool exists = ca_file_exists(files.certificate);
    if (missing)
        *missing = !exists;
    if (!exists) {
        snprintf(error, size, "there is no CA yet: %.200s is not there; make it: tlsfloor ca init%.200s",
                 files.certificate, ca_option(conf));
        return NULL;
    }
    struct ca *ca = calloc(1, sizeof *ca);
    struct leaf_keys *keys = new_leaf_keys();
    if (!ca || !keys) {
        snprintf(error, size, "out of memory");
        unref_leaf_keys(keys);
        free(ca);
        return NULL;
    }
    atomic_init(&ca->refs, 1u);
    ca->leaf_keys = keys;
    ca->leaf_days = conf->ca.leaf_days;
    ca->digest = conf->ca.digest == TF_SHA1 ? EVP_sha1() : EVP_sha256();
    if (load(ca, &files, error, size))
        return ca;
    ca_unref(ca);
    return NULL;
}

struct ca *ca_ref(struct ca *ca)
{
    unsigned before = atomic_fetch_add_explicit(&ca->refs, 1, memory_order_relaxed);
    assert(before > 0);
    return ca;
}

void ca_unref(struct ca *ca)
{
    if (!ca)
        return;
    unsigned before = atomic_fetch_sub_explicit(&ca->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    for (size_t i = 0; i < ca->count; i++) {
        ca_names_fini(&ca->names[i]);
        X509_free(ca->certificates[i]);
    }
    unref_leaf_keys(ca->leaf_keys);
    sk_X509_free(ca->chain);
    EVP_PKEY_free(ca->key);
    free(ca);
}

/* --- what it is --- */

X509 *ca_certificate(const struct ca *ca)
{
    return ca->certificates[0];
}

STACK_OF(X509) * ca_chain(const struct ca *ca)
{
    return ca->chain;
}

const uint8_t *ca_id(const struct ca *ca)
{
    return ca->id;
}

bool ca_permits(const struct ca *ca, const char *name)
{
    for (size_t i = 0; i < ca->count; i++)
        if (!ca_names_permit(&ca->names[i], name))
            return false;
    return true;
}

static bool is_constrained(const struct ca *ca)
{
    for (size_t i = 0; i < ca->count; i++)
        if (ca->names[i].permitted[0] || ca->names[i].excluded[0])
            return true;
    return false;
}

bool ca_covers(const struct ca *ca, const char *pattern)
{
    const char *subtree = tf_constraint_of(pattern);
    return subtree ? ca_permits(ca, subtree) : !is_constrained(ca);
}

/* --- leaves --- */

/* A copy of a key's public half that certificates take as it is. OpenSSL 3 would write out the key itself,
 * and parse that, for each certificate, which takes two thirds of the time of a signature. */
static EVP_PKEY *public_half(EVP_PKEY *key)
{
    int type = EVP_PKEY_get_base_id(key);
    EVP_PKEY *public = type == EVP_PKEY_EC ? EVP_PKEY_new() : NULL; /* which needs to know its curve */
    unsigned char *der = NULL;
    int n = i2d_PublicKey(key, &der);
    const unsigned char *at = der;
    if (n <= 0 || (public && EVP_PKEY_copy_parameters(public, key) != 1) ||
        !d2i_PublicKey(type, &public, &at, n)) {
        EVP_PKEY_free(public);
        public = NULL;
    }
    OPENSSL_free(der);
    return public;
}

/* Makes a pair, or leaves it as it is: all zeros. */
static void make_pair(struct pair *pair, enum tf_leaf kind)
{
    EVP_PKEY *key = kind == TF_LEAF_ECDSA ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    EVP_PKEY *public = key ? public_half(key) : NULL;
    if (public)
        *pair = (struct pair){key, public};
    else
        EVP_PKEY_free(key);
    ERR_clear_error();
}

static struct pair leaf_pair(struct ca *ca, enum tf_leaf kind)
{
    struct pair *pair = &ca->leaf_keys->pairs[kind];
    pthread_mutex_lock(&ca->leaf_keys->mutexes[kind]);
    if (!pair->key)
        make_pair(pair, kind);
    struct pair made = *pair;
    pthread_mutex_unlock(&ca->leaf_keys->mutexes[kind]);
    return made;
}

EVP_PKEY *ca_leaf_key(struct ca *ca, enum tf_leaf kind)
{
    return leaf_pair(ca, kind).key;
}

static bool add_name(X509 *leaf, const char *name, bool critical)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *dns = names ? certificate_dns_name(name) : NULL;
    bool ok = dns && sk_GENERAL_NAME_push(names, dns) > 0;
    if (!ok)
        GENERAL_NAME_free(dns);
    ok = ok && X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, critical, X509V3_ADD_APPEND) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

/* The CA's identifier of its key goes along, so that clients find it among CAs of the same name. */
static bool extend_leaf(const struct ca *ca, X509 *leaf, enum tf_leaf kind)
{
    X509 *issuer = ca->certificates[0];
    const char *usage =
        kind == TF_LEAF_RSA ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
    return certificate_extend(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           certificate_extend(leaf, issuer, NID_key_usage, usage) &&
           certificate_extend(leaf, issuer, NID_ext_key_usage, "serverAuth") &&
           certificate_extend(leaf, issuer, NID_subject_key_identifier, "hash") &&
           (!X509_get0_subject_key_id(issuer) ||
            certificate_extend(leaf, issuer, NID_authority_key_identifier, "keyid"));
}

/* A name that is too long for a subject stands in subjectAltName alone, which is critical then (RFC 5280
 * 4.1.2.6). */
static X509 *new_leaf(const struct ca *ca, EVP_PKEY *key, const char *name, enum tf_leaf kind, int64_t now_s)
{
    bool fits = strlen(name) <= COMMON_NAME_MAX;
    int64_t from_s = now_s - BACK_S, to_s = now_s + (int64_t)ca->leaf_days * DAY_S;
    X509_NAME *subject = certificate_subject(fits ? name : "");
    X509 *leaf = subject
                     ? certificate_new(subject, key, from_s > ca->not_before_s ? from_s : ca->not_before_s,
                                       to_s < ca->not_after_s ? to_s : ca->not_after_s)
                     : NULL;
    bool ok = leaf && X509_set_issuer_name(leaf, X509_get_subject_name(ca->certificates[0])) == 1 &&
              add_name(leaf, name, !fits) && extend_leaf(ca, leaf, kind) &&
              X509_sign(leaf, ca->key, ca->digest) > 0;
    X509_NAME_free(subject);
    if (ok)
        return leaf;
    X509_free(leaf);
    return NULL;
}

X509 *ca_sign_leaf(struct ca *ca, const char *name, enum tf_leaf kind, int64_t now_s)
{
    EVP_PKEY *public = now_s < ca->not_after_s ? leaf_pair(ca, kind).public : NULL;
    X509 *leaf = public ? new_leaf(ca, public, name, kind, now_s) : NULL;
    ERR_clear_error();
    return leaf;
}
