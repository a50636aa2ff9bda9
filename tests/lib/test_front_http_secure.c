/* front_http.c as plays where the two sides name the same place differently: requests whose server is spoken
 * to in TLS, and listeners that stand in the place of a server. See http_stage.h. */
#include "http_stage.h"

#define VIA       "Via: 1.1 tlsfloor\r\n\r\n"
#define GET       "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define SENT_GET  "GET / HTTP/1.1\r\nHost: a.example\r\n" VIA
#define OK_2      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define SENT_OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" VIA "hi"

#define WEBSOCKET                                                                                            \
    "GET http://a.example/w HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, upgrade\r\nUpgrade: "     \
    "WebSocket\r\n"                                                                                          \
    "Sec-WebSocket-Key: x\r\nOrigin: http://a.example\r\n\r\n"
#define SENT_WEBSOCKET                                                                                       \
    "GET /w HTTP/1.1\r\nHost: a.example\r\nSec-WebSocket-Key: x\r\nOrigin: https://a.example\r\n"            \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n" VIA
#define SWITCH                                                                                               \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "                                 \
    "Upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n"
#define SENT_SWITCH                                                                                          \
    "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\nConnection: Upgrade\r\nUpgrade: "        \
    "websocket\r\n" VIA

/* Three or four lines a play. */
/* clang-format off */
static const struct {
    enum { PLAIN, UPGRADED, FORWARD, FORWARD_UPGRADED } kind;
    struct play play;
} plays[] = {
    /* a proxy's */
    {UPGRADED,
     {"an_upgraded_request_names_the_host_as_https_does",
      {{CLIENT, "GET http://A.Example.:80/p HTTP/1.1\r\nHost: A.Example:80\r\n\r\n"}, {SERVER, OK_2}},
      "GET /p HTTP/1.1\r\nHost: a.example\r\n" VIA, SENT_OK_2, "http a.example:80, again", ""}},
    {UPGRADED,
     {"a_port_of_its_own_is_kept",
      {{CLIENT, "GET http://[2001:DB8::1]:8080/p HTTP/1.1\r\nHost: x\r\n\r\n"}, {SERVER, OK_2}},
      "GET /p HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n" VIA, SENT_OK_2, "http 2001:db8::1:8080, again", ""}},
    {UPGRADED,
     {"what_belongs_to_https_is_translated_both_ways",
      {{CLIENT, "POST http://a.example/p HTTP/1.1\r\nHost: a.example\r\nOrigin: http://a.example\r\n"
                "Upgrade-Insecure-Requests: 1\r\nContent-Length: 0\r\n\r\n"},
       {SERVER, "HTTP/1.1 302 Found\r\nLocation: https://a.example/q\r\nStrict-Transport-Security: max-age=9\r\n"
                "Set-Cookie: s=1; Secure; HttpOnly\r\nContent-Length: 0\r\n\r\n"},
       {CLIENT, GET}, {SERVER, OK_2}},
      "POST /p HTTP/1.1\r\nHost: a.example\r\nOrigin: https://a.example\r\nContent-Length: 0\r\n" VIA SENT_GET,
      "HTTP/1.1 302 Found\r\nLocation: http://a.example/q\r\nSet-Cookie: s=1; HttpOnly\r\nContent-Length: 0\r\n" VIA
      SENT_OK_2, "http a.example:80, again, http a.example:80, again", ""}},
    {PLAIN,
     {"a_plain_exchange_is_not_translated",
      {{CLIENT, "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nOrigin: http://b.up.example\r\n\r\n"},
       {SERVER, "HTTP/1.1 200 OK\r\nLocation: https://b.up.example/q\r\nSet-Cookie: s=1; Secure\r\n"
                "Content-Length: 0\r\n\r\n"}},
      "GET / HTTP/1.1\r\nHost: a.example\r\nOrigin: http://b.up.example\r\n" VIA,
      "HTTP/1.1 200 OK\r\nLocation: https://b.up.example/q\r\nSet-Cookie: s=1; Secure\r\nContent-Length: 0\r\n" VIA,
      "http a.example:80, again", ""}},

    /* WebSockets */
    {UPGRADED,
     {"a_websocket_is_asked_for_and_then_the_bytes_are_its",
      {{CLIENT, WEBSOCKET}, {SERVER, SWITCH}},
      SENT_WEBSOCKET, SENT_SWITCH, "http a.example:80, switch", ""}},
    {UPGRADED,
     {"a_server_may_decline_a_websocket",
      {{CLIENT, WEBSOCKET GET}, {SERVER, OK_2}, {SERVER, OK_2}},
      SENT_WEBSOCKET SENT_GET, SENT_OK_2 SENT_OK_2, "http a.example:80, again, http a.example:80, again", ""}},
    {PLAIN,
     {"no_websocket_is_asked_for_in_plain",
      {{CLIENT, WEBSOCKET}, {SERVER, SWITCH}},
      "GET /w HTTP/1.1\r\nHost: a.example\r\nSec-WebSocket-Key: x\r\nOrigin: http://a.example\r\n" VIA, "",
      "http a.example:80, bad upstream-malformed 502", ""}},
    {UPGRADED,
     {"a_server_cannot_switch_unasked",
      {{CLIENT, GET}, {SERVER, SWITCH}},
      SENT_GET, "", "http a.example:80, bad upstream-malformed 502", ""}},
    {UPGRADED,
     {"nor_to_something_else",
      {{CLIENT, WEBSOCKET}, {SERVER, "HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"}},
      SENT_WEBSOCKET, "", "http a.example:80, bad upstream-malformed 502", ""}},
    {UPGRADED,
     {"a_request_with_a_body_cannot_ask_for_a_websocket",
      {{CLIENT, "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                "Content-Length: 1\r\n\r\nx"}, {SERVER, OK_2}},
      "GET / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\n" VIA "x", SENT_OK_2, "http a.example:80, again", ""}},

    /* a listener in the place of a server */
    {FORWARD,
     {"a_path_goes_to_the_upstream",
      {{CLIENT, "GET /p?q HTTP/1.1\r\nHost: gateway:8080\r\n\r\n"}, {SERVER, OK_2}},
      "GET /p?q HTTP/1.1\r\nHost: mail.example\r\n" VIA, SENT_OK_2, "http mail.example:80, again", ""}},
    {FORWARD,
     {"an_old_client_names_no_host_at_all",
      {{CLIENT, "GET / HTTP/1.0\r\n\r\n"}, {SERVER, OK_2}},
      "GET / HTTP/1.1\r\nHost: mail.example\r\nVia: 1.0 tlsfloor\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n" VIA "hi", "http mail.example:80, close", ""}},
    {FORWARD,
     {"all_of_the_upstream_may_be_asked_about",
      {{CLIENT, "OPTIONS * HTTP/1.1\r\nHost: gateway\r\n\r\n"}, {SERVER, OK_2}},
      "OPTIONS * HTTP/1.1\r\nHost: mail.example\r\n" VIA, SENT_OK_2, "http mail.example:80, again", ""}},
    {FORWARD,
     {"the_upstream_may_be_named",
      {{CLIENT, "GET http://Mail.example/p HTTP/1.1\r\nHost: mail.example\r\n\r\n"}, {SERVER, OK_2}},
      "GET /p HTTP/1.1\r\nHost: mail.example\r\n" VIA, SENT_OK_2, "http mail.example:80, again", ""}},
    {FORWARD_UPGRADED,
     {"the_two_names_of_the_upstream_are_translated",
      {{CLIENT, "GET /p HTTP/1.1\r\nHost: gateway:8080\r\nReferer: http://gateway:8080/\r\n\r\n"},
       {SERVER, "HTTP/1.1 302 Found\r\nLocation: https://mail.example/q\r\n"
                "Set-Cookie: s=1; Domain=mail.example; Secure; Path=/\r\nContent-Length: 0\r\n\r\n"}},
      "GET /p HTTP/1.1\r\nHost: mail.example\r\nReferer: https://mail.example/\r\n" VIA,
      "HTTP/1.1 302 Found\r\nLocation: /q\r\nSet-Cookie: s=1; Path=/\r\nContent-Length: 0\r\n" VIA,
      "http mail.example:80, again", ""}},
    {FORWARD,
     {"another_server_is_misdirected",
      {{CLIENT, "GET http://other.example/ HTTP/1.1\r\nHost: mail.example\r\n\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {FORWARD,
     {"so_is_another_port",
      {{CLIENT, "GET http://mail.example:81/ HTTP/1.1\r\nHost: mail.example\r\n\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {FORWARD,
     {"so_is_a_tunnel",
      {{CLIENT, "CONNECT mail.example:443 HTTP/1.1\r\nHost: mail.example\r\n\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {FORWARD,
     {"a_path_has_no_fragment",
      {{CLIENT, "GET /a#b HTTP/1.1\r\nHost: gateway\r\n\r\n"}},
      "", "", "bad request-malformed 400", NULL}},
    {FORWARD,
     {"a_star_is_for_options_alone",
      {{CLIENT, "GET * HTTP/1.1\r\nHost: gateway\r\n\r\n"}},
      "", "", "bad request-not-for-a-proxy 400", NULL}},
    {FORWARD,
     {"a_host_field_is_wanted_all_the_same",
      {{CLIENT, "GET / HTTP/1.1\r\n\r\n"}},
      "", "", "bad request-malformed 400", NULL}},
};
/* clang-format on */

static void run_plain(void **state)
{
    perform_all(*state, &(struct scene){0});
}

static void run_upgraded(void **state)
{
    perform_all(*state, &(struct scene){.is_upgraded = true});
}

static void run_forward(void **state)
{
    perform_all(*state, &(struct scene){.is_forward = true});
}

static void run_forward_upgraded(void **state)
{
    perform_all(*state, &(struct scene){.is_upgraded = true, .is_forward = true});
}

static void (*const of_kind[])(void **) = {[PLAIN] = run_plain,
                                           [UPGRADED] = run_upgraded,
                                           [FORWARD] = run_forward,
                                           [FORWARD_UPGRADED] = run_forward_upgraded};

/* What is not a play. */

static bool is_repeatable(const char *method)
{
    static struct stage stage;
    char request[128];
    snprintf(request, sizeof request, "%s http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", method);
    begin(&stage, sizeof request, false);
    says(&stage, TF_CLIENT, request);
    assert_true(stage.is_asking);
    bool answer = tf_http_is_repeatable(stage.front);
    free(stage.front);
    return answer;
}

static void idempotent_methods_may_be_repeated_and_no_others(void **state)
{
    (void)state;
    static const char *const may[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    static const char *const must_not[] = {"POST", "PATCH", "BREW", "get", "GETS"};
    for (size_t i = 0; i < COUNT(may); i++)
        assert_true(is_repeatable(may[i]));
    for (size_t i = 0; i < COUNT(must_not); i++)
        assert_false(is_repeatable(must_not[i]));
}

/* answer asserts that it does. */
static void the_longest_upstream_fits_the_room_that_is_promised(void **state)
{
    (void)state;
    static const char request[] = "POST / HTTP/1.0\r\nOrigin:http://g\r\nReferer:http://g\r\n"
                                  "Destination:http://g\r\nHost:g\r\nContent-Length:0\r\n\r\n";
    static char out[sizeof request - 1 + TF_HTTP_HEAD_GROWTH];
    static struct stage stage;
    struct tf_target longest = {.port = 65535};
    for (size_t i = 0; i < TF_HOST_MAX - 1; i++)
        longest.host[i] = i % 64 == 63 ? '.' : 'x';
    struct tf_writer to_client = tf_writer_of(NULL, 0), to_server = tf_writer_of(out, sizeof out);
    struct tf_feed_io io = {.in = {(const uint8_t *)request, sizeof request - 1},
                            .to_client = &to_client,
                            .to_server = &to_server,
                            .policy = &policy,
                            .upstream = &longest};
    begin(&stage, 1, false);
    assert_int_equal(tf_front_http.feed(stage.front, TF_CLIENT, &io, &stage.facts), TF_FEED_TARGET);
    upgrade(&stage.facts);
    tf_front_http.answer(stage.front, &io, &stage.facts);
    assert_true(to_server.len > 4 * TF_HOST_MAX);
    free(stage.front);
}

#define OTHERS 2

int main(void)
{
    struct CMUnitTest tests[COUNT(plays) + OTHERS] = {
        cmocka_unit_test(idempotent_methods_may_be_repeated_and_no_others),
        cmocka_unit_test(the_longest_upstream_fits_the_room_that_is_promised),
    };
    for (size_t i = 0; i < COUNT(plays); i++)
        tests[OTHERS + i] = (struct CMUnitTest){.name = plays[i].play.name,
                                                .test_func = of_kind[plays[i].kind],
                                                .initial_state = (void *)&plays[i].play};
    return cmocka_run_group_tests_name("front_http, two names", tests, NULL, NULL);
}
