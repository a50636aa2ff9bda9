/* winhttp.c: the mask of DefaultSecureProtocols, with the values of the vendor's article. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/winhttp.h"

static uint32_t sum_of(const char *const *names)
{
    uint32_t sum = 0;
    for (; *names; names++) {
        const struct tf_winhttp_protocol *p = tf_winhttp_protocol_parse(tf_text_of(*names));
        if (!p)
            fail_msg("%s is not known", *names);
        sum |= p->bit;
    }
    return sum;
}

static void protocols_make_the_values_of_the_article(void **state)
{
    (void)state;
    assert_int_equal(sum_of((const char *[]){"TLS 1.0", "TLS 1.1", "TLS 1.2", NULL}), 0xA80);
    assert_int_equal(sum_of((const char *[]){"TLS 1.1", "TLS 1.2", NULL}), 0xA00);
    assert_int_equal(sum_of((const char *[]){"TLS 1.0", "TLS 1.2", NULL}), 0x880);
    assert_int_equal(sum_of((const char *[]){"TLS 1.2", NULL}), 0x800);
    assert_int_equal(sum_of((const char *[]){"TLS 1.3", NULL}), 0x2000);
    assert_int_equal(sum_of((const char *[]){"SSL 3.0", "TLS 1.0", NULL}), 0x0A0);
    assert_int_equal(sum_of((const char *[]){"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", NULL}), 0xAA0);
    assert_int_equal(sum_of((const char *[]){"SSL 2.0", NULL}), 0x008);
}

static void a_protocol_may_be_written_as_people_write_it(void **state)
{
    static const char *const ways[] = {"TLS1.2", "TLSv1.2", "tls1.2", "TLS 1.2", "tlsV1.2", "1.2"};
    static const char *const ssl[] = {"SSL3", "SSLv3", "ssl 3", "SSL3.0", "SSLv3.0", "sslv3"};
    static const char *const tls10[] = {"TLSv1", "TLS1", "TLSv1.0", "TLS 1.0"};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        assert_int_equal(sum_of((const char *[]){ways[i], NULL}), TF_WINHTTP_TLS12);
    for (size_t i = 0; i < sizeof tls10 / sizeof *tls10; i++)
        assert_int_equal(sum_of((const char *[]){tls10[i], NULL}), TF_WINHTTP_TLS10);
    for (size_t i = 0; i < sizeof ssl / sizeof *ssl; i++)
        assert_int_equal(sum_of((const char *[]){ssl[i], NULL}), TF_WINHTTP_SSL3);
}

static void what_is_no_protocol_is_none(void **state)
{
    static const char *const bad[] = {
        "",         "TLS",  "TLS1.4",   "TLSv",    "SSL1.2", "TLS3.0", "3.0",   "2",     "1",        "SSL",
        "TLSv 1.2", "1.22", "TLS 1.2 ", "DTLS1.2", "TLSv2",  "TLSv3",  "0xA80", "SSL3.", "TLS  1.2", "."};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tf_winhttp_protocol_parse(tf_text_of(bad[i])))
            fail_msg("%s is taken for a protocol", bad[i]);
}

static uint32_t value_of(const char *text)
{
    uint32_t value;
    if (!tf_winhttp_value_parse(tf_text_of(text), &value))
        fail_msg("%s is no value", text);
    return value;
}

static void a_value_is_read_in_every_form_it_is_met_in(void **state)
{
    (void)state;
    assert_int_equal(value_of("0xA80"), 0xA80);
    assert_int_equal(value_of("0Xa80"), 0xA80);
    assert_int_equal(value_of("0x00000A80"), 0xA80);
    assert_int_equal(value_of("2688"), 0xA80);
    assert_int_equal(value_of("dword:00000a80"), 0xA80);
    assert_int_equal(value_of("0"), 0);
    assert_int_equal(value_of("0xFFFFFFFF"), UINT32_MAX);
    assert_int_equal(value_of("4294967295"), UINT32_MAX);
}

static void what_is_no_value_of_32_bits_is_none(void **state)
{
    static const char *const bad[] = {"",    "0x",     "0x123456789", "4294967296", "-1",  "A80",
                                      "0xG", "0xA80 ", "dword:",      "0x-1",       "1.2", "dword:0xA80"};
    uint32_t value;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tf_winhttp_value_parse(tf_text_of(bad[i]), &value))
            fail_msg("%s is taken for a value", bad[i]);
}

static void digits_without_0x_are_known_where_they_make_a_mask(void **state)
{
    uint32_t value = 0;
    (void)state;
    assert_true(tf_winhttp_is_bare_hex(tf_text_of("A80"), &value));
    assert_int_equal(value, 0xA80);
    assert_true(tf_winhttp_is_bare_hex(tf_text_of("800"), &value));
    assert_int_equal(value, 0x800);
    assert_false(tf_winhttp_is_bare_hex(tf_text_of("2688"), &value));
    assert_false(tf_winhttp_is_bare_hex(tf_text_of("0"), &value));
    assert_false(tf_winhttp_is_bare_hex(tf_text_of("tls"), &value));
    assert_false(tf_winhttp_is_bare_hex(tf_text_of(""), &value));
    assert_int_equal(value, 0x800);
}

static void the_groups_of_bits_are_what_they_say(void **state)
{
    uint32_t all = 0;
    const struct tf_winhttp_protocol *p;
    (void)state;
    for (size_t i = 0; (p = tf_winhttp_protocol(i)); i++) {
        assert_int_equal(all & p->bit, 0);
        assert_int_equal((p->bit & TF_WINHTTP_BROKEN) != 0, p->name[0] == 'S');
        all |= p->bit;
    }
    assert_int_equal(all, TF_WINHTTP_ALL);
    assert_null(tf_winhttp_value(6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_make_the_values_of_the_article),
        cmocka_unit_test(a_protocol_may_be_written_as_people_write_it),
        cmocka_unit_test(what_is_no_protocol_is_none),
        cmocka_unit_test(a_value_is_read_in_every_form_it_is_met_in),
        cmocka_unit_test(what_is_no_value_of_32_bits_is_none),
        cmocka_unit_test(digits_without_0x_are_known_where_they_make_a_mask),
        cmocka_unit_test(the_groups_of_bits_are_what_they_say),
    };
    return cmocka_run_group_tests_name("winhttp", tests, NULL, NULL);
}
