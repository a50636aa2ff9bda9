/* Whatever a client says and whatever the rules: nobody below the floor passes but where it is monitored,
 * nobody at or above it is upgraded, and who is upgraded can be served. The input is a few bytes that choose
 * the rules and the destination, and then the client's flight. */
#include "../../lib/inside.h"
#include "../../lib/policy.h"
#include <stdlib.h>
#include <string.h>

enum { TODAY = 20000 };

static const struct tf_port_range ports[] = {{443, 443}};
static const struct tf_m365_set sets[] = {{.id = 1, .ports = ports, .port_count = 1}};
static const struct tf_m365_entry entries[] = {{"*.office.test", &sets[0]}};
static const struct tf_m365 m365 = {
    .sets = sets, .set_count = 1, .entries = entries, .ordered_count = 1, .entry_count = 1};
static const char *const never[] = {"never.office.test"};

static const struct tf_destination destinations[] = {
    {.kind = TF_TO_NAME, .pattern = "*"},
    {.kind = TF_TO_NAME, .pattern = "a.office.test"},
    {.kind = TF_TO_M365},
    {.kind = TF_TO_BLOCK, .cidr = {.base = {.family = TF_FAMILY_V4, .ip = {192}}, .bits = 8}},
};

static const char *const targets[] = {"a.office.test:443", "never.office.test:443", "b.test:443",
                                      "192.0.2.1:443", "198.51.100.1:443"};

static struct tf_rule take_rule(struct tf_reader *in)
{
    uint8_t what = tf_read_u8(in);
    return (struct tf_rule){.name = "r",
                            .action = (enum tf_action)(what & 3),
                            .until_day = what & 4 ? INT32_MAX : TODAY - 1,
                            .destinations = &destinations[what >> 4 & 3],
                            .destination_count = 1};
}

/* The client's flight, as far as it is there. */
static void take_hello(struct tf_reader *in, struct tf_facts *facts)
{
    static uint8_t scratch[TF_HELLO_MAX];
    struct tf_hello_scan scan = {.limit = TF_HELLO_MAX};
    struct tf_span flight = tf_read_span(in, in->left);
    enum tf_parse parsed = tf_client_scan(&scan, flight.p, flight.n, scratch, sizeof scratch, &facts->hello);
    facts->has_hello = parsed == TF_PARSE_DONE;
    facts->not_tls = parsed == TF_PARSE_OTHER;
    if (parsed == TF_PARSE_BAD)
        facts->reason = scan.reason;
    struct tf_span name = facts->has_hello ? facts->hello.server_name : (struct tf_span){NULL, 0};
    if (facts->target.is_address && name.n > 0 && name.n < sizeof facts->name)
        memcpy(facts->name, name.p, name.n);
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_verdict(const struct tf_policy *p, const struct tf_facts *f)
{
    bool monitored = p->monitor || (f->rule && f->rule->action == TF_ACTION_MONITOR);
    bool passes =
        f->has_hello && f->hello.format == TF_FORMAT_TLS && tf_version_passes(p, f->hello.max_version);
    enum tf_leaf leaf;

    switch (f->verdict) {
    case TF_VERDICT_TUNNEL:
        require(passes && f->reason == TF_REASON_NONE);
        break;
    case TF_VERDICT_MONITOR:
        require(monitored && f->reason != TF_REASON_NONE);
        break;
    case TF_VERDICT_BLOCK:
        require(!monitored && f->reason != TF_REASON_NONE);
        require(!passes || (f->rule && f->rule->action == TF_ACTION_BLOCK));
        break;
    case TF_VERDICT_UPGRADE:
        require(p->can_upgrade && f->has_hello && !passes && f->reason == TF_REASON_NONE);
        require(tf_version_rank(f->hello.max_version) >= TF_TLS10);
        require(tf_inside_choose(&f->hello, &leaf) == TF_REASON_NONE);
        require(!f->target.is_address || f->name[0] != '\0');
        require(strcmp(tf_policy_host(f), never[0]) != 0);
        break;
    case TF_VERDICT_NONE:
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_reader in = tf_reader_of(data, size);
    uint8_t how = tf_read_u8(&in);
    const char *to = targets[tf_read_u8(&in) % (sizeof targets / sizeof targets[0])];
    struct tf_rule rules[2] = {take_rule(&in), take_rule(&in)};
    struct tf_policy p = {.floor = how & 1 ? TF_TLS13 : TF_TLS12,
                          .monitor = how & 2,
                          .can_upgrade = how & 4,
                          .sni_mismatch = how & 8,
                          .rules = rules,
                          .rule_count = how >> 4 & 3 ? (how >> 4 & 3) - 1 : 0,
                          .m365 = how & 64 ? &m365 : NULL,
                          .never_terminate = never,
                          .never_terminate_count = 1};
    struct tf_facts facts = {
        .source = {.family = TF_FAMILY_V4, .ip = {10}}, .listener = "l", .has_target = true};

    if (in.failed || tf_authority_parse(to, strlen(to), 0, &facts.target) != TF_HOST_OK)
        return 0;
    take_hello(&in, &facts);
    if (tf_policy_decide(&p, &facts, TODAY) == TF_NEEDS_ADDRESS) {
        facts.destination = (struct tf_addr){.family = TF_FAMILY_V4, .ip = {192}};
        require(tf_policy_decide(&p, &facts, TODAY) == TF_DECIDED);
    }
    check_verdict(&p, &facts);

    /* Who is not refused is judged once more when the address is known. */
    struct tf_facts again = facts;
    if (facts.verdict != TF_VERDICT_BLOCK) {
        require(tf_policy_decide(&p, &again, TODAY) == TF_DECIDED);
        require(again.verdict == facts.verdict && again.reason == facts.reason);
    }
    return 0;
}
