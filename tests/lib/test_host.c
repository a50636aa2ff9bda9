/* host.c: names, every spelling of an address, authorities and patterns. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/host.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum tf_host_error parse(const char *text, struct tf_target *target)
{
    return tf_host_parse(text, strlen(text), target);
}

static void assert_error(const char *text, enum tf_host_error expected)
{
    struct tf_target target;
    enum tf_host_error e = parse(text, &target);
    if (e != expected)
        fail_msg("%s: %s", text, tf_host_error_text(e));
}

static void names_are_lowered_and_lose_their_trailing_dot(void **state)
{
    static const char *const rows[][2] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com.", "example.com"},
        {"a_b.example", "a_b.example"},
        {"localhost", "localhost"},
        {"1.example", "1.example"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"0x7f.example", "0x7f.example"},
        {"1e5", "1e5"},
        {"a.0xg", "a.0xg"},
        {"_dmarc.example", "_dmarc.example"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_target target;
        assert_int_equal(parse(rows[i][0], &target), TF_HOST_OK);
        assert_string_equal(target.host, rows[i][1]);
        assert_false(target.is_address);
    }
}

static void every_spelling_of_an_ipv4_address_is_that_address(void **state)
{
    static const char *const rows[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"127.1", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"0x7f.1", "127.0.0.1"},
        {"0x7F000001", "127.0.0.1"},
        {"0177.0.0.1", "127.0.0.1"},
        {"017700000001", "127.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"0", "0.0.0.0"},
        {"0x", "0.0.0.0"},
        {"00", "0.0.0.0"},
        {"1.2.65535", "1.2.255.255"},
        {"1.16777215", "1.255.255.255"},
        {"0300.0250.1", "192.168.0.1"},
        {"4294967295", "255.255.255.255"},
        {"169.254.43518", "169.254.169.254"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_target target;
        if (parse(rows[i][0], &target) != TF_HOST_OK)
            fail_msg("%s is refused", rows[i][0]);
        assert_true(target.is_address);
        assert_string_equal(target.host, rows[i][1]);
        assert_int_equal(target.addr.family, TF_FAMILY_V4);
    }
}

static void what_ends_in_a_number_and_is_no_address_is_refused(void **state)
{
    static const char *const texts[] = {
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "4294967296",
        "1.2.65536",
        "foo.1",
        "foo.0x1",
        "09",
        "1.2.3.08",
        "0x100000000",
        "a.0xfffffffff",
        "1..1",
        ".1",
        "0x7f.0x0.0x0.0x1.0x0",
        "99999999999999999999",
        "18446744073709551617",
        "0x10000000000000001",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_error(texts[i], TF_HOST_BAD_ADDRESS);
}

/* A name that is passed to a resolver must be none that the resolver itself reads as an address. */
static void no_name_is_an_address_to_the_c_library(void **state)
{
    static const char alphabet[] = "0123456789abcdefxX.";
    unsigned names = 0, addresses = 0;
    (void)state;
    srand(1);
    for (int round = 0; round < 300000; round++) {
        char text[16];
        struct tf_target target;
        struct in_addr in;
        size_t n = 1 + (size_t)rand() % 12;
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        text[n] = '\0';
        bool taken = parse(text, &target) == TF_HOST_OK;
        bool aton = inet_aton(text, &in) != 0;
        if (aton && (!taken || !target.is_address))
            fail_msg("%s is an address to inet_aton", text);
        if (aton)
            assert_memory_equal(target.addr.ip, &in, 4);
        names += taken && !target.is_address;
        addresses += taken && target.is_address;
    }
    assert_true(names > 1000 && addresses > 1000);
}

static void ipv6_is_taken_with_and_without_brackets(void **state)
{
    struct tf_target target;
    (void)state;
    assert_int_equal(parse("[2001:DB8::0:1]", &target), TF_HOST_OK);
    assert_string_equal(target.host, "2001:db8::1");
    assert_true(target.is_address);
    assert_int_equal(parse("::ffff:127.0.0.1", &target), TF_HOST_OK);
    assert_int_equal(target.addr.family, TF_FAMILY_V6);
}

static void broken_hosts_are_refused_each_for_its_reason(void **state)
{
    char long_label[64 + 9], long_name[300];
    (void)state;
    assert_error("", TF_HOST_EMPTY);
    assert_error(".", TF_HOST_EMPTY);
    assert_error("a b", TF_HOST_BAD_CHARACTER);
    assert_error("a/b", TF_HOST_BAD_CHARACTER);
    assert_error("a%2eb", TF_HOST_BAD_CHARACTER);
    assert_error("b\xc3\xbc"
                 "cher.example",
                 TF_HOST_BAD_CHARACTER);
    assert_error("user@example", TF_HOST_BAD_CHARACTER);
    assert_error("a..b", TF_HOST_BAD_LABEL);
    assert_error("a..", TF_HOST_BAD_LABEL);
    assert_error(".a", TF_HOST_BAD_LABEL);
    assert_error("-a.b", TF_HOST_BAD_LABEL);
    assert_error("a-.b", TF_HOST_BAD_LABEL);
    assert_error("[::1", TF_HOST_BAD_ADDRESS);
    assert_error("[", TF_HOST_BAD_ADDRESS);
    assert_error("[]", TF_HOST_BAD_ADDRESS);
    assert_error("[127.0.0.1]", TF_HOST_BAD_ADDRESS);
    assert_error("[fe80::1%eth0]", TF_HOST_BAD_ADDRESS);
    assert_error("[v1.x]", TF_HOST_BAD_ADDRESS);
    assert_error("a:b", TF_HOST_BAD_ADDRESS);

    memset(long_label, 'a', 64);
    strcpy(long_label + 64, ".example");
    assert_error(long_label, TF_HOST_BAD_LABEL);
    assert_error(long_label + 1, TF_HOST_OK);
    for (size_t i = 0; i < sizeof long_name; i++)
        long_name[i] = i % 2 ? '.' : 'a';
    struct tf_target target;
    assert_int_equal(tf_host_parse(long_name, 253, &target), TF_HOST_OK);
    assert_int_equal(tf_host_parse(long_name, 255, &target), TF_HOST_TOO_LONG);
}

static void a_nul_byte_is_no_part_of_a_name(void **state)
{
    struct tf_target target;
    (void)state;
    assert_int_equal(tf_host_parse("a\0b", 3, &target), TF_HOST_BAD_CHARACTER);
    assert_int_equal(tf_host_parse("a\0", 2, &target), TF_HOST_BAD_CHARACTER);
}

static void an_authority_is_host_and_port(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t default_port, port;
    } rows[] = {
        {"Example.com:443", "example.com", 0, 443},
        {"example.com", "example.com", 80, 80},
        {"example.com:8080", "example.com", 80, 8080},
        {"[::1]:443", "::1", 0, 443},
        {"[::1]", "::1", 80, 80},
        {"127.1:1", "127.0.0.1", 0, 1},
        {"example.com.:65535", "example.com", 0, 65535},
        {"a:00443", "a", 0, 443},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_target target;
        enum tf_host_error e =
            tf_authority_parse(rows[i].text, strlen(rows[i].text), rows[i].default_port, &target);
        if (e != TF_HOST_OK)
            fail_msg("%s: %s", rows[i].text, tf_host_error_text(e));
        assert_string_equal(target.host, rows[i].host);
        assert_int_equal(target.port, rows[i].port);
        assert_int_equal(target.addr.port, rows[i].port);
    }
}

static void a_broken_authority_is_refused_for_its_reason(void **state)
{
    static const struct {
        const char *text;
        uint16_t default_port;
        enum tf_host_error error;
    } rows[] = {
        {"example.com", 0, TF_HOST_BAD_PORT},
        {"example.com:", 0, TF_HOST_BAD_PORT},
        {"example.com:0", 0, TF_HOST_BAD_PORT},
        {"example.com:65536", 0, TF_HOST_BAD_PORT},
        {"example.com:+1", 0, TF_HOST_BAD_PORT},
        {"example.com: 1", 0, TF_HOST_BAD_PORT},
        {"example.com:0x50", 0, TF_HOST_BAD_PORT},
        {"example.com:000443", 0, TF_HOST_BAD_PORT},
        {":443", 0, TF_HOST_EMPTY},
        {"", 80, TF_HOST_EMPTY},
        {"::1:443", 0, TF_HOST_BAD_ADDRESS},
        {"::1", 80, TF_HOST_BAD_ADDRESS},
        {"[::1]443", 0, TF_HOST_BAD_ADDRESS},
        {"[::1", 80, TF_HOST_BAD_ADDRESS},
        {"[::1]x:443", 0, TF_HOST_BAD_ADDRESS},
        {"[::1]:", 0, TF_HOST_BAD_PORT},
        {"[::1]:443:1", 0, TF_HOST_BAD_PORT},
        {"a@b:443", 0, TF_HOST_BAD_CHARACTER},
        {"a:443/", 0, TF_HOST_BAD_PORT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_target target;
        enum tf_host_error e =
            tf_authority_parse(rows[i].text, strlen(rows[i].text), rows[i].default_port, &target);
        if (e != rows[i].error)
            fail_msg("%s: %s", rows[i].text, tf_host_error_text(e));
    }
}

static void an_empty_port_is_the_default_one(void **state)
{
    static const char *const texts[] = {"example.com:", "[::1]:"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct tf_target target;
        assert_int_equal(tf_authority_parse(texts[i], strlen(texts[i]), 80, &target), TF_HOST_OK);
        assert_int_equal(target.port, 80);
    }
}

static void patterns_match_names_and_what_lies_below_suffixes(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool matches;
    } rows[] = {
        {"*", "example.com", true},
        {"*", "127.0.0.1", true},
        {"*", "", false},
        {"example.com", "EXAMPLE.com.", true},
        {"example.com", "a.example.com", false},
        {"example.com", "xexample.com", false},
        {"*.example.com", "a.example.com", true},
        {"*.example.com", "b.A.Example.COM.", true},
        {"*.example.com", "example.com", false},
        {"*.example.com", ".example.com", false},
        {"*.example.com", "xexample.com", false},
        {"*.example.com", "a.example.com.evil", false},
        {"example.com", "example.co", false},
        {"example.com", "example.comm", false},
        {"example.com", "", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (tf_host_matches(rows[i].pattern, rows[i].host, strlen(rows[i].host)) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].host);
    assert_false(tf_host_matches("a", "a\0b", 3));
}

static void ports_of_mail_are_known(void **state)
{
    (void)state;
    assert_true(tf_port_is_mail(587) && tf_port_is_mail(993) && tf_port_is_mail(25));
    assert_false(tf_port_is_mail(443) || tf_port_is_mail(8443) || tf_port_is_mail(80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_of_mail_are_known),
        cmocka_unit_test(names_are_lowered_and_lose_their_trailing_dot),
        cmocka_unit_test(every_spelling_of_an_ipv4_address_is_that_address),
        cmocka_unit_test(what_ends_in_a_number_and_is_no_address_is_refused),
        cmocka_unit_test(no_name_is_an_address_to_the_c_library),
        cmocka_unit_test(ipv6_is_taken_with_and_without_brackets),
        cmocka_unit_test(broken_hosts_are_refused_each_for_its_reason),
        cmocka_unit_test(a_nul_byte_is_no_part_of_a_name),
        cmocka_unit_test(an_authority_is_host_and_port),
        cmocka_unit_test(a_broken_authority_is_refused_for_its_reason),
        cmocka_unit_test(an_empty_port_is_the_default_one),
        cmocka_unit_test(patterns_match_names_and_what_lies_below_suffixes),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
