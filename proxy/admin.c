/* The admin socket; see admin.h. What it tells comes from the source's
 * callbacks; this file owns the connections ("visitors") and the little HTTP
 * that they need: one request each, answered when its head is whole, then
 * `Connection: close`.
 *
 * A visitor lives until both its handles are closed; the admin lives until
 * its listener is closed and the last visitor is gone. */
#include "admin.h"
#include "../lib/host.h"
#include "listener.h"
#include "metrics.h"
#include "sockaddr.h"

#include <assert.h>
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VISITORS_MAX = 64, REQUEST_MAX = 8192, DEADLINE_MS = 5000, BACKLOG = 64, HEAD_MAX = 256 };

struct admin {
    uv_loop_t *loop;
    uv_tcp_t listener;
    bool listening;
    struct admin_source source;
    struct visitor *visitors;
    unsigned visitor_count;
    bool waiting; /* a connection is to be accepted when there is room again */
};

/* Text that comes in pieces. What does not fit is cut off, which no text that matters here survives. */
struct gathered {
    char p[TF_HOST_MAX + sizeof "[]:65535"];
    size_t n;
};

struct visitor {
    struct admin *admin;
    struct visitor *next, *prev;
    uv_tcp_t tcp;
    uv_timer_t deadline;
    unsigned open_handles;
    uv_write_t write;
    uv_shutdown_t shutdown;

    llhttp_t parser;
    struct gathered url, field, host;
    bool in_host;
    unsigned hosts; /* Host fields seen */
    bool head_done;
    bool answered;
    size_t received;
    char in[1024];
    char *out; /* the response while it is being written */
};

static const char *const no_store = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                                    "Connection: close\r\n";

/* --- lifetime --- */

static void on_connection(uv_stream_t *listener, int status);

static void free_when_unused(struct admin *a)
{
    if (!a->listening && a->visitor_count == 0)
        free(a);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct admin *a = handle->data;
    a->listening = false;
    free_when_unused(a);
}

static void on_visitor_closed(uv_handle_t *handle)
{
    struct visitor *v = handle->data;
    struct admin *a = v->admin;
    if (--v->open_handles > 0)
        return;
    if (v->prev != NULL)
        v->prev->next = v->next;
    else
        a->visitors = v->next;
    if (v->next != NULL)
        v->next->prev = v->prev;
    a->visitor_count--;
    free(v->out);
    free(v);
    if (a->waiting && !uv_is_closing((uv_handle_t *)&a->listener))
        on_connection((uv_stream_t *)&a->listener, 0);
    free_when_unused(a);
}

static void visitor_close(struct visitor *v)
{
    if (uv_is_closing((uv_handle_t *)&v->tcp))
        return;
    uv_close((uv_handle_t *)&v->tcp, on_visitor_closed);
    uv_close((uv_handle_t *)&v->deadline, on_visitor_closed);
}

static void on_deadline(uv_timer_t *timer)
{
    visitor_close(timer->data);
}

/* --- the response --- */

static unsigned answer_metrics(struct admin *a, struct tf_writer *body)
{
    a->source.metrics(a->source.arg, body);
    return 200;
}

static unsigned answer_health(struct admin *a, struct tf_writer *body)
{
    (void)a;
    tf_put_text(body, "ok\n");
    return 200;
}

static unsigned answer_ready(struct admin *a, struct tf_writer *body)
{
    bool ready = a->source.ready(a->source.arg);
    tf_put_text(body, ready ? "ready\n" : "draining\n");
    return ready ? 200 : 503;
}

/* Answers the status, and writes the body. */
struct page {
    const char *path, *type;
    unsigned (*answer)(struct admin *a, struct tf_writer *body);
};

#define TEXT_TYPE "text/plain; charset=utf-8"

static const struct page pages[] = {
    {"/metrics", METRICS_TYPE, answer_metrics},
    {"/healthz", TEXT_TYPE, answer_health},
    {"/readyz", TEXT_TYPE, answer_ready},
};

static const struct page *find_page(const struct gathered *url)
{
    const char *query = memchr(url->p, '?', url->n);
    size_t n = query != NULL ? (size_t)(query - url->p) : url->n;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strlen(pages[i].path) == n && memcmp(pages[i].path, url->p, n) == 0)
            return &pages[i];
    return NULL;
}

/* A web page can have its own name resolve to our address and then read us through its visitor's browser (DNS
 * rebinding). It cannot make the browser say an address or localhost instead of that name. */
static bool is_host_allowed(const struct visitor *v)
{
    struct tf_target target;
    if (v->hosts == 0)
        return v->parser.http_major == 1 && v->parser.http_minor == 0; /* no browser, then */
    return v->hosts == 1 && tf_authority_parse(v->host.p, v->host.n, 80, &target) == TF_HOST_OK &&
           (target.is_address || strcmp(target.host, "localhost") == 0);
}

/* What is wrong with the request itself, as a status and a sentence; 200 when nothing is. */
static unsigned judge(const struct visitor *v, const char **sentence)
{
    if (!v->head_done) {
        *sentence =
            v->received > REQUEST_MAX ? "the request is too long\n" : "this is no valid HTTP request\n";
        return v->received > REQUEST_MAX ? 431 : 400;
    }
    if (!is_host_allowed(v)) {
        *sentence = "ask for this page by IP address or as localhost\n";
        return 403;
    }
    if (v->parser.method != HTTP_GET && v->parser.method != HTTP_HEAD) {
        *sentence = "only GET and HEAD\n";
        return 405;
    }
    return 200;
}

static const char *status_text(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

static void put_head(struct tf_writer *w, unsigned status, const char *type, size_t body_len)
{
    tf_put_text(w, "HTTP/1.1 ");
    tf_put_u64(w, status);
    tf_put_char(w, ' ');
    tf_put_text(w, status_text(status));
    tf_put_text(w, status == 405 ? "\r\nAllow: GET, HEAD" : "");
    tf_put_text(w, "\r\nContent-Type: ");
    tf_put_text(w, type);
    tf_put_text(w, "\r\nContent-Length: ");
    tf_put_u64(w, body_len);
    tf_put_text(w, "\r\n");
    tf_put_text(w, no_store);
    tf_put_text(w, "\r\n");
}

/* Writes the body, and says with which status and type. */
static unsigned put_body(struct visitor *v, struct tf_writer *body, const char **type)
{
    const char *sentence = "there is no such page\n";
    unsigned status = judge(v, &sentence);
    const struct page *page = find_page(&v->url);
    *type = TEXT_TYPE;
    if (status == 200 && page != NULL) {
        *type = page->type;
        return page->answer(v->admin, body);
    }
    tf_put_text(body, sentence);
    return status != 200 ? status : 404;
}

/* Older libuv calls it unasked when the handle is closed first. */
static void on_shut_down(uv_shutdown_t *request, int status)
{
    (void)request, (void)status;
}

/* Everything is said: the end of our side goes out, and the visitor's is awaited, so that no unread byte of
 * its request makes the kernel reset the connection before the response is read. */
static void on_written(uv_write_t *request, int status)
{
    struct visitor *v = request->data;
    if (status < 0 || uv_shutdown(&v->shutdown, (uv_stream_t *)&v->tcp, on_shut_down) != 0)
        visitor_close(v);
}

static void answer(struct visitor *v)
{
    v->answered = true;
    v->out = malloc(HEAD_MAX + METRICS_MAX);
    if (v->out == NULL) {
        visitor_close(v);
        return;
    }
    struct tf_writer head = tf_writer_of(v->out, HEAD_MAX);
    struct tf_writer body = tf_writer_of(v->out + HEAD_MAX, METRICS_MAX);
    const char *type;
    unsigned status = put_body(v, &body, &type);
    put_head(&head, status, type, body.len);
    assert(!head.full && !body.full);
    uv_buf_t parts[] = {uv_buf_init(head.p, (unsigned)head.len), uv_buf_init(body.p, (unsigned)body.len)};
    unsigned count = v->head_done && v->parser.method == HTTP_HEAD ? 1 : 2;
    uv_timer_start(&v->deadline, on_deadline, DEADLINE_MS, 0);
    v->write.data = v;
    if (uv_write(&v->write, (uv_stream_t *)&v->tcp, parts, count, on_written) != 0)
        visitor_close(v);
}

/* --- the request --- */

static void gather(struct gathered *g, const char *at, size_t n)
{
    size_t room = sizeof g->p - g->n;
    size_t take = n < room ? n : room;
    memcpy(g->p + g->n, at, take);
    g->n += take;
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
    struct visitor *v = parser->data;
    if (!v->head_done)
        gather(&v->url, at, n);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t n)
{
    struct visitor *v = parser->data;
    gather(&v->field, at, n);
    return 0;
}

static int on_field_complete(llhttp_t *parser)
{
    struct visitor *v = parser->data;
    v->in_host =
        !v->head_done && v->field.n == strlen("host") && strncasecmp(v->field.p, "host", v->field.n) == 0;
    v->hosts += v->in_host;
    v->field.n = 0;
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    struct visitor *v = parser->data;
    if (v->in_host)
        gather(&v->host, at, n);
    return 0;
}

static int on_head(llhttp_t *parser)
{
    struct visitor *v = parser->data;
    v->head_done = true;
    return 0;
}

static const llhttp_settings_t settings = {.on_url = on_url,
                                           .on_header_field = on_field,
                                           .on_header_field_complete = on_field_complete,
                                           .on_header_value = on_value,
                                           .on_headers_complete = on_head};

/* --- the connections --- */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct visitor *v = handle->data;
    (void)hint;
    *buf = uv_buf_init(v->in, sizeof v->in);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct visitor *v = stream->data;
    if (n < 0) {
        visitor_close(v);
        return;
    }
    if (n == 0 || v->answered)
        return;
    v->received += (size_t)n;
    enum llhttp_errno rc = llhttp_execute(&v->parser, buf->base, (size_t)n);
    if (v->head_done || rc != HPE_OK || v->received > REQUEST_MAX)
        answer(v);
}

static void visitor_start(struct visitor *v, struct admin *a)
{
    v->admin = a;
    v->tcp.data = v->deadline.data = v;
    uv_tcp_init(a->loop, &v->tcp);
    uv_timer_init(a->loop, &v->deadline);
    v->open_handles = 2;
    v->next = a->visitors;
    if (v->next != NULL)
        v->next->prev = v;
    a->visitors = v;
    a->visitor_count++;
    llhttp_init(&v->parser, HTTP_REQUEST, &settings);
    v->parser.data = v;
    uv_timer_start(&v->deadline, on_deadline, DEADLINE_MS, 0);
    if (uv_accept((uv_stream_t *)&a->listener, (uv_stream_t *)&v->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&v->tcp, on_alloc, on_read) != 0)
        visitor_close(v);
}

/* libuv offers no further connection until this one is accepted, so beyond VISITORS_MAX they wait in the
 * backlog. */
static void on_connection(uv_stream_t *listener, int status)
{
    struct admin *a = listener->data;
    if (status < 0)
        return;
    struct visitor *v = a->visitor_count < VISITORS_MAX ? calloc(1, sizeof *v) : NULL;
    a->waiting = v == NULL;
    if (v != NULL)
        visitor_start(v, a);
}

static int listen_on(struct admin *a, const struct tf_addr *address, struct tf_addr *bound)
{
    struct sockaddr_storage sa;
    sockaddr_from_addr(&sa, address);
    int rc = uv_tcp_bind(&a->listener, (const struct sockaddr *)&sa, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&a->listener, BACKLOG, on_connection);
    int length = sizeof sa;
    if (rc == 0)
        rc = uv_tcp_getsockname(&a->listener, (struct sockaddr *)&sa, &length);
    if (rc == 0 && bound != NULL)
        sockaddr_to_addr((const struct sockaddr *)&sa, bound);
    return rc;
}

struct admin *admin_start(uv_loop_t *loop, const struct tf_addr *address, struct admin_source source,
                          struct tf_addr *bound, char *error, size_t size)
{
    struct admin *a = calloc(1, sizeof *a);
    if (a == NULL) {
        snprintf(error, size, "admin: out of memory");
        return NULL;
    }
    a->loop = loop;
    a->source = source;
    a->listening = true;
    a->listener.data = a;
    uv_tcp_init(loop, &a->listener);
    int rc = listen_on(a, address, bound);
    if (rc != 0) {
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_addr_port(&w, address);
        snprintf(error, size, "admin: cannot listen on %.*s: %s%s", (int)w.len, text, uv_strerror(rc),
                 listener_hint(-rc));
        admin_stop(a);
        return NULL;
    }
    return a;
}

void admin_stop(struct admin *a)
{
    uv_close((uv_handle_t *)&a->listener, on_listener_closed);
    struct visitor *next;
    for (struct visitor *v = a->visitors; v != NULL; v = next) {
        next = v->next;
        visitor_close(v);
    }
}
