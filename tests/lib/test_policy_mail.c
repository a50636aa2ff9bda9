/* policy.c: mail in plain text, clients whose TLS has to end here, addresses without a name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "policy_stage.h"

static const struct tf_port_range submission[] = {{587, 587}};
static const struct tf_cidr blocks[] = {{.base = {.family = TF_FAMILY_V4, .ip = {52, 96, 0, 0}}, .bits = 14}};
static const struct tf_m365_set sets[] = {{.id = 2,
                                           .area = TF_M365_EXCHANGE,
                                           .category = TF_M365_ALLOW,
                                           .ports = submission,
                                           .port_count = 1,
                                           .blocks = blocks,
                                           .block_count = 1}};
static struct tf_m365_entry entries[] = {{"smtp.office365.com", &sets[0]}};
static const struct tf_m365 m365 = {
    .origin = "test", .sets = sets, .set_count = 1, .entries = entries, .ordered_count = 1, .entry_count = 1};

static struct tf_policy upgrading(const struct tf_rule *rules, size_t n)
{
    struct tf_policy p = policy(rules, n);
    p.m365 = &m365;
    p.can_upgrade = true;
    return p;
}

static void aim(struct tf_facts *f, const char *authority)
{
    assert_int_equal(tf_authority_parse(authority, strlen(authority), 0, &f->target), TF_HOST_OK);
}

static struct tf_facts mail_to(const char *authority)
{
    struct tf_facts f = session(0);
    aim(&f, authority);
    f.has_hello = false;
    f.ask = TF_ASK_MAIL;
    f.mail = TF_MAIL_SMTP;
    return f;
}

/* One that offers TLS_RSA_WITH_AES_128_CBC_SHA. */
static struct tf_facts hello_to(const char *authority, uint16_t version)
{
    static const uint8_t ciphers[] = {0x00, 0x2f};
    struct tf_facts f = session(version);
    aim(&f, authority);
    f.hello.ciphers = (struct tf_span){ciphers, sizeof ciphers};
    return f;
}

static void plain_mail_is_upgraded_to_microsoft_365_only(void **state)
{
    (void)state;
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts office = mail_to("smtp.office365.com:587"), other = mail_to("mail.example.com:587");
    assert_decides(&p, &office, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
    assert_decides(&p, &other, TF_VERDICT_BLOCK, TF_REASON_MAIL_CLEARTEXT, NULL);
}

static void plain_mail_to_microsoft_365_has_a_class_of_its_own(void **state)
{
    (void)state;
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = mail_to("smtp.office365.com:587");
    p.can_upgrade = false;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_M365_CLEARTEXT, NULL);
}

static void plain_mail_is_upgraded_where_a_rule_says_so(void **state)
{
    (void)state;
    const struct tf_rule rules[] = {rule(TF_ACTION_UPGRADE)};
    struct tf_policy p = upgrading(rules, 1);
    struct tf_facts f = mail_to("mail.example.com:25");
    assert_decides(&p, &f, TF_VERDICT_UPGRADE, TF_REASON_NONE, &rules[0]);
}

static void plain_mail_that_is_monitored_passes_and_is_noted(void **state)
{
    (void)state;
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = mail_to("smtp.office365.com:587");
    p.monitor = true;
    assert_decides(&p, &f, TF_VERDICT_MONITOR, TF_REASON_M365_CLEARTEXT, NULL);
}

static void a_healthy_client_passes_unless_its_tls_must_end_here(void **state)
{
    (void)state;
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts free_one = hello_to("mail.example.com:587", TF_TLS12), bound = free_one;
    bound.must_terminate = true;
    assert_decides(&p, &free_one, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    assert_decides(&p, &bound, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
}

static void an_old_client_whose_tls_must_end_here_needs_a_reason_to_be_upgraded(void **state)
{
    (void)state;
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = hello_to("mail.example.com:587", TF_TLS10);
    f.must_terminate = true;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, NULL);
    p.monitor = true; /* it cannot pass as it is */
    assert_decides(&p, &f, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
}

static void plain_mail_on_a_rule_that_blocks_is_blocked_by_the_rule(void **state)
{
    (void)state;
    const struct tf_rule rules[] = {rule(TF_ACTION_BLOCK)};
    struct tf_policy p = upgrading(rules, 1);
    struct tf_facts f = mail_to("smtp.office365.com:587");
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &rules[0]);
}

static void a_rule_that_blocks_comes_before_tls_that_must_end_here(void **state)
{
    (void)state;
    const struct tf_rule rules[] = {rule(TF_ACTION_BLOCK)};
    struct tf_policy p = upgrading(rules, 1);
    struct tf_facts f = hello_to("mail.example.com:587", TF_TLS12);
    f.must_terminate = true;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &rules[0]);
}

static void a_certificate_of_the_listener_needs_no_ca(void **state)
{
    (void)state;
    const struct tf_rule rules[] = {rule(TF_ACTION_UPGRADE)};
    struct tf_policy p = upgrading(rules, 1);
    struct tf_facts f = hello_to("adfs.example.com:443", TF_TLS10);
    p.can_upgrade = false;
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_CLIENT_BELOW_FLOOR, &rules[0]);
    f.reason = TF_REASON_NONE;
    f.has_certificate = true;
    assert_decides(&p, &f, TF_VERDICT_UPGRADE, TF_REASON_NONE, &rules[0]);
}

static void a_client_may_call_a_forward_listener_what_it_likes(void **state)
{
    (void)state;
    static const char name[] = "scanner-gateway.local";
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts f = hello_to("smtp.office365.com:587", TF_TLS10);
    f.hello.server_name = (struct tf_span){(const uint8_t *)name, sizeof name - 1};
    assert_decides(&p, &f, TF_VERDICT_BLOCK, TF_REASON_SNI_MISMATCH, NULL);
    f.reason = TF_REASON_NONE;
    f.is_fixed = true;
    assert_decides(&p, &f, TF_VERDICT_UPGRADE, TF_REASON_NONE, NULL);
}

static void an_address_belongs_to_microsoft_365_by_the_set_s_ranges(void **state)
{
    (void)state;
    struct tf_policy p = upgrading(NULL, 0);
    struct tf_facts office = mail_to("52.96.0.1:587"), other = mail_to("192.0.2.1:587");
    assert_decides(&p, &office, TF_VERDICT_BLOCK, TF_REASON_M365_CLEARTEXT, NULL);
    assert_ptr_equal(office.m365, &sets[0]);
    assert_decides(&p, &other, TF_VERDICT_BLOCK, TF_REASON_MAIL_CLEARTEXT, NULL);
    assert_null(other.m365);
}

static void behind_a_parent_proxy_blocks_match_literal_addresses_only(void **state)
{
    (void)state;
    struct tf_cidr net = cidr("198.51.100.0/24");
    struct tf_destination to = {.kind = TF_TO_BLOCK, .cidr = net};
    struct tf_rule rules[] = {rule(TF_ACTION_BLOCK)};
    struct tf_policy p = upgrading(rules, 1);
    rules[0].destinations = &to;
    rules[0].destination_count = 1;
    struct tf_facts by_name = hello_to("www.example.com:443", TF_TLS12);
    by_name.destination = (struct tf_addr){.family = TF_FAMILY_NONE};
    assert_int_equal(tf_policy_decide(&p, &by_name, TODAY), TF_NEEDS_ADDRESS);
    by_name.by_parent = true;
    assert_decides(&p, &by_name, TF_VERDICT_TUNNEL, TF_REASON_NONE, NULL);
    struct tf_facts by_address = hello_to("198.51.100.7:443", TF_TLS12);
    by_address.destination = by_name.destination;
    by_address.by_parent = true;
    assert_decides(&p, &by_address, TF_VERDICT_BLOCK, TF_REASON_RULE_BLOCK, &rules[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_mail_is_upgraded_to_microsoft_365_only),
        cmocka_unit_test(plain_mail_to_microsoft_365_has_a_class_of_its_own),
        cmocka_unit_test(plain_mail_is_upgraded_where_a_rule_says_so),
        cmocka_unit_test(plain_mail_that_is_monitored_passes_and_is_noted),
        cmocka_unit_test(a_healthy_client_passes_unless_its_tls_must_end_here),
        cmocka_unit_test(an_old_client_whose_tls_must_end_here_needs_a_reason_to_be_upgraded),
        cmocka_unit_test(plain_mail_on_a_rule_that_blocks_is_blocked_by_the_rule),
        cmocka_unit_test(a_rule_that_blocks_comes_before_tls_that_must_end_here),
        cmocka_unit_test(a_certificate_of_the_listener_needs_no_ca),
        cmocka_unit_test(a_client_may_call_a_forward_listener_what_it_likes),
        cmocka_unit_test(an_address_belongs_to_microsoft_365_by_the_set_s_ranges),
        cmocka_unit_test(behind_a_parent_proxy_blocks_match_literal_addresses_only),
    };
    return cmocka_run_group_tests_name("policy_mail", tests, NULL, NULL);
}
