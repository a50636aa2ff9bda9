/* sighting.c, sighting_line.c, sighting_fields.c: a session, and the line that it leaves in either format,
 * say the same of a client; and what lines say that we have not written. What rows of w3c are not is in
 * test_sighting_row.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/sighting.h"
#include "../../lib/w3c.h"
#include "record_stage.h"

static struct tf_sighting of_facts(const struct tf_facts *facts)
{
    struct tf_sighting s;
    memset(&s, 0xa5, sizeof s);
    tf_sighting_of_facts(&s, facts, &context.sha256);
    return s;
}

static struct tf_sighting of_line(enum tf_line expected)
{
    struct tf_sighting s;
    memset(&s, 0xa5, sizeof s);
    assert_true(line_len > 0);
    assert_int_equal(tf_sighting_of_line(&s, line, line_len - 1), expected);
    return s;
}

/* A Java 6 on its way to Exchange. */
static struct tf_facts old_java(void)
{
    struct tf_facts facts = old_printer();
    facts.client =
        (struct tf_client){TF_CLIENT_FAMILY_JAVA_6, TF_CLIENT_LIKELY, TF_CLIENT_BY_HELLO, "Java 6u45"};
    facts.m365 = &exchange;
    strcpy(facts.user, "anna");
    return facts;
}

static void assert_same(struct tf_sighting a, struct tf_sighting b)
{
    assert_int_equal(a.outcome, b.outcome);
    assert_int_equal(a.reason, b.reason);
    assert_int_equal(a.count, b.count);
    assert_true(tf_addr_same_ip(&a.source, &b.source));
    assert_int_equal(a.source.port, 0);
    assert_int_equal(b.source.port, 0);
    assert_string_equal(a.host, b.host);
    assert_int_equal(a.port, b.port);
    assert_int_equal(a.is_m365, b.is_m365);
    assert_int_equal(a.area, b.area);
    assert_int_equal(a.version, b.version);
    assert_int_equal(a.to, b.to);
    assert_int_equal(a.is_fallback, b.is_fallback);
    assert_int_equal(a.fingerprint, b.fingerprint);
    assert_int_equal(a.family, b.family);
    assert_int_equal(a.certainty, b.certainty);
    assert_string_equal(a.name, b.name);
    assert_string_equal(a.user_agent, b.user_agent);
    assert_string_equal(a.user, b.user);
    assert_string_equal(a.ja4, b.ja4);
    assert_string_equal(a.listener, b.listener);
    assert_string_equal(a.rule, b.rule);
}

static struct tf_sighting of_row(const struct tf_facts *facts, const struct tf_repeat *repeat)
{
    struct tf_columns columns = {0};
    struct tf_sighting s;
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_w3c_head(&w, facts->started_us);
    for (struct tf_text head = {line, w.len}; head.n > 0;) {
        struct tf_text directive = tf_text_take(&head, '\n');
        assert_int_equal(tf_sighting_of_row(&s, &columns, directive.p, directive.n), TF_LINE_OTHER);
    }
    w = tf_writer_of(line, sizeof line);
    tf_put_w3c_row(&w, facts, &context);
    tf_put_w3c_repeat(&w, repeat);
    assert_false(w.full);
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(tf_sighting_of_row(&s, &columns, line, w.len - 1), TF_LINE_SIGHTING);
    return s;
}

static void assert_line_says_what_the_session_says(const struct tf_facts *facts)
{
    struct tf_sighting session = of_facts(facts), row = of_row(facts, NULL);
    put_block(facts);
    struct tf_sighting of_ecs = of_line(TF_LINE_SIGHTING);
    assert_same(session, of_ecs);
    assert_int_equal(session.first_us / 1000, of_ecs.first_us / 1000);
    assert_int_equal(session.last_us / 1000, of_ecs.last_us / 1000);
    assert_same(session, row);
    assert_int_equal(session.first_us / 1000000, row.first_us / 1000000);
    assert_int_equal(row.first_us % 1000000, 0);
    assert_int_equal(row.last_us, row.first_us);
}

static void a_refusal_says_the_same_as_its_line(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    struct tf_sighting s = of_facts(&facts);
    assert_int_equal(s.outcome, TF_OUTCOME_BLOCKED);
    assert_int_equal(s.reason, TF_REASON_CLIENT_BELOW_FLOOR);
    assert_int_equal(s.version, TF_TLS10);
    assert_string_equal(s.host, "mail.example.com");
    assert_string_equal(s.name, "Java 6u45");
    assert_string_equal(s.user_agent, "ScanToMail/1.0");
    assert_string_equal(s.user, "anna");
    assert_string_equal(s.rule, "printers");
    assert_int_equal(s.area, TF_M365_EXCHANGE);
    assert_true(s.fingerprint != 0);
    assert_line_says_what_the_session_says(&facts);
}

static void so_do_what_would_be_refused_and_an_upgrade(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    facts.verdict = TF_VERDICT_MONITOR;
    assert_int_equal(of_facts(&facts).outcome, TF_OUTCOME_WOULD_BLOCK);
    assert_line_says_what_the_session_says(&facts);
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.reason = TF_REASON_NONE;
    facts.inside = (struct tf_leg){.version = TF_TLS10, .cipher = 0x002f};
    facts.outside = (struct tf_leg){.version = TF_TLS13, .cipher = 0x1301};
    assert_int_equal(of_facts(&facts).outcome, TF_OUTCOME_UPGRADED);
    assert_int_equal(of_facts(&facts).to, TF_TLS13);
    assert_line_says_what_the_session_says(&facts);
}

static void so_does_a_stray_hello(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    facts.is_fallback = true;
    assert_true(of_facts(&facts).is_fallback);
    assert_line_says_what_the_session_says(&facts);
}

static void so_does_plain_text(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.has_hello = false;
    facts.reason = TF_REASON_NONE;
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.ask = TF_ASK_HTTP;
    facts.outside = (struct tf_leg){.version = TF_TLS12, .cipher = 0xc02f};
    struct tf_sighting s = of_facts(&facts);
    assert_int_equal(s.version, 0);
    assert_true(tf_sighting_is_below(&s, TF_TLS12));
    assert_line_says_what_the_session_says(&facts);
}

static void so_does_a_client_that_is_known_by_its_address_or_by_what_it_says_in_EHLO(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    facts.user_agent[0] = '\0';
    strcpy(facts.greeting, "scanner-3");
    facts.target = (struct tf_target){.host = "2001:db8::1", .port = 8443, .is_address = true};
    assert_true(tf_addr_parse("2001:db8::1", 11, &facts.target.addr));
    facts.destination.family = TF_FAMILY_NONE;
    facts.hello.server_name = (struct tf_span){NULL, 0};
    facts.m365 = NULL;
    struct tf_sighting s = of_facts(&facts);
    assert_string_equal(s.host, "2001:db8::1");
    assert_string_equal(s.user_agent, "EHLO scanner-3");
    assert_line_says_what_the_session_says(&facts);
}

/* A transparent listener knows an address, and the name in the hello. */
static void behind_an_address_the_name_counts(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    facts.target = (struct tf_target){.host = "192.0.2.1", .port = 443, .is_address = true};
    assert_true(tf_addr_parse("192.0.2.1", 9, &facts.target.addr));
    strcpy(facts.name, "mail.example.com");
    assert_string_equal(of_facts(&facts).host, "mail.example.com");
    assert_line_says_what_the_session_says(&facts);
    facts.hello.server_name = SPAN("10.0.0.1");
    put_block(&facts);
    assert_string_equal(of_line(TF_LINE_SIGHTING).host, "192.0.2.1");
}

static void what_peers_say_is_cut_and_printable(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    memset(facts.user_agent, 'a', sizeof facts.user_agent - 1);
    memcpy(facts.user_agent, "<\"\n\x1b\xff", 5);
    memset(facts.user, 0xff, sizeof facts.user - 1);
    struct tf_sighting s = of_facts(&facts);
    assert_int_equal(strlen(s.user_agent), TF_SIGHTING_AGENT_MAX - 1);
    assert_memory_equal(s.user_agent, "<\"???aaa", 8);
    assert_int_equal(strspn(s.user, "?"), TF_LABEL_MAX - 1);
    assert_line_says_what_the_session_says(&facts);
}

static void a_family_without_an_exact_name_has_that_of_the_family(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    facts.client.name = "";
    facts.client.certainty = TF_CLIENT_POSSIBLE;
    assert_string_equal(of_facts(&facts).name, "Java 6");
    assert_line_says_what_the_session_says(&facts);
}

static void a_roll_up_counts_what_it_stands_for(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    struct tf_repeat repeat = {.count = 95, .first_us = 1795302419123000, .last_us = 1795302479123000};
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_block_head(&w, &facts, &context);
    tf_put_block_tail(&w, false, &repeat);
    line_len = w.len;
    struct tf_sighting s = of_line(TF_LINE_SIGHTING);
    assert_int_equal(s.count, 95);
    assert_int_equal(s.first_us, repeat.first_us);
    assert_int_equal(s.last_us, repeat.last_us);
    struct tf_sighting row = of_row(&facts, &repeat);
    assert_same(s, row);
    assert_int_equal(row.first_us, repeat.first_us);
    assert_int_equal(row.last_us, repeat.last_us);
}

static void a_healthy_tunnel_of_the_access_log_has_passed(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.verdict = TF_VERDICT_TUNNEL;
    facts.reason = TF_REASON_NONE;
    facts.hello.max_version = TF_TLS12;
    facts.has_server_hello = true;
    facts.server = (struct tf_server_hello){.version = TF_TLS12, .cipher = 0xc02f};
    assert_int_equal(of_facts(&facts).outcome, TF_OUTCOME_PASSED);
    put_access(&facts);
    struct tf_sighting s = of_line(TF_LINE_SIGHTING);
    assert_int_equal(s.outcome, TF_OUTCOME_PASSED);
    assert_int_equal(s.version, TF_TLS12);
    assert_false(tf_sighting_is_below(&s, TF_TLS12));
    assert_true(tf_sighting_is_below(&s, TF_TLS13));
    facts.reason = TF_REASON_IDLE; /* how it ended does not matter */
    put_access(&facts);
    assert_int_equal(of_line(TF_LINE_SIGHTING).outcome, TF_OUTCOME_PASSED);
}

static void other_lines_of_the_access_log_say_nothing(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    put_access(&facts); /* it was blocked: the block log has it */
    of_line(TF_LINE_OTHER);
    facts.verdict = TF_VERDICT_TUNNEL;
    facts.reason = TF_REASON_IDLE; /* no server has answered */
    facts.hello.max_version = TF_TLS13;
    put_access(&facts);
    of_line(TF_LINE_OTHER);
    facts.reason = TF_REASON_NONE;
    facts.has_hello = false; /* plain HTTP that has passed */
    put_access(&facts);
    of_line(TF_LINE_OTHER);
}

static void refusals_for_other_reasons_say_something_only_if_the_hello_is_an_old_one(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.reason = TF_REASON_UPSTREAM_VERIFY_FAILED;
    put_block(&facts);
    assert_int_equal(of_line(TF_LINE_SIGHTING).reason, TF_REASON_UPSTREAM_VERIFY_FAILED);
    facts.hello.max_version = TF_TLS13;
    put_block(&facts);
    of_line(TF_LINE_OTHER);
    struct tf_sighting s = of_facts(&facts);
    assert_false(tf_sighting_is_about_tls(&s));
    facts.has_hello = false;
    facts.reason = TF_REASON_CLIENT_HELLO_MALFORMED;
    put_block(&facts);
    of_line(TF_LINE_OTHER);
}

static void an_SSLv2_hello_is_below_the_floor_whatever_it_announces(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.reason = TF_REASON_CLIENT_SSLV2_HELLO;
    facts.hello.max_version = TF_TLS12;
    struct tf_sighting s = of_facts(&facts);
    assert_true(tf_sighting_is_below(&s, TF_TLS12));
    s.is_fallback = true;
    assert_false(tf_sighting_is_below(&s, TF_TLS12));
    assert_true(tf_sighting_is_about_tls(&s));
}

static void assert_is(enum tf_line expected, const char *text)
{
    struct tf_sighting s;
    if (tf_sighting_of_line(&s, text, strlen(text)) != expected)
        fail_msg("%s", text);
}

#define OLD_LINE(time, action, source)                                                                       \
    "{\"@timestamp\":\"" time "\",\"event.action\":\"" action "\",\"source.ip\":\"" source                   \
    "\",\"tlsfloor.max_version\":\"1.0\",\"event.code\":\"client-below-floor\"}"
#define TIME "2026-11-21T23:06:59.123Z"

static void lines_of_others_are_bad(void **state)
{
    (void)state;
    assert_is(TF_LINE_SIGHTING, OLD_LINE(TIME, "tls-version-blocked", "192.0.2.1"));
    assert_is(TF_LINE_BAD, OLD_LINE(TIME, "user-login", "192.0.2.1"));
    assert_is(TF_LINE_BAD, OLD_LINE("yesterday", "tls-version-blocked", "192.0.2.1"));
    assert_is(TF_LINE_BAD, OLD_LINE(TIME, "tls-version-blocked", "printer"));
    assert_is(TF_LINE_BAD, "{}");
    assert_is(TF_LINE_BAD, "");
    assert_is(TF_LINE_BAD, "Nov 21 23:06:59 gw tlsfloor: ready");
    assert_is(TF_LINE_OTHER, "{\"@timestamp\":\"" TIME "\",\"event.action\":\"tls-version-blocked\"}");
}

static void a_roll_up_that_makes_no_sense_is_bad(void **state)
{
    static const char *const repeats[] = {
        "\"tlsfloor.repeat.count\":-1,\"tlsfloor.repeat.first\":\"" TIME "\",\"tlsfloor.repeat.last\":\"" TIME
        "\"",
        "\"tlsfloor.repeat.count\":99999999999,\"tlsfloor.repeat.first\":\"" TIME
        "\",\"tlsfloor.repeat.last\":\"" TIME "\"",
        "\"tlsfloor.repeat.count\":2",
        "\"tlsfloor.repeat.count\":2,\"tlsfloor.repeat.first\":\"" TIME
        "\",\"tlsfloor.repeat.last\":\"2026-11-20T23:06:59.123Z\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++) {
        char text[512] = "{\"@timestamp\":\"" TIME "\",\"event.action\":\"not-tls\",\"source.ip\":\"::1\",";
        strcat(strcat(text, repeats[i]), "}");
        assert_is(TF_LINE_BAD, text);
    }
}

static void a_line_that_is_cut_is_bad(void **state)
{
    (void)state;
    struct tf_facts facts = old_java();
    put_block(&facts);
    for (size_t n = 0; n < line_len - 1; n++) {
        struct tf_sighting s;
        assert_int_equal(tf_sighting_of_line(&s, line, n), TF_LINE_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_the_same_as_its_line),
        cmocka_unit_test(so_do_what_would_be_refused_and_an_upgrade),
        cmocka_unit_test(so_does_a_stray_hello),
        cmocka_unit_test(so_does_plain_text),
        cmocka_unit_test(so_does_a_client_that_is_known_by_its_address_or_by_what_it_says_in_EHLO),
        cmocka_unit_test(behind_an_address_the_name_counts),
        cmocka_unit_test(what_peers_say_is_cut_and_printable),
        cmocka_unit_test(a_family_without_an_exact_name_has_that_of_the_family),
        cmocka_unit_test(a_roll_up_counts_what_it_stands_for),
        cmocka_unit_test(a_healthy_tunnel_of_the_access_log_has_passed),
        cmocka_unit_test(other_lines_of_the_access_log_say_nothing),
        cmocka_unit_test(refusals_for_other_reasons_say_something_only_if_the_hello_is_an_old_one),
        cmocka_unit_test(an_SSLv2_hello_is_below_the_floor_whatever_it_announces),
        cmocka_unit_test(lines_of_others_are_bad),
        cmocka_unit_test(a_roll_up_that_makes_no_sense_is_bad),
        cmocka_unit_test(a_line_that_is_cut_is_bad),
    };
    return cmocka_run_group_tests_name("sighting", tests, NULL, NULL);
}
