/* Whether OpenSSL can do TLS 1.0 here: compiled out, forbidden by a policy
 * that no program can override, FIPS, no SHA-1 signatures; no table tells of
 * all of these, so a handshake is tried, in memory. */
#include "tls.h"
#include "tls_context.h"

#include <openssl/err.h>
#include <openssl/x509.h>

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *x = X509_new();
    if (x != NULL && X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(x), 60) != NULL && X509_set_pubkey(x, key) == 1 &&
        X509_sign(x, key, EVP_sha256()) > 0)
        return x;
    X509_free(x);
    return NULL;
}

static SSL *new_server(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key != NULL ? self_signed(key) : NULL;
    SSL *ssl = certificate != NULL ? SSL_new(context) : NULL;
    if (ssl != NULL && SSL_use_cert_and_key(ssl, certificate, key, NULL, 1) != 1) {
        SSL_free(ssl);
        ssl = NULL;
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ssl;
}

/* The same context serves for the other side: what it may do is the same, but for the version. */
static SSL *new_client(SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    if (ssl != NULL && (SSL_set_ssl_method(ssl, TLS_client_method()) != 1 ||
                        SSL_set_max_proto_version(ssl, TLS1_VERSION) != 1)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    return ssl;
}

/* Three turns each are more than a handshake of TLS 1.0 takes. */
static bool shake_hands(SSL *server, SSL *client)
{
    BIO *to_server, *to_client;
    if (server == NULL || client == NULL || BIO_new_bio_pair(&to_server, 0, &to_client, 0) != 1)
        return false;
    SSL_set_bio(server, to_client, to_client);
    SSL_set_bio(client, to_server, to_server);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int turn = 0; turn < 3; turn++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    return SSL_is_init_finished(server) && SSL_is_init_finished(client);
}

bool tls_can_tls10(void)
{
    SSL_CTX *context = tls_context_inside(0);
    SSL *server = context != NULL ? new_server(context) : NULL;
    SSL *client = context != NULL ? new_client(context) : NULL;
    bool can = shake_hands(server, client);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    ERR_clear_error();
    return can;
}
