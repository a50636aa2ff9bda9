/* http_secure.c: each field as the other side gets it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/http_secure.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Names below up.example are upgraded, on any port; so is a.example itself, whatever the rules say of it now.
 */
static const struct tf_destination destination = {.kind = TF_TO_NAME, .pattern = "*.up.example"};
static const struct tf_rule rule = {.name = "up",
                                    .destinations = &destination,
                                    .destination_count = 1,
                                    .action = TF_ACTION_UPGRADE,
                                    .until_day = 20000};
static struct tf_policy policy = {.floor = TF_TLS12, .rules = &rule, .rule_count = 1, .can_upgrade = true};
static struct tf_facts facts;
static struct tf_http_sides sides;

static int upgraded(void **state)
{
    (void)state;
    facts = (struct tf_facts){.verdict = TF_VERDICT_UPGRADE, .target = {.host = "a.example", .port = 443}};
    sides = (struct tf_http_sides){.policy = &policy, .facts = &facts};
    return 0;
}

static int forwarded(void **state)
{
    upgraded(state);
    sides.is_forward = true;
    sides.host = tf_text_of("Gateway:8080");
    return 0;
}

static int forwarded_in_plain(void **state)
{
    forwarded(state);
    facts.verdict = TF_VERDICT_TUNNEL;
    facts.target.port = 80;
    return 0;
}

static int as_it_is(void **state)
{
    upgraded(state);
    facts.verdict = TF_VERDICT_TUNNEL;
    return 0;
}

struct row {
    const char *in, *out; /* without CRLF; out NULL: as it came, "": left out */
};

static void expect(const struct row *row, bool is_for_client)
{
    char line[512], output[1024];
    struct tf_writer in = tf_writer_of(line, sizeof line), out = tf_writer_of(output, sizeof output - 1);
    struct tf_http_field field;
    tf_put_text(&in, row->in);
    tf_put_text(&in, "\r\n");
    struct tf_text lines = {line, in.len};
    assert_true(tf_http_next_field(&lines, &field));
    if (is_for_client)
        tf_http_put_for_client(&out, &sides, &field);
    else
        tf_http_put_for_server(&out, &sides, &field);
    assert_false(out.full);
    output[out.len] = '\0';
    const char *expected = row->out != NULL ? row->out : row->in;
    if (expected[0] != '\0') {
        assert_true(out.len >= 2);
        assert_string_equal(output + out.len - 2, "\r\n");
        output[out.len - 2] = '\0';
    }
    assert_string_equal(output, expected);
}

static void expect_all(const struct row *rows, size_t n, bool is_for_client)
{
    for (size_t i = 0; i < n; i++) {
        sides.translated = 0;
        expect(&rows[i], is_for_client);
    }
}

#define FOR_SERVER(...)                                                                                      \
    (void)state;                                                                                             \
    static const struct row rows[] = {__VA_ARGS__};                                                          \
    expect_all(rows, COUNT(rows), false)
#define FOR_CLIENT(...)                                                                                      \
    (void)state;                                                                                             \
    static const struct row rows[] = {__VA_ARGS__};                                                          \
    expect_all(rows, COUNT(rows), true)

static void the_server_sees_https_where_the_client_says_http(void **state)
{
    FOR_SERVER({"Origin: http://a.example", "Origin: https://a.example"},
               {"Referer: http://a.example:80/p?u=http://a.example/",
                "Referer: https://a.example/p?u=http://a.example/"},
               {"destination:HTTP://A.EXAMPLE./dav/x", "destination:https://a.example/dav/x"},
               {"Origin: http://a.example:443", "Origin: https://a.example"},
               {"Origin: http://b.up.example", "Origin: https://b.up.example"},
               {"Origin: http://b.up.example:8080", "Origin: https://b.up.example:8080"},
               {"Upgrade-Insecure-Requests: 1", ""});
}

static void the_server_sees_what_is_not_upgraded_as_it_is(void **state)
{
    FOR_SERVER({"Origin: http://other.example", NULL}, {"Origin: null", NULL},
               {"Origin: https://a.example", NULL}, {"Referer: /a", NULL}, {"Referer: http:a.example", NULL},
               {"Referer: http://u@a.example/", NULL}, {"Origin: http://a.example:8080", NULL},
               {"Origin: http://a.example.evil.example", NULL}, {"Origin:", NULL}, {"Referer: http://", NULL},
               {"X-Referer: http://a.example", NULL}, {"Cookie: a=http://a.example", NULL});
}

static void a_rule_that_is_over_upgrades_no_other_host(void **state)
{
    facts.started_us = INT64_C(20001) * 86400 * 1000000;
    FOR_SERVER({"Origin: http://b.up.example", NULL},
               {"Origin: http://a.example", "Origin: https://a.example"});
}

static void no_more_than_three_fields_of_a_request_grow(void **state)
{
    (void)state;
    static const struct row translated = {"Origin: http://a.example", "Origin: https://a.example"};
    static const struct row left = {"Origin: http://a.example", NULL};
    for (int i = 0; i < 3; i++)
        expect(&translated, false);
    expect(&left, false);
}

static void the_client_sees_http_where_it_would_be_upgraded(void **state)
{
    FOR_CLIENT(
        {"Location: https://a.example/p", "Location: http://a.example/p"},
        {"Location:https://a.example:443", "Location:http://a.example"},
        {"LOCATION: HTTPS://A.Example?x#y", "LOCATION: http://a.example?x#y"},
        {"Content-Location: https://b.up.example:8443/", "Content-Location: http://b.up.example:8443/"},
        {"Access-Control-Allow-Origin: https://a.example", "Access-Control-Allow-Origin: http://a.example"},
        {"Refresh: 5; url=https://a.example/p", "Refresh: 5; url=http://a.example/p"},
        {"Refresh: 0;URL = 'https://a.example/p'", "Refresh: 0;URL = 'http://a.example/p'"});
}

static void the_client_sees_other_addresses_as_they_are(void **state)
{
    FOR_CLIENT({"Location: https://other.example/", NULL}, {"Location: http://a.example/", NULL},
               {"Location: /p", NULL}, {"Location: //a.example/p", NULL},
               {"Location: https://u@a.example/", NULL}, {"Location: https://a.example@evil.example/", NULL},
               {"Location: https://a.example:80/", NULL},
               {"Location: https://a.example\\@evil.example/", NULL}, {"Location:", NULL},
               {"Access-Control-Allow-Origin: *", NULL}, {"Refresh: 5", NULL},
               {"Refresh: 5; https://a.example", NULL}, {"Refresh: 5; url=", NULL},
               {"Refresh: 5; uri=https://a.example/", NULL}, {"Link: <https://a.example/>; rel=x", NULL});
}

static void cookies_lose_what_they_cannot_have_in_plain_and_nothing_else(void **state)
{
    FOR_CLIENT(
        {"Set-Cookie: a=b; Secure", "Set-Cookie: a=b"},
        {"set-cookie:a=b;secure;HttpOnly; Path=/; SECURE ;x", "set-cookie:a=b;HttpOnly; Path=/;x"},
        {"Set-Cookie: a=b; SameSite=None; Secure; Max-Age=1", "Set-Cookie: a=b; Max-Age=1"},
        {"Set-Cookie: a=b; samesite = none", "Set-Cookie: a=b"},
        {"Set-Cookie: a=b; Partitioned; Secure; Domain=a.example", "Set-Cookie: a=b; Domain=a.example"},
        {"Set-Cookie: a=b; SameSite=Lax", NULL}, {"Set-Cookie: Secure=1; Path=/", NULL},
        {"Set-Cookie: a=\"Secure\"", NULL}, {"Set-Cookie: a=b;  Expires=Wed, 21 Oct 2026 07:28:00 GMT", NULL},
        {"Set-Cookie: __Host-a=b; Secure; Path=/", "Set-Cookie: __Host-a=b; Path=/"}, {"Set-Cookie:", NULL});
}

static void nothing_binds_the_client_to_https(void **state)
{
    FOR_CLIENT(
        {"Strict-Transport-Security: max-age=31536000", ""}, {"alt-svc: h3=\":443\"", ""},
        {"Public-Key-Pins: x", ""}, {"Public-Key-Pins-Report-Only: x", ""},
        {"Content-Security-Policy: upgrade-insecure-requests", "Content-Security-Policy: "},
        {"Content-Security-Policy: a b; Upgrade-Insecure-Requests ;c", "Content-Security-Policy: a b;c"},
        {"Content-Security-Policy: a; upgrade-insecure-requests", "Content-Security-Policy: a;"},
        {"Content-Security-Policy: upgrade-insecure-requests, a; b", "Content-Security-Policy: , a; b"},
        {"Content-Security-Policy: default-src 'self'; b", NULL},
        {"Content-Security-Policy-Report-Only: upgrade-insecure-requests", NULL},
        {"X-Frame-Options: DENY", NULL});
}

static void a_forwarded_client_knows_the_server_under_its_own_name(void **state)
{
    FOR_SERVER({"Origin: http://gateway:8080", "Origin: https://a.example"},
               {"Referer: http://GATEWAY:8080/p", "Referer: https://a.example/p"},
               {"Destination: http://a.example/p", "Destination: https://a.example/p"},
               {"Origin: http://gateway", NULL}, {"Origin: http://b.up.example", NULL},
               {"Upgrade-Insecure-Requests: 1", ""});
}

static void a_forwarded_client_stays_with_the_gateway(void **state)
{
    sides.host = (struct tf_text){NULL, 0};
    FOR_CLIENT(
        {"Location: https://a.example/p", "Location: /p"}, {"Location: http://a.example/p", "Location: /p"},
        {"Location: https://a.example", "Location: /"}, {"Location: https://a.example?q", "Location: /?q"},
        {"Location: https://a.example//b/c", "Location: /.//b/c"},
        {"Location: https://a.example/\\b", "Location: /./\\b"},
        {"Refresh: 1; url=\"https://a.example/p\"", "Refresh: 1; url=\"/p\""},
        {"Location: https://b.up.example/", NULL}, {"Location: https://a.example:80/", NULL},
        {"Access-Control-Allow-Origin: https://a.example", NULL},
        {"Set-Cookie: a=b; domain=a.example; Secure; Path=/", "Set-Cookie: a=b; Path=/"});
}

static void a_server_in_plain_is_forwarded_with_its_names_alone_translated(void **state)
{
    FOR_SERVER({"Origin: http://gateway:8080", "Origin: http://a.example"},
               {"Upgrade-Insecure-Requests: 1", NULL});
}

static void and_so_are_its_responses(void **state)
{
    sides.host = (struct tf_text){NULL, 0};
    FOR_CLIENT({"Location: http://a.example/p", "Location: /p"}, {"Location: https://a.example/p", NULL},
               {"Location: http://a.example:443/p", NULL}, {"Strict-Transport-Security: x", NULL},
               {"Set-Cookie: a=b; Domain=a.example; Secure", "Set-Cookie: a=b; Secure"});
}

static void a_plain_exchange_is_left_alone(void **state)
{
    FOR_CLIENT({"Location: https://b.up.example/", NULL}, {"Strict-Transport-Security: x", NULL},
               {"Set-Cookie: a=b; Secure", NULL});
}

static void in_both_directions(void **state)
{
    FOR_SERVER({"Origin: http://b.up.example", NULL}, {"Upgrade-Insecure-Requests: 1", NULL});
}

static void growth_has_room_for_the_longest_names(void **state)
{
    (void)state;
    char label[64];
    memset(label, 'x', 63);
    label[63] = '\0';
    struct tf_writer w = tf_writer_of(facts.target.host, sizeof facts.target.host - 1);
    for (int i = 0; i < 4; i++) {
        tf_put_text(&w, i > 0 ? "." : "");
        tf_put(&w, label, i < 3 ? 63 : 61);
    }
    assert_int_equal(w.len, TF_HOST_MAX - 1);
    facts.target.port = 65535;
    char output[TF_HTTP_SECURE_GROWTH + 3 * sizeof "Origin:http://Gateway:8080\r\n"];
    struct tf_writer out = tf_writer_of(output, sizeof output);
    static const char line[] = "Origin:http://Gateway:8080\r\n";
    for (int i = 0; i < 3; i++) {
        struct tf_text lines = tf_text_of(line);
        struct tf_http_field field;
        assert_true(tf_http_next_field(&lines, &field));
        tf_http_put_for_server(&out, &sides, &field);
    }
    assert_false(out.full);
    assert_true(out.len > 3 * TF_HOST_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_server_sees_https_where_the_client_says_http, upgraded),
        cmocka_unit_test_setup(the_server_sees_what_is_not_upgraded_as_it_is, upgraded),
        cmocka_unit_test_setup(a_rule_that_is_over_upgrades_no_other_host, upgraded),
        cmocka_unit_test_setup(no_more_than_three_fields_of_a_request_grow, upgraded),
        cmocka_unit_test_setup(the_client_sees_http_where_it_would_be_upgraded, upgraded),
        cmocka_unit_test_setup(the_client_sees_other_addresses_as_they_are, upgraded),
        cmocka_unit_test_setup(cookies_lose_what_they_cannot_have_in_plain_and_nothing_else, upgraded),
        cmocka_unit_test_setup(nothing_binds_the_client_to_https, upgraded),
        cmocka_unit_test_setup(a_forwarded_client_knows_the_server_under_its_own_name, forwarded),
        cmocka_unit_test_setup(a_forwarded_client_stays_with_the_gateway, forwarded),
        cmocka_unit_test_setup(a_server_in_plain_is_forwarded_with_its_names_alone_translated,
                               forwarded_in_plain),
        cmocka_unit_test_setup(and_so_are_its_responses, forwarded_in_plain),
        cmocka_unit_test_setup(a_plain_exchange_is_left_alone, as_it_is),
        cmocka_unit_test_setup(in_both_directions, as_it_is),
        cmocka_unit_test_setup(growth_has_room_for_the_longest_names, forwarded),
    };
    return cmocka_run_group_tests_name("http_secure", tests, NULL, NULL);
}
