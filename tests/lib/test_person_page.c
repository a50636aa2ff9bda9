/* person_page.c: what a person is told, and nothing that somebody else has written as markup. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/html.h"
#include "../../lib/person_page.h"
#include <stdlib.h>
#include <string.h>

#define IE8 "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)"

static char response[TF_PERSON_PAGE_MAX + 1];
static struct tf_page words;
static struct tf_rule rule;
static struct tf_facts facts;

/* A browser that is blocked, and a rule that shows it a page; no hello is known to be anybody's. */
static int begin(void **state)
{
    (void)state;
    words = (struct tf_page){"", "", ""};
    rule = (struct tf_rule){.name = "people", .page = true, .owner = "", .ticket = ""};
    facts = (struct tf_facts){.reason = TF_REASON_CLIENT_BELOW_FLOOR,
                              .verdict = TF_VERDICT_BLOCK,
                              .rule = &rule,
                              .page = &words,
                              .has_target = true,
                              .has_hello = true,
                              .started_us = INT64_C(1790000000123456)};
    assert_int_equal(tf_authority_parse("mail.example:443", 16, 0, &facts.target), TF_HOST_OK);
    assert_true(tf_addr_parse("10.1.2.3", 8, &facts.source));
    facts.source.port = 50123;
    facts.hello.legacy_version = facts.hello.max_version = TF_TLS10;
    return 0;
}

static const char *page_at(uint16_t floor, bool is_bodiless)
{
    struct tf_writer w = tf_writer_of(response, TF_PERSON_PAGE_MAX);
    tf_put_person_page(&w, &facts, floor, is_bodiless);
    assert_false(w.full);
    response[w.len] = '\0';
    return response;
}

static const char *page(void)
{
    return page_at(TF_TLS12, false);
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void the_head_keeps_the_page_out_of_caches_and_other_pages(void **state)
{
    (void)state;
    const char *text = page();
    assert_memory_equal(text, "HTTP/1.1 403 Forbidden\r\n", 24);
    assert_contains(text, "\r\nContent-Type: text/html; charset=utf-8\r\n");
    assert_contains(text, "\r\nConnection: close\r\n");
    assert_contains(text, "\r\nCache-Control: no-store\r\n");
    assert_contains(text, "\r\nX-Content-Type-Options: nosniff\r\n");
    assert_contains(text, "\r\nReferrer-Policy: no-referrer\r\n");
    assert_contains(text, "\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-");
    assert_contains(text, "frame-ancestors 'none'\r\n");
}

static void the_body_is_as_long_as_the_head_says(void **state)
{
    (void)state;
    const char *text = page(), *body = strstr(text, "\r\n\r\n") + 4;
    assert_int_equal(strlen(body), strtoul(strstr(text, "Content-Length: ") + 16, NULL, 10));
    assert_true(strlen(text) < 4096);
    assert_true(strlen(body) > 512); /* what is shorter, Internet Explorer replaces by a page of its own */
    assert_contains(body, "<html lang=\"en\">");
}

static void HEAD_gets_the_same_head_and_no_body(void **state)
{
    (void)state;
    size_t head = (size_t)(strstr(page(), "\r\n\r\n") + 4 - response);
    char whole[TF_PERSON_PAGE_MAX];
    memcpy(whole, response, head);
    assert_int_equal(strlen(page_at(TF_TLS12, true)), head);
    assert_memory_equal(response, whole, head);
}

static void it_says_what_happened(void **state)
{
    (void)state;
    assert_contains(page(), "asked for <b>mail.example</b> with <b>TLS 1.0</b>, which");
    assert_contains(page(), "lets only <b>TLS 1.2</b> and later pass.");
    facts.hello.max_version = TF_TLS12;
    assert_contains(page_at(TF_TLS13, false), "with <b>TLS 1.2</b>, which");
    assert_contains(response, "lets only <b>TLS 1.3</b> pass.");
}

static void behind_an_address_the_name_is_told(void **state)
{
    (void)state;
    facts.target.is_address = true;
    memcpy(facts.target.host, "192.0.2.1", 10);
    memcpy(facts.name, "intranet.example", 17);
    assert_contains(page(), "asked for <b>intranet.example</b> with");
    assert_contains(response, "<dd>192.0.2.1:443</dd>");
}

static void who_knows_no_hello_goes_by_the_words(void **state)
{
    (void)state;
    facts.has_hello = false;
    memcpy(facts.user_agent, IE8, sizeof IE8);
    assert_contains(page(), "Internet Explorer 8 to 10");
    assert_contains(response, "and tick Use TLS 1.2");
}

static void a_guess_is_worded_as_one(void **state)
{
    (void)state;
    memcpy(facts.user_agent, IE8, sizeof IE8); /* a hello that says nothing makes it possible only */
    assert_contains(page(), "<p>This is perhaps Internet Explorer");
}

static void of_a_client_that_is_not_known_nothing_is_said(void **state)
{
    (void)state;
    assert_contains(page(),
                    "<h2>What to do</h2>\n<p>Update your browser, or use another one, and try again.</p>");
    assert_null(strstr(response, "perhaps"));
}

/* Advice for those who run the network is none for those who do not. */
static void nobody_is_told_to_run_commands(void **state)
{
    static const char *const agents[] = {IE8,
                                         "Mozilla/5.0 (X11; Linux; rv:3.6) Gecko/20100101 Firefox/3.6",
                                         "Mozilla/5.0 (Linux; U; Android 2.3.6; de-de) AppleWebKit/533.1 "
                                         "(KHTML, like Gecko) Version/4.0 Mobile Safari/533.1",
                                         "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0; Trident/4.0)",
                                         "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)",
                                         "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"};
    (void)state;
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
        strcpy(facts.user_agent, agents[i]);
        assert_null(strstr(page(), "tlsfloor"));
        assert_contains(page(), "<p>This is perhaps ");
    }
}

static void it_says_whom_to_ask(void **state)
{
    (void)state;
    assert_contains(page(), "<h2>Whom to ask</h2>\n<p>Whoever looks after this network.</p>");
    words = (struct tf_page){"We <3 TLS", "J\xc3\xbcrgen & team", "https://help.example/?a=1&b=\"2\""};
    assert_contains(page(), "<p>We &#60;3 TLS</p>");
    assert_contains(page(), "<p>J&#252;rgen &#38; team</p>");
    assert_contains(page(),
                    "<a href=\"https://help.example/?a=1&#38;b=&#34;2&#34;\">https://help.example/?a=1&#38;");
    assert_null(strstr(page(), "Whoever"));
}

static void it_says_how_the_record_is_found(void **state)
{
    (void)state;
    rule.owner = "desktop team";
    assert_contains(page(), "<dd>2026-09-21T14:13:20.123Z</dd>");
    assert_contains(page(), "<dd>10.1.2.3:50123</dd>");
    assert_contains(page(), "<dd>mail.example:443</dd>");
    assert_contains(page(), "<dd>people</dd>");
    assert_contains(page(), "<dd>desktop team</dd>");
    assert_contains(page(), "<dd>client-below-floor</dd>");
    assert_null(strstr(page(), "ticket"));
}

static void nothing_that_a_peer_said_is_markup(void **state)
{
    (void)state;
    strcpy(facts.target.host, "<script>\"'\x1b");
    strcpy(facts.user_agent, "Mozilla/4.0 (compatible; MSIE 8.0; <script>");
    assert_null(strstr(page(), "<script"));
    assert_contains(page(), "&#60;script&#62;&#34;&#39;?");
}

static void the_worst_texts_still_fit(void **state)
{
    (void)state;
    char text[TF_PAGE_TEXT_MAX + 1], contact[TF_PAGE_CONTACT_MAX + 1], link[TF_PAGE_LINK_MAX + 1], name[2000];
    memset(text, '"', sizeof text);
    memset(contact, '"', sizeof contact);
    memset(link, '"', sizeof link);
    memset(name, '"', sizeof name);
    text[TF_PAGE_TEXT_MAX] = contact[TF_PAGE_CONTACT_MAX] = link[TF_PAGE_LINK_MAX] = name[1999] = '\0';
    words = (struct tf_page){text, contact, link};
    rule.name = rule.owner = rule.ticket = name;
    memset(facts.target.host, '"', TF_HOST_MAX - 1);
    memcpy(facts.user_agent, IE8, sizeof IE8);
    page();
    /* and none of the company's words is cut */
    assert_int_equal(strlen(strstr(response, "<p>&#34;")) > TF_PAGE_TEXT_MAX * TF_HTML_GROWTH, true);
    assert_contains(strstr(response, "<a href") + 2 * TF_PAGE_LINK_MAX * TF_HTML_GROWTH, "&#34;</a>");
}

static void without_room_nothing_is_written(void **state)
{
    (void)state;
    size_t whole = strlen(page());
    struct tf_writer w = tf_writer_of(response, whole - 1);
    tf_put_person_page(&w, &facts, TF_TLS12, false);
    assert_true(w.full);
    assert_int_equal(w.len, 0);
}

static void somebody_may_be_looking_at_a_browser(void **state)
{
    static const uint8_t http[] = "\x08http/1.1", other[] = "\x04imap";
    (void)state;
    assert_false(tf_person_is_there(&facts));
    facts.hello.alpn = (struct tf_span){other, sizeof other - 1};
    assert_false(tf_person_is_there(&facts));
    facts.hello.alpn = (struct tf_span){http, sizeof http - 1};
    assert_true(tf_person_is_there(&facts));
    strcpy(facts.user_agent, "curl/7.88.1"); /* what it says of itself counts for more */
    assert_false(tf_person_is_there(&facts));
    facts.hello.alpn.n = 0;
    strcpy(facts.user_agent, IE8);
    assert_true(tf_person_is_there(&facts));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_head_keeps_the_page_out_of_caches_and_other_pages),
        TEST(the_body_is_as_long_as_the_head_says),
        TEST(HEAD_gets_the_same_head_and_no_body),
        TEST(it_says_what_happened),
        TEST(behind_an_address_the_name_is_told),
        TEST(who_knows_no_hello_goes_by_the_words),
        TEST(a_guess_is_worded_as_one),
        TEST(of_a_client_that_is_not_known_nothing_is_said),
        TEST(nobody_is_told_to_run_commands),
        TEST(it_says_whom_to_ask),
        TEST(it_says_how_the_record_is_found),
        TEST(nothing_that_a_peer_said_is_markup),
        TEST(the_worst_texts_still_fit),
        TEST(without_room_nothing_is_written),
        TEST(somebody_may_be_looking_at_a_browser),
    };
    return cmocka_run_group_tests_name("person_page", tests, NULL, NULL);
}
