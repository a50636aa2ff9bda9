/* Reading the CA's files; see ca_files.h. Writing them is up to ca_make.c. */
#include "ca_files.h"

#include "conf_file.h"
#include "private_file.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

struct ca_files ca_files_of(const char *directory)
{
    struct ca_files files = {.key = ""};
    snprintf(files.certificate, sizeof files.certificate, "%s/ca.pem", directory);
    snprintf(files.key, sizeof files.key, "%s/ca.key", directory);
    return files;
}

bool ca_file_exists(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0 || errno != ENOENT;
}

static void say_unreadable(const char *path, int why, char *error, size_t size)
{
    char text[128];
    conf_error_text(why, text, sizeof text);
    snprintf(error, size, "%.300s cannot be read: %s", path, text);
}

/* 0, or errno. */
static int read_all(int fd, char *to, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, to + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : EIO; /* it became shorter meanwhile */
        at += (size_t)got;
    }
    return 0;
}

/* A small file in memory, for OpenSSL to read from. */
struct content {
    char *p;
    size_t n;
    struct stat st;
};

static void content_free(struct content *c)
{
    if (c->p)
        OPENSSL_cleanse(c->p, c->n);
    free(c->p);
}

static bool content_read(struct content *c, const char *path, char *error, size_t size)
{
    *c = (struct content){.p = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    int why = fd < 0 || fstat(fd, &c->st) != 0 ? errno : 0;
    c->n = (size_t)c->st.st_size;
    if (why == 0 && !S_ISREG(c->st.st_mode))
        why = EINVAL;
    if (why == 0 && c->st.st_size > FILE_MAX)
        why = EFBIG;
    if (why == 0 && (c->p = malloc(c->n + 1)) == NULL)
        why = ENOMEM;
    if (why == 0)
        why = read_all(fd, c->p, c->n);
    if (fd >= 0)
        close(fd);
    if (why == 0)
        return true;
    say_unreadable(path, why, error, size);
    content_free(c);
    return false;
}

/* False: there is something that is no certificate, or one too many. */
static bool parse_certificates(BIO *bio, X509 **out, size_t *n)
{
    ERR_clear_error();
    while (*n < CA_CHAIN_MAX && (out[*n] = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        (*n)++;
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return is_end;
}

size_t ca_read_certificates(const char *path, X509 **out, char *error, size_t size)
{
    struct content c;
    size_t n = 0;
    if (!content_read(&c, path, error, size))
        return 0;
    BIO *bio = BIO_new_mem_buf(c.p, (int)c.n);
    bool ok = bio && parse_certificates(bio, out, &n);
    if (!ok)
        snprintf(error, size, "certificate %zu of %.300s is broken, or one too many", n + 1, path);
    else if (n == 0)
        snprintf(
            error, size,
            "%.300s holds no certificate; put the CA's there in PEM form (-----BEGIN CERTIFICATE-----), or "
            "move the file away and run: tlsfloor ca init",
            path);
    BIO_free(bio);
    content_free(&c);
    while (!ok && n > 0)
        X509_free(out[--n]);
    return n;
}

/* Asked for a password only where the key has one. */
static int on_password(char *out, int size, int writing, void *asked)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *parse_key(const char *path, const struct content *c, char *error, size_t size)
{
    bool has_password = false;
    BIO *bio = BIO_new_mem_buf(c->p, (int)c->n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, on_password, &has_password) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA && EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
        snprintf(error, size, "%.300s is neither an RSA nor an EC key, and old clients know no other", path);
        EVP_PKEY_free(key);
        return NULL;
    }
    if (!key && has_password)
        snprintf(error, size,
                 "%.180s has a password, and nobody is there to type it; write it without one: (umask 077; "
                 "openssl pkey -in %.180s -out NEW), and put NEW in its place",
                 path, path);
    else if (!key)
        snprintf(error, size,
                 "%.300s holds no private key; put the CA's there in PEM form (-----BEGIN PRIVATE KEY-----)",
                 path);
    return key;
}

EVP_PKEY *ca_read_key(const char *path, char *error, size_t size)
{
    struct content c;
    EVP_PKEY *key = NULL;
    if (!ca_file_exists(path)) {
        snprintf(
            error, size,
            "%.300s is not there; put the key of the CA's certificate back, or move ca.pem beside it away "
            "as well and run: tlsfloor ca init",
            path);
        return NULL;
    }
    if (!content_read(&c, path, error, size))
        return NULL;
    if (!private_file_is_closed(&c.st, PRIVATE_TO_OWNER))
        snprintf(error, size,
                 "%.180s is open to other users (mode %04o), and whoever has it can pass for any server: "
                 "%s %.180s",
                 path, (unsigned)c.st.st_mode & 07777, private_file_advice(&c.st), path);
    else
        key = parse_key(path, &c, error, size);
    content_free(&c);
    return key;
}

bool ca_key_fits(const X509 *certificate, const EVP_PKEY *key, const struct ca_files *files, char *error,
                 size_t size)
{
    bool fits = X509_check_private_key(certificate, key) == 1;
    if (!fits)
        snprintf(error, size, "%.180s is not the key of %.180s; put the two together that belong together",
                 files->key, files->certificate);
    ERR_clear_error();
    return fits;
}
