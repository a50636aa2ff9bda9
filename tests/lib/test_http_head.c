/* http_head.c: a head is either understood in one way, or refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/http_head.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct tf_span span_of(const char *text)
{
    return (struct tf_span){(const uint8_t *)text, strlen(text)};
}

static void assert_text(struct tf_text t, const char *expected)
{
    if (!tf_text_is(t, expected))
        fail_msg("\"%.*s\" is not \"%s\"", (int)t.n, t.p, expected);
}

/* scan */

static void the_end_of_a_head_is_found_however_it_arrives(void **state)
{
    (void)state;
    const char *text = "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n";
    size_t whole = strlen("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t step = 1; step <= strlen(text); step++) {
        struct tf_span in = span_of(text);
        size_t scanned = 0;
        enum tf_http_result result = TF_HTTP_MORE;
        for (in.n = step; result == TF_HTTP_MORE; in.n += step) {
            if (in.n > strlen(text))
                in.n = strlen(text);
            result = tf_http_scan_head(in, &scanned);
        }
        assert_int_equal(result, TF_HTTP_DONE);
        assert_int_equal(scanned, whole);
    }
}

static void what_was_scanned_is_not_read_again(void **state)
{
    (void)state;
    char text[] = "GET http://a/ HTTP/1.1\r\nHost: a\r\n";
    size_t scanned = 0;
    assert_int_equal(tf_http_scan_head(span_of(text), &scanned), TF_HTTP_MORE);
    assert_int_equal(scanned, strlen(text));
    memset(text, '\0', 10);
    struct tf_span in = {(const uint8_t *)text, sizeof text - 1};
    assert_int_equal(tf_http_scan_head(in, &scanned), TF_HTTP_MORE);
}

static void bytes_that_no_head_may_hold_are_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } bad[] = {
        {"GET / HTTP/1.1\n", 15},          /* LF without CR */
        {"GET / HTTP/1.1\r\nA: b\n", 21},  /* the same in a field */
        {"GET / HTTP/1.1\rX", 16},         /* CR without LF */
        {"GET / HTTP/1.1\r\r\n", 17},      /* one CR too many */
        {"\n", 1},                         /* */
        {"GET / HTTP/1.1\r\nA: \0b", 21},  /* NUL */
        {"GET / HTTP/1.1\r\nA: \x7f", 20}, /* DEL */
        {"GET / HTTP/1.1\r\nA: \x1b[m", 22} /* escape */,
        {"\x16\x03\x01\x02\x00\x01", 6}, /* a ClientHello */
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t scanned = 0;
        struct tf_span in = {(const uint8_t *)bad[i].text, bad[i].n};
        assert_int_equal(tf_http_scan_head(in, &scanned), TF_HTTP_BAD);
    }
}

static void obs_text_and_tabs_are_fine(void **state)
{
    (void)state;
    const char *text = "GET http://a/ HTTP/1.1\r\nHost: a\r\nX:\t\xc3\xa9\xff \r\n\r\n";
    size_t scanned = 0;
    struct tf_http_head head;
    assert_int_equal(tf_http_scan_head(span_of(text), &scanned), TF_HTTP_DONE);
    assert_null(tf_http_parse_request(span_of(text), &head));
}

/* requests */

static void a_request_is_taken_apart(void **state)
{
    (void)state;
    struct tf_http_head head;
    const char *text = "M-SEARCH http://a.example:81/x?y HTTP/1.1\r\nHost: b.example\r\nHOST: c\r\n"
                       "user-agent:\t Mozilla/4.0 (compatible) \r\nConnection: x-one , Close,,\r\n"
                       "max-forwards: 07\r\ncontent-length: 12\r\nConnection:X-Two\r\n\r\n";
    assert_null(tf_http_parse_request(span_of(text), &head));
    assert_text(head.method, "M-SEARCH");
    assert_text(head.target, "http://a.example:81/x?y");
    assert_int_equal(head.minor, 1);
    assert_text(head.host, "b.example");
    assert_int_equal(head.hosts, 2);
    assert_text(head.user_agent, "Mozilla/4.0 (compatible)");
    assert_true(head.has_max_forwards);
    assert_int_equal(head.max_forwards, 7);
    assert_true(head.has_length);
    assert_int_equal(head.length, 12);
    assert_false(head.is_chunked);
    assert_false(head.is_persistent);
    assert_int_equal(head.option_count, 3);
    assert_true(tf_http_is_nominated(&head, tf_text_of("X-ONE")));
    assert_true(tf_http_is_nominated(&head, tf_text_of("x-two")));
    assert_false(tf_http_is_nominated(&head, tf_text_of("x-on")));
}

static void one_empty_line_may_stand_in_front_of_a_request(void **state)
{
    (void)state;
    struct tf_http_head head;
    assert_null(tf_http_parse_request(span_of("\r\nGET http://a/ HTTP/1.0\r\n\r\n"), &head));
    assert_text(head.method, "GET");
    assert_non_null(tf_http_parse_request(span_of("\r\n\r\n"), &head));
}

static void only_http_1_1_is_persistent(void **state)
{
    (void)state;
    struct tf_http_head head;
    assert_null(tf_http_parse_request(span_of("GET http://a/ HTTP/1.1\r\n\r\n"), &head));
    assert_true(head.is_persistent);
    assert_null(
        tf_http_parse_request(span_of("GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), &head));
    assert_false(head.is_persistent);
}

static void malformed_request_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "GET  http://a/ HTTP/1.1",
        "GET http://a/  HTTP/1.1",
        "GET http://a/ HTTP/1.1 ",
        " GET http://a/ HTTP/1.1",
        "GET\thttp://a/\tHTTP/1.1",
        "GET http://a/",
        "GET",
        "G(T http://a/ HTTP/1.1",
        "GET http://a/\xc3\xa9 HTTP/1.1",
        "GET http://a/ http/1.1",
        "GET http://a/ HTTP/1.2",
        "GET http://a/ HTTP/2.0",
        "GET http://a/ HTTP/0.9",
        "GET http://a/ HTTP/1.10",
        "GET http://a/ HTTP/11",
        "PRI * HTTP/2.0",
        "GET http://a/ ICE/1.0",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[128];
        struct tf_http_head head;
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_text(&w, bad[i]);
        tf_put_text(&w, "\r\n\r\n");
        struct tf_span in = {(const uint8_t *)text, w.len};
        if (tf_http_parse_request(in, &head) == NULL)
            fail_msg("accepted: %s", bad[i]);
    }
}

/* fields, in both kinds of heads */

static const char *parse_with(const char *start_line, const char *fields, struct tf_http_head *head)
{
    static char text[1024];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_text(&w, start_line);
    tf_put_text(&w, fields);
    tf_put_text(&w, "\r\n");
    assert_false(w.full);
    struct tf_span in = {(const uint8_t *)text, w.len};
    size_t scanned = 0;
    assert_int_equal(tf_http_scan_head(in, &scanned), TF_HTTP_DONE);
    return start_line[0] == 'H' ? tf_http_parse_response(in, head) : tf_http_parse_request(in, head);
}

static const char request_line[] = "POST http://a/ HTTP/1.1\r\n";
static const char status_line[] = "HTTP/1.1 200 OK\r\n";

static void fields_that_others_might_read_otherwise_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Host : a\r\n",
        "Host\t: a\r\n",
        " Host: a\r\n",
        "A: b\r\n c\r\n",
        "A: b\r\n\tc\r\n",
        ": b\r\n",
        "A\r\n",
        "A B: c\r\n",
        "A\xff: c\r\n",
        "A(: c\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1_0\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length:\r\n",
        "Content-Length: \r\nA: b\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding:\r\nContent-Length: 1\r\n",
        "Connection: a b\r\n",
        "Connection: \"close\"\r\n",
        "Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\r\n",
        "Max-Forwards: -1\r\n",
        "Max-Forwards:\r\n",
        "Max-Forwards: 1\r\nMax-Forwards: 2\r\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tf_http_head head;
        if (parse_with(request_line, bad[i], &head) == NULL || parse_with(status_line, bad[i], &head) == NULL)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void the_length_of_a_body_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        bool is_chunked, has_length;
        uint64_t length;
    } good[] = {
        {"", false, false, 0},
        {"A:\r\n", false, false, 0},
        {"Content-Length: 0\r\n", false, true, 0},
        {"CONTENT-LENGTH:\t007 \r\n", false, true, 7},
        {"Content-Length: 18446744073709551615\r\n", false, true, UINT64_MAX},
        {"Transfer-Encoding: chunked\r\n", true, false, 0},
        {"transfer-encoding:\tChunked\r\n", true, false, 0},
        {"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n", false, true, 3},
        {"Connection: , close, \r\n", false, false, 0},
        {"X-Content-Length: 5\r\n", false, false, 0},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct tf_http_head request, response;
        assert_null(parse_with(request_line, good[i].fields, &request));
        assert_null(parse_with(status_line, good[i].fields, &response));
        assert_int_equal(request.is_chunked, good[i].is_chunked);
        assert_int_equal(request.has_length, good[i].has_length);
        assert_int_equal(request.length, good[i].length);
        assert_int_equal(response.is_chunked, good[i].is_chunked);
        assert_int_equal(response.has_length, good[i].has_length);
        assert_int_equal(response.length, good[i].length);
    }
}

static void http_1_0_has_no_transfer_encoding(void **state)
{
    (void)state;
    struct tf_http_head head;
    assert_non_null(parse_with("POST http://a/ HTTP/1.0\r\n", "Transfer-Encoding: chunked\r\n", &head));
    assert_non_null(parse_with("HTTP/1.0 200 OK\r\n", "Transfer-Encoding: chunked\r\n", &head));
}

static void fields_come_one_by_one(void **state)
{
    (void)state;
    struct tf_http_head head;
    struct tf_http_field field;
    assert_null(parse_with(request_line, "A: 1\r\nB:\r\nc-3:  x: y \r\n", &head));
    struct tf_text lines = head.fields;
    assert_true(tf_http_next_field(&lines, &field));
    assert_text(field.line, "A: 1\r\n");
    assert_text(field.name, "A");
    assert_text(field.value, "1");
    assert_true(tf_http_next_field(&lines, &field));
    assert_text(field.value, "");
    assert_true(tf_http_next_field(&lines, &field));
    assert_text(field.name, "c-3");
    assert_text(field.value, "x: y");
    assert_false(tf_http_next_field(&lines, &field));
}

/* responses */

static void a_status_line_is_taken_apart(void **state)
{
    (void)state;
    struct tf_http_head head;
    assert_null(parse_with("HTTP/1.0 404 Not \xe9 Found\r\n", "", &head));
    assert_int_equal(head.status, 404);
    assert_int_equal(head.minor, 0);
    assert_text(head.phrase, "Not \xe9 Found");
    assert_null(parse_with("HTTP/1.1 204\r\n", "", &head));
    assert_int_equal(head.status, 204);
    assert_int_equal(head.phrase.n, 0);
    assert_null(parse_with("HTTP/1.1 999 \r\n", "", &head));
    assert_int_equal(head.status, 999);
}

static void malformed_status_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"HTTP/1.1 20 OK\r\n",   "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 OK\r\n",
                                      "HTTP/1.1  200 OK\r\n", "HTTP/1.1 2x0 OK\r\n",  "HTTP/2.0 200 OK\r\n",
                                      "HTTP/1.1\r\n",         "HTTPS/1.1 200 OK\r\n", "HTTP/1.1 \r\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tf_http_head head;
        if (parse_with(bad[i], "", &head) == NULL)
            fail_msg("accepted: %s", bad[i]);
    }
    struct tf_http_head head;
    assert_non_null(tf_http_parse_response(span_of("\r\nHTTP/1.1 200 OK\r\n\r\n"), &head));
}

/* URIs */

static void a_uri_is_cut_where_its_authority_ends(void **state)
{
    (void)state;
    static const struct {
        const char *target, *authority, *path;
    } good[] = {
        {"http://a/", "a", "/"},         {"http://a", "a", ""},
        {"HTTP://A:80?q", "A:80", "?q"}, {"http://[::1]:8080/x/http://y", "[::1]:8080", "/x/http://y"},
        {"http:///x", "", "/x"},         {"http://a/@b", "a", "/@b"},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct tf_http_uri uri;
        const char *detail;
        assert_int_equal(tf_http_split_uri(tf_text_of(good[i].target), "http", &uri, &detail),
                         TF_REASON_NONE);
        assert_text(uri.authority, good[i].authority);
        assert_text(uri.path, good[i].path);
    }
}

static void what_is_no_http_uri_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        enum tf_reason reason;
    } bad[] = {
        {"/", TF_REASON_REQUEST_NOT_PROXY},         {"/http://a/", TF_REASON_REQUEST_NOT_PROXY},
        {"*", TF_REASON_REQUEST_NOT_PROXY},         {"https://a/", TF_REASON_SCHEME_UNSUPPORTED},
        {"ftp://a/", TF_REASON_SCHEME_UNSUPPORTED}, {"httpx://a/", TF_REASON_SCHEME_UNSUPPORTED},
        {"a.example", TF_REASON_REQUEST_MALFORMED}, {"a.example:80", TF_REASON_REQUEST_MALFORMED},
        {"http:", TF_REASON_REQUEST_MALFORMED},     {"http:/a", TF_REASON_REQUEST_MALFORMED},
        {"://a", TF_REASON_REQUEST_MALFORMED},      {"http://a/#b", TF_REASON_REQUEST_MALFORMED},
        {"http://u@a/", TF_REASON_HOST_INVALID},    {"http://u:p@a:80/", TF_REASON_HOST_INVALID},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tf_http_uri uri;
        const char *detail;
        assert_int_equal(tf_http_split_uri(tf_text_of(bad[i].target), "http", &uri, &detail), bad[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_head_is_found_however_it_arrives),
        cmocka_unit_test(what_was_scanned_is_not_read_again),
        cmocka_unit_test(bytes_that_no_head_may_hold_are_refused_at_once),
        cmocka_unit_test(obs_text_and_tabs_are_fine),
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(one_empty_line_may_stand_in_front_of_a_request),
        cmocka_unit_test(only_http_1_1_is_persistent),
        cmocka_unit_test(malformed_request_lines_are_refused),
        cmocka_unit_test(fields_that_others_might_read_otherwise_are_refused),
        cmocka_unit_test(the_length_of_a_body_is_read),
        cmocka_unit_test(http_1_0_has_no_transfer_encoding),
        cmocka_unit_test(fields_come_one_by_one),
        cmocka_unit_test(a_status_line_is_taken_apart),
        cmocka_unit_test(malformed_status_lines_are_refused),
        cmocka_unit_test(a_uri_is_cut_where_its_authority_ends),
        cmocka_unit_test(what_is_no_http_uri_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
