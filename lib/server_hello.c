/* ServerHellos: which version the server really picks, before a byte of its
 * answer is let through.
 *
 * Owns the layout of the ServerHello, which a HelloRetryRequest shares, and
 * what may come before it: alerts, and after a HelloRetryRequest one dummy
 * change_cipher_spec. Whether a version will do is the policy's to say;
 * here only a HelloRetryRequest is held against the floor, since it must be
 * let through for the real ServerHello to come. */
#include "deframe.h"
#include "extensions.h"

#include <string.h>

#define ALERTS_MAX 16 /* a sound server sends one at most; whoever sends more is not let fill our memory */

/* The random of a HelloRetryRequest (RFC 8446 4.1.3): SHA-256 of "HelloRetryRequest". */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                         0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                         0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* The last eight bytes of random tell of a downgrade (RFC 8446 4.1.3): "DOWNGRD", and 1 or 0. */
static uint16_t downgrade_sentinel(const uint8_t *random)
{
    if (memcmp(random + 24, "DOWNGRD", 7) != 0 || random[31] > 1)
        return 0;
    return random[31] == 1 ? TF_TLS12 : TF_TLS11;
}

/* The version of a supported_versions extension (RFC 8446 4.2.1): two bytes, no list. */
static const char *parse_extensions(struct tf_reader block, bool *has_version, uint16_t *version)
{
    struct tf_type_set seen;
    seen.n = 0;
    struct tf_extension ext;
    while (tf_extension_next(&block, &ext)) {
        if (!tf_type_set_add(&seen, ext.type))
            return "an extension comes twice (RFC 8446 4.2)";
        if (ext.type != TF_EXT_SUPPORTED_VERSIONS)
            continue;
        *has_version = true;
        *version = tf_read_u16(&ext.body);
        if (ext.body.failed || ext.body.left > 0)
            return "supported_versions is not one version (RFC 8446 4.2.1)";
    }
    return block.failed ? "an extension runs over the end of its block (RFC 8446 4.2)" : NULL;
}

/* ServerHello (RFC 8446 4.1.3, RFC 5246 7.4.1.3, RFC 6101 5.6.1.3):
 *   2   server_version
 *   32  random
 *   1   length of session_id, at most 32
 *   2   cipher_suite
 *   1   compression_method
 *   2   length of extensions; with these two bytes they may be left out */
static const char *parse_hello(struct tf_span body, struct tf_server_hello *hello)
{
    struct tf_reader r = tf_reader_of(body.p, body.n);
    hello->legacy_version = tf_read_u16(&r);
    struct tf_span random = tf_read_span(&r, 32);
    struct tf_reader session_id = tf_read_vec8(&r);
    hello->cipher = tf_read_u16(&r);
    tf_read_u8(&r);
    bool extended = r.left > 0;
    struct tf_reader block = tf_reader_of(NULL, 0);
    if (extended)
        block = tf_read_vec16(&r);
    if (r.failed || r.left > 0)
        return "the fields do not fill the ServerHello (RFC 8446 4.1.3)";
    if (session_id.left > 32)
        return "session_id is longer than 32 bytes (RFC 8446 4.1.3)";
    /* Drafts of TLS 1.3 up to 21 had their version here; no server may (RFC 8446 4.1.3). */
    if (hello->legacy_version > TF_TLS12)
        return "legacy_version is above 0x0303 (RFC 8446 4.1.3)";

    hello->extensions = (struct tf_span){block.p, block.left};
    hello->hello_retry = memcmp(random.p, retry_random, sizeof retry_random) == 0;
    hello->downgrade_sentinel = downgrade_sentinel(random.p);
    bool has_version = false;
    uint16_t version = 0;
    const char *why = parse_extensions(block, &has_version, &version);
    /* An older client goes by legacy_version: the extension cannot raise one that is below TLS 1.2. */
    if (has_version && (hello->legacy_version == TF_TLS12 || version < hello->legacy_version))
        hello->version = version;
    else
        hello->version = hello->legacy_version;
    return why;
}

enum tf_parse tf_server_hello_parse(struct tf_span body, struct tf_server_hello *hello, const char **why)
{
    *hello = (struct tf_server_hello){0};
    *why = parse_hello(body, hello);
    return *why ? TF_PARSE_BAD : TF_PARSE_DONE;
}

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
