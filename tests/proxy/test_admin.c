/* admin.c, as its visitors see it: a loop in a thread, blocking sockets on loopback. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/admin.h"
#include "../../proxy/inventory.h"
#include "../../proxy/metrics.h"
#include "../../proxy/sockaddr.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uv_loop_t loop;
static uv_thread_t thread;
static uv_async_t stop;
static struct admin *admin;
static struct tf_addr bound;
static atomic_bool is_ready;
static atomic_bool is_large; /* /metrics as large as can be */

static void tell_metrics(void *arg, struct tf_writer *w)
{
    assert_ptr_equal(arg, &loop);
    if (!is_large)
        tf_put_text(w, "tlsfloor_test 1\n");
    while (is_large && w->len < w->cap)
        tf_put_char(w, '#');
}

static bool tell_ready(void *arg)
{
    assert_ptr_equal(arg, &loop);
    return is_ready;
}

static atomic_size_t status_size;

/* /api/status as large as a test wants it. */
static void tell_status(void *arg, FILE *to)
{
    assert_ptr_equal(arg, &loop);
    static const char blank[4096] = "";
    for (size_t left = status_size; left > 0; left -= left < sizeof blank ? left : sizeof blank)
        fwrite(blank, 1, left < sizeof blank ? left : sizeof blank, to);
}

static const char *const hosts[] = {"floor.example", "*.ops.example"};
static const struct tf_conf conf = {
    .policy = {.floor = TF_TLS12}, .admin_hosts = hosts, .admin_host_count = sizeof hosts / sizeof hosts[0]};

static const struct tf_conf *tell_conf(void *arg)
{
    assert_ptr_equal(arg, &loop);
    return &conf;
}

static struct inventory *inventory; /* NULL: off */

static struct inventory *tell_inventory(void *arg)
{
    assert_ptr_equal(arg, &loop);
    return inventory;
}

static const struct tf_addr loopback = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
static const struct admin_source source = {.arg = &loop,
                                           .metrics = tell_metrics,
                                           .ready = tell_ready,
                                           .status = tell_status,
                                           .conf = tell_conf,
                                           .inventory = tell_inventory};

static void on_stop(uv_async_t *async)
{
    admin_stop(admin);
    uv_close((uv_handle_t *)async, NULL);
}

static void run(void *arg)
{
    uv_run(arg, UV_RUN_DEFAULT);
}

static int start(void **state)
{
    (void)state;
    char error[128];
    is_ready = true;
    is_large = false;
    status_size = 16;
    if (uv_loop_init(&loop) != 0 || uv_async_init(&loop, &stop, on_stop) != 0)
        return -1;
    admin = admin_start(&loop, &loopback, -1, source, &bound, error, sizeof error);
    return admin != NULL ? uv_thread_create(&thread, run, &loop) : -1;
}

/* The loop ends by itself when nothing is left open, and may then be closed. */
static int finish(void **state)
{
    (void)state;
    uv_async_send(&stop);
    uv_thread_join(&thread);
    return uv_loop_close(&loop);
}

static int visit(void)
{
    struct sockaddr_storage sa;
    socklen_t n = sockaddr_from_addr(&sa, &bound);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sa, n), 0);
    return fd;
}

static void say(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL);
        assert_true(k > 0);
        text += k;
        n -= (size_t)k;
    }
}

static char response[2 * METRICS_MAX];

/* All that is said until the other side closes; a reset fails. */
static const char *hear(int fd)
{
    size_t n = 0;
    ssize_t k;
    while ((k = recv(fd, response + n, sizeof response - n - 1, 0)) > 0)
        n += (size_t)k;
    assert_int_equal(k, 0);
    response[n] = '\0';
    close(fd);
    return response;
}

static const char *ask(const char *request)
{
    int fd = visit();
    say(fd, request, strlen(request));
    return hear(fd);
}

#define HOST "Host: 127.0.0.1\r\n\r\n"

static void assert_status(const char *text, const char *status)
{
    char line[64];
    snprintf(line, sizeof line, "HTTP/1.1 %s\r\n", status);
    if (strncmp(text, line, strlen(line)) != 0)
        fail_msg("not %s but: %.80s", status, text);
}

static const char *body_of(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static void metrics_are_the_sources_own(void **state)
{
    (void)state;
    const char *text = ask("GET /metrics HTTP/1.1\r\n" HOST);
    assert_status(text, "200 OK");
    assert_non_null(
        strstr(text, "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Length: 16\r\n"));
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_string_equal(body_of(text), "tlsfloor_test 1\n");
}

static void the_largest_metrics_arrive_whole(void **state)
{
    (void)state;
    is_large = true;
    assert_int_equal(strlen(body_of(ask("GET /metrics HTTP/1.1\r\n" HOST))), METRICS_MAX);
}

static void health_is_always_well(void **state)
{
    (void)state;
    is_ready = false;
    const char *text = ask("GET /healthz HTTP/1.1\r\n" HOST);
    assert_status(text, "200 OK");
    assert_string_equal(body_of(text), "ok\n");
}

static void readiness_follows_the_source(void **state)
{
    (void)state;
    assert_status(ask("GET /readyz HTTP/1.1\r\n" HOST), "200 OK");
    is_ready = false;
    const char *text = ask("GET /readyz HTTP/1.1\r\n" HOST);
    assert_status(text, "503 Service Unavailable");
    assert_string_equal(body_of(text), "draining\n");
}

static void head_gets_the_head_alone(void **state)
{
    (void)state;
    const char *text = ask("HEAD /healthz HTTP/1.1\r\n" HOST);
    assert_status(text, "200 OK");
    assert_non_null(strstr(text, "\r\nContent-Length: 3\r\n"));
    assert_string_equal(body_of(text), "");
}

static void a_query_is_ignored_and_other_paths_are_not_there(void **state)
{
    (void)state;
    static const char *const none[] = {"/metricsx",
                                       "/metric",
                                       "/api",
                                       "/api/",
                                       "/api/statusx",
                                       "/index.html",
                                       "/../conf",
                                       "/app.js/",
                                       "/healthz/",
                                       "//healthz",
                                       "http://127.0.0.1/healthz",
                                       "*"};
    assert_status(ask("GET /healthz?verbose=1 HTTP/1.1\r\n" HOST), "200 OK");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST, none[i]);
        const char *text = ask(request);
        if (strstr(text, "404 Not Found") == NULL && strstr(text, "400 Bad Request") == NULL)
            fail_msg("%s: %.80s", none[i], text);
    }
}

static void only_get_and_head_are_allowed(void **state)
{
    (void)state;
    const char *text = ask("POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n" HOST "hello");
    assert_status(text, "405 Method Not Allowed");
    assert_non_null(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
    assert_status(ask("CONNECT mail.example:443 HTTP/1.1\r\n" HOST), "405 Method Not Allowed");
}

static void a_host_that_is_no_name_of_ours_is_forbidden(void **state)
{
    (void)state;
    static const char *const forbidden[] = {"Host: rebind.example\r\n\r\n",
                                            "Host: localhost.example\r\n\r\n",
                                            "Host: ops.example\r\n\r\n",
                                            "Host: x.floor.example\r\n\r\n",
                                            "Host:\r\n\r\n",
                                            "Host: 127.0.0.1\r\nHost: :80\r\n\r\n",
                                            "X-Host: 127.0.0.1\r\n\r\n"};
    static const char *const allowed[] = {"Host: 127.0.0.1:9180\r\n\r\n", "host: [::1]:9180\r\n\r\n",
                                          "HOST: 10.1.2.3\r\n\r\n",       "Host: LocalHost:9180\r\n\r\n",
                                          "Host: floor.example\r\n\r\n",  "Host: A.ops.example:443\r\n\r\n"};
    char request[256];
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\n%s", forbidden[i]);
        assert_status(ask(request), "403 Forbidden");
    }
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\n%s", allowed[i]);
        assert_status(ask(request), "200 OK");
    }
}

static void http_1_0_needs_no_host(void **state)
{
    (void)state;
    assert_status(ask("GET /healthz HTTP/1.0\r\n\r\n"), "200 OK");
    assert_status(ask("GET /healthz HTTP/1.0\r\nHost: rebind.example\r\n\r\n"), "403 Forbidden");
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    static const char request[] = "GET /healthz?x HTTP/1.1\r\nAccept: */*\r\nhOsT: localhost\r\n\r\n";
    int fd = visit();
    int on = 1;
    setsockopt(fd, 6 /* TCP */, 1 /* NODELAY */, &on, sizeof on);
    for (size_t i = 0; i < strlen(request); i++)
        say(fd, request + i, 1);
    assert_status(hear(fd), "200 OK");
}

static void only_the_first_of_many_requests_is_answered(void **state)
{
    (void)state;
    const char *text =
        ask("GET /healthz HTTP/1.1\r\n" HOST "GET /metrics HTTP/1.1\r\nHost: x.example\r\n\r\n");
    assert_status(text, "200 OK");
    assert_string_equal(body_of(text), "ok\n");
    assert_string_equal(body_of(ask("HEAD /healthz HTTP/1.1\r\n" HOST "GET /healthz HTTP/1.1\r\n" HOST)), "");
    assert_string_equal(body_of(ask("GET /healthz HTTP/1.1\r\n" HOST "HEAD /healthz HTTP/1.1\r\n" HOST)),
                        "ok\n");
    assert_status(ask("GET /healthz HTTP/1.1\r\n" HOST "POST /healthz HTTP/1.1\r\n" HOST), "200 OK");
    assert_status(ask("GET /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n"), "403 Forbidden");
}

static void what_is_no_http_is_a_bad_request(void **state)
{
    (void)state;
    assert_status(ask("\x16\x03\x01"), "400 Bad Request");
    assert_status(ask("GET\r\n\r\n"), "400 Bad Request");
}

static void a_request_without_end_is_too_large(void **state)
{
    (void)state;
    int fd = visit();
    char filler[1024];
    memset(filler, 'a', sizeof filler);
    say(fd, "GET /", 5);
    for (int i = 0; i < 9; i++) /* a little over the bound, the rest unread */
        say(fd, filler, sizeof filler);
    assert_status(hear(fd), "431 Request Header Fields Too Large");
}

/* Closing with input unread would reset the connection, and the answer might be lost with it. */
static void a_body_that_nobody_wants_does_not_cost_the_answer(void **state)
{
    (void)state;
    enum { BODY = 1 << 20 };
    char *body = calloc(1, BODY);
    assert_non_null(body);
    int fd = visit();
    static const char head[] = "POST /metrics HTTP/1.1\r\nContent-Length: 1048576\r\n" HOST;
    say(fd, head, strlen(head));
    say(fd, body, BODY);
    free(body);
    assert_status(hear(fd), "405 Method Not Allowed");
}

static void a_visitor_that_says_nothing_is_closed_in_time(void **state)
{
    (void)state;
    uint64_t start_ns = uv_hrtime();
    assert_string_equal(hear(visit()), "");
    assert_in_range((uv_hrtime() - start_ns) / 1000000, 4000, 9000);
}

static void more_visitors_than_there_is_room_for_wait_their_turn(void **state)
{
    (void)state;
    enum { IDLE = 64 };
    int idle[IDLE];
    for (int i = 0; i < IDLE; i++)
        idle[i] = visit();
    int fd = visit();
    say(fd, "GET /healthz HTTP/1.1\r\n" HOST, strlen("GET /healthz HTTP/1.1\r\n" HOST));
    for (int i = 0; i < IDLE; i++)
        close(idle[i]);
    assert_status(hear(fd), "200 OK");
    assert_status(ask("GET /healthz HTTP/1.1\r\n" HOST), "200 OK");
}

static void the_dashboard_is_there_under_a_strict_policy(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
        "'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n",
        "\r\nX-Frame-Options: DENY\r\n",
        "\r\nReferrer-Policy: no-referrer\r\n",
        "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nCache-Control: no-store\r\n",
        "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
        "\r\nContent-Type: text/html; charset=utf-8\r\n"};
    const char *text = ask("GET / HTTP/1.1\r\n" HOST);
    assert_status(text, "200 OK");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strstr(text, fields[i]) == NULL)
            fail_msg("%s is not in %.1000s", fields[i], text);
    assert_int_equal(strncmp(body_of(text), "<!doctype html>", 15), 0);
}

static const char *type_of(const char *path)
{
    static char type[80];
    char request[128];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST, path);
    const char *text = ask(request);
    assert_status(text, "200 OK");
    const char *at = strstr(text, "\r\nContent-Type: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, " Content-Type: %79[^\r]", type), 1);
    return type;
}

static void all_its_files_are_there_and_small(void **state)
{
    (void)state;
    static const char *const scripts[] = {"/app.js", "/api.js",     "/chart.js", "/clients.js",
                                          "/dom.js", "/gateway.js", "/live.js",  "/theme.js"};
    size_t sum = strlen(body_of(ask("GET / HTTP/1.1\r\n" HOST)));
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        assert_string_equal(type_of(scripts[i]), "text/javascript; charset=utf-8");
        sum += strlen(body_of(response));
    }
    assert_string_equal(type_of("/style.css"), "text/css; charset=utf-8");
    sum += strlen(body_of(response));
    assert_string_equal(type_of("/icon.svg"), "image/svg+xml");
    sum += strlen(body_of(response));
    assert_in_range(sum, 20000, 150000);
}

static void the_status_is_the_sources_own(void **state)
{
    (void)state;
    const char *text = ask("GET /api/status HTTP/1.1\r\n" HOST);
    assert_status(text, "200 OK");
    assert_non_null(strstr(text, "\r\nContent-Length: 16\r\n"));
    assert_string_equal(type_of("/api/status"), "application/json");
}

static void without_an_inventory_reports_are_empty(void **state)
{
    (void)state;
    assert_string_equal(body_of(ask("GET /api/events HTTP/1.1\r\n" HOST)), "{\"last\":0,\"events\":[]}\n");
    const char *text = body_of(ask("GET /api/report HTTP/1.1\r\n" HOST));
    assert_non_null(strstr(text, "\"floor\":\"1.2\""));
    assert_non_null(strstr(text, "\"clients\":[]"));
}

static void note(unsigned last_byte, uint16_t version)
{
    struct tf_sighting s = {.outcome = TF_OUTCOME_BLOCKED,
                            .reason = TF_REASON_CLIENT_BELOW_FLOOR,
                            .count = 1,
                            .first_us = 1795300000000000,
                            .last_us = 1795300000000000,
                            .source = {.family = TF_FAMILY_V4, .ip = {10, 0, 0, (uint8_t)last_byte}},
                            .host = "mail.example",
                            .port = 443,
                            .version = version,
                            .user_agent = "<script>alert(1)</script>"};
    if (version >= TF_TLS12) {
        s.outcome = TF_OUTCOME_PASSED;
        s.reason = TF_REASON_NONE;
    }
    assert_true(inventory_note(inventory, &s));
}

static int open_inventory(void **state)
{
    struct inventory_options options = {
        .file = "memory", .forget_days = 400, .clients = 16, .destinations = 4, .queue = 64};
    char error[128];
    inventory = inventory_open(&options, error, sizeof error);
    if (inventory == NULL)
        return -1;
    note(1, TF_TLS10);
    note(2, TF_TLS11);
    note(3, TF_TLS12);
    inventory_lock(inventory); /* by now they are in it */
    inventory_unlock(inventory);
    return start(state);
}

static int close_inventory(void **state)
{
    int result = finish(state);
    inventory_close(inventory);
    inventory = NULL;
    return result;
}

static bool says(const char *path, const char *text)
{
    char request[128];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST, path);
    assert_status(ask(request), "200 OK");
    return strstr(body_of(response), text) != NULL;
}

static void a_report_is_for_the_floor_that_is_asked_about(void **state)
{
    (void)state;
    assert_true(says("/api/report", "\"floor\":\"1.2\""));
    assert_true(says("/api/report", "\"source\":\"10.0.0.1\""));
    assert_false(says("/api/report?floor=1.2", "\"source\":\"10.0.0.3\""));
    assert_true(says("/api/report?floor=1.3", "\"source\":\"10.0.0.3\""));
    assert_true(says("/api/report?floor=1.3&since=2026-11-01", "\"floor\":\"1.3\""));
    assert_false(says("/api/report?since=2036-11-01", "\"source\":\"10.0.0.1\""));
    assert_true(says("/api/clients.csv", "10.0.0.2"));
    assert_string_equal(type_of("/api/clients.csv"), "text/csv; charset=utf-8");
    assert_non_null(
        strstr(response, "\r\nContent-Disposition: attachment; filename=\"tlsfloor-clients.csv\"\r\n"));
}

static void events_are_those_after_the_last_that_is_known(void **state)
{
    (void)state;
    assert_true(says("/api/events", "{\"last\":2,\"events\":[{\"number\":1,"));
    assert_true(says("/api/events?after=1", "{\"last\":2,\"events\":[{\"number\":2,"));
    assert_true(says("/api/events?after=2", "{\"last\":2,\"events\":[]}"));
    assert_true(says("/api/events?after=3", "\"number\":1,")); /* of a gateway before this one */
    assert_false(says("/api/events", "<script>"));
}

static void a_query_that_is_wrong_is_told_what_may_be_in_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "/api/report?floor=1.1", "/api/report?floor=",    "/api/report?floor=1.3&since=soon",
        "/api/report?x=1",       "/api/report?floor=%zz", "/api/clients.csv?after=1",
        "/api/events?after=-1",  "/api/events?after=x",   "/api/events?after=99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST, wrong[i]);
        const char *text = ask(request);
        if (strncmp(text, "HTTP/1.1 400 ", 13) != 0 || strstr(body_of(text), "the query may have ") == NULL)
            fail_msg("%s: %.80s", wrong[i], text);
        assert_non_null(strstr(text, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    }
}

static void an_address_that_is_too_long_is_said_so(void **state)
{
    (void)state;
    char request[2200];
    snprintf(request, sizeof request, "GET /healthz?%02000d HTTP/1.1\r\n" HOST, 0);
    assert_status(ask(request), "414 URI Too Long");
}

/* More than the kernel takes off a writer's hands. */
enum { LARGE = 33 << 20 };

static int ask_for_status(void)
{
    int fd = visit();
    say(fd, "GET /api/status HTTP/1.1\r\n" HOST, strlen("GET /api/status HTTP/1.1\r\n" HOST));
    char first;
    assert_int_equal(recv(fd, &first, 1, 0), 1);
    return fd;
}

/* Until the other side closes. */
static size_t hear_on(int fd, size_t step, unsigned pause_us)
{
    static char part[1 << 20];
    size_t sum = 0;
    ssize_t k;
    while ((k = recv(fd, part, step, 0)) > 0) {
        sum += (size_t)k;
        usleep(pause_us);
    }
    close(fd);
    return sum;
}

static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    status_size = LARGE;
    assert_true(hear_on(ask_for_status(), 1 << 20, 0) > LARGE);
}

static void a_visitor_that_reads_slowly_but_on_and_on_is_not_cut_off(void **state)
{
    (void)state;
    status_size = LARGE;
    uint64_t start_ns = uv_hrtime();
    assert_true(hear_on(ask_for_status(), 256 << 10, 50000) > LARGE);
    assert_true((uv_hrtime() - start_ns) / 1000000 > 5000); /* longer than any one deadline */
}

static void a_visitor_that_stops_reading_is_closed_in_time(void **state)
{
    (void)state;
    status_size = LARGE;
    int fd = ask_for_status();
    usleep(5500000); /* its deadline, and a little */
    assert_true(hear_on(fd, 1 << 20, 0) < LARGE);
}

static void when_much_is_held_for_others_no_more_is_made(void **state)
{
    (void)state;
    status_size = LARGE;
    int fds[] = {ask_for_status(), ask_for_status()};
    assert_status(ask("GET /healthz HTTP/1.1\r\n" HOST), "503 Service Unavailable");
    close(fds[0]);
    close(fds[1]);
    for (int i = 0; i < 200 && strncmp(ask("GET /healthz HTTP/1.1\r\n" HOST), "HTTP/1.1 200 ", 13) != 0; i++)
        usleep(10000);
    assert_status(response, "200 OK");
}

/* finish() then finds nothing left over, and a sanitizer no memory. */
static void a_stop_closes_visitors_in_the_middle(void **state)
{
    (void)state;
    is_large = true;
    int fds[3] = {visit(), visit(), visit()};
    say(fds[1], "GET /metrics HT", 15);
    say(fds[2], "GET /metrics HTTP/1.1\r\n" HOST, strlen("GET /metrics HTTP/1.1\r\n" HOST));
    assert_status(ask("GET /healthz HTTP/1.1\r\n" HOST), "200 OK"); /* by now the others are known */
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void a_taken_port_is_an_error_with_the_address(void **state)
{
    (void)state;
    uv_loop_t other;
    char error[256], expected[256];
    uv_loop_init(&other);
    assert_null(admin_start(&other, &bound, -1, source, NULL, error, sizeof error));
    snprintf(
        expected, sizeof expected,
        "admin: cannot listen on 127.0.0.1:%u: address already in use; another program listens there (see "
        "`ss -ltnp`): stop it, or choose another port",
        (unsigned)bound.port);
    assert_string_equal(error, expected);
    uv_run(&other, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&other), 0);
}

#define with_admin(f)     cmocka_unit_test_setup_teardown(f, start, finish)
#define with_inventory(f) cmocka_unit_test_setup_teardown(f, open_inventory, close_inventory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_admin(metrics_are_the_sources_own),
        with_admin(the_largest_metrics_arrive_whole),
        with_admin(health_is_always_well),
        with_admin(readiness_follows_the_source),
        with_admin(head_gets_the_head_alone),
        with_admin(a_query_is_ignored_and_other_paths_are_not_there),
        with_admin(only_get_and_head_are_allowed),
        with_admin(a_host_that_is_no_name_of_ours_is_forbidden),
        with_admin(http_1_0_needs_no_host),
        with_admin(a_request_may_come_byte_by_byte),
        with_admin(only_the_first_of_many_requests_is_answered),
        with_admin(what_is_no_http_is_a_bad_request),
        with_admin(a_request_without_end_is_too_large),
        with_admin(a_body_that_nobody_wants_does_not_cost_the_answer),
        with_admin(a_visitor_that_says_nothing_is_closed_in_time),
        with_admin(more_visitors_than_there_is_room_for_wait_their_turn),
        with_admin(a_stop_closes_visitors_in_the_middle),
        with_admin(the_dashboard_is_there_under_a_strict_policy),
        with_admin(all_its_files_are_there_and_small),
        with_admin(the_status_is_the_sources_own),
        with_admin(without_an_inventory_reports_are_empty),
        with_inventory(a_report_is_for_the_floor_that_is_asked_about),
        with_inventory(events_are_those_after_the_last_that_is_known),
        with_inventory(a_query_that_is_wrong_is_told_what_may_be_in_it),
        with_admin(an_address_that_is_too_long_is_said_so),
        with_admin(a_large_answer_arrives_whole),
        with_admin(a_visitor_that_reads_slowly_but_on_and_on_is_not_cut_off),
        with_admin(a_visitor_that_stops_reading_is_closed_in_time),
        with_admin(when_much_is_held_for_others_no_more_is_made),
        with_admin(a_taken_port_is_an_error_with_the_address),
    };
    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
