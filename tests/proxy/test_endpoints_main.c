/* The `endpoints` command: endpoints_main.c, _show.c, _lookup.c and _diff.c, and _update.c as far as it needs
 * no network. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "command_stage.h"
#include <ftw.h>
#include <sys/stat.h>

#define LISTENER "[listener proxy]\nlisten = 127.0.0.1:3128\n"

static struct output o;
static char folder[64], conf_file[96], sets_file[96], error[256];

static const char first[] =
    "[{\"id\": 1, \"serviceArea\": \"Exchange\", \"category\": \"Optimize\", \"required\": true,"
    "\"urls\": [\"mail.example\", \"old.example\"], \"tcpPorts\": \"80,443\"},\n"
    "{\"id\": 2, \"urls\": [\"mail.example\"], \"tcpPorts\": \"587\", \"category\": \"Allow\"},\n"
    "{\"id\": 3, \"urls\": [\"*.example\", \"moved.example\"], \"tcpPorts\": \"443\"},\n"
    "{\"id\": 4, \"ips\": [\"192.0.2.0/24\"], \"udpPorts\": \"3478\", \"notes\": \"a\\u001bb\"}]";
/* moved.example from 3 to 5, old.example gone, new.example come, set 2 on another port. */
static const char second[] =
    "[{\"id\": 1, \"serviceArea\": \"Exchange\", \"category\": \"Optimize\", \"required\": true,"
    "\"urls\": [\"mail.example\", \"new.example\"], \"tcpPorts\": \"443,80\"},\n"
    "{\"id\": 2, \"urls\": [\"mail.example\"], \"tcpPorts\": \"993, 587\", \"category\": \"Allow\"},\n"
    "{\"id\": 3, \"urls\": [\"*.example\"], \"tcpPorts\": \"443\"},\n"
    "{\"id\": 5, \"urls\": [\"moved.example\"], \"tcpPorts\": \"443\"}]";

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static const char *read_file(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static const char *beside(const char *ending)
{
    static char path[128];
    snprintf(path, sizeof path, "%s%s", sets_file, ending);
    return path;
}

static void configure(const char *m365)
{
    char text[512];
    snprintf(text, sizeof text, LISTENER "[m365]\n%s\n", m365);
    write_file(conf_file, text);
}

/* A folder with a configuration whose set is `first`. */
static int setup(void **state)
{
    char m365[128];
    (void)state;
    strcpy(folder, "/tmp/tlsfloor-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(conf_file, sizeof conf_file, "%s/conf.ini", folder);
    snprintf(sets_file, sizeof sets_file, "%s/sets.json", folder);
    write_file(sets_file, first);
    snprintf(m365, sizeof m365, "endpoints = %s", sets_file);
    configure(m365);
    return 0;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *walk)
{
    (void)s;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define RUN(...)                                                                                             \
    stage_run(endpoints_main, &o, (const char *const[]){"endpoints", __VA_ARGS__, "-c", conf_file, NULL})

static void show_has_a_row_for_each_set(void **state)
{
    (void)state;
    assert_int_equal(RUN("show"), 0);
    assert_has(o.out, "    1  Exchange    Optimize  yes           2  80, 443\n");
    assert_has(o.out, "    4  Other       Default   no            0  none\n");
    assert_has(o.out, "4 of 4 sets, with 5 names; from /");
}

static void show_can_be_narrowed(void **state)
{
    (void)state;
    assert_int_equal(RUN("show", "--area", "exchange"), 0);
    assert_has(o.out, "1 of 4 sets, with 2 names");
    assert_int_equal(RUN("show", "--category", "allow"), 0);
    assert_has(o.out, "1 of 4 sets, with 1 names");
    assert_int_equal(RUN("show", "--category", "allow", "--area", "exchange"), 0);
    assert_has(o.out, "0 of 4 sets, with 0 names");
    assert_int_equal(RUN("show", "--area", "mail"), 2);
    assert_has(o.err, "no area 'mail'; write Common, Exchange, SharePoint, Teams or Intune");
    assert_int_equal(RUN("show", "--category", "best"), 2);
    assert_has(o.err, "no category 'best'; write Optimize, Allow or Default");
}

static void show_says_which_set_stays_plain(void **state)
{
    (void)state;
    configure("");
    assert_int_equal(RUN("show"), 0);
    assert_has(o.out, "  125  Common      Default   yes          26  80, 443; plain HTTP stays plain\n");
}

static void what_show_prints_as_json_is_the_same_set(void **state)
{
    (void)state;
    assert_int_equal(RUN("show", "--json"), 0);
    assert_null(strchr(o.out, '\x1b'));
    assert_null(strstr(o.out, "[]"));
    struct endpoints *e = endpoints_parse(o.out, strlen(o.out), "json", "", error, sizeof error);
    assert_non_null(e);
    assert_int_equal(e->m365.set_count, 4);
    assert_int_equal(e->m365.sets[3].block_count, 1);
    assert_string_equal(e->m365.sets[3].notes, "a\x1b"
                                               "b");
    endpoints_free(e);
    write_file(beside(".json"), o.out);
    assert_int_equal(RUN("diff", beside(".json")), 0);
    assert_has(o.out, "the same names, ports and categories");
}

static void lookup_tells_which_set_counts_and_why(void **state)
{
    (void)state;
    assert_int_equal(RUN("lookup", "Mail.Example"), 0);
    assert_has(o.out, "mail.example:443, looked up in ");
    assert_has(o.out, "  counts     set 1 (Exchange, Optimize, required), by mail.example on TCP 80, 443\n");
    assert_has(o.out, "  also in    set 3 (Other, Default, optional), by *.example on TCP 443\n");
    assert_has(o.out, "  because    it has the best category\n");
    assert_has(o.out, "  elsewhere  set 2 (Other, Allow, optional), by mail.example on TCP 587\n");
    assert_int_equal(RUN("lookup", "mail.example:587"), 0);
    assert_has(o.out, "  counts     set 2 ");
    assert_has(o.out, "  because    no other set has the name on this port\n");
}

static void lookup_tells_what_decides_among_equals(void **state)
{
    (void)state;
    configure("");
    assert_int_equal(RUN("lookup", "autodiscover.contoso.onmicrosoft.com"), 0);
    assert_has(o.out, "  because    no category is better, and it is the first of the file\n");
    assert_int_equal(RUN("lookup", "www.microsoft.com"), 0);
    assert_has(o.out, "  because    no category is better, and it is the set of certificate revocation\n");
}

static void lookup_of_what_is_in_no_set_is_a_finding(void **state)
{
    (void)state;
    assert_int_equal(RUN("lookup", "elsewhere.test"), 1);
    assert_has(o.out, "  counts     nothing: no set has the name on this port\n");
    assert_int_equal(RUN("lookup", "mail.example:25"), 1);
    assert_has(o.out, "  elsewhere  set 1 ");
    assert_int_equal(RUN("lookup", "192.0.2.1"), 1);
    assert_has(o.out, "  counts     nothing: no set has the address on this port\n");
    assert_int_equal(RUN("lookup", "a b"), 2);
    assert_has(o.err, "'a b' is no HOST or HOST:PORT: the host has a character");
}

static void lookup_takes_addresses_too(void **state)
{
    (void)state;
    configure("");
    assert_int_equal(RUN("lookup", "52.96.0.1"), 0);
    assert_has(o.out, "52.96.0.1:443, looked up in ");
    assert_has(o.out, "  counts     set 1 (Exchange, Optimize, required), by 52.96.0.0/14 on TCP 80, 443\n");
    assert_has(o.out, "  because    no other set has the address on this port\n");
    assert_has(o.out, "  elsewhere  set 2 (Exchange, Allow, optional), by 52.96.0.0/14 on TCP ");
    assert_int_equal(RUN("lookup", "[2603:1006::1]:587"), 0);
    assert_has(o.out, "[2603:1006::1]:587, looked up in ");
    assert_has(o.out, "  counts     set 2 (Exchange, Allow, optional), by 2603:1006::/40 on TCP ");
    assert_int_equal(RUN("lookup", "52.96.0.1:22"), 1);
    assert_has(o.out, "  counts     nothing: no set has the address on this port\n");
}

static void lookup_tells_how_the_name_is_treated(void **state)
{
    (void)state;
    configure("never_terminate = *.never.test\nstay_plain = plain.test");
    assert_int_equal(RUN("lookup", "a.never.test"), 1);
    assert_has(o.out,
               "  upgrade    never terminated, so never upgraded: *.never.test in [m365] never_terminate\n");
    assert_int_equal(RUN("lookup", "plain.test:80"), 1);
    assert_has(o.out, "  plain HTTP stays plain: plain.test in [m365] stay_plain\n");
    assert_int_equal(RUN("lookup", "ocsp.digicert.com:80"), 0);
    assert_has(o.out, "  plain HTTP stays plain: set 125 is for certificate revocation\n");
    assert_int_equal(RUN("lookup", "outlook.office365.com"), 0);
    assert_null(strstr(o.out, "plain HTTP"));
    assert_null(strstr(o.out, "upgrade"));
}

static void diff_has_a_line_for_each_change(void **state)
{
    (void)state;
    write_file(beside(".new"), second);
    assert_int_equal(RUN("diff", beside(".new")), 1);
    assert_string_equal(o.out, "- moved.example: set 3 (Other, Default, optional), TCP 443\n"
                               "+ moved.example: set 5 (Other, Default, optional), TCP 443\n"
                               "+ new.example: set 1 (Exchange, Optimize, required), TCP 80, 443\n"
                               "- old.example: set 1 (Exchange, Optimize, required), TCP 80, 443\n"
                               "- set 2: Other, Allow, optional, TCP 587\n"
                               "+ set 2: Other, Allow, optional, TCP 587, 993\n");
}

static void diff_with_odd_patterns_keeps_step(void **state)
{
    static const char odd[] = "[{\"id\": 1, \"urls\": [\"zz.example\", \"*a.example\", \"a.*.example\"]}]";
    static const char plain[] = "[{\"id\": 1, \"urls\": [\"a.example\", \"a.*.example\"]}]";
    (void)state;
    write_file(sets_file, odd);
    write_file(beside(".new"), plain);
    assert_int_equal(RUN("diff", beside(".new")), 1);
    assert_string_equal(o.out, "+ a.example: set 1 (Other, Default, optional), no TCP port\n"
                               "- zz.example: set 1 (Other, Default, optional), no TCP port\n"
                               "- *a.example: set 1 (Other, Default, optional), no TCP port\n");
}

static void diff_with_a_broken_file_says_what_is_wrong(void **state)
{
    (void)state;
    write_file(beside(".new"), "[");
    assert_int_equal(RUN("diff", beside(".new")), 1);
    assert_has(o.err, "sets.json.new:1: no JSON: ");
    assert_string_equal(o.out, "");
}

static void update_from_a_file_replaces_the_set_and_keeps_the_old_one(void **state)
{
    struct stat s;
    (void)state;
    write_file(beside(".new"), second);
    write_file(beside(".version"), "Worldwide 2025112800");
    char from[128];
    strcpy(from, beside(".new"));
    assert_int_equal(RUN("update", "--from", from), 0);
    assert_has(o.out, "+ new.example: set 1 (Exchange, Optimize, required), TCP 80, 443\n");
    assert_has(o.out, "sets.json has 4 sets with 5 names; the set before is in /");
    assert_has(o.out, "\nkill -HUP the gateway\n");
    assert_string_equal(read_file(sets_file), second);
    assert_string_equal(read_file(beside(".old")), first);
    assert_null(read_file(beside(".version"))); /* what the file holds now did not come by that */
    assert_int_equal(stat(sets_file, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0644);
}

static void update_with_the_same_set_leaves_the_old_one_alone(void **state)
{
    char from[128];
    (void)state;
    strcpy(from, beside(".new"));
    write_file(from, first);
    write_file(beside(".old"), "the one before");
    assert_int_equal(RUN("update", "--from", from), 0);
    assert_has(o.out, "sets.json has 4 sets with 5 names\nkill -HUP the gateway\n");
    assert_string_equal(read_file(beside(".old")), "the one before");
}

static void update_into_another_file_says_how_to_use_it(void **state)
{
    char from[128], to[128];
    (void)state;
    configure("");
    strcpy(from, sets_file);
    strcpy(to, beside(".fresh"));
    assert_int_equal(RUN("update", "--from", from, "-o", to, "--force"), 0);
    assert_string_equal(read_file(to), first);
    assert_has(o.out, "sets.json.fresh has 4 sets with 5 names\n");
    assert_has(o.out, "to use it, write endpoints = ");
    strcat(to, ".old");
    assert_null(read_file(to));
}

static void update_refuses_what_is_broken_empty_or_much_smaller(void **state)
{
    static const char *const rows[][2] = {
        {"[{\"id\": 1, \"urls\": [\"a.example\"", ":1: no JSON: "},
        {"<html>not found</html>", ":1: no JSON: "},
        {"[]", "there is no endpoint set in it"},
        {"[{\"id\": 1, \"urls\": [\"mail.example\"], \"tcpPorts\": \"443\"}]", "has 1 names, and "},
        {"[{\"id\": 1, \"urls\": [\"http://a\"]}]", "set 1: urls \"http://a\": no name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char from[128];
        strcpy(from, beside(".new"));
        write_file(from, rows[i][0]);
        assert_int_equal(RUN("update", "--from", from), 1);
        assert_has(o.err, rows[i][1]);
        assert_has(o.err, "; the set that is kept stays in place\n");
        assert_string_equal(read_file(sets_file), first);
        assert_null(read_file(beside(".old")));
    }
    char from[128];
    strcpy(from, beside(".new"));
    write_file(from, rows[3][0]);
    assert_int_equal(RUN("update", "--from", from, "--force"), 0);
    assert_string_equal(read_file(sets_file), rows[3][0]);
}

static void update_from_nowhere_leaves_the_set(void **state)
{
    (void)state;
    assert_int_equal(RUN("update", "--from", "/nowhere/sets.json"), 1);
    assert_has(o.err,
               "/nowhere/sets.json: cannot be read: No such file or directory; the set that is kept stays");
    assert_string_equal(read_file(sets_file), first);
}

static void update_into_nowhere_says_so(void **state)
{
    (void)state;
    assert_int_equal(RUN("update", "--from", sets_file, "-o", "/nowhere/sets.json"), 1);
    assert_has(o.err,
               "/nowhere/sets.json cannot be written: No such file or directory; nothing has been written\n");
}

static void update_replaces_plain_files_only(void **state)
{
    char from[128];
    (void)state;
    strcpy(from, beside(".new"));
    write_file(from, first);
    assert_int_equal(symlink(sets_file, beside(".link")), 0);
    assert_int_equal(RUN("update", "--from", from, "-o", beside(".link")), 1);
    assert_has(o.err,
               "sets.json.link is no plain file; name one that can be replaced; nothing has been written\n");
    assert_int_equal(RUN("update", "--from", from, "-o", folder), 1);
    assert_has(o.err, "is no plain file");
}

static void half_of_the_names_is_plausible(void **state)
{
    char from[128];
    (void)state;
    strcpy(from, beside(".new"));
    write_file(from, "[{\"id\": 1, \"urls\": [\"a.example\", \"b.example\"]}]");
    assert_int_equal(RUN("update", "--from", from), 1); /* two of five */
    write_file(from, "[{\"id\": 1, \"urls\": [\"a.example\", \"b.example\", \"c.example\"]}]");
    assert_int_equal(RUN("update", "--from", from), 0);
}

static void an_overlay_mends_an_update_that_it_has_the_set_of(void **state)
{
    char m365[256], overlay[128], from[128];
    (void)state;
    strcpy(overlay, beside(".overlay"));
    write_file(overlay, "[{\"id\": 9, \"urls\": [\"mended.example\"], \"tcpPorts\": \"443\"}]");
    snprintf(m365, sizeof m365, "endpoints = %s\noverlay = %s", sets_file, overlay);
    configure(m365);
    strcpy(from, beside(".new"));
    write_file(from, "[{\"id\": 9, \"urls\": [\"of a new form\"]}, {\"id\": 1, \"urls\": [\"a.example\", "
                     "\"b.example\"]}]");
    assert_int_equal(RUN("update", "--from", from), 0);
    assert_int_equal(RUN("lookup", "mended.example"), 0);
}

static void the_built_in_set_cannot_be_updated_in_place(void **state)
{
    (void)state;
    configure("");
    assert_int_equal(RUN("update"), 2);
    assert_has(o.err, "the set in use is built in; name a file for the new one with -o FILE");
}

static void wrong_usage_is_told(void **state)
{
    (void)state;
    assert_int_equal(RUN("show", "--from", "x"), 2);
    assert_has(o.err, "show takes no --from");
    assert_int_equal(RUN("lookup"), 2);
    assert_has(o.err, "lookup needs HOST[:PORT]");
    assert_int_equal(RUN("diff"), 2);
    assert_has(o.err, "diff needs FILE");
    assert_int_equal(RUN("show", "more"), 2);
    assert_has(o.err, "'more' is not expected");
    assert_int_equal(RUN("nonsense"), 2);
    assert_has(o.err, "show, lookup, diff or update?");
    assert_int_equal(RUN("update", "--from", "x", "--url", "https://y"), 2);
    assert_has(o.err, "--from and --url are two places; name one");
    assert_int_equal(RUN("show", "--nonsense"), 2);
    assert_int_equal(RUN("show", "--help"), 0);
    assert_has(o.out, "usage: tlsfloor endpoints ");
    assert_int_equal(RUN("--help"), 0);
    assert_has(o.out, "usage: tlsfloor endpoints ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(show_has_a_row_for_each_set),
        TEST(show_can_be_narrowed),
        TEST(show_says_which_set_stays_plain),
        TEST(what_show_prints_as_json_is_the_same_set),
        TEST(lookup_tells_which_set_counts_and_why),
        TEST(lookup_tells_what_decides_among_equals),
        TEST(lookup_of_what_is_in_no_set_is_a_finding),
        TEST(lookup_takes_addresses_too),
        TEST(lookup_tells_how_the_name_is_treated),
        TEST(diff_has_a_line_for_each_change),
        TEST(diff_with_odd_patterns_keeps_step),
        TEST(diff_with_a_broken_file_says_what_is_wrong),
        TEST(update_from_a_file_replaces_the_set_and_keeps_the_old_one),
        TEST(update_with_the_same_set_leaves_the_old_one_alone),
        TEST(update_into_another_file_says_how_to_use_it),
        TEST(update_refuses_what_is_broken_empty_or_much_smaller),
        TEST(update_from_nowhere_leaves_the_set),
        TEST(update_into_nowhere_says_so),
        TEST(update_replaces_plain_files_only),
        TEST(half_of_the_names_is_plausible),
        TEST(an_overlay_mends_an_update_that_it_has_the_set_of),
        TEST(the_built_in_set_cannot_be_updated_in_place),
        TEST(wrong_usage_is_told),
    };
    return cmocka_run_group_tests_name("endpoints_main", tests, NULL, NULL);
}
