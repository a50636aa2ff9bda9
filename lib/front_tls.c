/* The front of listeners where TLS comes straight in, and the voice of every
 * session whose client has begun to speak TLS: there is no dialogue, and a
 * refusal is a fatal alert. Feed and answer are empty: no route that uses
 * this front has a request step. */
#include "front.h"
#include "page.h"

/* The version of the alert's record: a client takes no other than its own. 0: no alert is understood. */
static uint16_t alert_version(const struct tf_facts *facts)
{
    uint16_t announced = facts->hello.legacy_version;
    if (!facts->has_hello)
        return TF_TLS10;
    if (announced < TF_SSL3)
        return facts->hello.format == TF_FORMAT_SSLV2 ? 0 : TF_SSL3;
    return announced < TF_TLS12 ? announced : TF_TLS12;
}

/* An alert in the clear (RFC 8446 5.1 and 6, RFC 6101 5.4):
 *
 *     struct {
 *         ContentType type = alert(21);
 *         ProtocolVersion version;
 *         uint16 length = 2;
 *         AlertLevel level = fatal(2);
 *         AlertDescription description;
 *     }
 */
static void put_alert(struct tf_writer *w, uint16_t version, uint8_t description)
{
    enum { ALERT = 21, FATAL = 2 };
    uint8_t record[7] = {ALERT, (uint8_t)(version >> 8), (uint8_t)version, 0, 2, FATAL, description};
    tf_put(w, record, sizeof record);
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    enum { HANDSHAKE_FAILURE = 40 };
    (void)state;
    if (facts->reason == TF_REASON_CLIENT_NOT_TLS && facts->looks_like_http) {
        tf_put_http_refusal(to_client, facts);
        return;
    }
    uint16_t version = alert_version(facts);
    if (version == 0)
        return;
    /* Of the alerts in reasons.def, SSL 3.0 has only this one. */
    uint8_t description = version == TF_SSL3 ? HANDSHAKE_FAILURE : tf_reason_info(facts->reason)->alert;
    put_alert(to_client, version, description);
}

const struct tf_front tf_front_tls = {.name = "tls", .refuse = refuse};
