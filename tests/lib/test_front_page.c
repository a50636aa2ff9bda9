/* front_page.c: plays of browsers that are shown a page. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/person_page.h"
#include <string.h>

static const struct tf_page words = {"", "", ""};
static const struct tf_rule rule = {.name = "people", .page = true, .owner = "", .ticket = ""};
static const struct tf_policy policy = {.floor = TF_TLS12};

/* A browser, and what it has said so far. */
static struct {
    uint64_t state[8];
    struct tf_facts facts;
    char in[1024];
    size_t n, used;
    char out[TF_PERSON_PAGE_MAX + 1];
} s;

static int begin(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    assert_true(tf_front_page.state_size <= sizeof s.state);
    s.facts = (struct tf_facts){.reason = TF_REASON_CLIENT_BELOW_FLOOR, .rule = &rule, .page = &words};
    return 0;
}

static enum tf_feed say(const char *text)
{
    struct tf_writer none = tf_writer_of(NULL, 0);
    memcpy(s.in + s.n, text, strlen(text));
    s.n += strlen(text);
    struct tf_feed_io io = {
        .in = {(const uint8_t *)s.in, s.n}, .to_client = &none, .to_server = &none, .policy = &policy};
    enum tf_feed result = tf_front_page.feed(s.state, TF_CLIENT, &io, &s.facts);
    assert_false(none.full);
    s.used = io.used;
    return result;
}

static const char *refuse(void)
{
    struct tf_writer w = tf_writer_of(s.out, TF_PERSON_PAGE_MAX);
    tf_front_page.refuse(s.state, &w, &s.facts);
    s.out[w.len] = '\0';
    return s.out;
}

static void a_whole_request_is_refused_with_the_page(void **state)
{
    (void)state;
    assert_int_equal(say("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), TF_FEED_BAD);
    assert_int_equal(s.facts.reason, TF_REASON_CLIENT_BELOW_FLOOR);
    assert_true(s.facts.is_page_shown);
    assert_int_equal(s.used, s.n);
    assert_memory_equal(refuse(), "HTTP/1.1 403 ", 13);
    assert_non_null(strstr(s.out, "</html>"));
    assert_non_null(strstr(s.out, "<b>TLS 1.2</b>"));
}

static void a_request_in_pieces_is_waited_for(void **state)
{
    static const char request[] = "\r\nPOST /x HTTP/1.0\r\nContent-Length: 9\r\n\r";
    (void)state;
    for (size_t i = 0; request[i] != '\0'; i++) {
        assert_int_equal(say((const char[]){request[i], '\0'}), TF_FEED_MORE);
        assert_int_equal(s.used, 0);
    }
    assert_string_equal(refuse(), ""); /* until then there is nothing to answer */
    assert_false(s.facts.is_page_shown);
    assert_int_equal(say("\n"), TF_FEED_BAD);
    assert_memory_equal(refuse(), "HTTP/1.1 403 ", 13);
}

static void a_body_is_left_where_it_is(void **state)
{
    (void)state;
    assert_int_equal(say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nname="), TF_FEED_BAD);
    assert_int_equal(s.n - s.used, 5);
    assert_memory_equal(refuse(), "HTTP/1.1 403 ", 13);
}

static void HEAD_is_answered_without_a_body(void **state)
{
    (void)state;
    assert_int_equal(say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), TF_FEED_BAD);
    assert_memory_equal(refuse(), "HTTP/1.1 403 ", 13);
    assert_null(strstr(s.out, "<html"));
}

static void what_is_no_request_has_no_answer(void **state)
{
    static const char *const texts[] = {"EHLO client\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "\x16\x03\x01",
                                        "GET / HTTP/1.1\r\nHost : a\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        begin(state);
        assert_int_equal(say(texts[i]), TF_FEED_BAD);
        assert_int_equal(s.facts.reason, TF_REASON_REQUEST_MALFORMED);
        assert_false(s.facts.is_page_shown);
        assert_string_equal(refuse(), "");
    }
}

static void what_a_browser_calls_itself_is_noted_once(void **state)
{
    (void)state;
    say("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: inner\r\n\r\n");
    assert_string_equal(s.facts.user_agent, "inner");
    begin(state);
    strcpy(s.facts.user_agent, "outer"); /* of the CONNECT */
    say("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: inner\r\n\r\n");
    assert_string_equal(s.facts.user_agent, "outer");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_request_is_refused_with_the_page),
        TEST(a_request_in_pieces_is_waited_for),
        TEST(a_body_is_left_where_it_is),
        TEST(HEAD_is_answered_without_a_body),
        TEST(what_is_no_request_has_no_answer),
        TEST(what_a_browser_calls_itself_is_noted_once),
    };
    return cmocka_run_group_tests_name("front_page", tests, NULL, NULL);
}
