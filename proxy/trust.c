/* The files of [upstream]; see trust.h.
 *
 * `system` is what OpenSSL takes for the system's roots. SSL_CERT_FILE and
 * SSL_CERT_DIR move them, as with curl: whoever sets the gateway's
 * environment decides whom it trusts, as by ca_file. */
#include "trust.h"

#include "conf_file.h"
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One file of a setting that is being read. */
struct reading {
    SSL_CTX *context;
    const char *key, *file;
    bool wants_password;
    char *error;
    size_t size;
};

static bool fail(const struct reading *r, const char *what, const char *advice)
{
    ERR_clear_error();
    snprintf(r->error, r->size, "[upstream] %s: %s: %s%s", r->key, r->file, what, advice);
    return false;
}

/* With what OpenSSL says. */
static bool fail_openssl(const struct reading *r, const char *advice)
{
    char what[128];
    struct tf_writer w = tf_writer_of(what, sizeof what - 1);
    tls_put_error(&w);
    what[w.len] = '\0';
    return fail(r, what, advice);
}

/* OpenSSL's own words for a file that is not there are no help. */
static bool check_readable(const struct reading *r)
{
    char c, why[256];
    int fd = open(r->file, O_RDONLY | O_CLOEXEC);
    bool readable = fd >= 0 && read(fd, &c, 1) >= 0;
    conf_error_text(errno, why, sizeof why);
    if (fd >= 0)
        close(fd);
    return readable || fail(r, why, "");
}

static bool load_roots(struct reading *r)
{
    if (strcmp(r->file, "system") == 0)
        return SSL_CTX_set_default_verify_paths(r->context) == 1 || fail_openssl(r, "");
    return check_readable(r) && (SSL_CTX_load_verify_file(r->context, r->file) == 1 ||
                                 fail_openssl(r, "; write a file of PEM certificates, or system"));
}

static bool load_certificate(struct reading *r)
{
    return check_readable(r) &&
           (SSL_CTX_use_certificate_chain_file(r->context, r->file) == 1 ||
            fail_openssl(r, "; it must hold the certificate and then its chain, as PEM"));
}

static int on_password(char *password, int size, int writing, void *arg)
{
    struct reading *r = arg;
    (void)password, (void)size, (void)writing;
    r->wants_password = true;
    return -1;
}

static bool load_key(struct reading *r)
{
    if (!check_readable(r))
        return false;
    SSL_CTX_set_default_passwd_cb(r->context, on_password);
    SSL_CTX_set_default_passwd_cb_userdata(r->context, r);
    bool loaded = SSL_CTX_use_PrivateKey_file(r->context, r->file, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(r->context, NULL);
    SSL_CTX_set_default_passwd_cb(r->context, NULL);
    if (r->wants_password)
        return fail(r, "the key has a password", "; take it off (openssl pkey -in OLD -out NEW)");
    if (loaded && SSL_CTX_check_private_key(r->context) == 1)
        return true;
    unsigned long first = ERR_peek_error();
    if (loaded || (ERR_GET_LIB(first) == ERR_LIB_X509 && ERR_GET_REASON(first) == X509_R_KEY_VALUES_MISMATCH))
        return fail(r, "this is not the key of [upstream] certificate", "");
    return fail_openssl(r, "; it must hold the key of [upstream] certificate, as PEM");
}

bool trust_load(SSL_CTX *context, const struct tf_conf *conf, char *error, size_t size)
{
    const char *certificate = conf->upstream.certificate, *key = conf->upstream.key;
    struct reading r = {
        .context = context, .key = "ca_file", .file = conf->upstream.ca_file, .error = error, .size = size};
    if (!load_roots(&r))
        return false;
    if (certificate[0] == '\0') {
        r.key = "key";
        r.file = key;
        return key[0] == '\0' || fail(&r, "a key without a certificate", "; set [upstream] certificate too");
    }
    r.key = "certificate";
    r.file = certificate;
    if (!load_certificate(&r))
        return false;
    if (key[0] != '\0') {
        r.key = "key";
        r.file = key;
    }
    return load_key(&r);
}
