/* Certificates in the making; see certificate.h. */
#include "certificate.h"

#include <openssl/rand.h>
#include <string.h>
#include <time.h>

/* 16 bytes, of which the first makes sure that it is a positive number of that length; 126 bits are random.
 */
static bool set_serial(X509 *x)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    return ok;
}

X509 *certificate_new(const X509_NAME *subject, EVP_PKEY *key, int64_t not_before_s, int64_t not_after_s)
{
    X509 *x = X509_new();
    if (x && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
        X509_set_subject_name(x, subject) == 1 && X509_set_pubkey(x, key) == 1 &&
        ASN1_TIME_set(X509_getm_notBefore(x), (time_t)not_before_s) &&
        ASN1_TIME_set(X509_getm_notAfter(x), (time_t)not_after_s))
        return x;
    X509_free(x);
    return NULL;
}

X509_NAME *certificate_subject(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    if (name && (common_name[0] == '\0' ||
                 X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                            (const unsigned char *)common_name, -1, -1, 0) == 1))
        return name;
    X509_NAME_free(name);
    return NULL;
}

bool certificate_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context = {0};
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

GENERAL_NAME *certificate_dns_name(const char *name)
{
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (general && text && ASN1_STRING_set(text, name, -1) == 1) {
        GENERAL_NAME_set0_value(general, GEN_DNS, text);
        return general;
    }
    GENERAL_NAME_free(general);
    ASN1_IA5STRING_free(text);
    return NULL;
}

int64_t certificate_seconds(const ASN1_TIME *time)
{
    struct tm civil = {0};
    return ASN1_TIME_to_tm(time, &civil) == 1 ? (int64_t)timegm(&civil) : 0;
}
