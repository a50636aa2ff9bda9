/* addr.c and addr_class.c: text forms, blocks, and what kind of address is which. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/addr.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct tf_addr addr(const char *text)
{
    struct tf_addr a;
    if (!tf_addr_parse(text, strlen(text), &a))
        fail_msg("%s is not taken for an address", text);
    return a;
}

static struct tf_cidr cidr(const char *text)
{
    struct tf_cidr c;
    const char *error;
    if (!tf_cidr_parse(text, strlen(text), &c, &error))
        fail_msg("%s is not taken for a block: %s", text, error);
    return c;
}

static void assert_put(const struct tf_addr *a, const char *expected)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_addr(&w, a);
    text[w.len] = '\0';
    assert_false(w.full);
    assert_string_equal(text, expected);
}

static void ipv4_text_becomes_four_bytes(void **state)
{
    (void)state;
    struct tf_addr a = addr("192.0.2.255");
    assert_int_equal(a.family, TF_FAMILY_V4);
    assert_memory_equal(a.ip, "\xc0\x00\x02\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(a.port, 0);
}

/* RFC 5952, and what is written differently on the way in. */
static void ipv6_text_is_put_as_rfc_5952_wants(void **state)
{
    static const char *const pairs[][2] = {
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"::ffff:0:0", "::ffff:0.0.0.0"},
        {"::ffff:c000:201", "::ffff:192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"ff02::0", "ff02::"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct tf_addr a = addr(pairs[i][0]);
        assert_int_equal(a.family, TF_FAMILY_V6);
        assert_put(&a, pairs[i][1]);
    }
}

static void other_spellings_are_no_address(void **state)
{
    static const char *const texts[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "0x1.2.3.4",
        "1.2.3.-4",
        "+1.2.3.4",
        "1.2.3.4/8",
        ":",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "12345::",
        "g::",
        "::1%eth0",
        "[::1]",
        "::1.2.3",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1:",
        ":1",
        "::1:",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::01.2.3.4",

    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct tf_addr a;
        if (tf_addr_parse(texts[i], strlen(texts[i]), &a))
            fail_msg("%s is taken for an address", texts[i]);
    }
    struct tf_addr a;
    assert_false(tf_addr_parse("1.2.3.4\0", 8, &a));
    assert_false(tf_addr_parse(NULL, 0, &a));
}

/* The C library is strict as well, so the two must agree on every text. */
static void random_texts_are_judged_as_by_the_c_library(void **state)
{
    static const char alphabet[] = "0123456789abcdefF::::....";
    unsigned accepted = 0;
    (void)state;
    srand(1);
    for (int round = 0; round < 200000; round++) {
        char text[INET6_ADDRSTRLEN + 8];
        uint8_t bytes[16];
        struct tf_addr a;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = rand() % 3 ? 0 : (uint8_t)rand();
        int family = rand() % 4 ? AF_INET6 : AF_INET;
        inet_ntop(family, bytes, text, sizeof text);
        for (int edits = rand() % 3; edits > 0; edits--)
            text[(size_t)rand() % strlen(text)] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];

        bool v4 = inet_pton(AF_INET, text, bytes) == 1;
        bool v6 = !v4 && inet_pton(AF_INET6, text, bytes) == 1;
        if (tf_addr_parse(text, strlen(text), &a) != (v4 || v6))
            fail_msg("%s is judged otherwise by inet_pton", text);
        if (!v4 && !v6)
            continue;
        accepted++;
        assert_int_equal(a.family, v4 ? TF_FAMILY_V4 : TF_FAMILY_V6);
        assert_memory_equal(a.ip, bytes, v4 ? 4 : 16);
    }
    assert_true(accepted > 10000);
}

static void what_is_put_parses_to_the_same_address(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < 100000; round++) {
        struct tf_addr a = {.family = rand() % 2 ? TF_FAMILY_V4 : TF_FAMILY_V6}, again;
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        for (size_t i = 0; i < (a.family == TF_FAMILY_V4 ? 4 : 16); i++)
            a.ip[i] = rand() % 3 ? 0 : (uint8_t)rand();
        tf_put_addr(&w, &a);
        assert_true(tf_addr_parse(text, w.len, &again));
        assert_memory_equal(&a, &again, sizeof a);
    }
}

static void a_block_has_the_addresses_that_share_its_prefix(void **state)
{
    static const struct {
        const char *block, *address;
        bool has;
    } rows[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"198.18.0.0/15", "198.19.0.1", true},
        {"198.18.0.0/15", "198.20.0.1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::/0", "::ffff:1.2.3.4", true},
        {"::/0", "1.2.3.4", false},
        {"::1", "::1", true},
        {"::1", "::", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_cidr c = cidr(rows[i].block);
        struct tf_addr a = addr(rows[i].address);
        if (tf_cidr_has(&c, &a) != rows[i].has)
            fail_msg("%s in %s", rows[i].address, rows[i].block);
    }
}

static void a_bad_block_is_refused_with_its_reason(void **state)
{
    static const char *const rows[][2] = {
        {"10.0.0.1/8", "behind the prefix"},
        {"10.0.0.0/33", "prefix length"},
        {"::/129", "prefix length"},
        {"10.0.0.0/", "prefix length"},
        {"10.0.0.0/8/8", "prefix length"},
        {"10.0.0.0/-1", "prefix length"},
        {"10.0.0/8", "not an IP address"},
        {"", "not an IP address"},
        {"2001:db8::1/64", "behind the prefix"},
        {"/8", "not an IP address"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_cidr c;
        const char *error = "";
        assert_false(tf_cidr_parse(rows[i][0], strlen(rows[i][0]), &c, &error));
        if (!strstr(error, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], error);
    }
}

static void an_address_and_its_port_are_read_and_put(void **state)
{
    static const char *const rows[][2] = {
        {"127.0.0.1:3128", "127.0.0.1:3128"}, {"[::1]:443", "[::1]:443"}, {":8080", "*:8080"}, {"*:0", "*:0"},
        {"0.0.0.0:65535", "0.0.0.0:65535"},   {"[::]:1", "[::]:1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_addr a;
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text - 1);
        assert_true(tf_addr_port_parse(rows[i][0], strlen(rows[i][0]), &a));
        tf_put_addr_port(&w, &a);
        text[w.len] = '\0';
        assert_string_equal(text, rows[i][1]);
    }
}

static void an_address_without_a_port_or_with_a_bad_one_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:1x",
        "::1:443",
        "[::1]",
        "[::1]443",
        "[127.0.0.1]:1",
        "localhost:1",
        "**:1",
        "[]:1",
        "127.0.0.1:99999999999",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct tf_addr a;
        if (tf_addr_port_parse(texts[i], strlen(texts[i]), &a))
            fail_msg("%s is taken", texts[i]);
    }
}

/* The first and the last address of every special block, and their neighbours. */
static void every_special_address_has_its_class(void **state)
{
    static const struct {
        const char *address;
        enum tf_class class;
    } rows[] = {
        {"0.0.0.0", TF_CLASS_UNSPECIFIED},
        {"0.255.255.255", TF_CLASS_UNSPECIFIED},
        {"1.0.0.0", TF_CLASS_PUBLIC},
        {"9.255.255.255", TF_CLASS_PUBLIC},
        {"10.0.0.0", TF_CLASS_PRIVATE},
        {"10.255.255.255", TF_CLASS_PRIVATE},
        {"11.0.0.0", TF_CLASS_PUBLIC},
        {"100.63.255.255", TF_CLASS_PUBLIC},
        {"100.64.0.0", TF_CLASS_SHARED},
        {"100.100.100.200", TF_CLASS_METADATA},
        {"100.127.255.255", TF_CLASS_SHARED},
        {"100.128.0.0", TF_CLASS_PUBLIC},
        {"127.0.0.1", TF_CLASS_LOOPBACK},
        {"127.255.255.255", TF_CLASS_LOOPBACK},
        {"168.63.129.16", TF_CLASS_METADATA},
        {"169.254.0.0", TF_CLASS_LINK_LOCAL},
        {"169.254.169.254", TF_CLASS_METADATA},
        {"169.254.255.255", TF_CLASS_LINK_LOCAL},
        {"172.15.255.255", TF_CLASS_PUBLIC},
        {"172.16.0.0", TF_CLASS_PRIVATE},
        {"172.31.255.255", TF_CLASS_PRIVATE},
        {"172.32.0.0", TF_CLASS_PUBLIC},
        {"192.0.0.1", TF_CLASS_RESERVED},
        {"192.0.0.192", TF_CLASS_METADATA},
        {"192.0.2.1", TF_CLASS_DOCUMENTATION},
        {"192.88.99.1", TF_CLASS_6TO4},
        {"192.168.0.0", TF_CLASS_PRIVATE},
        {"192.168.255.255", TF_CLASS_PRIVATE},
        {"192.169.0.0", TF_CLASS_PUBLIC},
        {"198.18.0.0", TF_CLASS_BENCHMARK},
        {"198.19.255.255", TF_CLASS_BENCHMARK},
        {"198.20.0.0", TF_CLASS_PUBLIC},
        {"198.51.100.7", TF_CLASS_DOCUMENTATION},
        {"203.0.113.7", TF_CLASS_DOCUMENTATION},
        {"223.255.255.255", TF_CLASS_PUBLIC},
        {"224.0.0.1", TF_CLASS_MULTICAST},
        {"239.255.255.255", TF_CLASS_MULTICAST},
        {"240.0.0.0", TF_CLASS_RESERVED},
        {"255.255.255.255", TF_CLASS_RESERVED},
        {"::", TF_CLASS_UNSPECIFIED},
        {"::1", TF_CLASS_LOOPBACK},
        {"::2", TF_CLASS_MAPPED},
        {"::7f00:1", TF_CLASS_MAPPED},
        {"::ffff:8.8.8.8", TF_CLASS_MAPPED},
        {"::ffff:0:8.8.8.8", TF_CLASS_RESERVED},
        {"64:ff9b::8.8.8.8", TF_CLASS_NAT64},
        {"64:ff9b:1::1", TF_CLASS_NAT64},
        {"64:ff9b:2::1", TF_CLASS_RESERVED},
        {"100::1", TF_CLASS_RESERVED},
        {"2000::1", TF_CLASS_PUBLIC},
        {"2001::1", TF_CLASS_TEREDO},
        {"2001:1::1", TF_CLASS_RESERVED},
        {"2001:2::1", TF_CLASS_BENCHMARK},
        {"2001:20::1", TF_CLASS_RESERVED},
        {"2001:1ff:ffff::1", TF_CLASS_RESERVED},
        {"2001:200::1", TF_CLASS_PUBLIC},
        {"2001:db8::1", TF_CLASS_DOCUMENTATION},
        {"2002:7f00:1::", TF_CLASS_6TO4},
        {"2003::1", TF_CLASS_PUBLIC},
        {"2a00:1450:4001::64", TF_CLASS_PUBLIC},
        {"3fff::1", TF_CLASS_DOCUMENTATION},
        {"3fff:1000::1", TF_CLASS_PUBLIC},
        {"4000::1", TF_CLASS_RESERVED},
        {"5f00::1", TF_CLASS_RESERVED},
        {"fc00::1", TF_CLASS_PRIVATE},
        {"fd00:ec2::254", TF_CLASS_METADATA},
        {"fd20:ce::254", TF_CLASS_METADATA},
        {"fdff:ffff::1", TF_CLASS_PRIVATE},
        {"fe80::1", TF_CLASS_LINK_LOCAL},
        {"febf::1", TF_CLASS_LINK_LOCAL},
        {"fec0::1", TF_CLASS_RESERVED},
        {"ff02::1", TF_CLASS_MULTICAST},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_addr a = addr(rows[i].address);
        if (tf_addr_class(&a) != rows[i].class)
            fail_msg("%s is %s", rows[i].address, tf_class_name(tf_addr_class(&a)));
    }
}

static void an_unknown_address_is_never_public(void **state)
{
    struct tf_addr none = {.family = TF_FAMILY_NONE, .ip = {8, 8, 8, 8}};
    (void)state;
    assert_int_equal(tf_addr_class(&none), TF_CLASS_UNSPECIFIED);
}

static void addresses_are_the_same_whatever_the_port(void **state)
{
    struct tf_addr a = addr("192.0.2.1"), b = addr("192.0.2.1"), mapped = addr("::ffff:192.0.2.1");
    (void)state;
    b.port = 443;
    assert_true(tf_addr_same_ip(&a, &b));
    assert_false(tf_addr_same_ip(&a, &mapped));
    b.ip[3] = 2;
    assert_false(tf_addr_same_ip(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_text_becomes_four_bytes),
        cmocka_unit_test(ipv6_text_is_put_as_rfc_5952_wants),
        cmocka_unit_test(other_spellings_are_no_address),
        cmocka_unit_test(random_texts_are_judged_as_by_the_c_library),
        cmocka_unit_test(what_is_put_parses_to_the_same_address),
        cmocka_unit_test(a_block_has_the_addresses_that_share_its_prefix),
        cmocka_unit_test(a_bad_block_is_refused_with_its_reason),
        cmocka_unit_test(an_address_and_its_port_are_read_and_put),
        cmocka_unit_test(an_address_without_a_port_or_with_a_bad_one_is_refused),
        cmocka_unit_test(every_special_address_has_its_class),
        cmocka_unit_test(an_unknown_address_is_never_public),
        cmocka_unit_test(addresses_are_the_same_whatever_the_port),
    };
    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
