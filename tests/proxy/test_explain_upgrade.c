/* explain_verdict.c: who would be upgraded, by what, and what the client would be shown. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/ca.h"
#include "../../proxy/conf_load.h"
#include "../lib/hello_maker.h"
#include "command_stage.h"

static struct output o;
static char top[32], file[64];

static int begin(void **state)
{
    (void)state;
    strcpy(top, "/tmp/tlsfloor-explain-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(file, sizeof file, "%s/t.ini", top);
    return 0;
}

static int end(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

#define CONNECT "[listener proxy]\nlisten = 127.0.0.1:3128\n"
#define RULE    "[rule old]\ndestination = *.floor.test\naction = upgrade\n"

static void write_lines(const char *lines)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fprintf(f, "%s[ca]\ndirectory = %s/ca\n", lines, top);
    fclose(f);
}

static void explain_hello(const char *lines, const char *dest, const char *hello)
{
    const char *argv[] = {
        "explain", "-c", file, "--client", "10.1.1.1", "--dest", dest, hello ? "--hello" : NULL, hello, NULL};
    write_lines(lines);
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
}

static void explain(const char *lines, const char *dest)
{
    explain_hello(lines, dest, NULL);
}

/* With a captured hello of TLS 1.0; `name` may be NULL. */
static void explain_captured(const char *lines, const char *dest, uint16_t suite, const char *name)
{
    static struct maker suites, extensions, body, message, wire;
    suites.n = extensions.n = body.n = message.n = wire.n = 0;
    put_uint(&suites, suite, 2);
    if (name)
        put_sni(&extensions, name);
    put_extension(&extensions, 10, "\0\2\0\x17", 4);
    put_client_hello(
        &body, (struct client_hello){.version = TF_TLS10, .ciphers = &suites, .extensions = &extensions});
    put_message(&message, 1, &body);
    put_records(&wire, &message, 16384, 16384);
    char *hello = stage_file(wire.p, wire.n);
    explain_hello(lines, dest, hello);
    unlink(hello);
}

static void by_default_microsoft_365_is_upgraded(void **state)
{
    char expected[256];
    (void)state;
    explain(CONNECT, "outlook.office365.com:443");
    assert_has(o.out, "TLS 1.0      upgrade; no rule matches; @m365: Exchange, Optimize\n");
    assert_has(o.out, "TLS 1.2      tunnel; no rule matches\n");
    assert_has(o.out, "TLS 1.3      tunnel; no rule matches\n");
    snprintf(expected, sizeof expected,
             "certificate  for outlook.office365.com with an RSA key, or an ECDSA one where the client takes "
             "it, by "
             "the CA in %s/ca, which the first run makes\n",
             top);
    assert_has(o.out, expected);
    explain(CONNECT, "www.example.com:443");
    assert_has(o.out, "TLS 1.0      block: the client offers no TLS version at or above the floor "
                      "(client-below-floor); no rule matches\n");
    assert_null(strstr(o.out, "certificate"));
}

static void where_requests_are_read_tenant_restrictions_are_told_of(void **state)
{
    static const char lines[] = CONNECT "[tenant_restrictions]\nversion = v2\n"
                                        "policy = 11111111-2222-3333-4444-555555555555:"
                                        "11111111-2222-3333-4444-555555555555\n";
    (void)state;
    explain(lines, "login.microsoftonline.com:443");
    assert_has(o.out,
               "TLS 1.0      upgrade; no rule matches; @m365: Common, Allow; with tenant restrictions v2\n");
    assert_has(o.out, "TLS 1.2      tunnel; no rule matches\n");
    assert_has(o.out,
               "plain HTTP   upgrade; no rule matches; @m365: Common, Allow; with tenant restrictions v2\n");
    explain(lines, "outlook.office365.com:443");
    assert_null(strstr(o.out, "tenant"));
}

static void a_rule_that_upgrades_is_named(void **state)
{
    (void)state;
    explain(CONNECT RULE, "a.floor.test:443");
    assert_has(o.out, "TLS 1.0      upgrade; [rule old] at /tmp/");
    assert_has(o.out, "TLS 1.2      tunnel; [rule old] at /tmp/");
    assert_has(o.out, "certificate  for a.floor.test with ");
}

static void a_floor_of_1_3_upgrades_1_2(void **state)
{
    (void)state;
    explain(CONNECT "[floor]\nminimum = 1.3\n", "outlook.office365.com:443");
    assert_has(o.out, "TLS 1.2      upgrade; no rule matches; @m365: ");
    assert_has(o.out, "TLS 1.3      tunnel; ");
}

static void without_a_ca_it_is_a_block(void **state)
{
    (void)state;
    setenv("TLSFLOOR_CA_DIRECTORY", "off", 1);
    explain(CONNECT, "outlook.office365.com:443");
    unsetenv("TLSFLOOR_CA_DIRECTORY");
    assert_has(o.out, "(client-below-floor); no rule matches; @m365: Exchange, Optimize\n");
    assert_has(o.out, "plain HTTP   tunnel; no rule matches\n");
}

static void a_captured_hello_tells_the_kind_of_certificate(void **state)
{
    (void)state;
    explain_captured(CONNECT RULE, "a.floor.test:443", 0x002f, NULL);
    assert_has(o.out, "verdict      upgrade; [rule old]");
    assert_has(o.out, "certificate  for a.floor.test with an RSA key, by the CA in ");
    explain_captured(CONNECT RULE, "a.floor.test:443", 0xc009, NULL);
    assert_has(o.out, "certificate  for a.floor.test with an ECDSA key, by the CA in ");
    assert_null(strstr(o.out, "plain HTTP"));
}

static void a_captured_hello_that_cannot_be_served_is_told_why(void **state)
{
    (void)state;
    explain_captured(CONNECT RULE, "a.floor.test:443", 0x0005, NULL);
    assert_has(o.out, "verdict      block: the client offers no cipher suite that an upgrade could use "
                      "(no-common-suite); [rule old]");
    explain_captured(CONNECT RULE, "a.floor.test:443", 0x002f, "b.floor.test");
    assert_has(o.out, "(sni-mismatch); [rule old]");
    assert_null(strstr(o.out, "certificate  "));
}

static void behind_an_address_the_name_in_the_hello_counts(void **state)
{
    (void)state;
    explain_captured(CONNECT RULE, "93.184.1.1:443", 0x002f, "a.floor.test");
    assert_has(o.out, "verdict      upgrade; [rule old]");
    assert_has(o.out, "certificate  for a.floor.test with an RSA key");
    explain_captured(CONNECT RULE, "93.184.1.1:443", 0x002f, NULL);
    assert_has(o.out, "verdict      block: ");
}

static void a_ca_that_may_not_vouch_for_the_name_says_so(void **state)
{
    char error[CA_ERROR_MAX];
    (void)state;
    write_lines(CONNECT RULE);
    struct conf *c = conf_load(file, stderr);
    assert_non_null(c);
    assert_true(ca_make(&c->tf, false, error, sizeof error));
    conf_unref(c);
    explain(CONNECT RULE, "a.floor.test:443");
    assert_has(o.out, ", by the CA in ");
    assert_null(strstr(o.out, "which the first run makes"));
    explain(CONNECT "[rule new]\naction = upgrade\n", "a.example:443");
    assert_has(
        o.out,
        "certificate  refused: the gateway's CA is not allowed to vouch for this name (name-outside-ca)");
}

static void plain_http_is_judged_beside_tls(void **state)
{
    (void)state;
    explain(CONNECT, "outlook.office365.com:80");
    assert_has(o.out, "plain HTTP   upgrade; no rule matches; @m365: Exchange, Optimize\n");
    assert_has(o.out, "port         443 (of the upgrade): allowed\n");
    explain(CONNECT "[access]\nport = 80\n", "outlook.office365.com:80");
    assert_has(o.out, "port         443 (of the upgrade): refused: ");
    explain(CONNECT "[upstream]\nresolve = outlook.office365.com:443:93.184.1.1:8443\n"
                    "resolve = outlook.office365.com:80:93.184.1.1:8080\n",
            "outlook.office365.com:80");
    assert_has(o.out, "port         443 (of the upgrade): allowed\n"
                      "  resolve      93.184.1.1:8443, by [upstream] resolve\n");
    explain(CONNECT RULE, "crl.microsoft.com:80");
    assert_has(o.out,
               "plain HTTP   tunnel; no rule matches\n"
               "               not upgraded: tlsfloor endpoints lookup crl.microsoft.com:80 tells why");
    explain(CONNECT RULE, "www.example.com:80");
    assert_null(strstr(o.out, "not upgraded"));
}

static void a_forward_listener_has_plain_http_to_its_upstream(void **state)
{
    (void)state;
    explain("[listener f]\nlisten = 127.0.0.1:1\nkind = forward\nprotocol = http\nupstream = "
            "outlook.office365.com\n",
            "a.example:25");
    assert_has(o.out, "listener f (forward), 127.0.0.1:1:\n");
    assert_has(o.out, "upstream     outlook.office365.com, whatever --dest says\n");
    assert_has(o.out, "port         80 (the upstream's): allowed\n");
    assert_has(o.out, "plain HTTP   upgrade; ");
    assert_null(strstr(o.out, "TLS 1.0"));
}

static void clients_whose_tls_ends_here_in_any_case_are_told_of(void **state)
{
    static const char lines[] = "[listener f]\nlisten = 127.0.0.1:1\nkind = forward\n"
                                "upstream = a.floor.test\nclient_tls = implicit\n";
    static const char *const versions[] = {"TLS 1.2", "TLS 1.3"};
    char expected[128];
    (void)state;
    explain(lines, "a.example:443");
    for (size_t i = 0; i < 2; i++) {
        snprintf(expected, sizeof expected,
                 "%s      upgrade; no rule matches; every client's TLS ends at the gateway\n", versions[i]);
        assert_has(o.out, expected);
    }
    assert_has(o.out, "TLS 1.0      block: the client offers no TLS version at or above the floor");
    assert_has(o.out, "certificate  for a.floor.test with ");
}

/* Who never gets to a hello is not told of verdicts on hellos. */
static void plain_mail_that_must_be_upgraded_and_is_not_ends_it(void **state)
{
    static const char lines[] = "[listener f]\nlisten = 127.0.0.1:1\nkind = forward\nprotocol = smtp\n"
                                "upstream = a.floor.test:465\nclient_tls = optional\n";
    char text[512];
    (void)state;
    explain(lines, "a.example:443");
    assert_has(o.out, "plain mail   block: ");
    assert_null(strstr(o.out, "TLS 1.0"));
    snprintf(text, sizeof text, "%s%s", lines, RULE);
    explain(text, "a.example:443");
    assert_has(o.out, "plain mail   upgrade; [rule old]");
    assert_has(o.out, "TLS 1.3      upgrade; [rule old]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_default_microsoft_365_is_upgraded),
        TEST(where_requests_are_read_tenant_restrictions_are_told_of),
        TEST(a_rule_that_upgrades_is_named),
        TEST(a_floor_of_1_3_upgrades_1_2),
        TEST(without_a_ca_it_is_a_block),
        TEST(a_captured_hello_tells_the_kind_of_certificate),
        TEST(a_captured_hello_that_cannot_be_served_is_told_why),
        TEST(behind_an_address_the_name_in_the_hello_counts),
        TEST(a_ca_that_may_not_vouch_for_the_name_says_so),
        TEST(plain_http_is_judged_beside_tls),
        TEST(a_forward_listener_has_plain_http_to_its_upstream),
        TEST(clients_whose_tls_ends_here_in_any_case_are_told_of),
        TEST(plain_mail_that_must_be_upgraded_and_is_not_ends_it),
    };
    return cmocka_run_group_tests_name("explain_upgrade", tests, NULL, NULL);
}
