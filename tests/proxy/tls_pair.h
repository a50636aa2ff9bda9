/* Both ends of a TLS connection in one process, and settings for struct tls. */
#ifndef TLS_PAIR_H
#define TLS_PAIR_H

#include "../../proxy/tickets.h"
#include "../../proxy/tls.h"
#include "cert_maker.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

/* Joins two SSLs that have their states; takes nothing over. */
static inline void pair_join(SSL *a, SSL *b)
{
    BIO *to_a, *to_b;
    assert_int_equal(BIO_new_bio_pair(&to_a, 1 << 16, &to_b, 1 << 16), 1);
    SSL_set_bio(a, to_b, to_b);
    SSL_set_bio(b, to_a, to_a);
}

/* Lets both go on until they are done or one fails. `first` answers for itself; its errors are what OpenSSL's
 * queue holds afterwards. */
static inline bool pair_shake(SSL *first, SSL *second)
{
    pair_join(first, second);
    for (int i = 0; i < 400; i++) {
        SSL_do_handshake(second);
        ERR_clear_error();
        int r = SSL_do_handshake(first);
        int error = SSL_get_error(first, r);
        if (r != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return false;
        if (SSL_is_init_finished(first) && SSL_is_init_finished(second))
            return true;
    }
    return false;
}

/* Both read once more: tickets of TLS 1.3 come behind the handshake. */
static inline void pair_settle(SSL *client, SSL *server)
{
    char byte;
    assert_int_equal(SSL_write(server, "!", 1), 1);
    assert_int_equal(SSL_read(client, &byte, 1), 1);
}

/* A peer with nothing forbidden, showing `own` (may be NULL) and what is above it. */
static inline SSL_CTX *pair_peer(const SSL_METHOD *method, int lowest, int highest, const struct maker *own,
                                 X509 *const *above, size_t n)
{
    SSL_CTX *c = SSL_CTX_new(method);
    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_set_min_proto_version(c, lowest);
    SSL_CTX_set_max_proto_version(c, highest);
    assert_int_equal(SSL_CTX_set_cipher_list(c, "ALL:COMPLEMENTOFALL"), 1);
    if (own != NULL)
        assert_int_equal(SSL_CTX_use_cert_and_key(c, own->certificate, own->key, NULL, 1), 1);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(SSL_CTX_add1_chain_cert(c, above[i]), 1);
    return c;
}

static inline SSL *pair_server(SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    SSL_set_accept_state(ssl);
    return ssl;
}

static inline SSL *pair_client(SSL_CTX *context, const char *name)
{
    SSL *ssl = SSL_new(context);
    SSL_set_connect_state(ssl);
    if (name != NULL)
        SSL_set_tlsext_host_name(ssl, name);
    return ssl;
}

/* What [upstream] has by default, but for the roots. */
static inline struct tf_conf pair_conf(const char *ca_file)
{
    struct tf_conf conf = {.limits.client_sessions = 100};
    conf.upstream.minimum = TF_TLS12;
    conf.upstream.ca_file = ca_file;
    conf.upstream.certificate = conf.upstream.key = "";
    return conf;
}

/* Keys of tickets as in `file`; "": new ones. */
static inline struct tickets *pair_tickets(const char *file)
{
    char error[512] = "";
    struct tickets *t = tickets_new(file, error, sizeof error);
    if (t == NULL)
        fail_msg("%s", error);
    return t;
}

static inline struct tls *pair_tls(const struct tf_conf *conf, struct ca *ca, const struct tls *old)
{
    char error[512] = "";
    struct tls *t = tls_new(conf, ca, old, error, sizeof error);
    if (t == NULL)
        fail_msg("%s", error);
    return t;
}

#endif
