/* TLS records to one handshake message: what the scans of both sides share.
 * For hello.c, sslv2.c and server_scan.c only; everybody else includes hello.h. */
#ifndef TF_DEFRAME_H
#define TF_DEFRAME_H

#include "hello.h"

enum tf_content_type {
    TF_CONTENT_CHANGE_CIPHER_SPEC = 20,
    TF_CONTENT_ALERT = 21,
    TF_CONTENT_HANDSHAKE = 22,
    TF_CONTENT_APPLICATION_DATA = 23,
    TF_CONTENT_HEARTBEAT = 24
};

#define TF_RECORD_HEADER  5u
#define TF_MESSAGE_HEADER 4u

struct tf_record_head {
    uint8_t type; /* one of enum tf_content_type */
    uint16_t version;
    uint16_t length; /* 1 to 2^14 */
};

/* The handshake message that a scan is after. */
struct tf_message_kind {
    uint8_t type;
    bool ends_record;         /* nothing may follow it in its last record (RFC 8446 5.1) */
    size_t shortest, longest; /* of the body, as its fields allow */
    const char *wrong_type, *wrong_length;
};

/* Sets scan->why and answers TF_PARSE_BAD. */
enum tf_parse tf_bad(struct tf_hello_scan *scan, const char *why);

/* Reads the header of the record at scan->wire_at, and moves nothing. OTHER: the stream does not begin with a
 * TLS record; BAD: it did, but this is none, or none that may come before the end of a hello. */
enum tf_parse tf_record_peek(struct tf_hello_scan *scan, const uint8_t *stream, size_t n,
                             struct tf_record_head *head);

/* Goes on with the message that begins in the record at scan->wire_at. DONE: scan->wire_at is behind it, and
 * *body is it without its header, in the stream or in scratch. What cannot become sound any more is BAD at
 * once, however much of it is still to come. */
enum tf_parse tf_message_scan(struct tf_hello_scan *scan, const struct tf_message_kind *kind,
                              const uint8_t *stream, size_t n, uint8_t *scratch, size_t scratch_size,
                              struct tf_span *body);

/* Makes ready for the next message, which begins in the record at scan->wire_at. */
void tf_message_next(struct tf_hello_scan *scan);

#endif
