/* conf_load.c and conf_file.c: real files and the real environment. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "command_stage.h"
#include <limits.h>
#include <sys/stat.h>

#define LISTENER "[listener proxy]\nlisten = 127.0.0.1:3128\n"

static char said[1 << 16];

static struct conf *load(const char *file)
{
    FILE *errors = fmemopen(said, sizeof said, "w");
    said[0] = '\0';
    struct conf *c = conf_load(file, errors);
    fclose(errors);
    return c;
}

static struct conf *load_bytes(const void *bytes, size_t n)
{
    char *file = stage_file(bytes, n);
    struct conf *c = load(file);
    unlink(file);
    return c;
}

static struct conf *load_text(const char *text)
{
    return load_bytes(text, strlen(text));
}

static void assert_loads(const char *text)
{
    struct conf *c = load_text(text);
    if (!c || said[0])
        fail_msg("%s\n%s", text, said);
    conf_unref(c);
}

static void assert_fails(const char *text, const char *expected)
{
    if (load_text(text))
        fail_msg("taken: %s", text);
    assert_has(said, expected);
}

static void the_shipped_file_is_fine_as_it_is(void **state)
{
    (void)state;
    struct conf *c = load("conf/tlsfloor.ini");
    assert_non_null(c);
    assert_string_equal(said, "");
    assert_string_equal(c->file, "conf/tlsfloor.ini");
    assert_int_equal(c->tf.listeners->addresses[0].port, 3128);
    assert_true(c->tf.admin_on);
    assert_int_equal(c->tf.admin.port, 9180);
    conf_unref(c);
    assert_string_equal(conf_default_file(), "conf/tlsfloor.ini");
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    assert_null(load("tests/there-is-no-such-file"));
    assert_string_equal(said, "tests/there-is-no-such-file: cannot be read: No such file or directory\n");
    assert_null(load("tests"));
    assert_string_equal(said, "tests: cannot be read: Is a directory\n");
}

/* As a user who is not root, since root may read everything. */
static void a_file_that_is_not_ours_names_our_user(void **state)
{
    enum { NOBODY = 65534 };
    char *file = stage_file("", 0);
    uid_t before = geteuid();
    (void)state;
    chmod(file, 0);
    if (before == 0)
        assert_int_equal(seteuid(NOBODY), 0);
    struct conf *c = load(file);
    if (before == 0)
        assert_int_equal(seteuid(before), 0);
    unlink(file);
    assert_null(c);
    assert_has(said, ": cannot be read: Permission denied to the user ");
}

static void only_a_file_that_nobody_named_asks_for_a_name(void **state)
{
    char here[PATH_MAX];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir("/proc"), 0); /* there is no configuration file */
    bool is_installed = access(conf_default_file(), F_OK) == 0;
    struct conf *c = load(conf_default_file());
    assert_int_equal(chdir(here), 0);
    conf_unref(c);
    if (is_installed)
        skip();
    assert_null(c);
    assert_has(said, "/etc/tlsfloor/tlsfloor.ini: cannot be read: No such file or directory; name the "
                     "configuration file with -c FILE\n");
}

static void an_empty_file_lacks_a_listener(void **state)
{
    (void)state;
    assert_fails("", ": there is no listener; write [listener proxy]");
    assert_fails("; only a comment\n\n", ": there is no listener");
}

static void what_is_no_text_is_refused_with_one_error(void **state)
{
    static char huge[(1 << 20) + 1];
    (void)state;
    assert_null(load_bytes(LISTENER "\0", sizeof LISTENER));
    assert_has(said, ":3: there is a control character; ");
    assert_ptr_equal(strchr(said, '\n') + 1, said + strlen(said));
    assert_null(load_bytes("\xff\xfe[\0f\0", 6));
    assert_has(said, ":1: there is a control character");
    assert_fails(LISTENER "; \x1b[2J\n", ":3: there is a control character");
    assert_fails("a\rb\n", ":1: there is a control character");
    memset(huge, '\n', sizeof huge);
    assert_null(load_bytes(huge, sizeof huge));
    assert_has(said, "larger than 1048576 bytes");
}

static void layout_does_not_matter(void **state)
{
    (void)state;
    assert_loads("\xef\xbb\xbf" LISTENER);
    assert_loads("[listener proxy]\r\nlisten = 127.0.0.1:3128\r\n\r\n");
    assert_loads(
        "  [listener proxy] ; a comment\n\n   # another\n\tlisten=127.0.0.1:3128   ; and one\n  kind : sni");
    assert_loads(LISTENER "[rule x]\naction = block ;no\nport = 1\nowner = b\xc3\xbcro;2 #3 [4] = 5\n");
}

static void comments_and_values_are_told_apart(void **state)
{
    struct conf *c =
        load_text(LISTENER "[rule x]\naction = block\nowner = a;b = c # d ; e\nticket = ; none\n");
    (void)state;
    assert_non_null(c);
    assert_string_equal(c->tf.policy.rules[0].owner, "a;b = c # d");
    assert_string_equal(c->tf.policy.rules[0].ticket, "");
    conf_unref(c);
}

static void errors_name_file_and_line_whatever_stands_above(void **state)
{
    (void)state;
    assert_fails("; one\n\n[listener proxy]\n\n# five\nlisten = x\n", ":6: [listener proxy] listen: x is ");
    assert_fails("\xef\xbb\xbf[listener proxy]\r\n\r\nlisten = x\r\n", ":3: [listener proxy] listen: x is ");
}

static void lines_that_are_no_settings_are_refused(void **state)
{
    (void)state;
    assert_fails(LISTENER "kind\n", ":3: this is no KEY = VALUE");
    assert_fails(LISTENER "kind", ":3: this is no KEY = VALUE");
    assert_fails(LISTENER "  , 127.0.0.1:3129\n", ":3: [listener proxy] has no key , 127.0.0.1");
    assert_fails(LISTENER "  more of it\n",
                 ":3: this is no KEY = VALUE; a value has to be on one line with its key");
    assert_fails(LISTENER "= sni\n", ":3: there is no key in front of the =");
    assert_fails(LISTENER "[floor\nminimum = 9\n", ":3: the section header has no end");
    assert_fails(LISTENER "[floor] x\n", ":3: there is something behind the ]");
    assert_fails(LISTENER "[floor]]\n", ":3: there is something behind the ]");
    assert_fails(LISTENER "[floor ; ]\n", ":3: [floor] takes no name");
    assert_fails(LISTENER "kind ; = sni\n", ":3: this is no KEY = VALUE");
}

static void sections_without_keys_are_checked_as_well(void **state)
{
    (void)state;
    assert_fails(LISTENER "[flor]\n", ":3: there is no section [flor]; did you mean [floor]?");
    assert_fails(LISTENER "[rule x]\n", ":3: [rule x] has no action");
    assert_fails(LISTENER "[rule x]\naction = block\n[rule x]\n", ":5: there is [rule x] already, in line 3");
    assert_fails(LISTENER "[                                                            floor x]\n",
                 ":3: [floor] takes no name");
    assert_fails(LISTENER "[rule a234567890123456789012345678901234567890123456789]\n",
                 ":3: a name may have up to 32 letters");
}

static void all_errors_are_reported_in_one_go(void **state)
{
    (void)state;
    assert_fails("x\n[a]\n[floor]\ny = 1\nz\n", ":1: ");
    assert_has(said, ":2: ");
    assert_has(said, ":4: ");
    assert_has(said, ":5: ");
}

/* As long as the value may be, with blanks and a comment around it; nothing of it is lost. */
static void long_lists_are_read_whole_and_longer_lines_refused(void **state)
{
    static char text[65536];
    size_t entries = 0, n;
    (void)state;
    strcpy(text, LISTENER "[rule long]\naction = block\ndestination = x0.example");
    n = strlen(text);
    while (n < 8000)
        n += (size_t)sprintf(text + n, ", x%zu.example", ++entries);
    strcpy(text + n, "                 ; a comment\nport = 25\n");
    struct conf *c = load_text(text);
    if (!c)
        fail_msg("%s", said);
    const struct tf_rule *r = c->tf.policy.rules;
    assert_int_equal(r->destination_count, entries + 1);
    char last[32];
    sprintf(last, "x%zu.example", entries);
    assert_string_equal(r->destinations[entries].pattern, last);
    assert_int_equal(r->port_count, 1);
    conf_unref(c);

    memset(text + n, 'x', 20000);
    strcpy(text + n + 20000, "\nport = 0\n");
    assert_fails(text, ":5: the line has ");
    assert_has(said, " bytes, and no more than 16382 can be read; make it shorter\n");
    assert_has(said, ":6: [rule long] port: 0 is no port");
}

static void the_environment_overrides_the_file(void **state)
{
    (void)state;
    setenv("TLSFLOOR_LIMITS_IDLE_S", "1.5", 1);
    setenv("TLSFLOOR_RULE_B_ACTION", "block", 1);
    setenv("TLSFLOOR_RULE_A_ACTION", "monitor", 1);
    setenv("TLSFLOOR_RULE_A_PORT", "25", 1);
    struct conf *c = load_text(LISTENER "[limits]\nidle_s = 10\n");
    if (!c)
        fail_msg("%s", said);
    assert_int_equal(c->tf.limits.idle_ms, 1500);
    assert_string_equal(c->tf.policy.rules[0].name, "a");
    assert_string_equal(c->tf.policy.rules[1].name, "b");
    conf_unref(c);

    setenv("TLSFLOOR_LIMITS_IDLE", "1", 1);
    assert_fails(
        LISTENER,
        "environment TLSFLOOR_LIMITS_IDLE: there is no such setting; did you mean TLSFLOOR_LIMITS_IDLE_S?");
    unsetenv("TLSFLOOR_LIMITS_IDLE_S");
    unsetenv("TLSFLOOR_LIMITS_IDLE");
    unsetenv("TLSFLOOR_RULE_A_ACTION");
    unsetenv("TLSFLOOR_RULE_A_PORT");
    unsetenv("TLSFLOOR_RULE_B_ACTION");
}

/* The arena is sized from the text: no text may fill it. */
static void the_densest_files_fit_into_memory(void **state)
{
    static const char *const patterns[][2] = {{"[rule ", "]\naction=block\n"},
                                              {"[listener ", "]\nlisten=:0\n"},
                                              {"[upstream]\nresolve=", ":1:1.1.1.1\n"}};
    static char text[1 << 17];
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        size_t n = (size_t)sprintf(text, LISTENER);
        for (size_t i = 1; n + 64 < sizeof text && i < 2000; i++)
            n += (size_t)sprintf(text + n, "%s%zx%s", patterns[p][0], i, patterns[p][1]);
        struct conf *c = load_text(text);
        if (!c)
            fail_msg("%.300s", said);
        conf_unref(c);
    }
    /* The shortest entries, as many as a value holds. */
    size_t n = (size_t)sprintf(text, LISTENER "[access]\nsource = ");
    for (int i = 0; i < 2700; i++)
        n += (size_t)sprintf(text + n, "%s::", i > 0 ? "," : "");
    assert_loads(text);
}

static void own_addresses_are_known_before_and_after_binding(void **state)
{
    struct tf_addr wanted, bound, local;
    (void)state;
    struct conf *c = load_text("[listener a]\nlisten = 127.0.0.1:3128\n[access]\ndestination = loopback\n"
                               "[admin]\nlisten = 127.0.0.1:9180\n");
    assert_non_null(c);
    assert_true(tf_addr_port_parse("127.0.0.1:3128", 14, &wanted));
    assert_true(tf_addr_port_parse("127.0.0.1:9180", 14, &local));
    assert_true(tf_addr_port_parse("127.0.0.1:40000", 15, &bound));
    assert_int_equal(tf_access_address(&c->tf.access, &wanted), TF_REASON_DESTINATION_SELF);
    assert_int_equal(tf_access_address(&c->tf.access, &local), TF_REASON_DESTINATION_SELF);
    assert_int_equal(tf_access_address(&c->tf.access, &bound), TF_REASON_NONE);
    assert_true(conf_set_bound(c, &bound, 1));
    assert_int_equal(tf_access_address(&c->tf.access, &wanted), TF_REASON_NONE);
    assert_int_equal(tf_access_address(&c->tf.access, &bound), TF_REASON_DESTINATION_SELF);
    assert_true(c->tf.access.local_count > 0);
    conf_unref(c);
}

static void a_snapshot_lives_as_long_as_somebody_holds_it(void **state)
{
    struct conf *c = load_text(LISTENER);
    (void)state;
    assert_non_null(c);
    assert_ptr_equal(conf_ref(c), c);
    conf_unref(c);
    assert_string_equal(c->tf.listeners->name, "proxy"); /* a sanitizer tells if it were gone */
    conf_unref(c);
    conf_unref(NULL);
}

/* Which set it is, and what it holds, is test_endpoints.c's. */
static void the_endpoint_set_comes_with_the_snapshot(void **state)
{
    static const char *const lines[] = {"", "[m365]\ninstance = china\n"};
    static const char *const hosts[] = {"outlook.office365.com", "partner.outlook.cn"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char text[256];
        snprintf(text, sizeof text, LISTENER "%s", lines[i]);
        struct conf *c = load_text(text);
        assert_non_null(c);
        assert_non_null(c->tf.policy.m365);
        assert_non_null(tf_m365_find(c->tf.policy.m365, hosts[i], 443, NULL));
        assert_null(tf_m365_find(c->tf.policy.m365, hosts[1 - i], 443, NULL));
        conf_unref(c);
    }
}

static void an_endpoint_set_that_cannot_be_read_is_an_error_of_its_key(void **state)
{
    (void)state;
    assert_fails(LISTENER "[m365]\nendpoints = /nowhere/a.json\n", ":4: [m365] endpoints: /nowhere/a.json: ");
    assert_fails(LISTENER "[m365]\noverlay = /nowhere/b.json\n", ":4: [m365] overlay: /nowhere/b.json: ");
    setenv("TLSFLOOR_M365_ENDPOINTS", "/nowhere/c.json", 1);
    assert_fails(LISTENER, "environment TLSFLOOR_M365_ENDPOINTS: [m365] endpoints: /nowhere/c.json: ");
    unsetenv("TLSFLOOR_M365_ENDPOINTS");
}

static void warnings_do_not_stop_a_load(void **state)
{
    struct conf *c = load_text(LISTENER "[rule x]\naction = block\nuntil = 2020-01-01\nowner = me\n");
    (void)state;
    assert_non_null(c);
    assert_has(said, ":5: warning: [rule x] ended on 2020-01-01, ");
    assert_has(said, " days ago, and no longer applies (owner me); ");
    conf_unref(c);
}

static void notes_are_for_those_who_ask(void **state)
{
    (void)state;
    setenv("TLSFLOOR_LISTENER_B_LISTEN", "127.0.0.1:2", 1);
    assert_loads(LISTENER);
    unsetenv("TLSFLOOR_LISTENER_B_LISTEN");
}

static struct conf *load_options(const char *text, const struct conf_option *options, bool *is_usage)
{
    char *file = stage_file(text, strlen(text));
    FILE *errors = fmemopen(said, sizeof said, "w");
    said[0] = '\0';
    struct conf *c = conf_load_with_options(file, options, errors, is_usage);
    fclose(errors);
    unlink(file);
    return c;
}

static void options_count_more_than_file_and_environment(void **state)
{
    static const struct conf_option options[] = {
        {"--floor", "floor", "minimum", "1.3"}, {"--mode", "floor", "mode", NULL}, {NULL, NULL, NULL, NULL}};
    bool is_usage;
    (void)state;
    setenv("TLSFLOOR_FLOOR_MINIMUM", "1.2", 1);
    struct conf *c = load_options(LISTENER "[floor]\nminimum = 1.2\nmode = monitor\n", options, &is_usage);
    unsetenv("TLSFLOOR_FLOOR_MINIMUM");
    assert_non_null(c);
    assert_string_equal(said, "");
    assert_false(is_usage);
    assert_int_equal(c->tf.policy.floor, TF_TLS13);
    assert_true(c->tf.policy.monitor);
    assert_int_equal(tf_conf_origin(&c->tf, "floor", "mode")->source, TF_FROM_FILE);
    conf_unref(c);
}

static void an_option_is_named_where_it_is_wrong(void **state)
{
    static const struct conf_option options[] = {{"--floor", "floor", "minimum", "9"},
                                                 {NULL, NULL, NULL, NULL}};
    bool is_usage;
    (void)state;
    assert_null(load_options(LISTENER, options, &is_usage));
    assert_true(is_usage);
    assert_memory_equal(said, "--floor: [floor] minimum = 9: ", 30);
    assert_null(load_options("[floor]\nminimum = 1.2\n", options + 1, &is_usage));
    assert_false(is_usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_file_is_fine_as_it_is),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(a_file_that_is_not_ours_names_our_user),
        cmocka_unit_test(only_a_file_that_nobody_named_asks_for_a_name),
        cmocka_unit_test(an_empty_file_lacks_a_listener),
        cmocka_unit_test(what_is_no_text_is_refused_with_one_error),
        cmocka_unit_test(layout_does_not_matter),
        cmocka_unit_test(comments_and_values_are_told_apart),
        cmocka_unit_test(errors_name_file_and_line_whatever_stands_above),
        cmocka_unit_test(lines_that_are_no_settings_are_refused),
        cmocka_unit_test(sections_without_keys_are_checked_as_well),
        cmocka_unit_test(all_errors_are_reported_in_one_go),
        cmocka_unit_test(long_lists_are_read_whole_and_longer_lines_refused),
        cmocka_unit_test(the_environment_overrides_the_file),
        cmocka_unit_test(the_densest_files_fit_into_memory),
        cmocka_unit_test(own_addresses_are_known_before_and_after_binding),
        cmocka_unit_test(a_snapshot_lives_as_long_as_somebody_holds_it),
        cmocka_unit_test(the_endpoint_set_comes_with_the_snapshot),
        cmocka_unit_test(an_endpoint_set_that_cannot_be_read_is_an_error_of_its_key),
        cmocka_unit_test(warnings_do_not_stop_a_load),
        cmocka_unit_test(notes_are_for_those_who_ask),
        cmocka_unit_test(options_count_more_than_file_and_environment),
        cmocka_unit_test(an_option_is_named_where_it_is_wrong),
    };
    return cmocka_run_group_tests_name("conf_load", tests, NULL, NULL);
}
