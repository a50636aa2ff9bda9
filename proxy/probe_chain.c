/* Certificates that a server shows, as plain data. What stands in them is
 * the peer's: texts are cut to fit, and come out as printable ASCII. */
#include "probe_parts.h"

#include "../lib/calendar.h"
#include "certificate.h"
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60, DATE_LEN = 10 /* of 2027-03-31T... */ };

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
    char text[32];
    struct tf_writer time = tf_writer_of(text, sizeof text);
    tf_put_time(&time, seconds * 1000000);
    tf_put(&w, text, DATE_LEN);
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

void probe_chain(SSL *ssl, struct probe_result *r)
{
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int n = chain ? sk_X509_num(chain) : 0;
    for (int i = 0; i < n && r->chain_count < PROBE_CHAIN_MAX; i++)
        describe(sk_X509_value(chain, i), &r->chain[r->chain_count++]);
    ERR_clear_error();
}
