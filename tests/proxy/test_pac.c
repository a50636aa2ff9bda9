/* pac.c: the command, and that a whole script comes out of it. What it does is
 * tests/e2e/86-pac-and-metrics.py's to try. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/pac.h"
#include "command_stage.h"
#include <fcntl.h>

static struct output o;
static char *file;

static int forget(void **state)
{
    (void)state;
    if (file)
        unlink(file);
    file = NULL;
    return 0;
}

static const char *configure(const char *text)
{
    file = stage_file(text, strlen(text));
    return file;
}

#define RUN(...) stage_run(pac_main, &o, (const char *const[]){"pac", __VA_ARGS__, NULL})
#define LISTENER "[listener proxy]\nlisten = 10.0.0.5:3128\n"

static void assert_has_not(const char *text, const char *unexpected)
{
    if (strstr(text, unexpected))
        fail_msg("%s\nis in:\n%s", unexpected, text);
}

static void a_script_is_functions_and_tables(void **state)
{
    (void)state;
    assert_int_equal(RUN("-c", configure(LISTENER)), 0);
    assert_string_equal(o.err, "");
    assert_has(o.out, "\nfunction FindProxyForURL(url, host) {\n");
    assert_has(o.out, "\nfunction isOwn(host) {\n");
    assert_has(o.out, "\nvar proxies = \"PROXY 10.0.0.5:3128\";\n");
    assert_has(o.out, "\"outlook.office365.com\": [1]");
    assert_has_not(o.out, "login.microsoftonline.com");
}

static void it_is_plain_ascii(void **state)
{
    (void)state;
    assert_int_equal(RUN("-c", configure(LISTENER), "--direct", "allow"), 0);
    for (const char *c = o.out; *c; c++)
        assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
}

static void options_win_over_the_file(void **state)
{
    (void)state;
    configure(LISTENER "[pac]\nproxy = a.example:1\n");
    assert_int_equal(RUN("-c", file, "--direct", "allow", "--proxy", "b.example:2,https://c.example:3"), 0);
    assert_has(o.out, "\"PROXY b.example:2; HTTPS c.example:3\"");
    assert_has(o.out, "login.microsoftonline.com");
}

static void kind_legacy_has_the_clients_and_no_endpoints(void **state)
{
    (void)state;
    configure(LISTENER);
    assert_int_equal(RUN("-c", file, "--kind", "legacy", "--clients", "10.20.0.0/16, 2001:db8::/32"), 0);
    assert_has(o.out, "\"10.20.0.0/16\",\n    \"2001:db8::/32\"\n");
    assert_has(o.out, "\nfunction isClient() {\n");
    assert_has_not(o.out, "office");
}

static void the_set_of_another_cloud_is_taken_where_it_is_configured(void **state)
{
    (void)state;
    assert_int_equal(RUN("-c", configure(LISTENER "[m365]\ninstance = gcchigh\n")), 0);
    assert_has(o.out, "outlook.office365.us");
    assert_has_not(o.out, "\"outlook.office365.com\"");
}

static void what_is_wrong_is_told_and_nothing_is_printed(void **state)
{
    (void)state;
    configure("[listener proxy]\nlisten = *:3128\n");
    assert_int_equal(RUN("-c", file), 1);
    assert_has(o.err,
               "no listener of kind connect is at an address that browsers could go to; write --proxy");
    forget(NULL);
    configure(LISTENER "[pac]\nkind = legacy\n");
    assert_int_equal(RUN("-c", file), 1);
    assert_has(o.err, "[pac] has kind but no clients");
    assert_string_equal(o.out, "");
}

static void an_option_that_is_wrong_is_named(void **state)
{
    (void)state;
    configure("[listener proxy]\nlisten = 127.0.0.1:3128\n");
    assert_int_equal(RUN("-c", file, "--proxy", "nowhere"), 2);
    assert_memory_equal(o.err, "--proxy: [pac] proxy: nowhere is no proxy", 41);
    assert_int_equal(RUN("-c", file, "--kind", "foo"), 2);
    assert_string_equal(o.err,
                        "--kind: [pac] kind = foo: there is no such choice; write gateway or legacy\n");
    assert_int_equal(RUN("-c", file, "--kind", "legacy"), 2);
    assert_has(o.err, "--kind: [pac] has kind but no clients; write the addresses and blocks that legacy "
                      "clients have\n");
    assert_string_equal(o.out, "");
}

static void a_proxy_that_others_cannot_reach_is_warned_of(void **state)
{
    (void)state;
    configure("[listener proxy]\nlisten = 127.0.0.1:3128\n");
    assert_int_equal(RUN("-c", file), 0);
    assert_has(o.err, "warning: the proxy is this machine itself");
    assert_has(o.out, "PROXY 127.0.0.1:3128");
    assert_int_equal(RUN("-c", file, "--kind", "legacy", "--clients", "10.0.0.0/8"), 0);
    char *warning = strstr(o.err, "warning: ");
    assert_non_null(warning);
    assert_null(strstr(warning + 1, "warning: "));
    assert_int_equal(RUN("-c", file, "--proxy", "127.0.0.1:3128"), 0); /* somebody means it */
    assert_string_equal(o.err, "");
}

static void wrong_usage_is_told(void **state)
{
    (void)state;
    assert_int_equal(RUN("--colour", "blue"), 2);
    assert_has(o.err, "usage: tlsfloor pac [-c FILE]");
    assert_int_equal(RUN("file.ini"), 2);
    assert_has(o.err, "'file.ini' is not expected; the file is given with -c");
    assert_int_equal(RUN("--help"), 0);
    assert_has(o.out, "usage: tlsfloor pac");
}

static void a_script_that_cannot_be_written_is_a_finding(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY), out = dup(1);
    assert_true(full >= 0);
    configure(LISTENER);
    fflush(stdout);
    dup2(full, 1);
    const char *arguments[] = {"pac", "-c", file, NULL};
    optind = 0;
    int code = pac_main(3, (char **)arguments);
    dup2(out, 1);
    close(out);
    close(full);
    clearerr(stdout);
    assert_int_equal(code, 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_script_is_functions_and_tables),
        TEST(it_is_plain_ascii),
        TEST(options_win_over_the_file),
        TEST(kind_legacy_has_the_clients_and_no_endpoints),
        TEST(the_set_of_another_cloud_is_taken_where_it_is_configured),
        TEST(what_is_wrong_is_told_and_nothing_is_printed),
        TEST(an_option_that_is_wrong_is_named),
        TEST(a_proxy_that_others_cannot_reach_is_warned_of),
        TEST(wrong_usage_is_told),
        TEST(a_script_that_cannot_be_written_is_a_finding),
    };
    return cmocka_run_group_tests_name("pac command", tests, NULL, NULL);
}
