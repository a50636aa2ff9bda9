/* policy.c: who is upgraded, by which rule or by none, and why some cannot be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "policy_stage.h"

static const struct tf_port_range web[] = {{80, 80}, {443, 443}}, mail[] = {{587, 587}}, plain[] = {{80, 80}};

static const struct tf_m365_set sets[] = {
    {.id = 1, .area = TF_M365_EXCHANGE, .category = TF_M365_OPTIMIZE, .ports = web, .port_count = 2},
    {.id = 2, .area = TF_M365_EXCHANGE, .category = TF_M365_ALLOW, .ports = mail, .port_count = 1},
    {.id = 31, .area = TF_M365_SHAREPOINT, .category = TF_M365_DEFAULT, .ports = web, .port_count = 2},
    {.id = 125,
     .area = TF_M365_COMMON,
     .category = TF_M365_DEFAULT,
     .stays_plain = true,
     .ports = plain,
     .port_count = 1},
};

static struct tf_m365_entry entries[] = {
    {"*.sharepoint.com", &sets[2]},
    {"crl.example.com", &sets[3]},
    {"outlook.office365.com", &sets[0]},
    {"outlook.office365.com", &sets[1]},
};

static const struct tf_m365 m365 = {
    .origin = "test", .sets = sets, .set_count = 4, .entries = entries, .ordered_count = 4, .entry_count = 4};

static const char *const never_terminate[] = {"device.office365.com", "*.sharepoint.com"};
static const char *const stay_plain[] = {"crl.office365.com"};

/* A policy with the endpoint set and a CA. */
static struct tf_policy upgrading(const struct tf_rule *rules, size_t n)
{
    struct tf_policy p = policy(rules, n);
    p.m365 = &m365;
    p.can_upgrade = true;
    return p;
}

/* A session to `authority` by a client that offers TLS_RSA_WITH_AES_128_CBC_SHA. */
static struct tf_facts to(const char *authority, uint16_t version)
{
    static const uint8_t ciphers[] = {0x00, 0x2f};
    struct tf_facts f = session(version);
    assert_int_equal(tf_authority_parse(authority, strlen(authority), 0, &f.target), TF_HOST_OK);
    f.hello.ciphers = (struct tf_span){ciphers, sizeof ciphers};
    return f;
}

static struct tf_facts plain_to(const char *authority)
{
    struct tf_facts f = to(authority, 0);
    f.has_hello = false;
    f.ask = TF_ASK_HTTP;
    return f;
}

static void set_name(struct tf_facts *f, const char *name)
{
    f->hello.server_name = (struct tf_span){(const uint8_t *)name, strlen(name)};
    if (f->target.is_address)
        strcpy(f->name, name);
}

#define OFFICE "outlook.office365.com:443"

static void without_rules_old_clients_are_upgraded_to_microsoft_365(void **state)
{
    static const struct {
        const char *to;
        uint16_t version;
        enum tf_verdict verdict;
        enum tf_reason reason;
    } rows[] = {
        {OFFICE, TF_TLS10, TF_VERDICT_UPGRADE, TF_REASON_NONE},
        {OFFICE, TF_TLS11, TF_VERDICT_UPGRADE, TF_REASON_NONE},
        {OFFICE, TF_TLS12, TF_VERDICT_TUNNEL, TF_REASON_NONE},
        {OFFICE, TF_TLS13, TF_VERDICT_TUNNEL, TF_REASON_NONE},
        {OFFICE, TF_SSL3, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR},
        {OFFICE, 0, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR},
        {"outlook.office365.com:587", TF_TLS10, TF_VERDICT_UPGRADE, TF_REASON_NONE},
        {"outlook.office365.com:8443", TF_TLS10, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR},
        {"www.example.com:443", TF_TLS10, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR},
        {"www.example.com:443", TF_TLS12, TF_VERDICT_TUNNEL, TF_REASON_NONE},
    };
    struct tf_policy p = upgrading(NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_facts f = to(rows[i].to, rows[i].version);
        assert_decides(&p, &f, rows[i].verdict, rows[i].reason, NULL);
    }
}

static void without_a_ca_or_a_set_nobody_is(void **state)
{
    struct tf_rule r = rule(TF_ACTION_UPGRADE);
    struct tf_policy no_ca = upgrading(NULL, 0), no_set = no_ca, rule_without_ca = upgrading(&r, 1);
    struct tf_facts f = to(OFFICE, TF_TLS10), g = f, h = f, i = plain_to("outlook.office365.com:80");
    (void)state;
    no_ca.can_upgrade = rule_without_ca.can_upgrade = false;
    no_set.m365 = NULL;
    assert_decides(&no_ca, &f, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    assert_decides(&no_set, &g, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    assert_decides(&rule_without_ca, &h, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, &r);
    assert_decides(&rule_without_ca, &i, TF_VERDICT_TUNNEL, TF_REASON_NONE, &r);
}

static void an_sslv2_hello_is_upgraded_if_it_announces_tls(void **state)
{
    static const uint8_t specs[] = {0x01, 0x00, 0x80, 0x00, 0x00, 0x2f};
    static const struct {
        uint16_t version;
        enum tf_verdict verdict;
        enum tf_reason reason;
    } rows[] = {
        {TF_SSL2, TF_VERDICT_BLOCK, TF_REASON_CLIENT_SSLV2_HELLO},
        {TF_SSL3, TF_VERDICT_BLOCK, TF_REASON_CLIENT_SSLV2_HELLO},
        {TF_TLS10, TF_VERDICT_UPGRADE, TF_REASON_NONE},
        {TF_TLS12, TF_VERDICT_UPGRADE, TF_REASON_NONE},
    };
    struct tf_policy p = upgrading(NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_facts f = to(OFFICE, rows[i].version), g = to("www.example.com:443", rows[i].version);
        f.hello.format = g.hello.format = TF_FORMAT_SSLV2;
        f.hello.ciphers = g.hello.ciphers = (struct tf_span){specs, sizeof specs};
        assert_decides(&p, &f, rows[i].verdict, rows[i].reason, NULL);
        assert_decides(&p, &g, TF_VERDICT_BLOCK, TF_REASON_CLIENT_SSLV2_HELLO, NULL);
    }
}

static void a_floor_of_tls_1_3_upgrades_tls_1_2(void **state)
{
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = to(OFFICE, TF_TLS12), g = to(OFFICE, TF_TLS13);
    (void)state;
    p.floor = TF_TLS13;
    assert_decides(&p, &f, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
    assert_decides(&p, &g, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
}

static void a_rule_upgrades_what_it_names(void **state)
{
    struct tf_destination example = {.pattern = "*.example.com"};
    struct tf_rule r = rule(TF_ACTION_UPGRADE);
    struct tf_policy p = upgrading(&r, 1);
    struct tf_facts old = to("www.example.com:8443", TF_TLS10), new = to("www.example.com:443", TF_TLS12),
                    other = to("www.example.org:443", TF_TLS10), office = to(OFFICE, TF_TLS10);
    (void)state;
    r.destinations = &example;
    r.destination_count = 1;
    assert_decides(&p, &old, TF_VERDICT_UPGRADE, TF_REASON_NONE, &r);
    assert_decides(&p, &new, TF_VERDICT_TUNNEL, TF_REASON_NONE, &r);
    assert_decides(&p, &other, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    assert_decides(&p, &office, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL); /* the default, behind the rules */
}

static void other_actions_keep_the_default_away(void **state)
{
    static const struct {
        enum tf_action action;
        enum tf_verdict verdict;
    } rows[] = {
        {TF_ACTION_TUNNEL, TF_VERDICT_BLOCK},
        {TF_ACTION_BLOCK, TF_VERDICT_BLOCK},
        {TF_ACTION_MONITOR, TF_VERDICT_MONITOR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_rule r = rule(rows[i].action);
        struct tf_policy p = upgrading(&r, 1);
        struct tf_facts f = to(OFFICE, TF_TLS10);
        assert_decides(&p, &f, rows[i].verdict, TF_REASON_CLIENT_BELOW_FLOOR, &r);
    }
}

static void a_rule_for_the_set_goes_by_area_category_and_port(void **state)
{
    static const struct {
        struct tf_m365_filter filter;
        const char *to;
        bool matches;
    } rows[] = {
        {{.by_area = false}, OFFICE, true},
        {{.by_area = false}, "a.sharepoint.com:443", true},
        {{.by_area = false}, "www.example.com:443", false},
        {{.by_area = true, .area = TF_M365_EXCHANGE}, OFFICE, true},
        {{.by_area = true, .area = TF_M365_EXCHANGE}, "a.sharepoint.com:443", false},
        {{.by_category = true, .category = TF_M365_OPTIMIZE}, OFFICE, true},
        {{.by_category = true, .category = TF_M365_OPTIMIZE}, "outlook.office365.com:587", false},
        {{.by_category = true, .category = TF_M365_ALLOW}, "outlook.office365.com:587", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_destination d = {.kind = TF_TO_M365, .m365 = rows[i].filter};
        struct tf_rule r = rule(TF_ACTION_BLOCK);
        struct tf_policy p = upgrading(&r, 1);
        struct tf_facts f = to(rows[i].to, TF_TLS13);
        r.destinations = &d;
        r.destination_count = 1;
        assert_int_equal(tf_policy_decide(&p, &f, TODAY), TF_DECIDED);
        assert_int_equal(f.verdict == TF_VERDICT_BLOCK, rows[i].matches);

        struct tf_facts without = to(rows[i].to, TF_TLS13);
        p.m365 = NULL;
        assert_decides(&p, &without, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    }
}

static void the_set_is_told_whatever_the_verdict(void **state)
{
    struct tf_rule block = rule(TF_ACTION_BLOCK);
    struct tf_policy p = upgrading(NULL, 0), blocking = upgrading(&block, 1);
    struct tf_facts f = to(OFFICE, TF_TLS10), g = to(OFFICE, TF_SSL3), h = to(OFFICE, TF_TLS10),
                    i = to("www.example.com:443", TF_TLS10);
    (void)state;
    tf_policy_decide(&p, &f, TODAY);
    tf_policy_decide(&p, &g, TODAY);
    tf_policy_decide(&blocking, &h, TODAY);
    tf_policy_decide(&p, &i, TODAY);
    assert_ptr_equal(f.m365, &sets[0]);
    assert_ptr_equal(g.m365, &sets[0]);
    assert_ptr_equal(h.m365, &sets[0]);
    assert_null(i.m365);
}

static void who_cannot_be_upgraded_is_blocked_and_told_why(void **state)
{
    static const uint8_t rc4[] = {0x00, 0x05, 0x00, 0x0a}, fallback[] = {0x00, 0x2f, 0x56, 0x00};
    struct tf_rule r = rule(TF_ACTION_UPGRADE);
    struct tf_policy p = upgrading(&r, 1);
    struct tf_facts never = to("device.office365.com:443", TF_TLS10),
                    below = to("a.sharepoint.com:443", TF_TLS11), old = to("www.example.com:443", TF_SSL3),
                    suites = to("www.example.com:443", TF_TLS10), better = suites, other_name = suites,
                    nameless = to("93.184.216.34:443", TF_TLS10);
    (void)state;
    p.never_terminate = never_terminate;
    p.never_terminate_count = 2;
    suites.hello.ciphers = (struct tf_span){rc4, sizeof rc4};
    better.hello.ciphers = (struct tf_span){fallback, sizeof fallback};
    set_name(&other_name, "www.example.org");
    assert_decides(&p, &never, TF_VERDICT_BLOCK, TF_REASON_NEVER_TERMINATED, &r);
    assert_decides(&p, &below, TF_VERDICT_BLOCK, TF_REASON_NEVER_TERMINATED, &r);
    assert_decides(&p, &old, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, &r);
    assert_decides(&p, &suites, TF_VERDICT_BLOCK, TF_REASON_NO_COMMON_SUITE, &r);
    assert_decides(&p, &better, TF_VERDICT_BLOCK, TF_REASON_CLIENT_FALLBACK, &r);
    assert_decides(&p, &other_name, TF_VERDICT_BLOCK, TF_REASON_SNI_MISMATCH, &r);
    assert_decides(&p, &nameless, TF_VERDICT_BLOCK, TF_REASON_UPGRADE_NAMELESS, &r);
}

static void a_client_that_is_not_to_be_upgraded_may_lack_all_of_it(void **state)
{
    static const uint8_t rc4[] = {0x00, 0x05};
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = to("www.example.com:443", TF_TLS10), g = to(OFFICE, TF_TLS12);
    (void)state;
    p.never_terminate = never_terminate;
    p.never_terminate_count = 2;
    f.hello.ciphers = g.hello.ciphers = (struct tf_span){rc4, sizeof rc4};
    set_name(&f, "www.example.org");
    set_name(&g, "www.example.org");
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    assert_decides(&p, &g, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
}

static void names_are_compared_as_dns_does(void **state)
{
    static const char *const same[] = {"OutLook.office365.COM", "outlook.office365.com."};
    struct tf_policy p = upgrading(NULL, 0), lenient = p;
    struct tf_facts mismatch = to(OFFICE, TF_TLS10);
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tf_facts f = to(OFFICE, TF_TLS10);
        set_name(&f, same[i]);
        assert_decides(&p, &f, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
    }
    lenient.sni_mismatch = true;
    set_name(&mismatch, "office365.com");
    assert_decides(&lenient, &mismatch, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
}

static void behind_an_address_the_name_in_the_hello_counts_for_an_upgrade(void **state)
{
    struct tf_destination example = {.pattern = "www.example.com"};
    struct tf_rule r = rule(TF_ACTION_UPGRADE);
    struct tf_policy p = upgrading(&r, 1);
    struct tf_facts by_rule = to("93.184.216.34:443", TF_TLS10), by_set = by_rule, nameless = by_rule;
    (void)state;
    r.destinations = &example;
    r.destination_count = 1;
    set_name(&by_rule, "www.example.com");
    set_name(&by_set, "outlook.office365.com");
    assert_decides(&p, &by_rule, TF_VERDICT_UPGRADE, TF_REASON_NONE, &r);
    assert_decides(&p, &by_set, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
    assert_ptr_equal(by_set.m365, &sets[0]);
    assert_decides(&p, &nameless, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
}

/* Else any old client could go anywhere, by an address and a name that it makes up. */
static void behind_an_address_a_name_opens_no_way_past_the_floor(void **state)
{
    struct tf_destination example = {.pattern = "www.example.com"};
    struct tf_destination block = {.kind = TF_TO_BLOCK, .cidr = cidr("93.184.0.0/16")};
    struct tf_rule rules[2] = {rule(TF_ACTION_MONITOR), rule(TF_ACTION_BLOCK)};
    struct tf_policy p = upgrading(rules, 2);
    (void)state;
    rules[0].destinations = &example;
    rules[0].destination_count = 1;
    rules[1].destinations = &block;
    rules[1].destination_count = 1;
    for (size_t i = 0; i < 3; i++) {
        static const enum tf_action actions[] = {TF_ACTION_MONITOR, TF_ACTION_TUNNEL, TF_ACTION_UPGRADE};
        struct tf_facts f = to("93.184.1.1:443", TF_TLS12);
        f.destination = addr("93.184.1.1");
        set_name(&f, "www.example.com");
        rules[0].action = actions[i];
        assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &rules[1]);
    }
    struct tf_facts old = to("94.1.1.1:443", TF_TLS10);
    old.destination = addr("94.1.1.1");
    set_name(&old, "www.example.com");
    rules[0].action = TF_ACTION_MONITOR;
    assert_decides(&p, &old, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
}

static void behind_an_address_a_name_that_is_blocked_is_blocked(void **state)
{
    struct tf_destination example = {.pattern = "www.example.com"};
    struct tf_rule r = rule(TF_ACTION_BLOCK);
    struct tf_policy p = upgrading(&r, 1);
    struct tf_facts f = to("93.184.1.1:443", TF_TLS13);
    (void)state;
    r.destinations = &example;
    r.destination_count = 1;
    set_name(&f, "www.example.com");
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &r);
}

static void plain_http_is_upgraded_but_for_what_must_stay_plain(void **state)
{
    static const struct {
        const char *to;
        enum tf_verdict by_default, by_rule;
    } rows[] = {
        {"outlook.office365.com:80", TF_VERDICT_UPGRADE, TF_VERDICT_UPGRADE},
        {"outlook.office365.com:8080", TF_VERDICT_TUNNEL, TF_VERDICT_UPGRADE},
        {"www.example.com:80", TF_VERDICT_TUNNEL, TF_VERDICT_UPGRADE},
        {"93.184.216.34:80", TF_VERDICT_TUNNEL,
         TF_VERDICT_UPGRADE}, /* its certificate must have the address */
        {"crl.example.com:80", TF_VERDICT_TUNNEL, TF_VERDICT_TUNNEL},   /* the set says so */
        {"crl.office365.com:80", TF_VERDICT_TUNNEL, TF_VERDICT_TUNNEL}, /* [m365] stay_plain */
        {"a.sharepoint.com:80", TF_VERDICT_TUNNEL, TF_VERDICT_TUNNEL},  /* [m365] never_terminate */
    };
    struct tf_rule r = rule(TF_ACTION_UPGRADE);
    struct tf_policy p = upgrading(NULL, 0), ruled = upgrading(&r, 1);
    (void)state;
    p.never_terminate = ruled.never_terminate = never_terminate;
    p.never_terminate_count = ruled.never_terminate_count = 2;
    p.stay_plain = ruled.stay_plain = stay_plain;
    p.stay_plain_count = ruled.stay_plain_count = 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_facts f = plain_to(rows[i].to), g = f;
        assert_decides(&p, &f, rows[i].by_default, TF_REASON_NONE, NULL);
        assert_decides(&ruled, &g, rows[i].by_rule, TF_REASON_NONE, &r);
    }
}

static void monitor_mode_upgrades_by_rules_only(void **state)
{
    static const uint8_t rc4[] = {0x00, 0x05};
    struct tf_rule r = rule(TF_ACTION_UPGRADE);
    struct tf_policy watching = upgrading(NULL, 0), ruled = upgrading(&r, 1);
    struct tf_facts f = to(OFFICE, TF_TLS10), g = f, h = f, h80 = plain_to("outlook.office365.com:80");
    (void)state;
    watching.monitor = ruled.monitor = true;
    assert_decides(&watching, &f, TF_VERDICT_MONITOR, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    assert_string_equal(f.detail, "with [floor] mode = enforce it would be upgraded");
    assert_decides(&watching, &h80, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    assert_decides(&ruled, &g, TF_VERDICT_UPGRADE, TF_REASON_NONE, &r);
    h.hello.ciphers = (struct tf_span){rc4, sizeof rc4};
    assert_decides(&ruled, &h, TF_VERDICT_MONITOR, TF_REASON_NO_COMMON_SUITE, &r);
}

/* A route may decide before and after the address is known. */
static void deciding_twice_is_deciding_once(void **state)
{
    static const uint8_t rc4[] = {0x00, 0x05};
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts rows[] = {to(OFFICE, TF_TLS10), to(OFFICE, TF_TLS10),
                              to("www.example.com:443", TF_TLS10)};
    (void)state;
    p.monitor = true;
    rows[1].hello.ciphers = (struct tf_span){rc4, sizeof rc4};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tf_policy_decide(&p, &rows[i], TODAY);
        struct tf_facts again = rows[i];
        assert_decides(&p, &again, rows[i].verdict, rows[i].reason, NULL);
        assert_ptr_equal(again.m365, rows[i].m365);
    }
}

static void what_is_not_tls_is_never_upgraded(void **state)
{
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = to(OFFICE, 0), g = f;
    (void)state;
    f.has_hello = g.has_hello = false;
    f.not_tls = true;
    g.reason = TF_REASON_CLIENT_HELLO_MALFORMED;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_CLIENT_NOT_TLS, NULL);
    assert_decides(&p, &g, TF_VERDICT_BLOCK, TF_REASON_CLIENT_HELLO_MALFORMED, NULL);
}

static bool upgrades(const struct tf_policy *p, const struct tf_facts *f, const char *authority)
{
    struct tf_target target;
    assert_int_equal(tf_authority_parse(authority, strlen(authority), 0, &target), TF_HOST_OK);
    return tf_policy_upgrades(p, f, &target, TODAY);
}

static void what_else_would_be_upgraded_can_be_asked(void **state)
{
    struct tf_cidr printers = cidr("10.1.0.0/16");
    struct tf_destination block = {.kind = TF_TO_BLOCK, .cidr = cidr("198.51.100.0/24")};
    struct tf_rule rules[2] = {rule(TF_ACTION_BLOCK), rule(TF_ACTION_UPGRADE)};
    struct tf_policy p = upgrading(NULL, 0), ruled = upgrading(rules + 1, 1),
                     by_address = upgrading(rules, 2);
    struct tf_facts f = plain_to("www.example.com:80"), elsewhere = f;
    (void)state;
    rules[0].destinations = &block;
    rules[0].destination_count = 1;
    rules[1].sources = &printers;
    rules[1].source_count = 1;
    elsewhere.source = addr("10.2.0.1");
    assert_true(upgrades(&p, &f, "outlook.office365.com:80"));
    assert_false(upgrades(&p, &f, "www.example.org:80"));
    assert_true(upgrades(&ruled, &f, "www.example.org:80"));
    assert_false(upgrades(&ruled, &elsewhere, "www.example.org:80"));
    /* The address of another host is not known; its own is. */
    assert_false(upgrades(&by_address, &f, "www.example.org:80"));
    assert_true(upgrades(&by_address, &f, "www.example.com:80"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_old_clients_are_upgraded_to_microsoft_365),
        cmocka_unit_test(without_a_ca_or_a_set_nobody_is),
        cmocka_unit_test(an_sslv2_hello_is_upgraded_if_it_announces_tls),
        cmocka_unit_test(a_floor_of_tls_1_3_upgrades_tls_1_2),
        cmocka_unit_test(a_rule_upgrades_what_it_names),
        cmocka_unit_test(other_actions_keep_the_default_away),
        cmocka_unit_test(a_rule_for_the_set_goes_by_area_category_and_port),
        cmocka_unit_test(the_set_is_told_whatever_the_verdict),
        cmocka_unit_test(who_cannot_be_upgraded_is_blocked_and_told_why),
        cmocka_unit_test(a_client_that_is_not_to_be_upgraded_may_lack_all_of_it),
        cmocka_unit_test(names_are_compared_as_dns_does),
        cmocka_unit_test(behind_an_address_the_name_in_the_hello_counts_for_an_upgrade),
        cmocka_unit_test(behind_an_address_a_name_opens_no_way_past_the_floor),
        cmocka_unit_test(behind_an_address_a_name_that_is_blocked_is_blocked),
        cmocka_unit_test(plain_http_is_upgraded_but_for_what_must_stay_plain),
        cmocka_unit_test(monitor_mode_upgrades_by_rules_only),
        cmocka_unit_test(deciding_twice_is_deciding_once),
        cmocka_unit_test(what_is_not_tls_is_never_upgraded),
        cmocka_unit_test(what_else_would_be_upgraded_can_be_asked),
    };
    return cmocka_run_group_tests_name("policy_upgrade", tests, NULL, NULL);
}
