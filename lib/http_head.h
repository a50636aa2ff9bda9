/* Heads of HTTP/1 messages (RFC 9112): where one ends, what it says, and how
 * long its body is.
 *
 * A proxy is only safe when the next server reads a message as the proxy did.
 * So this reader is strict: CRLF is the only line end, nothing is folded,
 * nothing stands before a colon, and what is a matter of taste is refused.
 * llhttp reads the fields as a second opinion; where the two disagree about
 * the body's length, the message is refused as well.
 *
 * Texts point into the head, which is the caller's. */
#ifndef TF_HTTP_HEAD_H
#define TF_HTTP_HEAD_H

#include "bytes.h"
#include "reasons.h"
#include "text.h"

enum tf_http_result { TF_HTTP_DONE, TF_HTTP_MORE, TF_HTTP_BAD };

/* Looks for the end of a head that starts at in.p. *scanned is 0 at first and remembers how far the caller's
 * bytes are known, so that a head that comes byte by byte costs as much as one that comes at once; when DONE
 * it is the length of the head, its empty line included. BAD: a byte that no head may hold, or a CR or LF on
 * its own. */
enum tf_http_result tf_http_scan_head(struct tf_span in, size_t *scanned);

#define TF_HTTP_OPTIONS_MAX 16

struct tf_http_head {
    /* of a request line */
    struct tf_text method, target;
    /* of a status line */
    unsigned status;
    struct tf_text phrase;
    /* of both */
    unsigned minor;        /* of HTTP/1.0 or HTTP/1.1 */
    struct tf_text fields; /* the field lines, for tf_http_next_field */
    /* what the fields say */
    struct tf_text host, user_agent, upgrade, proxy_authorization; /* the first of each */
    unsigned hosts;                                                /* how many Host lines there are */
    bool has_max_forwards;
    uint64_t max_forwards;
    struct tf_text options[TF_HTTP_OPTIONS_MAX]; /* of all Connection fields */
    size_t option_count;
    bool is_persistent; /* HTTP/1.1 without `Connection: close` */
    /* how the body is framed, before method and status have their say; never both */
    bool is_chunked;
    bool has_length;
    uint64_t length;
};

struct tf_http_field {
    struct tf_text line; /* with its CRLF */
    struct tf_text name, value;
};

/* Both take a whole head as tf_http_scan_head found it; a request may have one empty line in front, as
 * RFC 9112 2.2 wants. NULL, or a fixed sentence that says what is wrong. */
const char *tf_http_parse_request(struct tf_span head, struct tf_http_head *out);
const char *tf_http_parse_response(struct tf_span head, struct tf_http_head *out);

/* Takes the next field line off *lines, which begins as a head's `fields`. False: there is none. */
bool tf_http_next_field(struct tf_text *lines, struct tf_http_field *field);
/* Whether a Connection field names this one (RFC 9110 7.6.1). */
bool tf_http_is_nominated(const struct tf_http_head *head, struct tf_text name);

/* A target in absolute form, cut where the authority ends. */
struct tf_http_uri {
    struct tf_text authority;
    struct tf_text path; /* with the query; may be empty, or begin with '?' */
};

/* TF_REASON_NONE, or why a request for this target is not for us, who take URIs of this scheme; *detail is
 * then a fixed sentence or NULL. Of the authority only this is checked: it has no user information. */
enum tf_reason tf_http_split_uri(struct tf_text target, const char *scheme, struct tf_http_uri *uri,
                                 const char **detail);

bool tf_http_is_idempotent(struct tf_text method); /* RFC 9110 9.2.2 */

/* Whether a request asks for a WebSocket, or a response agrees to one (RFC 6455 4). */
bool tf_http_is_websocket(const struct tf_http_head *head);

bool tf_http_is_one_of(struct tf_text name, const char *const *names); /* in any case; NULL ends them */
bool tf_http_is_text(uint8_t c);  /* VCHAR, obs-text, SP, HTAB (RFC 9110 5.5) */
bool tf_http_is_tchar(uint8_t c); /* what a token is made of (RFC 9110 5.6.2) */

#endif
