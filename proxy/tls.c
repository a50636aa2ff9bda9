/* Contexts of both roles and the SSLs made from them; see tls.h. */
#include "tls.h"

#include "resume.h"
#include "tls_context.h"
#include "tls_verdict.h"
#include "trust.h"

#include "../lib/host.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest list of ALPN names that is passed on: a few names, of at most 255 bytes each. */
enum { ALPN_MAX = 512 };

struct tls {
    atomic_uint refs;
    struct ca *ca;
    SSL_CTX *inside; /* NULL: no CA */
    SSL_CTX *outside;
    uint32_t client_sessions;
};

int tls_pick_alpn(struct tf_span wanted, struct tf_span offered, const unsigned char **out,
                  unsigned char *out_len)
{
    struct tf_reader r = tf_reader_of(offered.p, offered.n);
    while (wanted.n > 0 && r.left > 0) {
        struct tf_reader name = tf_read_vec8(&r);
        if (name.left == wanted.n && memcmp(name.p, wanted.p, wanted.n) == 0) {
            *out = name.p;
            *out_len = (unsigned char)name.left;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

int tls_on_inside_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned offered_len, void *arg)
{
    const SSL *outside = SSL_get_app_data(ssl);
    const unsigned char *agreed = NULL;
    unsigned agreed_len = 0;
    (void)arg;
    if (outside != NULL)
        SSL_get0_alpn_selected(outside, &agreed, &agreed_len);
    return tls_pick_alpn((struct tf_span){agreed, agreed_len}, (struct tf_span){offered, offered_len}, out,
                         out_len);
}

/* What clients may resume goes with the CA whose certificates they have seen, and lives in the context. Two
 * versions of the configuration share it, unless one of them keeps more sessions. */
static bool make_inside(struct tls *t, const struct tls *old)
{
    if (t->ca == NULL)
        return true;
    if (old != NULL && old->ca != NULL && old->client_sessions == t->client_sessions &&
        memcmp(ca_id(old->ca), ca_id(t->ca), CA_ID_SIZE) == 0) {
        t->inside = SSL_CTX_up_ref(old->inside) == 1 ? old->inside : NULL;
        return t->inside != NULL;
    }
    t->inside = tls_context_inside(t->client_sessions);
    if (t->inside == NULL)
        return false;
    SSL_CTX_set_alpn_select_cb(t->inside, tls_on_inside_alpn, NULL);
    return true;
}

static bool make_outside(struct tls *t, const struct tf_conf *conf)
{
    t->outside = tls_verdict_init() ? tls_context_outside(conf->upstream.minimum) : NULL;
    if (t->outside == NULL)
        return false;
    /* Sessions are the resumers', a loop each. */
    SSL_CTX_set_session_cache_mode(t->outside, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(t->outside, resume_on_session);
    return true;
}

struct tls *tls_new(const struct tf_conf *conf, struct ca *ca, const struct tls *old, char *error,
                    size_t size)
{
    struct tls *t = calloc(1, sizeof *t);
    if (t == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    *t = (struct tls){.refs = 1, .ca = ca, .client_sessions = conf->limits.client_sessions};
    ERR_clear_error();
    if (make_inside(t, old) && make_outside(t, conf)) {
        if (trust_load(t->outside, conf, error, size))
            return t;
    } else {
        char what[128];
        struct tf_writer w = tf_writer_of(what, sizeof what - 1);
        tls_put_error(&w);
        what[w.len] = '\0';
        snprintf(error, size, "OpenSSL cannot do what upgrades need: %s", what);
    }
    t->ca = NULL; /* the caller's still */
    tls_unref(t);
    return NULL;
}

struct tls *tls_ref(struct tls *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void tls_unref(struct tls *t)
{
    if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(t->inside);
    SSL_CTX_free(t->outside);
    if (t->ca != NULL)
        ca_unref(t->ca);
    free(t);
}

struct ca *tls_ca(const struct tls *t)
{
    return t->ca;
}

/* An address has no place in SNI (RFC 6066 3), and must be in the certificate as one. */
static bool set_name(SSL *ssl, const char *name)
{
    struct tf_target target;
    if (tf_host_parse(name, strlen(name), &target) != TF_HOST_OK)
        return false;
    if (target.is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* h2 is for clients at or above the floor: those below it would have to be spoken to in it as well. */
static bool offer_alpn(SSL *ssl, struct tf_span offered, bool is_http)
{
    char names[ALPN_MAX];
    struct tf_writer w = tf_writer_of(names, sizeof names);
    struct tf_reader r = tf_reader_of(offered.p, offered.n);
    while (r.left > 0) {
        struct tf_reader name = tf_read_vec8(&r);
        if (name.left == 0 || (name.left == 2 && memcmp(name.p, "h2", 2) == 0) || w.cap - w.len <= name.left)
            continue;
        tf_put_char(&w, (char)name.left);
        tf_put(&w, name.p, name.left);
    }
    if (w.len == 0 && is_http)
        tf_put_text(&w, "\x08http/1.1");
    return w.len == 0 || SSL_set_alpn_protos(ssl, (const unsigned char *)names, (unsigned)w.len) == 0;
}

/* A session must not outlive what it was verified with: once a certificate that the server showed has
 * expired, the handshake is a full one, and whatever the server has now is verified. What is offered is a
 * copy, since OpenSSL takes a TLS 1.3 session for used up, and others are to resume it as well. */
static bool offer_session(SSL *ssl, const SSL_SESSION *session)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    bool ok = copy != NULL && SSL_set_session(ssl, copy) == 1;
    SSL_SESSION_free(copy);
    if (!ok)
        return false;
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int n = chain != NULL ? sk_X509_num(chain) : 0;
    int valid = 0;
    while (valid < n && X509_cmp_current_time(X509_get0_notAfter(sk_X509_value(chain, valid))) > 0)
        valid++;
    return (n > 0 && valid == n) || SSL_set_session(ssl, NULL) == 1;
}

SSL *tls_outside(const struct tls *t, const char *name, struct tf_span alpn, bool is_http,
                 SSL_SESSION *resume)
{
    SSL *ssl = SSL_new(t->outside);
    if (ssl == NULL)
        return NULL;
    SSL_set_connect_state(ssl);
    if (set_name(ssl, name) && offer_alpn(ssl, alpn, is_http) &&
        (resume == NULL || offer_session(ssl, resume)))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

void tls_outside_lead(SSL *ssl, int group)
{
    static const int p256_first[] = {NID_X9_62_prime256v1, NID_X25519, NID_secp384r1};
    static const int p384_first[] = {NID_secp384r1, NID_X25519, NID_X9_62_prime256v1};
    const int *groups = group == NID_X9_62_prime256v1 ? p256_first
                        : group == NID_secp384r1      ? p384_first
                                                      : NULL;
    /* If it cannot be, the context's own order is as good but for a round trip. */
    if (groups != NULL && SSL_set1_groups(ssl, groups, 3) != 1)
        ERR_clear_error();
}

SSL *tls_inside_from(SSL_CTX *context, bool is_legacy, const struct tls_scope *scope, SSL *outside)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL)
        return NULL;
    SSL_set_accept_state(ssl);
    SSL_set_app_data(ssl, outside);
    if (SSL_set_session_id_context(ssl, scope->id, sizeof scope->id) == 1 &&
        (is_legacy || SSL_set_min_proto_version(ssl, TLS1_2_VERSION) == 1))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

SSL *tls_inside(const struct tls *t, const struct leaf *leaf, bool is_legacy, const char *name, SSL *outside)
{
    assert(t->inside != NULL);
    struct tls_scope scope = tls_scope_of("inside", ca_id(t->ca), name);
    SSL *ssl = tls_inside_from(t->inside, is_legacy, &scope, outside);
    if (ssl == NULL || SSL_use_cert_and_key(ssl, leaf->certificate, leaf->key, ca_chain(t->ca), 1) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

struct tf_leg tls_leg(SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    return (struct tf_leg){.version = (uint16_t)SSL_version(ssl),
                           .cipher = cipher != NULL ? SSL_CIPHER_get_protocol_id(cipher) : 0,
                           .resumed = SSL_session_reused(ssl) == 1};
}
