/* m365.c: patterns, filters, and which set a name and a port belong to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/host.h"
#include "../../lib/m365.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool matches(const char *pattern, const char *host)
{
    return tf_m365_name_matches(pattern, host, strlen(host));
}

static void every_form_of_pattern_matches_what_it_says(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool matches;
    } rows[] = {
        {"smtp.office365.com", "smtp.office365.com", true},
        {"smtp.office365.com", "a.smtp.office365.com", false},
        {"smtp.office365.com", "office365.com", false},
        {"*.protection.outlook.com", "a.protection.outlook.com", true},
        {"*.protection.outlook.com", "a.mail.protection.outlook.com", true},
        {"*.protection.outlook.com", "protection.outlook.com", false},
        {"*.protection.outlook.com", ".protection.outlook.com", false},
        {"*.protection.outlook.com", "aprotection.outlook.com", false},
        {"*cdn.onenote.net", "cdn.onenote.net", true},
        {"*cdn.onenote.net", "site-cdn.onenote.net", true},
        {"*cdn.onenote.net", "a.cdn.onenote.net", true},
        {"*cdn.onenote.net", "onenote.net", false},
        {"*-my.sharepoint.com", "contoso-my.sharepoint.com", true},
        {"*-my.sharepoint.com", "my.sharepoint.com", false},
        {"autodiscover.*.onmicrosoft.com", "autodiscover.contoso.onmicrosoft.com", true},
        {"autodiscover.*.onmicrosoft.com", "autodiscover.a.mail.onmicrosoft.com", false},
        {"autodiscover.*.onmicrosoft.com", "autodiscover..onmicrosoft.com", false},
        {"autodiscover.*.onmicrosoft.com", "autodiscover.onmicrosoft.com", false},
        {"autodiscover.*.onmicrosoft.com", "x.autodiscover.a.onmicrosoft.com", false},
        {"autodiscover.*.onmicrosoft.com", "autodiscovers.a.onmicrosoft.com", false},
        {"autodiscover.*.mail.onmicrosoft.com", "autodiscover.a.mail.onmicrosoft.com", true},
        /* no forms at all */
        {"*", "a.example", false},
        {"*.", "a.", false},
        {"*com", "example.com", false},
        {"", "", false},
        {"*.*.example", "a.b.example", false},
        {"a.*.b.*.example", "a.x.b.y.example", false},
        {"a*.example", "ab.example", false},
        {"ab*.example", "abc.example", false},
        {".*.example", ".a.example", false},
        {"a.*", "a.example", false},
        {"a.*b.example", "a.xb.example", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (matches(rows[i].pattern, rows[i].host) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].host);
}

static void case_and_a_final_dot_of_the_host_do_not_count(void **state)
{
    static const char *const patterns[] = {"a.b.example", "*.b.example", "*b.example", "a.*.example"};
    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        assert_true(matches(patterns[i], "A.b.Example."));
        assert_false(matches(patterns[i], "A.b.Example.."));
    }
}

static void a_host_is_not_read_behind_its_end(void **state)
{
    (void)state;
    assert_true(tf_m365_name_matches("*.example", "a.example.net", strlen("a.example")));
    assert_false(tf_m365_name_matches("a.*.example", "a.b.example", strlen("a.b")));
}

/* In memory of its own size, so that a sanitizer sees a read behind the end. */
static bool is_pattern(const char *text)
{
    size_t n = strlen(text);
    char *exact = malloc(n + 1);
    memcpy(exact + 1, text, n);
    bool is = tf_m365_is_pattern(exact + 1, n);
    free(exact);
    return is;
}

static void of_several_patterns_the_first_that_matches_is_told(void **state)
{
    static const char *const patterns[] = {"a.test", "*.b.test", "x.b.test"};
    (void)state;
    assert_ptr_equal(tf_m365_names_match(patterns, COUNT(patterns), "A.test"), patterns[0]);
    assert_ptr_equal(tf_m365_names_match(patterns, COUNT(patterns), "x.b.test"), patterns[1]);
    assert_null(tf_m365_names_match(patterns, COUNT(patterns), "b.test"));
    assert_null(tf_m365_names_match(NULL, 0, "a.test"));
}

static void patterns_are_lower_case_names_with_at_most_one_star(void **state)
{
    static const char *const good[] = {"a.example",      "*.a.example",   "*a.example",
                                       "*-my.a.example", "a.*.example",   "xn--bcher-kva.example",
                                       "*.microsoft",    "_dmarc.example"};
    static const char *const bad[] = {"",
                                      "*",
                                      "*.",
                                      "*com",
                                      "**.example",
                                      "*.*.example",
                                      "a.*",
                                      "a*.example",
                                      "*.a..b",
                                      "A.example",
                                      "a.example.",
                                      "a b.example",
                                      "b\303\274cher.example",
                                      "1.2.3.4",
                                      "*.2.3.4",
                                      "::1",
                                      "https://a.example",
                                      "a.example/x",
                                      "a.example:443",
                                      "-a.example",
                                      "*.-a.example",
                                      "."};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!is_pattern(good[i]))
            fail_msg("%s is refused", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (is_pattern(bad[i]))
            fail_msg("%s is taken", bad[i]);
}

static void a_pattern_is_no_longer_than_a_name(void **state)
{
    char longest[254];
    (void)state;
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 50 == 49 ? '.' : 'a';
    assert_true(tf_m365_is_pattern(longest, 253));
    assert_false(tf_m365_is_pattern(longest, 254));
}

/* A small set with the peculiarities of the real one. */
static const struct tf_port_range web[] = {{80, 80}, {443, 443}},
                                  mail[] = {{143, 143}, {587, 587}, {993, 993}}, tls[] = {{443, 443}},
                                  range[] = {{50000, 50059}};

static const char *const outlook[] = {"outlook.office365.com", "outlook.office.com"};
static const char *const smtp[] = {"outlook.office365.com", "smtp.office365.com"};
static const char *const common[] = {"*.office365.com", "www.crl.example"};
static const char *const later[] = {"other.office365.com"};
static const char *const media[] = {"*.media.example"};
static const char *const odd[] = {"*cdn.onenote.example", "autodiscover.*.tenant.example",
                                  "*.tenant.example"};
static const char *const revocation[] = {"www.crl.example", "*.crl.example"};
static const char *const silent[] = {"udp.example"};

#define V4(a, b, c, d, n)                                                                                    \
    {                                                                                                        \
        .base = {.family = TF_FAMILY_V4, .ip = {a, b, c, d}}, .bits = n                                      \
    }
#define V6(a, b, c, d, n)                                                                                    \
    {                                                                                                        \
        .base = {.family = TF_FAMILY_V6, .ip = {a, b, c, d}}, .bits = n                                      \
    }

static const struct tf_cidr outlook_blocks[] = {V4(40, 96, 0, 0, 13), V6(0x26, 0x03, 0x10, 0x06, 40)};
static const struct tf_cidr smtp_blocks[] = {V6(0x26, 0x03, 0x10, 0x06, 40), V4(40, 96, 0, 0, 13),
                                             V4(52, 96, 0, 0, 14)};
static const struct tf_cidr common_blocks[] = {V4(40, 97, 0, 0, 16), V4(20, 190, 128, 0, 18)};
static const struct tf_cidr silent_blocks[] = {V4(20, 190, 128, 0, 18), V4(52, 112, 0, 0, 14)};

#define BLOCKS(list) .blocks = list, .block_count = COUNT(list)
#define NAMES(list)  .names = list, .name_count = COUNT(list)
#define PORTS(list)  .ports = list, .port_count = COUNT(list)

static const struct tf_m365_set sets[] = {
    {.id = 78,
     .area = TF_M365_COMMON,
     .category = TF_M365_DEFAULT,
     PORTS(web),
     NAMES(common),
     BLOCKS(common_blocks)},
    {.id = 2,
     .area = TF_M365_EXCHANGE,
     .category = TF_M365_ALLOW,
     PORTS(mail),
     NAMES(smtp),
     BLOCKS(smtp_blocks)},
    {.id = 1,
     .area = TF_M365_EXCHANGE,
     .category = TF_M365_OPTIMIZE,
     PORTS(web),
     NAMES(outlook),
     BLOCKS(outlook_blocks)},
    {.id = 11, .area = TF_M365_SKYPE, .category = TF_M365_OPTIMIZE, PORTS(range), NAMES(media)},
    {.id = 51, .area = TF_M365_COMMON, .category = TF_M365_DEFAULT, PORTS(tls), NAMES(odd)},
    {.id = 125,
     .area = TF_M365_COMMON,
     .category = TF_M365_DEFAULT,
     .stays_plain = true,
     PORTS(web),
     NAMES(revocation)},
    {.id = 126,
     .area = TF_M365_COMMON,
     .category = TF_M365_DEFAULT,
     PORTS(web),
     NAMES(later),
     BLOCKS(common_blocks)},
    {.id = 165, .area = TF_M365_MEM, .category = TF_M365_ALLOW, NAMES(silent), BLOCKS(silent_blocks)},
};

static struct tf_m365_entry entries[32];

static struct tf_m365 index_of_sets(void)
{
    struct tf_m365 m365 = {.sets = sets, .set_count = COUNT(sets), .entries = entries};
    for (size_t i = 0; i < COUNT(sets); i++) {
        for (size_t k = 0; k < sets[i].name_count; k++) {
            entries[m365.entry_count++] = (struct tf_m365_entry){sets[i].names[k], &sets[i]};
            m365.ordered_count += tf_m365_is_ordered(sets[i].names[k]);
        }
    }
    qsort(entries, m365.entry_count, sizeof *entries, tf_m365_order);
    return m365;
}

static const struct tf_m365_filter *filter_of(const char *text, struct tf_m365_filter *filter)
{
    if (!text)
        return NULL;
    assert_true(tf_m365_filter_parse(text, strlen(text), filter));
    return filter;
}

/* The id of the set, 0 for none. */
static unsigned find(const char *host, uint16_t port, const char *filter)
{
    struct tf_m365 m365 = index_of_sets();
    struct tf_m365_filter f;
    const struct tf_m365_set *set = tf_m365_find(&m365, host, port, filter_of(filter, &f));
    return set ? set->id : 0;
}

/* Likewise, for an address. */
static unsigned find_address(const char *text, uint16_t port, const char *filter)
{
    struct tf_m365 m365 = index_of_sets();
    struct tf_m365_filter f;
    struct tf_addr address;
    assert_true(tf_addr_parse(text, strlen(text), &address));
    address.port = 1; /* which must not count */
    const struct tf_m365_set *set = tf_m365_find_address(&m365, &address, port, filter_of(filter, &f));
    return set ? set->id : 0;
}

static void the_index_has_its_odd_forms_last(void **state)
{
    (void)state;
    struct tf_m365 m365 = index_of_sets();
    assert_int_equal(m365.entry_count - m365.ordered_count, 2);
    for (size_t i = 0; i < m365.entry_count; i++)
        assert_int_equal(tf_m365_is_ordered(m365.entries[i].pattern), i < m365.ordered_count);
}

static void one_name_is_in_another_set_on_another_port(void **state)
{
    (void)state;
    assert_int_equal(find("outlook.office365.com", 443, NULL), 1);
    assert_int_equal(find("outlook.office365.com", 587, NULL), 2);
    assert_int_equal(find("outlook.office365.com", 25, NULL), 0);
}

static void the_best_category_counts(void **state)
{
    (void)state;
    assert_int_equal(find("outlook.office365.com", 80, NULL), 1); /* and 78, by *.office365.com */
    assert_int_equal(find("other.office365.com", 80, NULL), 78);
    assert_int_equal(find("office365.com", 80, NULL), 0);
}

static void ranges_of_ports_have_both_their_ends(void **state)
{
    (void)state;
    assert_int_equal(find("a.media.example", 49999, NULL), 0);
    assert_int_equal(find("a.media.example", 50000, NULL), 11);
    assert_int_equal(find("a.media.example", 50059, NULL), 11);
    assert_int_equal(find("a.media.example", 50060, NULL), 0);
}

static void a_set_without_tcp_ports_matches_nothing(void **state)
{
    (void)state;
    assert_int_equal(find("udp.example", 443, NULL), 0);
    assert_int_equal(find("udp.example", 0, NULL), 0);
}

static void suffixes_are_found_at_every_depth(void **state)
{
    (void)state;
    assert_int_equal(find("a.b.c.d.e.media.example", 50000, NULL), 11);
    assert_int_equal(find("media.example", 50000, NULL), 0);
    assert_int_equal(find(".media.example", 50000, NULL), 0);
}

static void odd_forms_are_found(void **state)
{
    (void)state;
    assert_int_equal(find("cdn.onenote.example", 443, NULL), 51);
    assert_int_equal(find("site-cdn.onenote.example", 443, NULL), 51);
    assert_int_equal(find("autodiscover.contoso.tenant.example", 443, NULL), 51);
    assert_int_equal(find("onenote.example", 443, NULL), 0);
}

static void any_spelling_of_a_host_is_found(void **state)
{
    char longer[600];
    (void)state;
    assert_int_equal(find("OUTLOOK.office365.COM.", 443, NULL), 1);
    assert_int_equal(find("CDN.onenote.example.", 443, NULL), 51);
    assert_int_equal(find("", 443, NULL), 0);
    assert_int_equal(find(".", 443, NULL), 0);
    memset(longer, 'a', sizeof longer);
    strcpy(longer + sizeof longer - sizeof ".office365.com", ".office365.com");
    assert_int_equal(find(longer, 443, NULL), 0);
    strcpy(longer + (TF_HOST_MAX - 1) - strlen(".office365.com"), ".office365.com");
    assert_int_equal(find(longer, 443, NULL), 78);
}

static void a_category_is_compared_with_the_best_of_all(void **state)
{
    (void)state;
    assert_int_equal(find("outlook.office365.com", 443, "m365:optimize"), 1);
    assert_int_equal(find("outlook.office365.com", 443, "m365:default"), 0);
    assert_int_equal(find("outlook.office365.com", 587, "m365:allow"), 2);
    assert_int_equal(find("other.office365.com", 443, "m365:default"), 78);
}

static void an_area_is_compared_with_any_that_matches(void **state)
{
    (void)state;
    assert_int_equal(find("outlook.office365.com", 443, "m365:Exchange"), 1);
    assert_int_equal(find("outlook.office365.com", 443, "m365:Common"), 78);
    assert_int_equal(find("outlook.office365.com", 443, "m365:Teams"), 0);
    assert_int_equal(find("outlook.office365.com", 443, "m365"), 1);
}

static void among_equals_the_set_that_stays_plain_counts(void **state)
{
    (void)state;
    assert_int_equal(find("www.crl.example", 80, NULL), 125); /* 78 is the first of the file */
    assert_int_equal(find("www.crl.example", 80, "m365:Common"), 125);
}

static void among_equals_the_first_of_the_file_counts(void **state)
{
    (void)state;
    assert_int_equal(find("other.office365.com", 443, NULL), 78); /* 126 is looked at before */
}

static void one_address_is_in_another_set_on_another_port(void **state)
{
    (void)state;
    assert_int_equal(find_address("40.103.255.255", 443, NULL), 1);
    assert_int_equal(find_address("40.103.255.255", 587, NULL), 2);
    assert_int_equal(find_address("40.103.255.255", 25, NULL), 0);
    assert_int_equal(find_address("40.104.0.0", 443, NULL), 0);
    assert_int_equal(find_address("2603:1006:ff:ffff::1", 443, NULL), 1);
    assert_int_equal(find_address("2603:1006:100::", 443, NULL), 0);
    assert_int_equal(find_address("::ffff:40.103.255.255", 443, NULL), 0);
}

static void the_best_category_counts_by_address_too(void **state)
{
    (void)state;
    assert_int_equal(find_address("40.97.0.1", 443, NULL), 1);     /* and 78 */
    assert_int_equal(find_address("20.190.128.1", 443, NULL), 78); /* and 126 behind it */
    assert_int_equal(find_address("52.112.0.1", 443, NULL), 0);    /* no TCP at all */
}

static void filters_hold_by_address_too(void **state)
{
    (void)state;
    assert_int_equal(find_address("40.97.0.1", 443, "m365"), 1);
    assert_int_equal(find_address("40.97.0.1", 443, "m365:optimize"), 1);
    assert_int_equal(find_address("40.97.0.1", 443, "m365:default"), 0);
    assert_int_equal(find_address("40.97.0.1", 443, "m365:Common"), 78);
    assert_int_equal(find_address("40.97.0.1", 443, "m365:Teams"), 0);
}

static void a_set_tells_by_which_block_it_has_an_address(void **state)
{
    struct tf_addr address;
    (void)state;
    assert_true(tf_addr_parse("40.96.0.1", strlen("40.96.0.1"), &address));
    assert_ptr_equal(tf_m365_block(&sets[1], &address), &smtp_blocks[1]);
    assert_null(tf_m365_block(&sets[0], &address));
}

static void filters_are_read_in_any_case(void **state)
{
    static const char *const rows[][2] = {
        {"m365", ""},
        {"M365", ""},
        {"m365:exchange", "Exchange"},
        {"m365:COMMON", "Common"},
        {"m365:SharePoint", "SharePoint"},
        {"m365:skype", "Skype"},
        {"m365:teams", "Skype"},
        {"m365:mem", "MEM"},
        {"m365:Intune", "MEM"},
        {"m365:optimize", "Optimize"},
        {"m365:Allow", "Allow"},
        {"m365:DEFAULT", "Default"},
    };
    static const char *const bad[] = {
        "", "m36", "m3655", "m365:", "m365:other", "m365:x", "m365:exchange:", "m365 ", ":"};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_m365_filter filter;
        const char *name = "";
        assert_true(tf_m365_filter_parse(rows[i][0], strlen(rows[i][0]), &filter));
        assert_false(filter.by_area && filter.by_category);
        if (filter.by_area)
            name = tf_m365_area_name(filter.area);
        if (filter.by_category)
            name = tf_m365_category_name(filter.category);
        assert_string_equal(name, rows[i][1]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tf_m365_filter filter;
        if (tf_m365_filter_parse(bad[i], strlen(bad[i]), &filter))
            fail_msg("%s is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_pattern_matches_what_it_says),
        cmocka_unit_test(case_and_a_final_dot_of_the_host_do_not_count),
        cmocka_unit_test(a_host_is_not_read_behind_its_end),
        cmocka_unit_test(of_several_patterns_the_first_that_matches_is_told),
        cmocka_unit_test(patterns_are_lower_case_names_with_at_most_one_star),
        cmocka_unit_test(a_pattern_is_no_longer_than_a_name),
        cmocka_unit_test(the_index_has_its_odd_forms_last),
        cmocka_unit_test(one_name_is_in_another_set_on_another_port),
        cmocka_unit_test(the_best_category_counts),
        cmocka_unit_test(ranges_of_ports_have_both_their_ends),
        cmocka_unit_test(a_set_without_tcp_ports_matches_nothing),
        cmocka_unit_test(suffixes_are_found_at_every_depth),
        cmocka_unit_test(odd_forms_are_found),
        cmocka_unit_test(any_spelling_of_a_host_is_found),
        cmocka_unit_test(a_category_is_compared_with_the_best_of_all),
        cmocka_unit_test(an_area_is_compared_with_any_that_matches),
        cmocka_unit_test(among_equals_the_set_that_stays_plain_counts),
        cmocka_unit_test(among_equals_the_first_of_the_file_counts),
        cmocka_unit_test(one_address_is_in_another_set_on_another_port),
        cmocka_unit_test(the_best_category_counts_by_address_too),
        cmocka_unit_test(filters_hold_by_address_too),
        cmocka_unit_test(a_set_tells_by_which_block_it_has_an_address),
        cmocka_unit_test(filters_are_read_in_any_case),
    };
    return cmocka_run_group_tests_name("m365", tests, NULL, NULL);
}
