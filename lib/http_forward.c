/* Heads as they are sent on; see http_forward.h. */
#include "http_forward.h"

static bool is_named(const struct tf_http_field *field, const char *name)
{
    return tf_text_is_word(field->name, name);
}

/* Fields for one connection only (RFC 9110 7.6.1). Trailer is among them, since trailers are not sent on; so
 * are credentials for a proxy, since they are for us. What frames the body is made anew. */
static const char *const dropped[] = {"Connection",
                                      "Content-Length",
                                      "Keep-Alive",
                                      "Proxy-Authenticate",
                                      "Proxy-Authentication-Info",
                                      "Proxy-Authorization",
                                      "Proxy-Connection",
                                      "TE",
                                      "Trailer",
                                      "Transfer-Encoding",
                                      "Upgrade",
                                      NULL};
/* What keeps proxies from loops: no peer may have it dropped by naming it in Connection. */
static const char *const kept[] = {"Max-Forwards", "Via", NULL};

static bool is_end_to_end(const struct tf_http_head *head, const struct tf_http_field *field)
{
    return !tf_http_is_one_of(field->name, dropped) &&
           (!tf_http_is_nominated(head, field->name) || tf_http_is_one_of(field->name, kept));
}

static void put_number_field(struct tf_writer *w, const char *name, uint64_t value)
{
    tf_put_text(w, name);
    tf_put_text(w, ": ");
    tf_put_u64(w, value);
    tf_put_text(w, "\r\n");
}

static void put_switch(struct tf_writer *w)
{
    tf_put_text(w, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
}

/* Via = received-protocol RWS received-by   (RFC 9110 7.6.3); a list may go on in a line of its own. */
static void put_via_and_end(struct tf_writer *w, const struct tf_http_head *head)
{
    tf_put_text(w, head->minor == 1 ? "Via: 1.1 tlsfloor\r\n\r\n" : "Via: 1.0 tlsfloor\r\n\r\n");
}

static bool counts_forwards(const struct tf_http_head *head)
{
    return head->has_max_forwards &&
           (tf_text_is(head->method, "OPTIONS") || tf_text_is(head->method, "TRACE"));
}

bool tf_http_is_last_hop(const struct tf_http_head *head)
{
    return counts_forwards(head) && head->max_forwards == 0;
}

/* RFC 9112 3.2 */
static void put_request_line(struct tf_writer *w, const struct tf_http_head *head,
                             const struct tf_http_uri *uri, bool is_absolute)
{
    bool is_for_server = uri->path.n == 0 && tf_text_is(head->method, "OPTIONS");
    tf_put(w, head->method.p, head->method.n);
    tf_put_char(w, ' ');
    if (is_absolute) {
        tf_put_text(w, "http://");
        tf_put(w, uri->authority.p, uri->authority.n);
    }
    if (is_for_server)
        tf_put_text(w, is_absolute ? "" : "*");
    else if (uri->path.n == 0 || uri->path.p[0] == '?')
        tf_put_char(w, '/');
    tf_put(w, uri->path.p, uri->path.n);
    tf_put_text(w, " HTTP/1.1\r\n");
}

/* RFC 7617 2 */
static void put_login(struct tf_writer *w, const char *login)
{
    if (login[0] == '\0')
        return;
    tf_put_text(w, "Proxy-Authorization: Basic ");
    tf_put_text(w, login);
    tf_put_text(w, "\r\n");
}

/* A field of a request, but for those that are made anew. */
static void put_request_field(struct tf_writer *w, const struct tf_http_head *head,
                              const struct tf_http_field *field, struct tf_http_sides *sides)
{
    if (is_named(field, "Host"))
        return;
    if (is_named(field, "Expect") && head->minor == 0)
        return; /* means nothing in HTTP/1.0 (RFC 9110 10.1.1), but would in what we send */
    if (is_named(field, "Max-Forwards") && counts_forwards(head))
        put_number_field(w, "Max-Forwards", head->max_forwards - 1);
    else
        tf_http_put_for_server(w, sides, field);
}

void tf_http_put_request(struct tf_writer *w, const struct tf_http_head *head, const struct tf_http_uri *uri,
                         struct tf_http_sides *sides, const char *parent_login, bool switches)
{
    put_request_line(w, head, uri, parent_login != NULL);
    tf_put_text(w, "Host: ");
    tf_put(w, uri->authority.p, uri->authority.n);
    tf_put_text(w, "\r\n");
    if (parent_login != NULL)
        put_login(w, parent_login);
    struct tf_text lines = head->fields;
    struct tf_http_field field;
    while (tf_http_next_field(&lines, &field))
        if (is_end_to_end(head, &field))
            put_request_field(w, head, &field, sides);
    if (sides->tenants != NULL)
        tf_tenants_put(w, sides->tenants, tf_policy_host(sides->facts));
    if (head->is_chunked)
        tf_put_text(w, "Transfer-Encoding: chunked\r\n");
    if (head->has_length)
        put_number_field(w, "Content-Length", head->length);
    if (switches)
        put_switch(w);
    put_via_and_end(w, head);
}

void tf_http_put_response(struct tf_writer *w, const struct tf_http_head *head,
                          const struct tf_http_body *body, const struct tf_http_sides *sides, bool closes)
{
    tf_put_text(w, "HTTP/1.1 ");
    tf_put_u64(w, head->status);
    tf_put_char(w, ' ');
    tf_put(w, head->phrase.p, head->phrase.n);
    tf_put_text(w, "\r\n");
    struct tf_text lines = head->fields;
    struct tf_http_field field;
    while (tf_http_next_field(&lines, &field))
        if (is_end_to_end(head, &field))
            tf_http_put_for_client(w, sides, &field);
    if (body->framing == TF_HTTP_CHUNKED && !body->is_unframed)
        tf_put_text(w, "Transfer-Encoding: chunked\r\n");
    /* A length has no place in these (RFC 9110 8.6); in a response without a body otherwise, it says what GET
     * has. */
    if (head->has_length && head->status >= 200 && head->status != 204)
        put_number_field(w, "Content-Length", head->length);
    if (head->status == 101)
        put_switch(w);
    if (closes)
        tf_put_text(w, "Connection: close\r\n");
    put_via_and_end(w, head);
}
