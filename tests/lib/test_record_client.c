/* record.c: what a block record says of the client's software, and roll-ups. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "record_stage.h"

/* A field whose value is this text, which needs no escapes. */
static void assert_text(const char *key, const char *text)
{
    char quoted[256];
    snprintf(quoted, sizeof quoted, "\"%s\"", text);
    assert_field(key, quoted);
}

static struct tf_facts known_client(enum tf_client_family family, enum tf_client_certainty certainty,
                                    const char *name)
{
    struct tf_facts facts = old_printer();
    facts.client = (struct tf_client){family, certainty, TF_CLIENT_BY_HELLO, name};
    return facts;
}

static void a_known_client_is_named_with_how_sure_that_is_and_what_to_do(void **state)
{
    (void)state;
    struct tf_facts facts =
        known_client(TF_CLIENT_FAMILY_SCHANNEL_WIN7, TF_CLIENT_LIKELY, "Schannel on Windows 7");
    put_block(&facts);
    assert_field("tlsfloor.client_family", "\"schannel-win7\"");
    assert_field("tlsfloor.client_name", "\"Schannel on Windows 7\"");
    assert_field("tlsfloor.client_certainty", "\"likely\"");
    assert_field("tlsfloor.client_ability", "\"can be configured\"");
    assert_field("tlsfloor.client_article", "\"KB3140245\"");
    assert_field("tlsfloor.client_class", "\"legacy\"");
    assert_text("tlsfloor.fix", tf_client_info(TF_CLIENT_FAMILY_SCHANNEL_WIN7)->fix);
}

static void a_family_without_an_exact_name_has_its_own(void **state)
{
    (void)state;
    struct tf_facts facts = known_client(TF_CLIENT_FAMILY_IE_XP, TF_CLIENT_POSSIBLE, "");
    put_block(&facts);
    assert_text("tlsfloor.client_name", tf_client_info(TF_CLIENT_FAMILY_IE_XP)->name);
    assert_field("tlsfloor.client_ability", "\"known unable\"");
    assert_no_field("tlsfloor.client_article");
}

static void of_an_unknown_client_only_the_class_is_told(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    put_block(&facts);
    assert_field("tlsfloor.client_class", "\"legacy\"");
    assert_no_field("tlsfloor.client_family");
    assert_no_field("tlsfloor.client_name");
    assert_text("tlsfloor.fix", tf_reason_info(TF_REASON_CLIENT_BELOW_FLOOR)->advice);
}

static void an_SSLv2_hello_is_of_a_legacy_client_whatever_it_announces(void **state)
{
    (void)state;
    struct tf_facts facts = known_client(TF_CLIENT_FAMILY_SSLV2_HELLO_TLS12, TF_CLIENT_LIKELY, "");
    facts.hello.format = TF_FORMAT_SSLV2;
    facts.hello.max_version = TF_TLS12;
    facts.reason = TF_REASON_CLIENT_SSLV2_HELLO;
    put_block(&facts);
    assert_field("tlsfloor.client_class", "\"legacy\"");
}

static void a_stray_hello_has_no_advice_for_its_family(void **state)
{
    (void)state;
    struct tf_facts facts = known_client(TF_CLIENT_FAMILY_SCHANNEL_WIN7, TF_CLIENT_LIKELY, "");
    facts.is_fallback = true;
    put_block(&facts);
    assert_field("tlsfloor.client_class", "\"fallback\"");
    assert_text("tlsfloor.fix", tf_client_info(TF_CLIENT_FAMILY_BROWSER_FALLBACK)->fix);
}

static void other_reasons_keep_their_own_advice(void **state)
{
    (void)state;
    struct tf_facts facts = known_client(TF_CLIENT_FAMILY_SCHANNEL_WIN7, TF_CLIENT_LIKELY, "");
    facts.reason = TF_REASON_RULE_BLOCK;
    put_block(&facts);
    assert_text("tlsfloor.fix", tf_reason_info(TF_REASON_RULE_BLOCK)->advice);
}

static void what_the_client_calls_itself_in_ehlo_is_escaped(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    strcpy(facts.greeting, "<MFP\x1b>");
    put_block(&facts);
    assert_field("tlsfloor.greeting", "\"\\u003cMFP\\u001b\\u003e\"");
}

static void a_rollup_is_the_line_with_count_first_and_last(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    struct tf_repeat repeat = {19995, 1795302419123456, 1795302479000000};
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_block_head(&w, &facts, &context);
    tf_put_block_tail(&w, false, &repeat);
    line_len = w.len;
    assert_field("event.code", "\"client-below-floor\"");
    assert_field("tlsfloor.repeat.count", "19995");
    assert_field("tlsfloor.repeat.first", "\"2026-11-21T23:06:59.123Z\"");
    assert_field("tlsfloor.repeat.last", "\"2026-11-21T23:07:59.000Z\"");
    assert_int_equal(line[line_len - 1], '\n');
}

static void the_longest_head_leaves_room_for_a_rollups_tail(void **state)
{
    (void)state;
    static uint8_t suites[TF_RECORD_MAX];
    struct tf_facts facts = old_printer();
    struct tf_repeat repeat = {UINT64_MAX, INT64_MAX, INT64_MAX};
    memset(suites, 0xc0, sizeof suites);
    memset(facts.user_agent, '<', sizeof facts.user_agent - 1);
    memset(facts.user, '<', sizeof facts.user - 1);
    facts.hello.ciphers = (struct tf_span){suites, sizeof suites};
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_block_head(&w, &facts, &context);
    tf_put_block_tail(&w, false, &repeat);
    assert_false(w.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_client_is_named_with_how_sure_that_is_and_what_to_do),
        cmocka_unit_test(a_family_without_an_exact_name_has_its_own),
        cmocka_unit_test(of_an_unknown_client_only_the_class_is_told),
        cmocka_unit_test(an_SSLv2_hello_is_of_a_legacy_client_whatever_it_announces),
        cmocka_unit_test(a_stray_hello_has_no_advice_for_its_family),
        cmocka_unit_test(other_reasons_keep_their_own_advice),
        cmocka_unit_test(what_the_client_calls_itself_in_ehlo_is_escaped),
        cmocka_unit_test(a_rollup_is_the_line_with_count_first_and_last),
        cmocka_unit_test(the_longest_head_leaves_room_for_a_rollups_tail),
    };
    return cmocka_run_group_tests_name("record of clients", tests, NULL, NULL);
}
