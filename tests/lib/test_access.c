/* access.c: who may use the gateway, and where to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/access.h"
#include <string.h>

static struct tf_addr at(const char *text)
{
    struct tf_addr a;
    if (!tf_addr_port_parse(text, strlen(text), &a))
        fail_msg("%s", text);
    return a;
}

static struct tf_cidr cidr(const char *text)
{
    struct tf_cidr c;
    const char *error;
    assert_true(tf_cidr_parse(text, strlen(text), &c, &error));
    return c;
}

static void assert_address(const struct tf_access *access, const char *text, enum tf_reason expected)
{
    struct tf_addr a = at(text);
    enum tf_reason reason = tf_access_address(access, &a);
    if (reason != expected)
        fail_msg("%s: %s", text, tf_reason_info(reason)->code);
}

static void sources_are_classes_and_blocks(void **state)
{
    struct tf_cidr block = cidr("203.0.113.0/24");
    struct tf_access access = {.source = {.classes = 1u << TF_CLASS_LOOPBACK | 1u << TF_CLASS_PRIVATE,
                                          .blocks = &block,
                                          .block_count = 1}};
    static const struct {
        const char *source;
        enum tf_reason reason;
    } rows[] = {
        {"127.0.0.1:1", TF_REASON_NONE},
        {"[::1]:1", TF_REASON_NONE},
        {"192.168.1.1:1", TF_REASON_NONE},
        {"[fd12::1]:1", TF_REASON_NONE},
        {"203.0.113.9:1", TF_REASON_NONE},
        {"8.8.8.8:1", TF_REASON_SOURCE_DENIED},
        {"169.254.1.1:1", TF_REASON_SOURCE_DENIED},
        {"[::ffff:127.0.0.1]:1", TF_REASON_SOURCE_DENIED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tf_addr a = at(rows[i].source);
        if (tf_access_source(&access, &a) != rows[i].reason)
            fail_msg("%s", rows[i].source);
    }
}

static void ports_are_ranges_and_none_is_open_by_itself(void **state)
{
    static const struct tf_port_range ranges[] = {{443, 443}, {8000, 8099}};
    struct tf_access access = {.ports = ranges, .port_count = 2}, empty = {.port_count = 0};
    (void)state;
    assert_int_equal(tf_access_port(&access, 443), TF_REASON_NONE);
    assert_int_equal(tf_access_port(&access, 8000), TF_REASON_NONE);
    assert_int_equal(tf_access_port(&access, 8099), TF_REASON_NONE);
    assert_int_equal(tf_access_port(&access, 7999), TF_REASON_PORT_DENIED);
    assert_int_equal(tf_access_port(&access, 8100), TF_REASON_PORT_DENIED);
    assert_int_equal(tf_access_port(&access, 0), TF_REASON_PORT_DENIED);
    assert_int_equal(tf_access_port(&empty, 443), TF_REASON_PORT_DENIED);
}

static void only_public_destinations_are_open_by_default(void **state)
{
    static const char *const closed[] = {
        "127.0.0.1:443",
        "10.1.2.3:443",
        "192.168.1.1:443",
        "172.16.0.1:443",
        "169.254.1.1:443",
        "169.254.169.254:80",
        "168.63.129.16:80",
        "100.64.0.1:443",
        "192.0.2.1:443",
        "198.18.0.1:443",
        "0.0.0.0:443",
        "255.255.255.255:443",
        "224.0.0.1:443",
        "[::1]:443",
        "[::]:443",
        "[fd00::1]:443",
        "[fe80::1]:443",
        "[::ffff:8.8.8.8]:443",
        "[::8.8.8.8]:443",
        "[64:ff9b::8.8.8.8]:443",
        "[2002:808:808::]:443",
        "[2001::1]:443",
        "[2001:db8::1]:443",
        "[fd00:ec2::254]:80",
        ":443",
    };
    struct tf_access access = {.destination = {.classes = 1u << TF_CLASS_PUBLIC}};
    (void)state;
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
        assert_address(&access, closed[i], TF_REASON_DESTINATION_DENIED);
    assert_address(&access, "8.8.8.8:443", TF_REASON_NONE);
    assert_address(&access, "[2606:4700::1111]:443", TF_REASON_NONE);
}

static void a_block_opens_what_it_covers_and_no_more(void **state)
{
    struct tf_cidr block = cidr("10.1.0.0/16");
    struct tf_access access = {.destination = {.blocks = &block, .block_count = 1}};
    (void)state;
    assert_address(&access, "10.1.2.3:443", TF_REASON_NONE);
    assert_address(&access, "10.2.2.3:443", TF_REASON_DESTINATION_DENIED);
    assert_address(&access, "8.8.8.8:443", TF_REASON_DESTINATION_DENIED);
}

/* What is dialled for ::ffff:127.0.0.1 is 127.0.0.1. */
static void a_mapped_address_must_pass_as_ipv4_too(void **state)
{
    struct tf_cidr everything = cidr("::/0");
    struct tf_access access = {
        .destination = {.classes = 1u << TF_CLASS_PUBLIC, .blocks = &everything, .block_count = 1}};
    (void)state;
    assert_address(&access, "[::ffff:127.0.0.1]:443", TF_REASON_DESTINATION_DENIED);
    assert_address(&access, "[::ffff:169.254.169.254]:80", TF_REASON_DESTINATION_DENIED);
    assert_address(&access, "[::ffff:8.8.8.8]:443", TF_REASON_NONE);
}

/* All addresses open, so that only the check for own listeners refuses. */
static struct tf_access all_open(const struct tf_addr *listeners, size_t n, const struct tf_addr *local,
                                 size_t local_n)
{
    return (struct tf_access){.destination = {.classes = UINT32_MAX},
                              .listeners = listeners,
                              .listener_count = n,
                              .local = local,
                              .local_count = local_n};
}

static void own_listeners_are_never_a_destination(void **state)
{
    struct tf_addr listeners[] = {at("127.0.0.1:3128"), at("[::1]:9180")};
    struct tf_access access = all_open(listeners, 2, NULL, 0);
    (void)state;
    assert_address(&access, "127.0.0.1:3128", TF_REASON_DESTINATION_SELF);
    assert_address(&access, "[::1]:9180", TF_REASON_DESTINATION_SELF);
    assert_address(&access, "[::ffff:127.0.0.1]:3128", TF_REASON_DESTINATION_SELF);
    assert_address(&access, "0.0.0.0:3128", TF_REASON_DESTINATION_SELF);
    assert_address(&access, "[::]:9180", TF_REASON_DESTINATION_SELF);
    assert_address(&access, "127.0.0.1:3129", TF_REASON_NONE);
    assert_address(&access, "127.0.0.2:3128", TF_REASON_NONE);
    assert_address(&access, "192.0.2.1:3128", TF_REASON_NONE);
}

static void a_wildcard_listener_is_at_every_address_of_the_machine(void **state)
{
    static const char *const wildcards[] = {"0.0.0.0:3128", "[::]:3128", "*:3128"};
    struct tf_addr local[] = {at("192.0.2.1:0"), at("[2001:db8::1]:0")};
    (void)state;
    for (size_t i = 0; i < sizeof wildcards / sizeof wildcards[0]; i++) {
        struct tf_addr listener = at(wildcards[i]);
        struct tf_access access = all_open(&listener, 1, local, 2);
        assert_address(&access, "127.0.0.1:3128", TF_REASON_DESTINATION_SELF);
        assert_address(&access, "127.9.9.9:3128", TF_REASON_DESTINATION_SELF);
        assert_address(&access, "[::1]:3128", TF_REASON_DESTINATION_SELF);
        assert_address(&access, "192.0.2.1:3128", TF_REASON_DESTINATION_SELF);
        assert_address(&access, "[2001:db8::1]:3128", TF_REASON_DESTINATION_SELF);
        assert_address(&access, "[::ffff:192.0.2.1]:3128", TF_REASON_DESTINATION_SELF);
        assert_address(&access, "192.0.2.2:3128", TF_REASON_NONE);
        assert_address(&access, "192.0.2.1:443", TF_REASON_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_classes_and_blocks),
        cmocka_unit_test(ports_are_ranges_and_none_is_open_by_itself),
        cmocka_unit_test(only_public_destinations_are_open_by_default),
        cmocka_unit_test(a_block_opens_what_it_covers_and_no_more),
        cmocka_unit_test(a_mapped_address_must_pass_as_ipv4_too),
        cmocka_unit_test(own_listeners_are_never_a_destination),
        cmocka_unit_test(a_wildcard_listener_is_at_every_address_of_the_machine),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
