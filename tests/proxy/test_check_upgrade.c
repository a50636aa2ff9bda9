/* check_upgrade.c: what stands in the way of upgrades is said, at the line that is to blame. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/ca.h"
#include "../../proxy/conf_load.h"
#include "command_stage.h"
#include <sys/stat.h>

static struct output o;
static char top[32], file[64], directory[64];

/* A directory of its own for each test. */
static int begin(void **state)
{
    (void)state;
    strcpy(top, "/tmp/tlsfloor-check-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(file, sizeof file, "%s/t.ini", top);
    snprintf(directory, sizeof directory, "%s/var/ca", top);
    return 0;
}

static int end(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

/* Writes lines that begin with the fifth, behind a listener and the directory of the CA. */
static void write_lines(const char *lines)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fprintf(f, "[listener a]\nlisten = 127.0.0.1:1\n[ca]\ndirectory = %s\n%s", directory, lines);
    fclose(f);
}

static int check(const char *lines)
{
    const char *argv[] = {"check", "-c", file, NULL};
    write_lines(lines);
    return stage_run(check_main, &o, argv);
}

/* Makes the CA for the rules among `lines`. */
static void make_ca(const char *lines)
{
    char error[CA_ERROR_MAX];
    write_lines(lines);
    struct conf *c = conf_load(file, stderr);
    assert_non_null(c);
    if (!ca_make(&c->tf, false, error, sizeof error))
        fail_msg("%s", error);
    conf_unref(c);
}

/* What was said begins with the file and a line, and goes on so. */
static void assert_said(const char *expected)
{
    char text[1024];
    snprintf(text, sizeof text, "%s%s", file, expected);
    assert_has(o.err, text);
}

#define RULE "[rule old]\ndestination = *.floor.test\naction = upgrade\n"

static void a_ca_that_will_be_made_is_noted(void **state)
{
    char expected[256];
    (void)state;
    assert_int_equal(check(RULE), 0);
    snprintf(expected, sizeof expected,
             ":4: note: [ca] directory: there is no CA in %s yet; the first run makes one, as tlsfloor ca "
             "init does\n",
             directory);
    assert_said(expected);
    assert_has(o.out, ": fine: 1 listener, 1 rule\n");
    assert_int_equal(access(directory, F_OK), -1);
}

static void a_ca_that_a_rule_needs_and_that_cannot_be_made_is_an_error(void **state)
{
    enum { NOBODY = 65534 };
    uid_t before = geteuid();
    (void)state;
    write_lines(RULE);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(chmod(top, 0555), 0);
    const char *argv[] = {"check", "-c", file, NULL};
    if (before == 0)
        assert_int_equal(seteuid(NOBODY), 0);
    int code = stage_run(check_main, &o, argv);
    if (before == 0)
        assert_int_equal(seteuid(before), 0);
    assert_int_equal(chmod(top, 0755), 0);
    assert_int_equal(code, 1);
    assert_said(":4: [ca] directory: there is no CA in ");
    assert_has(o.err, "none can be made: Permission denied to the user ");
}

static void a_ca_that_covers_the_rules_needs_no_word(void **state)
{
    (void)state;
    make_ca(RULE);
    assert_int_equal(check(RULE), 0);
    assert_string_equal(o.err, "");
}

static void rules_that_outgrow_the_ca_are_warned_of(void **state)
{
    (void)state;
    make_ca(RULE);
    assert_int_equal(
        check(RULE "[rule more]\ndestination = a.floor.test, b.example, c.example\naction = upgrade\n"), 0);
    assert_said(":8: warning: [rule more] upgrades b.example and 1 more, which the CA in ");
    char expected[256];
    snprintf(
        expected, sizeof expected,
        " may not vouch for; make a new certificate with tlsfloor ca init --renew -c %s, and let the clients "
        "import it\n",
        file);
    assert_has(o.err, expected);
    assert_null(strstr(o.err, "[rule old]"));
    assert_int_equal(check("[rule all]\naction = upgrade\n"), 0);
    assert_said(":5: warning: [rule all] upgrades *, which the CA in ");
}

static void rule_that_makes_the_ca_good_for_every_name_is_warned_of(void **state)
{
    static const char wide[] = "[rule wide]\ndestination = a.floor.test, 10.9.9.9\naction = upgrade\n";
    (void)state;
    make_ca(wide);
    assert_int_equal(check(wide), 0);
    assert_said(
        ":5: warning: [rule wide] upgrades every name, by an address, by * or by no destination, so that ");
    assert_has(o.err, "write the names that are meant\n");
}

static void an_endpoint_set_that_outgrows_the_ca_is_warned_of(void **state)
{
    (void)state;
    make_ca(RULE "[rule last]\naction = tunnel\n"); /* nothing is left for the default */
    assert_int_equal(check(RULE), 0);
    assert_said(":4: warning: what no rule matches upgrades ");
}

static void a_key_that_others_can_read_is_an_error_where_a_rule_counts_on_it(void **state)
{
    char key[96];
    (void)state;
    make_ca(RULE);
    snprintf(key, sizeof key, "%s/ca.key", directory);
    assert_int_equal(chmod(key, 0640), 0);
    assert_int_equal(check(RULE), 1);
    assert_said(":4: [ca] directory: ");
    assert_has(o.err, "chmod");
    assert_string_equal(o.out, "");
    assert_int_equal(check(""), 0);
    assert_said(":4: warning: [ca] directory: ");
    assert_has(o.err, "; until then nobody is upgraded\n");
}

static void files_of_the_outside_leg_are_read(void **state)
{
    (void)state;
    make_ca(RULE);
    assert_int_equal(check(RULE "[upstream]\nca_file = tests/no-such-file\n"), 1);
    assert_said(":9: [upstream] ca_file: tests/no-such-file: No such file or directory\n");
    assert_int_equal(check(RULE "[upstream]\nca_file = tests/data/README.md\n"), 1);
    assert_said(":9: [upstream] ca_file: tests/data/README.md: ");
    assert_int_equal(check(RULE "[upstream]\ncertificate = tests/data/README.md\n"), 1);
    assert_said(":9: [upstream] certificate: tests/data/README.md: ");
}

static void an_endpoint_set_that_is_none_is_an_error_at_its_key(void **state)
{
    (void)state;
    assert_int_equal(check("[m365]\nendpoints = tests/data/README.md\n"), 1);
    assert_said(":6: [m365] endpoints: tests/data/README.md:1: ");
    assert_int_equal(check("[m365]\noverlay = tests/data/README.md\n"), 1);
    assert_said(":6: [m365] overlay: tests/data/README.md:1: ");
    assert_string_equal(o.out, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ca_that_will_be_made_is_noted),
        TEST(a_ca_that_a_rule_needs_and_that_cannot_be_made_is_an_error),
        TEST(a_ca_that_covers_the_rules_needs_no_word),
        TEST(rules_that_outgrow_the_ca_are_warned_of),
        TEST(rule_that_makes_the_ca_good_for_every_name_is_warned_of),
        TEST(an_endpoint_set_that_outgrows_the_ca_is_warned_of),
        TEST(a_key_that_others_can_read_is_an_error_where_a_rule_counts_on_it),
        TEST(files_of_the_outside_leg_are_read),
        TEST(an_endpoint_set_that_is_none_is_an_error_at_its_key),
    };
    return cmocka_run_group_tests_name("check_upgrade", tests, NULL, NULL);
}
