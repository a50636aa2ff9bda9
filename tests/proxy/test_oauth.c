/* oauth.c: who gets which token, and how often the endpoint is asked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/oauth.h"
#include "token_endpoint.h"
#include <sys/stat.h>

enum { ASKERS = 8, ROUNDS = 20 };

#define YOUNG_NS UINT64_C(10000000000)

#define SECRET        "s3cr3t~value+more"
#define HEAD(flow)    "flow = " flow "\ntoken_endpoint = https://login.test/token\nclient_id = app\n"
#define CREDENTIALS   HEAD("client_credentials") "client_secret = " SECRET "\n"
#define REFRESH       HEAD("refresh_token") "scope = mail offline_access\n"
#define TOKEN(life)   "{\"token_type\": \"Bearer\", \"access_token\": \"token-1\", \"expires_in\": " life "}"
#define OTHER_TOKEN   "{\"access_token\": \"token-2\", \"expires_in\": 3600}"
#define ROTATED(next) "{\"access_token\": \"token-1\", \"expires_in\": 60, \"refresh_token\": \"" next "\"}"

/* The clock that oauth.c goes by, in place of libuv's: a test need not wait. */
static _Atomic(uint64_t) ahead_ns;

uint64_t uv_hrtime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec + ahead_ns;
}

static struct endpoint e;
static uv_loop_t uv;
static struct oauth *o;
static char path[64], error[512];

/* What one asker was told. */
struct asker {
    unsigned calls;
    bool granted;
    char text[OAUTH_TOKEN_MAX + 1];
    pthread_t thread; /* where */
};

static struct asker askers[ASKERS];

static void on_token(void *arg, const char *token, const char *why)
{
    struct asker *asker = arg;
    assert_true((token == NULL) != (why == NULL));
    asker->calls++;
    asker->granted = token != NULL;
    snprintf(asker->text, sizeof asker->text, "%s", token ? token : why);
    asker->thread = pthread_self();
}

static struct oauth_wait *start(size_t i, const char *mailbox)
{
    askers[i] = (struct asker){.calls = 0};
    struct oauth_wait *wait = oauth_start(o, &uv, &e.conf, e.tls, mailbox, on_token, &askers[i]);
    assert_non_null(wait);
    assert_int_equal(askers[i].calls, 0);
    return wait;
}

/* Asks, and stays until the answer is there. */
static const char *ask(const char *mailbox)
{
    start(0, mailbox);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(askers[0].calls, 1);
    return askers[0].text;
}

static void assert_token(const char *mailbox)
{
    const char *text = ask(mailbox);
    if (!askers[0].granted)
        fail_msg("%s", text);
    assert_string_equal(text, "token-1");
}

static void assert_refused(const char *mailbox, const char *expected)
{
    const char *text = ask(mailbox);
    assert_false(askers[0].granted);
    if (!strstr(text, expected))
        fail_msg("%s\nis not in\n%s", expected, text);
    assert_null(strstr(text, "s3cr3t"));
}

/* Takes a file into use. */
static void use(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
    struct oauth *next = oauth_load(path, o, error, sizeof error);
    if (!next)
        fail_msg("%s", error);
    oauth_unref(o);
    o = next;
}

static void a_token_is_asked_for_once_for_all_mailboxes(void **state)
{
    (void)state;
    use(CREDENTIALS);
    assert_token("a");
    assert_token("b");
    assert_token("a");
    assert_int_equal(endpoint_count(&e), 1);
}

static void a_token_is_made_new_before_it_expires(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        unsigned asked; /* for two logins */
    } rows[] = {
        {TOKEN("60"), 2}, /* a minute is kept in reserve */
        {TOKEN("-5"), 2}, /* of no use for another */
        {TOKEN("300"), 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        oauth_unref(o);
        o = NULL;
        use(CREDENTIALS);
        endpoint_say(&e, 200, rows[i].body);
        assert_token("a");
        assert_token("a");
        assert_int_equal(endpoint_count(&e), rows[i].asked);
    }
}

static void those_who_ask_at_once_wait_for_one_answer(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_hold(&e, true);
    start(0, "a");
    endpoint_await(&e, 1);
    for (size_t i = 1; i < ASKERS; i++)
        start(i, "b");
    endpoint_hold(&e, false);
    uv_run(&uv, UV_RUN_DEFAULT);
    for (size_t i = 0; i < ASKERS; i++)
        assert_true(askers[i].calls == 1 && askers[i].granted);
    assert_int_equal(endpoint_count(&e), 1);
}

static void a_refresh_token_gives_way_to_the_one_in_the_answer(void **state)
{
    (void)state;
    use(REFRESH "refresh_token = first\n");
    endpoint_say(&e, 200, ROTATED("second/2"));
    assert_token("a");
    assert_string_equal(endpoint_form(&e), "grant_type=refresh_token&client_id=app&refresh_token=first"
                                           "&scope=mail+offline_access");
    endpoint_say(&e, 200, TOKEN("60"));
    assert_token("a");
    assert_non_null(strstr(endpoint_form(&e), "&refresh_token=second%2F2&"));
    assert_token("a"); /* no other has come */
    assert_non_null(strstr(endpoint_form(&e), "&refresh_token=second%2F2&"));
}

static void mailboxes_with_a_refresh_token_have_tokens_of_their_own(void **state)
{
    (void)state;
    use(REFRESH "client_secret = " SECRET "\n[mailbox a@x]\nrefresh_token = of-a\n"
                "[mailbox b@x]\nrefresh_token = of-b\n");
    assert_token("a@x");
    assert_non_null(strstr(endpoint_form(&e), "&client_secret=s3cr3t%7Evalue%2Bmore&refresh_token=of-a&"));
    endpoint_say(&e, 200, "{\"access_token\": \"token-b\"}");
    assert_string_equal(ask("B@X"), "token-b");
    assert_non_null(strstr(endpoint_form(&e), "refresh_token=of-b"));
    assert_token("A@x");
    assert_int_equal(endpoint_count(&e), 2);
    assert_refused("c@x", "the oauth file has no refresh token for this mailbox");
    assert_int_equal(endpoint_count(&e), 0);
}

static void one_job_asks_for_all_mailboxes_that_wait(void **state)
{
    (void)state;
    use(REFRESH "[mailbox a]\nrefresh_token = of-a\n[mailbox b]\nrefresh_token = of-b\n");
    endpoint_hold(&e, true);
    start(0, "a");
    endpoint_await(&e, 1);
    start(1, "b");
    oauth_cancel(start(2, "b"));
    start(3, "a");
    endpoint_hold(&e, false);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(endpoint_count(&e), 2);
    assert_true(askers[0].granted && askers[1].granted && askers[3].granted);
    assert_int_equal(askers[2].calls, 0);
}

static void a_failure_is_remembered_for_a_while(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_say(&e, 400, "{\"error\": \"invalid_scope\"}");
    assert_refused("a", "invalid_scope");
    endpoint_say(&e, 200, TOKEN("3600"));
    assert_refused("a", "invalid_scope");
    assert_refused("b", "invalid_scope");
    assert_int_equal(endpoint_count(&e), 1);
}

static void a_token_that_is_still_good_outlives_a_failure(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_say(&e, 200, TOKEN("50"));
    assert_token("a");
    endpoint_say(&e, 503, "{\"error\": \"temporarily_unavailable\"}");
    assert_token("a");
    assert_token("a");
    assert_int_equal(endpoint_count(&e), 2);
}

static void plain_http_is_refused_when_the_file_is_read(void **state)
{
    (void)state;
    FILE *f = fopen(path, "w");
    fputs(
        "flow = client_credentials\ntoken_endpoint = http://login.test/\nclient_id = a\nclient_secret = b\n",
        f);
    fclose(f);
    assert_null(oauth_load(path, NULL, error, sizeof error));
    assert_non_null(
        strstr(error, ":2: token_endpoint: 'http://login.test/' is no URL to fetch; write https://"));
}

static void an_endpoint_out_of_reach_fails_all_who_wait(void **state)
{
    (void)state;
    use(REFRESH "[mailbox a]\nrefresh_token = of-a\n[mailbox b]\nrefresh_token = of-b\n");
    endpoint_disguise(&e, true);
    endpoint_hold(&e, true);
    start(0, "a");
    endpoint_await(&e, 1);
    start(1, "b");
    endpoint_hold(&e, false);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_true(askers[0].calls == 1 && !askers[0].granted);
    assert_true(askers[1].calls == 1 && !askers[1].granted);
    endpoint_stop(&e);
    assert_int_equal(e.connections, 1);
    use(REFRESH "refresh_token = r\n");
    assert_refused("a", "cannot connect to login.test");
}

static void who_has_cancelled_is_not_called(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_hold(&e, true);
    struct oauth_wait *first = start(0, "a");
    start(1, "a");
    endpoint_await(&e, 1);
    oauth_cancel(first);
    endpoint_hold(&e, false);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(askers[0].calls, 0);
    assert_true(askers[1].granted);
    oauth_cancel(start(0, "a")); /* whose answer is there already */
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(askers[0].calls, 0);
    assert_int_equal(endpoint_count(&e), 1);
}

static void an_answer_that_nobody_waits_for_any_more_is_kept(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_hold(&e, true);
    struct oauth_wait *wait = start(0, "a");
    endpoint_await(&e, 1);
    oauth_cancel(wait);
    endpoint_hold(&e, false);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_token("a");
    assert_int_equal(endpoint_count(&e), 1);
}

static void the_file_may_go_while_a_job_runs(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_hold(&e, true);
    start(0, "a");
    endpoint_await(&e, 1);
    oauth_unref(o);
    o = NULL;
    endpoint_hold(&e, false);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_true(askers[0].granted);
}

static void a_reload_keeps_the_tokens_of_the_same_secrets(void **state)
{
    (void)state;
    use(REFRESH "[mailbox a]\nrefresh_token = of-a\n[mailbox b]\nrefresh_token = of-b\n");
    endpoint_say(&e, 200, "{\"access_token\": \"token-1\", \"refresh_token\": \"rotated-a\"}");
    assert_token("a");
    endpoint_say(&e, 200, ROTATED("rotated-b"));
    assert_token("b");
    use(REFRESH "[mailbox c]\nrefresh_token = of-c\n[mailbox b]\nrefresh_token = of-b\n"
                "[mailbox a]\nrefresh_token = of-a\n");
    assert_int_equal(endpoint_count(&e), 2);
    assert_token("a");
    assert_int_equal(endpoint_count(&e), 0);
    assert_token("b");
    assert_non_null(strstr(endpoint_form(&e), "refresh_token=rotated-b"));
    use(REFRESH "[mailbox a]\nrefresh_token = another\n");
    assert_token("a");
    assert_non_null(strstr(endpoint_form(&e), "refresh_token=another"));
}

static void a_refused_token_is_made_new_unless_it_is_young(void **state)
{
    (void)state;
    use(REFRESH "[mailbox a]\nrefresh_token = of-a\n[mailbox b]\nrefresh_token = of-b\n");
    assert_token("a");
    assert_token("b");
    endpoint_say(&e, 200, OTHER_TOKEN);
    oauth_forget(o, "a");
    assert_token("a");
    assert_int_equal(endpoint_count(&e), 2);
    ahead_ns += YOUNG_NS;
    assert_token("a"); /* it is good for an hour, if nobody complains */
    oauth_forget(o, "A");
    assert_string_equal(ask("a"), "token-2");
    assert_non_null(strstr(endpoint_form(&e), "refresh_token=of-a"));
    assert_token("b");
    oauth_forget(o, "a");
    assert_string_equal(ask("a"), "token-2");
    assert_int_equal(endpoint_count(&e), 1);
}

static void a_refused_token_is_used_while_there_is_no_other(void **state)
{
    (void)state;
    use(CREDENTIALS);
    assert_token("a");
    ahead_ns += YOUNG_NS;
    oauth_forget(o, "a");
    endpoint_say(&e, 503, "{\"error\": \"temporarily_unavailable\"}");
    assert_token("b");
    assert_token("b");
    assert_int_equal(endpoint_count(&e), 2);
}

static void a_reload_makes_no_token_older_or_younger(void **state)
{
    (void)state;
    use(CREDENTIALS);
    assert_token("a");
    endpoint_say(&e, 200, OTHER_TOKEN);
    use(CREDENTIALS);
    oauth_forget(o, "a");
    assert_token("a");
    ahead_ns += YOUNG_NS;
    use(CREDENTIALS);
    oauth_forget(o, "a");
    assert_string_equal(ask("a"), "token-2");
}

static void a_reload_forgets_failures(void **state)
{
    (void)state;
    use(CREDENTIALS);
    endpoint_say(&e, 400, "{\"error\": \"invalid_scope\"}");
    assert_refused("a", "invalid_scope");
    use(CREDENTIALS);
    endpoint_say(&e, 200, TOKEN("3600"));
    assert_token("a");
}

/* Each in a thread with a loop of its own, a token that is of no use for another login, and now and then a
 * change of mind. */
static void *ask_in_a_loop(void *arg)
{
    struct asker *asker = arg;
    uv_loop_t own;
    uv_loop_init(&own);
    for (int i = 0; i < ROUNDS; i++) {
        unsigned calls = asker->calls;
        struct oauth_wait *wait = oauth_start(o, &own, &e.conf, e.tls, "a", on_token, asker);
        bool cancels = i % 5 == 4;
        if (cancels)
            oauth_cancel(wait);
        uv_run(&own, UV_RUN_DEFAULT);
        assert_int_equal(asker->calls, calls + !cancels);
        assert_true(asker->granted && pthread_equal(asker->thread, pthread_self()));
    }
    assert_int_equal(uv_loop_close(&own), 0);
    return NULL;
}

static void every_loop_is_answered_on_its_own_thread(void **state)
{
    (void)state;
    pthread_t threads[4];
    use(CREDENTIALS);
    endpoint_say(&e, 200, TOKEN("60"));
    memset(askers, 0, sizeof askers);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, ask_in_a_loop, &askers[i]);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(askers[i].calls, ROUNDS - ROUNDS / 5);
}

static int begin(void **state)
{
    (void)state;
    endpoint_open(&e);
    endpoint_say(&e, 200, TOKEN("3600"));
    strcpy(path, "/tmp/tlsfloor-oauth-XXXXXX");
    close(mkstemp(path));
    return uv_loop_init(&uv);
}

static int finish(void **state)
{
    (void)state;
    oauth_unref(o);
    o = NULL;
    endpoint_close(&e);
    unlink(path);
    return uv_loop_close(&uv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_asked_for_once_for_all_mailboxes),
        TEST(a_token_is_made_new_before_it_expires),
        TEST(those_who_ask_at_once_wait_for_one_answer),
        TEST(a_refresh_token_gives_way_to_the_one_in_the_answer),
        TEST(mailboxes_with_a_refresh_token_have_tokens_of_their_own),
        TEST(one_job_asks_for_all_mailboxes_that_wait),
        TEST(a_failure_is_remembered_for_a_while),
        TEST(a_token_that_is_still_good_outlives_a_failure),
        TEST(plain_http_is_refused_when_the_file_is_read),
        TEST(an_endpoint_out_of_reach_fails_all_who_wait),
        TEST(who_has_cancelled_is_not_called),
        TEST(an_answer_that_nobody_waits_for_any_more_is_kept),
        TEST(the_file_may_go_while_a_job_runs),
        TEST(a_reload_keeps_the_tokens_of_the_same_secrets),
        TEST(a_refused_token_is_made_new_unless_it_is_young),
        TEST(a_refused_token_is_used_while_there_is_no_other),
        TEST(a_reload_makes_no_token_older_or_younger),
        TEST(a_reload_forgets_failures),
        TEST(every_loop_is_answered_on_its_own_thread),
    };
    return cmocka_run_group_tests_name("oauth", tests, NULL, NULL);
}
