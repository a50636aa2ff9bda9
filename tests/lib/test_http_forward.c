/* http_forward.c: what the next server and the client get in place of a head. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/http_forward.h"
#include <string.h>

static char output[4096];
static const struct tf_facts facts; /* nothing is upgraded */

static struct tf_span span_of(const char *text)
{
    return (struct tf_span){(const uint8_t *)text, strlen(text)};
}

static struct tf_writer begin(void)
{
    return tf_writer_of(output, sizeof output - 1);
}

static const char *end(const struct tf_writer *w, size_t head_size)
{
    assert_false(w->full);
    assert_true(w->len <= head_size + TF_HTTP_HEAD_GROWTH);
    output[w->len] = '\0';
    return output;
}

static const char *sent_to_parent(const char *text, const char *parent_login)
{
    struct tf_http_head head;
    struct tf_http_uri uri;
    const char *detail;
    struct tf_writer w = begin();
    assert_null(tf_http_parse_request(span_of(text), &head));
    assert_int_equal(tf_http_split_uri(head.target, "http", &uri, &detail), TF_REASON_NONE);
    struct tf_http_sides sides = {.facts = &facts, .host = head.host};
    tf_http_put_request(&w, &head, &uri, &sides, parent_login, false);
    return end(&w, strlen(text));
}

static const char *sent_for_request(const char *text)
{
    return sent_to_parent(text, NULL);
}

static const char *sent_for_response(const char *text, enum tf_http_framing framing, bool is_unframed,
                                     bool closes)
{
    struct tf_http_head head;
    struct tf_http_body body = tf_http_body_of(framing, 1);
    struct tf_writer w = begin();
    body.is_unframed = is_unframed;
    assert_null(tf_http_parse_response(span_of(text), &head));
    const struct tf_http_sides sides = {.facts = &facts};
    tf_http_put_response(&w, &head, &body, &sides, closes);
    return end(&w, strlen(text));
}

static void the_target_becomes_origin_form_and_host_the_authority(void **state)
{
    (void)state;
    assert_string_equal(
        sent_for_request("GET http://A.example:81/p?q HTTP/1.1\r\nX: 1\r\nHost: other\r\n\r\n"),
        "GET /p?q HTTP/1.1\r\nHost: A.example:81\r\nX: 1\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_request("GET http://a HTTP/1.0\r\n\r\n"),
                        "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_request("GET http://a?q HTTP/1.0\r\n\r\n"),
                        "GET /?q HTTP/1.1\r\nHost: a\r\nVia: 1.0 tlsfloor\r\n\r\n");
}

static void options_for_a_whole_server_keeps_its_star(void **state)
{
    (void)state;
    assert_string_equal(sent_for_request("OPTIONS http://a HTTP/1.1\r\n\r\n"),
                        "OPTIONS * HTTP/1.1\r\nHost: a\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_request("OPTIONS http://a/ HTTP/1.1\r\n\r\n"),
                        "OPTIONS / HTTP/1.1\r\nHost: a\r\nVia: 1.1 tlsfloor\r\n\r\n");
}

static void a_parent_gets_absolute_form(void **state)
{
    (void)state;
    assert_string_equal(sent_to_parent("GET http://a:81/p?q HTTP/1.1\r\nHost: other\r\nX: 1\r\n\r\n", ""),
                        "GET http://a:81/p?q HTTP/1.1\r\nHost: a:81\r\nX: 1\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_to_parent("GET http://a HTTP/1.0\r\n\r\n", ""),
                        "GET http://a/ HTTP/1.1\r\nHost: a\r\nVia: 1.0 tlsfloor\r\n\r\n");
    assert_string_equal(sent_to_parent("GET http://a?q HTTP/1.0\r\n\r\n", ""),
                        "GET http://a/?q HTTP/1.1\r\nHost: a\r\nVia: 1.0 tlsfloor\r\n\r\n");
    assert_string_equal(sent_to_parent("OPTIONS http://a HTTP/1.1\r\n\r\n", ""),
                        "OPTIONS http://a HTTP/1.1\r\nHost: a\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_to_parent("OPTIONS http://a/ HTTP/1.1\r\n\r\n", ""),
                        "OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\nVia: 1.1 tlsfloor\r\n\r\n");
}

static void a_parent_gets_our_login_and_never_the_clients(void **state)
{
    static const char request[] =
        "GET http://a/ HTTP/1.1\r\nProxy-Authorization: Basic Y2xpZW50\r\nX: 1\r\n\r\n";
    (void)state;
    assert_string_equal(sent_to_parent(request, "dXM6dXM="),
                        "GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic dXM6dXM=\r\nX: 1\r\n"
                        "Via: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_to_parent(request, ""),
                        "GET http://a/ HTTP/1.1\r\nHost: a\r\nX: 1\r\nVia: 1.1 tlsfloor\r\n\r\n");
}

static void fields_for_one_connection_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(
        sent_for_request(
            "GET http://a/ HTTP/1.1\r\n"
            "Connection: keep-alive, X-Private\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n"
            "proxy-authorization: Basic c2VjcmV0\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\n"
            "x-private: 1\r\nX-Public: 2\r\nCookie: c\r\nAuthorization: Basic b3JpZ2lu\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: a\r\nX-Public: 2\r\nCookie: c\r\nAuthorization: Basic b3JpZ2lu\r\n"
        "Via: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_response("HTTP/1.1 200 OK\r\nConnection: X-Private\r\nX-Private: 1\r\n"
                                          "Proxy-Authenticate: Basic\r\nKeep-Alive: 5\r\nX-Public: 2\r\n\r\n",
                                          TF_HTTP_UNTIL_CLOSE, false, true),
                        "HTTP/1.1 200 OK\r\nX-Public: 2\r\nConnection: close\r\nVia: 1.1 tlsfloor\r\n\r\n");
}

static void connection_cannot_name_framing_host_or_what_stops_loops(void **state)
{
    (void)state;
    assert_string_equal(
        sent_for_request("OPTIONS http://a/ HTTP/1.1\r\nVia: 1.1 b\r\nHost: a\r\nContent-Length: 3\r\n"
                         "Max-Forwards: 5\r\nConnection: Via, Host, Content-Length, Max-Forwards\r\n\r\n"),
        "OPTIONS / HTTP/1.1\r\nHost: a\r\nVia: 1.1 b\r\nMax-Forwards: 4\r\nContent-Length: 3\r\n"
        "Via: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(
        sent_for_request("POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nMax-Forwards: 5\r\n"
                         "Connection: transfer-encoding, max-forwards\r\n\r\n"),
        "POST / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\nTransfer-Encoding: chunked\r\nVia: 1.1 "
        "tlsfloor\r\n\r\n");
}

static void framing_is_written_anew(void **state)
{
    (void)state;
    assert_string_equal(
        sent_for_request("POST http://a/ HTTP/1.1\r\ncontent-length:\t0012 \r\nX: y\r\n\r\n"),
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 12\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_response("HTTP/1.1 200 OK\r\nTRANSFER-ENCODING:\tCHUNKED\r\n\r\n",
                                          TF_HTTP_CHUNKED, false, false),
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                          TF_HTTP_CHUNKED, true, true),
                        "HTTP/1.1 200 OK\r\nConnection: close\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(
        sent_for_response("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", TF_HTTP_LENGTH, false, false),
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nVia: 1.0 tlsfloor\r\n\r\n");
}

static void a_length_without_a_body_stays_where_it_means_something(void **state)
{
    (void)state;
    assert_string_equal(sent_for_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
                                          TF_HTTP_EMPTY, false, false),
                        "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(
        sent_for_response("HTTP/1.1 204\r\nContent-Length: 3\r\n\r\n", TF_HTTP_EMPTY, false, false),
        "HTTP/1.1 204 \r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_response("HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n",
                                          TF_HTTP_EMPTY, false, false),
                        "HTTP/1.1 103 Early Hints\r\nVia: 1.1 tlsfloor\r\n\r\n");
}

static void max_forwards_counts_for_options_and_trace_alone(void **state)
{
    (void)state;
    struct tf_http_head head;
    assert_string_equal(sent_for_request("TRACE http://a/ HTTP/1.1\r\nMax-Forwards: 10\r\n\r\n"),
                        "TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 9\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_string_equal(sent_for_request("GET http://a/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n"),
                        "GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nVia: 1.1 tlsfloor\r\n\r\n");
    assert_null(tf_http_parse_request(span_of("TRACE http://a/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n"), &head));
    assert_true(tf_http_is_last_hop(&head));
    assert_null(tf_http_parse_request(span_of("OPTIONS http://a/ HTTP/1.1\r\n\r\n"), &head));
    assert_false(tf_http_is_last_hop(&head));
    assert_null(tf_http_parse_request(span_of("GET http://a/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n"), &head));
    assert_false(tf_http_is_last_hop(&head));
}

static void expect_passes_unless_the_client_is_too_old_for_it(void **state)
{
    (void)state;
    assert_non_null(
        strstr(sent_for_request("PUT http://a/ HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"), "Expect"));
    assert_null(strstr(sent_for_request("PUT http://a/ HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), "Expect"));
}

static void a_head_grows_by_no_more_than_it_may(void **state)
{
    (void)state;
    sent_for_request("POST http://a HTTP/1.0\r\nContent-Length:1\r\n\r\n");
    sent_for_request("TRACE http://a?b HTTP/1.1\r\nContent-Length:1\r\nMax-Forwards:1\r\n\r\n");
    sent_for_request("POST http://a HTTP/1.1\r\nTransfer-Encoding:chunked\r\n\r\n");
    sent_for_response("HTTP/1.1 200\r\nContent-Length:1\r\n\r\n", TF_HTTP_LENGTH, false, true);
    sent_for_response("HTTP/1.1 200\r\nTransfer-Encoding:chunked\r\n\r\n", TF_HTTP_CHUNKED, false, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_becomes_origin_form_and_host_the_authority),
        cmocka_unit_test(options_for_a_whole_server_keeps_its_star),
        cmocka_unit_test(a_parent_gets_absolute_form),
        cmocka_unit_test(a_parent_gets_our_login_and_never_the_clients),
        cmocka_unit_test(fields_for_one_connection_are_dropped),
        cmocka_unit_test(connection_cannot_name_framing_host_or_what_stops_loops),
        cmocka_unit_test(framing_is_written_anew),
        cmocka_unit_test(a_length_without_a_body_stays_where_it_means_something),
        cmocka_unit_test(max_forwards_counts_for_options_and_trace_alone),
        cmocka_unit_test(expect_passes_unless_the_client_is_too_old_for_it),
        cmocka_unit_test(a_head_grows_by_no_more_than_it_may),
    };
    return cmocka_run_group_tests_name("http_forward", tests, NULL, NULL);
}
