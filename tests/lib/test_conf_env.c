/* conf_env.c: settings from variables. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"

static struct stage s;

static void begin(const char *lines)
{
    stage_begin(&s);
    stage_feed(&s, lines);
}

static void set(const char *variable, const char *value)
{
    tf_conf_environment(&s.load, variable, value);
}

static void assert_ends_fine(void)
{
    if (!stage_end(&s) || s.text[0])
        fail_msg("%s", s.text);
}

static void assert_ends_with(const char *expected)
{
    assert_false(stage_end(&s));
    if (!strstr(s.text, expected))
        fail_msg("said: %snot: %s", s.text, expected);
    assert_int_equal(s.load.errors, 1);
}

static void a_variable_overrides_the_file(void **state)
{
    (void)state;
    begin(STAGE_LISTENER "[limits]\nidle_s = 10\n[access]\nopen_proxy = off\n");
    set("TLSFLOOR_LIMITS_IDLE_S", "20");
    set("TLSFLOOR_ACCESS_OPEN_PROXY", "on");
    set("TLSFLOOR_LISTENER_PROXY_LISTEN", "127.0.0.1:4");
    assert_ends_fine();
    assert_int_equal(s.conf.limits.idle_ms, 20000);
    assert_true(s.conf.open_proxy);
    assert_int_equal(s.conf.listeners->addresses[0].port, 4);
    assert_null(s.conf.listeners->next);
}

static void names_are_found_in_any_case_and_with_their_hyphens(void **state)
{
    (void)state;
    begin("[listener Main-Proxy.2]\nlisten = 127.0.0.1:1\n");
    set("TLSFLOOR_LISTENER_MAIN_PROXY_2_KIND", "sni");
    assert_ends_fine();
    assert_int_equal(s.conf.listeners->kind, TF_KIND_SNI);
}

static void listeners_and_rules_can_be_made_by_variables_alone(void **state)
{
    (void)state;
    begin("");
    set("TLSFLOOR_LISTENER_MY_PROXY_LISTEN", "127.0.0.1:1");
    set("TLSFLOOR_RULE_PRINT_TEAM_ACTION", "monitor");
    set("TLSFLOOR_RULE_PRINT_TEAM_LISTENER", "my-proxy");
    assert_true(stage_end(&s));
    assert_string_equal(
        s.text,
        "note environment TLSFLOOR_LISTENER_MY_PROXY_LISTEN: makes a listener my-proxy that is not in the "
        "file\n"
        "note environment TLSFLOOR_RULE_PRINT_TEAM_ACTION: makes a rule print-team that is not in the "
        "file\n");
    assert_string_equal(s.conf.listeners->name, "my-proxy");
    assert_int_equal(s.conf.listeners->line, 0);
    assert_string_equal(s.conf.policy.rules[0].name, "print-team");
}

static void lists_take_commas_and_line_ends(void **state)
{
    (void)state;
    begin(STAGE_LISTENER "[upstream]\nresolve = a:1:1.1.1.1\n");
    set("TLSFLOOR_UPSTREAM_RESOLVE", "b:1:1.1.1.1\nc:1:1.1.1.1,\n d:1:1.1.1.1\n");
    set("TLSFLOOR_ACCESS_PORT", "443,\n 80\n");
    assert_ends_fine();
    assert_string_equal(s.conf.overrides->host, "b");
    assert_string_equal(s.conf.overrides->next->host, "c");
    assert_string_equal(s.conf.overrides->next->next->host, "d");
    assert_null(s.conf.overrides->next->next->next);
    assert_int_equal(s.conf.access.port_count, 2);
}

static void listeners_take_lists_and_files(void **state)
{
    (void)state;
    begin("[listener scanner]\nlisten = 127.0.0.1:1\naccept_proxy = on\ntls = on\n");
    set("TLSFLOOR_LISTENER_SCANNER_PROXY_SOURCE", "10.0.0.1\n10.1.0.0/16\n");
    set("TLSFLOOR_LISTENER_SCANNER_CERTIFICATE", "/run/secrets/scanner.pem");
    assert_ends_fine();
    assert_int_equal(s.conf.listeners->proxy_source_count, 2);
    assert_int_equal(s.conf.listeners->proxy_sources[1].bits, 16);
    assert_string_equal(s.conf.listeners->certificate, "/run/secrets/scanner.pem");
}

static void a_line_end_in_a_value_that_is_no_list_is_refused(void **state)
{
    (void)state;
    begin(STAGE_LISTENER);
    set("TLSFLOOR_LOG_BLOCK", "a\nb");
    assert_ends_with("error environment TLSFLOOR_LOG_BLOCK: [log] block: there is a control character");
}

static void where_a_name_can_be_cut_in_two_ways_what_is_there_counts(void **state)
{
    (void)state;
    begin("[listener x-client]\nlisten = 127.0.0.1:1\n");
    set("TLSFLOOR_LISTENER_X_CLIENT_TLS", "on"); /* the tls of x-client, not the client_tls of x */
    assert_ends_with("[listener x-client] has tls but no certificate");

    begin("[listener x]\nlisten = 127.0.0.1:1\n");
    set("TLSFLOOR_LISTENER_X_CLIENT_TLS", "implicit");
    assert_ends_with("[listener x] client_tls means nothing with kind = connect");
}

static void an_unknown_variable_is_an_error_with_the_nearest_one(void **state)
{
    static const char *const rows[][2] = {
        {"TLSFLOOR_LIMITS_IDLE",
         "environment TLSFLOOR_LIMITS_IDLE: there is no such setting; did you mean TLSFLOOR_LIMITS_IDLE_S? "
         "Else unset it, or see tlsfloor check --reference\n"},
        {"TLSFLOOR_VERSION", "there is no such setting; unset it, or see tlsfloor check --reference\n"},
        {"TLSFLOOR_PORTS", "; unset it, or see tlsfloor check --reference\n"},
        {"TLSFLOOR_LISTENER_PROXY_LISTN", "did you mean TLSFLOOR_LISTENER_PROXY_LISTEN?"},
        {"TLSFLOOR_FLOOR", "there is no such setting"},
        {"TLSFLOOR_LISTENER_LISTEN", "there is no such setting"},
        {"TLSFLOOR_LISTENER__LISTEN", "there is no such setting"},
        {"TLSFLOOR_", "there is no such setting"},
        {"TLSFLOOR_LIMITS_IDLE_S_", "did you mean TLSFLOOR_LIMITS_IDLE_S?"},
        {"TLSFLOOR_LISTENER_A23456789012345678901234567890123_LISTEN", "a name may have up to 32 letters"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(STAGE_LISTENER);
        set(rows[i][0], "1");
        assert_ends_with(rows[i][1]);
    }
}

/* A pod has these, and nobody has written them. */
static void service_links_are_known_for_what_they_are(void **state)
{
    static const char *const names[] = {"TLSFLOOR_PORT",         "TLSFLOOR_PORT_3128_TCP",
                                        "TLSFLOOR_SERVICE_HOST", "TLSFLOOR_PORT_3128_TCP_ADDR",
                                        "TLSFLOOR_SERVICE_PORT", "TLSFLOOR_SERVICE_PORT_PROXY"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        begin(STAGE_LISTENER);
        set(names[i], "tcp://10.0.0.1:3128");
        assert_ends_with("; from a Kubernetes Service of that name? set enableServiceLinks: false\n");
    }
}

static void other_variables_are_none_of_our_business(void **state)
{
    (void)state;
    begin(STAGE_LISTENER);
    set("TLSFLOOR", "x");
    set("TLSFLOORX_LIMITS_IDLE_S", "x");
    set("PATH", "x");
    set("", "x");
    assert_ends_fine();
}

static void a_bad_value_names_its_variable(void **state)
{
    (void)state;
    begin(STAGE_LISTENER);
    set("TLSFLOOR_LIMITS_IDLE_S", "");
    assert_ends_with("error environment TLSFLOOR_LIMITS_IDLE_S: [limits] idle_s = : not a number of seconds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_overrides_the_file),
        cmocka_unit_test(names_are_found_in_any_case_and_with_their_hyphens),
        cmocka_unit_test(listeners_and_rules_can_be_made_by_variables_alone),
        cmocka_unit_test(lists_take_commas_and_line_ends),
        cmocka_unit_test(listeners_take_lists_and_files),
        cmocka_unit_test(a_line_end_in_a_value_that_is_no_list_is_refused),
        cmocka_unit_test(where_a_name_can_be_cut_in_two_ways_what_is_there_counts),
        cmocka_unit_test(an_unknown_variable_is_an_error_with_the_nearest_one),
        cmocka_unit_test(service_links_are_known_for_what_they_are),
        cmocka_unit_test(other_variables_are_none_of_our_business),
        cmocka_unit_test(a_bad_value_names_its_variable),
    };
    return cmocka_run_group_tests_name("conf_env", tests, NULL, NULL);
}
