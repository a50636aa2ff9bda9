/* policy.c: which rule matches, and what becomes of the session. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "policy_stage.h"

static void without_rules_the_floor_decides(void **state)
{
    static const struct {
        uint16_t version, floor;
        bool passes;
    } rows[] = {
        {TF_SSL3, TF_TLS12, false}, {TF_TLS10, TF_TLS12, false}, {TF_TLS11, TF_TLS12, false},
        {TF_TLS12, TF_TLS12, true}, {TF_TLS13, TF_TLS12, true},  {0x7f1c, TF_TLS12, true},
        {0, TF_TLS12, false},       {0x0505, TF_TLS12, false},   {TF_TLS12, TF_TLS13, false},
        {TF_TLS13, TF_TLS13, true}, {0x7f1c, TF_TLS13, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_policy p = {.floor = rows[i].floor};
        struct tf_facts f = session(rows[i].version);
        assert_decides(&p, &f, rows[i].passes ? TF_VERDICT_TUNNEL : TF_VERDICT_BLOCK,
                       rows[i].passes ? TF_REASON_NONE : TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    }
}

static void an_sslv2_hello_is_blocked_whatever_it_announces(void **state)
{
    struct tf_policy p = policy(NULL, 0);
    struct tf_facts f = session(TF_TLS12);
    (void)state;
    f.hello.format = TF_FORMAT_SSLV2;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_CLIENT_SSLV2_HELLO, NULL);
}

static void what_is_not_understood_is_blocked(void **state)
{
    struct tf_policy p = policy(NULL, 0);
    struct tf_facts none = session(TF_TLS12), plain = session(TF_TLS12), broken = session(TF_TLS12);
    (void)state;
    none.has_hello = false;
    assert_decides(&p, &none, TF_VERDICT_BLOCK, TF_REASON_CLIENT_NOT_TLS, NULL);
    plain.not_tls = true;
    assert_decides(&p, &plain, TF_VERDICT_BLOCK, TF_REASON_CLIENT_NOT_TLS, NULL);
    broken.has_hello = false;
    broken.reason = TF_REASON_CLIENT_HELLO_MALFORMED;
    assert_decides(&p, &broken, TF_VERDICT_BLOCK, TF_REASON_CLIENT_HELLO_MALFORMED, NULL);
}

static void a_server_that_speaks_first_keeps_its_own_reason(void **state)
{
    struct tf_policy p = policy(NULL, 0);
    struct tf_facts f = session(TF_TLS12);
    (void)state;
    f.has_hello = false;
    f.not_tls = true;
    f.reason = TF_REASON_SERVER_SPOKE_FIRST;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_SERVER_SPOKE_FIRST, NULL);
}

static void actions_differ_as_documented(void **state)
{
    static const struct {
        enum tf_action action;
        uint16_t version;
        enum tf_verdict verdict;
        enum tf_reason reason;
    } rows[] = {
        {TF_ACTION_TUNNEL, TF_TLS13, TF_VERDICT_TUNNEL, TF_REASON_NONE},
        {TF_ACTION_TUNNEL, TF_TLS10, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR},
        {TF_ACTION_BLOCK, TF_TLS13, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK},
        {TF_ACTION_BLOCK, TF_TLS10, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR},
        {TF_ACTION_MONITOR, TF_TLS13, TF_VERDICT_TUNNEL, TF_REASON_NONE},
        {TF_ACTION_MONITOR, TF_TLS10, TF_VERDICT_MONITOR, TF_REASON_CLIENT_BELOW_FLOOR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_rule r = rule(rows[i].action);
        struct tf_policy p = policy(&r, 1);
        struct tf_facts f = session(rows[i].version);
        assert_decides(&p, &f, rows[i].verdict, rows[i].reason, &r);
    }
}

static void monitor_mode_lets_everything_pass_and_says_why(void **state)
{
    struct tf_rule block = rule(TF_ACTION_BLOCK);
    struct tf_policy p = policy(NULL, 0), blocking = policy(&block, 1);
    struct tf_facts old = session(TF_TLS10), sslv2 = session(TF_TLS12), plain = session(0),
                    blocked = session(TF_TLS13), fine = session(TF_TLS13);
    (void)state;
    p.monitor = blocking.monitor = true;
    sslv2.hello.format = TF_FORMAT_SSLV2;
    plain.has_hello = false;
    assert_decides(&p, &old, TF_VERDICT_MONITOR, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    assert_decides(&p, &sslv2, TF_VERDICT_MONITOR, TF_REASON_CLIENT_SSLV2_HELLO, NULL);
    assert_decides(&p, &plain, TF_VERDICT_MONITOR, TF_REASON_CLIENT_NOT_TLS, NULL);
    assert_decides(&blocking, &blocked, TF_VERDICT_MONITOR, TF_REASON_RULE_BLOCK, &block);
    assert_decides(&p, &fine, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
}

static void a_plain_exchange_is_a_matter_of_rules_only(void **state)
{
    struct tf_rule block = rule(TF_ACTION_BLOCK), tunnel = rule(TF_ACTION_TUNNEL);
    struct tf_policy none = policy(NULL, 0), blocks = policy(&block, 1), tunnels = policy(&tunnel, 1);
    struct tf_facts f = session(0), g, h;
    (void)state;
    f.has_hello = false;
    f.ask = TF_ASK_HTTP;
    g = h = f;
    assert_decides(&none, &f, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    assert_decides(&blocks, &g, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &block);
    assert_decides(&tunnels, &h, TF_VERDICT_TUNNEL, TF_REASON_NONE, &tunnel);
}

static void the_first_rule_that_matches_decides(void **state)
{
    struct tf_rule rules[2] = {rule(TF_ACTION_MONITOR), rule(TF_ACTION_BLOCK)};
    struct tf_policy p = policy(rules, 2);
    struct tf_facts f = session(TF_TLS10);
    (void)state;
    assert_decides(&p, &f, TF_VERDICT_MONITOR, TF_REASON_CLIENT_BELOW_FLOOR, &rules[0]);
}

static void a_rule_applies_through_its_last_day(void **state)
{
    struct tf_rule r = rule(TF_ACTION_MONITOR);
    struct tf_policy p = policy(&r, 1);
    struct tf_facts last = session(TF_TLS10), after = session(TF_TLS10);
    (void)state;
    r.until_day = TODAY;
    assert_decides(&p, &last, TF_VERDICT_MONITOR, TF_REASON_CLIENT_BELOW_FLOOR, &r);
    r.until_day = TODAY - 1;
    assert_decides(&p, &after, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
}

static void every_list_of_a_rule_must_match(void **state)
{
    static const char *const other_listener[] = {"scanner"}, *const own_listener[] = {"scanner", "proxy"};
    const struct tf_cidr other_source = cidr("10.2.0.0/16"), own_source = cidr("10.1.0.0/16");
    static const struct tf_port_range other_port = {444, 500}, own_port = {400, 443};
    static const struct tf_destination other_name = {.pattern = "*.example.org"},
                                       own_name = {.pattern = "*.example.com"};
    struct tf_rule full = rule(TF_ACTION_BLOCK);
    (void)state;
    full.listeners = own_listener;
    full.listener_count = 2;
    full.sources = &own_source;
    full.source_count = 1;
    full.ports = &own_port;
    full.port_count = 1;
    full.destinations = &own_name;
    full.destination_count = 1;
    struct tf_policy p = policy(&full, 1);
    struct tf_facts f = session(TF_TLS13);
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &full);

    struct tf_rule others[4] = {full, full, full, full};
    others[0].listeners = other_listener;
    others[0].listener_count = 1;
    others[1].sources = &other_source;
    others[2].ports = &other_port;
    others[3].destinations = &other_name;
    for (size_t i = 0; i < 4; i++) {
        struct tf_policy q = policy(&others[i], 1);
        struct tf_facts g = session(TF_TLS13);
        assert_decides(&q, &g, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    }
}

static void a_block_of_addresses_waits_for_the_address(void **state)
{
    struct tf_destination destinations[] = {{.pattern = "mail.example.com"},
                                            {.kind = TF_TO_BLOCK, .cidr = cidr("93.184.0.0/16")}};
    struct tf_rule r = rule(TF_ACTION_BLOCK);
    struct tf_policy p = policy(&r, 1);
    (void)state;
    r.destinations = destinations;
    r.destination_count = 2;

    struct tf_facts unknown = session(TF_TLS13), before;
    unknown.destination = (struct tf_addr){.family = TF_FAMILY_NONE};
    before = unknown;
    assert_int_equal(tf_policy_decide(&p, &unknown, TODAY), TF_NEEDS_ADDRESS);
    assert_memory_equal(&unknown, &before, sizeof before);

    struct tf_facts known = session(TF_TLS13), elsewhere = session(TF_TLS13);
    assert_decides(&p, &known, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &r);
    elsewhere.destination = addr("93.185.0.1");
    assert_decides(&p, &elsewhere, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
}

static void an_address_that_cannot_matter_is_not_waited_for(void **state)
{
    struct tf_destination block = {.kind = TF_TO_BLOCK, .cidr = cidr("93.184.0.0/16")};
    struct tf_destination both[] = {{.kind = TF_TO_BLOCK, .cidr = cidr("93.184.0.0/16")},
                                    {.pattern = "www.example.com"}};
    struct tf_cidr other = cidr("172.16.0.0/12");
    struct tf_rule by_name = rule(TF_ACTION_BLOCK), elsewhere = rule(TF_ACTION_BLOCK);
    struct tf_policy p = policy(&by_name, 1), q = policy(&elsewhere, 1);
    struct tf_facts f = session(TF_TLS13), g, literal;
    (void)state;
    f.destination = (struct tf_addr){.family = TF_FAMILY_NONE};
    g = literal = f;
    by_name.destinations = both;
    by_name.destination_count = 2;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &by_name);

    elsewhere.destinations = &block;
    elsewhere.destination_count = 1;
    elsewhere.sources = &other;
    elsewhere.source_count = 1;
    assert_decides(&q, &g, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);

    elsewhere.source_count = 0;
    assert_int_equal(tf_authority_parse("93.184.1.1:443", 14, 0, &literal.target), TF_HOST_OK);
    assert_decides(&q, &literal, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &elsewhere);
}

static void a_star_matches_addresses_too(void **state)
{
    struct tf_destination any = {.pattern = "*"};
    struct tf_rule r = rule(TF_ACTION_BLOCK);
    struct tf_policy p = policy(&r, 1);
    struct tf_facts f = session(TF_TLS13);
    (void)state;
    r.destinations = &any;
    r.destination_count = 1;
    assert_int_equal(tf_authority_parse("93.184.1.1:443", 14, 0, &f.target), TF_HOST_OK);
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &r);
}

static void a_server_below_the_floor_ends_the_session(void **state)
{
    static const struct {
        uint16_t legacy, version;
        bool passes;
    } rows[] = {
        {TF_TLS12, TF_TLS12, true},  {TF_TLS12, TF_TLS13, true},  {TF_TLS11, TF_TLS11, false},
        {TF_TLS12, TF_TLS10, false}, {TF_TLS10, TF_TLS13, false}, {TF_SSL3, TF_SSL3, false},
    };
    struct tf_policy p = policy(NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_facts f = session(TF_TLS13);
        assert_decides(&p, &f, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
        f.has_server_hello = true;
        f.server.legacy_version = rows[i].legacy;
        f.server.version = rows[i].version;
        assert_int_equal(tf_policy_server(&p, &f), rows[i].passes);
        assert_int_equal(f.verdict, rows[i].passes ? TF_VERDICT_TUNNEL : TF_VERDICT_BLOCK);
        assert_int_equal(f.reason, rows[i].passes ? TF_REASON_NONE : TF_REASON_SERVER_BELOW_FLOOR);
    }
}

static void a_floor_of_tls_1_3_holds_for_the_server(void **state)
{
    struct tf_policy p = {.floor = TF_TLS13};
    struct tf_facts f = session(TF_TLS13);
    (void)state;
    f.has_server_hello = true;
    f.server.legacy_version = f.server.version = TF_TLS12;
    assert_false(tf_policy_server(&p, &f));
    f = session(TF_TLS13);
    f.server.legacy_version = TF_TLS12;
    f.server.version = TF_TLS13;
    assert_true(tf_policy_server(&p, &f));
}

static void a_monitored_session_goes_on_with_the_reason_that_came_first(void **state)
{
    struct tf_rule r = rule(TF_ACTION_MONITOR);
    struct tf_policy by_rule = policy(&r, 1), by_mode = policy(NULL, 0);
    struct tf_facts old = session(TF_TLS10), fine = session(TF_TLS12);
    (void)state;
    by_mode.monitor = true;
    old.server.legacy_version = old.server.version = fine.server.legacy_version = fine.server.version =
        TF_TLS10;

    assert_decides(&by_rule, &old, TF_VERDICT_MONITOR, TF_REASON_CLIENT_BELOW_FLOOR, &r);
    assert_true(tf_policy_server(&by_rule, &old));
    assert_int_equal(old.reason, TF_REASON_CLIENT_BELOW_FLOOR);

    assert_decides(&by_mode, &fine, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    assert_true(tf_policy_server(&by_mode, &fine));
    assert_int_equal(fine.reason, TF_REASON_SERVER_BELOW_FLOOR);
    assert_int_equal(fine.verdict, TF_VERDICT_MONITOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_the_floor_decides),
        cmocka_unit_test(an_sslv2_hello_is_blocked_whatever_it_announces),
        cmocka_unit_test(what_is_not_understood_is_blocked),
        cmocka_unit_test(a_server_that_speaks_first_keeps_its_own_reason),
        cmocka_unit_test(actions_differ_as_documented),
        cmocka_unit_test(monitor_mode_lets_everything_pass_and_says_why),
        cmocka_unit_test(a_plain_exchange_is_a_matter_of_rules_only),
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(a_rule_applies_through_its_last_day),
        cmocka_unit_test(every_list_of_a_rule_must_match),
        cmocka_unit_test(a_block_of_addresses_waits_for_the_address),
        cmocka_unit_test(an_address_that_cannot_matter_is_not_waited_for),
        cmocka_unit_test(a_star_matches_addresses_too),
        cmocka_unit_test(a_server_below_the_floor_ends_the_session),
        cmocka_unit_test(a_floor_of_tls_1_3_holds_for_the_server),
        cmocka_unit_test(a_monitored_session_goes_on_with_the_reason_that_came_first),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
