/* Files of PEM that settings name; see pem_files.h. */
#include "pem_files.h"

#include "conf_file.h"
#include "private_file.h"
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file of a setting that is being read. */
struct reading {
    SSL_CTX *context;
    const struct pem_settings *settings;
    const char *key, *file;
    bool wants_password;
};

bool pem_fail(const struct pem_settings *s, const char *key, const char *file, const char *what,
              const char *advice)
{
    ERR_clear_error();
    snprintf(s->error, s->size, "%s %s: %s: %s%s", s->section, key, file, what, advice);
    return false;
}

static bool fail(const struct reading *r, const char *what, const char *advice)
{
    return pem_fail(r->settings, r->key, r->file, what, advice);
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

/* OpenSSL's own words for a file that is not there are no help, and with it all clients would wait for
 * somebody to write into a FIFO. */
static bool check_readable(const struct reading *r, struct stat *st)
{
    char c, why[256];
    int fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *st = (struct stat){.st_mode = 0};
    bool readable = fd >= 0 && fstat(fd, st) == 0 && read(fd, &c, 1) >= 0;
    conf_error_text(errno, why, sizeof why);
    if (fd >= 0)
        close(fd);
    if (S_ISFIFO(st->st_mode))
        return fail(r, "this is a FIFO, which a reload could not read again",
                    "; write what it holds to a file");
    return readable || fail(r, why, "");
}

bool pem_load_roots(SSL_CTX *context, const struct pem_settings *s, const char *file)
{
    struct reading r = {.context = context, .settings = s, .key = "ca_file", .file = file};
    struct stat st;
    if (strcmp(file, "system") == 0)
        return SSL_CTX_set_default_verify_paths(context) == 1 || fail_openssl(&r, "");
    return check_readable(&r, &st) && (SSL_CTX_load_verify_file(context, file) == 1 ||
                                       fail_openssl(&r, "; write a file of PEM certificates, or system"));
}

static bool load_certificate(const struct reading *r)
{
    struct stat st;
    return check_readable(r, &st) &&
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

/* With words of its own where it is another certificate's, or is to be in the file with the certificate,
 * whose PEM is fine, and is not. */
static bool fail_key(const struct reading *r, bool is_loaded)
{
    char text[160];
    unsigned long first = ERR_peek_error();
    bool is_other = is_loaded || (ERR_GET_LIB(first) == ERR_LIB_X509 &&
                                  ERR_GET_REASON(first) == X509_R_KEY_VALUES_MISMATCH);
    if (!is_other && strcmp(r->key, "certificate") == 0)
        return fail(r, "there is no key in it that can be read", "; write key = and the file with it");
    snprintf(text, sizeof text,
             is_other ? "this is not the key of %s certificate"
                      : "; it must hold the key of %s certificate, as PEM",
             r->settings->section);
    return is_other ? fail(r, text, "") : fail_openssl(r, text);
}

static bool load_key(struct reading *r)
{
    struct stat st;
    if (!check_readable(r, &st))
        return false;
    SSL_CTX_set_default_passwd_cb(r->context, on_password);
    SSL_CTX_set_default_passwd_cb_userdata(r->context, r);
    bool is_loaded = SSL_CTX_use_PrivateKey_file(r->context, r->file, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(r->context, NULL);
    SSL_CTX_set_default_passwd_cb(r->context, NULL);
    if (r->wants_password)
        return fail(r, "the key has a password", "; take it off (openssl pkey -in OLD -out NEW)");
    if (!is_loaded || SSL_CTX_check_private_key(r->context) != 1)
        return fail_key(r, is_loaded);
    if (r->settings->is_guarded && !private_file_is_closed(&st, PRIVATE_TO_GROUP))
        return fail(r, "others may read or change it, and whoever has it can pass for this server",
                    "; chmod 600, or 640 for a group that may");
    return true;
}

bool pem_load_pair(SSL_CTX *context, const struct pem_settings *s, const char *certificate, const char *key)
{
    struct reading r = {.context = context, .settings = s, .key = "certificate", .file = certificate};
    if (!load_certificate(&r))
        return false;
    if (key[0] != '\0') {
        r.key = "key";
        r.file = key;
    }
    return load_key(&r);
}
