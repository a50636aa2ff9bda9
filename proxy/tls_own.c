/* A listener's own certificate; see tls_own.h. */
#include "tls_own.h"

#include "certificate.h"
#include "pem_files.h"
#include "tls_context.h"
#include "tls_verdict.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_own {
    SSL_CTX *outer;
    SSL_CTX *inside;
    uint8_t id[TLS_ID_SIZE]; /* of the certificate */
};

/* Clients who speak TLS to the proxy itself speak HTTP/1.1 in it. */
static int on_outer_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                         const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const struct tf_span http = {(const uint8_t *)"http/1.1", 8};
    (void)ssl, (void)arg;
    return tls_pick_alpn(http, (struct tf_span){offered, offered_len}, out, out_len);
}

static bool make_contexts(struct tls_own *own, const struct tf_conf *conf, const struct tf_listener *listener)
{
    own->outer = tls_context_outer(conf->policy.floor);
    own->inside = tls_context_inside(conf->limits.client_sessions);
    if (own->outer == NULL || own->inside == NULL)
        return false;
    if (listener->kind != TF_KIND_SOCKS5)
        SSL_CTX_set_alpn_select_cb(own->outer, on_outer_alpn, NULL);
    SSL_CTX_set_alpn_select_cb(own->inside, tls_on_inside_alpn, NULL);
    return true;
}

/* What the files hold has gone into one context; the other gets the same. */
static bool share_pair(struct tls_own *own)
{
    STACK_OF(X509) * chain;
    return SSL_CTX_get0_chain_certs(own->outer, &chain) == 1 &&
           SSL_CTX_use_cert_and_key(own->inside, SSL_CTX_get0_certificate(own->outer),
                                    SSL_CTX_get0_privatekey(own->outer), chain, 1) == 1;
}

/* Sessions are those of the certificate, and to the proxy itself also those of the floor. */
static bool set_scopes(struct tls_own *own, const struct tf_conf *conf)
{
    unsigned n;
    if (X509_digest(SSL_CTX_get0_certificate(own->outer), EVP_sha256(), own->id, &n) != 1)
        return false;
    struct tls_scope scope =
        tls_scope_of("outer", own->id, conf->policy.floor == TF_TLS13 ? "from 1.3" : "from 1.2");
    return SSL_CTX_set_session_id_context(own->outer, scope.id, sizeof scope.id) == 1;
}

struct tls_own *tls_own_load(const struct tf_conf *conf, const struct tf_listener *listener, char *error,
                             size_t size)
{
    char section[96];
    struct pem_settings s = {.section = section, .error = error, .size = size, .is_guarded = true};
    struct tls_own *own = calloc(1, sizeof *own);
    snprintf(section, sizeof section, "[listener %.80s]", listener->name);
    snprintf(error, size, "%s: out of memory", section);
    ERR_clear_error();
    if (own != NULL && make_contexts(own, conf, listener) &&
        pem_load_pair(own->outer, &s, listener->certificate, listener->key) && share_pair(own) &&
        set_scopes(own, conf))
        return own;
    ERR_clear_error();
    tls_own_free(own);
    return NULL;
}

void tls_own_free(struct tls_own *own)
{
    if (own == NULL)
        return;
    SSL_CTX_free(own->outer);
    SSL_CTX_free(own->inside);
    free(own);
}

SSL *tls_own_outer(const struct tls_own *own)
{
    SSL *ssl = SSL_new(own->outer);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}

SSL *tls_own_inside(const struct tls_own *own, bool is_legacy, const char *name, SSL *outside)
{
    struct tls_scope scope = tls_scope_of("own inside", own->id, name);
    return tls_inside_from(own->inside, is_legacy, &scope, outside);
}

int64_t tls_own_expires(const struct tls_own *own)
{
    return certificate_seconds(X509_get0_notAfter(SSL_CTX_get0_certificate(own->outer)));
}

void tls_own_put_subject(const struct tls_own *own, struct tf_writer *w)
{
    tls_put_subject(w, X509_get_subject_name(SSL_CTX_get0_certificate(own->outer)));
}
