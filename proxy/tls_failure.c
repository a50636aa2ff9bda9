/* What OpenSSL says when a handshake fails, as a reason and in words; see
 * tls.h. Certificates are in tls_verdict.c. */
#include "tls.h"
#include "tls_verdict.h"

#include <openssl/err.h>
#include <string.h>

/* What a number usually means for an upgrade, beyond its name. The last row has none. */
struct hint {
    int number;
    const char *text;
};

/* Alerts, by AlertDescription (RFC 8446 6). */
static const struct hint server_alerts[] = {
    {SSL_AD_PROTOCOL_VERSION, "it has nothing that is TLS 1.2 or 1.3"},
    {SSL_AD_HANDSHAKE_FAILURE, "it has no version, suite or group of ours, or wants a client certificate"},
    {SSL_AD_INSUFFICIENT_SECURITY, "it wants other suites than ours"},
    {SSL_AD_UNRECOGNIZED_NAME, "it does not know this name"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, "it does not speak what the client offered by ALPN"},
    {SSL_AD_INTERNAL_ERROR, "see the server's own log"},
    {SSL_AD_ACCESS_DENIED, "see the server's own log"},
    {SSL_AD_CERTIFICATE_REQUIRED, "it wants a client certificate: [upstream] certificate"},
    {SSL_AD_BAD_CERTIFICATE, "it does not like the client certificate: [upstream] certificate"},
    {SSL_AD_UNKNOWN_CA, "it does not know who signed the client certificate: [upstream] certificate"},
    {0, NULL},
};
static const struct hint client_alerts[] = {
    {SSL_AD_PROTOCOL_VERSION, "it does not take the version that it offered"},
    {SSL_AD_HANDSHAKE_FAILURE, "see the client's own log"},
    {SSL_AD_USER_CANCELLED, "somebody there stopped it"},
    {0, NULL},
};

/* OpenSSL's own reasons. */
static const struct hint server_errors[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server picked a version below [upstream] minimum"},
    {SSL_R_WRONG_VERSION_NUMBER, "what the server sent is not TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "what the server sent is not TLS"},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, "the server's certificates are longer than 100 KiB"},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, "the server lacks RFC 5746; it needs an update"},
    {SSL_R_DH_KEY_TOO_SMALL, "the server's Diffie-Hellman group is weak; it needs one of 2048 bits"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "the server closed the connection"},
    {0, NULL},
};
static const struct hint client_errors[] = {
    {SSL_R_NO_SHARED_CIPHER, "the client has no suite that goes with this certificate"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "the client takes no signature of this certificate's key"},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, "the client takes no signature that we could make"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the client has no version that this OpenSSL can do"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "the client closed the connection"},
    {0, NULL},
};

struct side {
    const char *name;
    const struct hint *alerts, *errors;
};
static const struct side server = {"server", server_alerts, server_errors};
static const struct side client = {"client", client_alerts, client_errors};

static void put_hint(struct tf_writer *w, const struct hint *hints, int number)
{
    while (hints->text != NULL && hints->number != number)
        hints++;
    if (hints->text == NULL)
        return;
    tf_put_text(w, ": ");
    tf_put_text(w, hints->text);
}

static void put_code(struct tf_writer *w, unsigned long code)
{
    const char *text =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    if (text != NULL)
        tf_put_text(w, text);
    else
        tf_put_text(w, "an error that OpenSSL has no words for");
}

void tls_put_error(struct tf_writer *w)
{
    put_code(w, ERR_peek_error());
    ERR_clear_error();
}

/* The alert that the peer has sent, or -1. */
static int alert_of(unsigned long code)
{
    int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;
    return ERR_GET_LIB(code) == ERR_LIB_SSL && alert >= 0 && alert <= 255 ? alert : -1;
}

static void put_alert(struct tf_writer *w, const struct side *side, int alert)
{
    tf_put_text(w, "the ");
    tf_put_text(w, side->name);
    tf_put_text(w, " sent the alert ");
    tf_put_text(w, SSL_alert_desc_string_long(alert));
    tf_put_text(w, " (");
    tf_put_i64(w, alert);
    tf_put_char(w, ')');
    put_hint(w, side->alerts, alert);
}

/* The oldest error is the cause, the others tell where it went through. */
static void put_failure(struct tf_writer *w, const struct side *side)
{
    unsigned long code = ERR_peek_error();
    if (code == 0) {
        tf_put_text(w, "the ");
        tf_put_text(w, side->name);
        tf_put_text(w, " closed the connection in the handshake");
    } else if (alert_of(code) >= 0) {
        put_alert(w, side, alert_of(code));
    } else {
        put_code(w, code);
        if (ERR_GET_LIB(code) == ERR_LIB_SSL)
            put_hint(w, side->errors, ERR_GET_REASON(code));
    }
}

enum tf_reason tls_outside_failure(SSL *ssl, struct tf_writer *why)
{
    bool verified = SSL_get_verify_result(ssl) == X509_V_OK;
    if (verified)
        put_failure(why, &server);
    else
        tls_put_verdict(why, ssl);
    ERR_clear_error();
    return verified ? TF_REASON_UPSTREAM_TLS_FAILED : TF_REASON_UPSTREAM_VERIFY_FAILED;
}

/* Where leaves are minted, this is known before. */
static bool is_unsuited(unsigned long code)
{
    int reason = ERR_GET_REASON(code);
    return ERR_GET_LIB(code) == ERR_LIB_SSL &&
           (reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM ||
            reason == SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS);
}

static bool is_about_certificates(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
        return true;
    default:
        return false;
    }
}

/* `distrusts`: the reason where the client does not like our certificate. */
static enum tf_reason client_failure(enum tf_reason distrusts, struct tf_writer *why)
{
    unsigned long code = ERR_peek_error();
    put_failure(why, &client);
    ERR_clear_error();
    if (is_unsuited(code))
        return TF_REASON_NO_COMMON_SUITE;
    return is_about_certificates(alert_of(code)) ? distrusts : TF_REASON_CLIENT_HANDSHAKE_FAILED;
}

enum tf_reason tls_inside_failure(SSL *ssl, struct tf_writer *why)
{
    (void)ssl;
    return client_failure(TF_REASON_CLIENT_DISTRUSTS_CA, why);
}

enum tf_reason tls_own_failure(SSL *ssl, struct tf_writer *why)
{
    (void)ssl;
    return client_failure(TF_REASON_CLIENT_HANDSHAKE_FAILED, why);
}

enum tf_reason tls_outer_failure(SSL *ssl, struct tf_writer *why)
{
    (void)ssl;
    put_failure(why, &client);
    ERR_clear_error();
    return TF_REASON_OUTER_TLS_FAILED;
}
