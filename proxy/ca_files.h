/* The two files of the CA's directory, read. What must be true of a CA is
 * checked in ca.c; here it is what must be true of the files. Each function
 * that fails leaves a sentence in error that names the file and says what to
 * do. */
#ifndef CA_FILES_H
#define CA_FILES_H

#include <limits.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The CA's own certificate, and those behind it up to a root. */
enum { CA_CHAIN_MAX = 8 };

/* There is room for more than the kernel takes, so that a path is never cut to another one. */
struct ca_files {
    char certificate[PATH_MAX + 16], key[PATH_MAX + 16];
};

struct ca_files ca_files_of(const char *directory);
bool ca_file_exists(const char *path); /* or might: only what is surely not there does not */
/* How many certificates the file holds, which go into out[0..CA_CHAIN_MAX), to be freed; 0: failed. */
size_t ca_read_certificates(const char *path, X509 **out, char *error, size_t size);
/* The key, to be freed, if it is RSA or EC, without a password, and in a file that is closed to others
 * (private_file.h). */
EVP_PKEY *ca_read_key(const char *path, char *error, size_t size);
bool ca_key_fits(const X509 *certificate, const EVP_PKEY *key, const struct ca_files *files, char *error,
                 size_t size);

#endif
