/* A session, rules and a policy for the tests of policy.c, and what was decided of them. */
#ifndef POLICY_STAGE_H
#define POLICY_STAGE_H

#include "../../lib/policy.h"
#include <string.h>

enum { TODAY = 20000 };

static inline struct tf_addr addr(const char *text)
{
    struct tf_addr a;
    assert_true(tf_addr_parse(text, strlen(text), &a));
    return a;
}

static inline struct tf_cidr cidr(const char *text)
{
    struct tf_cidr c;
    const char *error;
    assert_true(tf_cidr_parse(text, strlen(text), &c, &error));
    return c;
}

/* A session of 10.1.2.3 by listener "proxy" to www.example.com:443, whose address is known. */
static inline struct tf_facts session(uint16_t version)
{
    struct tf_facts f = {
        .source = addr("10.1.2.3"), .listener = "proxy", .has_target = true, .has_hello = true};
    assert_int_equal(tf_authority_parse("www.example.com:443", 19, 0, &f.target), TF_HOST_OK);
    f.destination = addr("93.184.216.34");
    f.hello.legacy_version = version < TF_TLS12 ? version : TF_TLS12;
    f.hello.max_version = version;
    return f;
}

static inline struct tf_rule rule(enum tf_action action)
{
    return (struct tf_rule){.name = "r", .action = action, .until_day = INT32_MAX, .owner = "", .ticket = ""};
}

static inline struct tf_policy policy(const struct tf_rule *rules, size_t n)
{
    return (struct tf_policy){.floor = TF_TLS12, .rules = rules, .rule_count = n};
}

static inline void assert_decides(const struct tf_policy *p, struct tf_facts *f, enum tf_verdict verdict,
                                  enum tf_reason reason, const struct tf_rule *by)
{
    assert_int_equal(tf_policy_decide(p, f, TODAY), TF_DECIDED);
    assert_string_equal(tf_verdict_name(f->verdict), tf_verdict_name(verdict));
    assert_string_equal(tf_reason_info(f->reason)->code, tf_reason_info(reason)->code);
    assert_ptr_equal(f->rule, by);
}

#endif
