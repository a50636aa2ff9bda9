/* remedy.c: every family has a remedy, and the two tables agree. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/registry.h"
#include "../../lib/remedy.h"
#include "../../lib/text.h"
#include <string.h>

static size_t each(void (*check)(const struct tf_client_info *info, const struct tf_remedy *remedy))
{
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++)
        check(tf_client_info((enum tf_client_family)i), tf_remedy_of((enum tf_client_family)i));
    return TF_CLIENT_FAMILY_COUNT;
}

static bool has(const struct tf_remedy *remedy, const char *words)
{
    for (int i = 0; remedy->steps[i]; i++)
        if (strstr(remedy->steps[i], words))
            return true;
    return false;
}

static void check_steps(const struct tf_client_info *info, const struct tf_remedy *remedy)
{
    if (!remedy->steps[0] || !remedy->articles[0].title)
        fail_msg("%s has no steps, or no article", info->slug);
    assert_null(remedy->steps[TF_REMEDY_STEPS_MAX]);
    assert_null(remedy->articles[TF_REMEDY_ARTICLES_MAX].title);
    for (int i = 0; remedy->steps[i]; i++)
        if (!strchr(".)", remedy->steps[i][strlen(remedy->steps[i]) - 1]))
            fail_msg("%s: %s", info->slug, remedy->steps[i]);
}

static void every_family_has_steps_and_an_article(void **state)
{
    (void)state;
    assert_true(each(check_steps) > 35);
}

/* The one whose number is in clients.def comes first, under its number. */
static void check_article(const struct tf_client_info *info, const struct tf_remedy *remedy)
{
    const struct tf_article *a = remedy->articles;
    if (*info->article && strncmp(a->title, info->article, strlen(info->article)) != 0)
        fail_msg("%s is about %s, and its first article is %s", info->slug, info->article, a->title);
    for (; a->title; a++) {
        if (!*a->link) {
            assert_true(tf_text_ends(tf_text_of(a->title), " on learn.microsoft.com"));
            continue;
        }
        const char *number = strrchr(a->link, '/') + 1;
        assert_true(tf_text_begins(tf_text_of(a->link), "https://support.microsoft.com/help/"));
        assert_memory_equal(a->title, "KB", 2);
        assert_memory_equal(a->title + 2, number, strlen(number));
    }
}

static void an_article_of_the_knowledge_base_is_linked_by_its_number(void **state)
{
    (void)state;
    each(check_article);
}

static void check_registry(const struct tf_client_info *info, const struct tf_remedy *remedy)
{
    if (has(remedy, "registry settings that tlsfloor remediate writes") != (remedy->registry != 0))
        fail_msg("%s: steps and registry do not agree", info->slug);
    if (remedy->registry && !has(remedy, "Restart"))
        fail_msg("%s: nothing says that it is to be restarted", info->slug);
}

static void who_has_registry_settings_is_told_to_import_them(void **state)
{
    (void)state;
    each(check_registry);
    assert_int_equal(tf_remedy_of(TF_CLIENT_FAMILY_SCHANNEL_WIN7)->registry, TF_REGISTRY_WINDOWS_7);
    assert_int_equal(tf_remedy_of(TF_CLIENT_FAMILY_OFFICE_ONLINE_SERVER)->registry, TF_REGISTRY_DOTNET);
}

static void check_promise(const struct tf_client_info *info, const struct tf_remedy *remedy)
{
    if (strstr(info->fix, "let the gateway upgrade") && !remedy->trust)
        fail_msg("%s: the fix names an upgrade that cannot help", info->slug);
}

static void no_fix_promises_an_upgrade_that_cannot_help(void **state)
{
    (void)state;
    each(check_promise);
    assert_null(tf_remedy_of(TF_CLIENT_FAMILY_IE_XP)->trust); /* RC4 and 3DES only */
}

static void the_versions_that_articles_name_are_in_the_steps(void **state)
{
    (void)state;
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_SKYPE_SERVER_2015), "6.0.9319.548"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_SKYPE_SERVER_2019), "17.0.2046.123"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_TEAMS_ROOMS), "4.0.64.0"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_OFFICE_ONLINE_SERVER), "KB5001973"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_ENTRA_AUTHENTICATION_AGENT), "1.5.643.0"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_ENTRA_APPLICATION_PROXY), "1.5.1526.0"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_ENTRA_MFA_SERVER), "8.0"));
    assert_true(has(tf_remedy_of(TF_CLIENT_FAMILY_JAVA_6), "6u115"));
}

static void retirements_are_in_order(void **state)
{
    const struct tf_retirement *r;
    size_t n = 0;
    (void)state;
    for (; (r = tf_retirement(n)); n++)
        assert_true(n == 0 || strcmp(tf_retirement(n - 1)->when, r->when) < 0);
    assert_string_equal(tf_retirement(0)->when, "2018-10-31");
    assert_true(n >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_has_steps_and_an_article),
        cmocka_unit_test(an_article_of_the_knowledge_base_is_linked_by_its_number),
        cmocka_unit_test(who_has_registry_settings_is_told_to_import_them),
        cmocka_unit_test(no_fix_promises_an_upgrade_that_cannot_help),
        cmocka_unit_test(the_versions_that_articles_name_are_in_the_steps),
        cmocka_unit_test(retirements_are_in_order),
    };
    return cmocka_run_group_tests_name("remedy", tests, NULL, NULL);
}
