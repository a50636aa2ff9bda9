/* check_upstreams.c: servers that clients of `forward` listeners do not get to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "command_stage.h"

static struct output o;
static char *file;

/* The settings are fine. */
static void check(const char *lines)
{
    file = stage_file(lines, strlen(lines));
    assert_int_equal(stage_run(check_main, &o, (const char *[]){"check", "-c", file, NULL}), 0);
    unlink(file);
}

static void assert_said(const char *lines, unsigned line, const char *sentence)
{
    char expected[1024];
    check(lines);
    snprintf(expected, sizeof expected, "%s:%u: %s", file, line, sentence);
    assert_has(o.err, expected);
}

/* Nothing is said of listeners. */
static void assert_silent(const char *lines)
{
    check(lines);
    if (strstr(o.err, "[listener"))
        fail_msg("%s\n%s", lines, o.err);
}

#define LISTENER "[listener x]\nlisten = 127.0.0.1:2525\nkind = forward\n"
#define HTTP     LISTENER "protocol = http\nupstream = "
#define SMTP     LISTENER "protocol = smtp\nupstream = "
#define PRIVATE  "[access]\ndestination = public, private\n"
#define RULE     "[rule r]\nsource = 10.0.0.0/8\naction = upgrade\ndestination = "
#define MONITOR  "[floor]\nmode = monitor\n"

static void a_server_that_access_keeps_out_is_warned_of(void **state)
{
    (void)state;
    assert_said(
        HTTP "10.0.0.7\n", 5,
        "warning: [listener x] upstream = 10.0.0.7: nobody gets there: the destination's address is not "
        "in [access] destination (destination-denied); add it there\n");
    assert_said(
        HTTP "a.test\n[upstream]\nresolve = a.test:80:10.0.0.7\n", 5,
        "warning: [listener x] upstream = a.test: nobody gets there: the destination's address is not in "
        "[access] destination (destination-denied); add it there; [upstream] resolve has another");
    assert_silent(HTTP "10.0.0.7\n" PRIVATE);
    assert_silent(HTTP "a.test\n");
    /* The parent proxy knows where a.test is. */
    assert_silent(HTTP "a.test\n[upstream]\nresolve = a.test:80:10.0.0.7\nproxy = p.test:8080\n");
}

static void a_listener_that_leads_to_ourselves_is_warned_of(void **state)
{
    (void)state;
    assert_said(
        HTTP "127.0.0.1:2525\n[access]\nport = 2525\ndestination = loopback\n", 5,
        "warning: [listener x] upstream = 127.0.0.1: nobody gets there: the destination is one of the "
        "gateway's own listeners (destination-self)\n");
}

static void mail_that_nothing_upgrades_is_told_of(void **state)
{
    (void)state;
    assert_said(
        SMTP "mail.test\n", 5,
        "note: [listener x] upstream = mail.test: no rule upgrades it, so that clients in plain text or "
        "below the floor are refused; write a [rule] with destination = mail.test and action = upgrade, "
        "if they are to pass\n");
    assert_said(SMTP "mail.test\n" RULE "other.test\n", 5, "note: ");
    assert_said(SMTP "mail.test\n" RULE "mail.test\nuntil = 2020-01-01\n", 5, "note: ");
    assert_said(
        SMTP "mail.test:465\n", 5,
        "warning: [listener x] upstream = mail.test: no rule upgrades it, so that everybody is refused; "
        "write a [rule] with destination = mail.test and action = upgrade\n");
    assert_said(SMTP "10.0.0.7\n" PRIVATE RULE "10.0.0.7\n", 5, "note: ");
    assert_has(o.err,
               "action = upgrade, and server_name = with the name in its certificate, if they are to pass");
    assert_silent(SMTP "mail.test\n" RULE "mail.test\n");
    assert_silent(SMTP "mail.test\n" RULE "10.0.0.7\n"); /* it may turn out to be there */
    assert_silent(SMTP "10.0.0.7\nserver_name = mail.test\n" PRIVATE RULE "10.0.0.7\n");
    assert_silent(SMTP "smtp.office365.com\n");
    assert_silent(SMTP "mail.test\nclient_tls = implicit\n");
    assert_silent(LISTENER "upstream = a.test\n");
}

static void a_gateway_that_only_watches_does_not_make_clients_use_starttls(void **state)
{
    (void)state;
    assert_said(
        SMTP "smtp.office365.com\nclient_tls = starttls\n" MONITOR, 6,
        "warning: [listener x] client_tls = starttls holds only for upgraded sessions, and with [floor] "
        "mode = monitor nothing is upgraded there without a [rule] with action = upgrade\n");
    assert_silent(SMTP "smtp.office365.com\nclient_tls = starttls\n" MONITOR RULE "@m365\n");
    assert_silent(SMTP "smtp.office365.com\n" MONITOR);
    assert_silent(SMTP "smtp.office365.com:465\nclient_tls = starttls\n" MONITOR); /* upgraded anyway */
}

static void plain_text_with_microsoft_365_is_no_choice(void **state)
{
    (void)state;
    assert_said(SMTP "smtp.office365.com\nserver_tls = opportunistic\n", 6,
                "warning: [listener x] server_tls = opportunistic means nothing with Microsoft 365, ");
    assert_silent(SMTP "mail.test\nserver_tls = opportunistic\n" RULE "mail.test\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_access_keeps_out_is_warned_of),
        cmocka_unit_test(a_listener_that_leads_to_ourselves_is_warned_of),
        cmocka_unit_test(mail_that_nothing_upgrades_is_told_of),
        cmocka_unit_test(a_gateway_that_only_watches_does_not_make_clients_use_starttls),
        cmocka_unit_test(plain_text_with_microsoft_365_is_no_choice),
    };
    return cmocka_run_group_tests_name("check_upstreams", tests, NULL, NULL);
}
