/* explain.c: the same answers as a live session, in words. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "cert_maker.h"
#include "command_stage.h"

static struct output o;

static const char settings[] =
    "[listener proxy]\nlisten = 127.0.0.1:3128\n"
    "[listener straight]\nlisten = *:8443\nkind = sni\n"
    "[access]\ndestination = public, 10.0.0.0/8\n"
    "[rule prints]\ndestination = *.print.example.com, 10.2.0.0/16\naction = monitor\n"
    "[rule lab]\nsource = 10.9.0.0/16\naction = block\n"
    "[upstream]\nresolve = fixed.example.com:443:10.2.3.4:8443\n"
    "[listener closed]\nlisten = *:8444\nkind = sni\nport = 4433\n";

/* A ClientHello of TLS 1.0 with one cipher suite and no extensions. */
static const unsigned char hello_10[] = {
    0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x01, 1,    2,    3,    4,    5,   6,
    7,    8,    9,    10,   11,   12,   13,   14,   15,   16,   17,   18,   19,   20,   21,   22,  23,
    24,   25,   26,   27,   28,   29,   30,   31,   32,   0x00, 0x00, 0x02, 0x00, 0x2f, 0x01, 0x00};

static int explain(const char *client, const char *dest, const char *option, const char *value)
{
    char *file = stage_file(settings, sizeof settings - 1);
    const char *argv[] = {"explain", "-c", file, "--client", client, "--dest", dest, option, value, NULL};
    int code = stage_run(explain_main, &o, argv);
    unlink(file);
    return code;
}

static void three_common_clients_are_explained(void **state)
{
    (void)state;
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--listener", "proxy"), 0);
    assert_has(o.out, "listener proxy (connect), 127.0.0.1:3128:\n");
    assert_has(o.out, "source       allowed\n");
    assert_has(o.out, "port         allowed\n");
    assert_has(o.out, "address      allowed\n");
    assert_has(o.out, "TLS 1.0      block: the client offers no TLS version at or above the floor "
                      "(client-below-floor); no rule matches\n");
    assert_has(o.out, "TLS 1.2      tunnel; no rule matches\n");
    assert_has(o.out, "TLS 1.3      tunnel; no rule matches\n");
    assert_null(strstr(o.out, "straight"));
}

static void without_a_name_every_listener_is_explained(void **state)
{
    (void)state;
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", NULL, NULL), 0);
    assert_has(o.out, "listener proxy (connect), 127.0.0.1:3128:\n");
    assert_has(o.out, "listener straight (sni), *:8443:\n");
}

static void the_rule_is_named_with_its_line(void **state)
{
    (void)state;
    assert_int_equal(explain("10.9.1.1", "a.print.example.com:443", "--listener", "proxy"), 0);
    assert_has(o.out, "TLS 1.0      monitor: ");
    assert_has(o.out, "; [rule prints] at /tmp/tlsfloor-test-");
    assert_has(o.out, ":8\n");
    assert_has(o.out, "TLS 1.2      tunnel; [rule prints]");
    assert_has(o.out, "the name is looked up when it is dialled");
}

static void refusals_by_access_end_the_explanation(void **state)
{
    static const char *const rows[][3] = {
        {"8.8.8.8", "a.example:443",
         "source       refused: the client's address is not in [access] source (source-denied)"},
        {"10.1.1.1", "a.example:22",
         "port         refused: the destination port is not in [access] port (port-denied)"},
        {"10.1.1.1", "0x7f.1:443",
         "address      refused: the destination's address is not in [access] destination"},
        {"10.1.1.1", "[::ffff:10.1.1.1]:443", "address      refused: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(explain(rows[i][0], rows[i][1], "--listener", "proxy"), 0);
        assert_has(o.out, rows[i][2]);
        assert_null(strstr(o.out, "TLS 1.0"));
    }
}

static void an_override_is_followed(void **state)
{
    (void)state;
    assert_int_equal(explain("10.1.1.1", "Fixed.example.com:443", "--listener", "proxy"), 0);
    assert_has(o.out, "resolve      10.2.3.4:8443, by [upstream] resolve\n");
    assert_has(o.out, "TLS 1.0      monitor: ");
}

static void what_hangs_on_the_address_is_said_to(void **state)
{
    (void)state;
    assert_int_equal(explain("10.9.1.1", "a.example:443", "--listener", "proxy"), 0);
    assert_has(o.out, "TLS 1.3      block: a rule blocks this connection (rule-block); [rule lab] at ");
    assert_has(o.out, ":11, unless by its address; ask again with that as --dest\n");
}

static void a_captured_hello_is_judged(void **state)
{
    char *file = stage_file(hello_10, sizeof hello_10);
    (void)state;
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--hello", file), 0);
    assert_has(o.out, "hello        offers TLS1.0 at most\n");
    assert_has(o.out, "verdict      block: the client offers no TLS version at or above the floor");
    unlink(file);

    file = stage_file(hello_10, 20);
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--hello", file), 0);
    assert_has(o.out, "verdict      block: the client closed the connection before its hello was whole");
    unlink(file);

    file = stage_file("GET / HTTP/1.1\r\n", 16);
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--hello", file), 0);
    assert_has(o.out, "verdict      block: the client sent something that is not TLS (client-not-tls)");
    unlink(file);
}

static void a_hello_over_many_records_is_judged(void **state)
{
    unsigned char wire[6 * sizeof hello_10];
    size_t n = 0;
    (void)state;
    for (size_t i = 5; i < sizeof hello_10; i++) {
        static const unsigned char head[] = {0x16, 0x03, 0x01, 0x00, 0x01};
        memcpy(wire + n, head, sizeof head);
        wire[n + 5] = hello_10[i];
        n += 6;
    }
    char *file = stage_file(wire, n);
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--hello", file), 0);
    assert_has(o.out, "hello        offers TLS1.0 at most\n");
    unlink(file);
}

/* Adds a server_name extension to a ClientHello; the number of its bytes in one record. */
static size_t named_hello(uint8_t *wire, const char *name)
{
    size_t n = strlen(name), at = sizeof hello_10;
    const uint8_t extensions[] = {0, (uint8_t)(n + 9), 0, 0, 0,         (uint8_t)(n + 5),
                                  0, (uint8_t)(n + 3), 0, 0, (uint8_t)n};
    memcpy(wire, hello_10, at);
    memcpy(wire + at, extensions, sizeof extensions);
    memcpy(wire + at + sizeof extensions, name, n);
    at += sizeof extensions + n;
    wire[4] = (uint8_t)(at - 5);
    wire[8] = (uint8_t)(at - 9);
    return at;
}

static int explain_named(const char *name, const char *dest, const char *listener)
{
    uint8_t wire[512];
    char *hello = stage_file(wire, named_hello(wire, name));
    char *file = stage_file(settings, sizeof settings - 1);
    const char *argv[] = {"explain", "-c",         file,     "--client", "10.1.1.1", "--dest",
                          dest,      "--listener", listener, "--hello",  hello,      NULL};
    int code = stage_run(explain_main, &o, argv);
    unlink(file);
    unlink(hello);
    return code;
}

static void a_listener_of_kind_sni_has_a_port_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(explain("10.1.1.1", "fixed.example.com:25", "--listener", "straight"), 0);
    assert_has(o.out, "port         443 (the listener's): allowed\n");
    assert_has(o.out, "resolve      10.2.3.4:8443, by [upstream] resolve\n");
    assert_int_equal(explain("10.1.1.1", "a.example:443", "--listener", "closed"), 0);
    assert_has(o.out, "port         4433 (the listener's): refused: the destination port is not in ");
}

static void a_listener_of_kind_sni_dials_the_name_in_the_hello(void **state)
{
    (void)state;
    assert_int_equal(explain_named("fixed.example.com", "a.example:443", "straight"), 0);
    assert_has(o.out, "hello        offers TLS1.0 at most, and names fixed.example.com, which is dialled "
                      "whatever --dest says\n");
    assert_has(o.out, "resolve      10.2.3.4:8443, by [upstream] resolve\n");
    assert_has(o.out, "; [rule prints] at "); /* by the address */
    assert_int_equal(explain_named("fixed.example.com", "a.example:443", "proxy"), 0);
    assert_has(o.out, "and names fixed.example.com\n");
    assert_null(strstr(o.out, "resolve"));
}

/* As a live session does it: who is below the floor never gets to the checks of where it goes. */
static void on_sni_the_floor_comes_before_the_address(void **state)
{
    (void)state;
    assert_int_equal(explain_named("169.254.169.254", "a.example:443", "straight"), 0);
    assert_has(o.out, "(client-below-floor)");
    assert_null(strstr(o.out, "destination-denied"));
}

static void a_hello_without_a_name_goes_nowhere_on_sni(void **state)
{
    static const uint8_t modern_version[] = {0x03, 0x03};
    uint8_t modern[sizeof hello_10];
    (void)state;
    memcpy(modern, hello_10, sizeof modern);
    memcpy(modern + 9, modern_version, sizeof modern_version);
    char *file = stage_file(modern, sizeof modern);
    assert_int_equal(explain("10.1.1.1", "a.example:443", "--hello", file), 0);
    assert_has(o.out,
               "name         refused: the hello names no server, so there is nowhere to go (sni-missing); ");
    unlink(file);

    /* What is below the floor is refused for that. */
    file = stage_file(hello_10, sizeof hello_10);
    assert_int_equal(explain("10.1.1.1", "a.print.example.com:443", "--hello", file), 0);
    const char *straight = strstr(o.out, "listener straight");
    assert_non_null(straight);
    assert_has(straight, "verdict      block: the client offers no TLS version at or above the floor");
    assert_null(strstr(straight, "[rule prints]"));
    unlink(file);

    assert_int_equal(explain_named("0x7g.1", "a.example:443", "straight"), 0);
    assert_has(o.out, "verdict      block: the destination is not a valid host and port (host-invalid)");
}

static void a_gateway_that_only_watches_says_so(void **state)
{
    static const char text[] = "[listener proxy]\nlisten = 127.0.0.1:3128\n[floor]\nmode = monitor\n";
    char *file = stage_file(text, sizeof text - 1), expected[128];
    const char *argv[] = {"explain", "-c", file, "--client", "10.1.1.1", "--dest", "93.184.1.1:443", NULL};
    (void)state;
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
    snprintf(expected, sizeof expected,
             "(client-below-floor); no rule matches; [floor] mode = monitor at %s:4\n", file);
    assert_has(o.out, expected);
    assert_has(o.out, "TLS 1.2      tunnel; no rule matches\n");
    setenv("TLSFLOOR_FLOOR_MODE", "monitor", 1);
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
    unsetenv("TLSFLOOR_FLOOR_MODE");
    assert_has(o.out, "; [floor] mode = monitor by environment TLSFLOOR_FLOOR_MODE\n");
    unlink(file);
}

static void the_parent_proxy_and_logins_are_named(void **state)
{
    static const char text[] = "[listener proxy]\nlisten = 127.0.0.1:3128\nusers = etc/users\n"
                               "[access]\ndestination = public\n"
                               "[rule lab]\ndestination = 10.0.0.0/8\naction = block\n"
                               "[upstream]\nproxy = P.example:8080\nproxy_bypass = *.near.example\n"
                               "resolve = far.example:443:10.0.0.9\nresolve = a.near.example:443:10.0.0.9\n";
    static const char *const rows[][3] = {
        {"far.example", "parent       p.example:8080, which looks the name up\n  TLS 1.0 ", "resolve"},
        {"a.near.example",
         "parent       by-passed: [upstream] proxy_bypass has it\n  resolve      10.0.0.9:443", "TLS 1.0"},
        {"10.0.0.1", "parent       p.example:8080\n  address      refused: ", "resolve"},
    };
    char *file = stage_file(text, sizeof text - 1);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *argv[] = {"explain", "-c", file, "--client", "127.0.0.1", "--dest", rows[i][0], NULL};
        assert_int_equal(stage_run(explain_main, &o, argv), 0);
        assert_has(o.out, "login        needed (users = etc/users)\n");
        assert_has(o.out, rows[i][1]);
        assert_null(strstr(o.out, rows[i][2]));
    }
    unlink(file);
}

static void a_certificate_of_the_listeners_own_is_named(void **state)
{
    static const char lines[] = "[listener f]\nlisten = 127.0.0.1:1\nkind = forward\n"
                                "upstream = a.floor.test\nclient_tls = implicit\ncertificate = ";
    char text[256], expected[256];
    struct maker m = cert_make(&(struct cert_plan){.cn = "adfs"}, NULL);
    char *pem = stage_file("", 0);
    (void)state;
    cert_write(pem, &m.certificate, 1, m.key, NULL);
    snprintf(text, sizeof text, "%s%s\n", lines, pem);
    char *file = stage_file(text, strlen(text));
    const char *argv[] = {"explain", "-c", file, "--client", "127.0.0.1", "--dest", "a:443", NULL};
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
    snprintf(expected, sizeof expected, "certificate  the listener's own, %s (CN=adfs, until 20", pem);
    assert_has(o.out, expected);
    unlink(pem);
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
    assert_has(o.out,
               "certificate  the listener's own, which cannot be read here: [listener f] certificate: ");
    unlink(file);
    cert_free(&m);
}

static void without_a_file_the_default_is_explained(void **state)
{
    const char *argv[] = {"explain", "--client", "127.0.0.1", "--dest", "a.example:443", NULL};
    (void)state;
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
    assert_has(o.out, "listener proxy (connect), 127.0.0.1:3128:\n");
}

static void help_is_printed_and_is_0(void **state)
{
    const char *argv[] = {"explain", "--help", NULL};
    (void)state;
    assert_int_equal(stage_run(explain_main, &o, argv), 0);
    assert_has(o.out, "usage: tlsfloor explain [-c FILE] --client IP ");
    assert_string_equal(o.err, "");
}

static void wrong_usage_is_said_and_is_2(void **state)
{
    (void)state;
    assert_int_equal(explain("10.1.1", "a:1", NULL, NULL), 2);
    assert_has(o.err, "--client '10.1.1' is no IP address");
    assert_int_equal(explain("10.1.1.1", "a:0", NULL, NULL), 2);
    assert_has(o.err, "--dest 'a:0' is no HOST:PORT: the port is missing or not 1 to 65535");
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--listener", "prxy"), 2);
    assert_has(o.err, "there is no listener 'prxy' in ");
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--what", NULL), 2);
    assert_has(o.err, "usage: tlsfloor explain ");
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "more", NULL), 2);
    assert_has(o.err, "'more' is not expected");
    const char *argv[] = {"explain", "-c", "conf/tlsfloor.ini", NULL};
    assert_int_equal(stage_run(explain_main, &o, argv), 2);
    assert_has(o.err, "--client and --dest are needed");
}

static void what_cannot_be_read_is_a_finding(void **state)
{
    const char *argv[] = {"explain", "-c", "tests/no-such-file", "--client", "10.1.1.1", "--dest",
                          "a:1",     NULL};
    (void)state;
    assert_int_equal(stage_run(explain_main, &o, argv), 1);
    assert_has(o.err, "tests/no-such-file: cannot be read");
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--hello", "tests/no-such-file"), 1);
    assert_has(o.err, "tlsfloor explain: tests/no-such-file cannot be read: No such file or directory\n");
    assert_string_equal(o.out, "");
    assert_int_equal(explain("10.1.1.1", "93.184.1.1:443", "--hello", "tests"), 1);
    assert_has(o.err, "tests cannot be read: Is a directory\n");
    assert_string_equal(o.out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_common_clients_are_explained),
        cmocka_unit_test(without_a_name_every_listener_is_explained),
        cmocka_unit_test(the_rule_is_named_with_its_line),
        cmocka_unit_test(refusals_by_access_end_the_explanation),
        cmocka_unit_test(an_override_is_followed),
        cmocka_unit_test(what_hangs_on_the_address_is_said_to),
        cmocka_unit_test(a_captured_hello_is_judged),
        cmocka_unit_test(a_hello_over_many_records_is_judged),
        cmocka_unit_test(a_listener_of_kind_sni_has_a_port_of_its_own),
        cmocka_unit_test(a_listener_of_kind_sni_dials_the_name_in_the_hello),
        cmocka_unit_test(on_sni_the_floor_comes_before_the_address),
        cmocka_unit_test(a_hello_without_a_name_goes_nowhere_on_sni),
        cmocka_unit_test(a_gateway_that_only_watches_says_so),
        cmocka_unit_test(the_parent_proxy_and_logins_are_named),
        cmocka_unit_test(a_certificate_of_the_listeners_own_is_named),
        cmocka_unit_test(without_a_file_the_default_is_explained),
        cmocka_unit_test(help_is_printed_and_is_0),
        cmocka_unit_test(wrong_usage_is_said_and_is_2),
        cmocka_unit_test(what_cannot_be_read_is_a_finding),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
