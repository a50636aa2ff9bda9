/* Bodies of HTTP/1 messages, moved from one connection to the other.
 *
 * A chunked body is framed anew, chunk by chunk: sizes are written by us,
 * chunk extensions and trailer fields are left out, as RFC 9112 7.1.1 and RFC
 * 9110 6.5.1 allow. So nothing that we only skipped can mean something to the
 * next reader. Only CRLF ends a line. */
#ifndef TF_HTTP_BODY_H
#define TF_HTTP_BODY_H

#include "http_head.h"

enum tf_http_framing { TF_HTTP_EMPTY, TF_HTTP_LENGTH, TF_HTTP_CHUNKED, TF_HTTP_UNTIL_CLOSE };

/* The longest chunk size line with its extensions, and the longest trailer section. */
#define TF_HTTP_BODY_LINE_MAX 8192
/* The least room for output that lets a chunked body go on. */
#define TF_HTTP_BODY_ROOM 32

/* Zero is the beginning of an empty body. */
struct tf_http_body {
    uint8_t framing;  /* enum tf_http_framing */
    uint8_t stage;    /* private: where in the framing the next byte is */
    bool is_unframed; /* chunked in, but only the content goes out */
    uint16_t line;    /* bytes of the size line or the trailer section so far */
    uint64_t left;    /* content bytes still to come: of the body, or of this chunk */
};

/* A body framed like this; `length` counts for TF_HTTP_LENGTH alone. */
struct tf_http_body tf_http_body_of(enum tf_http_framing framing, uint64_t length);
/* The body of a response (RFC 9112 6.3) that is no answer to CONNECT; `is_to_head`: to a HEAD request. */
struct tf_http_body tf_http_response_body(const struct tf_http_head *head, bool is_to_head);
bool tf_http_body_is_done(const struct tf_http_body *body);
/* Moves what it can of `in`: *used is what it consumed, all of which is in `out`. MORE: for want of input or
 * of room. A body until close is never done. BAD: no chunked body goes on like this. */
enum tf_http_result tf_http_body_move(struct tf_http_body *body, struct tf_span in, size_t *used,
                                      struct tf_writer *out);

#endif
