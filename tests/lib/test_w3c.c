/* w3c.c: lines have as many values as the head has fields, IIS's numbers, and nothing that a peer says can
 * pass for something else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "record_stage.h"

#include "../../lib/w3c.h"
#include <string.h>

enum { FIELDS_MAX = 64 };

/* The head's fields and the line's values, each list NUL-terminated in place. */
static char head[TF_W3C_HEAD_MAX];
static char *fields[FIELDS_MAX], *values[FIELDS_MAX];

static size_t split(char *text, char **parts)
{
    size_t n = 0;
    for (char *save = NULL, *at = strtok_r(text, " ", &save); at != NULL; at = strtok_r(NULL, " ", &save)) {
        assert_true(n < FIELDS_MAX);
        parts[n++] = at;
    }
    return n;
}

static size_t put_fields(void)
{
    struct tf_writer w = tf_writer_of(head, sizeof head - 1);
    tf_put_w3c_head(&w, 1795302419123456);
    assert_false(w.full);
    assert_true(w.len > 0 && head[w.len - 1] == '\n');
    head[w.len - 1] = '\0';
    return split(strstr(head, "#Fields:") + strlen("#Fields:"), fields);
}

/* As the journal gets it: in two parts, through record.c. */
static void put_row(const struct tf_facts *facts, const struct tf_repeat *repeat)
{
    struct tf_record_context w3c = context;
    struct tf_writer w = tf_writer_of(line, sizeof line - 1);
    w3c.is_w3c = true;
    tf_put_block_head(&w, facts, &w3c);
    tf_put_block_tail(&w, true, repeat);
    assert_false(w.full);
    assert_ptr_equal(memchr(line, '\n', w.len), line + w.len - 1);
    line[w.len - 1] = '\0';
    size_t count = put_fields();
    assert_int_equal(split(line, values), count);
}

static const char *value_of(const char *field)
{
    size_t i = 0;
    while (fields[i] != NULL && strcmp(fields[i], field) != 0)
        i++;
    assert_non_null(fields[i]);
    return values[i];
}

static void assert_value(const char *field, const char *expected)
{
    if (strcmp(value_of(field), expected) != 0)
        fail_msg("%s is %s, not %s", field, value_of(field), expected);
}

static void the_head_has_the_directives_of_the_format(void **state)
{
    static const char expected[] =
        "#Software: tlsfloor\n#Version: 1.0\n#Date: 2026-11-21 23:06:59\n#Fields: date "
        "time s-sitename c-ip c-port cs-username cs-host s-port r-ip cs(User-Agent) "
        "time-taken crypt-protocol crypt-cipher crypt-hash crypt-keyexchange x-action ";
    (void)state;
    struct tf_writer w = tf_writer_of(head, sizeof head);
    tf_put_w3c_head(&w, 1795302419123456);
    assert_false(w.full);
    assert_memory_equal(head, expected, sizeof expected - 1);
    static const char end[] = " x-fix x-repeat-count x-repeat-first x-repeat-last\n";
    assert_memory_equal(head + w.len - strlen(end), end, strlen(end));
}

static void a_refused_hello_is_told_with_the_best_version_that_it_offered(void **state)
{
    struct tf_facts facts = old_printer();
    (void)state;
    put_row(&facts, NULL);
    assert_value("date", "2026-11-21");
    assert_value("time", "23:06:59");
    assert_value("s-sitename", "proxy");
    assert_value("c-ip", "10.20.0.7");
    assert_value("c-port", "49152");
    assert_value("cs-username", "-");
    assert_value("cs-host", "mail.example.com");
    assert_value("s-port", "443");
    assert_value("r-ip", "192.0.2.1");
    assert_value("cs(User-Agent)", "ScanToMail/1.0");
    assert_value("time-taken", "1");
    assert_value("crypt-protocol", "40");
    assert_value("crypt-cipher", "-");
    assert_value("crypt-hash", "-");
    assert_value("crypt-keyexchange", "-");
    assert_value("x-action", "tls-version-blocked");
    assert_value("x-code", "client-below-floor");
    assert_value("x-verdict", "block");
    assert_value("x-rule", "printers");
    assert_value("x-floor", "1.2");
    assert_value("x-version", "1.0");
    assert_value("x-versions-offered", "1.0");
    assert_value("x-suites-offered", "002f,000a,0a0a");
    assert_value("x-sni", "mail.example.com");
    assert_value("x-ja3", "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    assert_value("x-client-class", "legacy");
    assert_value("x-upgrade-from", "-");
    assert_value("x-repeat-count", "-");
    assert_value("x-repeat-last", "-");
}

static void an_upgrade_has_iis_numbers_and_the_suites_name(void **state)
{
    struct tf_facts facts = old_printer();
    (void)state;
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.reason = TF_REASON_NONE;
    facts.inside = (struct tf_leg){.version = TF_TLS10, .cipher = 0x002f};
    facts.outside = (struct tf_leg){.version = TF_TLS13, .cipher = 0x1302};
    facts.m365 = &exchange;
    put_row(&facts, NULL);
    assert_value("crypt-protocol", "40");
    assert_value("crypt-cipher", "660e");
    assert_value("crypt-hash", "8004");
    assert_value("crypt-keyexchange", "a400");
    assert_value("x-action", "tls-upgraded");
    assert_value("x-suite", "TLS_RSA_WITH_AES_128_CBC_SHA");
    assert_value("x-suite-number", "002f");
    assert_value("x-upgrade-from", "1.0");
    assert_value("x-upgrade-to", "1.3");
    assert_value("x-m365-area", "Exchange");
}

static void where_there_is_no_number_it_is_zero_and_plain_text_has_none(void **state)
{
    struct tf_facts facts = old_printer();
    (void)state;
    facts.verdict = TF_VERDICT_MONITOR;
    facts.reason = TF_REASON_SERVER_BELOW_FLOOR;
    facts.has_server_hello = true;
    facts.server = (struct tf_server_hello){.version = TF_TLS13, .cipher = 0x1303};
    put_row(&facts, NULL);
    assert_value("crypt-protocol", "1000");
    assert_value("crypt-cipher", "0");
    assert_value("crypt-hash", "0");
    assert_value("crypt-keyexchange", "0");
    assert_value("x-suite", "TLS_CHACHA20_POLY1305_SHA256");

    facts = old_printer();
    facts.has_hello = false;
    facts.ask = TF_ASK_HTTP;
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.reason = TF_REASON_NONE;
    facts.outside = (struct tf_leg){.version = TF_TLS12, .cipher = 0xc02f};
    put_row(&facts, NULL);
    assert_value("crypt-protocol", "-");
    assert_value("crypt-cipher", "-");
    assert_value("crypt-hash", "-");
    assert_value("crypt-keyexchange", "-");
    assert_value("x-upgrade-from", "plain");
    assert_value("x-upgrade-to", "1.2");
    assert_value("x-client-class", "-");
}

static void what_peers_say_breaks_no_line_and_passes_for_no_other_value(void **state)
{
    struct tf_facts facts = old_printer();
    (void)state;
    strcpy(facts.user_agent, "a b+c\"d%e\n#\t\x1b[2J\xc3\xa9");
    facts.hello.alpn = SPAN("\x02h2\x03x y\x04-\n-\x01");
    facts.hello.server_name = SPAN("a%2b.example");
    put_row(&facts, NULL);
    assert_value("cs(User-Agent)", "a+b%2bc%22d%25e%0a#%09%1b[2J%c3%a9");
    assert_value("x-alpn", "h2,x+y,-%0a-%01");
    assert_value("x-sni", "a%252b.example");
}

static void a_roll_up_says_how_often_and_from_when_to_when(void **state)
{
    struct tf_facts facts = old_printer();
    struct tf_repeat repeat = {.count = 20000, .first_us = 1795302419123456, .last_us = 1795302479123456};
    (void)state;
    put_row(&facts, &repeat);
    assert_value("x-repeat-count", "20000");
    assert_value("x-repeat-first", "2026-11-21T23:06:59.123Z");
    assert_value("x-repeat-last", "2026-11-21T23:07:59.123Z");
}

static void a_known_client_is_named_with_how_sure_that_is(void **state)
{
    struct tf_facts facts = old_printer();
    enum tf_client_family family;
    (void)state;
    assert_true(tf_client_family_parse("java-6", strlen("java-6"), &family));
    facts.client = (struct tf_client){family, TF_CLIENT_LIKELY, TF_CLIENT_BY_HELLO, "Java 6u45"};
    put_row(&facts, NULL);
    assert_value("x-client-family", "java-6");
    assert_value("x-client-name", "Java+6u45");
    assert_value("x-client-certainty", "likely");
    assert_string_not_equal(value_of("x-client-ability"), "-");
    facts.is_fallback = true;
    put_row(&facts, NULL);
    assert_value("x-client-class", "fallback");
}

/* The longest of everything, of bytes that need three characters each. */
static void the_longest_values_fit_a_line(void **state)
{
    static uint8_t bytes[4096];
    static char text[4096];
    struct tf_facts facts = old_printer();
    struct tf_rule rule = {.name = text};
    struct tf_repeat repeat = {UINT64_MAX, INT64_MAX, INT64_MAX};
    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    memset(text, '%', sizeof text - 1);
    memset(facts.user_agent, '%', sizeof facts.user_agent - 1);
    memset(facts.greeting, '%', sizeof facts.greeting - 1);
    memset(facts.user, '%', sizeof facts.user - 1);
    facts.listener = facts.detail = text;
    facts.rule = &rule;
    facts.hello.format = TF_FORMAT_SSLV2;
    facts.hello.ciphers = (struct tf_span){bytes, sizeof bytes};
    facts.hello.server_name = (struct tf_span){bytes, 255};
    facts.hello.alpn = (struct tf_span){bytes, sizeof bytes};
    put_row(&facts, &repeat);
    assert_int_equal(strlen(value_of("x-sni")), 3 * 255);
    assert_int_equal(strlen(value_of("x-rule")), 3 * 64);
    assert_int_equal(strlen(value_of("x-suites-offered")), 64 * 7 - 1);
}

/* Whole or not at all, as with the other format. */
static void a_line_that_does_not_fit_says_so(void **state)
{
    char small[64];
    struct tf_facts facts = old_printer();
    struct tf_record_context w3c = context;
    struct tf_writer w = tf_writer_of(small, sizeof small);
    (void)state;
    w3c.is_w3c = true;
    tf_put_block_record(&w, &facts, &w3c);
    assert_true(w.full);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_has_the_directives_of_the_format),
        cmocka_unit_test(a_refused_hello_is_told_with_the_best_version_that_it_offered),
        cmocka_unit_test(an_upgrade_has_iis_numbers_and_the_suites_name),
        cmocka_unit_test(where_there_is_no_number_it_is_zero_and_plain_text_has_none),
        cmocka_unit_test(what_peers_say_breaks_no_line_and_passes_for_no_other_value),
        cmocka_unit_test(a_roll_up_says_how_often_and_from_when_to_when),
        cmocka_unit_test(a_known_client_is_named_with_how_sure_that_is),
        cmocka_unit_test(the_longest_values_fit_a_line),
        cmocka_unit_test(a_line_that_does_not_fit_says_so),
    };
    return cmocka_run_group_tests_name("w3c", tests, NULL, NULL);
}
