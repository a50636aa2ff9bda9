/* Tests for lib/client_agent.c: User-Agents as real clients send them, and names of devices. */
#include "../../lib/client_agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define IE(version, rest)   "Mozilla/4.0 (compatible; MSIE " version "; Windows NT " rest ")"
#define WEBKIT(system, end) "Mozilla/5.0 (" system ") AppleWebKit/537.36 (KHTML, like Gecko) " end

static void assert_agent(const char *agent, enum tf_client_family family)
{
    struct tf_client_clue clue = tf_client_agent_find(agent);
    assert_int_equal(clue.family, family);
    assert_true(clue.certainty != TF_CLIENT_NOT_KNOWN);
    assert_memory_equal(clue.perhaps, TF_CLIENT_PERHAPS, strlen(TF_CLIENT_PERHAPS));
}

static void assert_nobody(const char *agent)
{
    assert_int_equal(tf_client_agent_find(agent).certainty, TF_CLIENT_NOT_KNOWN);
}

static void assert_newer(const char *agent)
{
    assert_agent(agent, TF_CLIENT_FAMILY_UNKNOWN);
}

static void the_clients_that_the_vendor_names_are_recognised(void **state)
{
    (void)state;
    assert_agent(
        "Mozilla/5.0 (Linux; U; Android 4.3; en-us; GT-I9300) AppleWebKit/534.30 (KHTML, like Gecko) "
        "Version/4.0 Mobile Safari/534.30",
        TF_CLIENT_FAMILY_ANDROID_LE_43);
    assert_agent("Dalvik/1.6.0 (Linux; U; Android 4.0.4; GT-P7510)", TF_CLIENT_FAMILY_ANDROID_LE_43);
    assert_agent("Mozilla/5.0 (Windows NT 6.1; rv:5.0) Gecko/20100101 Firefox/5.0",
                 TF_CLIENT_FAMILY_FIREFOX_LE_5);
    assert_agent(IE("8.0", "6.1; Trident/4.0"), TF_CLIENT_FAMILY_IE_WIN7);
    assert_agent("Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)", TF_CLIENT_FAMILY_IE_WIN7);
    assert_agent("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; WOW64; Trident/6.0)",
                 TF_CLIENT_FAMILY_IE_WIN7);
    assert_agent("Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; ARM; "
                 "Touch; NOKIA)",
                 TF_CLIENT_FAMILY_IE_WINPHONE8);
    assert_agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_8_4) AppleWebKit/536.30.1 (KHTML, like Gecko) "
                 "Version/6.0.4 Safari/536.30.1",
                 TF_CLIENT_FAMILY_SAFARI_LE_604);
}

static void others_of_their_time_are_recognised(void **state)
{
    (void)state;
    assert_agent(IE("7.0", "6.0"), TF_CLIENT_FAMILY_IE_VISTA);
    assert_agent(IE("8.0", "6.0; Trident/4.0"), TF_CLIENT_FAMILY_IE_VISTA);
    assert_agent(IE("6.0", "5.1; SV1"), TF_CLIENT_FAMILY_IE_XP);
    assert_agent(IE("8.0", "5.1; Trident/4.0"), TF_CLIENT_FAMILY_IE_XP);
    assert_agent("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
                 TF_CLIENT_FAMILY_SCHANNEL_WIN8);
    assert_agent("Mozilla/5.0 (X11; Linux i686; rv:24.0) Gecko/20100101 Firefox/24.0",
                 TF_CLIENT_FAMILY_FIREFOX_LE_26);
    assert_agent(WEBKIT("Windows NT 6.1", "Chrome/29.0.1547.76 Safari/537.36"),
                 TF_CLIENT_FAMILY_CHROME_LE_29);
    assert_agent("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.15", TF_CLIENT_FAMILY_OPERA_PRESTO);
    assert_agent("Java/1.6.0_45", TF_CLIENT_FAMILY_JAVA_6);
    assert_agent("Mozilla/4.0 (Windows 7 6.1) Java/1.7.0_25", TF_CLIENT_FAMILY_JAVA_7);
    assert_agent("Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.7113; Pro)",
                 TF_CLIENT_FAMILY_SCHANNEL_WIN7);
    assert_agent("Dalvik/1.6.0 (Linux; U; Android 4.4.4; MI 3W)", TF_CLIENT_FAMILY_ANDROID_JAVA_LE_44);
}

static void versions_are_compared_as_numbers(void **state)
{
    (void)state;
    assert_newer("Mozilla/5.0 (Windows NT 6.1; rv:50.0) Gecko/20100101 Firefox/50.0");
    assert_newer("Mozilla/5.0 (Windows NT 10.0; rv:115.0) Gecko/20100101 Firefox/115.0");
    assert_newer(WEBKIT("Windows NT 6.1", "Chrome/100.0.4896.60 Safari/537.36"));
    assert_nobody("Dalvik/2.1.0 (Linux; U; Android 10; Pixel)");
    assert_nobody("Java/1.8.0_161");
    assert_nobody("Java/11.0.2");
    assert_nobody("Java/1.60");
    assert_nobody("Mozilla/5.0 (Macintosh) AppleWebKit/536 (KHTML, like Gecko) Version/6.0.5 Safari/536");
    assert_nobody("Mozilla/5.0 (Macintosh) AppleWebKit/536 (KHTML, like Gecko) Version/6.1 Safari/536");
    assert_newer("Firefox/99980.0");
    assert_newer("Firefox/18446744073709551617.0");
}

static void Internet_Explorer_11_in_compatibility_view_is_no_older_one(void **state)
{
    (void)state;
    assert_newer(IE("7.0", "6.1; WOW64; Trident/7.0; SLCC2"));
    assert_newer("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko");
    assert_agent(IE("7.0", "6.1; Trident/5.0"), TF_CLIENT_FAMILY_IE_WIN7);
}

static void agents_that_name_others_are_not_taken_for_them(void **state)
{
    (void)state;
    assert_newer("Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; Touch; rv:11.0; "
                 "IEMobile/11.0; "
                 "NOKIA; Lumia 520) like iPhone OS 7_0_3 Mac OS X AppleWebKit/537 (KHTML, like Gecko) Mobile "
                 "Safari/537");
    assert_newer(WEBKIT("Macintosh; Intel Mac OS X 10_8_4", "Chrome/60.0.3112.90 Safari/537.36"));
    assert_newer(WEBKIT("Linux; Android 4.1.2; GT-I8190", "Chrome/70.0.3538.80 Mobile Safari/537.36"));
    assert_newer("Mozilla/5.0 (Android 4.3; Mobile; rv:54.0) Gecko/54.0 Firefox/54.0");
    assert_nobody("Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)");
    assert_nobody("Apache-HttpClient/UNAVAILABLE (java 1.4)");
    assert_nobody("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 8.00");
}

static void tools_with_an_OpenSSL_of_their_own_can_do_better(void **state)
{
    (void)state;
    assert_newer("curl/7.19.7 (x86_64-redhat-linux-gnu) libcurl/7.19.7 OpenSSL/1.0.0");
    assert_newer("python-requests/2.6.0");
}

static void nonsense_is_nobody(void **state)
{
    (void)state;
    static const char *const nonsense[] = {"",      " ",        "Firefox", "Firefox/",  "Trident/x",
                                           "Java/", "Android ", "|",       "%n\x1b\xff"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        assert_nobody(nonsense[i]);
}

static void browsers_are_told_from_programs(void **state)
{
    (void)state;
    assert_true(tf_client_agent_is_browser(WEBKIT("Windows NT 10.0", "Chrome/115.0.0.0 Safari/537.36")));
    assert_true(tf_client_agent_is_browser(IE("8.0", "6.1; Trident/4.0")));
    assert_true(
        tf_client_agent_is_browser("Mozilla/5.0 (X11; Linux i686; rv:24.0) Gecko/20100101 Firefox/24.0"));
    assert_true(tf_client_agent_is_browser("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.15"));
    static const char *const programs[] = {
        "curl/8.0",
        "Java/1.7.0",
        "python-requests/2.31",
        "Mozilla/5.0",
        "iTunes/12.1 (Macintosh; OS X 10.10.2) AppleWebKit/600.3.18",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)",
        IE("7.0", "6.1; Trident/7.0; ms-office; MSOffice 16"),
        "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; like Gecko)",
        ""};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        assert_false(tf_client_agent_is_browser(programs[i]));
}

static void devices_are_recognised_by_their_factory_names(void **state)
{
    (void)state;
    static const char *const devices[] = {"BRN001BA9123456", "brw30055C123456.example.com", "NPI12AB9F",
                                          "BRN_12ab34"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        assert_int_equal(tf_client_greeting_find(devices[i]).family, TF_CLIENT_FAMILY_EMBEDDED_OPENSSL);
    static const char *const others[] = {"",         "BRN",        "BRNO",      "brno.example.com",
                                         "NPI12AB9", "NPI12AB9F0", "NPI12AB9G", "mail"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(tf_client_greeting_find(others[i]).certainty, TF_CLIENT_NOT_KNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clients_that_the_vendor_names_are_recognised),
        cmocka_unit_test(others_of_their_time_are_recognised),
        cmocka_unit_test(versions_are_compared_as_numbers),
        cmocka_unit_test(Internet_Explorer_11_in_compatibility_view_is_no_older_one),
        cmocka_unit_test(agents_that_name_others_are_not_taken_for_them),
        cmocka_unit_test(tools_with_an_OpenSSL_of_their_own_can_do_better),
        cmocka_unit_test(nonsense_is_nobody),
        cmocka_unit_test(browsers_are_told_from_programs),
        cmocka_unit_test(devices_are_recognised_by_their_factory_names),
    };
    return cmocka_run_group_tests_name("client_agent", tests, NULL, NULL);
}
