/* report_html.c, report_svg.c: a page that no peer can write into. That its policy lets its own style sheet
 * pass is for tests/e2e/84-report.py, which has a hash to compare. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "report_stage.h"

static void write_html(const struct tf_report *report)
{
    struct tf_report_sink sink = written_sink();
    tf_report_put_html(&sink, report);
}

static size_t count(const char *part)
{
    size_t n = 0;
    for (const char *at = written; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

static void a_page_has_pictures_a_table_and_needs_nothing_else(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    write_html(&report);
    assert_memory_equal(written, "<!doctype html>\n<html lang=\"en\">", 32);
    assert_int_equal(count("<svg role=\"img\""), 1);
    assert_int_equal(count("<ul class=\"bars\">"), 2);
    assert_int_equal(count("</title>"), 2);
    assert_written("<th scope=\"row\">10.20.0.7<small>user anna</small><small>Java/1.6.0_45</small></th>");
    assert_written("<div>[2001:db8::1]:8443<small>10 connections</small></div>");
    assert_written("<td class=\"d\">TLS 1.0<small>also SSL 3.0</small></td>");
    assert_written("default-src 'none'");
    assert_written("</html>\n");
    assert_not_written("<script");
    assert_not_written("src=");
    assert_not_written("href=");
    assert_not_written("url(");
    assert_not_written("style=");
}

static void what_a_peer_says_is_text(void **state)
{
    (void)state;
    static struct tf_report_destination destination = {.host = HOSTILE, .port = 1};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    client.user_agent = client.user = client.name = client.ja4 = client.listener = client.rule = HOSTILE;
    client.destinations = &destination;
    client.destination_count = 1;
    write_html(&report);
    assert_not_written("<script");
    assert_written("&#60;script&#62;&#34;&#39;&#38;?[31m?,=1+1");
    assert_written("print &#60;team&#62;");
    for (size_t i = 0; i < written_len; i++)
        assert_true(written[i] == '\n' || (written[i] >= ' ' && written[i] <= '~'));
}

static void every_tag_that_is_opened_is_closed(void **state)
{
    static const char *const tags[] = {"table", "tr",    "td", "th", "section", "div", "svg",
                                       "text",  "small", "dl", "p",  "ul",      "li"};
    (void)state;
    struct tf_report_input input = {.files = 1, .lines = 2, .bad = 1, .first_bad = "x:1"};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    report.input = &input;
    write_html(&report);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        char with_attributes[16] = "<", bare[16] = "<", closing[16] = "</";
        strcat(strcat(with_attributes, tags[i]), " ");
        strcat(strcat(bare, tags[i]), ">");
        strcat(strcat(closing, tags[i]), ">");
        assert_true(count(closing) > 0);
        assert_int_equal(count(with_attributes) + count(bare), count(closing));
    }
}

static void a_page_of_nobody_says_so(void **state)
{
    (void)state;
    struct tf_report report = {.now_us = NOW_US, .floor = TF_TLS13};
    write_html(&report);
    assert_written("Nobody");
    assert_not_written("<svg");
    assert_not_written("<table");
}

static void a_day_is_a_step_of_a_line_that_ends_at_the_right(void **state)
{
    static const struct tf_report_day days[] = {{20776, 4, 4, 0}, {20777, 2, 0, 2}, {20778, 1, 0, 1}};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.days = days;
    report.day_count = 3;
    write_html(&report);
    assert_written("<title>Clients left to fix, day by day: 4 on 2026-11-19, 1 on 2026-11-21</title>");
    assert_written("class=\"line\" points=\"786,0 857,0 857,85 929,85 929,127 1000,127 \"/>");
    assert_written(">2026-11-08</text>"); /* where the axis begins, with 14 days at least */
    assert_written(" x=\"100%\" y=\"208\">2026-11-21</text>");
}

static void a_single_day_is_a_bar_and_no_wall(void **state)
{
    static const struct tf_report_day day = {20778, 2, 2, 0};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.days = &day;
    report.day_count = 1;
    write_html(&report);
    assert_written("class=\"area\" points=\"929,170 929,0 1000,0 1000,170 \"/>");
}

static void text_is_not_scaled_with_the_pictures(void **state)
{
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    write_html(&report);
    for (const char *at = written; (at = strstr(at, "viewBox")) != NULL; at++) {
        const char *end = strstr(at, "</svg>"), *text = strstr(at, "<text");
        assert_true(text == NULL || text > end);
    }
}

static void a_would_be_refusal_is_not_told_as_a_refusal(void **state)
{
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    write_html(&report);
    assert_written("<small>last refusal: the client offers");
    client.state = TF_STATE_WOULD_BLOCK;
    write_html(&report);
    assert_written("<small>would be refused: the client offers");
    assert_not_written("last refusal");
    client.state = TF_STATE_UPGRADED; /* it would have been once */
    client.counts[TF_OUTCOME_BLOCKED] = 0;
    write_html(&report);
    assert_not_written("last refusal");
}

static void what_was_read_and_who_is_not_listed_is_told(void **state)
{
    struct tf_report_input input = {.files = 1, .sightings = 14, .is_inventory = true};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.input = &input;
    write_html(&report);
    assert_written("<p>Read: an inventory of 14 clients.</p>");
    assert_not_written("Not listed");
    report.healthy = 2;
    write_html(&report);
    assert_written("<p>Not listed: 2 clients that have only been seen with TLS 1.2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_pictures_a_table_and_needs_nothing_else),
        cmocka_unit_test(what_a_peer_says_is_text),
        cmocka_unit_test(every_tag_that_is_opened_is_closed),
        cmocka_unit_test(a_page_of_nobody_says_so),
        cmocka_unit_test(a_day_is_a_step_of_a_line_that_ends_at_the_right),
        cmocka_unit_test(a_single_day_is_a_bar_and_no_wall),
        cmocka_unit_test(text_is_not_scaled_with_the_pictures),
        cmocka_unit_test(a_would_be_refusal_is_not_told_as_a_refusal),
        cmocka_unit_test(what_was_read_and_who_is_not_listed_is_told),
    };
    return cmocka_run_group_tests_name("report_html", tests, NULL, NULL);
}
