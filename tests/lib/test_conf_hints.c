/* conf_hints.c: what is written by mistake is named, with what is likely meant. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"
#include <stdio.h>

static struct stage s;

/* The value is refused with one error, which begins and ends so. */
static void assert_hint(const char *section, const char *key, const char *value, const char *expected)
{
    char lines[512], whole[512];
    snprintf(lines, sizeof lines, STAGE_LISTENER "%s\n%s = %s\n", section, key, value);
    snprintf(whole, sizeof whole, ": %s\n", expected);
    assert_refused(&s, lines, whole);
    assert_int_equal(s.load.errors, 1);
}

static void addresses_to_listen_on_are_completed(void **state)
{
    static const char *const rows[][2] = {
        {"3128", "a port alone is not enough; write 127.0.0.1:3128, or *:3128 for every address"},
        {"99999", "99999 is no port (1 to 65535)"},
        {"0", "0 is no port (1 to 65535)"},
        {"127.0.0.1:99999", "99999 is no port (1 to 65535)"},
        {"[::1]:65536", "65536 is no port (1 to 65535)"},
        {"localhost:3128", "localhost is a name; write its address, 127.0.0.1:3128"},
        {"proxy.example:3128", "proxy.example is a name; write its address, such as 10.0.0.5:3128"},
        {"::1:3128", "an IPv6 address needs brackets in front of a port; write [::1]:3128"},
        {"1:2:3:4:5:6:7:8:3128",
         "an IPv6 address needs brackets in front of a port; write [1:2:3:4:5:6:7:8]:3128"},
        {"127.0.0.1", "127.0.0.1 has no port; write 127.0.0.1:PORT"},
        {"2001:db8:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1 has no port; write [2001:db8::1]:PORT"},
        {"[::1]", "[::1] has no port; write [::1]:PORT"},
        {"10.0.0.300:1", "10.0.0.300:1 is no address and port; write a list of ADDRESS:PORT"},
        {"http://127.0.0.1:3128",
         "http://127.0.0.1:3128 is no address and port; write a list of ADDRESS:PORT"},
        {":", ": is no address and port; write a list of ADDRESS:PORT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_hint("[listener x]", "listen", rows[i][0], rows[i][1]);
    assert_hint("[admin]", "listen", "9180",
                "a port alone is not enough; write 127.0.0.1:9180, or *:9180 for every address");
    assert_hint("[admin]", "listen", "on", "on is no address and port; write ADDRESS:PORT or off");
}

static void a_hint_in_a_list_is_about_its_entry_alone(void **state)
{
    (void)state;
    assert_hint("[listener x]", "listen", "127.0.0.1:1, ::1:2, 127.0.0.1:3",
                "an IPv6 address needs brackets in front of a port; write [::1]:2");
}

static void blocks_are_cut_to_their_prefix(void **state)
{
    static const char *const rows[][2] = {
        {"10.20.0.7/16",
         "10.20.0.7/16 has bits set behind the prefix length; write 10.20.0.0/16, or 10.20.0.7"},
        {"10.20.255.7/17",
         "10.20.255.7/17 has bits set behind the prefix length; write 10.20.128.0/17, or 10.20.255.7"},
        {"10.255.0.1/15",
         "10.255.0.1/15 has bits set behind the prefix length; write 10.254.0.0/15, or 10.255.0.1"},
        {"10.0.0.1/0", "10.0.0.1/0 has bits set behind the prefix length; write 0.0.0.0/0, or 10.0.0.1"},
        {"2001:db8::1/32",
         "2001:db8::1/32 has bits set behind the prefix length; write 2001:db8::/32, or 2001:db8::1"},
        {"10.0.0.0/33", "the prefix length of 10.0.0.0/33 is not 0 to 32"},
        {"10.0.0.0/", "the prefix length of 10.0.0.0/ is not 0 to 32"},
        {"::/129", "the prefix length of ::/129 is not 0 to 128"},
        {"10.0.0.300", "10.0.0.300 is neither an IP address nor a block such as 10.0.0.0/8"},
        {"10.0.0.300/8", "10.0.0.300/8 is neither an IP address nor a block such as 10.0.0.0/8"},
    };
    static const char *const keys[][2] = {{"[rule x]\naction = block", "source"},
                                          {"[rule x]\naction = block", "destination"},
                                          {"[access]", "source"},
                                          {"[access]", "destination"}};
    (void)state;
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            assert_hint(keys[k][0], keys[k][1], rows[i][0], rows[i][1]);
}

static void words_of_other_programs_are_translated(void **state)
{
    static const char *const everything[] = {"any", "all", "*"};
    char expected[256];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(expected, sizeof expected, "%s is no class; for everybody: 0.0.0.0/0, ::/0", everything[i]);
        assert_hint("[access]", "source", everything[i], expected);
        snprintf(expected, sizeof expected, "%s is no class; for servers anywhere: public, private",
                 everything[i]);
        assert_hint("[access]", "destination", everything[i], expected);
        snprintf(expected, sizeof expected, "%s is no block; for everybody: 0.0.0.0/0, ::/0", everything[i]);
        assert_hint("[rule x]\naction = block", "source", everything[i], expected);
        snprintf(expected, sizeof expected, "%s is no port (1 to 65535); for every port, write 1-65535",
                 everything[i]);
        assert_hint("[access]", "port", everything[i], expected);
    }
    assert_hint("[rule x]", "action", "allow",
                "there is no such choice; tunnel keeps the floor; monitor lets everything pass");
    assert_hint("[rule x]", "action", "deny", "there is no such choice; write block");
    assert_hint("[rule x]", "action", "bump", "there is no such choice; write upgrade");
    assert_hint("[rule x]", "action", "maybe",
                "there is no such choice; write tunnel, upgrade, block or monitor");
}

static void words_for_ways_in_are_translated(void **state)
{
    static const char *const rows[][3] = {
        {"kind", "http", "write connect"},
        {"kind", "socks5h", "write socks5; SOCKS version 4 is not served"},
        {"kind", "tproxy", "write transparent; intercept says how"},
        {"kind", "reverse", "write forward"},
        {"kind", "smtp", "write forward, and protocol = in a line of its own"},
        {"protocol", "https", "write tls; HTTPS is TLS"},
        {"protocol", "smtps", "write smtp; with port 465 in upstream it is TLS at once"},
        {"protocol", "imaps", "write imap; with port 993 in upstream it is TLS at once"},
        {"protocol", "pop3s", "write pop3; with port 995 in upstream it is TLS at once"},
        {"client_tls", "on", "for TLS at once, write implicit"},
        {"client_tls", "off", "write none"},
        {"client_tls", "required", "write starttls"},
        {"client_tls", "may", "write optional"},
        {"server_tls", "off",
         "forced is the safe one; opportunistic takes plain text where the server has no STARTTLS"},
        {"server_tls", "required", "write forced"},
        {"send_proxy", "on", "write v1 or v2"},
        {"bridge", "oauth2", "write xoauth2"},
        {"tls", "yes", "write off or on"},
    };
    char expected[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(expected, sizeof expected, "there is no such choice; %s", rows[i][2]);
        assert_hint("[listener x]\nlisten = *:1", rows[i][0], rows[i][1], expected);
    }
}

static void classes_are_suggested_or_listed(void **state)
{
    (void)state;
    assert_hint("[access]", "source", "privat",
                "privat is no class, address or block; did you mean private?");
    assert_hint("[access]", "source", "internal",
                "internal is no class, address or block; the classes are public, loopback, private, "
                "link-local, metadata, shared, documentation, benchmark, multicast, mapped, nat64, 6to4, "
                "teredo, unspecified, reserved");
}

static void destinations_are_reduced_to_names(void **state)
{
    static const char *const rows[][2] = {
        {"http://foo.com/", "http://foo.com/ is more than a name; write the name alone: foo.com"},
        {"https://Foo.com:8443/a/b",
         "https://Foo.com:8443/a/b is more than a name; write the name alone: foo.com"},
        {"https://foo.com", "https://foo.com is more than a name; write the name alone: foo.com"},
        {"foo.com/x", "foo.com/x is more than a name; write the name alone: foo.com"},
        {"foo.com:443",
         "foo.com:443 has a port; the port has a key of its own: write foo.com here, and port = 443"},
        {"*.foo.com:443",
         "*.foo.com:443 has a port; the port has a key of its own: write *.foo.com here, and port = 443"},
        {"10.0.0.1:443",
         "10.0.0.1:443 has a port; the port has a key of its own: write 10.0.0.1 here, and port = 443"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_hint("[rule x]\naction = block", "destination", rows[i][0], rows[i][1]);
    assert_hint("[rule x]\naction = block", "destination", "a!b",
                "a!b: the host has a character that no host name can have; write a list of names, *.suffix, "
                "*, @m365 sets, addresses and blocks");
}

static void urls_of_servers_are_reduced_to_host_and_port(void **state)
{
    static const char more[] = "this is more than a host and a port; write ";
    static const char *const rows[][3] = {
        {"proxy", "http://10.0.0.9:8080/", "10.0.0.9:8080"},
        {"proxy", "https://Proxy.example/", "proxy.example:PORT"},
        {"upstream", "https://foo.com/owa", "foo.com"},
        {"upstream", "smtp://foo.com:587", "foo.com:587"},
        {"upstream", "https://[2001:db8::1]:8443/", "[2001:db8::1]:8443"},
    };
    char expected[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_proxy = strcmp(rows[i][0], "proxy") == 0;
        snprintf(expected, sizeof expected, "%s%s", more, rows[i][2]);
        assert_hint(is_proxy ? "[upstream]" : "[listener x]\nlisten = *:1\nkind = forward", rows[i][0],
                    rows[i][1], expected);
    }
}

static void what_may_be_a_password_is_not_repeated(void **state)
{
    static const char *const rows[][3] = {
        {"[upstream]", "proxy", "http://anna:s3cret@127.0.0.1:8080/"},
        {"[upstream]", "proxy", "anna:s3cret@p.example:8080"},
        {"[upstream]", "proxy", "http://anna:s3/cret@p.example:8080/"},
        {"[listener x]\nlisten = *:1\nkind = forward", "upstream", "anna:s3cret@foo.com"},
        {"[rule x]\naction = block", "destination", "https://anna:s3cret@foo.com/"},
        {"[rule x]\naction = block", "destination", "https://anna:s3cret@fo!o/"},
        {"[rule x]\naction = block", "destination", "anna:s3/cret@foo.com"},
    };
    char lines[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(lines, sizeof lines, STAGE_LISTENER "%s\n%s = %s\n", rows[i][0], rows[i][1], rows[i][2]);
        assert_refused(&s, lines, rows[i][1]);
        if (strstr(s.text, "s3"))
            fail_msg("%s", s.text);
    }
    assert_hint(
        "[upstream]", "proxy", rows[0][2],
        "this is more than a host and a port; write 127.0.0.1:8080; the user goes into proxy_user, and "
        "the password into proxy_password_file's file");
}

static void sets_are_suggested_or_listed(void **state)
{
    static const char list[] = " is no set; write @m365, or @m365: with Common, Exchange, SharePoint, Teams, "
                               "Intune, optimize, allow or default behind it";
    static const char *const rows[][2] = {
        {"@m365:Exchnge", "@m365:Exchnge is no set; did you mean @m365:Exchange?"},
        {"@m365:optimise", "@m365:optimise is no set; did you mean @m365:optimize?"},
        {"@n365", "@n365 is no set; did you mean @m365?"},
        {"@m365:", "@m365: is no set; did you mean @m365?"},
    };
    char expected[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_hint("[rule x]\naction = block", "destination", rows[i][0], rows[i][1]);
    for (size_t i = 0; i < 2; i++) {
        static const char *const others[] = {"@", "@everybody:else"};
        snprintf(expected, sizeof expected, "%s%s", others[i], list);
        assert_hint("[rule x]\naction = block", "destination", others[i], expected);
    }
}

static void patterns_of_hosts_are_reduced_to_names(void **state)
{
    static const char wrong[] =
        " is no name or pattern of names; write a list of names, *.suffix, *suffix and "
        "prefix.*.suffix";
    static const char *const values[] = {"a!b", "*", "10.0.0.1", "a.*.*", "a:443", "*.*.b", "b*"};
    char expected[256];
    (void)state;
    assert_hint("[m365]", "never_terminate", "https://Foo.com/x",
                "https://Foo.com/x is more than a name; write the name alone: foo.com");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        snprintf(expected, sizeof expected, "%s%s", values[i], wrong);
        assert_hint("[m365]", "stay_plain", values[i], expected);
    }
}

static void units_are_converted_to_seconds(void **state)
{
    static const char *const rows[][2] = {
        {"10s", "10"}, {"5 min", "300"}, {"500ms", "0.5"}, {"1h", "3600"}, {"2 days", "172800"}};
    char expected[128];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(expected, sizeof expected, "seconds have no unit here; write %s", rows[i][1]);
        assert_hint("[limits]", "hello_s", rows[i][0], expected);
    }
    assert_hint("[limits]", "hello_s", "s",
                "not a number of seconds with up to three decimals; write seconds, 0.1 to 600");
    assert_hint("[limits]", "hello_s", "99999999999s",
                "not a number of seconds with up to three decimals; write seconds, 0.1 to 600");
}

static void long_entries_are_cut(void **state)
{
    static char value[4000];
    char expected[160] = "";
    (void)state;
    memset(value, '1', sizeof value - 1);
    memset(expected, '1', 80);
    strcat(expected, "... is neither an IP address nor a block such as 10.0.0.0/8");
    static char lines[5000];
    snprintf(lines, sizeof lines, STAGE_LISTENER "[access]\nsource = %s\n", value);
    assert_refused(&s, lines, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_to_listen_on_are_completed),
        cmocka_unit_test(a_hint_in_a_list_is_about_its_entry_alone),
        cmocka_unit_test(blocks_are_cut_to_their_prefix),
        cmocka_unit_test(words_of_other_programs_are_translated),
        cmocka_unit_test(words_for_ways_in_are_translated),
        cmocka_unit_test(classes_are_suggested_or_listed),
        cmocka_unit_test(destinations_are_reduced_to_names),
        cmocka_unit_test(urls_of_servers_are_reduced_to_host_and_port),
        cmocka_unit_test(what_may_be_a_password_is_not_repeated),
        cmocka_unit_test(sets_are_suggested_or_listed),
        cmocka_unit_test(patterns_of_hosts_are_reduced_to_names),
        cmocka_unit_test(units_are_converted_to_seconds),
        cmocka_unit_test(long_entries_are_cut),
    };
    return cmocka_run_group_tests_name("conf_hints", tests, NULL, NULL);
}
