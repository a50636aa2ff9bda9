/* The SSL_CTX of each role: what the gateway may agree on with its peers.
 *
 * A system's openssl.cnf (or OPENSSL_CONF) speaks first: SSL_CTX_new applies
 * its system_default section, which may lower or raise versions, suites,
 * groups, signatures, the security level and options. So each of these is
 * set here again, for every role, and nothing is left to a default: such a
 * file neither weakens the outer and the outside leg nor keeps old clients
 * from the inside one. Whom to trust is in trust.c. */
#include "tls_context.h"

#include "../lib/inside.h"
#include "tickets.h"
#include "tls_verdict.h"

#include <assert.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>

/* One read takes several records. */
enum { READ_BUFFER = 32768 };

/* How long a session can be resumed, in seconds. Inside, a working day: old clients are slow. */
enum { INSIDE_SESSION_S = TICKET_LIFE_S, STRONG_SESSION_S = 2 * 3600 };

/* Intermediates between a server's certificate and its root. Real chains have two or three. */
enum { CHAIN_DEPTH = 8 };

struct profile {
    const SSL_METHOD *(*method)(void);
    int security_level;
    uint64_t options;
    const char *suites; /* of TLS 1.3; those below are the caller's to name */
    const char *groups;
    const char *signatures;
};

#define FOR_ALL       (SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION)
#define STRONG_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define STRONG_GROUPS "X25519:P-256:P-384"
#define STRONG_SIGNATURES                                                                                    \
    "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:"                         \
    "ECDSA+SHA512:RSA-PSS+SHA512:RSA+SHA512:ed25519"

/* X25519 first: OpenSSL does it at half the cost of P-256, which clients without it have. No empty records
 * against BEAST: that attack needs plain text of its choice from the side that writes, so it is the client's
 * to guard against, and old clients take such a record for the end. SHA-1 is last, for clients that know
 * nothing else. */
static const struct profile inside = {
    .method = TLS_server_method,
    .security_level = 0,
    .options = FOR_ALL | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS,
    .suites = STRONG_SUITES,
    .groups = "X25519:P-256:P-384:P-521",
    .signatures = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:"
                  "ECDSA+SHA512:RSA-PSS+SHA512:RSA+SHA512:ECDSA+SHA224:RSA+SHA224:ECDSA+SHA1:RSA+SHA1",
};

/* The first group is the one that a TLS 1.3 hello brings a key share of. Microsoft's front doors do not all
 * take X25519, and then a HelloRetryRequest costs a round trip: tls_outside_lead says what a server has taken
 * before. */
static const struct profile outside = {
    .method = TLS_client_method,
    .security_level = 2,
    .options = FOR_ALL | SSL_OP_ENABLE_MIDDLEBOX_COMPAT,
    .suites = STRONG_SUITES,
    .groups = STRONG_GROUPS,
    .signatures = STRONG_SIGNATURES,
};

/* The same strength towards clients who speak TLS to the proxy itself: the floor holds for them, and who is
 * at it has what the outside leg has. */
static const struct profile outer = {
    .method = TLS_server_method,
    .security_level = 2,
    .options = FOR_ALL | SSL_OP_CIPHER_SERVER_PREFERENCE,
    .suites = STRONG_SUITES,
    .groups = STRONG_GROUPS,
    .signatures = STRONG_SIGNATURES,
};

/* Below TLS 1.3: what Microsoft 365 takes (the ECDHE-RSA ones, and the DHE pair of Azure Front Door), and
 * ECDSA for the rest of the world, whose certificates are often of that kind. Forward secrecy always; AES-128
 * first where the server has no opinion, as browsers do: it is strong enough for everybody, and cheaper. CBC
 * stands last, with its SHA-2 MACs only. */
static const char strong_ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                                     "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                                     "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384";

static SSL_CTX *context_of(const struct profile *p, int minimum, const char *ciphers)
{
    SSL_CTX *c = SSL_CTX_new(p->method());
    if (c == NULL)
        return NULL;
    SSL_CTX_clear_options(c, SSL_CTX_get_options(c));
    SSL_CTX_set_options(c, p->options);
    SSL_CTX_set_security_level(c, p->security_level);
    /* The chains that are shown are given whole, if there are any: OpenSSL need not look for issuers. */
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_default_read_buffer_len(c, READ_BUFFER);
    if (SSL_CTX_set_min_proto_version(c, minimum) == 1 &&
        SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 && SSL_CTX_set_cipher_list(c, ciphers) == 1 &&
        SSL_CTX_set_ciphersuites(c, p->suites) == 1 && SSL_CTX_set1_groups_list(c, p->groups) == 1 &&
        SSL_CTX_set1_sigalgs_list(c, p->signatures) == 1)
        return c;
    SSL_CTX_free(c);
    return NULL;
}

/* lib/inside.c's table, as OpenSSL writes lists. */
static void put_inside_ciphers(struct tf_writer *w)
{
    for (const struct tf_inside_suite *s = tf_inside_suites; s->name != NULL; s++) {
        tf_put_text(w, w->len > 0 ? ":" : "");
        tf_put_text(w, s->name);
    }
    tf_put_char(w, '\0');
    assert(!w->full);
}

static SSL_CTX *server_context(const struct profile *p, int minimum, const char *ciphers, long session_s)
{
    SSL_CTX *c = context_of(p, minimum, ciphers);
    if (c == NULL)
        return NULL;
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_dh_auto(c, 1);
    SSL_CTX_set_timeout(c, session_s);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    if (tickets_serve(c))
        return c;
    SSL_CTX_free(c);
    return NULL;
}

SSL_CTX *tls_context_inside(uint32_t sessions)
{
    char ciphers[2048];
    struct tf_writer w = tf_writer_of(ciphers, sizeof ciphers);
    put_inside_ciphers(&w);
    SSL_CTX *c = server_context(&inside, TLS1_VERSION, ciphers, INSIDE_SESSION_S);
    if (c == NULL)
        return NULL;
    SSL_CTX_set_num_tickets(c, 1);
    if (sessions > 0) { /* of a size of 0 OpenSSL would make one without a bound */
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_SERVER);
        SSL_CTX_sess_set_cache_size(c, sessions);
    }
    return c;
}

SSL_CTX *tls_context_outer(uint16_t minimum)
{
    assert(minimum >= TLS1_2_VERSION);
    return server_context(&outer, minimum, strong_ciphers, STRONG_SESSION_S);
}

struct tls_scope tls_scope_of(const char *role, const uint8_t id[TLS_ID_SIZE], const char *what)
{
    char text[512];
    struct tls_scope scope;
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put(&w, role, strlen(role) + 1);
    tf_put(&w, id, TLS_ID_SIZE);
    tf_put_text(&w, what);
    assert(!w.full);
    SHA256((const unsigned char *)text, w.len, scope.id);
    return scope;
}

/* A whole chain to a root that is trusted (an intermediate in [upstream] ca_file is none), made for servers,
 * with the name among its subjectAltNames: no public CA puts a name into the CN alone, and none may. */
static void set_verification(SSL_CTX *c)
{
    X509_VERIFY_PARAM *p = SSL_CTX_get0_param(c);
    X509_VERIFY_PARAM_clear_flags(p, X509_VERIFY_PARAM_get_flags(p));
    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_depth(p, CHAIN_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(p, outside.security_level);
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, tls_on_verify);
    SSL_CTX_set_max_cert_list(c, SSL_MAX_CERT_LIST_DEFAULT);
}

SSL_CTX *tls_context_outside(uint16_t minimum)
{
    assert(minimum >= TLS1_2_VERSION);
    SSL_CTX *c = context_of(&outside, minimum, strong_ciphers);
    if (c == NULL)
        return NULL;
    set_verification(c);
    SSL_CTX_set_timeout(c, STRONG_SESSION_S);
    return c;
}
