/* endpoints.c, endpoints_set.c and endpoints_builtin.c: what a file may look like, and what it may not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_file.h"
#include "../../proxy/endpoints.h"
#include "command_stage.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char error[1024];

static struct endpoints *parse_with(const char *text, const char *overlay)
{
    error[0] = '\0';
    return endpoints_parse(text, strlen(text), "sets.json", overlay, error, sizeof error);
}

static struct endpoints *parse(const char *text)
{
    struct endpoints *e = parse_with(text, "");
    if (!e)
        fail_msg("%s", error);
    return e;
}

static void assert_refused(const char *text, const char *expected)
{
    if (parse_with(text, ""))
        fail_msg("taken: %s", text);
    if (strcmp(error, expected) != 0)
        fail_msg("%s\nis answered with\n%s\nnot with\n%s", text, error, expected);
}

static struct tf_conf conf_of(enum tf_instance instance, const char *file, const char *overlay)
{
    return (struct tf_conf){.m365 = {.instance = instance, .endpoints = file, .overlay = overlay}};
}

static struct endpoints *load(enum tf_instance instance, const char *file, const char *overlay)
{
    struct tf_conf conf = conf_of(instance, file, overlay);
    struct endpoints *e = endpoints_load(&conf, error, sizeof error);
    if (!e)
        fail_msg("%s", error);
    return e;
}

static unsigned find(const struct endpoints *e, const char *host, uint16_t port)
{
    const struct tf_m365_set *set = tf_m365_find(&e->m365, host, port, NULL);
    return set ? set->id : 0;
}

static void a_set_has_all_that_the_file_says(void **state)
{
    (void)state;
    struct endpoints *e =
        parse("[{\"id\": 2, \"serviceArea\": \"Exchange\", \"serviceAreaDisplayName\": \"Mail\","
              "\"urls\": [\"SMTP.Office365.com.\", \"*.outlook.com\"],"
              "\"ips\": [\"40.96.0.0/13\", \"2603:1006::/40\", \"2620:1ec:4::152/128\"],"
              "\"tcpPorts\": \"587, 143,50000-50059\", \"udpPorts\": \"\", \"expressRoute\": true,"
              "\"category\": \"Allow\", \"required\": true, \"notes\": \"a [link](x)\"}]");
    assert_string_equal(e->m365.origin, "sets.json");
    assert_int_equal(e->m365.set_count, 1);
    const struct tf_m365_set *set = e->m365.sets;
    assert_int_equal(set->id, 2);
    assert_int_equal(set->area, TF_M365_EXCHANGE);
    assert_int_equal(set->category, TF_M365_ALLOW);
    assert_true(set->required);
    assert_false(set->stays_plain);
    assert_int_equal(set->name_count, 2);
    assert_string_equal(set->names[0], "smtp.office365.com");
    assert_int_equal(set->block_count, 3);
    assert_int_equal(set->blocks[1].bits, 40);
    assert_int_equal(set->port_count, 3);
    assert_int_equal(set->ports[0].first, 143); /* whatever the order was */
    assert_int_equal(set->ports[2].last, 50059);
    assert_string_equal(set->notes, "a [link](x)");
    assert_int_equal(find(e, "smtp.office365.com", 50001), 2);
    endpoints_free(e);
}

static void only_the_id_must_be_there(void **state)
{
    (void)state;
    struct endpoints *e =
        parse("\xef\xbb\xbf[{\"id\": 7},\r\n{\"id\": 4294967295, \"notes\": \"\", \"new\": {\"x\": [1]}}]");
    assert_int_equal(e->m365.set_count, 2);
    assert_int_equal(e->m365.entry_count, 0);
    assert_int_equal(e->m365.sets[0].area, TF_M365_OTHER);
    assert_int_equal(e->m365.sets[0].category, TF_M365_DEFAULT);
    assert_false(e->m365.sets[0].required);
    assert_string_equal(e->m365.sets[1].notes, "");
    assert_int_equal(e->m365.sets[1].id, UINT32_MAX);
    endpoints_free(e);
}

static void ports_may_be_written_in_any_way(void **state)
{
    static const struct {
        const char *text;
        uint16_t has, lacks;
    } rows[] = {{"80,443", 80, 81},    {"443, 80", 80, 442},        {" 143 ,587 ", 587, 80},
                {"1-65535", 65535, 0}, {"8000 - 8099", 8099, 8100}, {"443-443", 443, 444}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];
        snprintf(text, sizeof text, "[{\"id\": 1, \"urls\": [\"a.example\"], \"tcpPorts\": \"%s\"}]",
                 rows[i].text);
        struct endpoints *e = parse(text);
        assert_int_equal(find(e, "a.example", rows[i].has), 1);
        assert_int_equal(find(e, "a.example", rows[i].lacks), 0);
        endpoints_free(e);
    }
}

static void empty_ports_are_none(void **state)
{
    static const char *const rows[] = {"\"\"", "\"  \""};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];
        snprintf(text, sizeof text, "[{\"id\": 1, \"urls\": [\"a.example\"], \"tcpPorts\": %s}]", rows[i]);
        struct endpoints *e = parse(text);
        assert_int_equal(e->m365.sets[0].port_count, 0);
        endpoints_free(e);
    }
}

static void an_area_that_is_new_is_another(void **state)
{
    (void)state;
    struct endpoints *e =
        parse("[{\"id\": 1, \"serviceArea\": \"Copilot\"}, {\"id\": 2, \"serviceArea\": \"MEM\"}]");
    assert_int_equal(e->m365.sets[0].area, TF_M365_OTHER);
    assert_int_equal(e->m365.sets[1].area, TF_M365_MEM);
    endpoints_free(e);
}

static void set_125_stays_plain(void **state)
{
    (void)state;
    struct endpoints *e = load(TF_WORLDWIDE, "builtin", "");
    for (size_t i = 0; i < e->m365.set_count; i++)
        assert_int_equal(e->m365.sets[i].stays_plain, e->m365.sets[i].id == 125);
    assert_int_equal(find(e, "ocsp.digicert.com", 80), 125);
    endpoints_free(e);
}

static void what_cannot_be_understood_is_told_with_its_set(void **state)
{
    static const char *const rows[][2] = {
        {"[{\"id\": 9, \"urls\": \"a.example\"}]", "urls: no list of texts; write [\"...\", \"...\"]"},
        {"[{\"id\": 9, \"urls\": [\"a.example\", 1]}]", "urls: no list of texts; write [\"...\", \"...\"]"},
        {"[{\"id\": 9, \"urls\": [\"https://a.example\"]}]",
         "urls \"https://a.example\": no name; write name, *.suffix, *suffix or a.*.b"},
        {"[{\"id\": 9, \"urls\": [\"\"]}]", "urls \"\": no name; write name, *.suffix, *suffix or a.*.b"},
        {"[{\"id\": 9, \"urls\": [\"*\"]}]", "urls \"*\": no name; write name, *.suffix, *suffix or a.*.b"},
        {"[{\"id\": 9, \"urls\": [\"\\u001b[2J\"]}]",
         "urls \"\\u001b[2J\": no name; write name, *.suffix, *suffix or a.*.b"},
        {"[{\"id\": 9, \"tcpPorts\": 443}]", "tcpPorts: no text; put it in quotes"},
        {"[{\"id\": 9, \"tcpPorts\": null}]", "tcpPorts: no text; put it in quotes"},
        {"[{\"id\": 9, \"tcpPorts\": \"80;443\"}]",
         "tcpPorts \"80;443\": no port, and no range of ports; write 443 or 8000-8099"},
        {"[{\"id\": 9, \"tcpPorts\": \"0\"}]",
         "tcpPorts \"0\": no port, and no range of ports; write 443 or 8000-8099"},
        {"[{\"id\": 9, \"tcpPorts\": \"65536\"}]",
         "tcpPorts \"65536\": no port, and no range of ports; write 443 or 8000-8099"},
        {"[{\"id\": 9, \"tcpPorts\": \"90-80\"}]",
         "tcpPorts \"90-80\": no port, and no range of ports; write 443 or 8000-8099"},
        {"[{\"id\": 9, \"tcpPorts\": \"80,\"}]",
         "tcpPorts \"\": no port, and no range of ports; write 443 or 8000-8099"},
        {"[{\"id\": 9, \"ips\": {}}]", "ips: no list of texts; write [\"...\", \"...\"]"},
        {"[{\"id\": 9, \"ips\": [\"10.0.0.1/8\"]}]",
         "ips \"10.0.0.1/8\": there are bits set behind the prefix length"},
        {"[{\"id\": 9, \"category\": \"Optimise\"}]",
         "category \"Optimise\": none of Optimize, Allow and Default"},
        {"[{\"id\": 9, \"category\": 1}]", "category: no text; put it in quotes"},
        {"[{\"id\": 9, \"serviceArea\": [\"Exchange\"]}]", "serviceArea: no text; put it in quotes"},
        {"[{\"id\": 9, \"required\": \"yes\"}]", "required: neither true nor false"},
        {"[{\"id\": 9, \"notes\": 3}]", "notes: no text; put it in quotes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "sets.json: set 9: %s", rows[i][1]);
        assert_refused(rows[i][0], expected);
    }
}

static void what_is_no_endpoint_set_is_told_with_its_file(void **state)
{
    static const char *const rows[][2] = {
        {"{\"value\": []}", "sets.json: no list of endpoint sets as the web service gives it"},
        {"[]", "sets.json: there is no endpoint set in it"},
        {"[{\"id\": 1}, 5]", "sets.json: entry 2 of the list is no set with a number as its id"},
        {"[{\"urls\": []}]", "sets.json: entry 1 of the list is no set with a number as its id"},
        {"[{\"id\": \"1\"}]", "sets.json: entry 1 of the list is no set with a number as its id"},
        {"[{\"id\": -1}]", "sets.json: entry 1 of the list is no set with a number as its id"},
        {"[{\"id\": 4294967296}]", "sets.json: entry 1 of the list is no set with a number as its id"},
        {"[{\"id\": 1}, {\"id\": 1}]", "sets.json: two sets have the id 1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(rows[i][0], rows[i][1]);
}

static void broken_json_is_told_with_its_line(void **state)
{
    static const char *const rows[][2] = {
        {"", "sets.json:1: no JSON: "},
        {"[{\"id\": 1},\n{\"id\": 2", "sets.json:2: no JSON: "},
        {"<!DOCTYPE html>\n<html>", "sets.json:1: no JSON: "},
        {"[{\"id\": 1, \"id\": 2}]", "sets.json:1: no JSON: duplicate object key"},
        {"[{\"id\": 1, \"notes\": \"\\u0000\"}]", "sets.json:1: no JSON: "},
        {"[{\"id\": 1}] \x1b[2J", "sets.json:1: no JSON: "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(parse_with(rows[i][0], ""));
        assert_has(error, rows[i][1]);
        assert_null(strchr(error, '\x1b'));
    }
}

static void a_list_of_too_many_sets_is_refused(void **state)
{
    enum { SETS = 10001 };
    (void)state;
    char *text = malloc(16 * SETS + 16);
    size_t n = 0;
    text[n++] = '[';
    for (int i = 0; i < SETS; i++)
        n += (size_t)sprintf(text + n, "{\"id\":%d}%s", i, i + 1 < SETS ? "," : "]");
    assert_refused(text, "sets.json: more than 10000 endpoint sets");
    memcpy(strstr(text, ",{\"id\":10000}]"), "]", 2);
    struct endpoints *e = parse(text); /* the hungriest text there is for its length */
    assert_int_equal(e->m365.set_count, SETS - 1);
    endpoints_free(e);
    free(text);
}

static void memory_is_enough_for_the_densest_text(void **state)
{
    static const char *const items[] = {"\"urls\": [", "\"a\"", "\"ips\": [", "\"::\""};
    (void)state;
    for (size_t k = 0; k < COUNT(items); k += 2) {
        char *text = malloc(200000);
        size_t n = (size_t)sprintf(text, "[{\"id\":1,%s%s", items[k], items[k + 1]);
        for (int i = 0; i < 20000; i++)
            n += (size_t)sprintf(text + n, ",%s", items[k + 1]);
        strcpy(text + n, "]}]");
        struct endpoints *e = parse(text);
        assert_int_equal(e->m365.sets[0].name_count + e->m365.sets[0].block_count, 20001);
        endpoints_free(e);
        free(text);
    }
}

static void every_instance_is_built_in(void **state)
{
    static const struct {
        enum tf_instance instance;
        const char *origin;
        size_t sets, names;
        const char *host;
    } rows[] = {
        {TF_WORLDWIDE, "builtin (Worldwide)", 79, 281, "outlook.office365.com"},
        {TF_GCC, "builtin (Worldwide)", 79, 281, "outlook.office365.com"},
        {TF_GCC_HIGH, "builtin (USGovGCCHigh)", 26, 87, "outlook.office365.us"},
        {TF_DOD, "builtin (USGovDoD)", 25, 99, "outlook-dod.office365.us"},
        {TF_CHINA, "builtin (China)", 22, 51, "partner.outlook.cn"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoints *e = load(rows[i].instance, "builtin", "");
        assert_string_equal(e->m365.origin, rows[i].origin);
        assert_int_equal(e->m365.set_count, rows[i].sets);
        assert_int_equal(e->m365.entry_count, rows[i].names);
        if (find(e, rows[i].host, 443) == 0)
            fail_msg("%s is not in %s", rows[i].host, rows[i].origin);
        endpoints_free(e);
    }
}

static void real_names_are_found_where_the_service_ranks_them(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        unsigned id;
    } rows[] = {
        {"outlook.office365.com", 443, 1}, {"outlook.office365.com", 587, 2},
        {"smtp.office365.com", 587, 2},    {"contoso-com.mail.protection.outlook.com", 25, 10},
        {"cdn.onenote.net", 443, 51},      {"autodiscover.contoso.onmicrosoft.com", 443, 8},
        {"www.example.com", 443, 0},       {"outlook.office365.com.example.com", 443, 0},
    };
    (void)state;
    struct endpoints *e = load(TF_WORLDWIDE, "builtin", "");
    for (size_t i = 0; i < COUNT(rows); i++)
        if (find(e, rows[i].host, rows[i].port) != rows[i].id)
            fail_msg("%s:%u is in set %u", rows[i].host, rows[i].port, find(e, rows[i].host, rows[i].port));
    endpoints_free(e);
}

static void the_built_in_files_are_those_of_the_repository(void **state)
{
    (void)state;
    struct endpoints *inside = load(TF_CHINA, "builtin", "");
    struct endpoints *file = load(TF_WORLDWIDE, "conf/m365/China.json", "");
    assert_int_equal(inside->m365.entry_count, file->m365.entry_count);
    for (size_t i = 0; i < file->m365.entry_count; i++)
        assert_string_equal(inside->m365.entries[i].pattern, file->m365.entries[i].pattern);
    endpoints_free(inside);
    endpoints_free(file);
}

static const char base_text[] = "[{\"id\": 1, \"urls\": [\"one.example\"], \"tcpPorts\": \"443\"},"
                                "{\"id\": 2, \"urls\": [\"two.example\"], \"tcpPorts\": \"443\"},"
                                "{\"id\": 3, \"urls\": [\"three.example\"], \"tcpPorts\": \"443\"}]";

static void an_overlay_replaces_takes_away_and_adds(void **state)
{
    static const char text[] = "[{\"id\": 9001, \"urls\": [\"*.own.example\"], \"tcpPorts\": \"443\"},"
                               "{\"id\": 1, \"urls\": [\"other.example\"], \"tcpPorts\": \"587\"},"
                               "{\"id\": 2}, {\"id\": 77, \"urls\": []}]";
    (void)state;
    char *overlay = stage_file(text, strlen(text));
    struct endpoints *e = parse_with(base_text, overlay);
    assert_non_null(e);
    assert_has(e->m365.origin, "sets.json with /");
    assert_int_equal(e->m365.set_count, 3);
    assert_int_equal(e->m365.sets[0].id, 1);
    assert_int_equal(e->m365.sets[2].id, 9001);
    assert_int_equal(find(e, "one.example", 443), 0);
    assert_int_equal(find(e, "other.example", 587), 1);
    assert_int_equal(find(e, "two.example", 443), 0);
    assert_int_equal(find(e, "three.example", 443), 3);
    assert_int_equal(find(e, "a.own.example", 443), 9001);
    endpoints_free(e);
    unlink(overlay);
}

static void a_mistake_in_the_overlay_names_the_overlay(void **state)
{
    static const char text[] = "[{\"id\": 2, \"urls\": \"two.example\"}]";
    char expected[128];
    (void)state;
    char *overlay = stage_file(text, strlen(text));
    assert_null(parse_with(base_text, overlay));
    snprintf(expected, sizeof expected, "%s: set 2: urls: no list", overlay);
    assert_has(error, expected);
    unlink(overlay);
    assert_null(parse_with(base_text, overlay));
    assert_has(error, "cannot be read: No such file or directory");
}

static void an_overlay_that_leaves_nothing_is_refused(void **state)
{
    static const char text[] = "[{\"id\": 1}, {\"id\": 2}, {\"id\": 3}]";
    (void)state;
    char *overlay = stage_file(text, strlen(text));
    assert_null(parse_with(base_text, overlay));
    assert_has(error, "there is no endpoint set in it");
    unlink(overlay);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct tf_conf conf = conf_of(TF_WORLDWIDE, "/nowhere/sets.json", "");
    (void)state;
    assert_null(endpoints_load(&conf, error, sizeof error));
    assert_string_equal(error, "/nowhere/sets.json: cannot be read: No such file or directory");
}

static void a_long_value_is_cut_in_the_error(void **state)
{
    char text[2048];
    (void)state;
    snprintf(text, sizeof text, "[{\"id\": 9, \"urls\": [\"%01500d\"]}]", 0);
    assert_null(parse_with(text, ""));
    assert_has(error, "0000\": no name; write name");
}

static void an_error_fits_its_room(void **state)
{
    char small[24];
    (void)state;
    const char *text = "[{\"id\": 9, \"urls\": [\"a b\"]}]";
    assert_null(endpoints_parse(text, strlen(text), "sets.json", "", small, sizeof small));
    assert_true(strlen(small) < sizeof small);
    assert_null(endpoints_parse("[", 1, "a-file-with-a-long-name.json", "", small, sizeof small));
    assert_true(strlen(small) < sizeof small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_has_all_that_the_file_says),
        cmocka_unit_test(only_the_id_must_be_there),
        cmocka_unit_test(ports_may_be_written_in_any_way),
        cmocka_unit_test(empty_ports_are_none),
        cmocka_unit_test(an_area_that_is_new_is_another),
        cmocka_unit_test(set_125_stays_plain),
        cmocka_unit_test(what_cannot_be_understood_is_told_with_its_set),
        cmocka_unit_test(what_is_no_endpoint_set_is_told_with_its_file),
        cmocka_unit_test(broken_json_is_told_with_its_line),
        cmocka_unit_test(a_list_of_too_many_sets_is_refused),
        cmocka_unit_test(memory_is_enough_for_the_densest_text),
        cmocka_unit_test(every_instance_is_built_in),
        cmocka_unit_test(real_names_are_found_where_the_service_ranks_them),
        cmocka_unit_test(the_built_in_files_are_those_of_the_repository),
        cmocka_unit_test(an_overlay_replaces_takes_away_and_adds),
        cmocka_unit_test(a_mistake_in_the_overlay_names_the_overlay),
        cmocka_unit_test(an_overlay_that_leaves_nothing_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
        cmocka_unit_test(a_long_value_is_cut_in_the_error),
        cmocka_unit_test(an_error_fits_its_room),
    };
    return cmocka_run_group_tests_name("endpoints", tests, NULL, NULL);
}
