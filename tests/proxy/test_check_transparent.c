/* check_transparent.c: the ruleset that `check` prints. That a firewall takes it, and that it does what it
 * says, is tests/e2e/67-transparent.py's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "command_stage.h"

static struct output o;

/* What `check` says of a transparent listener with these settings. */
static void check(const char *listener, const char *more, const char *option)
{
    char text[512];
    int n = snprintf(text, sizeof text, "[listener way]\nkind = transparent\n%s\n%s\n", listener, more);
    char *file = stage_file(text, (size_t)n);
    const char *argv[] = {"check", "-c", file, option, NULL};
    assert_int_equal(stage_run(check_main, &o, argv), 0);
    unlink(file);
}

static void a_redirect_is_for_both_families_and_all_ports_but_that_of_plain_http(void **state)
{
    (void)state;
    check("listen = *:3129", "[access]\nport = 443, 80, 8000-8099", NULL);
    assert_has(o.err,
               ":1: note: [listener way] gets what the firewall turns to it; with nftables, by these lines:\n"
               "    table inet tlsfloor {\n"
               "        chain prerouting {\n"
               "            type nat hook prerouting priority dstnat\n"
               "            fib daddr type local return\n"
               "            meta nfproto ipv4 tcp dport { 443, 8000-8099 } redirect to :3129\n"
               "            meta nfproto ipv6 tcp dport { 443, 8000-8099 } redirect to :3129\n"
               "        }\n");
    assert_null(strstr(o.err, "tproxy"));
    assert_has(o.out, ": fine: 1 listener, 0 rules\n");
}

static void the_gateways_own_user_is_excepted_from_the_output_chain(void **state)
{
    (void)state;
    check("listen = *:3129", "", NULL);
    const char *output = strstr(o.err, "        # chain output {\n");
    assert_non_null(output);
    const char *except = strstr(output, "        #     meta skuid tlsfloor return\n");
    const char *redirect = strstr(output, "        #     meta nfproto ipv4 tcp dport { 443, 25, ");
    assert_true(except && redirect && except < redirect);
}

static void a_family_that_is_not_listened_on_is_not_turned(void **state)
{
    (void)state;
    check("listen = 192.0.2.1:3129", "", NULL);
    assert_has(o.err, "meta nfproto ipv4 tcp dport");
    assert_null(strstr(o.err, "ipv6"));
    check("listen = [2001:db8::1]:3130\nintercept = tproxy", "", NULL);
    assert_has(o.err, "tproxy ip6 to [2001:db8::1]:3130 meta mark set 1 accept\n");
    assert_has(o.err, "    ip -6 route add local ::/0 dev lo table 100\n");
    assert_null(strstr(o.err, "ipv4"));
    assert_null(strstr(o.err, "0.0.0.0/0"));
}

static void tproxy_has_its_routes_and_the_address_that_is_listened_on(void **state)
{
    (void)state;
    check("listen = 127.0.0.1:3130, [::1]:3131\nintercept = tproxy", "[access]\nport = 443", NULL);
    assert_has(
        o.err,
        "            type filter hook prerouting priority mangle\n"
        "            fib daddr type local return\n"
        "            meta l4proto tcp socket transparent 1 meta mark set 1 accept\n"
        "            meta nfproto ipv4 tcp dport { 443 } tproxy ip to 127.0.0.1:3130 meta mark set 1 accept\n"
        "            meta nfproto ipv6 tcp dport { 443 } tproxy ip6 to [::1]:3131 meta mark set 1 accept\n"
        "        }\n"
        "    }\n"
        "and routes that keep here what is marked so:\n"
        "    ip rule add fwmark 1 lookup 100\n"
        "    ip route add local 0.0.0.0/0 dev lo table 100\n"
        "    ip -6 rule add fwmark 1 lookup 100\n"
        "    ip -6 route add local ::/0 dev lo table 100\n");
    check("listen = *:3130\nintercept = tproxy", "", NULL);
    assert_has(o.err, "tproxy ip to :3130 ");
    assert_has(o.err, "tproxy ip6 to :3130 ");
}

static void a_redirect_to_loopback_is_warned_of(void **state)
{
    static const char sentence[] =
        ":1: warning: [listener way] listens on loopback alone, so only this machine's own "
        "connections can be redirected to it: listen on *, or on the address that faces "
        "the clients\n";
    (void)state;
    check("listen = 127.0.0.1:3129, [::1]:3129", "", NULL);
    assert_has(o.err, sentence);
    check("listen = 127.0.0.1:3129, 192.0.2.1:3129", "", NULL);
    assert_null(strstr(o.err, "loopback alone"));
    check("listen = 127.0.0.1:3129\nintercept = tproxy", "", NULL);
    assert_null(strstr(o.err, "loopback alone"));
}

static void without_a_port_to_turn_there_are_no_lines(void **state)
{
    (void)state;
    check("listen = *:3129", "[access]\nport = 80", NULL);
    assert_null(strstr(o.err, "nftables"));
}

static void a_dump_stays_a_file_that_can_be_loaded(void **state)
{
    (void)state;
    check("listen = *:3129", "", "--dump");
    assert_null(strstr(o.err, "nftables"));
    assert_null(strstr(o.out, "nftables"));
}

static int without_upgrades(void **state)
{
    (void)state;
    return setenv("TLSFLOOR_CA_DIRECTORY", "off", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redirect_is_for_both_families_and_all_ports_but_that_of_plain_http),
        cmocka_unit_test(the_gateways_own_user_is_excepted_from_the_output_chain),
        cmocka_unit_test(a_family_that_is_not_listened_on_is_not_turned),
        cmocka_unit_test(tproxy_has_its_routes_and_the_address_that_is_listened_on),
        cmocka_unit_test(a_redirect_to_loopback_is_warned_of),
        cmocka_unit_test(without_a_port_to_turn_there_are_no_lines),
        cmocka_unit_test(a_dump_stays_a_file_that_can_be_loaded),
    };
    return cmocka_run_group_tests_name("check_transparent", tests, without_upgrades, NULL);
}
