/* front_http.c as plays within TLS that ends here: requests for the server that the client has its TLS with;
 * and tenant restrictions, which are put into these and into plain ones. See http_stage.h. */
#include "http_stage.h"

#define ID     "11111111-2222-3333-4444-555555555555"
#define HOST   "Host: login.microsoftonline.com\r\n"
#define POLICY "sec-Restrict-Tenant-Access-Policy: " ID ":" ID "\r\n"
#define V1     "Restrict-Access-To-Tenants: a.example,b.example\r\nRestrict-Access-Context: " ID "\r\n"
#define THEIRS                                                                                               \
    "restrict-access-to-tenants: x.example\r\nRESTRICT-ACCESS-CONTEXT: x\r\nRestrict-Access-Context: y\r\n"  \
    "Sec-Restrict-Tenant-Access-Policy: z\r\n"
#define VIA       "Via: 1.1 tlsfloor\r\n\r\n"
#define GET       "GET /p HTTP/1.1\r\n" HOST "\r\n"
#define SENT_GET  "GET /p HTTP/1.1\r\n" HOST POLICY VIA
#define OK_2      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define SENT_OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" VIA "hi"
#define ASKED     "http login.microsoftonline.com:443, again"

static const struct tf_tenants v1 = {
    .version = TF_TENANTS_V1, .allowed = "a.example, b.example", .context = ID, .policy = ""};
static const struct tf_tenants v2 = {
    .version = TF_TENANTS_V2, .allowed = "", .context = "", .policy = ID ":" ID};

/* Three or four lines a play. */
/* clang-format off */
static const struct {
    enum { WITHIN, WITHIN_V1, WITHIN_OFF, PLAIN, UPGRADED, TO_PARENT } kind;
    struct play play;
} plays[] = {
    /* whose request it is */
    {WITHIN,
     {"a_path_goes_to_the_server_that_the_TLS_is_with",
      {{CLIENT, GET}, {SERVER, OK_2}}, SENT_GET, SENT_OK_2, ASKED, ""}},
    {WITHIN,
     {"its_name_may_be_spelled_in_any_way_and_with_any_port",
      {{CLIENT, "GET /p HTTP/1.1\r\nHost: Login.MicrosoftOnline.com.:8443\r\n\r\n"}, {SERVER, OK_2}},
      SENT_GET, SENT_OK_2, ASKED, ""}},
    {WITHIN,
     {"it_may_be_named_in_absolute_form",
      {{CLIENT, "GET https://login.microsoftonline.com/p HTTP/1.1\r\nHost: x\r\n\r\n"}, {SERVER, OK_2}},
      SENT_GET, SENT_OK_2, ASKED, ""}},
    {WITHIN,
     {"an_old_client_names_no_host_at_all",
      {{CLIENT, "GET /p HTTP/1.0\r\n\r\n"}, {SERVER, OK_2}},
      "GET /p HTTP/1.1\r\n" HOST POLICY "Via: 1.0 tlsfloor\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n" VIA "hi",
      "http login.microsoftonline.com:443, close", ""}},
    {WITHIN,
     {"another_host_is_misdirected",
      {{CLIENT, "GET /p HTTP/1.1\r\nHost: xlogin.microsoftonline.com\r\n\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {WITHIN,
     {"so_is_none",
      {{CLIENT, "GET /p HTTP/1.1\r\nHost:\r\n\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {WITHIN,
     {"so_is_an_address",
      {{CLIENT, "GET /p HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {WITHIN,
     {"so_is_another_host_in_absolute_form",
      {{CLIENT, "GET https://login.live.com/p HTTP/1.1\r\n" HOST "\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {WITHIN,
     {"so_is_a_plain_request",
      {{CLIENT, "GET http://login.microsoftonline.com/p HTTP/1.1\r\n" HOST "\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {WITHIN,
     {"so_is_a_tunnel",
      {{CLIENT, "CONNECT login.microsoftonline.com:443 HTTP/1.1\r\n" HOST "\r\n"}},
      "", "", "bad misdirected-request 421", NULL}},
    {WITHIN,
     {"a_host_field_is_wanted",
      {{CLIENT, "GET /p HTTP/1.1\r\n\r\n"}},
      "", "", "bad request-malformed 400", NULL}},
    {WITHIN,
     {"two_are_too_many",
      {{CLIENT, "GET /p HTTP/1.1\r\n" HOST HOST "\r\n"}},
      "", "", "bad request-malformed 400", NULL}},
    {WITHIN,
     {"TLS_within_TLS_is_no_request",
      {{CLIENT, "\x16\3\1"}},
      "", "", "bad request-malformed 400", NULL}},
    {WITHIN,
     {"nor_is_SOCKS",
      {{CLIENT, "\5\1\1"}},
      "", "", "bad request-malformed 400", NULL}},
    {WITHIN,
     {"one_request_follows_the_other",
      {{CLIENT, GET GET}, {SERVER, OK_2}, {SERVER, OK_2}},
      SENT_GET SENT_GET, SENT_OK_2 SENT_OK_2, ASKED ", " ASKED, ""}},

    /* what is said is https on both sides */
    {WITHIN,
     {"nothing_is_translated",
      {{CLIENT, "GET /p HTTP/1.1\r\n" HOST "Origin: http://b.up.example\r\nUpgrade-Insecure-Requests: 1\r\n\r\n"},
       {SERVER, "HTTP/1.1 302 Found\r\nLocation: https://b.up.example/q\r\nStrict-Transport-Security: max-age=9\r\n"
                "Set-Cookie: s=1; Domain=x.example; Secure\r\nContent-Length: 0\r\n\r\n"}},
      "GET /p HTTP/1.1\r\n" HOST "Origin: http://b.up.example\r\nUpgrade-Insecure-Requests: 1\r\n" POLICY VIA,
      "HTTP/1.1 302 Found\r\nLocation: https://b.up.example/q\r\nStrict-Transport-Security: max-age=9\r\n"
      "Set-Cookie: s=1; Domain=x.example; Secure\r\nContent-Length: 0\r\n" VIA, ASKED, ""}},
    {WITHIN,
     {"a_websocket_may_be_asked_for",
      {{CLIENT, "GET /w HTTP/1.1\r\n" HOST "Connection: upgrade, " "sec-restrict-tenant-access-policy\r\n"
                "Upgrade: websocket\r\n" THEIRS "\r\n"},
       {SERVER, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"}},
      "GET /w HTTP/1.1\r\n" HOST POLICY "Connection: Upgrade\r\nUpgrade: websocket\r\n" VIA,
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" VIA,
      "http login.microsoftonline.com:443, switch", ""}},

    /* tenant restrictions */
    {WITHIN,
     {"the_clients_own_fields_are_replaced",
      {{CLIENT, "POST /p HTTP/1.1\r\nX-A: 1\r\n" THEIRS HOST "X-B: 2\r\n" THEIRS "Content-Length: 1\r\n\r\nb"},
       {SERVER, OK_2}},
      "POST /p HTTP/1.1\r\n" HOST "X-A: 1\r\nX-B: 2\r\n" POLICY "Content-Length: 1\r\n" VIA "b", SENT_OK_2, ASKED, ""}},
    {WITHIN_V1,
     {"so_they_are_by_those_of_version_1",
      {{CLIENT, "GET /p HTTP/1.1\r\n" HOST THEIRS "\r\n"}, {SERVER, OK_2}},
      "GET /p HTTP/1.1\r\n" HOST V1 VIA, SENT_OK_2, ASKED, ""}},
    {WITHIN,
     {"trailers_cannot_bring_them_back",
      {{CLIENT, "POST /p HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n" THEIRS "\r\n"},
       {SERVER, OK_2}},
      "POST /p HTTP/1.1\r\n" HOST POLICY "Transfer-Encoding: chunked\r\n" VIA "1\r\nb\r\n0\r\n\r\n", SENT_OK_2,
      ASKED, ""}},
    {WITHIN,
     {"what_a_server_says_of_them_is_its_own_business",
      {{CLIENT, GET}, {SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nRestrict-Access-Context: q\r\n\r\n"}},
      SENT_GET, "HTTP/1.1 200 OK\r\nRestrict-Access-Context: q\r\nContent-Length: 0\r\n" VIA, ASKED, ""}},
    {WITHIN_OFF,
     {"without_restrictions_they_pass",
      {{CLIENT, "GET /p HTTP/1.1\r\n" HOST THEIRS "\r\n"}, {SERVER, OK_2}},
      "GET /p HTTP/1.1\r\n" HOST THEIRS VIA, SENT_OK_2, ASKED, ""}},
    {PLAIN,
     {"plain_requests_have_them_too",
      {{CLIENT, "GET http://login.live.com/ HTTP/1.1\r\nHost: login.live.com\r\n" THEIRS "\r\n"}, {SERVER, OK_2}},
      "GET / HTTP/1.1\r\nHost: login.live.com\r\n" POLICY VIA, SENT_OK_2, "http login.live.com:80, again", ""}},
    {UPGRADED,
     {"so_have_those_that_are_upgraded",
      {{CLIENT, "GET http://login.windows.net/ HTTP/1.1\r\n" HOST THEIRS "\r\n"}, {SERVER, OK_2}},
      "GET / HTTP/1.1\r\nHost: login.windows.net\r\n" POLICY VIA, SENT_OK_2, "http login.windows.net:80, again", ""}},
    {TO_PARENT,
     {"and_those_that_go_to_a_parent_proxy",
      {{CLIENT, "GET http://login.windows.net/ HTTP/1.1\r\n" HOST THEIRS "\r\n"}, {SERVER, OK_2}},
      "GET http://login.windows.net/ HTTP/1.1\r\nHost: login.windows.net\r\n" POLICY VIA, SENT_OK_2,
      "http login.windows.net:80, again", ""}},
    {PLAIN,
     {"other_hosts_do_not_hear_of_them",
      {{CLIENT, "GET http://sub.login.windows.net/ HTTP/1.1\r\n" HOST THEIRS "\r\n"}, {SERVER, OK_2}},
      "GET / HTTP/1.1\r\nHost: sub.login.windows.net\r\n" THEIRS VIA, SENT_OK_2,
      "http sub.login.windows.net:80, again", ""}},
};
/* clang-format on */

static void run_within(void **state)
{
    perform_all(*state, &(struct scene){.is_within = true, .tenants = &v2});
}

static void run_within_v1(void **state)
{
    perform_all(*state, &(struct scene){.is_within = true, .tenants = &v1});
}

static void run_within_off(void **state)
{
    static const struct tf_tenants off = {.allowed = "", .context = "", .policy = ""};
    perform_all(*state, &(struct scene){.is_within = true, .tenants = &off});
}

static void run_plain(void **state)
{
    perform_all(*state, &(struct scene){.tenants = &v2});
}

static void run_upgraded(void **state)
{
    perform_all(*state, &(struct scene){.is_upgraded = true, .tenants = &v2});
}

static void run_to_parent(void **state)
{
    perform_all(*state, &(struct scene){.parent_login = "", .tenants = &v2});
}

static void (*const of_kind[])(void **) = {
    [WITHIN] = run_within, [WITHIN_V1] = run_within_v1, [WITHIN_OFF] = run_within_off,
    [PLAIN] = run_plain,   [UPGRADED] = run_upgraded,   [TO_PARENT] = run_to_parent};

/* What is not a play. */

static void a_user_agent_that_is_not_said_again_stays_known(void **state)
{
    (void)state;
    static struct stage stage;
    begin(&stage, 1000, false);
    stage.scene = (struct scene){.is_within = true, .tenants = &v2};
    know_within(&stage.facts);
    strcpy(stage.facts.user_agent, "of the CONNECT");
    says(&stage, TF_CLIENT, GET);
    assert_string_equal(stage.facts.user_agent, "of the CONNECT");
    says(&stage, TF_SERVER, OK_2);
    says(&stage, TF_CLIENT, "GET / HTTP/1.1\r\n" HOST "User-Agent: within\r\n\r\n");
    assert_string_equal(stage.facts.user_agent, "within");
    free(stage.front);
}

static void who_is_connected_stays_known(void **state)
{
    (void)state;
    static struct stage stage;
    begin(&stage, 1000, false);
    stage.scene = (struct scene){.is_within = true, .tenants = &v2};
    know_within(&stage.facts);
    stage.facts.target = (struct tf_target){.host = "192.0.2.1", .port = 8443, .is_address = true};
    strcpy(stage.facts.name, sign_in.host);
    says(&stage, TF_CLIENT, GET);
    assert_string_equal(stage.facts.target.host, "192.0.2.1");
    assert_int_equal(stage.facts.target.port, 8443);
    assert_string_equal(stage.heard[TF_SERVER].p, SENT_GET);
    free(stage.front);
}

#define OTHERS 2

int main(void)
{
    struct CMUnitTest tests[COUNT(plays) + OTHERS] = {
        cmocka_unit_test(a_user_agent_that_is_not_said_again_stays_known),
        cmocka_unit_test(who_is_connected_stays_known),
    };
    for (size_t i = 0; i < COUNT(plays); i++)
        tests[OTHERS + i] = (struct CMUnitTest){.name = plays[i].play.name,
                                                .test_func = of_kind[plays[i].kind],
                                                .initial_state = (void *)&plays[i].play};
    return cmocka_run_group_tests_name("front_http, within TLS", tests, NULL, NULL);
}
