/* front_http.c as plays, where clients have to log in, and where plain requests go to a parent proxy. See
 * http_stage.h. */
#include "http_stage.h"

#define RIGHT             "Proxy-Authorization: Basic YW5uYTpyaWdodA==\r\n" /* anna:right */
#define WRONG             "Proxy-Authorization: Basic YW5uYTp3cm9uZw==\r\n" /* anna:wrong */
#define GET_BY(login)     "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n" login "\r\n"
#define CONNECT_BY(login) "CONNECT a.example:443 HTTP/1.1\r\n" login "\r\n"
#define SENT_GET          "GET / HTTP/1.1\r\nHost: a.example\r\nVia: 1.1 tlsfloor\r\n\r\n"
#define OK_2              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define SENT_OK_2         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 tlsfloor\r\n\r\nhi"
#define STANDS            "HTTP/1.1 200 Connection established\r\n\r\n"

/* clang-format off */
static const struct play logins[] = {
    {"who_logs_in_is_served_and_the_server_sees_nothing_of_it",
     {{CLIENT, GET_BY(RIGHT)}, {SERVER, OK_2}},
     SENT_GET, SENT_OK_2, "login anna, http a.example:80, again", ""},
    {"who_logs_in_gets_a_tunnel",
     {{CLIENT, CONNECT_BY(RIGHT) "\x16\x03\x01"}},
     "", STANDS, "login anna, tunnel a.example:443", "\x16\x03\x01"},
    {"the_scheme_is_basic_in_any_case_and_blanks_may_follow_it",
     {{CLIENT, CONNECT_BY("PROXY-authorization:  bAsIc   YW5uYTpyaWdodA== \r\n")}},
     "", STANDS, "login anna, tunnel a.example:443", ""},
    {"every_request_of_a_connection_logs_in",
     {{CLIENT, GET_BY(RIGHT)}, {SERVER, OK_2}, {CLIENT, GET_BY(RIGHT)}, {SERVER, OK_2}, {CLIENT, GET_BY("")}},
     SENT_GET SENT_GET, SENT_OK_2 SENT_OK_2,
     "login anna, http a.example:80, again, login anna, http a.example:80, again, bad login-required 407", NULL},
    {"a_request_without_a_login_is_refused",
     {{CLIENT, GET_BY("")}},
     "", "", "bad login-required 407", NULL},
    {"a_tunnel_without_a_login_is_refused",
     {{CLIENT, CONNECT_BY("")}},
     "", "", "bad login-required 407", NULL},
    {"an_empty_login_is_none",
     {{CLIENT, GET_BY("Proxy-Authorization:\r\n")}},
     "", "", "bad login-required 407", NULL},
    {"a_login_for_the_server_is_none_for_us",
     {{CLIENT, GET_BY("Authorization: Basic YW5uYTpyaWdodA==\r\n")}},
     "", "", "bad login-required 407", NULL},
    {"other_schemes_are_refused",
     {{CLIENT, GET_BY("Proxy-Authorization: Negotiate YII=\r\n")}},
     "", "", "bad login-required 407", NULL},
    {"a_scheme_that_only_begins_like_ours_is_another",
     {{CLIENT, GET_BY("Proxy-Authorization: Basically YW5uYTpyaWdodA==\r\n")}},
     "", "", "bad login-required 407", NULL},
    {"a_wrong_password_is_refused",
     {{CLIENT, GET_BY(WRONG)}},
     "", "", "login anna, bad login-failed 407", NULL},
    {"a_wrong_password_for_a_tunnel_is_refused",
     {{CLIENT, CONNECT_BY(WRONG)}},
     "", "", "login anna, bad login-failed 407", NULL},
    {"of_two_logins_the_first_counts",
     {{CLIENT, GET_BY(WRONG RIGHT)}},
     "", "", "login anna, bad login-failed 407", NULL},
    {"a_login_that_cannot_be_read_is_refused",
     {{CLIENT, GET_BY("Proxy-Authorization: Basic anna:right\r\n")}},
     "", "", "bad login-failed 407", NULL},
    {"who_has_logged_in_may_still_be_refused",
     {{CLIENT, "GET / HTTP/1.1\r\nHost: a\r\n" RIGHT "\r\n"}},
     "", "", "login anna, bad request-not-for-a-proxy 400", NULL},
    {"a_body_waits_until_its_request_has_logged_in",
     {{CLIENT, "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n" RIGHT "\r\nhello"},
      {SERVER, OK_2}},
     "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nVia: 1.1 tlsfloor\r\n\r\nhello", SENT_OK_2,
     "login anna, http a.example:80, again", ""},
};

static const struct play parents[] = {
    {"a_parent_gets_the_whole_address_and_our_login",
     {{CLIENT, GET_BY(RIGHT)}, {SERVER, OK_2}},
     "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nProxy-Authorization: Basic dXM6dXM=\r\n"
     "Via: 1.1 tlsfloor\r\n\r\n",
     SENT_OK_2, "http a.example:80, again", ""},
    {"a_parent_gets_the_address_as_we_have_read_it",
     {{CLIENT, "GET http://A.Example.:0080/ HTTP/1.1\r\nHost: b\r\n\r\n"}, {SERVER, OK_2}},
     "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nProxy-Authorization: Basic dXM6dXM=\r\n"
     "Via: 1.1 tlsfloor\r\n\r\n",
     SENT_OK_2, "http a.example:80, again", ""},
    {"a_parent_that_does_not_know_us_is_not_the_clients_business",
     {{CLIENT, GET_BY("")}, {SERVER, "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"}},
     "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nProxy-Authorization: Basic dXM6dXM=\r\n"
     "Via: 1.1 tlsfloor\r\n\r\n",
     "", "http a.example:80, bad parent-login 502", ""},
};

static const struct play beyond[] = {
    {"what_is_upgraded_is_not_the_parents_to_read",
     {{CLIENT, GET_BY("")}, {SERVER, OK_2}},
     SENT_GET, SENT_OK_2, "http a.example:80, again", ""},
    {"a_server_behind_a_tunnel_may_say_407",
     {{CLIENT, GET_BY("")}, {SERVER, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nhi"}},
     SENT_GET, "HTTP/1.1 407 No\r\nContent-Length: 2\r\nVia: 1.1 tlsfloor\r\n\r\nhi", "http a.example:80, again", ""},
};

static const struct play forwards[] = {
    {"a_path_becomes_an_address_for_the_parent",
     {{CLIENT, "GET /x HTTP/1.1\r\nHost: gate\r\n\r\n"}, {SERVER, OK_2}},
     "GET http://mail.example/x HTTP/1.1\r\nHost: mail.example\r\nVia: 1.1 tlsfloor\r\n\r\n", SENT_OK_2,
     "http mail.example:80, again", ""},
    {"a_question_for_a_whole_server_has_no_path",
     {{CLIENT, "OPTIONS * HTTP/1.1\r\nHost: gate\r\n\r\n"}, {SERVER, OK_2}},
     "OPTIONS http://mail.example HTTP/1.1\r\nHost: mail.example\r\nVia: 1.1 tlsfloor\r\n\r\n", SENT_OK_2,
     "http mail.example:80, again", ""},
};
/* clang-format on */

static void run_login(void **state)
{
    perform_all(*state, &(struct scene){.wants_login = true});
}

static void run_parent(void **state)
{
    perform_all(*state, &(struct scene){.parent_login = "dXM6dXM="});
}

static void run_upgraded(void **state)
{
    perform_all(*state, &(struct scene){.is_upgraded = true, .parent_login = "dXM6dXM="});
}

static void run_forward(void **state)
{
    perform_all(*state, &(struct scene){.is_forward = true, .parent_login = ""});
}

/* answer asserts that it does. */
static void the_longest_login_fits_the_room_that_is_promised(void **state)
{
    (void)state;
    static const char request[] = "OPTIONS * HTTP/1.0\r\n\r\n";
    static char out[sizeof request - 1 + TF_HTTP_HEAD_GROWTH], login[TF_BASE64_SIZE(2 * TF_USER_MAX) + 1];
    static struct stage stage;
    struct tf_target longest = {.port = 65535};
    memset(longest.host, 'x', TF_HOST_MAX - 1);
    memset(login, 'A', sizeof login - 1);
    struct tf_writer to_client = tf_writer_of(NULL, 0), to_server = tf_writer_of(out, sizeof out);
    struct tf_feed_io io = {.in = {(const uint8_t *)request, sizeof request - 1},
                            .to_client = &to_client,
                            .to_server = &to_server,
                            .policy = &policy,
                            .upstream = &longest,
                            .parent_login = login};
    begin(&stage, 1, false);
    assert_int_equal(tf_front_http.feed(stage.front, TF_CLIENT, &io, &stage.facts), TF_FEED_TARGET);
    tf_front_http.answer(stage.front, &io, &stage.facts);
    assert_true(to_server.len > 2 * TF_HOST_MAX + sizeof login);
    free(stage.front);
}

static size_t add(struct CMUnitTest *tests, const struct play *plays, size_t n, void (*run)(void **))
{
    for (size_t i = 0; i < n; i++)
        tests[i] =
            (struct CMUnitTest){.name = plays[i].name, .test_func = run, .initial_state = (void *)&plays[i]};
    return n;
}

int main(void)
{
    struct CMUnitTest tests[COUNT(logins) + COUNT(parents) + COUNT(beyond) + COUNT(forwards) + 1] = {
        cmocka_unit_test(the_longest_login_fits_the_room_that_is_promised)};
    size_t n = 1;
    n += add(tests + n, logins, COUNT(logins), run_login);
    n += add(tests + n, parents, COUNT(parents), run_parent);
    n += add(tests + n, beyond, COUNT(beyond), run_upgraded);
    n += add(tests + n, forwards, COUNT(forwards), run_forward);
    assert_int_equal(n, COUNT(tests));
    return cmocka_run_group_tests_name("front_http, logins and parents", tests, NULL, NULL);
}
