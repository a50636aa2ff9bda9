/* conf_check_listeners.c: what the keys of a listener mean together. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"
#include <stdio.h>

#define LISTENER "[listener x]\nlisten = 127.0.0.1:1\n"
#define FORWARD  LISTENER "kind = forward\nprotocol = "
#define HTTP     FORWARD "http\nupstream = a\n"
#define TLS      FORWARD "tls\nupstream = a\n"
#define SMTP     FORWARD "smtp\nupstream = a\n"
#define IMAP     FORWARD "imap\nupstream = a\n"

static struct stage s;

/* The load fails with `expected` alone. */
static void assert_error(const char *lines, const char *expected)
{
    assert_refused(&s, lines, expected);
    assert_int_equal(s.load.errors, 1);
    assert_null(strstr(s.text, "warning"));
}

static void without_a_listener_the_error_says_what_to_write(void **state)
{
    (void)state;
    assert_error(
        "",
        "error t.ini: there is no listener; write [listener proxy] and below it listen = 127.0.0.1:3128\n");
}

static void two_listeners_cannot_have_one_address(void **state)
{
    static const char *const bad[] = {
        STAGE_LISTENER "[listener b]\nlisten = 127.0.0.1:3128\n",
        "[listener a]\nlisten = 127.0.0.1:1, 127.0.0.1:1\n",
        "[listener a]\nlisten = *:1\n[listener b]\nlisten = [::]:1\n",
        "[listener a]\nlisten = 0.0.0.0:1\n[listener b]\nlisten = :1\n",
        STAGE_LISTENER "[admin]\nlisten = 127.0.0.1:3128\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_error(bad[i], "; give one of them another port");
    assert_fine(&s, "[listener a]\nlisten = 127.0.0.1:0\n[listener b]\nlisten = 127.0.0.1:0\n");
    assert_fine(&s, "[listener a]\nlisten = 0.0.0.0:1\n[listener b]\nlisten = [::]:1\n");
    assert_fine(&s, "[listener a]\nlisten = 0.0.0.0:1\n[listener b]\nlisten = 127.0.0.1:1\n");
}

static void an_upstream_has_the_port_of_its_protocol(void **state)
{
    static const struct {
        const char *protocol;
        uint16_t port;
    } rows[] = {{"tls", 443}, {"http", 80}, {"smtp", 587}, {"imap", 143}, {"pop3", 110}};
    char lines[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(lines, sizeof lines, FORWARD "%s\nupstream = Outlook.Office365.com\n", rows[i].protocol);
        assert_fine(&s, lines);
        assert_string_equal(s.conf.listeners->upstream.host, "outlook.office365.com");
        assert_int_equal(s.conf.listeners->upstream.port, rows[i].port);
    }
    assert_fine(&s, FORWARD "smtp\nupstream = [2001:db8::1]:465\n");
    assert_string_equal(s.conf.listeners->upstream.host, "2001:db8::1");
    assert_int_equal(s.conf.listeners->upstream.port, 465);
}

static void a_wrong_upstream_is_refused_once(void **state)
{
    static const char *const upstreams[] = {"a..b", "a:0", "a:65536", "[::1", "::1:80"};
    char lines[256];
    (void)state;
    for (size_t i = 0; i < sizeof upstreams / sizeof upstreams[0]; i++) {
        snprintf(lines, sizeof lines, FORWARD "http\nupstream = %s\n", upstreams[i]);
        assert_error(lines, "write HOST or HOST:PORT");
    }
    assert_error(FORWARD "http\n",
                 "error t.ini:1: [listener x] has kind = forward but no upstream; write upstream =");
}

static void ports_that_are_not_allowed_are_warned_of(void **state)
{
    (void)state;
    assert_said(&s, FORWARD "http\nupstream = a:8080\n",
                "warning t.ini:5: [listener x] dials port 8080, which [access] port does not allow; add it");
    assert_fine(&s, FORWARD "http\nupstream = a:8080\n[access]\nport = 8080\n");
    assert_said(&s, LISTENER "kind = sni\nport = 8443\n",
                "warning t.ini:4: [listener x] dials port 8443, which [access] port does not allow");
}

static void ports_of_mail_need_the_protocol_that_servers_speak_there(void **state)
{
    (void)state;
    assert_said(
        &s, FORWARD "tls\nupstream = a:587\n",
        "warning t.ini:5: [listener x] dials port 587, where servers speak smtp; write kind = forward and "
        "protocol = smtp, or another port\n");
    assert_said(&s, FORWARD "smtp\nupstream = a:143\n", "where servers speak imap; ");
    assert_said(&s, FORWARD "http\nupstream = a:110\n", "where servers speak pop3; ");
    assert_said(&s, LISTENER "kind = sni\nport = 25\n",
                "warning t.ini:4: [listener x] dials port 25, where servers speak smtp; ");
    assert_said(&s, LISTENER "kind = sni\n[access]\nport = 80\n",
                "warning t.ini:1: [listener x] dials port 443, which [access] port does not allow");
    assert_said(&s, FORWARD "smtp\nupstream = a:993\n", "dials port 993, where servers speak imap; ");
    assert_said(&s, FORWARD "smtp\nupstream = a:995\n", "dials port 995, where servers speak pop3; ");
    assert_said(&s, FORWARD "imap\nupstream = a:465\n", "dials port 465, where servers speak smtp; ");
    assert_fine(&s, FORWARD "imap\nupstream = a:993\n");
    assert_fine(&s, FORWARD "smtp\nupstream = a:25\n");
    assert_fine(&s, FORWARD "tls\nupstream = a:465\n");
    assert_fine(&s, LISTENER "kind = sni\nport = 993\n");
}

static void an_upstream_that_is_the_parent_proxy_is_warned_of(void **state)
{
    (void)state;
    assert_said(&s, FORWARD "http\nupstream = p:80\n[upstream]\nproxy = P:80\n",
                "warning t.ini:5: [listener x] upstream is the parent proxy, which is gone through anyway; ");
    assert_fine(&s, FORWARD "http\nupstream = p:443\n[upstream]\nproxy = p:80\n");
}

/* Each with the kinds that have no use for it. */
static void keys_of_other_kinds_are_told_of(void **state)
{
    static const char *const rows[][2] = {
        {LISTENER "port = 8443\n",
         "warning t.ini:3: [listener x] port means nothing with kind = connect; leave it out"},
        {HTTP "port = 8443\n", "port means nothing with kind = forward and protocol = http; leave it out"},
        {LISTENER "intercept = tproxy\n", "intercept means nothing with kind = connect; leave it out"},
        {LISTENER "kind = sni\nprotocol = http\n", "protocol means nothing with kind = sni; leave it out"},
        {LISTENER "kind = transparent\nclient_tls = implicit\n",
         "client_tls means nothing with kind = transparent; leave it out"},
        {LISTENER "kind = sni\ncertificate = c\n",
         "certificate means nothing with kind = sni; clients whose TLS ends there see one of [ca]"},
        {IMAP "server_tls = opportunistic\n",
         "server_tls means nothing with kind = forward and protocol = imap"},
        {LISTENER "server_name = a\n", "server_name means nothing with kind = connect"},
        {LISTENER "send_proxy = v1\n", "send_proxy means nothing with kind = connect"},
    };
    static const char *const fine[] = {
        LISTENER "kind = sni\nport = 993\n",
        LISTENER "kind = transparent\nintercept = tproxy\nserver_name = a\n",
        SMTP "server_tls = opportunistic\nserver_name = a\nsend_proxy = v2\naccept_proxy = on\n",
        LISTENER
        "port = 443\nintercept = redirect\nprotocol = tls\nupstream =\nclient_tls = none\ntls = off\n"
        "users =\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_said(&s, rows[i][0], rows[i][1]);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_fine(&s, fine[i]);
}

/* Somebody relies on what such a key promises, so that a warning is not enough. */
static void keys_whose_absence_makes_a_listener_weaker_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {LISTENER "upstream = a\n", "error t.ini:3: [listener x] upstream means nothing with kind = connect; "
                                    "write kind = forward, or leave "},
        {LISTENER "client_tls = implicit\n",
         "kind = connect; for clients that speak TLS to the listener, write tls = on"},
        {HTTP "client_tls = optional\n",
         "protocol = http; for clients that speak TLS to the listener, write tls = on"},
        {SMTP "tls = on\ncertificate = c\nclient_tls = optional\n",
         "for TLS that ends here, write client_tls = implicit"},
        {TLS "tls = on\ncertificate = c\n", "for TLS that ends here, write client_tls = implicit"},
        {LISTENER "kind = sni\nusers = u\n", "users means nothing with kind = sni; nobody can log in there"},
        {LISTENER "kind = transparent\nusers = u\n", "nobody can log in there"},
        {TLS "users = u\n", "nobody can log in there"},
        {LISTENER "bridge = xoauth2\n",
         "bridge means nothing with kind = connect; write kind = forward and protocol = smtp, imap or pop3"},
        {TLS "bridge = xoauth2\n", "bridge means nothing with kind = forward and protocol = tls; "},
        {TLS "client_tls = optional\n", "error t.ini:6: [listener x] is no mail, and only mail has STARTTLS; "
                                        "write client_tls = implicit or none"},
        {TLS "client_tls = starttls\n", "is no mail, and only mail has STARTTLS"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_error(rows[i][0], rows[i][1]);
    assert_refused(
        &s, LISTENER "kind = sni\ntls = on\n",
        "tls means nothing with kind = sni; clients there speak TLS with the server; leave it out");
}

static void keys_without_their_partner_are_told_of(void **state)
{
    static const char *const errors[][2] = {
        {LISTENER "tls = on\n",
         "error t.ini:3: [listener x] has tls but no certificate; write certificate = and its file"},
        {HTTP "key = k\n", "has key but no certificate; "},
        {SMTP "users = u\n",
         "error t.ini:6: [listener x] has users but no bridge; without it logins are the server's"},
    };
    static const char *const warnings[][2] = {
        {LISTENER "certificate = c\n",
         "has certificate but no tls; write tls = on, or leave the certificate out"},
        {HTTP "certificate = c\n", "has certificate but no tls; "},
        {IMAP "certificate = c\n",
         "has certificate but no client_tls; write client_tls = optional, starttls or "},
        {LISTENER "oauth = o\n", "has oauth but no bridge; write bridge = xoauth2, or leave it out"},
        {LISTENER "proxy_source = 10.0.0.1\n",
         "has proxy_source but no accept_proxy; write accept_proxy = on"},
    };
    static const char *const fine[] = {
        LISTENER "tls = on\ncertificate = c\nkey = k\nusers = u\n",
        LISTENER "kind = socks5\ntls = on\ncertificate = c\nusers = u\n",
        HTTP "tls = on\ncertificate = c\n",
        TLS "certificate = c\n",
        TLS "client_tls = implicit\n",
        SMTP "client_tls = starttls\ncertificate = c\nkey = k\n",
        LISTENER "accept_proxy = on\nproxy_source = 10.0.0.1\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        assert_error(errors[i][0], errors[i][1]);
    for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++)
        assert_said(&s, warnings[i][0], warnings[i][1]);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_fine(&s, fine[i]);
}

#define BRIDGE "bridge = xoauth2\nusers = u\noauth = o\n"

static void a_bridge_has_users_and_secrets(void **state)
{
    (void)state;
    assert_fine(&s, SMTP BRIDGE "client_tls = starttls\n");
    assert_fine(&s, IMAP BRIDGE "client_tls = implicit\n");
    assert_error(
        SMTP "client_tls = starttls\nbridge = xoauth2\nusers = u\n",
        "error t.ini:7: [listener x] has bridge but no oauth; write oauth = and the file with the OAuth ");
    assert_error(SMTP "client_tls = starttls\nbridge = xoauth2\noauth = o\n", "has bridge but no users; ");
    assert_said(
        &s, SMTP BRIDGE "client_tls = starttls\nserver_tls = opportunistic\n",
        "server_tls = opportunistic means nothing with a bridge, which logs in to the server only in TLS");
}

#define OUTSIDE "[listener x]\nlisten = 127.0.0.1:1, 10.0.0.5:1\n"

static void passwords_that_cross_the_network_in_plain_text_are_warned_of(void **state)
{
    static const char why[] = "[listener x] lets passwords cross the network in plain text; write ";
    static const struct {
        const char *lines;
        unsigned line; /* of the key; where that is not written, of the listener */
        const char *advice;
    } rows[] = {
        {OUTSIDE "kind = forward\nprotocol = smtp\nupstream = a\n" BRIDGE "client_tls = optional\n", 9,
         "client_tls = starttls or implicit"},
        {OUTSIDE "kind = forward\nprotocol = smtp\nupstream = a\n" BRIDGE, 1, "client_tls = "},
        {OUTSIDE "users = u\n", 3, "tls = on"},
        {OUTSIDE "kind = socks5\nusers = u\n", 4, "tls = on"},
    };
    char expected[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(expected, sizeof expected, "warning t.ini:%u: %s%s", rows[i].line, why, rows[i].advice);
        assert_said(&s, rows[i].lines, expected);
    }
    assert_fine(&s, SMTP BRIDGE);
    assert_fine(&s, LISTENER "users = u\n");
    assert_fine(&s, OUTSIDE "users = u\ntls = on\ncertificate = c\n");
}

static void clients_whose_tls_ends_here_must_be_shown_a_certificate(void **state)
{
    static const char ca_off[] = "[ca]\ndirectory = off\n";
    static const char *const rows[] = {TLS "client_tls = implicit\n", SMTP "client_tls = optional\n"};
    char lines[256];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(lines, sizeof lines, "%s%s", rows[i], ca_off);
        assert_error(lines,
                     "needs a certificate, and [ca] directory is off; write certificate = and its file, or ");
        snprintf(lines, sizeof lines, "%scertificate = c\n%s", rows[i], ca_off);
        assert_fine(&s, lines);
    }
    assert_fine(&s, SMTP "[ca]\ndirectory = off\n");
}

static void a_header_that_anybody_may_send_is_warned_of(void **state)
{
    (void)state;
    assert_said(&s, "[listener x]\nlisten = 127.0.0.1:1, 10.0.0.1:1\naccept_proxy = on\n",
                "warning t.ini:3: [listener x] believes every client that says it is another one; write "
                "proxy_source =");
    assert_fine(&s, "[listener x]\nlisten = 10.0.0.1:1\naccept_proxy = on\nproxy_source = 10.0.0.9\n");
    assert_fine(&s, LISTENER "accept_proxy = on\n");
}

static void a_limit_per_user_needs_users(void **state)
{
    (void)state;
    assert_said(&s, LISTENER "[limits]\nper_user = 5\n",
                "warning t.ini:4: [limits] per_user limits nobody, since no listener has users; ");
    assert_fine(&s, LISTENER "users = u\n[limits]\nper_user = 5\nper_source = 5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_listener_the_error_says_what_to_write),
        cmocka_unit_test(two_listeners_cannot_have_one_address),
        cmocka_unit_test(an_upstream_has_the_port_of_its_protocol),
        cmocka_unit_test(a_wrong_upstream_is_refused_once),
        cmocka_unit_test(ports_that_are_not_allowed_are_warned_of),
        cmocka_unit_test(ports_of_mail_need_the_protocol_that_servers_speak_there),
        cmocka_unit_test(an_upstream_that_is_the_parent_proxy_is_warned_of),
        cmocka_unit_test(keys_of_other_kinds_are_told_of),
        cmocka_unit_test(keys_whose_absence_makes_a_listener_weaker_are_refused),
        cmocka_unit_test(keys_without_their_partner_are_told_of),
        cmocka_unit_test(a_bridge_has_users_and_secrets),
        cmocka_unit_test(passwords_that_cross_the_network_in_plain_text_are_warned_of),
        cmocka_unit_test(clients_whose_tls_ends_here_must_be_shown_a_certificate),
        cmocka_unit_test(a_header_that_anybody_may_send_is_warned_of),
        cmocka_unit_test(a_limit_per_user_needs_users),
    };
    return cmocka_run_group_tests_name("conf_check_listeners", tests, NULL, NULL);
}
