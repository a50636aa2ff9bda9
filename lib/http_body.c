/* Moving bodies; see http_body.h. */
#include "http_body.h"

/* chunked-body    = *chunk last-chunk trailer-section CRLF   (RFC 9112 7.1)
 * chunk           = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 * chunk-ext       = *( BWS ";" ... )
 * last-chunk      = 1*"0" [ chunk-ext ] CRLF
 * trailer-section = *( field-name ":" ... CRLF )
 *
 * A stage says what the next byte belongs to. */
enum stage {
    DONE, /* to nothing of this body: it is over */
    SIZE_FIRST,
    SIZE,
    SIZE_BLANK, /* between a size and ';' */
    EXTENSION,
    SIZE_LF,
    CONTENT,
    CONTENT_CR,
    CONTENT_LF,
    TRAILER_FIRST, /* of a trailer's name, or the CR of the empty line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    BROKEN
};

struct tf_http_body tf_http_body_of(enum tf_http_framing framing, uint64_t length)
{
    struct tf_http_body body = {.framing = (uint8_t)framing};
    switch (framing) {
    case TF_HTTP_EMPTY:
        break;
    case TF_HTTP_LENGTH:
        body.left = length;
        body.stage = length > 0 ? CONTENT : DONE;
        break;
    case TF_HTTP_CHUNKED:
        body.stage = SIZE_FIRST;
        break;
    case TF_HTTP_UNTIL_CLOSE:
        body.left = UINT64_MAX; /* more than a connection can carry */
        body.stage = CONTENT;
        break;
    }
    return body;
}

struct tf_http_body tf_http_response_body(const struct tf_http_head *head, bool is_to_head)
{
    if (is_to_head || head->status < 200 || head->status == 204 || head->status == 304)
        return tf_http_body_of(TF_HTTP_EMPTY, 0);
    if (head->is_chunked)
        return tf_http_body_of(TF_HTTP_CHUNKED, 0);
    if (head->has_length)
        return tf_http_body_of(TF_HTTP_LENGTH, head->length);
    return tf_http_body_of(TF_HTTP_UNTIL_CLOSE, 0);
}

bool tf_http_body_is_done(const struct tf_http_body *body)
{
    return body->stage == DONE;
}

static void put_framing(const struct tf_http_body *body, struct tf_writer *out, const char *text)
{
    if (!body->is_unframed)
        tf_put_text(out, text);
}

static void put_size(const struct tf_http_body *body, struct tf_writer *out)
{
    char text[] = "0000000000000000\r\n"; /* no size has more digits */
    size_t first = 16;
    for (uint64_t v = body->left; v > 0; v >>= 4)
        text[--first] = "0123456789abcdef"[v & 15];
    put_framing(body, out, text + first);
}

static bool add_digit(struct tf_http_body *body, uint8_t c)
{
    unsigned digit = tf_ascii_hex((char)c);
    if (digit > 15 || body->left >> 60 != 0)
        return false;
    body->left = body->left << 4 | digit;
    return true;
}

/* The stage behind c, which is not content. */
static enum stage next_stage(struct tf_http_body *body, uint8_t c, struct tf_writer *out)
{
    switch ((enum stage)body->stage) {
    case SIZE_FIRST:
        return add_digit(body, c) ? SIZE : BROKEN;
    case SIZE:
        if (add_digit(body, c))
            return SIZE;
        if (c == '\r')
            return SIZE_LF;
        /* fall through */
    case SIZE_BLANK:
        if (c == ' ' || c == '\t')
            return SIZE_BLANK;
        return c == ';' ? EXTENSION : BROKEN;
    case EXTENSION:
        if (c == '\r')
            return SIZE_LF;
        return tf_http_is_text(c) ? EXTENSION : BROKEN;
    case SIZE_LF:
        body->line = 0;
        if (c != '\n')
            return BROKEN;
        if (body->left == 0)
            return TRAILER_FIRST;
        put_size(body, out);
        return CONTENT;
    case CONTENT_CR:
        return c == '\r' ? CONTENT_LF : BROKEN;
    case CONTENT_LF:
        put_framing(body, out, "\r\n");
        return c == '\n' ? SIZE_FIRST : BROKEN;
    case TRAILER_FIRST:
        if (c == '\r')
            return LAST_LF;
        return tf_http_is_tchar(c) ? TRAILER_NAME : BROKEN;
    case TRAILER_NAME:
        if (c == ':')
            return TRAILER_VALUE;
        return tf_http_is_tchar(c) ? TRAILER_NAME : BROKEN;
    case TRAILER_VALUE:
        if (c == '\r')
            return TRAILER_LF;
        return tf_http_is_text(c) ? TRAILER_VALUE : BROKEN;
    case TRAILER_LF:
        return c == '\n' ? TRAILER_FIRST : BROKEN;
    case LAST_LF:
        put_framing(body, out, "0\r\n\r\n");
        return c == '\n' ? DONE : BROKEN;
    case DONE:
    case CONTENT:
    case BROKEN:
        break;
    }
    return BROKEN;
}

static size_t least(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

enum tf_http_result tf_http_body_move(struct tf_http_body *body, struct tf_span in, size_t *used,
                                      struct tf_writer *out)
{
    size_t at = 0;
    while (at < in.n && body->stage != DONE) {
        size_t room = out->cap - out->len;
        if (body->stage == CONTENT) {
            size_t n = least(least(in.n - at, room), body->left);
            if (n == 0)
                break;
            tf_put(out, in.p + at, n);
            at += n;
            body->left -= n;
            if (body->left == 0)
                body->stage = body->framing == TF_HTTP_CHUNKED ? CONTENT_CR : DONE;
            continue;
        }
        if (room < TF_HTTP_BODY_ROOM)
            break;
        body->stage = (uint8_t)next_stage(body, in.p[at++], out);
        if (body->stage == BROKEN || body->line++ == TF_HTTP_BODY_LINE_MAX)
            return TF_HTTP_BAD;
    }
    *used = at;
    return body->stage == DONE ? TF_HTTP_DONE : TF_HTTP_MORE;
}
