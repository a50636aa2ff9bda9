/* What a proxy sends in place of a head that it received (RFC 9110 7.6): the
 * fields for this connection taken out, framing and Host made anew, Via added. */
#ifndef TF_HTTP_FORWARD_H
#define TF_HTTP_FORWARD_H

#include "base64.h"
#include "http_body.h"
#include "http_secure.h"

/* A request's head that is sent is at most this much longer than the one it stands for: by Host, an absolute
 * form and a login for a parent proxy, addresses that are translated, and tenant restrictions. */
#define TF_HTTP_HEAD_GROWTH                                                                                  \
    (96 + 2 * TF_AUTHORITY_MAX + TF_BASE64_SIZE(2 * TF_USER_MAX) + TF_HTTP_SECURE_GROWTH + TF_TENANTS_MAX)

/* Whether this request must go no further (RFC 9110 7.6.2). */
bool tf_http_is_last_hop(const struct tf_http_head *head);
/* HTTP/1.1 whatever the client speaks. In origin form, or `OPTIONS *`; or, where `parent_login` is not NULL,
 * in absolute form for a parent proxy, with this login unless it is "" (io->parent_login of front.h).
 * `switches`: asks for a WebSocket, as the client does; else that question is left out. */
void tf_http_put_request(struct tf_writer *w, const struct tf_http_head *head, const struct tf_http_uri *uri,
                         struct tf_http_sides *sides, const char *parent_login, bool switches);
/* `body`: the one that will follow. `closes`: says to the client that this connection has no other response.
 */
void tf_http_put_response(struct tf_writer *w, const struct tf_http_head *head,
                          const struct tf_http_body *body, const struct tf_http_sides *sides, bool closes);

#endif
