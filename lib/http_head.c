/* Strict reading of HTTP/1 heads; see http_head.h. What goes out in their
 * place is up to http_forward.c. */
#include "http_head.h"

#include <llhttp.h>
#include <string.h>

bool tf_http_is_one_of(struct tf_text name, const char *const *names)
{
    while (*names != NULL && !tf_text_is_word(name, *names))
        names++;
    return *names != NULL;
}

bool tf_http_is_text(uint8_t c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

bool tf_http_is_tchar(uint8_t c)
{
    return tf_ascii_is_alnum((char)c) || memchr("!#$%&'*+-.^_`|~", c, 15) != NULL;
}

static bool is_token(struct tf_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!tf_http_is_tchar((uint8_t)t.p[i]))
            return false;
    return t.n > 0;
}

static bool is_visible(struct tf_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] <= 0x20 || t.p[i] >= 0x7f)
            return false;
    return t.n > 0;
}

enum tf_http_result tf_http_scan_head(struct tf_span in, size_t *scanned)
{
    const uint8_t *p = in.p;
    for (size_t i = *scanned; i < in.n; i++) {
        bool is_after_cr = i > 0 && p[i - 1] == '\r';
        if (is_after_cr != (p[i] == '\n') || !(tf_http_is_text(p[i]) || p[i] == '\r' || p[i] == '\n'))
            return TF_HTTP_BAD;
        if (p[i] == '\n' && i >= 3 && p[i - 2] == '\n') {
            *scanned = i + 1;
            return TF_HTTP_DONE;
        }
    }
    *scanned = in.n;
    return TF_HTTP_MORE;
}

/* A line without its CRLF. In a head that was scanned, no line ends otherwise. */
static struct tf_text take_line(struct tf_text *rest)
{
    struct tf_text line = tf_text_take(rest, '\n');
    line.n--;
    return line;
}

/* field-line = field-name ":" OWS field-value OWS   (RFC 9112 5)
 * A line that begins with a space (obs-fold) has no name, and so is none. */
bool tf_http_next_field(struct tf_text *lines, struct tf_http_field *field)
{
    if (lines->n == 0)
        return false;
    struct tf_text rest = *lines;
    struct tf_text value = take_line(&rest);
    struct tf_text name = tf_text_take(&value, ':');
    if (value.p == NULL || !is_token(name))
        return false;
    *field = (struct tf_http_field){{lines->p, lines->n - rest.n}, name, tf_text_trim(value)};
    *lines = rest;
    return true;
}

/* Connection = #connection-option   (RFC 9110 7.6.1) */
static const char *note_options(struct tf_http_head *head, struct tf_text list)
{
    while (list.p) {
        struct tf_text option = tf_text_trim(tf_text_take(&list, ','));
        if (option.n == 0)
            continue;
        if (!is_token(option) || head->option_count == TF_HTTP_OPTIONS_MAX)
            return "a Connection field is malformed, or names too much";
        head->options[head->option_count++] = option;
        if (tf_text_is_word(option, "close"))
            head->is_persistent = false;
    }
    return NULL;
}

/* Content-Length is left to llhttp. */
static const char *note_field(struct tf_http_head *head, const struct tf_http_field *f)
{
    if (tf_text_is_word(f->name, "Connection"))
        return note_options(head, f->value);
    if (tf_text_is_word(f->name, "Transfer-Encoding")) {
        if (head->minor == 0 || head->is_chunked || !tf_text_is_word(f->value, "chunked"))
            return "the Transfer-Encoding is not just `chunked`, or has no place in HTTP/1.0";
        head->is_chunked = true;
    } else if (tf_text_is_word(f->name, "Host")) {
        if (head->hosts++ == 0)
            head->host = f->value;
    } else if (tf_text_is_word(f->name, "User-Agent")) {
        if (head->user_agent.p == NULL)
            head->user_agent = f->value;
    } else if (tf_text_is_word(f->name, "Upgrade")) {
        if (head->upgrade.p == NULL)
            head->upgrade = f->value;
    } else if (tf_text_is_word(f->name, "Proxy-Authorization")) {
        if (head->proxy_authorization.p == NULL)
            head->proxy_authorization = f->value;
    } else if (tf_text_is_word(f->name, "Max-Forwards")) {
        if (head->has_max_forwards || !tf_text_number(f->value, UINT64_MAX, &head->max_forwards))
            return "the Max-Forwards field is malformed";
        head->has_max_forwards = true;
    }
    return NULL;
}

static int pause_parser(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

/* Shows llhttp the fields and the empty line behind them. The start line is one of ours: it knows a fixed set
 * of methods only, and its versions differ in that set and in what they take in a URL. */
static const char *ask_llhttp(struct tf_http_head *head, llhttp_type_t type, struct tf_text fields)
{
    static const llhttp_settings_t settings = {.on_headers_complete = pause_parser};
    const char *line = type == HTTP_REQUEST ? "POST / HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n";
    llhttp_t parser;
    llhttp_init(&parser, type, &settings);
    llhttp_execute(&parser, line, strlen(line));
    if (llhttp_execute(&parser, fields.p, fields.n) != HPE_PAUSED)
        return "the fields are malformed, or contradict each other about the body's length";
    bool is_chunked = (parser.flags & F_CHUNKED) != 0;
    head->has_length = (parser.flags & F_CONTENT_LENGTH) != 0;
    if (is_chunked != head->is_chunked || (is_chunked && head->has_length))
        return "the fields contradict each other about the body's length";
    if (head->has_length)
        head->length = parser.content_length;
    return NULL;
}

/* What is behind the start line: field lines and an empty line. */
static const char *parse_fields(struct tf_http_head *head, llhttp_type_t type, struct tf_text rest)
{
    head->fields = (struct tf_text){rest.p, rest.n - 2};
    head->is_persistent = head->minor == 1;
    struct tf_text lines = head->fields;
    struct tf_http_field field;
    while (tf_http_next_field(&lines, &field)) {
        const char *error = note_field(head, &field);
        if (error != NULL)
            return error;
    }
    if (lines.n > 0)
        return "a header line is malformed";
    return ask_llhttp(head, type, rest);
}

static bool parse_version(struct tf_text t, unsigned *minor)
{
    *minor = tf_text_is(t, "HTTP/1.1");
    return *minor == 1 || tf_text_is(t, "HTTP/1.0");
}

/* request-line = method SP request-target SP HTTP-version   (RFC 9112 3) */
const char *tf_http_parse_request(struct tf_span head, struct tf_http_head *out)
{
    *out = (struct tf_http_head){0};
    struct tf_text rest = {(const char *)head.p, head.n};
    struct tf_text line = take_line(&rest);
    if (line.n == 0)
        line = take_line(&rest);
    out->method = tf_text_take(&line, ' ');
    out->target = tf_text_take(&line, ' ');
    if (!is_token(out->method) || !is_visible(out->target) || !parse_version(line, &out->minor))
        return "the request line is malformed, or neither of HTTP/1.0 nor of HTTP/1.1";
    return parse_fields(out, HTTP_REQUEST, rest);
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ]   (RFC 9112 4)
 * Some servers leave out the second space when there is no phrase. */
const char *tf_http_parse_response(struct tf_span head, struct tf_http_head *out)
{
    *out = (struct tf_http_head){0};
    struct tf_text rest = {(const char *)head.p, head.n};
    struct tf_text line = take_line(&rest);
    struct tf_text version = tf_text_take(&line, ' ');
    struct tf_text code = tf_text_take(&line, ' ');
    uint64_t status;
    if (!parse_version(version, &out->minor) || code.n != 3 || !tf_text_number(code, 999, &status) ||
        status < 100)
        return "the status line is malformed, or neither of HTTP/1.0 nor of HTTP/1.1";
    out->status = (unsigned)status;
    out->phrase = line;
    return parse_fields(out, HTTP_RESPONSE, rest);
}

bool tf_http_is_nominated(const struct tf_http_head *head, struct tf_text name)
{
    for (size_t i = 0; i < head->option_count; i++)
        if (tf_text_same(head->options[i], name))
            return true;
    return false;
}

bool tf_http_is_websocket(const struct tf_http_head *head)
{
    bool is_asked = tf_text_is(head->method, "GET") && !head->is_chunked && head->length == 0;
    return head->minor == 1 && (is_asked || head->status == 101) &&
           tf_text_is_word(head->upgrade, "websocket") && tf_http_is_nominated(head, tf_text_of("Upgrade"));
}

/* RFC 9110 9.2.2 */
bool tf_http_is_idempotent(struct tf_text method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (tf_text_is(method, methods[i]))
            return true;
    return false;
}

/* absolute-URI = scheme "://" authority path-abempty [ "?" query ]   (RFC 3986 4.3) */
enum tf_reason tf_http_split_uri(struct tf_text target, const char *scheme, struct tf_http_uri *uri,
                                 const char **detail)
{
    *detail = NULL;
    if (target.p[0] == '/' || target.p[0] == '*')
        return TF_REASON_REQUEST_NOT_PROXY;
    struct tf_text rest = target;
    struct tf_text named = tf_text_take(&rest, ':');
    if (!is_token(named) || rest.n < 2 || memcmp(rest.p, "//", 2) != 0 || memchr(rest.p, '#', rest.n)) {
        *detail = "the target is no absolute URI";
        return TF_REASON_REQUEST_MALFORMED;
    }
    if (!tf_text_is_word(named, scheme))
        return TF_REASON_SCHEME_UNSUPPORTED;
    rest = (struct tf_text){rest.p + 2, rest.n - 2};
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    uri->authority = (struct tf_text){rest.p, n};
    uri->path = (struct tf_text){rest.p + n, rest.n - n};
    if (memchr(rest.p, '@', n)) {
        *detail = "a URI must not hold user information (RFC 9110 4.2.4)";
        return TF_REASON_HOST_INVALID;
    }
    return TF_REASON_NONE;
}
