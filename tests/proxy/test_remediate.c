/* remediate.c, remediate_print.c: what the command prints, which files it writes, and its exit codes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/remedy.h"
#include "../../proxy/ca_command.h"
#include "../../proxy/remediate.h"
#include "command_stage.h"
#include <jansson.h>
#include <sys/stat.h>

static struct output o;
static char directory[] = "/tmp/tlsfloor-test-XXXXXX";

#define RUN(...) stage_run(remediate_main, &o, (const char *[]){"remediate", __VA_ARGS__, NULL})

static char *in_directory(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, size, f);
    fclose(f);
    return n;
}

static void assert_same_files(const char *a, const char *b)
{
    char bytes[2][16384];
    size_t n = read_file(a, bytes[0], sizeof bytes[0]);
    assert_int_equal(read_file(b, bytes[1], sizeof bytes[1]), n);
    assert_memory_equal(bytes[0], bytes[1], n);
}

static void steps_article_dates_and_rule_are_printed(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "schannel-win7"), 0);
    assert_string_equal(o.err, "");
    assert_has(o.out, "schannel-win7: a program on Windows 7");
    assert_has(o.out, "TLS 1.2: can be configured\n");
    assert_has(o.out, "\n  1. Install Service Pack 1");
    assert_has(o.out, "tlsfloor remediate --client schannel-win7 --reg tls12.reg\n");
    assert_has(o.out, "  [rule schannel-win7]\n");
    assert_has(o.out, "  until = 20");
    assert_has(o.out, "  owner = your team ;");
    assert_has(o.out, "tlsfloor ca export --for windows\n");
    assert_has(o.out, "  2020-10-15  off in Microsoft 365");
    assert_has(o.out, "https://support.microsoft.com/help/3140245\n");
}

static void who_cannot_be_upgraded_is_promised_nothing(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "ie-xp"), 0);
    assert_has(o.out, "TLS 1.2: known unable\n");
    assert_has(o.out, "The gateway cannot upgrade it.\n");
    assert_null(strstr(o.out, "[rule"));
    assert_null(strstr(o.out, "--reg"));
}

static void a_family_is_found_in_any_case_and_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "Java-6"), 0);
    assert_has(o.out, "java-6: Java 6\n");
    assert_int_equal(RUN("--client", "java 7"), 0);
    assert_has(o.out, "java-7: Java 7\n");
}

static void an_unknown_family_gets_the_nearest_one(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "schanel-win7"), 2);
    assert_string_equal(o.out, "");
    assert_has(o.err, "there is no family 'schanel-win7'; did you mean schannel-win7?\n");
    assert_has(o.err, "remediate --list");
    assert_int_equal(RUN("--client", ""), 2);
}

static void a_word_lists_the_families_that_it_may_mean(void **state)
{
    static const char *const words[][3] = {
        {"printer", "embedded-openssl "},
        {"win7", "schannel-win7 ", "ie-win7 "},
        {"Windows 7", "schannel-win7 ", "ie-win7 "},
        {"android", "android-le-4.3 ", "android-java-tls10 "},
        {"java", "java-6 ", "java-7 "},
        {"XP", "ie-xp "},
        {"office", "office-online-server "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(RUN("--client", words[i][0]), 2);
        assert_string_equal(o.out, "");
        assert_has(o.err, "'; did you mean one of these?\n");
        for (size_t k = 1; k < 3 && words[i][k]; k++)
            assert_has(o.err, words[i][k]);
        assert_has(o.err, "remediate --list");
    }
    /* Within a word it means nothing. */
    assert_int_equal(RUN("--client", "rinter"), 2);
    assert_null(strstr(o.err, "embedded-openssl"));
}

static void no_line_is_too_wide_for_a_terminal(void **state)
{
    (void)state;
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++) {
        assert_int_equal(RUN("--client", tf_client_info((enum tf_client_family)i)->slug), 0);
        for (char *line = strtok(o.out, "\n"); line; line = strtok(NULL, "\n"))
            if (strlen(line) > 100)
                fail_msg("%s", line);
    }
}

static void the_ca_can_be_exported_for_whoever_is_to_trust_it(void **state)
{
    char error[256];
    (void)state;
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++) {
        const char *trust = tf_remedy_of((enum tf_client_family)i)->trust;
        if (trust && *trust && !ca_find_import(trust, error, sizeof error))
            fail_msg("%s", error);
    }
}

static void the_list_has_every_family(void **state)
{
    (void)state;
    assert_int_equal(RUN("--list"), 0);
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++)
        assert_has(o.out, tf_client_info((enum tf_client_family)i)->slug);
}

static void json_has_one_object_a_family(void **state)
{
    size_t n = 0;
    (void)state;
    assert_int_equal(RUN("--list", "--format", "json"), 0);
    for (char *line = strtok(o.out, "\n"); line; line = strtok(NULL, "\n"), n++) {
        json_t *family = json_loads(line, 0, NULL);
        assert_non_null(family);
        assert_true(json_array_size(json_object_get(family, "steps")) > 0);
        assert_true(json_array_size(json_object_get(family, "articles")) > 0);
        json_decref(family);
    }
    assert_int_equal(n, TF_CLIENT_FAMILY_COUNT - 1);
    assert_int_equal(RUN("--client", "ad-fs", "--format", "json"), 0);
    assert_has(o.out, "{\"client_family\":\"ad-fs\",\"name\":\"AD FS\",");
}

static void the_reg_file_has_the_bytes_of_windows(void **state)
{
    (void)state;
    char *path = in_directory("a.reg");
    assert_int_equal(RUN("--client", "schannel-win7", "--reg", path), 0);
    assert_string_equal(o.out, "");
    assert_has(o.err, "a.reg is written; on the client, as administrator: reg import ");
    assert_same_files(path, "tests/data/windows-7.reg");
    unlink(path);
}

static void a_dash_is_standard_output_with_nothing_around_it(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "schannel-win7", "--reg", "-", "--only-1.2"), 0);
    assert_memory_equal(o.out, "\xff\xfeW\0i\0n\0", 8);
    assert_string_equal(o.err, "");
    assert_int_equal(RUN("--client", "schannel-win7", "--powershell", "-", "--only-1.2"), 0);
    assert_has(o.out, "-Name 'DefaultSecureProtocols' -PropertyType DWord -Value 0x00000800 -Force");
    assert_null(strstr(o.out, "TLS 1.1"));
}

static void a_file_that_is_there_is_left_unless_forced(void **state)
{
    struct stat st;
    (void)state;
    char *path = stage_file("mine", 4);
    assert_int_equal(RUN("--client", "ad-fs", "--reg", path), 1);
    assert_has(o.err, "--force replaces it");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(RUN("--client", "ad-fs", "--reg", path, "--force"), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 4);
    unlink(path);
}

static void a_file_that_cannot_be_written_is_a_finding(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "ad-fs", "--powershell", in_directory("not/there.ps1")), 1);
    assert_has(o.err, "No such file or directory");
}

static void where_a_registry_does_not_help_none_is_written(void **state)
{
    (void)state;
    assert_int_equal(RUN("--client", "java-6", "--reg", "-"), 1);
    assert_string_equal(o.out, "");
    assert_has(o.err, "for java-6, nothing in a registry helps");
}

static void arguments_that_do_not_go_together_are_refused(void **state)
{
    static const char *const bad[][6] = {
        {"--format", "json"},
        {"--client", "ad-fs", "--list"},
        {"--list", "--reg", "-"},
        {"--client", "ad-fs", "--only-1.2"},
        {"--client", "ad-fs", "--force"},
        {"--client", "ad-fs", "--reg", "-", "--format=json"},
        {"--client", "ad-fs", "--reg=-", "--powershell", "-"},
        {"--client", "ad-fs", "--format", "yaml"},
        {"--client", "ad-fs", "more"},
        {"--what"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const *b = bad[i];
        assert_int_equal(RUN(b[0], b[1], b[2], b[3], b[4], b[5]), 2);
        assert_string_equal(o.out, "");
        assert_has(o.err, "usage: tlsfloor remediate");
    }
    assert_int_equal(RUN("--help"), 0);
    assert_has(o.out, "usage: tlsfloor remediate");
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_article_dates_and_rule_are_printed),
        cmocka_unit_test(who_cannot_be_upgraded_is_promised_nothing),
        cmocka_unit_test(a_family_is_found_in_any_case_and_by_its_name),
        cmocka_unit_test(an_unknown_family_gets_the_nearest_one),
        cmocka_unit_test(a_word_lists_the_families_that_it_may_mean),
        cmocka_unit_test(no_line_is_too_wide_for_a_terminal),
        cmocka_unit_test(the_ca_can_be_exported_for_whoever_is_to_trust_it),
        cmocka_unit_test(the_list_has_every_family),
        cmocka_unit_test(json_has_one_object_a_family),
        cmocka_unit_test(the_reg_file_has_the_bytes_of_windows),
        cmocka_unit_test(a_dash_is_standard_output_with_nothing_around_it),
        cmocka_unit_test(a_file_that_is_there_is_left_unless_forced),
        cmocka_unit_test(a_file_that_cannot_be_written_is_a_finding),
        cmocka_unit_test(where_a_registry_does_not_help_none_is_written),
        cmocka_unit_test(arguments_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests_name("remediate", tests, make_directory, remove_directory);
}
