/* TLS records to one handshake message.
 *
 * A scan first only walks over the records, from header to header. When all
 * of the message has come, a message that lies in one record is used where
 * it lies; one that spans records is gathered into scratch. So the common
 * hello is never copied, any other once, and nobody needs to keep a half
 * gathered one while the rest is on its way.
 *
 * What the message says is left to hello.c and server_hello.c. */
#include "deframe.h"

#include <string.h>

#define PLAINTEXT_MAX 16384u /* RFC 8446 5.1 */

enum tf_parse tf_bad(struct tf_hello_scan *scan, const char *why)
{
    scan->why = why;
    return TF_PARSE_BAD;
}

/* The bytes at wire_at are no record of TLS. */
static enum tf_parse no_record(struct tf_hello_scan *scan, const char *why)
{
    scan->why = why;
    return scan->wire_at == 0 ? TF_PARSE_OTHER : TF_PARSE_BAD;
}

/* TLSPlaintext (RFC 8446 5.1, RFC 5246 6.2.1), SSLPlaintext (RFC 6101 5.2.1):
 *   1  ContentType
 *   2  version; 3.x, the x is to be ignored
 *   2  length
 *   n  fragment */
enum tf_parse tf_record_peek(struct tf_hello_scan *scan, const uint8_t *stream, size_t n,
                             struct tf_record_head *head)
{
    struct tf_reader r = tf_reader_of(stream + scan->wire_at, n - scan->wire_at);
    size_t have = r.left;
    head->type = tf_read_u8(&r);
    head->version = tf_read_u16(&r);
    head->length = tf_read_u16(&r);
    if (have >= 1 && (head->type < TF_CONTENT_CHANGE_CIPHER_SPEC || head->type > TF_CONTENT_HEARTBEAT))
        return no_record(scan, "no TLS record: there is no such content type (RFC 8446 5.1)");
    if (have >= 2 && stream[scan->wire_at + 1] != 3)
        return no_record(scan, "no TLS record: the major version is not 3 (RFC 8446 5.1)");
    if (r.failed)
        return TF_PARSE_MORE;
    if (head->length == 0)
        return tf_bad(scan, "a record of length 0 (RFC 8446 5.1)");
    if (head->length > PLAINTEXT_MAX)
        return tf_bad(scan, "a record longer than 2^14 bytes (RFC 8446 5.1)");
    return TF_PARSE_DONE;
}

/* Moves into the record at wire_at. */
static enum tf_parse enter_record(struct tf_hello_scan *scan, const uint8_t *stream, size_t n)
{
    struct tf_record_head head;
    enum tf_parse result = tf_record_peek(scan, stream, n, &head);
    if (result != TF_PARSE_DONE)
        return result;
    if (head.type != TF_CONTENT_HANDSHAKE)
        return tf_bad(scan, scan->message_at == 0
                                ? "a record of another type where a handshake has to begin (RFC 8446 4)"
                                : "a record of another type inside a handshake message (RFC 8446 5.1)");
    if (scan->message_at == 0) {
        scan->record_version = head.version;
        scan->message_start = scan->wire_at;
    }
    scan->wire_at += TF_RECORD_HEADER;
    scan->record_left = head.length;
    return TF_PARSE_DONE;
}

/* Bytes still to come of the header, or then of the body; 0 once the message is whole. */
static size_t missing(const struct tf_hello_scan *scan)
{
    size_t end = TF_MESSAGE_HEADER;
    if (scan->message_at >= TF_MESSAGE_HEADER)
        end += scan->message_len;
    return end - scan->message_at;
}

/* Takes what has come of the missing bytes and lies in the current record; 0 if nothing. */
static size_t take(struct tf_hello_scan *scan, size_t n)
{
    size_t have = missing(scan);
    if (have > n - scan->wire_at)
        have = n - scan->wire_at;
    if (have > scan->record_left)
        have = scan->record_left;
    scan->wire_at += have;
    scan->record_left -= have;
    scan->message_at += have;
    return have;
}

/* Handshake (RFC 8446 4, RFC 5246 7.4, RFC 6101 5.6):
 *   1  HandshakeType
 *   3  length of the body
 *   n  body */
static enum tf_parse scan_header(struct tf_hello_scan *scan, const struct tf_message_kind *kind,
                                 const uint8_t *stream, size_t n)
{
    size_t at = scan->message_at;
    size_t from = scan->wire_at;
    size_t got = take(scan, n);
    if (got == 0)
        return TF_PARSE_MORE;
    memcpy(scan->head + at, stream + from, got);
    if (scan->head[0] != kind->type)
        return tf_bad(scan, kind->wrong_type);
    if (scan->message_at < TF_MESSAGE_HEADER)
        return TF_PARSE_DONE;

    struct tf_reader r = tf_reader_of(scan->head + 1, 3);
    scan->message_len = tf_read_u24(&r);
    if (scan->message_len < kind->shortest || scan->message_len > kind->longest)
        return tf_bad(scan, kind->wrong_length);
    if (scan->message_len > scan->limit) {
        scan->reason = TF_REASON_CLIENT_HELLO_TOO_LONG;
        return tf_bad(scan, "the hello is longer than the configured limit");
    }
    return TF_PARSE_DONE;
}

static enum tf_parse scan_body(struct tf_hello_scan *scan, const struct tf_message_kind *kind, size_t n)
{
    if (kind->ends_record && scan->record_left > missing(scan))
        return tf_bad(scan, "the record goes on behind the hello (RFC 8446 5.1)");
    if (scan->message_at == TF_MESSAGE_HEADER) {
        scan->body_at = scan->wire_at;
        scan->spans_records = scan->record_left < scan->message_len;
    }
    return take(scan, n) > 0 ? TF_PARSE_DONE : TF_PARSE_MORE;
}

/* The body of a message that spans records: the stream holds all of them, and they were checked. */
static void gather(const struct tf_hello_scan *scan, const uint8_t *stream, uint8_t *out)
{
    size_t at = scan->message_start;
    size_t skip = TF_MESSAGE_HEADER;
    size_t have = 0;
    while (have < scan->message_len) {
        size_t left = (size_t)stream[at + 3] << 8 | stream[at + 4];
        size_t header = left < skip ? left : skip;
        size_t part = left - header;
        if (part > scan->message_len - have)
            part = scan->message_len - have;
        memcpy(out + have, stream + at + TF_RECORD_HEADER + header, part);
        have += part;
        skip -= header;
        at += TF_RECORD_HEADER + left;
    }
}

enum tf_parse tf_message_scan(struct tf_hello_scan *scan, const struct tf_message_kind *kind,
                              const uint8_t *stream, size_t n, uint8_t *scratch, size_t scratch_size,
                              struct tf_span *body)
{
    while (missing(scan) > 0) {
        enum tf_parse result = TF_PARSE_DONE;
        if (scan->record_left == 0)
            result = enter_record(scan, stream, n);
        else if (scan->message_at < TF_MESSAGE_HEADER)
            result = scan_header(scan, kind, stream, n);
        else
            result = scan_body(scan, kind, n);
        if (result != TF_PARSE_DONE)
            return result;
    }
    if (!scan->spans_records) {
        *body = (struct tf_span){stream + scan->body_at, scan->message_len};
        return TF_PARSE_DONE;
    }
    if (scratch_size < scan->message_len) {
        scan->scratch_wanted = scan->message_len;
        return TF_PARSE_MORE;
    }
    gather(scan, stream, scratch);
    *body = (struct tf_span){scratch, scan->message_len};
    return TF_PARSE_DONE;
}

void tf_message_next(struct tf_hello_scan *scan)
{
    scan->message_at = 0;
    scan->message_len = 0;
    scan->scratch_wanted = 0;
}
