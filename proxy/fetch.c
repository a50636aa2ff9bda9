/* One HTTPS request; see fetch.h. Owns the request, the bounds, and the words for
 * what went wrong. Sockets are fetch_connect.c's, the outside leg is tls.c's,
 * and what a response says is read by lib/http_head.c and lib/http_body.c. */
#include "fetch.h"

#include "../lib/http_body.h"
#include "../lib/sasl.h"
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HEAD_MAX = 32 << 10, REQUEST_MAX = 4096, WHY_MAX = 512 };

struct url {
    struct tf_target target;
    struct tf_text authority;
    struct tf_text path; /* with the query; may be empty, or begin with '?' */
};

struct exchange {
    SSL *ssl;
    const struct tf_target *target;
    uint64_t deadline_ms;
    char *error;
    size_t size;
    size_t len;
    uint8_t in[HEAD_MAX]; /* received and not used yet: `len` bytes */
};

__attribute__((format(printf, 2, 3))) static bool fail(struct exchange *x, const char *format, ...)
{
    va_list arguments;
    int n = snprintf(x->error, x->size, "%s port %u: ", x->target->host, x->target->port);
    if (n < 0 || (size_t)n >= x->size)
        return false;
    va_start(arguments, format);
    vsnprintf(x->error + n, x->size - (size_t)n, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_visible(const char *text)
{
    while (*text > 0x20 && *text < 0x7f)
        text++;
    return *text == '\0';
}

/* https-URI = "https" "://" authority path-abempty [ "?" query ]   (RFC 9110 4.2.2) */
static bool parse_url(const char *url, struct url *u, char *error, size_t size)
{
    if (strncasecmp(url, "https://", 8) != 0 || !is_visible(url) || strchr(url, '#')) {
        snprintf(error, size, "'%s' is no URL to fetch; write https://HOST/PATH, without blanks and fragment",
                 url);
        return false;
    }
    const char *authority = url + 8;
    const char *path = authority + strcspn(authority, "/?");
    u->authority = (struct tf_text){authority, (size_t)(path - authority)};
    u->path = tf_text_of(path);
    enum tf_host_error why = tf_authority_parse(authority, u->authority.n, 443, &u->target);
    if (why != TF_HOST_OK)
        snprintf(error, size, "'%s' names no valid host: %s", url, tf_host_error_text(why));
    return why == TF_HOST_OK;
}

static bool is_late(const struct exchange *x, int result)
{
    int why = SSL_get_error(x->ssl, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

/* Words for an SSL call that fetch_retry has given up. */
static bool fail_io(struct exchange *x, int result)
{
    return is_late(x, result)
               ? fail(x, "no answer in time; try again, or look for what holds it up on the way")
               : fail(x, "the connection broke off; try again, or see the server's own log");
}

static bool shake_hands(struct exchange *x)
{
    int n;
    do {
        ERR_clear_error();
        n = SSL_connect(x->ssl);
    } while (n != 1 && fetch_retry(x->ssl, n, x->deadline_ms));
    if (n == 1)
        return true;
    if (is_late(x, n))
        return fail_io(x, n);
    char text[WHY_MAX];
    struct tf_writer why = tf_writer_of(text, sizeof text);
    enum tf_reason reason = tls_outside_failure(x->ssl, &why);
    return fail(x, "%s: %.*s; tlsfloor probe %s:%u shows what it takes", tf_reason_info(reason)->sentence,
                (int)why.len, text, x->target->host, x->target->port);
}

static bool send_bytes(struct exchange *x, const char *p, size_t left)
{
    while (left > 0) {
        ERR_clear_error();
        int n = SSL_write(x->ssl, p, (int)left);
        if (n > 0) {
            p += n;
            left -= (size_t)n;
        } else if (!fetch_retry(x->ssl, n, x->deadline_ms)) {
            return fail_io(x, n);
        }
    }
    return true;
}

/* Without a form it is a GET. */
static bool send_request(struct exchange *x, const struct url *u, const struct tf_text *form)
{
    char head[REQUEST_MAX];
    struct tf_writer w = tf_writer_of(head, sizeof head);
    tf_put_text(&w, form ? "POST " : "GET ");
    tf_put_text(&w, u->path.n > 0 && u->path.p[0] == '/' ? "" : "/");
    tf_put(&w, u->path.p, u->path.n);
    tf_put_text(&w, " HTTP/1.1\r\nHost: ");
    tf_put(&w, u->authority.p, u->authority.n);
    tf_put_text(&w, "\r\nUser-Agent: tlsfloor/" TLSFLOOR_VERSION
                    "\r\nAccept: application/json\r\nConnection: close\r\n");
    if (form) {
        tf_put_text(&w, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
        tf_put_u64(&w, form->n);
        tf_put_text(&w, "\r\n");
    }
    tf_put_text(&w, "\r\n");
    if (w.full)
        return fail(x, "the URL is longer than %d bytes", REQUEST_MAX / 2);
    return send_bytes(x, head, w.len) && (!form || send_bytes(x, form->p, form->n));
}

enum received { RECEIVED, ENDED, FAILED };

/* Adds to x->in what comes. ENDED: by a close_notify, so that nobody has cut it off; FAILED: x->error says
 * why. */
static enum received receive(struct exchange *x)
{
    int n;
    do {
        ERR_clear_error();
        n = SSL_read(x->ssl, x->in + x->len, (int)(sizeof x->in - x->len));
    } while (n <= 0 && fetch_retry(x->ssl, n, x->deadline_ms));
    if (n > 0) {
        x->len += (size_t)n;
        return RECEIVED;
    }
    if (SSL_get_error(x->ssl, n) == SSL_ERROR_ZERO_RETURN)
        return ENDED;
    fail_io(x, n);
    return FAILED;
}

static bool fail_cut(struct exchange *x)
{
    return fail(x, "the server closed the connection before its response was whole");
}

/* Takes n bytes off the front of x->in. */
static void consume(struct exchange *x, size_t n)
{
    x->len -= n;
    memmove(x->in, x->in + n, x->len);
}

/* Reads until a head is at the front of x->in; *n is its length. */
static bool wait_for_head(struct exchange *x, size_t *n)
{
    enum tf_http_result result;
    *n = 0;
    while ((result = tf_http_scan_head((struct tf_span){x->in, x->len}, n)) == TF_HTTP_MORE) {
        if (x->len == sizeof x->in)
            return fail(x, "the head of the response is longer than %d bytes", HEAD_MAX);
        enum received received = receive(x);
        if (received != RECEIVED)
            return received == ENDED && fail_cut(x);
    }
    return result == TF_HTTP_DONE || fail(x, "the server's answer is no HTTP response; check the URL");
}

/* The head of the final response; interim ones (RFC 9110 15.2) are passed by. Its texts are gone afterwards.
 */
static bool read_head(struct exchange *x, struct tf_http_head *head)
{
    do {
        size_t n;
        if (!wait_for_head(x, &n))
            return false;
        const char *error = tf_http_parse_response((struct tf_span){x->in, n}, head);
        if (error)
            return fail(x, "the server's response is malformed: %s", error);
        consume(x, n);
    } while (head->status < 200 && head->status != 101);
    return head->status != 101 || fail(x, "the server switches protocols, which it was not asked to do");
}

/* Moves the body into w, which has room for more than max_bytes: so a body that is too long shows. */
static bool move_body(struct exchange *x, struct tf_http_body *body, size_t max_bytes, struct tf_writer *w)
{
    while (!tf_http_body_is_done(body)) {
        size_t used;
        enum received received = x->len > 0 ? RECEIVED : receive(x);
        if (received == ENDED && body->framing == TF_HTTP_UNTIL_CLOSE)
            return true;
        if (received != RECEIVED)
            return received == ENDED && fail_cut(x);
        if (tf_http_body_move(body, (struct tf_span){x->in, x->len}, &used, w) == TF_HTTP_BAD)
            return fail(x, "the server's response is malformed: no chunked body goes on like this");
        if (w->len > max_bytes)
            return fail(x, "the response is longer than %zu bytes", max_bytes);
        consume(x, used);
    }
    return true;
}

static bool read_response(struct exchange *x, size_t max_bytes, struct fetched *out)
{
    struct tf_http_head head;
    if (!read_head(x, &head))
        return false;
    struct tf_http_body body = tf_http_response_body(&head, false);
    body.is_unframed = true;
    size_t room = max_bytes + TF_HTTP_BODY_ROOM;
    char *text = malloc(room + 1);
    if (!text)
        return fail(x, "out of memory");
    struct tf_writer w = tf_writer_of(text, room);
    if (!move_body(x, &body, max_bytes, &w)) {
        tf_wipe(text, w.len);
        free(text);
        return false;
    }
    text[w.len] = '\0';
    *out = (struct fetched){.status = head.status, .body = text, .len = w.len};
    return true;
}

static bool fetch(const struct tf_conf *conf, const struct tls *tls, const char *url,
                  const struct tf_text *form, size_t max_bytes, uint32_t timeout_ms, struct fetched *out,
                  char *error, size_t size)
{
    struct url u;
    if (!parse_url(url, &u, error, size))
        return false;
    struct exchange x = {
        .target = &u.target, .deadline_ms = fetch_now_ms() + timeout_ms, .error = error, .size = size};
    int fd = fetch_connect(conf, &u.target, x.deadline_ms, error, size);
    if (fd < 0)
        return false;
    bool ok = false;
    x.ssl = tls_outside(tls, u.target.host, (struct tf_span){NULL, 0}, true, NULL);
    if (x.ssl && SSL_set_fd(x.ssl, fd) == 1)
        ok = shake_hands(&x) && send_request(&x, &u, form) && read_response(&x, max_bytes, out);
    else
        fail(&x, "out of memory");
    SSL_free(x.ssl);
    close(fd);
    tf_wipe(x.in, sizeof x.in);
    return ok;
}

bool fetch_get(const struct tf_conf *conf, const struct tls *tls, const char *url, size_t max_bytes,
               uint32_t timeout_ms, struct fetched *out, char *error, size_t size)
{
    return fetch(conf, tls, url, NULL, max_bytes, timeout_ms, out, error, size);
}

bool fetch_post(const struct tf_conf *conf, const struct tls *tls, const char *url, struct tf_text form,
                size_t max_bytes, uint32_t timeout_ms, struct fetched *out, char *error, size_t size)
{
    return fetch(conf, tls, url, &form, max_bytes, timeout_ms, out, error, size);
}

bool fetch_check_url(const char *url, char *error, size_t size)
{
    struct url u;
    return parse_url(url, &u, error, size);
}
