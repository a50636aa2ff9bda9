/* The admin socket; see admin.h. This file owns the connections ("visitors"):
 * one request each (admin_request.c), answered (admin_pages.c) when its head
 * is whole, then `Connection: close`.
 *
 * A visitor lives until both its handles are closed; the admin lives until
 * its listener is closed and the last visitor is gone. */
#include "admin.h"

#include "admin_pages.h"
#include "listener.h"
#include "sockaddr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { VISITORS_MAX = 64, DEADLINE_MS = 5000, BACKLOG = 64 };

/* An answer may be large (the inventory's), and its memory is held until the visitor has it. So a visitor
 * must take at least so much of it in each DEADLINE_MS, and while so much is held nothing else is made. */
enum { SLOWEST_BYTES = 64 * 1024, HELD_MAX = 64 * 1024 * 1024 };

struct admin {
    uv_loop_t *loop;
    uv_tcp_t listener;
    bool listening, stopped;
    struct admin_source source;
    struct visitor *visitors;
    unsigned visitor_count;
    size_t held;  /* bytes of answers that are being written */
    bool waiting; /* a connection is to be accepted when there is room again */
};

struct visitor {
    struct admin *admin;
    struct visitor *next, *prev;
    uv_tcp_t tcp;
    uv_timer_t deadline;
    unsigned open_handles;
    uv_write_t write;
    uv_shutdown_t shutdown;

    struct admin_request request;
    struct admin_answer answer;
    bool answered;
    char in[1024], head[ADMIN_HEAD_MAX];
    size_t unsent; /* of the answer, when this was last looked at */
};

/* --- lifetime --- */

static void on_connection(uv_stream_t *listener, int status);

static void free_when_unused(struct admin *a)
{
    if (a->stopped && !a->listening && a->visitor_count == 0)
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
    a->held -= v->answer.size;
    admin_answer_free(&v->answer);
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
    else
        uv_timer_start(&v->deadline, on_deadline, DEADLINE_MS, 0);
}

static void on_progress_due(uv_timer_t *timer)
{
    struct visitor *v = timer->data;
    size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&v->tcp);
    if (v->unsent - unsent < SLOWEST_BYTES)
        visitor_close(v);
    v->unsent = unsent;
}

static bool make_answer(struct visitor *v)
{
    struct admin *a = v->admin;
    if (a->held >= HELD_MAX)
        return admin_answer_say(&v->answer, 503, "others are still reading a lot: ask again in a moment\n");
    return admin_answer_make(&v->answer, &a->source, &v->request);
}

static void answer(struct visitor *v)
{
    v->answered = true;
    if (!make_answer(v)) {
        visitor_close(v);
        return;
    }
    v->admin->held += v->answer.size;
    struct tf_writer head = tf_writer_of(v->head, sizeof v->head);
    admin_put_head(&head, &v->answer);
    assert(!head.full);
    uv_buf_t parts[] = {uv_buf_init(head.p, (unsigned)head.len),
                        uv_buf_init(v->answer.body, (unsigned)v->answer.size)};
    unsigned count = admin_request_is_head(&v->request) ? 1 : 2;
    v->write.data = v;
    if (uv_write(&v->write, (uv_stream_t *)&v->tcp, parts, count, on_written) != 0) {
        visitor_close(v);
        return;
    }
    v->unsent = uv_stream_get_write_queue_size((uv_stream_t *)&v->tcp);
    uv_timer_start(&v->deadline, on_progress_due, DEADLINE_MS, DEADLINE_MS);
}

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
    if (admin_request_feed(&v->request, buf->base, (size_t)n))
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
    admin_request_init(&v->request);
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

/* A socket that libuv cannot take stays open until the process ends, which is at once. */
static int listen_on(struct admin *a, const struct tf_addr *address, int fd, struct tf_addr *bound)
{
    struct sockaddr_storage sa;
    sockaddr_from_addr(&sa, address);
    int rc =
        fd >= 0 ? uv_tcp_open(&a->listener, fd) : uv_tcp_bind(&a->listener, (const struct sockaddr *)&sa, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&a->listener, BACKLOG, on_connection);
    int length = sizeof sa;
    if (rc == 0)
        rc = uv_tcp_getsockname(&a->listener, (struct sockaddr *)&sa, &length);
    if (rc == 0 && bound != NULL)
        sockaddr_to_addr((const struct sockaddr *)&sa, bound);
    return rc;
}

struct admin *admin_start(uv_loop_t *loop, const struct tf_addr *address, int fd, struct admin_source source,
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
    int rc = listen_on(a, address, fd, bound);
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

int admin_fd(const struct admin *a)
{
    uv_os_fd_t fd = -1;
    uv_fileno((const uv_handle_t *)&a->listener, &fd);
    return fd;
}

void admin_close_door(struct admin *a)
{
    if (!uv_is_closing((uv_handle_t *)&a->listener))
        uv_close((uv_handle_t *)&a->listener, on_listener_closed);
}

void admin_stop(struct admin *a)
{
    struct visitor *next;
    a->stopped = true;
    admin_close_door(a);
    for (struct visitor *v = a->visitors; v != NULL; v = next) {
        next = v->next;
        visitor_close(v);
    }
    free_when_unused(a);
}
