/* What a server sends first: finds the ServerHello that settles the version,
 * and says which bytes may be let through before.
 *
 * Those are alerts, and a HelloRetryRequest with its dummy
 * change_cipher_spec. Whether a version will do is the policy's to say; here
 * only a HelloRetryRequest is held against the floor, since it must be let
 * through for the real ServerHello to come. */
#include "deframe.h"

#define ALERTS_MAX 16 /* a sound server sends one at most; whoever sends more is not let fill our memory */

/* Alert (RFC 8446 6, RFC 5246 7.2), one a record (RFC 8446 5.1):
 *   1  AlertLevel: 1 or 2
 *   1  AlertDescription */
static enum tf_parse note_alert(struct tf_server_scan *scan, const uint8_t *alert)
{
    if (alert[0] != 1 && alert[0] != 2)
        return tf_bad(&scan->in, "an alert of a level that does not exist (RFC 8446 6)");
    if (scan->alerts == ALERTS_MAX)
        return tf_bad(&scan->in, "more alerts than anybody sends before a ServerHello");
    scan->alerts++;
    scan->alerted = true;
    scan->alert_level = alert[0];
    scan->alert_description = alert[1];
    return TF_PARSE_DONE;
}

/* Passes by the record at wire_at, which is no handshake. */
static enum tf_parse pass_record(struct tf_server_scan *scan, const struct tf_record_head *head,
                                 const uint8_t *stream, size_t n)
{
    bool is_alert = head->type == TF_CONTENT_ALERT && head->length == 2;
    bool is_dummy = head->type == TF_CONTENT_CHANGE_CIPHER_SPEC && head->length == 1 && scan->retried &&
                    !scan->ccs_passed;
    if (!is_alert && !is_dummy)
        return tf_bad(&scan->in, "a record that may not come before the ServerHello (RFC 8446 5)");
    size_t end = scan->in.wire_at + TF_RECORD_HEADER + head->length;
    if (n < end)
        return TF_PARSE_MORE;

    const uint8_t *fragment = stream + scan->in.wire_at + TF_RECORD_HEADER;
    if (is_alert) {
        enum tf_parse result = note_alert(scan, fragment);
        if (result != TF_PARSE_DONE)
            return result;
    } else if (fragment[0] != 1) {
        return tf_bad(&scan->in, "a change_cipher_spec that is none (RFC 8446 5)");
    }
    scan->ccs_passed |= is_dummy;
    scan->in.wire_at = end;
    scan->passable = end;
    return TF_PARSE_DONE;
}

/* Gets to the record in which a handshake message begins. */
static enum tf_parse pass_records(struct tf_server_scan *scan, const uint8_t *stream, size_t n)
{
    struct tf_record_head head;
    enum tf_parse result;
    do {
        result = tf_record_peek(&scan->in, stream, n, &head);
        if (result != TF_PARSE_DONE || head.type == TF_CONTENT_HANDSHAKE)
            return result;
        result = pass_record(scan, &head, stream, n);
    } while (result == TF_PARSE_DONE);
    return result;
}

static const struct tf_message_kind server_hello = {
    .type = 2,
    .shortest = 38,
    .longest = TF_SERVER_HELLO_MAX,
    .wrong_type = "the first handshake message is no ServerHello (RFC 8446 4)",
    .wrong_length = "no ServerHello has the length that the message's header says (RFC 8446 4.1.3)",
};

static enum tf_parse scan_hello(struct tf_server_scan *scan, const uint8_t *stream, size_t n,
                                uint8_t *scratch, size_t scratch_size, struct tf_server_hello *hello)
{
    struct tf_hello_scan *in = &scan->in;
    bool between_records = in->message_at == 0 && in->record_left == 0;
    enum tf_parse result = between_records ? pass_records(scan, stream, n) : TF_PARSE_DONE;
    struct tf_span body;
    if (result == TF_PARSE_DONE)
        result = tf_message_scan(in, &server_hello, stream, n, scratch, scratch_size, &body);
    if (result == TF_PARSE_DONE)
        result = tf_server_hello_parse(body, hello, &in->why);
    if (result != TF_PARSE_DONE)
        return result;
    hello->record_version = in->record_version;
    hello->wire_len = in->wire_at;
    return TF_PARSE_DONE;
}

/* Lets a HelloRetryRequest through. */
static enum tf_parse pass_retry(struct tf_server_scan *scan)
{
    if (scan->in.record_left > 0)
        return tf_bad(&scan->in, "the record goes on behind the HelloRetryRequest (RFC 8446 4.1.4)");
    scan->retried = true;
    scan->passable = scan->in.wire_at;
    tf_message_next(&scan->in);
    return TF_PARSE_DONE;
}

enum tf_parse tf_server_scan(struct tf_server_scan *scan, const uint8_t *stream, size_t n, uint8_t *scratch,
                             size_t scratch_size, struct tf_server_hello *hello)
{
    if (n == 0)
        return TF_PARSE_MORE;
    scan->in.limit = TF_SERVER_HELLO_MAX;
    enum tf_parse result = scan_hello(scan, stream, n, scratch, scratch_size, hello);
    if (result == TF_PARSE_DONE && hello->hello_retry && !scan->retried &&
        tf_version_rank(hello->version) >= scan->floor) {
        result = pass_retry(scan);
        if (result == TF_PARSE_DONE)
            result = scan_hello(scan, stream, n, scratch, scratch_size, hello);
    }
    if (result == TF_PARSE_DONE && hello->hello_retry && scan->retried)
        result = tf_bad(&scan->in, "a second HelloRetryRequest (RFC 8446 4.1.4)");
    if (result == TF_PARSE_DONE)
        hello->hello_retry |= scan->retried;
    else if (result != TF_PARSE_MORE)
        scan->in.reason = TF_REASON_SERVER_HELLO_MALFORMED;
    return result;
}
