/* Verdicts in words: which rule, why, and what an upgraded client would be
 * shown. */
#include "explain.h"

#include "../lib/calendar.h"
#include "ca.h"
#include "door.h"
#include <time.h>

bool explain_check(const char *name, const char *what, enum tf_reason reason)
{
    const struct tf_reason_info *info = tf_reason_info(reason);
    if (reason == TF_REASON_NONE)
        printf("  %-12s %sallowed\n", name, what);
    else
        printf("  %-12s %srefused: %s (%s); %s\n", name, what, info->sentence, info->code, info->advice);
    return reason == TF_REASON_NONE;
}

bool explain_decide(const struct conf *c, struct tf_facts *facts)
{
    /* What is not known is taken for an address that only the widest block has. */
    static const struct tf_addr elsewhere = {.family = TF_FAMILY_V4};
    int32_t today = tf_day_of(time(NULL));
    bool unsure = tf_policy_decide(&c->tf.policy, facts, today) == TF_NEEDS_ADDRESS;
    if (unsure) {
        facts->destination = elsewhere;
        tf_policy_decide(&c->tf.policy, facts, today);
    }
    return unsure;
}

static void print_rule(const struct conf *c, const struct tf_rule *rule)
{
    if (rule && rule->line > 0)
        printf("; [rule %s] at %s:%u", rule->name, c->file, rule->line);
    else if (rule)
        printf("; [rule %s] of the environment", rule->name);
    else
        printf("; no rule matches");
}

/* Why somebody passes whom the rules would not let. */
static void print_mode(const struct tf_conf *conf)
{
    char text[4352]; /* a path and a line */
    struct tf_writer w = tf_writer_of(text, sizeof text);
    const struct tf_origin *origin = tf_conf_origin(conf, "floor", "mode");
    tf_put_origin(&w, origin);
    printf("; [floor] mode = monitor %s %.*s", origin->source == TF_FROM_FILE ? "at" : "by", (int)w.len,
           text);
}

/* What the default goes by, and the record names. */
static void print_m365(const struct tf_facts *facts)
{
    if (facts->m365)
        printf("; @m365: %s, %s", tf_m365_area_name(facts->m365->area),
               tf_m365_category_name(facts->m365->category));
}

/* Where requests are read, be they plain or within TLS that ends here. */
static void print_tenants(const struct tf_conf *conf, const struct tf_facts *facts)
{
    const char *host = tf_policy_host(facts);
    bool is_read = facts->verdict == TF_VERDICT_UPGRADE ||
                   (facts->ask == TF_ASK_HTTP && facts->verdict != TF_VERDICT_BLOCK);
    if (is_read && tf_tenants_restrict(&conf->tenants, host))
        printf("; with tenant restrictions %s", tf_tenants_name(&conf->tenants));
}

void explain_verdict(const struct conf *c, struct tf_facts *facts, const char *label)
{
    bool unsure = explain_decide(c, facts);
    const struct tf_reason_info *info = tf_reason_info(facts->reason);

    printf("  %-12s %s", label, tf_verdict_name(facts->verdict));
    if (facts->reason != TF_REASON_NONE)
        printf(": %s%s%s (%s)", info->sentence, facts->detail ? ": " : "", facts->detail ? facts->detail : "",
               info->code);
    print_rule(c, facts->rule);
    if (facts->verdict == TF_VERDICT_UPGRADE && facts->must_terminate && facts->ask == TF_ASK_TUNNEL)
        printf("; every client's TLS ends at the gateway");
    if (facts->verdict != TF_VERDICT_TUNNEL)
        print_m365(facts);
    print_tenants(&c->tf, facts);
    if (tf_policy_allows_page(&c->tf.policy, facts))
        printf("; a person's browser is shown a page");
    if (facts->verdict == TF_VERDICT_MONITOR && c->tf.policy.monitor)
        print_mode(&c->tf);
    printf("%s\n", unsure ? ", unless by its address; ask again with that as --dest" : "");
}

/* A file that only the gateway may read is no reason against it. */
static void print_own_certificate(const struct tf_conf *conf, const struct tf_listener *listener)
{
    char error[DOOR_ERROR_MAX], text[512];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tls_own *own = tls_own_load(conf, listener, error, sizeof error);

    printf("  %-12s the listener's own, ", "certificate");
    if (!own) {
        printf("which cannot be read here: %s\n", error);
        return;
    }
    tls_own_put_subject(own, &w);
    tf_put_text(&w, ", until ");
    tf_put_day(&w, tls_own_expires(own));
    printf("%s (%.*s)\n", listener->certificate, (int)w.len, text);
    tls_own_free(own);
}

static void print_leaf(const struct tf_conf *conf, const struct tf_facts *facts, const char *kind)
{
    const char *name = tf_policy_host(facts);
    char error[CA_ERROR_MAX];
    bool missing;
    struct ca *ca = ca_load(conf, &missing, error, sizeof error);

    if (ca && !ca_permits(ca, name))
        explain_check("certificate", "", TF_REASON_NAME_NOT_CONSTRAINED);
    else if (!ca && !missing)
        printf("  %-12s none: %s\n", "certificate", error);
    else
        printf("  %-12s for %s with %s, by the CA in %s%s\n", "certificate", name, kind, conf->ca.directory,
               missing ? ", which the first run makes" : "");
    ca_unref(ca);
}

/* What a client would be shown whose TLS ends at the gateway. */
static void print_certificate(const struct tf_conf *conf, const struct tf_listener *listener,
                              const struct tf_facts *facts, const char *kind)
{
    if (facts->has_certificate)
        print_own_certificate(conf, listener);
    else
        print_leaf(conf, facts, kind);
}

/* Whether the gateway may stand in for the server, be it to upgrade or to show a page. */
static bool terminates(const struct conf *c, const struct tf_facts *facts)
{
    return facts->verdict == TF_VERDICT_UPGRADE || tf_policy_allows_page(&c->tf.policy, facts);
}

/* A client that offers this version at most, with what common clients have of suites and the rest. Answers
 * whether its TLS would end at the gateway. */
static bool explain_version(const struct conf *c, struct tf_facts facts, const char *label, uint16_t version)
{
    /* TLS_AES_128_GCM_SHA256, ECDHE with AES-128-GCM for either kind of key, RSA with AES-128-CBC and SHA-1
     */
    static const uint8_t suites[] = {0x13, 0x01, 0xc0, 0x2b, 0xc0, 0x2f, 0x00, 0x2f};
    static const uint8_t groups[] = {0x00, 0x1d, 0x00, 0x17}; /* x25519, secp256r1 */
    /* ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256 */
    static const uint8_t signatures[] = {0x04, 0x03, 0x08, 0x04, 0x04, 0x01};
    facts.has_hello = true;
    facts.hello = (struct tf_hello){.legacy_version = version < TF_TLS12 ? version : TF_TLS12,
                                    .max_version = version,
                                    .ciphers = {suites, sizeof suites},
                                    .groups = {groups, sizeof groups},
                                    .signature_algorithms = {signatures, sizeof signatures}};
    explain_verdict(c, &facts, label);
    return terminates(c, &facts);
}

static void explain_captured(const struct conf *c, const struct tf_listener *listener, struct tf_facts *facts)
{
    enum tf_leaf leaf;
    explain_verdict(c, facts, "verdict");
    if (terminates(c, facts) && tf_inside_choose(&facts->hello, &leaf) == TF_REASON_NONE)
        print_certificate(&c->tf, listener, facts, leaf == TF_LEAF_RSA ? "an RSA key" : "an ECDSA key");
}

void explain_tls(const struct conf *c, const struct tf_listener *listener, struct tf_facts *facts,
                 bool is_captured)
{
    static const struct {
        const char *label;
        uint16_t version;
    } clients[] = {{"TLS 1.0", TF_TLS10}, {"TLS 1.2", TF_TLS12}, {"TLS 1.3", TF_TLS13}};
    bool any = false;

    if (is_captured) {
        explain_captured(c, listener, facts);
        return;
    }
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
        any |= explain_version(c, *facts, clients[i].label, clients[i].version);
    if (any)
        print_certificate(&c->tf, listener, facts, "an RSA key, or an ECDSA one where the client takes it");
}

bool explain_plain(const struct conf *c, const struct tf_facts *facts)
{
    struct tf_facts plain = *facts;
    bool is_mail = facts->mail != TF_MAIL_NONE;
    plain.ask = is_mail ? TF_ASK_MAIL : TF_ASK_HTTP;
    explain_verdict(c, &plain, is_mail ? "plain mail" : "plain HTTP");
    if (tf_policy_stays_plain(&c->tf.policy, &plain))
        printf("  %-12s not upgraded: tlsfloor endpoints lookup %s:%u tells why it stays plain\n", "",
               plain.target.host, plain.target.port);
    return plain.verdict == TF_VERDICT_UPGRADE;
}
