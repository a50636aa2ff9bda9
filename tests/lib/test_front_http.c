/* front_http.c as plays, of a proxy whose servers are spoken to in plain. See http_stage.h. */
#include "http_stage.h"

#define GET     "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define GET_OLD "GET http://a.example/ HTTP/1.0\r\n\r\n"
#define HEAD    "HEAD http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST    "POST http://a.example/p HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n"
#define POST_CHUNKED                                                                                         \
    "POST http://a.example/p HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SENT_GET     "GET / HTTP/1.1\r\nHost: a.example\r\nVia: 1.1 tlsfloor\r\n\r\n"
#define SENT_GET_OLD "GET / HTTP/1.1\r\nHost: a.example\r\nVia: 1.0 tlsfloor\r\n\r\n"
#define SENT_HEAD    "HEAD / HTTP/1.1\r\nHost: a.example\r\nVia: 1.1 tlsfloor\r\n\r\n"
#define SENT_POST    "POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nVia: 1.1 tlsfloor\r\n\r\n"
#define SENT_POST_CHUNKED                                                                                    \
    "POST /p HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nVia: 1.1 tlsfloor\r\n\r\n"
#define OK_2        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define SENT_OK_2   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 tlsfloor\r\n\r\nhi"
#define SENT_LAST_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nVia: 1.1 tlsfloor\r\n\r\nhi"

/* Three or four lines a play. */
/* clang-format off */
static const struct play plays[] = {
    /* CONNECT */
    {"a_tunnel_is_asked_for_and_announced",
     {{CLIENT, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"}},
     "", "HTTP/1.1 200 Connection established\r\n\r\n", "tunnel a.example:443", ""},
    {"bytes_behind_connect_are_the_tunnels",
     {{CLIENT, "CONNECT a.example:443 HTTP/1.0\r\n\r\n\x16\x03\x01hello"}},
     "", "HTTP/1.1 200 Connection established\r\n\r\n", "tunnel a.example:443", "\x16\x03\x01hello"},
    {"connect_needs_no_host_field",
     {{CLIENT, "CONNECT A.Example.:443 HTTP/1.1\r\n\r\n"}},
     "", "HTTP/1.1 200 Connection established\r\n\r\n", "tunnel a.example:443", ""},
    {"connect_to_an_ipv6_address",
     {{CLIENT, "CONNECT [2001:DB8::1]:8443 HTTP/1.1\r\n\r\n"}},
     "", "HTTP/1.1 200 Connection established\r\n\r\n", "tunnel 2001:db8::1:8443", ""},
    {"connect_may_say_that_it_has_no_body",
     {{CLIENT, "CONNECT a:1 HTTP/1.0\r\nContent-Length: 0\r\n\r\n"}},
     "", "HTTP/1.1 200 Connection established\r\n\r\n", "tunnel a:1", ""},
    {"connect_with_a_body_is_refused",
     {{CLIENT, "CONNECT a:1 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"}},
     "", "", "bad request-malformed 400", "x"},
    {"connect_with_chunks_is_refused",
     {{CLIENT, "CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}},
     "", "", "bad request-malformed 400", "0\r\n\r\n"},
    {"connect_without_a_port_is_refused",
     {{CLIENT, "CONNECT a.example HTTP/1.1\r\n\r\n"}},
     "", "", "bad host-invalid 400", ""},
    {"connect_with_user_information_is_refused",
     {{CLIENT, "CONNECT u:p@a.example:443 HTTP/1.1\r\n\r\n"}},
     "", "", "bad host-invalid 400", ""},
    {"connect_with_a_uri_is_refused",
     {{CLIENT, "CONNECT http://a.example:443/ HTTP/1.1\r\n\r\n"}},
     "", "", "bad host-invalid 400", ""},
    {"connect_is_written_in_capitals",
     {{CLIENT, "connect a.example:443 HTTP/1.1\r\n\r\n"}},
     "", "", "bad request-malformed 400", "connect a.example:443 HTTP/1.1\r\n\r\n"},

    /* requests that are refused */
    {"a_path_is_no_request_for_a_proxy",
     {{CLIENT, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"}},
     "", "", "bad request-not-for-a-proxy 400", NULL},
    {"a_star_is_no_request_for_a_proxy",
     {{CLIENT, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"}},
     "", "", "bad request-not-for-a-proxy 400", NULL},
    {"https_goes_through_connect",
     {{CLIENT, "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"}},
     "", "", "bad scheme-unsupported 501", NULL},
    {"a_bad_host_is_refused",
     {{CLIENT, "GET http://a..b/ HTTP/1.1\r\nHost: a\r\n\r\n"}},
     "", "", "bad host-invalid 400", NULL},
    {"a_uri_without_a_host_is_refused",
     {{CLIENT, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"}},
     "", "", "bad host-invalid 400", NULL},
    {"user_information_is_refused",
     {{CLIENT, "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n"}},
     "", "", "bad host-invalid 400", NULL},
    {"http_2_is_refused",
     {{CLIENT, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}},
     "", "", "bad request-malformed 400", NULL},
    {"http_1_1_needs_a_host_field",
     {{CLIENT, "GET http://a/ HTTP/1.1\r\n\r\n"}},
     "", "", "bad request-malformed 400", NULL},
    {"two_host_fields_are_refused",
     {{CLIENT, "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"}},
     "", "", "bad request-malformed 400", NULL},
    {"a_malformed_host_field_is_refused",
     {{CLIENT, "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n"}},
     "", "", "bad request-malformed 400", NULL},
    {"length_and_chunks_are_refused",
     {{CLIENT, "POST http://a/ HTTP/1.1\r\nHost: a\r\n"
               "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"}},
     "", "", "bad request-malformed 400", NULL},
    {"a_tls_hello_is_refused_at_once_and_with_an_alert",
     {{CLIENT, "\x16\x03\x01\x02"}},
     "", "", "bad tls-to-proxy ", NULL},
    {"a_socks_greeting_is_refused_at_once",
     {{CLIENT, "\x05\x01"}},
     "", "", "bad socks-to-proxy 400", NULL},
    {"a_bare_line_feed_is_refused_at_once",
     {{CLIENT, "GET http://a/ HTTP/1.1\n"}},
     "", "", "bad request-malformed 400", NULL},
    {"a_request_that_has_travelled_enough_is_refused",
     {{CLIENT, "TRACE http://a/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"}},
     "", "", "bad request-not-for-a-proxy 400", NULL},
    {"a_cut_head_is_refused",
     {{CLIENT, "GET http://a/"}, {CLIENT, NULL}},
     "", "", "bad request-cut 400", NULL},
    {"a_client_that_says_nothing_is_let_go",
     {{CLIENT, NULL}},
     "", "", "close", ""},
    {"an_empty_line_is_nothing",
     {{CLIENT, "\r\n"}, {CLIENT, NULL}},
     "", "", "close", NULL},

    /* exchanges */
    {"a_request_and_its_response",
     {{CLIENT, GET}, {SERVER, OK_2}},
     SENT_GET, SENT_OK_2, "http a.example:80, again", ""},
    {"an_empty_line_in_front_is_skipped",
     {{CLIENT, "\r\n" GET}, {SERVER, OK_2}},
     SENT_GET, SENT_OK_2, "http a.example:80, again", ""},
    {"an_unknown_method_is_sent_on",
     {{CLIENT, "BREW http://a.example:81/ HTTP/1.1\r\nHost: a\r\n\r\n"}, {SERVER, OK_2}},
     "BREW / HTTP/1.1\r\nHost: a.example:81\r\nVia: 1.1 tlsfloor\r\n\r\n", SENT_OK_2,
     "http a.example:81, again", ""},
    {"one_connection_serves_many_requests",
     {{CLIENT, GET}, {SERVER, OK_2}, {CLIENT, POST}, {CLIENT, "hello"}, {SERVER, OK_2}, {CLIENT, NULL}},
     SENT_GET SENT_POST "hello", SENT_OK_2 SENT_OK_2,
     "http a.example:80, again, http a.example:80, again, close", ""},
    {"a_second_request_waits_for_the_first_response",
     {{CLIENT, GET GET "GET"}},
     SENT_GET, "", "http a.example:80", GET "GET"},
    {"pipelined_requests_are_served_in_turn",
     {{CLIENT, POST "hello" GET}, {SERVER, OK_2}, {SERVER, OK_2}},
     SENT_POST "hello" SENT_GET, SENT_OK_2 SENT_OK_2,
     "http a.example:80, again, http a.example:80, again", ""},
    {"a_tunnel_may_follow_an_exchange",
     {{CLIENT, GET}, {SERVER, OK_2}, {CLIENT, "CONNECT b:443 HTTP/1.1\r\n\r\n"}},
     SENT_GET, SENT_OK_2 "HTTP/1.1 200 Connection established\r\n\r\n",
     "http a.example:80, again, tunnel b:443", ""},
    {"a_bad_second_request_is_refused_with_a_page",
     {{CLIENT, GET}, {SERVER, OK_2}, {CLIENT, "GET / HTTP/1.1\r\n\r\n"}},
     SENT_GET, SENT_OK_2, "http a.example:80, again, bad request-not-for-a-proxy 400", NULL},
    {"a_client_that_wants_to_close_is_told_so",
     {{CLIENT, "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"},
      {SERVER, OK_2}},
     SENT_GET, SENT_LAST_2, "http a.example:80, close", ""},
    {"a_server_that_closes_does_not_close_the_client",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"}},
     SENT_GET, SENT_OK_2, "http a.example:80, again anew", ""},
    {"an_http_1_0_server_is_not_asked_twice",
     {{CLIENT, GET}, {SERVER, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"}},
     SENT_GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.0 tlsfloor\r\n\r\nhi",
     "http a.example:80, again anew", ""},
    {"a_client_that_has_half_closed_gets_its_response",
     {{CLIENT, GET}, {CLIENT, NULL}, {SERVER, OK_2}},
     SENT_GET, SENT_OK_2, "http a.example:80, again, close", ""},

    /* bodies */
    {"a_request_body_passes_as_it_comes",
     {{CLIENT, POST "he"}, {CLIENT, "llo"}, {SERVER, OK_2}},
     SENT_POST "hello", SENT_OK_2, "http a.example:80, again", ""},
    {"a_chunked_request_is_framed_anew",
     {{CLIENT, POST_CHUNKED "005;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n"}, {SERVER, OK_2}},
     SENT_POST_CHUNKED "5\r\nhello\r\n0\r\n\r\n", SENT_OK_2, "http a.example:80, again", ""},
    {"what_is_behind_the_last_chunk_is_another_request",
     {{CLIENT, POST_CHUNKED "0\r\n\r\n" GET}, {SERVER, OK_2}, {SERVER, OK_2}},
     SENT_POST_CHUNKED "0\r\n\r\n" SENT_GET, SENT_OK_2 SENT_OK_2,
     "http a.example:80, again, http a.example:80, again", ""},
    {"a_malformed_chunk_is_refused",
     {{CLIENT, POST_CHUNKED "5\r\nhello0\r\n\r\n"}},
     SENT_POST_CHUNKED "5\r\nhello", "", "http a.example:80, bad request-malformed 400", NULL},
    {"a_cut_request_body_is_refused",
     {{CLIENT, POST "hel"}, {CLIENT, NULL}},
     SENT_POST "hel", "", "http a.example:80, bad request-cut 400", ""},
    {"a_chunked_response_is_framed_anew",
     {{CLIENT, GET},
      {SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nT: 1\r\n\r\n"}},
     SENT_GET,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 tlsfloor\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     "http a.example:80, again", ""},
    {"a_response_until_close_closes_the_client_too",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\n\r\nhi"}, {SERVER, " there"}, {SERVER, NULL}},
     SENT_GET, "HTTP/1.1 200 OK\r\nConnection: close\r\nVia: 1.1 tlsfloor\r\n\r\nhi there",
     "http a.example:80, close", ""},
    {"a_response_to_head_has_no_body",
     {{CLIENT, HEAD}, {SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"}, {CLIENT, GET},
      {SERVER, OK_2}},
     SENT_HEAD SENT_GET, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nVia: 1.1 tlsfloor\r\n\r\n" SENT_OK_2,
     "http a.example:80, again, http a.example:80, again", ""},
    {"no_content_and_not_modified_have_no_body",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 204 No Content\r\n\r\n"}, {CLIENT, GET},
      {SERVER, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"}},
     SENT_GET SENT_GET,
     "HTTP/1.1 204 No Content\r\nVia: 1.1 tlsfloor\r\n\r\n"
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nVia: 1.1 tlsfloor\r\n\r\n",
     "http a.example:80, again, http a.example:80, again", ""},

    /* interim and early responses */
    {"continue_reaches_a_client_that_waits_for_it",
     {{CLIENT, "POST http://a.example/p HTTP/1.1\r\nHost: a.example\r\n"
               "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"},
      {SERVER, "HTTP/1.1 100 Continue\r\n\r\n"}, {CLIENT, "hello"},
      {SERVER, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_2}},
     "POST /p HTTP/1.1\r\nHost: a.example\r\n"
     "Expect: 100-continue\r\nContent-Length: 5\r\nVia: 1.1 tlsfloor\r\n\r\nhello",
     "HTTP/1.1 100 Continue\r\nVia: 1.1 tlsfloor\r\n\r\n"
     "HTTP/1.1 103 Early Hints\r\nLink: x\r\nVia: 1.1 tlsfloor\r\n\r\n" SENT_OK_2,
     "http a.example:80, again", ""},
    {"a_response_before_the_request_is_whole_is_the_last",
     {{CLIENT, POST "he"}, {SERVER, OK_2}},
     SENT_POST "he", SENT_LAST_2, "http a.example:80, close", ""},
    {"a_request_goes_on_under_an_early_response",
     {{CLIENT, POST "he"}, {SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"}, {CLIENT, "llo"},
      {SERVER, "i"}},
     SENT_POST "hello", SENT_LAST_2, "http a.example:80, close", ""},
    {"nobody_switches_protocols",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}},
     SENT_GET, "", "http a.example:80, bad upstream-malformed 502", ""},

    /* HTTP/1.0 clients */
    {"an_old_client_gets_one_response",
     {{CLIENT, GET_OLD}, {SERVER, OK_2}},
     SENT_GET_OLD, SENT_LAST_2, "http a.example:80, close", ""},
    {"an_old_client_gets_no_chunks",
     {{CLIENT, GET_OLD},
      {SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n6\r\n there\r\n0\r\n\r\n"}},
     SENT_GET_OLD, "HTTP/1.1 200 OK\r\nConnection: close\r\nVia: 1.1 tlsfloor\r\n\r\nhi there",
     "http a.example:80, close", ""},
    {"an_old_client_gets_no_interim_response",
     {{CLIENT, GET_OLD}, {SERVER, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK_2}},
     SENT_GET_OLD, SENT_LAST_2, "http a.example:80, close", ""},

    /* servers that fail */
    {"a_server_that_closes_before_it_answers",
     {{CLIENT, GET}, {SERVER, NULL}},
     SENT_GET, "", "http a.example:80, bad upstream-closed 502", ""},
    {"a_server_that_closes_within_its_head",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\n"}, {SERVER, NULL}},
     SENT_GET, "", "http a.example:80, bad upstream-closed 502", ""},
    {"a_server_that_closes_after_an_interim_response",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 100 Continue\r\n\r\n"}, {SERVER, NULL}},
     SENT_GET, "HTTP/1.1 100 Continue\r\nVia: 1.1 tlsfloor\r\n\r\n",
     "http a.example:80, bad upstream-closed 502", ""},
    {"a_response_that_breaks_off_is_no_whole_one",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"}, {SERVER, NULL}},
     SENT_GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 tlsfloor\r\n\r\nh",
     "http a.example:80, close upstream-closed", ""},
    {"a_chunked_response_that_breaks_off_is_no_whole_one",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"},
      {SERVER, NULL}},
     SENT_GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 tlsfloor\r\n\r\n2\r\nhi\r\n",
     "http a.example:80, close upstream-closed", ""},
    {"a_bad_chunk_size_breaks_the_response_off",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nzz\r\n"}},
     SENT_GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 tlsfloor\r\n\r\n2\r\nhi\r\n",
     "http a.example:80, close upstream-malformed", ""},
    {"a_response_with_length_and_chunks_is_malformed",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"}},
     SENT_GET, "", "http a.example:80, bad upstream-malformed 502", ""},
    {"a_response_without_a_status_line_is_malformed",
     {{CLIENT, GET}, {SERVER, "hello\r\n\r\n"}},
     SENT_GET, "", "http a.example:80, bad upstream-malformed 502", ""},
    {"a_response_with_bare_line_feeds_is_malformed",
     {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\n"}},
     SENT_GET, "", "http a.example:80, bad upstream-malformed 502", ""},
};
/* clang-format on */

static void run_play(void **state)
{
    perform_all(*state, &(struct scene){0});
}

/* What is not a play. */

static struct stage stage;

static void what_a_server_says_unasked_ends_its_connection(void **state)
{
    (void)state;
    begin(&stage, 4096, false);
    says(&stage, TF_CLIENT, GET);
    says(&stage, TF_SERVER, OK_2 "HTTP/1.1 200 OK\r\n\r\n");
    assert_string_equal(stage.events, "http a.example:80, again anew");
    free(stage.front);
}

static void a_server_that_closes_behind_its_response_is_not_asked_again(void **state)
{
    (void)state;
    begin(&stage, 4096, false);
    says(&stage, TF_CLIENT, GET);
    append(&stage.said[TF_SERVER], OK_2, strlen(OK_2));
    says(&stage, TF_SERVER, NULL);
    assert_string_equal(stage.events, "http a.example:80, again anew");
    free(stage.front);
}

static void the_user_agent_becomes_a_fact_and_credentials_do_not(void **state)
{
    (void)state;
    begin(&stage, 4096, false);
    says(&stage, TF_CLIENT,
         "CONNECT a.example:443 HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0\r\nUser-Agent: Legacy/1.0\r\n"
         "Cookie: c2VjcmV0\r\n\r\n");
    assert_string_equal(stage.facts.user_agent, "Legacy/1.0");
    assert_null(memmem(&stage.facts, sizeof stage.facts, "c2VjcmV0", 8));
    free(stage.front);
}

static void a_long_user_agent_is_cut_and_an_old_one_forgotten(void **state)
{
    (void)state;
    char request[1024];
    snprintf(request, sizeof request,
             "GET http://a.example/ HTTP/1.1\r\nHost: a\r\nUser-Agent: %0400d\r\n\r\n", 1);
    begin(&stage, 4096, false);
    says(&stage, TF_CLIENT, request);
    assert_int_equal(strlen(stage.facts.user_agent), TF_USER_AGENT_MAX - 1);
    says(&stage, TF_SERVER, OK_2);
    says(&stage, TF_CLIENT, GET);
    assert_string_equal(stage.facts.user_agent, "");
    free(stage.front);
}

static void a_refusal_is_a_page(void **state)
{
    (void)state;
    char page[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(page, sizeof page);
    struct tf_facts facts = {.reason = TF_REASON_PORT_DENIED};
    tf_front_http.refuse(NULL, &w, &facts);
    assert_memory_equal(page, "HTTP/1.1 403 ", 13);
    assert_non_null(memmem(page, w.len, "<html", 5));
}

static void a_refusal_of_head_has_no_content(void **state)
{
    (void)state;
    char page[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(page, sizeof page);
    begin(&stage, 4096, false);
    says(&stage, TF_CLIENT, HEAD);
    stage.facts.reason = TF_REASON_DIAL_REFUSED;
    tf_front_http.refuse(stage.front, &w, &stage.facts);
    assert_memory_equal(page, "HTTP/1.1 502 ", 13);
    assert_memory_equal(page + w.len - 4, "\r\n\r\n", 4);
    assert_null(memmem(page, w.len, "<html", 5));
    free(stage.front);
}

static void nothing_is_refused_aloud_once_bytes_are_the_clients(void **state)
{
    (void)state;
    char page[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(page, sizeof page);
    static const char *const asked[] = {"CONNECT a:443 HTTP/1.1\r\n\r\n", GET};
    for (size_t i = 0; i < COUNT(asked); i++) {
        begin(&stage, 4096, false);
        says(&stage, TF_CLIENT, asked[i]);
        if (stage.is_asking)
            says(&stage, TF_SERVER, "HTTP/1.1 200 OK\r\n\r\n");
        stage.facts.reason = TF_REASON_RESET;
        tf_front_http.refuse(stage.front, &w, &stage.facts);
        assert_int_equal(w.len, 0);
        free(stage.front);
    }
}

static void a_response_head_that_fits_nowhere_is_malformed(void **state)
{
    (void)state;
    begin(&stage, 4096, false);
    says(&stage, TF_CLIENT, GET);
    char room[40];
    struct tf_writer to_client = tf_writer_of(room, sizeof room), to_server = tf_writer_of(NULL, 0);
    struct tf_feed_io io = {
        .in = {(const uint8_t *)OK_2, strlen(OK_2)}, .to_client = &to_client, .to_server = &to_server};
    assert_int_equal(tf_front_http.feed(stage.front, TF_SERVER, &io, &stage.facts), TF_FEED_BAD);
    assert_int_equal(stage.facts.reason, TF_REASON_UPSTREAM_MALFORMED);
    assert_int_equal(to_client.len, 0);
    free(stage.front);
}

static void its_state_is_small(void **state)
{
    (void)state;
    assert_true(tf_front_http.state_size <= 128);
}

#define OTHERS 9

int main(void)
{
    struct CMUnitTest tests[COUNT(plays) + OTHERS] = {
        cmocka_unit_test(what_a_server_says_unasked_ends_its_connection),
        cmocka_unit_test(a_server_that_closes_behind_its_response_is_not_asked_again),
        cmocka_unit_test(the_user_agent_becomes_a_fact_and_credentials_do_not),
        cmocka_unit_test(a_long_user_agent_is_cut_and_an_old_one_forgotten),
        cmocka_unit_test(a_refusal_is_a_page),
        cmocka_unit_test(a_refusal_of_head_has_no_content),
        cmocka_unit_test(nothing_is_refused_aloud_once_bytes_are_the_clients),
        cmocka_unit_test(a_response_head_that_fits_nowhere_is_malformed),
        cmocka_unit_test(its_state_is_small),
    };
    for (size_t i = 0; i < COUNT(plays); i++)
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = plays[i].name, .test_func = run_play, .initial_state = (void *)&plays[i]};
    return cmocka_run_group_tests_name("front_http", tests, NULL, NULL);
}
