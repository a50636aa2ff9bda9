/* oauth_ask.c: what the endpoint is told, and what its answers come to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/oauth_ask.h"
#include "token_endpoint.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SECRET   "s3cr3t~value+more"
#define REFRESH  "s3cr3t-refresh"

static struct endpoint e;
static struct oauth_answer got;
static char why[512];
static char url[] = "https://login.test/token", client[] = "app", secret[] = SECRET,
            scope[] = "mail offline_access";

static const struct oauth_file file = {
    .endpoint = url, .client_id = client, .client_secret = secret, .scope = scope};

static enum oauth_result ask(const char *refresh_token)
{
    oauth_free_secret(got.token);
    oauth_free_secret(got.refresh_token);
    memset(why, 0, sizeof why);
    return oauth_ask(&file, refresh_token, &e.conf.tf, e.tls, &got, why, sizeof why);
}

static enum oauth_result ask_when(unsigned status, const char *body)
{
    endpoint_say(&e, status, body);
    return ask(REFRESH);
}

static void assert_why(const char *expected)
{
    if (!strstr(why, expected))
        fail_msg("%s\nis not in\n%s", expected, why);
    assert_null(strstr(why, "s3cr3t"));
    for (const char *c = why; *c != '\0'; c++)
        assert_true(*c >= ' ' && *c < 0x7f);
}

static void the_form_has_what_the_flow_wants(void **state)
{
    (void)state;
    endpoint_say(&e, 200, "{\"access_token\": \"t\"}");
    assert_int_equal(ask(NULL), OAUTH_GRANTED);
    assert_memory_equal(e.head, "POST /token HTTP/1.1\r\n", 22);
    assert_string_equal(endpoint_form(&e), "grant_type=client_credentials&client_id=app"
                                           "&client_secret=s3cr3t%7Evalue%2Bmore&scope=mail+offline_access");
    assert_int_equal(ask(REFRESH), OAUTH_GRANTED);
    assert_string_equal(endpoint_form(&e), "grant_type=refresh_token&client_id=app"
                                           "&client_secret=s3cr3t%7Evalue%2Bmore&refresh_token=s3cr3t-refresh"
                                           "&scope=mail+offline_access");
    struct oauth_file public_client = file;
    public_client.client_secret = NULL;
    oauth_free_secret(got.token);
    assert_int_equal(oauth_ask(&public_client, REFRESH, &e.conf.tf, e.tls, &got, why, sizeof why),
                     OAUTH_GRANTED);
    assert_null(strstr(endpoint_form(&e), "client_secret"));
}

static void values_of_any_length_fit_the_form(void **state)
{
    (void)state;
    static char longest[OAUTH_VALUE_MAX + 1];
    memset(longest, '%', OAUTH_VALUE_MAX);
    const struct oauth_file full = {
        .endpoint = url, .client_id = longest, .client_secret = longest, .scope = longest};
    /* More than this endpoint reads; that it was sent is all that counts. */
    assert_int_equal(oauth_ask(&full, longest, &e.conf.tf, e.tls, &got, why, sizeof why), OAUTH_UNREACHABLE);
}

static void an_answer_has_a_token_and_its_life(void **state)
{
    (void)state;
    static const struct {
        const char *expires_in;
        uint64_t life_ms;
    } rows[] = {
        {"", 3600000},
        {", \"expires_in\": 60", 60000},
        {", \"expires_in\": \"60\"", 60000},
        {", \"expires_in\": \"soon\"", 3600000},
        {", \"expires_in\": null", 3600000},
        {", \"expires_in\": -5", 1000},
        {", \"expires_in\": 999999999999", 86400000},
        {", \"expires_in\": \"18446744073709551615\"", 86400000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"token_type\": \"bearer\", \"access_token\": \"t-1\"%s}",
                 rows[i].expires_in);
        assert_int_equal(ask_when(200, body), OAUTH_GRANTED);
        assert_string_equal(got.token, "t-1");
        assert_null(got.refresh_token);
        assert_int_equal(got.life_ms, rows[i].life_ms);
    }
}

static void a_new_refresh_token_is_taken_if_it_can_be_used(void **state)
{
    (void)state;
    assert_int_equal(ask_when(200, "{\"access_token\": \"t\", \"refresh_token\": \"r/2\"}"), OAUTH_GRANTED);
    assert_string_equal(got.refresh_token, "r/2");
    assert_int_equal(ask_when(200, "{\"access_token\": \"t\", \"refresh_token\": \"r\\u0001\"}"),
                     OAUTH_GRANTED);
    assert_null(got.refresh_token);
}

static void the_endpoint_s_own_words_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *body, *expected;
    } rows[] = {
        {"{\"error\": \"invalid_client\", \"error_description\": \"AADSTS7000215: Invalid client "
         "secret.\\r\\n"
         "Trace ID: \\u0007\\u00fc\"}",
         "the token endpoint answers with HTTP status 401, invalid_client: AADSTS7000215: Invalid client "
         "secret.  Trace ID: ???"},
        {"{\"error\": \"unauthorized_client\"}", " 401, unauthorized_client"},
        {"{\"error\": \"x\", \"error_description\": \"you said " SECRET "\"}",
         ", and with words that hold a secret"},
        {"{\"error\": \"" REFRESH "\"}", ", and with words that hold a secret"},
        {"{\"error\": {}}", " 401 and nothing that says why; check the file's tenant or token_endpoint"},
        {"{\"access_token\": \"t\"}", " 401 and nothing that says why"},
        {"<html>", " 401 and nothing that says why"},
        {"", " 401 and nothing that says why"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ask_when(401, rows[i].body), OAUTH_REFUSED);
        assert_why(rows[i].expected);
    }
}

static void long_words_are_cut(void **state)
{
    (void)state;
    char body[2048];
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"error\": \"e\", \"error_description\": \"AADSTS1", 44);
    strcpy(body + sizeof body - 3, "\"}");
    assert_int_equal(ask_when(400, body), OAUTH_REFUSED);
    assert_why("AADSTS1xxxx");
    assert_true(strlen(why) < 500);
    assert_string_equal(why + strlen(why) - 4, "x...");
}

static void what_is_no_token_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "[]",
        "\"access_token\"",
        "{\"access_token\": 5}",
        "{\"access_token\": \"\"}",
        "{\"access_token\": \"a b\"}",
        "{\"access_token\": \"a\\u0001\"}",
        "{\"access_token\": \"\\u00fc\"}",
        "{\"access_token\": \"a\", \"access_token\": \"b\"}",
        "{\"access_token\": \"a\"",
        "{\"access_token\": \"a\", \"token_type\": \"mac\"}",
        "{\"access_token\": \"a\", \"token_type\": 1}",
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        assert_int_equal(ask_when(200, bodies[i]), OAUTH_REFUSED);
        assert_null(got.token);
        assert_why("the token endpoint answers with");
    }
}

static void a_token_may_be_as_long_as_allowed_and_no_longer(void **state)
{
    (void)state;
    static char body[OAUTH_TOKEN_MAX + 64];
    for (int extra = 0; extra < 2; extra++) {
        size_t n = (size_t)sprintf(body, "{\"access_token\": \"");
        memset(body + n, 't', (size_t)(OAUTH_TOKEN_MAX + extra));
        strcpy(body + n + OAUTH_TOKEN_MAX + extra, "\"}");
        assert_int_equal(ask_when(200, body), extra == 0 ? OAUTH_GRANTED : OAUTH_REFUSED);
    }
    assert_why("an access_token of 1 to 8192 visible characters");
}

static void an_endpoint_that_does_not_verify_is_told_no_secret(void **state)
{
    (void)state;
    endpoint_disguise(&e, true);
    assert_int_equal(ask_when(200, "{\"access_token\": \"t\"}"), OAUTH_UNREACHABLE);
    assert_why("the server's certificate does not verify");
    assert_int_equal(endpoint_count(&e), 0);
}

static void a_slow_endpoint_is_given_up(void **state)
{
    (void)state;
    e.conf.tf.limits.login_ms = 200;
    endpoint_hold(&e, true);
    assert_int_equal(ask(NULL), OAUTH_UNREACHABLE);
    assert_why("no answer in time");
    endpoint_hold(&e, false);
}

static int begin(void **state)
{
    (void)state;
    endpoint_open(&e);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    oauth_free_secret(got.token);
    oauth_free_secret(got.refresh_token);
    got = (struct oauth_answer){.token = NULL};
    endpoint_close(&e);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_form_has_what_the_flow_wants),
        TEST(values_of_any_length_fit_the_form),
        TEST(an_answer_has_a_token_and_its_life),
        TEST(a_new_refresh_token_is_taken_if_it_can_be_used),
        TEST(the_endpoint_s_own_words_are_told),
        TEST(long_words_are_cut),
        TEST(what_is_no_token_is_refused),
        TEST(a_token_may_be_as_long_as_allowed_and_no_longer),
        TEST(an_endpoint_that_does_not_verify_is_told_no_secret),
        TEST(a_slow_endpoint_is_given_up),
    };
    return cmocka_run_group_tests_name("oauth_ask", tests, NULL, NULL);
}
