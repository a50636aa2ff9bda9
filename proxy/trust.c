/* The files of [upstream]; see trust.h.
 *
 * `system` is what OpenSSL takes for the system's roots. SSL_CERT_FILE and
 * SSL_CERT_DIR move them, as with curl: whoever sets the gateway's
 * environment decides whom it trusts, as by ca_file. */
#include "trust.h"

#include "pem_files.h"

bool trust_load(SSL_CTX *context, const struct tf_conf *conf, char *error, size_t size)
{
    const struct pem_settings s = {.section = "[upstream]", .error = error, .size = size};
    const char *certificate = conf->upstream.certificate, *key = conf->upstream.key;
    if (!pem_load_roots(context, &s, conf->upstream.ca_file))
        return false;
    if (certificate[0] != '\0')
        return pem_load_pair(context, &s, certificate, key);
    return key[0] == '\0' ||
           pem_fail(&s, "key", key, "a key without a certificate", "; set [upstream] certificate too");
}
