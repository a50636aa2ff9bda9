/* Tests for lib/client.c: what becomes of a hello and of words that agree, or do not; and the table of
 * families. */
#include "../../lib/client.h"
#include "../../lib/sighting.h"

#include "client_maker.h"
#include <string.h>

#define IE8_AGENT     "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)"
#define FIREFOX_AGENT "Mozilla/5.0 (Windows NT 6.1; rv:2.0) Gecko/20100101 Firefox/4.0"
#define CHROME_AGENT                                                                                         \
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0 Safari/537.36"

static struct tf_hello windows_7(void)
{
    return hello_of("2f 35 5 a c013 c014 c009 c00a 32 38 13 4", "ff01 0 5 a b", "17 18");
}

static struct tf_hello firefox_4_to_12(void)
{
    return hello_of("ff c00a c014 88 87 39 38 c00f c005 84 35 c007 c009 c011 c013 45 44 33 32 c00c c00e c002 "
                    "c004 96 41 4 5 2f "
                    "c008 c012 16 13 c00d c003 feff a",
                    "0 a b 23", "17 18 19");
}

static struct tf_hello nobody(void)
{
    return hello_of("1 2", "0", "");
}

static struct tf_hello configured_down(void)
{
    return hello_of("c00a c014 39 c009 c013 33 35 2f ff", "0 b a 23 16 17", "1d 17 1e 19 18");
}

static void assert_client(struct tf_hello hello, const char *agent, const char *greeting,
                          struct tf_client wanted)
{
    struct tf_client client = tf_client_identify(&hello, agent, greeting);
    assert_int_equal(client.family, wanted.family);
    assert_int_equal(client.certainty, wanted.certainty);
    assert_int_equal(client.evidence, wanted.evidence);
    assert_string_equal(client.name, wanted.name);
}

static void a_known_hello_alone_is_likely(void **state)
{
    (void)state;
    assert_client(windows_7(), "", "",
                  (struct tf_client){TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_LIKELY, TF_CLIENT_BY_HELLO,
                                     "Internet Explorer 8 to 10, or another WinINet program, on Windows 7"});
}

static void a_rule_alone_is_a_guess_and_says_so(void **state)
{
    (void)state;
    assert_client(hello_of("c014 35 ff", "0 b a f", ""), "", "",
                  (struct tf_client){TF_CLIENT_FAMILY_OPENSSL_10X, TF_CLIENT_POSSIBLE, TF_CLIENT_BY_HELLO,
                                     "perhaps a program with OpenSSL 1.0.1 or 1.0.2 (it sends heartbeat)"});
}

static void hello_and_agent_that_agree_are_certain(void **state)
{
    (void)state;
    assert_client(windows_7(), IE8_AGENT, "",
                  (struct tf_client){TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_CERTAIN,
                                     TF_CLIENT_BY_HELLO | TF_CLIENT_BY_USER_AGENT,
                                     "Internet Explorer 8 on Windows 7"});
}

static void an_agent_tells_apart_who_sends_the_same_hello(void **state)
{
    (void)state;
    assert_client(firefox_4_to_12(), FIREFOX_AGENT, "",
                  (struct tf_client){TF_CLIENT_FAMILY_FIREFOX_LE_5, TF_CLIENT_CERTAIN,
                                     TF_CLIENT_BY_HELLO | TF_CLIENT_BY_USER_AGENT, "Firefox up to 5"});
}

static void where_they_disagree_the_hello_counts_as_a_guess(void **state)
{
    (void)state;
    struct tf_client wanted = {TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_POSSIBLE, TF_CLIENT_BY_HELLO,
                               "perhaps Internet Explorer 8 to 10, or another WinINet program, on Windows 7"};
    assert_client(windows_7(), FIREFOX_AGENT, "", wanted);
    assert_client(windows_7(), CHROME_AGENT, "", wanted);
    assert_client(windows_7(), "", "NPI12AB9F", wanted);
}

static void a_hello_that_others_send_too_is_a_guess(void **state)
{
    (void)state;
    assert_client(firefox_4_to_12(), "", "",
                  (struct tf_client){TF_CLIENT_FAMILY_FIREFOX_LE_26, TF_CLIENT_POSSIBLE, TF_CLIENT_BY_HELLO,
                                     "perhaps Firefox 4 to 12, or a crawler with the same hello"});
}

static void software_that_does_better_may_be_held_down(void **state)
{
    (void)state;
    assert_client(configured_down(), CHROME_AGENT, "",
                  (struct tf_client){TF_CLIENT_FAMILY_CONFIGURED_DOWN, TF_CLIENT_LIKELY, TF_CLIENT_BY_HELLO,
                                     "a program with OpenSSL 1.1 or later held to old TLS"});
    assert_client(configured_down(), "Java/1.6.0_45", "",
                  (struct tf_client){TF_CLIENT_FAMILY_CONFIGURED_DOWN, TF_CLIENT_POSSIBLE, TF_CLIENT_BY_HELLO,
                                     "perhaps a program with OpenSSL 1.1 or later held to old TLS"});
}

static void a_device_with_the_hello_of_OpenSSL_is_one_with_OpenSSL_in_it(void **state)
{
    (void)state;
    assert_client(hello_of("39 38 35 16 13 a 33 32 2f 7 5 4 15 12 9 14 11 8 6 3 ff", "0 23", ""), "",
                  "BRN001BA9123456",
                  (struct tf_client){TF_CLIENT_FAMILY_EMBEDDED_OPENSSL, TF_CLIENT_CERTAIN,
                                     TF_CLIENT_BY_HELLO | TF_CLIENT_BY_GREETING,
                                     "a Brother printer or multifunction device"});
}

static void with_an_unknown_hello_words_are_a_guess(void **state)
{
    (void)state;
    assert_client(nobody(), IE8_AGENT, "",
                  (struct tf_client){TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_POSSIBLE, TF_CLIENT_BY_USER_AGENT,
                                     "perhaps Internet Explorer 8 on Windows 7"});
    assert_client(nobody(), CHROME_AGENT, "", (struct tf_client){.name = ""});
    assert_client(nobody(), "", "", (struct tf_client){.name = ""});
}

static void without_a_hello_an_agent_is_likely_and_a_name_a_guess(void **state)
{
    (void)state;
    struct tf_client client = tf_client_identify(NULL, "Java/1.6.0_45", "");
    assert_int_equal(client.family, TF_CLIENT_FAMILY_JAVA_6);
    assert_int_equal(client.certainty, TF_CLIENT_LIKELY);
    assert_string_equal(client.name, "Java 6");
    client = tf_client_identify(NULL, "", "NPI12AB9F");
    assert_int_equal(client.certainty, TF_CLIENT_POSSIBLE);
    assert_int_equal(client.evidence, TF_CLIENT_BY_GREETING);
    assert_string_equal(client.name, "perhaps an HP printer or multifunction device");
    client = tf_client_identify(NULL, "curl/8.0", "");
    assert_int_equal(client.family, TF_CLIENT_FAMILY_UNKNOWN);
    assert_string_equal(client.name, "");
}

static void nothing_is_said_of_a_healthy_client(void **state)
{
    (void)state;
    struct tf_hello hello = windows_7();
    hello.max_version = TF_TLS12;
    assert_client(hello, IE8_AGENT, "NPI12AB9F", (struct tf_client){.name = ""});
    hello.max_version = 0x7f1c; /* a draft of TLS 1.3 */
    assert_client(hello, "", "", (struct tf_client){.name = ""});
}

static void SSLv2_format_is_not_healthy_whatever_it_announces(void **state)
{
    (void)state;
    assert_client(sslv2_hello_of("3 20080 ff", TF_TLS12), "", "",
                  (struct tf_client){TF_CLIENT_FAMILY_SSLV2_HELLO_TLS12, TF_CLIENT_LIKELY, TF_CLIENT_BY_HELLO,
                                     "a TLS 1.2 client that opens with an SSLv2-format hello"});
}

static void the_agent_says_whether_a_person_is_looking(void **state)
{
    (void)state;
    struct tf_hello hello = windows_7();
    assert_true(tf_client_is_browser(&hello, IE8_AGENT, TF_CLIENT_FAMILY_UNKNOWN));
    assert_false(tf_client_is_browser(&hello, "Java/1.6.0_45", TF_CLIENT_FAMILY_IE_WIN7));
}

static void without_an_agent_the_family_or_ALPN_says_it(void **state)
{
    (void)state;
    struct tf_hello hello = windows_7();
    assert_true(tf_client_is_browser(&hello, "", TF_CLIENT_FAMILY_IE_WIN7));
    assert_true(tf_client_is_browser(NULL, "", TF_CLIENT_FAMILY_IE_WIN7));
    assert_false(tf_client_is_browser(NULL, "", TF_CLIENT_FAMILY_UNKNOWN));
    assert_false(tf_client_is_browser(&hello, "", TF_CLIENT_FAMILY_JAVA_6));
    hello.alpn = (struct tf_span){(const uint8_t *)"\4imap\x8http/1.1", 14};
    assert_true(tf_client_is_browser(&hello, "", TF_CLIENT_FAMILY_JAVA_6));
    hello.alpn = (struct tf_span){(const uint8_t *)"\2h2", 3};
    assert_true(tf_client_is_browser(&hello, "", TF_CLIENT_FAMILY_JAVA_6));
    hello.alpn = (struct tf_span){(const uint8_t *)"\4imap", 5};
    assert_false(tf_client_is_browser(&hello, "", TF_CLIENT_FAMILY_JAVA_6));
}

static void a_fingerprint_is_the_same_for_the_same_software_only(void **state)
{
    (void)state;
    struct tf_hello hello = windows_7();
    uint64_t plain = tf_client_fingerprint(&hello);
    hello = hello_of("1a1a 2f 35 5 a c013 c014 c009 c00a 32 38 13 4", "2a2a ff01 0 5 a b", "3a3a 17 18");
    assert_true(tf_client_fingerprint(&hello) == plain);
    hello = hello_of("35 2f 5 a c013 c014 c009 c00a 32 38 13 4", "ff01 0 5 a b", "17 18");
    assert_true(tf_client_fingerprint(&hello) != plain);
    hello = hello_of("2f 35 5 a c013 c014 c009 c00a 32 38 13 4", "ff01 5 0 a b", "17 18");
    assert_true(tf_client_fingerprint(&hello) != plain);
    hello = windows_7();
    hello.max_version = TF_TLS11;
    assert_true(tf_client_fingerprint(&hello) != plain);
    assert_true(tf_client_fingerprint(NULL) == 0);
}

static void every_family_is_found_by_its_slug_and_has_a_short_fix(void **state)
{
    (void)state;
    for (int i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++) {
        const struct tf_client_info *info = tf_client_info((enum tf_client_family)i);
        enum tf_client_family family = TF_CLIENT_FAMILY_UNKNOWN;
        assert_true(tf_client_family_parse(info->slug, strlen(info->slug), &family));
        assert_int_equal(family, i);
        assert_in_range(strlen(info->name), 1, TF_SIGHTING_NAME_MAX - 1); /* a report has all of it */
        assert_in_range(strlen(info->fix), 1, 160);
    }
    enum tf_client_family family;
    assert_true(tf_client_family_parse("JAVA-6", 6, &family));
    assert_false(tf_client_family_parse("java-66", 7, &family));
    assert_false(tf_client_family_parse("", 0, &family));
}

static void what_is_printed_of_certainty_and_ability(void **state)
{
    (void)state;
    assert_string_equal(tf_client_certainty_name(TF_CLIENT_NOT_KNOWN), "");
    assert_string_equal(tf_client_certainty_name(TF_CLIENT_CERTAIN), "certain");
    assert_string_equal(tf_client_ability_name(TF_CLIENT_UNABLE), "known unable");
    assert_string_equal(tf_client_ability_name(TF_CLIENT_CONFIGURABLE), "can be configured");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_hello_alone_is_likely),
        cmocka_unit_test(a_rule_alone_is_a_guess_and_says_so),
        cmocka_unit_test(hello_and_agent_that_agree_are_certain),
        cmocka_unit_test(an_agent_tells_apart_who_sends_the_same_hello),
        cmocka_unit_test(where_they_disagree_the_hello_counts_as_a_guess),
        cmocka_unit_test(a_hello_that_others_send_too_is_a_guess),
        cmocka_unit_test(software_that_does_better_may_be_held_down),
        cmocka_unit_test(a_device_with_the_hello_of_OpenSSL_is_one_with_OpenSSL_in_it),
        cmocka_unit_test(with_an_unknown_hello_words_are_a_guess),
        cmocka_unit_test(without_a_hello_an_agent_is_likely_and_a_name_a_guess),
        cmocka_unit_test(nothing_is_said_of_a_healthy_client),
        cmocka_unit_test(SSLv2_format_is_not_healthy_whatever_it_announces),
        cmocka_unit_test(the_agent_says_whether_a_person_is_looking),
        cmocka_unit_test(without_an_agent_the_family_or_ALPN_says_it),
        cmocka_unit_test(a_fingerprint_is_the_same_for_the_same_software_only),
        cmocka_unit_test(every_family_is_found_by_its_slug_and_has_a_short_fix),
        cmocka_unit_test(what_is_printed_of_certainty_and_ability),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
