/* fetch.c and fetch_connect.c: requests to a server that does as it is told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/certificate.h"
#include "../../proxy/fetch.h"
#include "../../proxy/sockaddr.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60, ENOUGH_MS = 20000, SHORT_MS = 200 };

/* What a server does with its one connection. */
struct play {
    const char *response;         /* NULL: nothing is said after the request */
    const char *leaf_name;        /* NULL: good.test */
    bool is_expired, is_stranger; /* its certificate: of the past, of another CA */
    bool hangs_up;                /* no close_notify */
    bool is_plain;                /* the response instead of TLS */
    bool is_silent;               /* no TLS, nothing */
    int max_version;              /* 0: any */
};

static struct {
    EVP_PKEY *key;
    X509 *ca;
    char ca_file[64];
    struct tf_conf conf;
    struct tf_override override;
    struct tls *tls;
    int listening;
    uint16_t port;
    pthread_t thread;
    struct play play;
    char request[1 << 16];
    struct fetched fetched;
    char error[1024];
} t;

static X509 *certificate(const char *name, int64_t last_s, X509 *issuer)
{
    X509_NAME *subject = certificate_subject(name);
    X509 *c = certificate_new(subject, t.key, last_s - 10 * DAY_S, last_s);
    X509_NAME_free(subject);
    assert_non_null(c);
    char alt[128];
    snprintf(alt, sizeof alt, "DNS:%s", name);
    X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer : c));
    if (issuer)
        assert_true(certificate_extend(c, issuer, NID_subject_alt_name, alt));
    else
        assert_true(certificate_extend(c, c, NID_basic_constraints, "critical,CA:TRUE"));
    assert_true(X509_sign(c, t.key, EVP_sha256()) > 0);
    return c;
}

/* The other side. */

/* Whether t.request[0..n) holds a head, and as much of a body as that tells. */
static bool is_whole(size_t n)
{
    const char *end = strstr(t.request, "\r\n\r\n"), *field = strstr(t.request, "\r\nContent-Length: ");
    size_t body = field ? (size_t)strtoul(field + 18, NULL, 10) : 0;
    return end && n >= (size_t)(end + 4 - t.request) + body;
}

static void serve_response(SSL *ssl)
{
    size_t n = 0;
    while (n < sizeof t.request - 1 && !is_whole(n)) {
        int got = SSL_read(ssl, t.request + n, (int)(sizeof t.request - 1 - n));
        if (got <= 0)
            return;
        n += (size_t)got;
        t.request[n] = '\0';
    }
    if (t.play.response)
        SSL_write(ssl, t.play.response, (int)strlen(t.play.response));
    else
        SSL_read(ssl, t.request + n, 1); /* until the client gives up */
    if (!t.play.hangs_up)
        SSL_shutdown(ssl);
}

static void serve_tls(int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int64_t now_s = (int64_t)time(NULL);
    X509 *ca = t.play.is_stranger ? certificate("stranger", now_s + DAY_S, NULL) : NULL;
    X509 *leaf = certificate(t.play.leaf_name ? t.play.leaf_name : "good.test",
                             t.play.is_expired ? now_s - DAY_S : now_s + DAY_S, ca ? ca : t.ca);
    SSL_CTX_use_certificate(context, leaf);
    SSL_CTX_use_PrivateKey(context, t.key);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, t.play.max_version);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        serve_response(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    X509_free(leaf);
    X509_free(ca);
}

static void *serve(void *unused)
{
    (void)unused;
    int fd = accept(t.listening, NULL, NULL);
    if (fd < 0)
        return NULL; /* the test ended it */
    char c;
    if (t.play.is_plain)
        send(fd, t.play.response, strlen(t.play.response), MSG_NOSIGNAL);
    if (t.play.is_plain || t.play.is_silent)
        while (recv(fd, &c, 1, 0) > 0)
            continue;
    else
        serve_tls(fd);
    close(fd);
    return NULL;
}

/* Fetches path from a server that plays so. */
static bool fetch_within(const char *path, size_t max_bytes, uint32_t timeout_ms, struct play play)
{
    char url[256];
    t.play = play;
    free(t.fetched.body);
    memset(t.request, 0, sizeof t.request);
    memset(t.error, 0, sizeof t.error);
    t.fetched = (struct fetched){0};
    snprintf(url, sizeof url, "https://good.test:%u%s", t.port, path);
    assert_int_equal(pthread_create(&t.thread, NULL, serve, NULL), 0);
    bool ok = fetch_get(&t.conf, t.tls, url, max_bytes, timeout_ms, &t.fetched, t.error, sizeof t.error);
    pthread_join(t.thread, NULL);
    return ok;
}

static bool fetch(size_t max_bytes, const char *response)
{
    return fetch_within("/", max_bytes, ENOUGH_MS, (struct play){.response = response});
}

static void assert_body(unsigned status, const char *expected)
{
    assert_int_equal(t.fetched.status, status);
    assert_int_equal(t.fetched.len, strlen(expected));
    assert_string_equal(t.fetched.body, expected);
}

static void assert_error(const char *expected)
{
    if (!strstr(t.error, expected))
        fail_msg("%s\nis not in:\n%s", expected, t.error);
}

#define OK "HTTP/1.1 200 OK\r\n"

static void the_request_is_whole_and_the_body_comes(void **state)
{
    (void)state;
    assert_true(fetch_within("/endpoints?x=1", 100, ENOUGH_MS,
                             (struct play){.response = OK "Content-Length: 4\r\n\r\nbody and more"}));
    assert_body(200, "body");
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: good.test:%u\r\n", t.port);
    assert_memory_equal(t.request, "GET /endpoints?x=1 HTTP/1.1\r\n", 29);
    assert_non_null(strstr(t.request, host));
    assert_non_null(strstr(t.request, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(t.request, "\r\nConnection: close\r\n"));
}

static bool post(struct tf_text form, size_t max_bytes, const char *response)
{
    char url[64];
    t.play = (struct play){.response = response};
    free(t.fetched.body);
    memset(t.request, 0, sizeof t.request);
    t.fetched = (struct fetched){0};
    snprintf(url, sizeof url, "https://good.test:%u/token", t.port);
    assert_int_equal(pthread_create(&t.thread, NULL, serve, NULL), 0);
    bool ok =
        fetch_post(&t.conf, t.tls, url, form, max_bytes, ENOUGH_MS, &t.fetched, t.error, sizeof t.error);
    pthread_join(t.thread, NULL);
    return ok;
}

static void a_form_is_posted_with_its_length(void **state)
{
    (void)state;
    assert_true(post(tf_text_of("a=1&b=%20"), 100, OK "Content-Length: 2\r\n\r\n{}"));
    assert_body(200, "{}");
    assert_memory_equal(t.request, "POST /token HTTP/1.1\r\n", 22);
    assert_non_null(strstr(t.request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(t.request, "\r\nContent-Length: 9\r\n"));
    assert_string_equal(strstr(t.request, "\r\n\r\n") + 4, "a=1&b=%20");
}

static void a_form_may_be_longer_than_a_record(void **state)
{
    (void)state;
    static char form[40001];
    for (size_t i = 0; i < sizeof form - 1; i++)
        form[i] = (char)('a' + i % 26);
    assert_true(post(tf_text_of(form), 100, OK "Content-Length: 0\r\n\r\n"));
    assert_string_equal(strstr(t.request, "\r\n\r\n") + 4, form);
    assert_false(post(tf_text_of(form), 1, OK "Content-Length: 2\r\n\r\n{}"));
    assert_error("the response is longer than 1 bytes");
}

static void a_url_without_a_path_asks_for_the_root(void **state)
{
    (void)state;
    assert_true(fetch_within("", 100, ENOUGH_MS, (struct play){.response = OK "Content-Length: 0\r\n\r\n"}));
    assert_body(200, "");
    assert_memory_equal(t.request, "GET / HTTP/1.1\r\n", 16);
    assert_true(
        fetch_within("?q", 100, ENOUGH_MS, (struct play){.response = OK "Content-Length: 0\r\n\r\n"}));
    assert_memory_equal(t.request, "GET /?q HTTP/1.1\r\n", 18);
}

static void chunks_become_one_body(void **state)
{
    (void)state;
    assert_true(
        fetch(100, OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n"));
    assert_body(200, "abcde");
    assert_false(fetch(100, OK "Transfer-Encoding: chunked\r\n\r\nnot a size\r\n"));
    assert_error("no chunked body goes on like this");
}

static void a_body_until_close_needs_the_close_notify(void **state)
{
    (void)state;
    assert_true(fetch(100, OK "\r\nall of it"));
    assert_body(200, "all of it");
    assert_false(
        fetch_within("/", 100, ENOUGH_MS, (struct play){.response = OK "\r\nall", .hangs_up = true}));
    assert_error("the connection broke off");
    assert_null(t.fetched.body);
}

static void a_response_that_ends_early_is_an_error(void **state)
{
    (void)state;
    static const char *const cut[] = {"HTTP/1.1 200", OK "Content-Length: 9\r\n\r\nbody",
                                      OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        assert_false(fetch(100, cut[i]));
        assert_error("the server closed the connection before its response was whole");
    }
}

static void other_statuses_are_told_and_interim_ones_passed_by(void **state)
{
    (void)state;
    assert_true(fetch(100, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\n"
                           "Content-Length: 2\r\n\r\nno"));
    assert_body(404, "no");
    assert_true(fetch(100, "HTTP/1.1 204 No Content\r\n\r\n"));
    assert_body(204, "");
    assert_false(fetch(100, "HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    assert_error("switches protocols");
}

static void a_body_may_be_as_long_as_allowed_and_no_longer(void **state)
{
    (void)state;
    static const char *const four[] = {OK "Content-Length: 4\r\n\r\nbody", OK "\r\nbody",
                                       OK "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"};
    for (size_t i = 0; i < sizeof four / sizeof *four; i++) {
        assert_true(fetch(4, four[i]));
        assert_body(200, "body");
        assert_false(fetch(3, four[i]));
        assert_error("the response is longer than 3 bytes");
    }
}

static void a_head_that_never_ends_is_refused(void **state)
{
    (void)state;
    size_t n = 40000;
    char *head = malloc(n + 1);
    memset(head, 'x', n);
    head[n] = '\0';
    memcpy(head, OK "X: ", strlen(OK "X: "));
    assert_false(fetch(100, head));
    assert_error("the head of the response is longer than 32768 bytes");
    free(head);
}

static void what_is_no_http_is_refused(void **state)
{
    (void)state;
    assert_false(fetch(100, "220 mail\n"));
    assert_error("the server's answer is no HTTP response");
    assert_false(fetch(100, "HTTP/2 200\r\n\r\n"));
    assert_error("the status line is malformed");
}

static void a_certificate_that_does_not_verify_is_worded(void **state)
{
    (void)state;
    static const struct {
        struct play play;
        const char *why;
    } rows[] = {
        {{.is_expired = true}, "certificate has expired: CN=good.test"},
        {{.leaf_name = "other.test"}, "which is for other.test"},
        {{.is_stranger = true}, "issued by CN=stranger"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(fetch_within("/", 100, ENOUGH_MS, rows[i].play));
        assert_error("the server's certificate does not verify: ");
        assert_error(rows[i].why);
        assert_error("tlsfloor probe good.test:");
        assert_int_equal(strlen(t.request), 0);
    }
}

static void an_old_server_is_not_talked_to(void **state)
{
    (void)state;
    assert_false(fetch_within("/", 100, ENOUGH_MS,
                              (struct play){.response = OK "\r\n", .max_version = TLS1_1_VERSION}));
    assert_error("no TLS session with the server could be set up: ");
    assert_int_equal(strlen(t.request), 0);
}

static void a_server_that_speaks_plain_text_is_told_as_such(void **state)
{
    (void)state;
    assert_false(fetch_within("/", 100, ENOUGH_MS,
                              (struct play){.response = "220 mail.test ESMTP\r\n", .is_plain = true}));
    assert_error("is not TLS");
}

/* The time it took is that of the test program, which fails when it hangs. */
static void silence_ends_with_the_time(void **state)
{
    (void)state;
    assert_false(fetch_within("/", 100, SHORT_MS, (struct play){.is_silent = true}));
    assert_error("no answer in time");
    assert_false(fetch_within("/", 100, SHORT_MS, (struct play){.response = NULL}));
    assert_error("no answer in time");
}

static void a_port_where_nobody_listens_is_told(void **state)
{
    (void)state;
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    char url[64], expected[64];
    struct tf_addr loopback = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* taken, and not listening */
    assert_int_equal(bind(bound, (struct sockaddr *)&sa, sockaddr_from_addr(&sa, &loopback)), 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&sa, &len), 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &loopback));
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", loopback.port);
    snprintf(expected, sizeof expected, "(127.0.0.1:%u: Connection refused)", loopback.port);
    assert_false(fetch_get(&t.conf, t.tls, url, 100, ENOUGH_MS, &t.fetched, t.error, sizeof t.error));
    assert_error(expected);
    close(bound);
}

static void a_name_without_an_address_is_told(void **state)
{
    (void)state;
    assert_false(fetch_get(&t.conf, t.tls, "https://nowhere.invalid/", 100, ENOUGH_MS, &t.fetched, t.error,
                           sizeof t.error));
    assert_error("nowhere.invalid has no address (");
}

static void only_https_urls_are_fetched(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://good.test/",     "good.test",           "https://",
        "https://a b/",          "https://x:99999/",    "https://good.test/#part",
        "https://u@good.test/p", "https://good.test/\n"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        assert_false(fetch_get(&t.conf, t.tls, urls[i], 100, ENOUGH_MS, &t.fetched, t.error, sizeof t.error));
        assert_error("'");
        memset(t.error, 0, sizeof t.error);
        assert_false(fetch_check_url(urls[i], t.error, sizeof t.error));
        assert_error("'");
    }
    assert_true(fetch_check_url("https://good.test:8443/path?query", t.error, sizeof t.error));
}

static void sockets_do_not_block_and_are_not_inherited(void **state)
{
    (void)state;
    struct tf_target target = {.host = "good.test", .port = t.port};
    int fd = fetch_connect(&t.conf, &target, fetch_now_ms() + ENOUGH_MS, t.error, sizeof t.error);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_false(fetch_wait(fd, POLLIN, fetch_now_ms() + 20));
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(fetch_wait(fd, POLLOUT, fetch_now_ms() + ENOUGH_MS));
    close(fd);
    close(accept(t.listening, NULL, NULL));
}

static void listen_on_loopback(void)
{
    struct sockaddr_storage sa;
    struct tf_addr address = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
    socklen_t len = sockaddr_from_addr(&sa, &address);
    t.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(t.listening, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(t.listening, 8), 0);
    len = sizeof sa;
    assert_int_equal(getsockname(t.listening, (struct sockaddr *)&sa, &len), 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &address));
    t.port = address.port;
    t.override = (struct tf_override){.host = "good.test", .to = address};
}

static int set_up(void **state)
{
    (void)state;
    t.key = EVP_EC_gen("P-256");
    t.ca = certificate("fetch test root", (int64_t)time(NULL) + DAY_S, NULL);
    strcpy(t.ca_file, "/tmp/tlsfloor-test-XXXXXX");
    FILE *file = fdopen(mkstemp(t.ca_file), "w");
    PEM_write_X509(file, t.ca);
    fclose(file);
    listen_on_loopback();
    t.conf.overrides = &t.override;
    t.conf.upstream.minimum = TF_TLS12;
    t.conf.upstream.ca_file = t.ca_file;
    t.conf.upstream.certificate = t.conf.upstream.key = "";
    t.tls = tls_new(&t.conf, NULL, NULL, t.error, sizeof t.error);
    return t.tls ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tls_unref(t.tls);
    X509_free(t.ca);
    EVP_PKEY_free(t.key);
    free(t.fetched.body);
    close(t.listening);
    return unlink(t.ca_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_whole_and_the_body_comes),
        cmocka_unit_test(a_form_is_posted_with_its_length),
        cmocka_unit_test(a_form_may_be_longer_than_a_record),
        cmocka_unit_test(a_url_without_a_path_asks_for_the_root),
        cmocka_unit_test(chunks_become_one_body),
        cmocka_unit_test(a_body_until_close_needs_the_close_notify),
        cmocka_unit_test(a_response_that_ends_early_is_an_error),
        cmocka_unit_test(other_statuses_are_told_and_interim_ones_passed_by),
        cmocka_unit_test(a_body_may_be_as_long_as_allowed_and_no_longer),
        cmocka_unit_test(a_head_that_never_ends_is_refused),
        cmocka_unit_test(what_is_no_http_is_refused),
        cmocka_unit_test(a_certificate_that_does_not_verify_is_worded),
        cmocka_unit_test(an_old_server_is_not_talked_to),
        cmocka_unit_test(a_server_that_speaks_plain_text_is_told_as_such),
        cmocka_unit_test(silence_ends_with_the_time),
        cmocka_unit_test(a_port_where_nobody_listens_is_told),
        cmocka_unit_test(a_name_without_an_address_is_told),
        cmocka_unit_test(only_https_urls_are_fetched),
        cmocka_unit_test(sockets_do_not_block_and_are_not_inherited),
    };
    return cmocka_run_group_tests_name("fetch", tests, set_up, tear_down);
}
