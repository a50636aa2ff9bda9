/* registry.c: the bytes of a .reg file, and the same settings in the script. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/registry.h"
#include <stdio.h>
#include <string.h>

enum { ALL_GROUPS = 31 };

static char reg[TF_REGISTRY_MAX], script[TF_REGISTRY_MAX];

static size_t make_reg(unsigned groups)
{
    struct tf_writer w = tf_writer_of(reg, sizeof reg);
    tf_registry_put_reg(&w, groups);
    assert_false(w.full);
    return w.len;
}

static size_t make_script(unsigned groups)
{
    struct tf_writer w = tf_writer_of(script, sizeof script);
    tf_registry_put_powershell(&w, groups);
    assert_false(w.full);
    return w.len;
}

/* The .reg file as text with plain line ends; it is ASCII behind its mark. */
static const char *reg_text(unsigned groups)
{
    static char text[TF_REGISTRY_MAX];
    size_t n = make_reg(groups), len = 0;
    for (size_t i = 2; i < n; i += 2) {
        assert_int_equal(reg[i + 1], 0);
        if (reg[i] != '\r')
            text[len++] = reg[i];
    }
    text[len] = '\0';
    return text;
}

/* KEY NAME VALUE, a line each, of either form. */
static void settings_of_reg(const char *text, char *out, size_t size)
{
    char line[256], key[200] = "", name[64];
    unsigned value;
    *out = '\0';
    for (int n; sscanf(text, "%255[^\n]%n", line, &n) == 1; text += n, text += strspn(text, "\n")) {
        if (sscanf(line, "[HKEY_LOCAL_MACHINE\\%199[^]]", key) == 1)
            continue;
        if (sscanf(line, "\"%63[^\"]\"=dword:%8x", name, &value) == 2)
            snprintf(out + strlen(out), size - strlen(out), "%s %s %u\n", key, name, value);
    }
}

static void settings_of_script(const char *text, char *out, size_t size)
{
    char line[256], key[200] = "", name[64];
    unsigned value;
    *out = '\0';
    for (int n; sscanf(text, "%255[^\r\n]%n", line, &n) == 1; text += n, text += strspn(text, "\r\n")) {
        if (sscanf(line, "$key = 'HKLM:\\%199[^']", key) == 1)
            continue;
        if (sscanf(line, "New-ItemProperty -Path $key -Name '%63[^']' -PropertyType DWord -Value 0x%8x", name,
                   &value) == 2)
            snprintf(out + strlen(out), size - strlen(out), "%s %s %u\n", key, name, value);
    }
}

static void windows_7_gets_these_bytes(void **state)
{
    char expected[TF_REGISTRY_MAX];
    (void)state;
    FILE *f = fopen("tests/data/windows-7.reg", "rb");
    assert_non_null(f);
    size_t n = fread(expected, 1, sizeof expected, f);
    fclose(f);
    assert_int_equal(make_reg(TF_REGISTRY_WINDOWS_7), n);
    assert_memory_equal(reg, expected, n);
}

static void the_script_sets_the_same_as_the_file(void **state)
{
    char of_reg[4096], of_script[4096];
    (void)state;
    for (unsigned groups = 1; groups <= ALL_GROUPS; groups++) {
        script[make_script(groups)] = '\0';
        settings_of_script(script, of_script, sizeof of_script);
        settings_of_reg(reg_text(groups), of_reg, sizeof of_reg);
        assert_true(strlen(of_reg) > 0);
        assert_string_equal(of_script, of_reg);
    }
}

static void the_script_makes_a_key_only_where_there_is_none(void **state)
{
    (void)state;
    script[make_script(ALL_GROUPS)] = '\0';
    for (const char *at = script; (at = strstr(at, "New-Item -Path")); at++) {
        const char *condition = "if (-not (Test-Path -Path $key)) { ";
        assert_memory_equal(at - strlen(condition), condition, strlen(condition));
    }
}

static void nothing_broken_is_turned_on_and_no_protocol_off(void **state)
{
    (void)state;
    const char *text = reg_text(ALL_GROUPS);
    assert_null(strstr(text, "SSL "));
    assert_null(strstr(text, "TLS 1.0"));
    assert_null(strstr(text, "\"Enabled\"=dword:00000000"));
    assert_null(strstr(text, "\"DisabledByDefault\"=dword:00000001"));
    assert_null(strstr(text, "=-"));
    assert_null(strstr(text, "[-"));
}

static void without_tls_1_1_nothing_of_it_is_left(void **state)
{
    (void)state;
    const char *text = reg_text(tf_registry_only_12(TF_REGISTRY_WINDOWS_7));
    assert_null(strstr(text, "TLS 1.1"));
    assert_null(strstr(text, "00000a00"));
    assert_non_null(strstr(text, "\"DefaultSecureProtocols\"=dword:00000800\n"));
    assert_non_null(strstr(text, "Protocols\\TLS 1.2\\Server]\n"));
    assert_int_equal(tf_registry_only_12(TF_REGISTRY_NEWER), TF_REGISTRY_NEWER);
}

static void what_does_not_fit_is_said(void **state)
{
    struct tf_writer w = tf_writer_of(reg, 100);
    (void)state;
    tf_registry_put_reg(&w, TF_REGISTRY_NEWER);
    assert_true(w.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_7_gets_these_bytes),
        cmocka_unit_test(the_script_sets_the_same_as_the_file),
        cmocka_unit_test(the_script_makes_a_key_only_where_there_is_none),
        cmocka_unit_test(nothing_broken_is_turned_on_and_no_protocol_off),
        cmocka_unit_test(without_tls_1_1_nothing_of_it_is_left),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
