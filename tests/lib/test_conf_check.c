/* conf_check.c and conf_check_rules.c: what only the whole can show. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"
#include <stdio.h>

static struct stage s;

static void required_keys_are_missed_once(void **state)
{
    (void)state;
    assert_refused(&s, "[listener a]\nkind = sni\n",
                   "error t.ini:1: [listener a] has no listen; write listen = and a list of ADDRESS:PORT\n");
    assert_int_equal(s.load.errors, 1);
    assert_refused(&s, STAGE_LISTENER "[rule a]\nport = 25\n",
                   "[rule a] has no action; write action = and tunnel, upgrade, block or monitor\n");
}

static void an_open_proxy_is_refused_unless_told(void **state)
{
    static const char *const sources[] = {"public", "0.0.0.0/0", "::/0", "2000::/3",
                                          "0.0.0.0/1, 128.0.0.0/1"};
    static const char *const addresses[] = {"0.0.0.0:1", "[::]:1", "*:1", "8.8.8.8:1", "[2600::1]:1"};
    char lines[256];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            snprintf(lines, sizeof lines, "[listener a]\nlisten = %s\n[access]\nsource = %s\n", addresses[j],
                     sources[i]);
            assert_refused(&s, lines, "error t.ini:4: [listener a] would be an open proxy");
            assert_int_equal(s.load.errors, 1);
            strcat(lines, "open_proxy = on\n");
            assert_fine(&s, lines);
        }
    }
}

static void own_networks_on_a_public_address_are_fine(void **state)
{
    (void)state;
    assert_fine(&s, "[listener a]\nlisten = *:1\n");
    assert_fine(
        &s, "[listener a]\nlisten = *:1\n[access]\nsource = private, 9.0.0.0/8, fc00::/7, 2600:1000::/32\n");
    assert_fine(&s, "[listener a]\nlisten = 127.0.0.1:1, 10.0.0.1:1, [::1]:1\n[access]\nsource = public\n");
}

static void a_server_that_is_published_for_nobody_is_warned_of(void **state)
{
    static const char forward[] = "kind = forward\nupstream = a\n";
    static const char *const fine[] = {
        "[listener a]\nlisten = 10.0.0.1:1, *:2\nkind = sni\n",
        "[listener a]\nlisten = 203.0.113.5:1\n",
        "[listener a]\nlisten = 203.0.113.5:1\nkind = sni\n[access]\nsource = 203.0.113.64/26\n",
        "[listener a]\nlisten = 203.0.113.5:1\nkind = sni\n[access]\nsource = 0.0.0.0/0\nopen_proxy = on\n",
        "[listener a]\nlisten = 203.0.113.5:1\nkind = sni\n[access]\nsource = public\nopen_proxy = on\n",
    };
    char lines[256];
    (void)state;
    snprintf(lines, sizeof lines, "[listener a]\nlisten = 10.0.0.1:1, 203.0.113.5:1\n%s", forward);
    assert_said(
        &s, lines,
        "warning t.ini:2: [listener a] listens on a public address, and [access] source lets nobody in "
        "who has one; add ");
    assert_said(&s, "[listener a]\nlisten = 8.8.8.8:1\nkind = sni\n", "listens on a public address");
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_fine(&s, fine[i]);
}

static void a_rule_for_an_unknown_listener_is_refused(void **state)
{
    (void)state;
    assert_refused(
        &s, STAGE_LISTENER "[rule a]\naction = block\nlistener = prxy\n",
        "error t.ini:5: [rule a] names the listener prxy, which is not there; did you mean proxy?\n");
}

/* Today is 2024-10-04. */
static void rules_that_end_are_counted_down(void **state)
{
    (void)state;
    assert_said(
        &s, STAGE_LISTENER "[rule a]\naction = block\nuntil = 2024-10-03\nowner = print team\n",
        "warning t.ini:5: [rule a] ended on 2024-10-03, 1 day ago, and no longer applies (owner print "
        "team); take it out, or agree on a later day\n");
    assert_said(&s, STAGE_LISTENER "[rule a]\naction = block\nuntil = 2024-10-04\n",
                "note t.ini:5: [rule a] ends on 2024-10-04, today\n");
    assert_said(&s,
                STAGE_LISTENER
                "[rule a]\naction = block\nuntil = 2024-10-14\nowner = print team\nticket = CHG-1042\n",
                "note t.ini:5: [rule a] ends on 2024-10-14, in 10 days (owner print team, CHG-1042)\n");
    assert_said(&s, STAGE_LISTENER "[rule a]\naction = block\nuntil = 2025-01-02\nticket = CHG-1042\n",
                "note t.ini:5: [rule a] ends on 2025-01-02, in 90 days (CHG-1042)\n");
    assert_fine(&s, STAGE_LISTENER "[rule a]\naction = block\nuntil = 2025-01-03\n");
}

static void a_rule_that_an_earlier_one_hides_is_warned_of(void **state)
{
    static const char *const hidden[][2] = {
        {"", "port = 25\n"},
        {"port = 25-100\n", "port = 30, 40-50\n"},
        {"source = 10.0.0.0/8\n", "source = 10.1.0.0/16, 10.2.3.4\n"},
        {"destination = *.example.com\n", "destination = a.example.com, *.b.example.com\n"},
        {"destination = *\n", "destination = 10.0.0.0/8, a.b\n"},
        {"destination = 10.0.0.0/8\n", "destination = 10.0.0.1\n"},
        {"destination = @m365\n", "destination = @m365:Exchange, @m365:allow, @m365\n"},
        {"destination = @m365:Teams\n", "destination = @m365:Skype\n"},
        {"destination = *\n", "destination = @m365\n"},
        {"listener = proxy, other\n", "listener = other\n"},
        {"until = 2099-01-01\n", "until = 2098-01-01\n"},
    };
    static const char *const reached[][2] = {
        {"port = 25\n", ""},
        {"port = 25-100\n", "port = 30, 101\n"},
        {"source = 10.0.0.0/8\n", "source = 10.1.0.0/16, 11.0.0.0/8\n"},
        {"source = 10.1.0.0/16\n", "source = 10.0.0.0/8\n"},
        {"destination = *.example.com\n", "destination = example.com\n"},
        {"destination = *.b.example.com\n", "destination = *.example.com\n"},
        {"destination = *.example.com\n", "destination = 10.0.0.0/8\n"},
        {"destination = 10.0.0.0/8\n", "destination = *.example.com\n"},
        {"destination = @m365:Exchange\n", "destination = @m365\n"},
        {"destination = @m365:Exchange\n", "destination = @m365:optimize\n"},
        {"destination = @m365:allow\n", "destination = @m365:optimize\n"},
        {"destination = @m365\n", "destination = outlook.office365.com\n"},
        {"destination = *.office365.com\n", "destination = @m365\n"},
        {"listener = proxy\n", "listener = other\n"},
        {"until = 2098-01-01\n", "until = 2099-01-01\n"},
        {"until = 2098-01-01\n", ""},
    };
    char lines[512];
    (void)state;
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        snprintf(lines, sizeof lines,
                 STAGE_LISTENER "[listener other]\nlisten = 127.0.0.1:2\n[rule a]\naction = block\n%s[rule "
                                "b]\naction = monitor\n%s",
                 hidden[i][0], hidden[i][1]);
        assert_said(&s, lines, "[rule b] can never match: [rule a] in line 5 matches all of it first");
    }
    for (size_t i = 0; i < sizeof reached / sizeof reached[0]; i++) {
        snprintf(lines, sizeof lines,
                 STAGE_LISTENER "[listener other]\nlisten = 127.0.0.1:2\n[rule a]\naction = block\n%s[rule "
                                "b]\naction = monitor\n%s",
                 reached[i][0], reached[i][1]);
        assert_fine(&s, lines);
    }
}

static void upgrades_need_a_ca(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[ca]\ndirectory = off\n[rule a]\naction = upgrade\n",
                   "error t.ini:6: [rule a] action = upgrade needs a CA, and [ca] directory is off; write a "
                   "directory there, or action = tunnel here\n");
    assert_fine(&s, STAGE_LISTENER "[ca]\ndirectory = off\n");
    assert_fine(&s, STAGE_LISTENER "[rule a]\naction = upgrade\n");
}

/* Clients of such a listener are shown its own certificate. */
static void an_upgrade_for_listeners_with_certificates_needs_no_ca(void **state)
{
    (void)state;
    static const char own[] =
        STAGE_LISTENER "[listener own]\nlisten = :1\nkind = forward\nupstream = a.test\n"
                       "certificate = c.pem\n[ca]\ndirectory = off\n"
                       "[rule a]\naction = upgrade\nlistener = own\n";
    assert_fine(&s, own);
}

/* A rule for any listener, as long as none without a certificate leads to its destinations. */
static void an_upgrade_that_only_listeners_with_certificates_lead_to_needs_no_ca(void **state)
{
    static const char off[] = "[listener adfs]\nlisten = 127.0.0.1:1\nkind = forward\nupstream = adfs.test\n"
                              "certificate = c\n[ca]\ndirectory = off\n"
                              "[rule r]\ndestination = *.test\naction = upgrade\n";
    static const char *const others[] = {"kind = forward\nupstream = other.example\n",
                                         "kind = forward\nupstream = other.test\n", "kind = connect\n"};
    char lines[512];
    (void)state;
    assert_fine(&s, off);
    for (size_t i = 0; i < 3; i++) {
        snprintf(lines, sizeof lines, "%s[listener x]\nlisten = 127.0.0.1:2\n%s", off, others[i]);
        if (i == 0)
            assert_fine(&s, lines);
        else
            assert_refused(&s, lines, "[rule r] action = upgrade needs a CA");
    }
}

static void a_key_needs_its_certificate(void **state)
{
    (void)state;
    assert_refused(
        &s, STAGE_LISTENER "[upstream]\nkey = k.pem\n",
        "error t.ini:4: [upstream] has key but no certificate; write certificate = and its file, or leave ");
    assert_fine(&s, STAGE_LISTENER "[upstream]\ncertificate = c.pem\n");
}

static void a_parent_proxy_has_a_port_and_whoever_logs_in_a_password(void **state)
{
    static const char *const errors[][2] = {
        {"proxy = P.example\n", "error t.ini:4: [upstream] proxy = p.example has no port; write proxy = "
                                "p.example:3128, or what its port "
                                "is\n"},
        {"proxy = p:1\nproxy_user = u\n", "error t.ini:5: [upstream] has proxy_user but no "
                                          "proxy_password_file; write proxy_password_file = and "},
        {"proxy = p:1\nproxy_password_file = f\n", "[upstream] has proxy_password_file but no proxy_user; "},
    };
    static const char *const warnings[][2] = {
        {"proxy_bypass = *.example\n", "warning t.ini:4: [upstream] has proxy_bypass but no proxy; write "
                                       "proxy = HOST:PORT, or leave it out\n"},
        {"proxy_user = u\nproxy_password_file = f\n",
         "warning t.ini:4: [upstream] has proxy_user but no proxy; "},
    };
    char lines[256];
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        snprintf(lines, sizeof lines, STAGE_LISTENER "[upstream]\n%s", errors[i][0]);
        assert_refused(&s, lines, errors[i][1]);
        assert_int_equal(s.load.errors, 1);
    }
    for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
        snprintf(lines, sizeof lines, STAGE_LISTENER "[upstream]\n%s", warnings[i][0]);
        assert_said(&s, lines, warnings[i][1]);
    }
    assert_fine(&s, STAGE_LISTENER "[upstream]\nproxy = p:8080\nproxy_user = u\nproxy_password_file = f\n"
                                   "proxy_bypass = *.example, 10.0.0.0/8, @m365\n");
}

static void one_file_for_both_logs_is_refused(void **state)
{
    (void)state;
    assert_refused(
        &s, STAGE_LISTENER "[log]\nblock = a.log\naccess = a.log\n",
        "error t.ini:5: [log] access and [log] block are both a.log; give each a file of its own\n");
    assert_refused(&s, STAGE_LISTENER "[log]\naccess = -\n",
                   "error t.ini:4: [log] access and [log] block are both standard output; ");
    assert_fine(&s, STAGE_LISTENER "[log]\nblock = off\naccess = off\n");
    assert_fine(&s, STAGE_LISTENER "[log]\nblock = a.log\naccess = -\n");
    assert_fine(&s, STAGE_LISTENER "[log]\nblock = syslog:\naccess = syslog:\n");
}

static void an_admin_address_that_others_reach_is_warned_of(void **state)
{
    static const char *const open[] = {"*:9180", "0.0.0.0:9180", "10.0.0.1:9180", "[::]:9180",
                                       "8.8.8.8:9180"};
    static const char *const closed[] = {"127.0.0.1:9180", "127.1.2.3:9180", "[::1]:9180", "off"};
    char lines[128];
    (void)state;
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        snprintf(lines, sizeof lines, STAGE_LISTENER "[admin]\nlisten = %s\n", open[i]);
        assert_said(&s, lines, "warning t.ini:4: [admin] listen = ");
        assert_non_null(strstr(s.text, " has no access control, "));
    }
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        snprintf(lines, sizeof lines, STAGE_LISTENER "[admin]\nlisten = %s\n", closed[i]);
        assert_fine(&s, lines);
    }
    /* What could not be read is not judged. */
    assert_refused(&s, STAGE_LISTENER "[admin]\nlisten = 9180\n", "error t.ini:4: [admin] listen = 9180: ");
    assert_null(strstr(s.text, "warning"));
}

static void a_rule_that_cannot_be_read_hides_no_other(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[rule a]\naction = block\nport = x\n[rule b]\naction = monitor\n",
                   "x is no port");
    assert_null(strstr(s.text, "can never match"));
}

static void blocks_that_open_cloud_credentials_are_warned_of(void **state)
{
    (void)state;
    assert_said(&s, STAGE_LISTENER "[access]\ndestination = 0.0.0.0/0\n",
                "warning t.ini:4: [access] destination opens 169.254.169.254");
    assert_fine(&s, STAGE_LISTENER "[access]\ndestination = 0.0.0.0/0, metadata\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required_keys_are_missed_once),
        cmocka_unit_test(an_open_proxy_is_refused_unless_told),
        cmocka_unit_test(own_networks_on_a_public_address_are_fine),
        cmocka_unit_test(a_server_that_is_published_for_nobody_is_warned_of),
        cmocka_unit_test(a_rule_for_an_unknown_listener_is_refused),
        cmocka_unit_test(rules_that_end_are_counted_down),
        cmocka_unit_test(a_rule_that_an_earlier_one_hides_is_warned_of),
        cmocka_unit_test(upgrades_need_a_ca),
        cmocka_unit_test(an_upgrade_for_listeners_with_certificates_needs_no_ca),
        cmocka_unit_test(an_upgrade_that_only_listeners_with_certificates_lead_to_needs_no_ca),
        cmocka_unit_test(a_key_needs_its_certificate),
        cmocka_unit_test(a_parent_proxy_has_a_port_and_whoever_logs_in_a_password),
        cmocka_unit_test(one_file_for_both_logs_is_refused),
        cmocka_unit_test(an_admin_address_that_others_reach_is_warned_of),
        cmocka_unit_test(a_rule_that_cannot_be_read_hides_no_other),
        cmocka_unit_test(blocks_that_open_cloud_credentials_are_warned_of),
    };
    return cmocka_run_group_tests_name("conf_check", tests, NULL, NULL);
}
