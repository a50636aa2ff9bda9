/* winhttp_main.c: what the command prints, and its exit codes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/winhttp_main.h"
#include "command_stage.h"

static struct output o;

/* Up to three arguments; NULL: no more. */
static int run(const char *a, const char *b, const char *c)
{
    return stage_run(winhttp_main, &o, (const char *[]){"winhttp", a, b, c, NULL});
}

static void assert_answer(const char *first_line)
{
    assert_string_equal(o.err, "");
    if (strncmp(o.out, first_line, strlen(first_line)) != 0 || o.out[strlen(first_line)] != '\n')
        fail_msg("%s\nis not the first line of:\n%s", first_line, o.out);
}

static void assert_has_not(const char *text, const char *unexpected)
{
    if (strstr(text, unexpected))
        fail_msg("%s\nis in:\n%s", unexpected, text);
}

static void a_value_is_taken_apart_however_it_is_written(void **state)
{
    static const char *const ways[] = {"0xA80", "2688", "dword:00000a80"};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_int_equal(run(ways[i], NULL, NULL), 0);
        assert_answer("DefaultSecureProtocols 0xA80 (2688): TLS 1.0, TLS 1.1, TLS 1.2");
        assert_has_not(o.out, "warning");
        assert_has_not(o.out, "unknown");
        assert_has(o.out, "Windows 7 SP1, Server 2008 R2 SP1 and Server 2012");
    }
}

static void protocols_are_put_together(void **state)
{
    (void)state;
    assert_int_equal(run("TLSv1.2", "tls1.1", NULL), 0);
    assert_answer("DefaultSecureProtocols 0xA00 (2560): TLS 1.1, TLS 1.2");
    assert_int_equal(run("1.2", "1.2", NULL), 0);
    assert_answer("DefaultSecureProtocols 0x800 (2048): TLS 1.2");
    assert_int_equal(run("TLS1.3", "TLS1.2", NULL), 0);
    assert_answer("DefaultSecureProtocols 0x2800 (10240): TLS 1.2, TLS 1.3");
    assert_has(o.out, "note: 0x2000 is a later bit");
}

static void ssl_is_warned_of_and_never_put_in(void **state)
{
    (void)state;
    assert_int_equal(run("0xAA0", NULL, NULL), 0);
    assert_has(o.out, "warning: SSL 3.0 must not be on");
    assert_int_equal(run("TLS1.2", "SSL3", NULL), 2);
    assert_string_equal(o.out, "");
    assert_has(o.err, "SSL 3.0 is broken and must not be turned on");
    assert_has(o.err, "KB3009008");
    assert_int_equal(run("SSLv2", NULL, NULL), 2);
}

static void a_mask_without_tls_1_2_is_warned_of(void **state)
{
    (void)state;
    assert_int_equal(run("0x0A0", NULL, NULL), 0);
    assert_answer("DefaultSecureProtocols 0x0A0 (160): SSL 3.0, TLS 1.0");
    assert_has(o.out, "warning: without TLS 1.2");
    assert_has(o.out, "note: the system's default");
    assert_int_equal(run("0", NULL, NULL), 0);
    assert_answer("DefaultSecureProtocols 0x000 (0): no protocol");
}

static void bits_that_mean_nothing_are_named(void **state)
{
    (void)state;
    assert_int_equal(run("0x4801", NULL, NULL), 0);
    assert_answer("DefaultSecureProtocols 0x4801 (18433): TLS 1.2");
    assert_has(o.out, "unknown: 0x4001 ");
    assert_has_not(o.out, "crypt-protocol");
    assert_int_equal(run("0x540", NULL, NULL), 0);
    assert_has(o.out, "a client's bits are the double: 0xA80");
}

static void hexadecimal_digits_without_0x_are_pointed_out(void **state)
{
    (void)state;
    assert_int_equal(run("800", NULL, NULL), 0);
    assert_answer("DefaultSecureProtocols 0x320 (800): SSL 3.0, TLS 1.1");
    assert_has(o.out, "write 0x800");
    assert_int_equal(run("A80", NULL, NULL), 2);
    assert_has(o.err, "did you mean 0xA80?");
}

static void wrong_input_is_explained(void **state)
{
    static const char *const bad[] = {"TLS1.4", "0x123456789", "-1", "", "ssl"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(run(bad[i], NULL, NULL), 2);
        assert_string_equal(o.out, "");
        assert_has(o.err, "usage: tlsfloor winhttp");
    }
    assert_int_equal(run("TLS1.22", NULL, NULL), 2);
    assert_has(o.err, "did you mean TLS 1.2?");
    assert_int_equal(run("TLS1.4", NULL, NULL), 2);
    assert_has(o.err, "did you mean TLS 1.3?");
    assert_int_equal(run("0xA80", "0x800", NULL), 2);
    assert_has(o.err, "one value at a time");
    assert_int_equal(run("TLS1.2", "0x800", NULL), 2);
    assert_int_equal(run("--decode", NULL, NULL), 2);
}

static void without_arguments_there_is_a_table(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, NULL, NULL), 0);
    assert_has(o.out, "  0x800   2048  TLS 1.2  ");
    assert_has(o.out, "  0x2000  8192  TLS 1.3  ");
    assert_has(o.out, "  0x0A0    160  the system's default");
    assert_has(o.out, "usage: tlsfloor winhttp");
    assert_int_equal(run("--help", NULL, NULL), 0);
    assert_has(o.out, "usage: tlsfloor winhttp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_taken_apart_however_it_is_written),
        cmocka_unit_test(protocols_are_put_together),
        cmocka_unit_test(ssl_is_warned_of_and_never_put_in),
        cmocka_unit_test(a_mask_without_tls_1_2_is_warned_of),
        cmocka_unit_test(bits_that_mean_nothing_are_named),
        cmocka_unit_test(hexadecimal_digits_without_0x_are_pointed_out),
        cmocka_unit_test(wrong_input_is_explained),
        cmocka_unit_test(without_arguments_there_is_a_table),
    };
    return cmocka_run_group_tests_name("winhttp-main", tests, NULL, NULL);
}
