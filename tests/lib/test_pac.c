/* pac.c: what may stand in [pac] proxy, and the tables of a script; and conf_check_pac.c. What browsers make
 * of them is tests/e2e/86-pac-and-metrics.py's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"
#include <stdlib.h>

static char text[8192];

static const char *tables(const struct tf_pac *pac, const struct tf_m365 *m365)
{
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_pac_tables(&w, pac, m365);
    assert_false(w.full);
    text[w.len] = '\0';
    return text;
}

static void assert_has(const char *expected)
{
    if (!strstr(text, expected))
        fail_msg("%s\nis not in:\n%s", expected, text);
}

static void assert_has_not(const char *unexpected)
{
    if (strstr(text, unexpected))
        fail_msg("%s\nis in:\n%s", unexpected, text);
}

static bool parse(const char *written, struct tf_pac_proxy *proxy)
{
    return tf_pac_proxy_parse(written, strlen(written), proxy);
}

/* --- proxies --- */

static void a_proxy_is_host_and_port_with_or_without_a_scheme(void **state)
{
    static const struct {
        const char *written;
        enum tf_pac_scheme scheme;
        const char *host;
        uint16_t port;
    } cases[] = {
        {"proxy.example:3128", TF_PAC_HTTP, "proxy.example", 3128},
        {"http://10.0.0.5:80", TF_PAC_HTTP, "10.0.0.5", 80},
        {"https://Proxy.Example:443", TF_PAC_HTTPS, "proxy.example", 443},
        {"socks5://[2001:db8::1]:1080", TF_PAC_SOCKS5, "2001:db8::1", 1080},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tf_pac_proxy proxy;
        assert_true(parse(cases[i].written, &proxy));
        assert_int_equal(proxy.scheme, cases[i].scheme);
        assert_string_equal(proxy.at.host, cases[i].host);
        assert_int_equal(proxy.at.port, cases[i].port);
    }
}

static void anything_else_is_no_proxy(void **state)
{
    static const char *const wrong[] = {"",
                                        "proxy.example",
                                        "proxy.example:0",
                                        ":3128",
                                        "10.0.0.5:3128; DIRECT",
                                        "a\"b:1",
                                        "ftp://a:1",
                                        "http://",
                                        "http://a:1/",
                                        "https://http://a:1",
                                        "PROXY a:1",
                                        "a:65536",
                                        "user:password@host:1",
                                        "2001:db8::1:80"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tf_pac_proxy proxy;
        if (parse(wrong[i], &proxy))
            fail_msg("taken for a proxy: %s", wrong[i]);
    }
}

static void a_proxy_on_this_machine_is_told_from_others(void **state)
{
    struct tf_pac_proxy proxy;
    (void)state;
    assert_true(parse("127.0.0.1:1", &proxy) && tf_pac_proxy_is_local(&proxy));
    assert_true(parse("[::1]:1", &proxy) && tf_pac_proxy_is_local(&proxy));
    assert_true(parse("localhost:1", &proxy) && tf_pac_proxy_is_local(&proxy));
    assert_true(parse("10.0.0.5:1", &proxy) && !tf_pac_proxy_is_local(&proxy));
    assert_true(parse("localhost.example:1", &proxy) && !tf_pac_proxy_is_local(&proxy));
}

static void proxies_are_written_in_the_script_s_words(void **state)
{
    struct tf_pac_proxy proxies[3];
    (void)state;
    assert_true(parse("a.example:1", &proxies[0]));
    assert_true(parse("https://b.example:2", &proxies[1]));
    assert_true(parse("socks5://[2001:db8::1]:3", &proxies[2]));
    tables(&(struct tf_pac){.proxies = proxies, .proxy_count = 3}, NULL);
    assert_has("var proxies = \"PROXY a.example:1; HTTPS b.example:2; SOCKS5 [2001:db8::1]:3\";");
    assert_has("var gateways = {\n    \"a.example\": true,\n    \"b.example\": true,\n    \"2001:db8::1\": "
               "true\n};");
}

/* --- endpoints --- */

static const struct tf_port_range web[] = {{80, 80}, {443, 443}}, mail[] = {{587, 587}, {990, 995}};
static const char *const one_name[] = {"unused"};

#define SET(number, rank, list)                                                                              \
    {                                                                                                        \
        .id = number, .category = rank, .ports = list, .port_count = 2, .names = one_name, .name_count = 1   \
    }

static const struct tf_m365_set sets[] = {
    SET(1, TF_M365_OPTIMIZE, web),
    SET(2, TF_M365_ALLOW, mail),
    SET(3, TF_M365_DEFAULT, web),
    {.id = 4, .category = TF_M365_OPTIMIZE, .names = one_name, .name_count = 1}, /* UDP only */
};

/* An index of patterns, each with the number of its set. */
static const struct tf_m365 *index_of(const struct tf_m365_entry *entries, size_t n)
{
    static struct tf_m365_entry sorted[16];
    static struct tf_m365 m365;
    assert_true(n <= 16);
    memcpy(sorted, entries, n * sizeof *entries);
    qsort(sorted, n, sizeof *sorted, tf_m365_order);
    m365 =
        (struct tf_m365){.origin = "test", .sets = sets, .set_count = 4, .entries = sorted, .entry_count = n};
    while (m365.ordered_count < n && tf_m365_is_ordered(sorted[m365.ordered_count].pattern))
        m365.ordered_count++;
    return &m365;
}

static const struct tf_m365_entry entries[] = {
    {"mail.example", &sets[1]},  {"mail.example", &sets[0]},    {"*.below.example", &sets[0]},
    {"a.*.b.example", &sets[0]}, {"a.*.b.example", &sets[1]},   {"*end.example", &sets[0]},
    {"allow.example", &sets[1]}, {"default.example", &sets[2]}, {"udp.example", &sets[3]},
    {"mail.example", &sets[2]},
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static void only_endpoints_of_the_best_category_are_direct_by_default(void **state)
{
    (void)state;
    tables(&(struct tf_pac){.direct = TF_M365_OPTIMIZE}, index_of(entries, ENTRIES));
    assert_has("var ports = {\n    1: [80, 80, 443, 443]\n};");
    assert_has("var names = {\n    \".below.example\": [1],\n    \"mail.example\": [1]\n};");
    assert_has("var endings = [\n    [\"end.example\", [1]]\n];");
    assert_has("var tenants = [\n    [\"a.\", \".b.example\", [1]]\n];");
    assert_has_not("allow.example");
    assert_has_not("default.example");
    assert_has_not("udp.example");
}

/* outlook.office365.com is Optimize on the ports of the web, and Allow on those of mail. */
static void a_name_in_several_sets_has_the_ports_of_each(void **state)
{
    (void)state;
    tables(&(struct tf_pac){.direct = TF_M365_ALLOW}, index_of(entries, ENTRIES));
    assert_has("var ports = {\n    1: [80, 80, 443, 443],\n    2: [587, 587, 990, 995]\n};");
    assert_has("\"mail.example\": [1, 2]");
    assert_has("\"allow.example\": [2]");
    assert_has("[\"a.\", \".b.example\", [1, 2]]");
    assert_has_not("default.example");
}

static void without_an_endpoint_set_the_tables_are_empty(void **state)
{
    (void)state;
    tables(&(struct tf_pac){.direct = TF_M365_OPTIMIZE}, NULL);
    assert_has("var ports = {};");
    assert_has("var names = {};");
    assert_has("var endings = [];");
    assert_has("var tenants = [];");
}

static void a_text_that_does_not_fit_is_not_written_beyond(void **state)
{
    (void)state;
    char small[300];
    memset(small, '~', sizeof small);
    for (size_t size = 0; size < 256; size++) {
        struct tf_writer w = tf_writer_of(small, size);
        tf_put_pac_tables(&w, &(struct tf_pac){.direct = TF_M365_ALLOW}, index_of(entries, ENTRIES));
        assert_true(w.full);
        assert_int_equal(small[size], '~');
    }
}

/* --- clients --- */

static void clients_are_blocks_and_those_of_ipv4_masks_too(void **state)
{
    struct tf_cidr clients[4];
    static const char *const written[] = {"10.20.0.0/14", "192.0.2.7", "2001:db8::/33", "0.0.0.0/0"};
    const char *error;
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_true(tf_cidr_parse(written[i], strlen(written[i]), &clients[i], &error));
    tables(&(struct tf_pac){.kind = TF_PAC_LEGACY, .clients = clients, .client_count = 4}, NULL);
    assert_has("var blocks = [\n    \"10.20.0.0/14\",\n    \"192.0.2.7/32\",\n    \"2001:db8::/33\",\n    "
               "\"0.0.0.0/0\"\n];");
    assert_has("var masks = [\n    [\"10.20.0.0\", \"255.252.0.0\"],\n    [\"192.0.2.7\", "
               "\"255.255.255.255\"],\n    [\"0.0.0.0\", \"0.0.0.0\"]\n];");
    assert_has_not("names");
}

/* --- settings --- */

static struct stage s;

static const struct tf_pac *loaded(const char *lines)
{
    assert_fine(&s, lines);
    return &s.conf.pac;
}

#define LISTEN(address) "[listener proxy]\nlisten = " address "\n"

static void without_a_proxy_it_is_the_first_listener_that_browsers_can_go_to(void **state)
{
    (void)state;
    const struct tf_pac *pac = loaded("[listener straight]\nlisten = 10.0.0.1:443\nkind = sni\n"
                                      "[listener any]\nlisten = *:3126\n"
                                      "[listener later]\nlisten = 0.0.0.0:3127, [2001:db8::5]:3128\n");
    assert_int_equal(pac->proxy_count, 1);
    tables(pac, NULL);
    assert_has("\"PROXY [2001:db8::5]:3128\"");
}

static void a_listener_with_tls_is_gone_to_with_tls(void **state)
{
    (void)state;
    tables(loaded(LISTEN("10.0.0.5:3129") "tls = on\ncertificate = c.pem\n"), NULL);
    assert_has("\"HTTPS 10.0.0.5:3129\"");
}

static void what_nobody_asks_for_is_not_missed(void **state)
{
    (void)state;
    assert_int_equal(loaded(LISTEN("*:3128"))->proxy_count, 0);
    assert_int_equal(loaded(LISTEN("127.0.0.1:0"))->proxy_count, 0);
    assert_int_equal(loaded(LISTEN("127.0.0.1:3128"))->proxy_count, 1);
}

static void a_file_that_is_asked_for_needs_a_proxy(void **state)
{
    (void)state;
    assert_refused(&s, LISTEN("*:3128") "[pac]\ndirect = allow\n",
                   "error t.ini:4: [pac] has no proxy, and no listener of kind connect is at an address that "
                   "browsers could go to; write proxy = HOST:PORT\n");
    assert_said(
        &s, LISTEN("127.0.0.1:3128") "[pac]\ndirect = allow\n",
        "warning t.ini:4: [pac] has no proxy, and the listener of kind connect is at 127.0.0.1, where");
    loaded(LISTEN("*:3128") "[pac]\ndirect = allow\nproxy = proxy.example:3128, https://10.0.0.5:1\n");
    assert_refused(&s, STAGE_LISTENER "[pac]\nproxy = proxy.example\n",
                   "error t.ini:4: [pac] proxy: proxy.example is no proxy; write a list of HOST:PORT, ");
}

static void kind_legacy_and_clients_need_each_other(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[pac]\nproxy = p.example:1\nkind = legacy\n",
                   "error t.ini:5: [pac] has kind but no clients; write the addresses and blocks");
    assert_said(&s, STAGE_LISTENER "[pac]\nproxy = p.example:1\nclients = 10.0.0.0/8\n",
                "warning t.ini:5: [pac] has clients but no kind; write kind = legacy, or leave them out\n");
    assert_said(&s,
                STAGE_LISTENER
                "[pac]\nproxy = p.example:1\nkind = legacy\nclients = 10.0.0.0/8\ndirect = allow\n",
                "warning t.ini:7: [pac] direct is of no use with kind = legacy");
    assert_int_equal(
        loaded(STAGE_LISTENER "[pac]\nproxy = p.example:1\nkind = legacy\nclients = 10.0.0.0/8, ::1\n")
            ->client_count,
        2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_is_host_and_port_with_or_without_a_scheme),
        cmocka_unit_test(anything_else_is_no_proxy),
        cmocka_unit_test(a_proxy_on_this_machine_is_told_from_others),
        cmocka_unit_test(proxies_are_written_in_the_script_s_words),
        cmocka_unit_test(only_endpoints_of_the_best_category_are_direct_by_default),
        cmocka_unit_test(a_name_in_several_sets_has_the_ports_of_each),
        cmocka_unit_test(without_an_endpoint_set_the_tables_are_empty),
        cmocka_unit_test(a_text_that_does_not_fit_is_not_written_beyond),
        cmocka_unit_test(clients_are_blocks_and_those_of_ipv4_masks_too),
        cmocka_unit_test(without_a_proxy_it_is_the_first_listener_that_browsers_can_go_to),
        cmocka_unit_test(a_listener_with_tls_is_gone_to_with_tls),
        cmocka_unit_test(what_nobody_asks_for_is_not_missed),
        cmocka_unit_test(a_file_that_is_asked_for_needs_a_proxy),
        cmocka_unit_test(kind_legacy_and_clients_need_each_other),
    };
    return cmocka_run_group_tests_name("pac", tests, NULL, NULL);
}
