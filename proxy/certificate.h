/* Certificates: what the gateway's CA and its leaves have in common. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

/* Version 3, a random serial, this subject and key, valid between two times (seconds since 1970). To be
 * extended and signed; NULL: OpenSSL cannot. */
X509 *certificate_new(const X509_NAME *subject, EVP_PKEY *key, int64_t not_before_s, int64_t not_after_s);
/* A subject with a common name and nothing else; with "", an empty one. */
X509_NAME *certificate_subject(const char *common_name);
/* An extension in the words of openssl's x509v3_config. `issuer` is for identifiers of keys. */
bool certificate_extend(X509 *certificate, X509 *issuer, int nid, const char *value);
GENERAL_NAME *certificate_dns_name(const char *name);
int64_t certificate_seconds(const ASN1_TIME *time); /* since 1970 */

#endif
