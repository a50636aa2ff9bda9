/* The name constraints of a CA's certificate (RFC 5280 4.2.1.10): made from the
 * rules, and read from a certificate. */
#ifndef CA_NAMES_H
#define CA_NAMES_H

#include "../lib/conf.h"
#include <openssl/types.h>

/* The subtrees of DNS that a certificate is limited to, and kept from. */
struct ca_names {
    char **permitted, **excluded; /* to a NULL; nothing in `permitted`: all names are */
};

/* Adds the names that conf's rules may upgrade, and no addresses. False with a sentence in error. */
bool ca_names_add(X509 *certificate, const struct tf_conf *conf, char *error, size_t size);

/* False: out of memory, or the extension is malformed. To be given back with ca_names_fini. */
bool ca_names_read(struct ca_names *names, const X509 *certificate);
void ca_names_fini(struct ca_names *names);
bool ca_names_permit(const struct ca_names *names, const char *name);

#endif
