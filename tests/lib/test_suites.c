/* suites.c: names, and numbers where there is no name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/suites.h"
#include <string.h>

static void assert_suite(uint16_t id, const char *expected)
{
    char text[TF_SUITE_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_suite(&w, id);
    assert_false(w.full);
    assert_int_equal(w.len, strlen(expected));
    assert_memory_equal(text, expected, w.len);
}

static void known_suites_have_their_iana_names(void **state)
{
    (void)state;
    assert_suite(0x0002, "TLS_RSA_WITH_NULL_SHA"); /* the first row */
    assert_suite(0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA");
    assert_suite(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA");
    assert_suite(0x1301, "TLS_AES_128_GCM_SHA256");
    assert_suite(0x5600, "TLS_FALLBACK_SCSV");
    assert_suite(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_suite(0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"); /* the last row */
}

static void unknown_suites_are_four_hex_digits(void **state)
{
    (void)state;
    assert_suite(0x0000, "0x0000");
    assert_suite(0x0a0a, "0x0a0a");
    assert_suite(0xffff, "0xffff");
}

/* Halving finds every row only while the table is sorted: a row out of place would be a number. */
static void every_row_is_found(void **state)
{
    (void)state;
    size_t names = 0;
    for (unsigned id = 0; id <= 0xffff; id++) {
        char text[TF_SUITE_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_suite(&w, (uint16_t)id);
        assert_false(w.full);
        names += w.len > 4 && memcmp(text, "TLS_", 4) == 0;
    }
    assert_int_equal(names, 122);
}

static void rows_are_told_one_by_one(void **state)
{
    (void)state;
    size_t n = 0;
    while (tf_suite_at(n) != 0) {
        assert_true(n == 0 || tf_suite_at(n) > tf_suite_at(n - 1));
        n++;
    }
    assert_int_equal(n, 122);
    assert_int_equal(tf_suite_at(n + 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_suites_have_their_iana_names),
        cmocka_unit_test(unknown_suites_are_four_hex_digits),
        cmocka_unit_test(every_row_is_found),
        cmocka_unit_test(rows_are_told_one_by_one),
    };
    return cmocka_run_group_tests_name("suites", tests, NULL, NULL);
}
