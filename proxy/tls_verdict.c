/* Words for certificates that do not verify; see tls_verdict.h. Whatever
 * stands in a certificate is the peer's and may be anything. */
#include "tls_verdict.h"

#include "../lib/calendar.h"
#include "certificate.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_TEXT_MAX = 64, NAMES_TOLD = 3 };

struct verdict {
    X509 *certificate;
    int depth;
};

static int slot = -1; /* of an SSL: its verdict */

static void on_free(void *ssl, void *verdict, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
    struct verdict *v = verdict;
    (void)ssl, (void)data, (void)index, (void)number, (void)arg;
    if (v != NULL)
        X509_free(v->certificate);
    free(v);
}

static void take_slot(void)
{
    slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_free);
}

bool tls_verdict_init(void)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    return CRYPTO_THREAD_run_once(&once, take_slot) == 1 && slot >= 0;
}

int tls_on_verify(int ok, X509_STORE_CTX *store)
{
    if (ok)
        return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    struct verdict *v = certificate != NULL && SSL_get_ex_data(ssl, slot) == NULL ? malloc(sizeof *v) : NULL;
    if (v == NULL)
        return 0;
    X509_up_ref(certificate);
    *v = (struct verdict){.certificate = certificate, .depth = X509_STORE_CTX_get_error_depth(store)};
    if (SSL_set_ex_data(ssl, slot, v) != 1)
        on_free(NULL, v, NULL, 0, 0, NULL);
    return 0;
}

void tls_put_peer_text(struct tf_writer *w, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n && i < PEER_TEXT_MAX; i++) {
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\') {
            tf_put(w, &bytes[i], 1);
        } else {
            tf_put_text(w, "\\x");
            tf_put_hex(w, &bytes[i], 1);
        }
    }
    if (n > PEER_TEXT_MAX)
        tf_put_text(w, "...");
}

void tls_put_subject(struct tf_writer *w, const X509_NAME *name)
{
    static const struct {
        int nid;
        const char *label;
    } kinds[] = {{NID_commonName, "CN="}, {NID_organizationName, "O="}, {NID_organizationalUnitName, "OU="}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int at = X509_NAME_get_index_by_NID(name, kinds[i].nid, -1);
        if (at < 0)
            continue;
        const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        tf_put_text(w, kinds[i].label);
        tls_put_peer_text(w, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        return;
    }
    tf_put_text(w, "nobody by name");
}

static void put_day(struct tf_writer *w, const char *before, const ASN1_TIME *t)
{
    tf_put_text(w, before);
    tf_put_day(w, certificate_seconds(t));
}

/* The names that it does have: the first few, and how many more. */
static void put_names(struct tf_writer *w, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    unsigned count = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int kind;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
        if (kind != GEN_DNS || count++ >= NAMES_TOLD)
            continue;
        tf_put_text(w, count == 1 ? ", which is for " : ", ");
        tls_put_peer_text(w, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    }
    if (count == 0)
        tf_put_text(w, ", which is for no host name");
    if (count > NAMES_TOLD) {
        tf_put_text(w, " and ");
        tf_put_u64(w, count - NAMES_TOLD);
        tf_put_text(w, " more");
    }
    GENERAL_NAMES_free(names);
}

/* What is behind an error, where the certificate tells. */
static void put_cause(struct tf_writer *w, long error, const X509 *certificate)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        put_day(w, ", valid until ", X509_get0_notAfter(certificate));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        put_day(w, ", valid from ", X509_get0_notBefore(certificate));
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
        put_names(w, certificate);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        tf_put_text(w, ", whom no root in [upstream] ca_file vouches for");
        break;
    default:
        break;
    }
}

void tls_put_verdict(struct tf_writer *w, const SSL *ssl)
{
    long error = SSL_get_verify_result(ssl);
    tf_put_text(w, X509_verify_cert_error_string(error));
    const struct verdict *v = SSL_get_ex_data(ssl, slot);
    if (v == NULL)
        return;
    tf_put_text(w, ": ");
    tls_put_subject(w, X509_get_subject_name(v->certificate));
    tf_put_text(w, " (depth ");
    tf_put_i64(w, v->depth);
    tf_put_text(w, ", issued by ");
    tls_put_subject(w, X509_get_issuer_name(v->certificate));
    tf_put_char(w, ')');
    put_cause(w, error, v->certificate);
}
