/* constraint.c: the subtrees that patterns need, and the patterns that a policy may upgrade. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/constraint.h"
#include <string.h>

enum { TODAY = 20000 };

static void every_pattern_has_the_smallest_subtree_that_holds_it(void **state)
{
    static const struct {
        const char *pattern, *subtree;
    } cases[] = {
        {"outlook.office365.com", "outlook.office365.com"},
        {"*.sharepoint.com", "sharepoint.com"},
        {"*cdn.onenote.net", "onenote.net"},
        {"autodiscover.*.onmicrosoft.com", "onmicrosoft.com"},
        {"*.com", "com"},
        {"*", NULL},
        {"*com", NULL},
        {"a.*", NULL},
        {"a.*.b.*.c", "c"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *subtree = tf_constraint_of(cases[i].pattern);
        if (cases[i].subtree)
            assert_string_equal(subtree, cases[i].subtree);
        else
            assert_null(subtree);
    }
}

static void a_subtree_covers_its_name_and_all_below_it(void **state)
{
    (void)state;
    assert_true(tf_constraint_covers("office.com", "office.com"));
    assert_true(tf_constraint_covers("office.com", "www.office.com"));
    assert_true(tf_constraint_covers("office.com", "a.b.office.com"));
    assert_true(tf_constraint_covers("Office.com", "www.oFFice.COM"));
    assert_false(tf_constraint_covers("office.com", "notoffice.com"));
    assert_false(tf_constraint_covers("office.com", "com"));
    assert_false(tf_constraint_covers("office.com", "office.com.evil.test"));
    assert_false(tf_constraint_covers("www.office.com", "office.com"));
    assert_false(tf_constraint_covers("office.com", ""));
}

static void subtrees_of_other_CAs_are_read_as_clients_read_them(void **state)
{
    (void)state;
    assert_true(tf_constraint_covers("", "anything.test"));
    assert_true(tf_constraint_covers(".corp.test", "a.corp.test"));
    assert_false(tf_constraint_covers(".corp.test", "corp.test"));
}

/* What a walk told, as `pattern rule` or `pattern -`, one a line. */
static char told[1024];

static void tell(void *arg, const char *pattern, const struct tf_rule *rule)
{
    assert_ptr_equal(arg, told);
    strcat(told, pattern);
    strcat(told, " ");
    strcat(told, rule ? rule->name : "-");
    strcat(told, "\n");
}

static const char *walk(const struct tf_policy *policy)
{
    struct tf_conf conf = {.policy = *policy};
    told[0] = '\0';
    tf_constraint_walk(&conf, TODAY, tell, told);
    return told;
}

static const struct tf_port_range https = {443, 443};
static const char *const mail_names[] = {"outlook.office365.com", "*.outlook.com"};
static const char *const team_names[] = {"*.teams.microsoft.com", "device.login.test"};
static const char *const udp_names[] = {"media.test"};
static const struct tf_m365_set sets[] = {
    {.id = 1,
     .area = TF_M365_EXCHANGE,
     .category = TF_M365_OPTIMIZE,
     .ports = &https,
     .port_count = 1,
     .names = mail_names,
     .name_count = 2},
    {.id = 12,
     .area = TF_M365_SKYPE,
     .category = TF_M365_ALLOW,
     .ports = &https,
     .port_count = 1,
     .names = team_names,
     .name_count = 2},
    {.id = 11, .area = TF_M365_SKYPE, .category = TF_M365_OPTIMIZE, .names = udp_names, .name_count = 1},
};
static const struct tf_m365 m365 = {.sets = sets, .set_count = 3};

static void without_rules_the_endpoint_set_is_told(void **state)
{
    struct tf_policy policy = {.m365 = &m365};
    (void)state;
    assert_string_equal(walk(&policy), "outlook.office365.com -\n*.outlook.com -\n"
                                       "*.teams.microsoft.com -\ndevice.login.test -\n");
}

static void without_a_set_nothing_is_told(void **state)
{
    struct tf_policy policy = {.floor = TF_TLS12};
    (void)state;
    assert_string_equal(walk(&policy), "");
}

static void hosts_that_are_never_terminated_are_left_out(void **state)
{
    static const char *const never[] = {"*.login.test", "print.test"};
    static const struct tf_destination to[] = {{.kind = TF_TO_NAME, .pattern = "print.test"},
                                               {.kind = TF_TO_NAME, .pattern = "*.login.test"}};
    static const struct tf_rule rule = {.name = "r",
                                        .action = TF_ACTION_UPGRADE,
                                        .until_day = INT32_MAX,
                                        .destinations = to,
                                        .destination_count = 2};
    struct tf_policy policy = {
        .m365 = &m365, .rules = &rule, .rule_count = 1, .never_terminate = never, .never_terminate_count = 2};
    (void)state;
    assert_string_equal(walk(&policy), "*.login.test r\noutlook.office365.com -\n*.outlook.com -\n"
                                       "*.teams.microsoft.com -\n");
}

static void a_rule_tells_its_destinations(void **state)
{
    static const struct tf_destination to[] = {
        {.kind = TF_TO_NAME, .pattern = "*.corp.test"},
        {.kind = TF_TO_BLOCK, .cidr = {.base = {.family = TF_FAMILY_V4, .ip = {10}}, .bits = 8}},
        {.kind = TF_TO_M365, .m365 = {.by_area = true, .area = TF_M365_EXCHANGE}},
        {.kind = TF_TO_M365, .m365 = {.by_category = true, .category = TF_M365_ALLOW}},
    };
    static const struct tf_rule rules[] = {
        {.name = "r",
         .action = TF_ACTION_UPGRADE,
         .until_day = TODAY,
         .destinations = to,
         .destination_count = 4},
        {.name = "end", .action = TF_ACTION_BLOCK, .until_day = INT32_MAX},
    };
    struct tf_policy policy = {.m365 = &m365, .rules = rules, .rule_count = 2};
    (void)state;
    assert_string_equal(walk(&policy), "*.corp.test r\n* r\noutlook.office365.com r\n*.outlook.com r\n"
                                       "*.teams.microsoft.com r\ndevice.login.test r\n");
}

static void a_rule_without_destinations_upgrades_every_name(void **state)
{
    static const struct tf_rule rule = {.name = "any", .action = TF_ACTION_UPGRADE, .until_day = INT32_MAX};
    struct tf_policy policy = {.m365 = &m365, .rules = &rule, .rule_count = 1};
    (void)state;
    assert_string_equal(walk(&policy), "* any\n");
}

static void only_rules_that_upgrade_and_still_apply_are_told(void **state)
{
    static const struct tf_destination to = {.kind = TF_TO_NAME, .pattern = "a.test"};
    static const struct tf_rule rules[] = {
        {.name = "over",
         .action = TF_ACTION_UPGRADE,
         .until_day = TODAY - 1,
         .destinations = &to,
         .destination_count = 1},
        {.name = "t",
         .action = TF_ACTION_TUNNEL,
         .until_day = INT32_MAX,
         .destinations = &to,
         .destination_count = 1},
        {.name = "m",
         .action = TF_ACTION_MONITOR,
         .until_day = INT32_MAX,
         .destinations = &to,
         .destination_count = 1},
    };
    struct tf_policy policy = {.rules = rules, .rule_count = 3};
    (void)state;
    assert_string_equal(walk(&policy), "");
}

/* Whoever is blocked there may be shown a page in the server's place. */
static void rules_with_a_page_are_told(void **state)
{
    static const struct tf_destination to = {.kind = TF_TO_NAME, .pattern = "a.test"};
    struct tf_rule rule = {
        .name = "p", .page = true, .until_day = INT32_MAX, .destinations = &to, .destination_count = 1};
    struct tf_policy policy = {.rules = &rule, .rule_count = 1};
    (void)state;
    rule.action = TF_ACTION_TUNNEL;
    assert_string_equal(walk(&policy), "a.test p\n");
    rule.action = TF_ACTION_BLOCK;
    assert_string_equal(walk(&policy), "a.test p\n");
    rule.action = TF_ACTION_MONITOR; /* which blocks nobody */
    assert_string_equal(walk(&policy), "");
    rule.action = TF_ACTION_BLOCK;
    rule.until_day = TODAY - 1;
    assert_string_equal(walk(&policy), "");
}

static void what_stands_behind_a_rule_that_matches_everything_is_not_told(void **state)
{
    struct tf_rule rules[] = {{.name = "all", .action = TF_ACTION_BLOCK, .until_day = INT32_MAX}};
    struct tf_policy policy = {.m365 = &m365, .rules = rules, .rule_count = 1};
    (void)state;
    assert_string_equal(walk(&policy), "");

    rules[0].until_day = TODAY + 1; /* the default comes back */
    assert_int_not_equal(strlen(walk(&policy)), 0);
    rules[0].until_day = INT32_MAX;
    rules[0].ports = &https;
    rules[0].port_count = 1;
    assert_int_not_equal(strlen(walk(&policy)), 0);
}

/* A listener that ends everybody's TLS shows certificates for its server, whoever may be upgraded. */
static void a_listener_that_terminates_all_is_told(void **state)
{
    struct tf_listener next = {.kind = TF_KIND_FORWARD,
                               .protocol = TF_PROTOCOL_TLS,
                               .client_tls = TF_CLIENT_TLS_NONE,
                               .certificate = "",
                               .upstream = {.host = "tunnelled.test", .port = 443}};
    struct tf_listener first = {.kind = TF_KIND_FORWARD,
                                .protocol = TF_PROTOCOL_SMTP,
                                .client_tls = TF_CLIENT_TLS_IMPLICIT,
                                .certificate = "",
                                .upstream = {.host = "mail.test", .port = 587},
                                .next = &next};
    struct tf_conf conf = {.listeners = &first};
    (void)state;
    told[0] = '\0';
    tf_constraint_walk(&conf, TODAY, tell, told);
    assert_string_equal(told, "mail.test -\n");

    first.certificate = "own.pem"; /* then it shows that */
    told[0] = '\0';
    tf_constraint_walk(&conf, TODAY, tell, told);
    assert_string_equal(told, "");
}

static void a_rule_for_listeners_with_certificates_is_not_told(void **state)
{
    static const char *const names[] = {"own"};
    struct tf_listener own = {.name = "own", .kind = TF_KIND_FORWARD, .certificate = "own.pem"};
    struct tf_rule rule = {.name = "r",
                           .action = TF_ACTION_UPGRADE,
                           .until_day = INT32_MAX,
                           .listeners = names,
                           .listener_count = 1};
    struct tf_conf conf = {.policy = {.rules = &rule, .rule_count = 1}, .listeners = &own};
    (void)state;
    told[0] = '\0';
    tf_constraint_walk(&conf, TODAY, tell, told);
    assert_string_equal(told, "");

    own.certificate = "";
    tf_constraint_walk(&conf, TODAY, tell, told);
    assert_string_equal(told, "* r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_has_the_smallest_subtree_that_holds_it),
        cmocka_unit_test(a_subtree_covers_its_name_and_all_below_it),
        cmocka_unit_test(subtrees_of_other_CAs_are_read_as_clients_read_them),
        cmocka_unit_test(without_rules_the_endpoint_set_is_told),
        cmocka_unit_test(without_a_set_nothing_is_told),
        cmocka_unit_test(hosts_that_are_never_terminated_are_left_out),
        cmocka_unit_test(a_rule_tells_its_destinations),
        cmocka_unit_test(a_rule_without_destinations_upgrades_every_name),
        cmocka_unit_test(only_rules_that_upgrade_and_still_apply_are_told),
        cmocka_unit_test(rules_with_a_page_are_told),
        cmocka_unit_test(a_listener_that_terminates_all_is_told),
        cmocka_unit_test(a_rule_for_listeners_with_certificates_is_not_told),
        cmocka_unit_test(what_stands_behind_a_rule_that_matches_everything_is_not_told),
    };
    return cmocka_run_group_tests_name("constraint", tests, NULL, NULL);
}
