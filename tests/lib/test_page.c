/* page.c: a refusal in HTTP is well formed and readable, and quotes what others said. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/page.h"
#include "../../lib/policy.h"
#include <stdlib.h>
#include <string.h>

static char response[TF_PAGE_MAX + 1];

/* The response as text. */
static const char *refuse(const struct tf_facts *facts)
{
    struct tf_writer w = tf_writer_of(response, TF_PAGE_MAX);
    tf_put_http_refusal(&w, facts);
    assert_false(w.full);
    response[w.len] = '\0';
    return response;
}

static struct tf_facts blocked(const char *host)
{
    struct tf_facts facts = {.reason = TF_REASON_DESTINATION_DENIED, .has_target = true};
    size_t n = strlen(host);
    memcpy(facts.target.host, host, n < TF_HOST_MAX ? n : TF_HOST_MAX - 1);
    facts.target.port = 443;
    return facts;
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void the_head_is_what_a_proxy_says(void **state)
{
    (void)state;
    struct tf_facts facts = blocked("intranet.example");
    const char *text = refuse(&facts);
    assert_memory_equal(text, "HTTP/1.1 403 Forbidden\r\n", 24);
    assert_contains(text, "\r\nContent-Type: text/html; charset=utf-8\r\n");
    assert_contains(text, "\r\nConnection: close\r\n");
    assert_contains(text, "\r\nCache-Control: no-store\r\n");
    assert_contains(text, "\r\nX-Content-Type-Options: nosniff\r\n");
    assert_contains(text, "\r\nProxy-Status: tlsfloor; error=destination_ip_prohibited; "
                          "details=\"the destination's address is not in [access] destination\"\r\n");
}

static void the_body_is_as_long_as_the_head_says(void **state)
{
    (void)state;
    for (int r = TF_REASON_NONE + 1; r < TF_REASON_COUNT; r++) {
        struct tf_facts facts = blocked("intranet.example");
        facts.reason = (enum tf_reason)r;
        const char *text = refuse(&facts);
        const char *body = strstr(text, "\r\n\r\n");
        assert_non_null(body);
        size_t length = strtoul(strstr(text, "Content-Length: ") + strlen("Content-Length: "), NULL, 10);
        assert_int_equal(strlen(body + 4), length);
        assert_true(strlen(text) < 2048);
    }
}

static void every_status_has_its_phrase(void **state)
{
    (void)state;
    for (int r = TF_REASON_NONE + 1; r < TF_REASON_COUNT; r++) {
        struct tf_facts facts = {.reason = (enum tf_reason)r};
        assert_null(strstr(refuse(&facts), "Refused"));
    }
}

static void the_page_says_why_where_what_to_do_and_the_code(void **state)
{
    (void)state;
    struct tf_facts facts = blocked("intranet.example");
    facts.detail = "10.1.2.3 is private";
    const char *text = refuse(&facts);
    assert_contains(text, "<!DOCTYPE html>");
    assert_contains(text, "the destination&#39;s address is not in [access] destination");
    assert_contains(text, "<dd>10.1.2.3 is private</dd>");
    assert_contains(text, "<dd>intranet.example:443</dd>");
    assert_contains(text, "add the address&#39;s network");
    assert_contains(text, "<dd>destination-denied</dd>");
    assert_contains(text, "destination: 10.1.2.3 is private\"\r\n");
}

static void an_ipv6_destination_stands_in_brackets(void **state)
{
    (void)state;
    struct tf_facts facts = blocked("2001:db8::1");
    facts.target.is_address = true;
    facts.target.addr.family = TF_FAMILY_V6;
    assert_contains(refuse(&facts), "<dd>[2001:db8::1]:443</dd>");
}

static void a_rule_is_named_with_its_owner(void **state)
{
    (void)state;
    struct tf_rule rule = {.name = "old <printers>", .owner = "print team", .ticket = ""};
    struct tf_facts facts = blocked("mail.example");
    facts.reason = TF_REASON_RULE_BLOCK;
    facts.rule = &rule;
    const char *text = refuse(&facts);
    assert_contains(text, "<dd>old &#60;printers&#62;</dd>");
    assert_contains(text, "<dd>print team</dd>");
    assert_null(strstr(text, "ticket"));
}

static void the_company_has_its_say_where_a_rule_wants_it(void **state)
{
    (void)state;
    struct tf_page words = {"We <3 TLS.", "J\xc3\xbcrgen", "https://help.example/?a&b"};
    struct tf_facts facts = blocked("mail.example");
    assert_null(strstr(refuse(&facts), "Whom to ask"));
    facts.page = &words;
    const char *text = refuse(&facts);
    assert_contains(text, "<dd>We &#60;3 TLS.</dd>");
    assert_contains(text, "<dt>Whom to ask</dt><dd>J&#252;rgen</dd>");
    assert_contains(text, "<dd>https://help.example/?a&#38;b</dd>");
}

static void nothing_that_a_peer_said_is_markup(void **state)
{
    (void)state;
    struct tf_facts facts = blocked("<script>&\"'\x1b\x80");
    const char *text = refuse(&facts);
    assert_null(strstr(text, "<script>"));
    assert_contains(text, "<dd>&#60;script&#62;&#38;&#34;&#39;??:443</dd>");
}

static void details_are_an_sf_string(void **state)
{
    (void)state;
    struct tf_facts facts = blocked("a.example");
    facts.detail = "a \"b\" \\ c\r\nX: y";
    assert_contains(refuse(&facts), "destination: a \\\"b\\\" \\\\ c??X: y\"\r\n");
}

static void http_on_a_tls_port_is_a_bad_request(void **state)
{
    (void)state;
    struct tf_facts facts = {.reason = TF_REASON_CLIENT_NOT_TLS};
    assert_memory_equal(refuse(&facts), "HTTP/1.1 403 ", 13);
    facts.looks_like_http = true;
    assert_memory_equal(refuse(&facts), "HTTP/1.1 400 Bad Request\r\n", 26);
}

/* Whatever the facts, TF_PAGE_MAX holds the response. */
static void who_has_to_log_in_is_told_how(void **state)
{
    (void)state;
    static const enum tf_reason reasons[] = {TF_REASON_LOGIN_REQUIRED, TF_REASON_LOGIN_FAILED};
    for (size_t i = 0; i < 2; i++) {
        struct tf_facts facts = {.reason = reasons[i]};
        const char *text = refuse(&facts);
        assert_memory_equal(text, "HTTP/1.1 407 Proxy Authentication Required\r\n", 44);
        assert_contains(text, "\r\nProxy-Authenticate: Basic realm=\"tlsfloor\", charset=\"UTF-8\"\r\n");
    }
    struct tf_facts facts = blocked("a.example");
    assert_null(strstr(refuse(&facts), "Proxy-Authenticate"));
}

static void the_worst_texts_still_fit(void **state)
{
    (void)state;
    char long_text[2000];
    memset(long_text, '"', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    struct tf_rule rule = {.name = long_text, .owner = long_text, .ticket = long_text};
    struct tf_facts facts = blocked(long_text);
    facts.detail = long_text;
    facts.rule = &rule;
    facts.page = &(struct tf_page){long_text, long_text, long_text};
    facts.target.port = 65535;
    facts.target.is_address = true;
    facts.target.addr.family = TF_FAMILY_V6;
    for (int r = TF_REASON_NONE + 1; r < TF_REASON_COUNT; r++) {
        facts.reason = (enum tf_reason)r;
        refuse(&facts);
    }
}

static void without_room_nothing_is_written(void **state)
{
    (void)state;
    struct tf_facts facts = blocked("a.example");
    size_t whole = strlen(refuse(&facts));
    struct tf_writer w = tf_writer_of(response, whole - 1);
    tf_put_http_refusal(&w, &facts);
    assert_true(w.full);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_what_a_proxy_says),
        cmocka_unit_test(the_body_is_as_long_as_the_head_says),
        cmocka_unit_test(every_status_has_its_phrase),
        cmocka_unit_test(the_page_says_why_where_what_to_do_and_the_code),
        cmocka_unit_test(an_ipv6_destination_stands_in_brackets),
        cmocka_unit_test(a_rule_is_named_with_its_owner),
        cmocka_unit_test(the_company_has_its_say_where_a_rule_wants_it),
        cmocka_unit_test(nothing_that_a_peer_said_is_markup),
        cmocka_unit_test(details_are_an_sf_string),
        cmocka_unit_test(http_on_a_tls_port_is_a_bad_request),
        cmocka_unit_test(who_has_to_log_in_is_told_how),
        cmocka_unit_test(the_worst_texts_still_fit),
        cmocka_unit_test(without_room_nothing_is_written),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
