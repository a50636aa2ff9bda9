/* Whole sessions with OpenSSL: groups, keys, resumption, ALPN, the chain; and
 * the gateway's own outside leg. All but the last are lenient, to see what
 * the server does; whether it is good enough, the outside leg says. */
#include "probe_parts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICKET_WAIT_MS = 1000 };

/* As IANA names them, the usual ones first. */
static const char *const group_names[] = {"X25519MLKEM768", "x25519", "secp256r1", "secp384r1",
                                          "secp521r1",      "x448",   "ffdhe2048", "ffdhe3072"};
enum { GROUPS = sizeof group_names / sizeof *group_names };
_Static_assert(GROUPS <= PROBE_GROUPS_MAX, "every group has its place in the result");

/* Everything is set: whatever the system's configuration of OpenSSL says must not hide what a server takes. */
SSL_CTX *probe_context(void)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());
    if (!c)
        return NULL;
    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_clear_options(c, SSL_OP_NO_SSL_MASK);
    SSL_CTX_set_options(c, SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cipher_list(c, "ALL:!aNULL:@SECLEVEL=0");
    SSL_CTX_set_ciphersuites(c, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
                                "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
    return c;
}

/* A session of one version, before its handshake. NULL: out of memory, or OpenSSL has no such version. */
static SSL *new_session(const struct probe *p, uint16_t version)
{
    SSL *ssl = SSL_new(p->lenient);
    if (ssl && SSL_set_min_proto_version(ssl, version) == 1 && SSL_set_max_proto_version(ssl, version) == 1 &&
        (p->asked.is_address || SSL_set_tlsext_host_name(ssl, p->asked.host) == 1))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* Connects and shakes hands. False with what SSL_get_error says in *why, or SSL_ERROR_NONE: there was no connection,
 * and error says why. */
static bool shake_hands(struct probe *p, SSL *ssl, int *why, char *error)
{
    uint64_t deadline_ms;
    *why = SSL_ERROR_NONE;
    int fd = probe_connect(p, &deadline_ms, error);
    BIO *bio = fd >= 0 ? BIO_new_socket(fd, BIO_CLOSE) : NULL;
    if (!bio) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    SSL_set_bio(ssl, bio, bio);
    int n;
    do {
        ERR_clear_error();
        n = SSL_connect(ssl);
    } while (n != 1 && fetch_retry(ssl, n, deadline_ms));
    *why = n == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, n);
    return n == 1;
}
