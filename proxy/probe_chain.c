/* Certificates that a server shows, as plain data, and whether they verify.
 * What stands in them is the peer's: texts are cut to fit, and come out as
 * printable ASCII. */
#include "probe_parts.h"

#include "../lib/calendar.h"
#include "certificate.h"
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60 };

void probe_key_text(EVP_PKEY *key, char out[PROBE_KEY_MAX])
{
    const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
    if (type)
        snprintf(out, PROBE_KEY_MAX, "%s %d", type, EVP_PKEY_get_bits(key));
    else
        snprintf(out, PROBE_KEY_MAX, "of an unknown kind");
}

static void put_name(const X509_NAME *name, char out[PROBE_NAME_MAX])
{
    /* Like RFC 2253, but in the order of the certificate, and readable. */
    unsigned long flags = ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN;
    BIO *text = BIO_new(BIO_s_mem());
    int n = 0;
    if (text && X509_NAME_print_ex(text, name, 0, flags) >= 0)
        n = BIO_read(text, out, PROBE_NAME_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
    BIO_free(text);
}

static void put_day(int64_t seconds, char *out, size_t size)
{
    struct tf_writer w = tf_writer_of(out, size);
    tf_put_day(&w, seconds);
    tf_put_char(&w, '\0');
}

static void describe(X509 *certificate, struct probe_certificate *c)
{
    int64_t first_s = certificate_seconds(X509_get0_notBefore(certificate));
    int64_t last_s = certificate_seconds(X509_get0_notAfter(certificate));
    put_name(X509_get_subject_name(certificate), c->subject);
    put_name(X509_get_issuer_name(certificate), c->issuer);
    put_day(first_s, c->first_day, sizeof c->first_day);
    put_day(last_s, c->last_day, sizeof c->last_day);
    c->days_left = (int)((last_s - (int64_t)time(NULL)) / DAY_S);
    probe_key_text(X509_get0_pubkey(certificate), c->key);
    snprintf(c->signature, sizeof c->signature, "%s", OBJ_nid2ln(X509_get_signature_nid(certificate)));
}

/* The outside leg itself gets no certificate from a server that has nothing above TLS 1.1. So what a lenient
 * session has brought is judged by a leg that stays unconnected: its roots, its name, its demands. */
static void judge(SSL *leg, SSL *ssl, struct probe_result *r)
{
    X509_STORE_CTX *judge = X509_STORE_CTX_new();
    if (judge &&
        X509_STORE_CTX_init(judge, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(leg)),
                            SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl)) == 1 &&
        X509_STORE_CTX_set_default(judge, "ssl_server") == 1 &&
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(judge), SSL_get0_param(leg)) == 1) {
        r->verifies = X509_verify_cert(judge) == 1;
        snprintf(r->verify_why, sizeof r->verify_why, "%s (depth %d)",
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(judge)),
                 X509_STORE_CTX_get_error_depth(judge));
    }
    X509_STORE_CTX_free(judge);
}

void probe_chain(const struct probe *p, SSL *ssl, struct probe_result *r)
{
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int n = chain ? sk_X509_num(chain) : 0;
    for (int i = 0; i < n && r->chain_count < PROBE_CHAIN_MAX; i++)
        describe(sk_X509_value(chain, i), &r->chain[r->chain_count++]);
    SSL *leg = tls_outside(p->tls, p->asked.host, (struct tf_span){NULL, 0}, false, NULL);
    if (leg && n > 0)
        judge(leg, ssl, r);
    SSL_free(leg);
    ERR_clear_error();
}
