/* record.c: the lines of upgrades, and where they went. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "record_stage.h"

/* The old printer's session, carried on in TLS 1.3. */
static struct tf_facts upgraded_printer(void)
{
    struct tf_facts facts = old_printer();
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.reason = TF_REASON_NONE;
    facts.step = NULL;
    facts.m365 = &exchange;
    facts.inside = (struct tf_leg){.version = TF_TLS10, .cipher = 0x002f, .resumed = true};
    facts.outside = (struct tf_leg){.version = TF_TLS13, .cipher = 0x1302};
    return facts;
}

static void an_upgraded_client_makes_this_line(void **state)
{
    (void)state;
    struct tf_facts facts = upgraded_printer();
    assert_int_equal(tf_record_event(&facts), TF_EVENT_UPGRADED);
    put_block(&facts);
    assert_line(
        "{\"@timestamp\":\"2026-11-21T23:06:59.123Z\",\"ecs.version\":\"8.11.0\",\"event.kind\":\"event\","
        "\"event.category\":[\"network\"],\"event.type\":[\"connection\",\"allowed\"],"
        "\"event.action\":\"tls-upgraded\",\"event.outcome\":\"success\","
        "\"event.code\":\"client-upgraded\","
        "\"event.reason\":\"a client below the floor was carried on in verified TLS\","
        "\"event.duration\":1234000,\"rule.name\":\"printers\","
        "\"tlsfloor.rule.owner\":\"print team\",\"tlsfloor.rule.ticket\":\"CHG-1042\","
        "\"observer.ingress.interface.name\":\"proxy\","
        "\"source.ip\":\"10.20.0.7\",\"source.port\":49152,"
        "\"destination.domain\":\"mail.example.com\",\"destination.ip\":\"192.0.2.1\","
        "\"destination.port\":443,\"user_agent.original\":\"ScanToMail/1.0\","
        "\"tls.version\":\"1.0\",\"tls.version_protocol\":\"tls\","
        "\"tls.cipher\":\"TLS_RSA_WITH_AES_128_CBC_SHA\",\"tls.resumed\":true,"
        "\"tls.client.server_name\":\"mail.example.com\","
        "\"tls.client.ja3\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\","
        "\"tlsfloor.ja4\":\"t10d020000_5a5a5a5a5a5a_000000000000\",\"tlsfloor.max_version\":\"1.0\","
        "\"tlsfloor.floor\":\"1.2\",\"tlsfloor.verdict\":\"upgrade\","
        "\"tlsfloor.m365.service_area\":\"Exchange\",\"tlsfloor.m365.category\":\"Allow\","
        "\"tlsfloor.upgrade.from\":\"1.0\","
        "\"tlsfloor.upgrade.from_cipher\":\"TLS_RSA_WITH_AES_128_CBC_SHA\","
        "\"tlsfloor.upgrade.from_resumed\":true,\"tlsfloor.upgrade.to\":\"1.3\","
        "\"tlsfloor.upgrade.to_cipher\":\"TLS_AES_256_GCM_SHA384\","
        "\"tlsfloor.upgrade.to_resumed\":false,\"tlsfloor.client_class\":\"legacy\","
        "\"tlsfloor.fix\":\"update or reconfigure the client so that it offers TLS 1.2 or 1.3\","
        "\"tlsfloor.offered_versions\":[\"1.0\"],\"tls.client.supported_ciphers\":["
        "\"TLS_RSA_WITH_AES_128_CBC_SHA\",\"TLS_RSA_WITH_3DES_EDE_CBC_SHA\",\"0x0a0a\"]}\n");
}

static void plain_text_is_upgraded_from_plain(void **state)
{
    (void)state;
    struct tf_facts facts = upgraded_printer();
    facts.ask = TF_ASK_HTTP;
    facts.has_hello = false;
    facts.inside = (struct tf_leg){.version = 0};
    assert_int_equal(tf_record_event(&facts), TF_EVENT_UPGRADED);
    put_block(&facts);
    assert_field("event.code", "\"plain-upgraded\"");
    assert_field("tlsfloor.upgrade.from", "\"plain\"");
    assert_no_field("tlsfloor.upgrade.from_cipher");
    assert_field("tlsfloor.upgrade.to", "\"1.3\"");
    assert_no_field("tls.version");
    assert_no_field("tls.cipher");
    assert_no_field("tls.resumed");
    assert_field("tlsfloor.fix", "\"let the client ask for https://\"");
}

static void requests_that_are_read_within_its_TLS_make_no_plain_client(void **state)
{
    (void)state;
    struct tf_facts facts = upgraded_printer();
    facts.ask = TF_ASK_HTTP;
    assert_int_equal(tf_record_event(&facts), TF_EVENT_UPGRADED);
    put_block(&facts);
    assert_field("event.code", "\"client-upgraded\"");
    assert_field("tlsfloor.upgrade.from", "\"1.0\"");
    assert_field("tls.version", "\"1.0\"");
}

static void an_upgrade_that_did_not_come_about_is_none(void **state)
{
    (void)state;
    struct tf_facts no_server = upgraded_printer(), no_client = no_server, reset = no_server,
                    refused = no_server;
    no_server.outside.version = 0;
    no_client.inside.version = 0;
    reset.reason = TF_REASON_RESET;
    refused.verdict = TF_VERDICT_BLOCK;
    refused.reason = TF_REASON_CLIENT_DISTRUSTS_CA;
    assert_int_equal(tf_record_event(&no_server), TF_EVENT_NONE);
    assert_int_equal(tf_record_event(&no_client), TF_EVENT_NONE);
    assert_int_equal(tf_record_event(&reset), TF_EVENT_NONE);
    assert_int_equal(tf_record_event(&refused), TF_EVENT_VERSION_BLOCKED);
    put_block(&refused);
    assert_no_field("tlsfloor.upgrade.from");
    assert_no_field("tls.cipher");
    assert_field("tls.version", "\"1.0\"");
}

static void a_refusal_names_the_endpoint_set_too(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.m365 = &exchange;
    put_block(&facts);
    assert_field("tlsfloor.m365.service_area", "\"Exchange\"");
    assert_field("tlsfloor.m365.category", "\"Allow\"");
    put_access(&facts);
    assert_field("tlsfloor.m365.service_area", "\"Exchange\"");
}

static void an_access_line_tells_of_the_upgrade(void **state)
{
    (void)state;
    struct tf_facts facts = upgraded_printer();
    facts.hello.max_version = TF_TLS11;
    put_access(&facts);
    assert_field("tls.version", "\"1.0\""); /* agreed on, whatever was offered */
    assert_field("tlsfloor.verdict", "\"upgrade\"");
    assert_field("tlsfloor.upgrade.to", "\"1.3\"");
    assert_field("tls.cipher", "\"TLS_RSA_WITH_AES_128_CBC_SHA\"");
    assert_field("event.outcome", "\"success\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upgraded_client_makes_this_line),
        cmocka_unit_test(plain_text_is_upgraded_from_plain),
        cmocka_unit_test(requests_that_are_read_within_its_TLS_make_no_plain_client),
        cmocka_unit_test(an_upgrade_that_did_not_come_about_is_none),
        cmocka_unit_test(a_refusal_names_the_endpoint_set_too),
        cmocka_unit_test(an_access_line_tells_of_the_upgrade),
    };
    return cmocka_run_group_tests_name("record_upgrade", tests, NULL, NULL);
}
