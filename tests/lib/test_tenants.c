/* tenants.c: which hosts get which fields, and what values are made of. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/tenants.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ID       "0123abcd-4567-89EF-0123-456789abcdef"
#define OTHER_ID "ffffffff-4567-89ef-0123-456789abcdef"

static const struct tf_tenants off = {.allowed = "", .context = "", .policy = ""};
static const struct tf_tenants v1 = {.version = TF_TENANTS_V1,
                                     .allowed = "contoso.example, " ID ",fabrikam.example ",
                                     .context = ID,
                                     .policy = ""};
static const struct tf_tenants v1_no_consumer = {
    .version = TF_TENANTS_V1, .allowed = "contoso.example", .context = ID, .no_consumer = true, .policy = ""};
static const struct tf_tenants v2 = {
    .version = TF_TENANTS_V2, .allowed = "", .context = "", .policy = ID ":" OTHER_ID};

static const char *const work_hosts[] = {"login.microsoftonline.com", "login.microsoft.com",
                                         "login.windows.net"};
static const char consumer_host[] = "login.live.com";

static void work_hosts_are_restricted_by_either_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(work_hosts); i++) {
        assert_false(tf_tenants_restrict(&off, work_hosts[i]));
        assert_true(tf_tenants_restrict(&v1, work_hosts[i]));
        assert_true(tf_tenants_restrict(&v1_no_consumer, work_hosts[i]));
        assert_true(tf_tenants_restrict(&v2, work_hosts[i]));
    }
}

static void the_host_of_personal_accounts_is_restricted_if_they_are_kept_out(void **state)
{
    (void)state;
    assert_false(tf_tenants_restrict(&off, consumer_host));
    assert_false(tf_tenants_restrict(&v1, consumer_host));
    assert_true(tf_tenants_restrict(&v1_no_consumer, consumer_host));
    assert_true(tf_tenants_restrict(&v2, consumer_host));
}

static void hosts_below_beside_and_behind_are_not(void **state)
{
    (void)state;
    static const char *const others[] = {"device.login.microsoftonline.com",
                                         "xlogin.microsoftonline.com",
                                         "microsoftonline.com",
                                         "login.microsoftonline.com.example",
                                         "login.microsoftonline.us",
                                         "login.windows.ne",
                                         "login.live.com.example",
                                         "www.login.live.com",
                                         ""};
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_false(tf_tenants_restrict(&v1_no_consumer, others[i]));
        assert_false(tf_tenants_restrict(&v2, others[i]));
    }
}

static const char *fields(const struct tf_tenants *t, const char *host)
{
    static char text[512];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_tenants_put(&w, t, host);
    assert_false(w.full);
    text[w.len] = '\0';
    return text;
}

static void each_host_gets_the_fields_of_its_version(void **state)
{
    (void)state;
    static const char of_v2[] = "sec-Restrict-Tenant-Access-Policy: " ID ":" OTHER_ID "\r\n";
    for (size_t i = 0; i < COUNT(work_hosts); i++) {
        assert_string_equal(fields(&v1_no_consumer, work_hosts[i]),
                            "Restrict-Access-To-Tenants: contoso.example\r\nRestrict-Access-Context: " ID
                            "\r\n");
        assert_string_equal(fields(&v2, work_hosts[i]), of_v2);
    }
    assert_string_equal(fields(&v1_no_consumer, consumer_host),
                        "sec-Restrict-Tenant-Access-Policy: restrict-msa\r\n");
    assert_string_equal(fields(&v2, consumer_host), of_v2);
}

static void tenants_stand_with_commas_and_without_blanks(void **state)
{
    (void)state;
    assert_string_equal(fields(&v1, work_hosts[0]),
                        "Restrict-Access-To-Tenants: contoso.example," ID
                        ",fabrikam.example\r\nRestrict-Access-Context: " ID "\r\n");
}

static void fields_are_known_in_any_case_and_as_a_whole(void **state)
{
    (void)state;
    static const char *const own[] = {"Restrict-Access-To-Tenants", "restrict-access-to-tenants",
                                      "RESTRICT-ACCESS-CONTEXT", "Sec-restrict-tenant-Access-policy"};
    static const char *const others[] = {"Restrict-Access-To-Tenant",     "Restrict-Access-To-Tenants2",
                                         "X-Restrict-Access-Context",     "Restrict_Access_Context",
                                         "Restrict-Tenant-Access-Policy", ""};
    for (size_t i = 0; i < COUNT(own); i++)
        assert_true(tf_tenants_own(tf_text_of(own[i])));
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(tf_tenants_own(tf_text_of(others[i])));
}

static void an_id_is_a_GUID(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0123abcd-4567-89ef-0123-456789abcde",
                                      "0123abcd-4567-89ef-0123-456789abcdef0",
                                      "0123abcd-4567-89ef-0123-456789abcdeg",
                                      "0123abcd-4567-89ef-01234-56789abcdef",
                                      "0123abcd04567089ef001230456789abcdef",
                                      "{0123abcd-4567-89ef-0123-456789abcd}",
                                      " 123abcd-4567-89ef-0123-456789abcdef"};
    assert_true(tf_tenants_is_id(tf_text_of(ID)));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(tf_tenants_is_id(tf_text_of(bad[i])));
}

static void a_tenant_is_an_id_or_a_domain(void **state)
{
    (void)state;
    static const char *const good[] = {ID, "contoso.onmicrosoft.com", "Contoso.Example", "a.b", "1a.example"};
    static const char *const bad[] = {
        "",         "contoso",     "contoso.example.",  "contoso example", "a..b",
        "10.0.0.1", "*.a.example", "https://a.example", "a.example:443",   "a.example\r\nX: y",
        "::1",      ID "0"};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(tf_tenants_is_tenant(tf_text_of(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(tf_tenants_is_tenant(tf_text_of(bad[i])));
}

static void a_policy_is_two_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ID, ID ":", ":" ID, ID OTHER_ID, ID ": " OTHER_ID, ID ":" OTHER_ID ":" ID, "a.example:" ID};
    assert_true(tf_tenants_is_policy(tf_text_of(ID ":" OTHER_ID)));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(tf_tenants_is_policy(tf_text_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_hosts_are_restricted_by_either_version),
        cmocka_unit_test(the_host_of_personal_accounts_is_restricted_if_they_are_kept_out),
        cmocka_unit_test(hosts_below_beside_and_behind_are_not),
        cmocka_unit_test(each_host_gets_the_fields_of_its_version),
        cmocka_unit_test(tenants_stand_with_commas_and_without_blanks),
        cmocka_unit_test(fields_are_known_in_any_case_and_as_a_whole),
        cmocka_unit_test(an_id_is_a_GUID),
        cmocka_unit_test(a_tenant_is_an_id_or_a_domain),
        cmocka_unit_test(a_policy_is_two_ids),
    };
    return cmocka_run_group_tests_name("tenants", tests, NULL, NULL);
}
