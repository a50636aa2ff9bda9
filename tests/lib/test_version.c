/* GREASE, and the order and names of versions. */
#include "../../lib/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void grease_values_are_the_sixteen_of_rfc_8701(void **state)
{
    (void)state;
    static const uint16_t grease[] = {0x0a0a, 0x1a1a, 0x2a2a, 0x3a3a, 0x4a4a, 0x5a5a, 0x6a6a, 0x7a7a,
                                      0x8a8a, 0x9a9a, 0xaaaa, 0xbaba, 0xcaca, 0xdada, 0xeaea, 0xfafa};
    size_t next = 0;
    for (uint32_t v = 0; v <= 0xffff; v++) {
        bool expected = next < 16 && grease[next] == v;
        next += expected;
        assert_int_equal(tf_is_grease((uint16_t)v), expected);
    }
}

struct version_row {
    uint16_t version, rank;
    const char *name, *short_name;
};

static const struct version_row rows[] = {
    {0x0002, 0x0002, "SSLv2", "ssl2"},
    {0x0300, 0x0300, "SSLv3", "ssl3"},
    {0x0301, 0x0301, "TLS1.0", "1.0"},
    {0x0302, 0x0302, "TLS1.1", "1.1"},
    {0x0303, 0x0303, "TLS1.2", "1.2"},
    {0x0304, 0x0304, "TLS1.3", "1.3"},
    {0x7f0e, 0x0304, "TLS1.3-draft14", "1.3"},
    {0x7f1c, 0x0304, "TLS1.3-draft28", "1.3"},
    {0x7e01, 0x0304, "TLS1.3-experiment-7e01", "1.3"},
    {0xfb1a, 0x0304, "TLS1.3-experiment-fb1a", "1.3"},
    {0x0000, 0, "0x0000", "0000"},
    {0x0200, 0, "0x0200", "0200"},
    {0x0305, 0, "0x0305", "0305"},
    {0x0999, 0, "0x0999", "0999"},
    {0xfafa, 0, "0xfafa", "fafa"},
    {0xfeff, 0, "0xfeff", "feff"},
};

static void versions_are_ranked_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        assert_int_equal(tf_version_rank(rows[i].version), rows[i].rank);
        tf_put_version(&w, rows[i].version);
        tf_put_char(&w, '\0');
        assert_string_equal(text, rows[i].name);
        w.len = 0;
        tf_put_short_version(&w, rows[i].version);
        tf_put_char(&w, '\0');
        assert_string_equal(text, rows[i].short_name);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grease_values_are_the_sixteen_of_rfc_8701),
        cmocka_unit_test(versions_are_ranked_and_named),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
