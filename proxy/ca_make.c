/* Making the CA: its directory, its key, its certificate; see ca.h.
 *
 * Two processes may do so at once. The key is put in place first, and only
 * if there is none yet; the certificate is made for the key that is there
 * then, so that whoever is slower completes, or finds complete, what the
 * other began. So does the next run where a crash came in between. */
#include "ca.h"

#include "../lib/text.h"
#include "ca_files.h"
#include "ca_names.h"
#include "certificate.h"
#include "conf_file.h"
#include "whole_file.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DAY_S = 86400,
    LIFE_DAYS = 3652, /* ten years */
    /* RSA and SHA-256, and no more bits than that: of the clients that this CA is for, many know no ECDSA,
     * and a few no RSA key beyond 2048. */
    KEY_BITS = 2048
};

/* Where we may not write, it may be meant to be so: a directory that is mounted to be read. */
static bool fail(char *error, size_t size, const char *what, const char *path, int why)
{
    char text[128];
    bool is_closed = why == EROFS || why == EACCES || why == EPERM;
    conf_error_text(why, text, sizeof text);
    snprintf(error, size, "%s %.300s: %s%s", what, path, text,
             is_closed ? "; make the directory writable for this user, or make the CA elsewhere (tlsfloor ca "
                         "init) and mount its ca.pem and ca.key here"
                       : "");
    return false;
}

static bool fail_openssl(char *error, size_t size, const char *what)
{
    unsigned long code = ERR_peek_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;
    snprintf(error, size, "%s: OpenSSL says: %s", what, why ? why : "out of memory");
    ERR_clear_error();
    return false;
}

/* With the directories above it. */
static bool make_directory(const char *directory, char *error, size_t size)
{
    char path[PATH_MAX];
    int why = strlen(directory) < sizeof path ? 0 : ENAMETOOLONG;
    snprintf(path, sizeof path, "%s", directory);
    for (char *slash = path; why == 0 && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            why = errno;
        *slash = '/';
    }
    if (why == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
        why = errno;
    return why == 0 || fail(error, size, "cannot make the directory", directory, why);
}

/* --- the certificate --- */

/* The host's name says where this CA is from, the number tells it from others of the same name. */
static X509_NAME *new_subject(void)
{
    char host[40] = "", name[65];
    uint32_t number = 0;
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c != '\0'; c++)
        if (!tf_ascii_is_alnum(*c) && *c != '.' && *c != '-')
            *c = '-';
    if (RAND_bytes((unsigned char *)&number, sizeof number) != 1)
        return NULL;
    snprintf(name, sizeof name, "tlsfloor CA %s %08x", host, number);
    return certificate_subject(name);
}

/* The certificate of a key, under an old name or a new one; not signed yet. */
static X509 *new_certificate(const X509 *old, EVP_PKEY *key)
{
    int64_t now_s = time(NULL);
    X509_NAME *subject = old ? X509_NAME_dup(X509_get_subject_name(old)) : new_subject();
    X509 *x =
        subject ? certificate_new(subject, key, now_s - DAY_S, now_s + (int64_t)LIFE_DAYS * DAY_S) : NULL;
    bool ok = x && X509_set_issuer_name(x, subject) == 1 &&
              certificate_extend(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              certificate_extend(x, x, NID_key_usage, "critical,keyCertSign") &&
              certificate_extend(x, x, NID_ext_key_usage, "serverAuth") &&
              certificate_extend(x, x, NID_subject_key_identifier, "hash");
    X509_NAME_free(subject);
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

static X509 *make_certificate(const struct tf_conf *conf, const X509 *old, EVP_PKEY *key, char *error,
                              size_t size)
{
    X509 *x = new_certificate(old, key);
    if (!x) {
        fail_openssl(error, size, "the certificate cannot be made");
        return NULL;
    }
    bool ok = ca_names_add(x, conf, error, size);
    if (ok && X509_sign(x, key, EVP_sha256()) <= 0)
        ok = fail_openssl(error, size, "the certificate cannot be signed");
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

/* --- the files --- */

/* Where somebody was quicker, theirs counts. */
static bool make_key(const char *path, char *error, size_t size)
{
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text;
    long n;
    bool ok = key && bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              (n = BIO_get_mem_data(bio, &text)) > 0;
    if (!ok) {
        fail_openssl(error, size, "the key cannot be made");
    } else {
        int why = whole_file_write(path, text, (size_t)n, 0600, false);
        ok = why == 0 || why == EEXIST || fail(error, size, "cannot write", path, why);
        OPENSSL_cleanse(text, (size_t)n);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return ok;
}

static bool write_certificate(const char *path, X509 *x, bool replace, char *error, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;
    bool ok = bio && PEM_write_bio_X509(bio, x) == 1 && (n = BIO_get_mem_data(bio, &text)) > 0;
    if (!ok) {
        fail_openssl(error, size, "the certificate cannot be written");
    } else {
        int why = whole_file_write(path, text, (size_t)n, 0644, replace);
        ok = why == 0 || why == EEXIST || fail(error, size, "cannot write", path, why);
    }
    BIO_free(bio);
    return ok;
}

/* Keeps a certificate that is to be replaced, under its serial number. */
static bool keep(const char *path, const char *directory, const X509 *old, char *error, size_t size)
{
    char kept[PATH_MAX + 64];
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(old), NULL);
    char *serial = number ? BN_bn2hex(number) : NULL;
    bool ok = serial != NULL || fail_openssl(error, size, "the old certificate cannot be kept");
    snprintf(kept, sizeof kept, "%s/ca-%.40s.pem", directory, ok ? serial : "");
    if (ok && link(path, kept) != 0 && errno != EEXIST)
        ok = fail(error, size, "the old certificate cannot be kept as", kept, errno);
    OPENSSL_free(serial);
    BN_free(number);
    return ok;
}

/* What --renew replaces: to be freed; NULL, where it is not ours to renew. */
static X509 *read_own(const char *path, char *error, size_t size)
{
    X509 *chain[CA_CHAIN_MAX];
    size_t n = ca_read_certificates(path, chain, error, size);
    for (size_t i = 1; i < n; i++)
        X509_free(chain[i]);
    if (n == 0 || X509_self_signed(chain[0], 0) == 1)
        return n == 0 ? NULL : chain[0];
    snprintf(error, size, "%.300s was issued by another CA; ask that one for a new certificate for the key",
             path);
    X509_free(chain[0]);
    return NULL;
}

/* Makes the certificate of the key that is there, in place of `old` if that is not NULL. */
static bool make_for_key(const struct tf_conf *conf, const struct ca_files *files, const X509 *old,
                         char *error, size_t size)
{
    EVP_PKEY *key = ca_read_key(files->key, error, size);
    bool fits = key && (!old || ca_key_fits(old, key, files, error, size));
    X509 *x = fits ? make_certificate(conf, old, key, error, size) : NULL;
    bool ok = x && (!old || keep(files->certificate, conf->ca.directory, old, error, size)) &&
              write_certificate(files->certificate, x, old != NULL, error, size);
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

bool ca_make(const struct tf_conf *conf, bool renew, char *error, size_t size)
{
    const char *directory = conf->ca.directory;
    if (strcmp(directory, "off") == 0) {
        snprintf(error, size, "there is to be no CA: [ca] directory = off");
        return false;
    }
    struct ca_files files = ca_files_of(directory);
    if (!make_directory(directory, error, size))
        return false;

    /* In this order, since another process makes the key first. A certificate without its key is left alone.
     */
    bool has_certificate = ca_file_exists(files.certificate);
    bool has_key = ca_file_exists(files.key);
    if (has_certificate && !renew)
        return true;
    if (!has_certificate && !has_key && !make_key(files.key, error, size))
        return false;

    X509 *old = has_certificate ? read_own(files.certificate, error, size) : NULL;
    bool ok = (old || !has_certificate) && make_for_key(conf, &files, old, error, size);
    X509_free(old);
    return ok;
}
