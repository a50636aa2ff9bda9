/* conf_check_tenants.c: which keys go together, and what their values must be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"
#include <stdio.h>

#define ID      "11111111-2222-3333-4444-555555555555"
#define SECTION STAGE_LISTENER "[tenant_restrictions]\n" /* its keys begin in line 4 */
#define V1      SECTION "version = v1\nallowed = contoso.onmicrosoft.com, " ID "\ncontext = " ID "\n"
#define V2      SECTION "version = v2\npolicy = " ID ":" ID "\n"

static struct stage s;

static void nothing_is_said_of_a_section_that_is_not_there(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER);
    assert_fine(&s, SECTION "version = off\n");
}

static void each_version_says_which_hosts_and_whom_it_reaches(void **state)
{
    (void)state;
    static const char hosts[] = "put into requests for login.microsoftonline.com, login.microsoft.com";
    assert_said(&s, V1, "note t.ini:4: tenant restrictions v1 are ");
    assert_said(&s, V1, hosts);
    assert_said(&s, V1, "login.microsoft.com and login.windows.net, where");
    assert_said(&s, V1, "healthy clients pass untouched, and unrestricted\n");
    assert_said(&s, V1 "consumer = block\n", ", login.windows.net and login.live.com, where");
    assert_said(&s, V2, "note t.ini:4: tenant restrictions v2 are ");
    assert_said(&s, V2, ", login.windows.net and login.live.com, where");
    assert_int_equal(s.load.conf->tenants.version, TF_TENANTS_V2);
}

static void what_a_version_needs_is_missed(void **state)
{
    (void)state;
    assert_refused(&s, SECTION "version = v1\nallowed = a.example\n",
                   "error t.ini:4: [tenant_restrictions] version = v1 needs context; write context = and the "
                   "directory ID of your own tenant\n");
    assert_int_equal(s.load.errors, 1);
    assert_refused(&s, SECTION "version = v1\ncontext = " ID "\n",
                   "version = v1 needs allowed; write allowed =");
    assert_int_equal(s.load.errors, 1);
    assert_refused(&s, SECTION "version = v2\n",
                   "version = v2 needs policy; write policy = and TENANT-ID:POLICY-ID, both GUIDs\n");
    assert_int_equal(s.load.errors, 1);
}

static void the_versions_exclude_each_other(void **state)
{
    (void)state;
    static const char *const of_v1[] = {"allowed = a.example", "context = " ID, "consumer = block"};
    static const char *const names[] = {"allowed", "context", "consumer"};
    char lines[512], expected[256];
    for (size_t i = 0; i < 3; i++) {
        snprintf(lines, sizeof lines, "%s%s\n", V2, of_v1[i]);
        snprintf(
            expected, sizeof expected,
            "error t.ini:6: [tenant_restrictions] %s is of v1, and the version is v2; write version = v1 "
            "and what belongs to it, or leave %s out\n",
            names[i], names[i]);
        assert_refused(&s, lines, expected);
        assert_int_equal(s.load.errors, 1);
    }
    assert_refused(&s, V1 "policy = " ID ":" ID "\n",
                   "error t.ini:7: [tenant_restrictions] policy is of v2, and the version is v1; ");
}

static void keys_without_a_version_are_warned_of(void **state)
{
    (void)state;
    assert_said(&s, SECTION "allowed = a.example\n",
                "warning t.ini:4: [tenant_restrictions] allowed is of v1, and the version is off; write "
                "version = v1, or leave allowed out\n");
    assert_said(&s, SECTION "policy = nonsense\n", "policy is of v2, and the version is off; ");
    assert_null(strstr(s.text, "note"));
}

static void a_version_that_cannot_be_read_is_all_that_is_said(void **state)
{
    (void)state;
    assert_refused(&s, SECTION "version = v3\nallowed = a.example\n", "version");
    assert_int_equal(s.load.errors, 1);
    assert_null(strstr(s.text, "warning"));
}

static void values_that_nobody_would_take_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *expected;
    } rows[] = {
        {SECTION "version = v1\ncontext = " ID "\nallowed = a.example, contoso\n",
         "allowed has 'contoso', which is neither a domain nor a directory ID (a GUID); write such as "},
        {SECTION "version = v1\ncontext = " ID "\nallowed = a.example,,b.example\n", "allowed has '', which"},
        {SECTION "version = v1\ncontext = " ID "\nallowed = a.example, 10.0.0.1\n",
         "allowed has '10.0.0.1', which"},
        {SECTION "version = v1\nallowed = a.example\ncontext = a.example\n",
         "context = a.example is not a directory ID; write the one GUID of your own tenant\n"},
        {SECTION "version = v1\nallowed = a.example\ncontext = " ID ", " ID "\n", " is not a directory ID; "},
        {SECTION "version = v2\npolicy = " ID "\n",
         "policy = " ID " is not two GUIDs; write TENANT-ID:POLICY-ID\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(&s, rows[i].lines, rows[i].expected);
        assert_int_equal(s.load.errors, 1);
    }
}

static void monitor_mode_is_warned_of(void **state)
{
    (void)state;
    assert_said(
        &s, V2 "[floor]\nmode = monitor\n",
        "warning t.ini:4: [tenant_restrictions] restricts sessions that are upgraded, and while [floor] "
        "mode = monitor only rules with action = upgrade do that\n");
}

/* With a list of tenants that has n bytes. */
static const char *with_list(size_t n)
{
    static char lines[8192];
    size_t at = (size_t)snprintf(lines, sizeof lines, SECTION "version = v1\ncontext = " ID "\nallowed = ");
    for (size_t i = 0; i < n; i++)
        lines[at + i] = i + 1 < n && i % 32 == 31 ? ',' : i % 32 == 1 ? '.' : 'a';
    strcpy(lines + at + n, "\n");
    return lines;
}

static void a_list_that_no_request_could_carry_is_refused(void **state)
{
    (void)state;
    enum {
        REST = sizeof "Restrict-Access-To-Tenants: \r\nRestrict-Access-Context: \r\n" - 1 + sizeof ID - 1,
        MOST = TF_TENANTS_MAX - REST
    };
    assert_said(&s, with_list(MOST), "note ");
    assert_refused(
        &s, with_list(MOST + 1),
        "allowed is too long: the header fields of a request may have 4096 bytes; name fewer tenants\n");
    assert_int_equal(s.load.errors, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_a_section_that_is_not_there),
        cmocka_unit_test(each_version_says_which_hosts_and_whom_it_reaches),
        cmocka_unit_test(what_a_version_needs_is_missed),
        cmocka_unit_test(the_versions_exclude_each_other),
        cmocka_unit_test(keys_without_a_version_are_warned_of),
        cmocka_unit_test(a_version_that_cannot_be_read_is_all_that_is_said),
        cmocka_unit_test(values_that_nobody_would_take_are_refused),
        cmocka_unit_test(monitor_mode_is_warned_of),
        cmocka_unit_test(a_list_that_no_request_could_carry_is_refused),
    };
    return cmocka_run_group_tests_name("conf_check, tenants", tests, NULL, NULL);
}
