/* record.c: whole lines as they stand in the log, and what keeps them whole. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "record_stage.h"
#include <stdio.h>

static void a_blocked_client_makes_this_line(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    put_block(&facts);
    assert_line(
        "{\"@timestamp\":\"2026-11-21T23:06:59.123Z\",\"ecs.version\":\"8.11.0\",\"event.kind\":\"event\","
        "\"event.category\":[\"network\"],\"event.type\":[\"connection\",\"denied\"],"
        "\"event.action\":\"tls-version-blocked\",\"event.outcome\":\"failure\","
        "\"event.code\":\"client-below-floor\","
        "\"event.reason\":\"the client offers no TLS version at or above the floor\","
        "\"event.duration\":1234000,\"rule.name\":\"printers\","
        "\"tlsfloor.rule.owner\":\"print team\",\"tlsfloor.rule.ticket\":\"CHG-1042\","
        "\"observer.ingress.interface.name\":\"proxy\","
        "\"source.ip\":\"10.20.0.7\",\"source.port\":49152,"
        "\"destination.domain\":\"mail.example.com\",\"destination.ip\":\"192.0.2.1\","
        "\"destination.port\":443,\"user_agent.original\":\"ScanToMail/1.0\","
        "\"tls.version\":\"1.0\",\"tls.version_protocol\":\"tls\","
        "\"tls.client.server_name\":\"mail.example.com\","
        "\"tls.client.ja3\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\","
        "\"tlsfloor.ja4\":\"t10d020000_5a5a5a5a5a5a_000000000000\",\"tlsfloor.max_version\":\"1.0\","
        "\"tlsfloor.floor\":\"1.2\",\"tlsfloor.verdict\":\"block\",\"tlsfloor.step\":\"decide\","
        "\"tlsfloor.client_class\":\"legacy\","
        "\"tlsfloor.fix\":\"update or reconfigure the client so that it offers TLS 1.2 or 1.3\","
        "\"tlsfloor.offered_versions\":[\"1.0\"],\"tls.client.supported_ciphers\":["
        "\"TLS_RSA_WITH_AES_128_CBC_SHA\",\"TLS_RSA_WITH_3DES_EDE_CBC_SHA\",\"0x0a0a\"]}\n");
}

static void a_tunnel_that_ended_well_makes_this_access_line(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.verdict = TF_VERDICT_TUNNEL;
    facts.reason = TF_REASON_NONE;
    facts.rule = NULL;
    facts.hello.max_version = TF_TLS13;
    facts.hello.has_supported_versions = true;
    facts.hello.supported_versions = SPAN("\x03\x04\x03\x03");
    facts.has_server_hello = true;
    facts.server =
        (struct tf_server_hello){.version = TF_TLS12, .legacy_version = TF_TLS12, .cipher = 0xc02f};
    facts.bytes_up = 517;
    facts.bytes_down = 5000000000;
    put_access(&facts);
    assert_line(
        "{\"@timestamp\":\"2026-11-21T23:06:59.123Z\",\"ecs.version\":\"8.11.0\",\"event.kind\":\"event\","
        "\"event.category\":[\"network\"],\"event.type\":[\"connection\",\"end\"],"
        "\"event.action\":\"connection-end\",\"observer.ingress.interface.name\":\"proxy\","
        "\"source.ip\":\"10.20.0.7\",\"source.port\":49152,"
        "\"destination.domain\":\"mail.example.com\",\"destination.ip\":\"192.0.2.1\","
        "\"destination.port\":443,\"user_agent.original\":\"ScanToMail/1.0\","
        "\"tls.version\":\"1.2\",\"tls.version_protocol\":\"tls\","
        "\"tls.cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\","
        "\"tls.server.ja3s\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\","
        "\"tls.client.server_name\":\"mail.example.com\","
        "\"tls.client.ja3\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\","
        "\"tlsfloor.ja4\":\"t13d020000_5a5a5a5a5a5a_000000000000\",\"tlsfloor.max_version\":\"1.3\","
        "\"tlsfloor.floor\":\"1.2\",\"tlsfloor.verdict\":\"tunnel\","
        "\"source.bytes\":517,\"destination.bytes\":5000000000,\"event.duration\":1234000,"
        "\"event.outcome\":\"success\"}\n");
}

static void an_access_line_says_how_it_ended(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.reason = TF_REASON_IDLE;
    put_access(&facts);
    assert_field("event.code", "\"idle\"");
    assert_field("event.reason", "\"no byte moved for [limits] idle_s\"");
    assert_field("event.outcome", "\"failure\"");
}

/* What session keeps of its facts for the tail: nothing but the end. */
static void an_access_tail_needs_only_the_end(void **state)
{
    (void)state;
    char both[TF_RECORD_MAX];
    struct tf_facts facts = old_printer();
    struct tf_facts end = {.reason = facts.reason, .duration_us = facts.duration_us};
    struct tf_writer w = tf_writer_of(both, sizeof both);
    tf_put_access_head(&w, &facts, &context);
    tf_put_access_tail(&w, &end);
    put_access(&facts);
    assert_int_equal(w.len, line_len);
    assert_memory_equal(both, line, line_len);
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    struct tf_facts facts = {.verdict = TF_VERDICT_BLOCK, .reason = TF_REASON_CLIENT_NOT_TLS};
    static const char *const absent[] = {"rule.name",
                                         "observer.ingress.interface.name",
                                         "source.ip",
                                         "source.port",
                                         "destination.domain",
                                         "destination.ip",
                                         "destination.port",
                                         "user_agent.original",
                                         "tls.version",
                                         "tls.version_protocol",
                                         "tls.cipher",
                                         "tls.client.server_name",
                                         "tls.client.ja3",
                                         "tls.server.ja3s",
                                         "tlsfloor.ja4",
                                         "tlsfloor.max_version",
                                         "tlsfloor.step",
                                         "tlsfloor.detail",
                                         "tlsfloor.m365.service_area",
                                         "tlsfloor.upgrade.from",
                                         "tlsfloor.offered_versions",
                                         "tls.client.supported_ciphers"};
    put_block(&facts);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_no_field(absent[i]);
    assert_field("event.code", "\"client-not-tls\"");
    assert_field("event.action", "\"not-tls\"");
}

static void the_detail_stands_beside_the_reason(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.reason = TF_REASON_CLIENT_HELLO_MALFORMED;
    facts.detail = "a length runs over its end";
    put_block(&facts);
    assert_field("event.reason", "\"the ClientHello is malformed\"");
    assert_field("tlsfloor.detail", "\"a length runs over its end\"");
    assert_field("event.action", "\"malformed\"");
}

static void a_server_below_the_floor_is_told_by_what_it_picked(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.reason = TF_REASON_SERVER_BELOW_FLOOR;
    facts.hello.max_version = TF_TLS13;
    facts.has_server_hello = true;
    facts.server =
        (struct tf_server_hello){.version = TF_TLS10, .legacy_version = TF_TLS10, .cipher = 0x0035};
    put_block(&facts);
    assert_field("event.action", "\"tls-server-below-floor\"");
    assert_field("tls.version", "\"1.0\"");
    assert_field("tls.cipher", "\"TLS_RSA_WITH_AES_256_CBC_SHA\"");
    assert_field("tlsfloor.max_version", "\"1.3\"");
}

static void a_monitored_client_is_told_by_its_offer_whatever_the_server_says(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.verdict = TF_VERDICT_MONITOR;
    facts.hello.max_version = TF_TLS11;
    facts.has_server_hello = true;
    facts.server = (struct tf_server_hello){.version = TF_TLS10, .cipher = 0x0035};
    put_block(&facts);
    assert_field("event.action", "\"tls-version-would-block\"");
    assert_field("event.code", "\"client-below-floor\"");
    assert_field("event.type", "[\"connection\",\"allowed\"]");
    assert_field("event.outcome", "\"success\"");
    assert_field("tls.version", "\"1.1\"");
}

static void an_address_is_no_domain(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.target = (struct tf_target){.host = "2001:db8::1", .port = 8443, .is_address = true};
    facts.target.addr =
        (struct tf_addr){.family = TF_FAMILY_V6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 8443};
    facts.destination = (struct tf_addr){0};
    put_block(&facts);
    assert_no_field("destination.domain");
    assert_field("destination.ip", "\"2001:db8::1\"");
    assert_field("destination.port", "8443");
}

static void versions_that_nobody_knows_are_left_out(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.hello.has_supported_versions = true;
    facts.hello.supported_versions = SPAN("\xfe\xfd\x03\x02\x03\x05");
    facts.has_server_hello = true;
    facts.server.version = 0x5a5a;
    facts.reason = TF_REASON_SERVER_BELOW_FLOOR;
    put_block(&facts);
    assert_field("tlsfloor.offered_versions", "[\"1.1\"]");
    assert_no_field("tls.version");
}

static void offered_versions_are_without_grease(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.hello.has_supported_versions = true;
    facts.hello.supported_versions = SPAN("\x7a\x7a\x03\x02\x03\x01");
    put_block(&facts);
    assert_field("tlsfloor.offered_versions", "[\"1.1\",\"1.0\"]");
}

static void an_sslv2_hello_names_its_suites_and_has_no_fingerprint(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.reason = TF_REASON_CLIENT_SSLV2_HELLO;
    facts.hello = (struct tf_hello){.format = TF_FORMAT_SSLV2,
                                    .legacy_version = TF_SSL3,
                                    .max_version = TF_SSL3,
                                    .ciphers = SPAN("\x01\x00\x80\x00\x00\x04")};
    put_block(&facts);
    assert_field("tls.client.supported_ciphers", "[\"0x010080\",\"TLS_RSA_WITH_RC4_128_MD5\"]");
    assert_no_field("tls.client.ja3");
    assert_no_field("tlsfloor.ja4");
    assert_field("tls.version", "\"ssl3\"");
    assert_field("tls.version_protocol", "\"ssl\"");
}

static void bytes_of_peers_cannot_break_the_line(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    snprintf(facts.user_agent, sizeof facts.user_agent, "\"}\n{\"x\":\"\x1b[31m\xff");
    snprintf(facts.target.host, sizeof facts.target.host, "\"\n<script>");
    facts.hello.server_name = SPAN("a\"\\\n\0'&");
    put_block(&facts);
    assert_ptr_equal(memchr(line, '\n', line_len), line + line_len - 1);
    assert_field("user_agent.original", "\"\\\"}\\u000a{\\\"x\\\":\\\"\\u001b[31m\\u00ff\"");
    assert_field("destination.domain", "\"\\\"\\u000a\\u003cscript\\u003e\"");
    assert_field("tls.client.server_name", "\"a\\\"\\\\\\u000a\\u0000\\u0027\\u0026\"");
}

/* Every text as long as it can be, every byte of it escaped, and lists without end. */
static struct tf_facts largest(void)
{
    static char config_text[1000], detail[1000];
    static uint8_t bytes[60000];
    static struct tf_rule rule = {.name = config_text, .owner = config_text, .ticket = config_text};
    memset(config_text, '\'', sizeof config_text - 1);
    static uint8_t versions[254];
    memset(bytes, 0x01, sizeof bytes);
    memset(versions, 0x03, sizeof versions);
    struct tf_facts facts = old_printer();
    memset(facts.user_agent, 0x7f, sizeof facts.user_agent - 1);
    memset(facts.target.host, '<', sizeof facts.target.host - 1);
    memset(facts.user, 0x7f, sizeof facts.user - 1);
    memset(facts.mailbox, 0x01, sizeof facts.mailbox - 1);
    static char own_text[400]; /* nothing in it needs an escape */
    memset(own_text, 'x', sizeof own_text - 1);
    static const struct tf_mail_answer answer = {.code = own_text, .meaning = own_text, .advice = own_text};
    facts.mail = TF_MAIL_SMTP;
    facts.answer = &answer;
    facts.failed_logins = UINT32_MAX;
    facts.via = facts.source;
    facts.listener = config_text;
    rule.name = rule.owner = rule.ticket = config_text;
    facts.rule = &rule;
    memset(detail, '\'', sizeof detail - 1);
    facts.detail = detail;
    facts.m365 = &exchange;
    facts.hello.server_name = (struct tf_span){bytes, 255};
    facts.hello.has_supported_versions = true;
    facts.hello.supported_versions = (struct tf_span){versions, sizeof versions};
    facts.hello.ciphers = (struct tf_span){bytes, sizeof bytes};
    facts.has_server_hello = true;
    return facts;
}

static struct tf_facts largest_upgrade(void)
{
    struct tf_facts facts = largest();
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.reason = TF_REASON_NONE;
    facts.inside = facts.outside = (struct tf_leg){.version = TF_TLS12, .cipher = 0xcca9};
    return facts;
}

static void lists_are_cut_and_the_line_never_is(void **state)
{
    (void)state;
    struct tf_facts facts = largest();
    put_block(&facts);
    const char *value;
    size_t n;
    assert_true(flat_read(line, line_len, "tlsfloor.offered_versions", &value, &n));
    assert_memory_equal(value + n - 7, ",\"...\"]", 7);
    assert_true(flat_read(line, line_len, "tls.client.supported_ciphers", &value, &n));
    assert_memory_equal(value + n - 6, "\"...\"]", 6);
    put_access(&facts);
    facts = largest_upgrade();
    put_block(&facts);
    put_access(&facts);
}

static void a_list_ends_at_its_bound(void **state)
{
    (void)state;
    static uint8_t suites[2 * 65];
    struct tf_facts facts = old_printer();
    facts.hello.ciphers = (struct tf_span){suites, 2 * 64};
    put_block(&facts);
    const char *value;
    size_t n;
    assert_true(flat_read(line, line_len, "tls.client.supported_ciphers", &value, &n));
    assert_int_equal(n, 64 * strlen("\"0x0000\",") + 1);
    facts.hello.ciphers.n = 2 * 65;
    put_block(&facts);
    assert_true(flat_read(line, line_len, "tls.client.supported_ciphers", &value, &n));
    assert_int_equal(n, 64 * strlen("\"0x0000\",") + strlen("\"...\"") + 2);
}

/* Whatever the room, the line is there whole or not at all. */
static void a_line_comes_whole_or_not_at_all(void **state)
{
    (void)state;
    struct tf_facts facts[] = {old_printer(), largest(), largest_upgrade()};
    for (size_t i = 0; i < 3; i++) {
        put_block(&facts[i]);
        size_t whole = line_len + 1;
        for (size_t room = 1; room <= TF_RECORD_MAX; room += room + 50 < whole || room > whole ? 47 : 1) {
            char small[TF_RECORD_MAX];
            struct tf_writer w = tf_writer_of(small, room);
            tf_put_char(&w, '#');
            tf_put_block_record(&w, &facts[i], &context);
            if (w.full ? w.len != 1 : !flat_read(small + 1, w.len - 1, NULL, NULL, NULL))
                fail_msg("%zu bytes of room: %.*s", room, (int)w.len, small);
        }
    }
}

static void a_line_is_never_longer_than_the_maximum(void **state)
{
    (void)state;
    static char huge[4 * TF_RECORD_MAX];
    struct tf_facts facts = largest();
    struct tf_writer w = tf_writer_of(huge, sizeof huge);
    tf_put_block_record(&w, &facts, &context);
    assert_false(w.full);
    assert_true(w.len <= TF_RECORD_MAX);
}

static void a_record_is_due_for_refusals_and_would_be_refusals(void **state)
{
    (void)state;
    struct tf_facts facts = {.verdict = TF_VERDICT_BLOCK, .reason = TF_REASON_DESTINATION_DENIED};
    assert_int_equal(tf_record_event(&facts), TF_EVENT_ACCESS_DENIED);
    facts.verdict = TF_VERDICT_MONITOR;
    assert_int_equal(tf_record_event(&facts), TF_EVENT_VERSION_WOULD_BLOCK);
    facts.verdict = TF_VERDICT_TUNNEL;
    assert_int_equal(tf_record_event(&facts), TF_EVENT_NONE);
    facts.verdict = TF_VERDICT_NONE;
    assert_int_equal(tf_record_event(&facts), TF_EVENT_NONE);
}

static void the_networks_errors_are_no_refusals(void **state)
{
    (void)state;
    struct tf_facts facts = {.verdict = TF_VERDICT_BLOCK, .reason = TF_REASON_DIAL_REFUSED};
    assert_int_equal(tf_record_event(&facts), TF_EVENT_NONE);
    facts.verdict = TF_VERDICT_MONITOR;
    facts.reason = TF_REASON_RESET;
    assert_int_equal(tf_record_event(&facts), TF_EVENT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blocked_client_makes_this_line),
        cmocka_unit_test(a_tunnel_that_ended_well_makes_this_access_line),
        cmocka_unit_test(an_access_line_says_how_it_ended),
        cmocka_unit_test(an_access_tail_needs_only_the_end),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(the_detail_stands_beside_the_reason),
        cmocka_unit_test(a_server_below_the_floor_is_told_by_what_it_picked),
        cmocka_unit_test(a_monitored_client_is_told_by_its_offer_whatever_the_server_says),
        cmocka_unit_test(an_address_is_no_domain),
        cmocka_unit_test(versions_that_nobody_knows_are_left_out),
        cmocka_unit_test(offered_versions_are_without_grease),
        cmocka_unit_test(an_sslv2_hello_names_its_suites_and_has_no_fingerprint),
        cmocka_unit_test(bytes_of_peers_cannot_break_the_line),
        cmocka_unit_test(lists_are_cut_and_the_line_never_is),
        cmocka_unit_test(a_list_ends_at_its_bound),
        cmocka_unit_test(a_line_comes_whole_or_not_at_all),
        cmocka_unit_test(a_line_is_never_longer_than_the_maximum),
        cmocka_unit_test(a_record_is_due_for_refusals_and_would_be_refusals),
        cmocka_unit_test(the_networks_errors_are_no_refusals),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
