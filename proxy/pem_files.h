/* Files of PEM that settings name, into an SSL_CTX: roots, and a certificate
 * with its chain and key. What is wrong with one is said in a sentence that
 * names the setting. */
#ifndef PEM_FILES_H
#define PEM_FILES_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Whose settings they are, and where the sentence goes. */
struct pem_settings {
    const char *section; /* `[upstream]` */
    char *error;
    size_t size;
    bool is_guarded; /* a key that is open to more than its owner and its group is refused */
};

/* [...] ca_file, or `system`, which is what OpenSSL takes for the system's roots. */
bool pem_load_roots(SSL_CTX *context, const struct pem_settings *s, const char *file);
/* [...] certificate, and behind it its chain; and [...] key, which may be "": it is in the same file. */
bool pem_load_pair(SSL_CTX *context, const struct pem_settings *s, const char *certificate, const char *key);
/* Says it of a setting's file. Always false. */
bool pem_fail(const struct pem_settings *s, const char *key, const char *file, const char *what,
              const char *advice);

#endif
