/* Whole sessions with OpenSSL: groups, keys, resumption, ALPN; and the
 * gateway's own outside leg. All but the last are lenient, to see what the
 * server does; whether it is good enough, the outside leg says. What stands in
 * certificates is left to probe_chain.c. */
#include "probe_parts.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICKET_WAIT_MS = 1000 };

/* As IANA names them, the usual ones first. */
static const char *const all_groups[] = {"X25519MLKEM768", "x25519", "secp256r1", "secp384r1",
                                         "secp521r1",      "x448",   "ffdhe2048", "ffdhe3072"};
enum { GROUPS = sizeof all_groups / sizeof *all_groups, GROUPS_TEXT = 128 };
_Static_assert((int)GROUPS <= (int)PROBE_GROUPS_MAX, "every group has its place in the result");

/* Nothing is left to the system's configuration of OpenSSL, which must not hide what a server takes. */
SSL_CTX *probe_context(void)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());
    if (!c)
        return NULL;
    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_clear_options(c, SSL_CTX_get_options(c));
    SSL_CTX_set_options(c, SSL_OP_ALL | SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_LEGACY_SERVER_CONNECT |
                               SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cipher_list(c, "ALL:!aNULL:@SECLEVEL=0");
    SSL_CTX_set_ciphersuites(c, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
                                "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
    return c;
}

/* Whether OpenSSL has anything to say in the versions that are set: some systems have left out old ones. */
static bool has_suites(SSL *ssl)
{
    STACK_OF(SSL_CIPHER) *suites = SSL_get1_supported_ciphers(ssl);
    bool any = suites && sk_SSL_CIPHER_num(suites) > 0;
    sk_SSL_CIPHER_free(suites);
    return any;
}

/* Of one version, before its handshake. NULL: this OpenSSL cannot. */
static SSL *new_session(const struct probe *p, uint16_t version)
{
    SSL *ssl = SSL_new(p->lenient);
    if (ssl && SSL_set_min_proto_version(ssl, version) == 1 && SSL_set_max_proto_version(ssl, version) == 1 &&
        has_suites(ssl) && (p->asked.is_address || SSL_set_tlsext_host_name(ssl, p->asked.host) == 1))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

enum shaken {
    SHAKEN,
    NOT_SHAKEN,   /* OpenSSL's queue says why */
    NOT_IN_TIME,  /* error says so */
    NOT_CONNECTED /* error says why */
};

/* Connects and shakes hands. The socket goes with the SSL. */
static enum shaken shake_hands(struct probe *p, SSL *ssl, char *error)
{
    uint64_t deadline_ms;
    int fd = probe_connect(p, &deadline_ms, error);
    if (fd < 0)
        return NOT_CONNECTED;
    BIO *bio = BIO_new_socket(fd, BIO_CLOSE);
    if (!bio) {
        close(fd);
        snprintf(error, PROBE_TEXT_MAX, "out of memory");
        return NOT_CONNECTED;
    }
    SSL_set_bio(ssl, bio, bio);
    int n;
    do {
        ERR_clear_error();
        n = SSL_connect(ssl);
    } while (n != 1 && fetch_retry(ssl, n, deadline_ms));
    if (n == 1)
        return SHAKEN;
    int why = SSL_get_error(ssl, n);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return NOT_SHAKEN;
    snprintf(error, PROBE_TEXT_MAX, "no answer in time");
    return NOT_IN_TIME;
}

/* Says goodbye, without which the session could not be resumed. */
static void end_session(SSL *ssl)
{
    if (ssl && SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

static bool is_shaken(struct probe *p, SSL *ssl)
{
    char ignored[PROBE_TEXT_MAX];
    return shake_hands(p, ssl, ignored) == SHAKEN;
}

/* RSA first: an ECDSA certificate can only be shown to clients that offer its own curve (RFC 8422 5.3). */
static const char group_ciphers[] = "ECDHE+aRSA:ECDHE:@SECLEVEL=0";

/* The groups that are offered, as OpenSSL wants them. */
static void put_groups(struct tf_writer *w, const bool *is_offered)
{
    for (size_t i = 0; i < GROUPS; i++) {
        if (!is_offered[i])
            continue;
        tf_put_text(w, w->len > 0 ? ":" : "");
        tf_put_text(w, all_groups[i]);
    }
    tf_put_char(w, '\0');
}

/* The group that the server picks of those offered, as its index; GROUPS: none. */
static size_t pick_group(struct probe *p, uint16_t version, const bool *is_offered)
{
    char list[GROUPS_TEXT];
    struct tf_writer w = tf_writer_of(list, sizeof list);
    put_groups(&w, is_offered);
    SSL *ssl = new_session(p, version);
    if (!ssl || SSL_set1_groups_list(ssl, list) != 1 || SSL_set_cipher_list(ssl, group_ciphers) != 1 ||
        !is_shaken(p, ssl)) {
        end_session(ssl);
        return GROUPS;
    }
    const char *name = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));
    size_t i = 0;
    while (i < GROUPS && (!name || strcmp(all_groups[i], name) != 0))
        i++;
    end_session(ssl);
    return i;
}

/* As with suites: what the server has picked is not offered again. */
static void find_groups(struct probe *p, struct probe_version *v)
{
    bool is_offered[GROUPS];
    size_t left = 0;
    SSL *scratch = new_session(p, v->version);
    for (size_t i = 0; i < GROUPS; i++) {
        is_offered[i] = scratch && SSL_set1_groups_list(scratch, all_groups[i]) == 1;
        left += is_offered[i];
    }
    end_session(scratch);
    for (; left > 0; left--) {
        size_t picked = pick_group(p, v->version, is_offered);
        if (picked == GROUPS || !is_offered[picked])
            return;
        is_offered[picked] = false;
        v->groups[v->group_count++] = all_groups[picked];
    }
}

/* TLS 1.3 sends tickets behind the handshake, if it does (RFC 8446 4.6.1). */
static void wait_for_ticket(SSL *ssl)
{
    char ignored[1024];
    uint64_t deadline_ms = fetch_now_ms() + TICKET_WAIT_MS;
    bool goes_on = true;
    while (goes_on && fetch_now_ms() < deadline_ms) {
        int n = SSL_read(ssl, ignored, sizeof ignored);
        goes_on =
            !SSL_SESSION_is_resumable(SSL_get0_session(ssl)) && (n > 0 || fetch_retry(ssl, n, deadline_ms));
    }
}

/* A session that is over and could be resumed, or NULL. */
static SSL_SESSION *resumable_session(struct probe *p, uint16_t version, uint64_t options)
{
    SSL_SESSION *session = NULL;
    SSL *ssl = new_session(p, version);
    if (ssl)
        SSL_set_options(ssl, options);
    if (ssl && is_shaken(p, ssl)) {
        if (version == TF_TLS13)
            wait_for_ticket(ssl);
        session = SSL_get1_session(ssl);
    }
    end_session(ssl);
    if (session && SSL_SESSION_is_resumable(session))
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

/* Whether the server resumes by a ticket, or else by a session ID (RFC 5077, RFC 5246 F.1.4). */
static bool does_resume(struct probe *p, uint16_t version, bool by_ticket)
{
    uint64_t options = by_ticket ? 0 : SSL_OP_NO_TICKET;
    SSL_SESSION *session = resumable_session(p, version, options);
    SSL *ssl =
        session && (SSL_SESSION_has_ticket(session) == 1) == by_ticket ? new_session(p, version) : NULL;
    if (ssl)
        SSL_set_options(ssl, options);
    bool is_resumed =
        ssl && SSL_set_session(ssl, session) == 1 && is_shaken(p, ssl) && SSL_session_reused(ssl) == 1;
    end_session(ssl);
    SSL_SESSION_free(session);
    return is_resumed;
}

/* A session of a version, or NULL with the reason in v->no_session. */
static SSL *first_session(struct probe *p, struct probe_version *v)
{
    SSL *ssl = new_session(p, v->version);
    if (!ssl) {
        snprintf(v->no_session, sizeof v->no_session, "the OpenSSL of this machine cannot speak it");
        return NULL;
    }
    enum shaken result = shake_hands(p, ssl, v->no_session);
    if (result == SHAKEN)
        return ssl;
    struct tf_writer w = tf_writer_of(v->no_session, sizeof v->no_session - 1);
    if (result == NOT_SHAKEN)
        tls_put_error(&w);
    end_session(ssl);
    return NULL;
}

void probe_sessions(struct probe *p, struct probe_version *v)
{
    SSL *ssl = first_session(p, v);
    v->has_session = ssl != NULL;
    if (!ssl)
        return;
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate)
        probe_key_text(X509_get0_pubkey(certificate), v->key);
    v->renegotiates_securely = v->version < TF_TLS13 && SSL_get_secure_renegotiation_support(ssl) == 1;
    end_session(ssl);
    find_groups(p, v);
    v->resumes_ticket = does_resume(p, v->version, true);
    v->resumes_id = v->version < TF_TLS13 && does_resume(p, v->version, false);
}

static bool agrees_on(struct probe *p, uint16_t version, const char *protocol)
{
    uint8_t list[16];
    const uint8_t *agreed = NULL;
    unsigned n = (unsigned)strlen(protocol), agreed_n = 0;
    list[0] = (uint8_t)n;
    memcpy(list + 1, protocol, n);
    SSL *ssl = new_session(p, version);
    if (ssl && SSL_set_alpn_protos(ssl, list, n + 1) == 0 && is_shaken(p, ssl))
        SSL_get0_alpn_selected(ssl, &agreed, &agreed_n);
    bool is_agreed = agreed_n == n && memcmp(agreed, protocol, n) == 0;
    end_session(ssl);
    return is_agreed;
}

void probe_best(struct probe *p, struct probe_result *r)
{
    SSL *ssl = new_session(p, r->best->version);
    if (ssl && is_shaken(p, ssl))
        probe_chain(p, ssl, r);
    end_session(ssl);
    r->alpn_h2 = agrees_on(p, r->best->version, "h2");
    r->alpn_http11 = agrees_on(p, r->best->version, "http/1.1");
}

void probe_outside(struct probe *p, struct probe_result *r)
{
    SSL *ssl = tls_outside(p->tls, p->asked.host, (struct tf_span){NULL, 0}, p->is_http, NULL);
    struct tf_writer w = tf_writer_of(r->outside_why, sizeof r->outside_why - 1);
    switch (ssl ? shake_hands(p, ssl, r->outside_why) : NOT_SHAKEN) {
    case SHAKEN:
        r->outside = TF_REASON_NONE;
        r->leg = tls_leg(ssl);
        break;
    case NOT_SHAKEN:
        r->outside = ssl ? tls_outside_failure(ssl, &w) : TF_REASON_NO_RESOURCES;
        break;
    case NOT_IN_TIME:
        r->outside = TF_REASON_UPSTREAM_TLS_TIMEOUT;
        break;
    case NOT_CONNECTED:
        r->outside = TF_REASON_UPSTREAM_TLS_FAILED;
        break;
    }
    end_session(ssl);
}
