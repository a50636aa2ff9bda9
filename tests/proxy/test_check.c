/* check.c: what it prints, and its exit codes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "command_stage.h"
#include <sys/stat.h>

static struct output o;

static int check(const char *a, const char *b, const char *c)
{
    const char *argv[] = {"check", a, b, c, NULL};
    return stage_run(check_main, &o, argv);
}

static void a_good_file_is_fine_and_counted(void **state)
{
    (void)state;
    assert_int_equal(check("-c", "conf/tlsfloor.ini", NULL), 0);
    assert_string_equal(o.out, "conf/tlsfloor.ini: fine: 1 listener, 0 rules\n");
    assert_string_equal(o.err, "");
    assert_int_equal(check(NULL, NULL, NULL), 0);
    assert_string_equal(o.out, "conf/tlsfloor.ini: fine: 1 listener, 0 rules\n");
}

static void a_bad_file_is_a_finding(void **state)
{
    static const char text[] = "[listener a]\nlisten = 127.0.0.1:1\n[floor]\nminimun = 1.2\n";
    char *file = stage_file(text, sizeof text - 1), expected[128];
    (void)state;
    assert_int_equal(check("-c", file, NULL), 1);
    snprintf(expected, sizeof expected,
             "%s:4: [floor] has no key minimun; did you mean minimum? Its keys: minimum, mode\n", file);
    assert_string_equal(o.err, expected);
    assert_string_equal(o.out, "");
    assert_int_equal(check("-c", file, "--dump"), 1);
    assert_string_equal(o.out, "");
    unlink(file);
}

static void the_dump_is_a_file_that_dumps_to_the_same_settings(void **state)
{
    static char first[sizeof o.out];
    (void)state;
    assert_int_equal(check("-c", "conf/tlsfloor.ini", "--dump"), 0);
    assert_has(o.out, "listen = 127.0.0.1:3128                 ; conf/tlsfloor.ini:");
    assert_has(o.out, "request_s = 30                          ; default\n");
    strcpy(first, o.out);
    char *file = stage_file(first, strlen(first));
    assert_int_equal(check("-c", file, "--dump"), 0);
    assert_string_equal(o.err, "");
    unlink(file);

    /* Line by line the same, but for where it came from. */
    const char *a = first, *b = o.out;
    while (*a || *b) {
        size_t n = strcspn(a, ";\n"), m = strcspn(b, ";\n");
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n);
        a += strcspn(a, "\n");
        b += strcspn(b, "\n");
        a += *a == '\n';
        b += *b == '\n';
    }
}

static void wrong_usage_is_said_and_is_2(void **state)
{
    (void)state;
    assert_int_equal(check("--dmp", NULL, NULL), 2);
    assert_has(o.err, "--dmp");
    assert_has(o.err, "usage: tlsfloor check ");
    assert_int_equal(check("-c", NULL, NULL), 2);
    assert_has(o.err, "usage: tlsfloor check ");
    assert_int_equal(check("conf/tlsfloor.ini", NULL, NULL), 2);
    assert_has(o.err, "'conf/tlsfloor.ini' is not expected; the file is given with -c");
}

static void help_is_printed_and_is_0(void **state)
{
    (void)state;
    assert_int_equal(check("--help", NULL, NULL), 0);
    assert_string_equal(o.out, "usage: tlsfloor check [-c FILE] [--dump | --reference[=man]]\n");
    assert_string_equal(o.err, "");
    assert_int_equal(check("-h", NULL, NULL), 0);
}

static int check_log_file(const char *key, const char *log)
{
    char text[256];
    snprintf(text, sizeof text, "[listener a]\nlisten = 127.0.0.1:1\n[log]\n%s = %s\n", key, log);
    char *file = stage_file(text, strlen(text));
    chmod(file, 0644);
    int code = check("-c", file, NULL);
    unlink(file);
    return code;
}

static void log_files_that_cannot_be_made_are_errors(void **state)
{
    (void)state;
    assert_int_equal(check_log_file("access", "tests/no-such-directory/a.json"), 1);
    assert_has(o.err, ":4: [log] access = tests/no-such-directory/a.json: No such file or directory; "
                      "make the directory tests/no-such-directory, writable for the user of the gateway\n");
    assert_string_equal(o.out, "");
    assert_int_equal(check_log_file("block", "tests"), 1);
    assert_has(o.err, ":4: [log] block = tests: Is a directory\n");
    assert_int_equal(check_log_file("block", "/dev/null"), 0);
    assert_string_equal(o.err, "");
    assert_int_equal(check_log_file("block", "/tmp/tlsfloor-test-not-there"), 0);
    assert_string_equal(o.err, "");
}

static void a_log_file_that_is_called_like_a_sink_is_warned_of(void **state)
{
    (void)state;
    assert_int_equal(check_log_file("block", "syslog"), 0);
    assert_has(o.err,
               ":4: warning: [log] block = syslog is a file of that name; write syslog:, or ./syslog\n");
    assert_int_equal(check_log_file("access", "none"), 0);
    assert_has(o.err, ":4: warning: [log] access = none is a file of that name; write off, or ./none\n");
    assert_int_equal(check_log_file("block", "./syslog"), 0);
    assert_string_equal(o.err, "");
}

static void a_syslog_host_that_does_not_resolve_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(check_log_file("block", "syslog:no-such-host.invalid:514"), 1);
    assert_has(o.err, ":4: [log] block: no-such-host.invalid: ");
    assert_has(o.err, "; write a name that resolves, or an address\n");
    assert_int_equal(check_log_file("access", "syslog:tcp:no-such-host.invalid:514"), 1);
    assert_has(o.err, ":4: [log] access: no-such-host.invalid: ");
    assert_int_equal(check_log_file("block", "syslog:127.0.0.1:514"), 0);
    assert_int_equal(check_log_file("block", "syslog:tcp:[::1]:514"), 0);
    assert_string_equal(o.err, "");
}

static void what_to_keep_in_mind_is_noted(void **state)
{
    static const char text[] = "[listener a]\nlisten = 127.0.0.1:1\n";
    char *file = stage_file(text, sizeof text - 1);
    (void)state;
    setenv("TLSFLOOR_LISTENER_B_LISTEN", "127.0.0.1:2", 1);
    assert_int_equal(check("-c", file, NULL), 0);
    unsetenv("TLSFLOOR_LISTENER_B_LISTEN");
    unlink(file);
    assert_has(o.err, "note: makes a listener b that is not in the file\n");
}

/* As a user who is not root, since root may write everywhere. */
static void log_files_that_are_not_ours_are_errors(void **state)
{
    enum { NOBODY = 65534 };
    char directory[] = "/tmp/tlsfloor-test-XXXXXX", path[64];
    uid_t before = geteuid();
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chmod(directory, 0555), 0);
    snprintf(path, sizeof path, "%s/log", directory);
    if (before == 0)
        assert_int_equal(seteuid(NOBODY), 0);
    int code = check_log_file("block", path);
    if (before == 0)
        assert_int_equal(seteuid(before), 0);
    rmdir(directory);
    assert_int_equal(code, 1);
    assert_has(o.err, "/log: Permission denied to the user ");
    assert_has(o.err, "; make the directory /tmp/tlsfloor-test-");
    assert_has(o.err, "let that one check (sudo -u USER tlsfloor check)\n");
}

static int check_inventory_file(const char *inventory)
{
    char text[256];
    snprintf(text, sizeof text, "[listener a]\nlisten = 127.0.0.1:1\n[inventory]\nfile = %s\n", inventory);
    char *file = stage_file(text, strlen(text));
    int code = check("-c", file, NULL);
    unlink(file);
    return code;
}

static void an_inventory_that_cannot_be_used_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(check_inventory_file("tests"), 1);
    assert_has(o.err, ":4: [inventory] file = tests: Is a directory\n");
    assert_string_equal(o.out, "");
    assert_int_equal(check_inventory_file("README.md"), 1);
    assert_has(o.err, ":4: [inventory] file: inventory README.md is damaged, or no inventory: ");
    assert_has(o.err, "; move it away, and a new one is made\n");
    assert_int_equal(check_inventory_file("tests/no-such-directory/none/i.db"), 1);
    assert_has(o.err, ":4: [inventory] file = tests/no-such-directory/none/i.db: No such file or directory; "
                      "make the directory tests/no-such-directory, writable for the user of the gateway\n");
}

static void an_inventory_that_is_to_be_made_is_fine_and_not_made(void **state)
{
    (void)state;
    assert_int_equal(check_inventory_file("tests/no-such-directory/i.db"), 0);
    assert_string_equal(o.err, "");
    assert_int_not_equal(access("tests/no-such-directory", F_OK), 0);
}

static void the_readme_has_the_reference_as_it_is_printed(void **state)
{
    static char readme[1 << 18];
    (void)state;
    assert_int_equal(check("--reference", NULL, NULL), 0);
    assert_has(o.out, "| `minimum` | `1.2` | 1.2 or 1.3 | ");
    FILE *f = fopen("README.md", "r");
    if (!f)
        skip();
    size_t n = fread(readme, 1, sizeof readme - 1, f);
    fclose(f);
    readme[n] = '\0';
    if (!strstr(readme, o.out))
        fail_msg("README.md is out of step: put the output of `tlsfloor check --reference` into it");
}

/* What upgrades need is test_check_upgrade.c's. */
static int without_upgrades(void **state)
{
    (void)state;
    return setenv("TLSFLOOR_CA_DIRECTORY", "off", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_fine_and_counted),
        cmocka_unit_test(a_bad_file_is_a_finding),
        cmocka_unit_test(the_dump_is_a_file_that_dumps_to_the_same_settings),
        cmocka_unit_test(wrong_usage_is_said_and_is_2),
        cmocka_unit_test(help_is_printed_and_is_0),
        cmocka_unit_test(log_files_that_cannot_be_made_are_errors),
        cmocka_unit_test(a_log_file_that_is_called_like_a_sink_is_warned_of),
        cmocka_unit_test(a_syslog_host_that_does_not_resolve_is_an_error),
        cmocka_unit_test(what_to_keep_in_mind_is_noted),
        cmocka_unit_test(log_files_that_are_not_ours_are_errors),
        cmocka_unit_test(an_inventory_that_cannot_be_used_is_an_error),
        cmocka_unit_test(an_inventory_that_is_to_be_made_is_fine_and_not_made),
        cmocka_unit_test(the_readme_has_the_reference_as_it_is_printed),
    };
    return cmocka_run_group_tests_name("check", tests, without_upgrades, NULL);
}
