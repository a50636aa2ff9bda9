/* parent.c: what the parent proxy is asked, what it answers, and who goes past it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/parent.h"
#include <string.h>

static struct tf_target target_of(const char *authority)
{
    struct tf_target target;
    assert_int_equal(tf_authority_parse(authority, strlen(authority), 0, &target), TF_HOST_OK);
    return target;
}

static void assert_request(const char *authority, const char *login, const char *wanted)
{
    char text[1024];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_target target = target_of(authority);
    tf_put_parent_request(&w, &target, login);
    assert_false(w.full);
    assert_int_equal(w.len, strlen(wanted));
    assert_memory_equal(text, wanted, w.len);
}

static void request_names_host_and_port_and_the_login_if_there_is_one(void **state)
{
    (void)state;
    assert_request("host.test:443", "", "CONNECT host.test:443 HTTP/1.1\r\nHost: host.test:443\r\n\r\n");
    assert_request("[2001:db8::1]:25", "",
                   "CONNECT [2001:db8::1]:25 HTTP/1.1\r\nHost: [2001:db8::1]:25\r\n\r\n");
    assert_request("host.test:80", "dTpw",
                   "CONNECT host.test:80 HTTP/1.1\r\nHost: host.test:80\r\n"
                   "Proxy-Authorization: Basic dTpw\r\n\r\n");
}

static void login_is_base64_of_user_and_password(void **state)
{
    char out[64];
    (void)state;
    assert_true(tf_parent_login("Aladdin", "open sesame", out, sizeof out)); /* of RFC 7617 2 */
    assert_string_equal(out, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_true(tf_parent_login("u", "", out, sizeof out));
    assert_string_equal(out, "dTo=");
    assert_true(tf_parent_login("", "", out, sizeof out));
    assert_string_equal(out, "");
}

static void login_that_does_not_fit_is_none(void **state)
{
    char out[64], longer[600];
    (void)state;
    assert_true(tf_parent_login("Aladdin", "open sesame", out, 29));
    assert_false(tf_parent_login("Aladdin", "open sesame", out, 28));
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_false(tf_parent_login("u", longer, out, sizeof out));
}

struct outcome {
    enum tf_parse result;
    size_t used;
    struct tf_facts facts;
};

static void hear(struct outcome *o, const char *text, size_t n, bool eof)
{
    memset(o, 0, sizeof *o);
    o->result = tf_parent_response((struct tf_span){(const uint8_t *)text, n}, eof, &o->used, &o->facts);
}

static void any_2xx_is_a_tunnel_and_what_is_behind_it_is_the_servers(void **state)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", /* which means nothing here, RFC 9110 9.3.6 */
        "HTTP/1.1 204 \r\nVia: 1.1 parent\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct outcome o;
        char text[256] = {0};
        size_t n = strlen(heads[i]);
        memcpy(text, heads[i], n);
        memcpy(text + n, "220 hi\r\n", 8);
        hear(&o, text, n + 8, false);
        assert_int_equal(o.result, TF_PARSE_DONE);
        assert_int_equal(o.used, n);
        for (size_t part = 0; part < n; part++) {
            hear(&o, text, part, false);
            assert_int_equal(o.result, TF_PARSE_MORE);
        }
    }
}

static void assert_wrong(const char *text, bool eof, enum tf_reason reason, bool has_detail)
{
    struct outcome o;
    hear(&o, text, strlen(text), eof);
    assert_int_equal(o.result, TF_PARSE_BAD);
    assert_int_equal(o.facts.reason, reason);
    assert_int_equal(o.facts.detail != NULL, has_detail);
}

static void other_answers_refuse(void **state)
{
    (void)state;
    assert_wrong("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false, TF_REASON_PARENT_REFUSED,
                 false);
    assert_wrong("HTTP/1.1 502 Bad Gateway\r\n\r\n", false, TF_REASON_PARENT_REFUSED, false);
    assert_wrong("HTTP/1.1 302 Found\r\n\r\n", false, TF_REASON_PARENT_REFUSED, false);
    assert_wrong("HTTP/1.1 101 Switching Protocols\r\n\r\n", false, TF_REASON_PARENT_REFUSED, false);
    assert_wrong("HTTP/1.1 407 Who are you\r\n\r\n", false, TF_REASON_PARENT_LOGIN, false);
}

static void what_is_no_answer_is_malformed(void **state)
{
    (void)state;
    assert_wrong("220 mail.test ESMTP\r\n\r\n", false, TF_REASON_PARENT_MALFORMED, true);
    assert_wrong("HTTP/1.1 200 OK\n\n", false, TF_REASON_PARENT_MALFORMED, true);
    assert_wrong("HTTP/1.1 20 OK\r\n\r\n", false, TF_REASON_PARENT_MALFORMED, true);
    assert_wrong("\5", false, TF_REASON_PARENT_MALFORMED, true);
}

static void end_in_place_of_an_answer_is_told(void **state)
{
    (void)state;
    assert_wrong("", true, TF_REASON_PARENT_REFUSED, true);
    assert_wrong("HTTP/1.1 100 Continue\r\n\r\n", true, TF_REASON_PARENT_REFUSED, true);
    assert_wrong("HTTP/1.1 200 O", true, TF_REASON_PARENT_MALFORMED, true);
}

static void status_line_of_a_refusal_can_be_had(void **state)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Not for you\r\nX: y\r\n\r\n";
    (void)state;
    struct outcome o;
    hear(&o, text, sizeof text - 1, false);
    assert_int_equal(o.facts.reason, TF_REASON_PARENT_REFUSED);
    struct tf_span in = {(const uint8_t *)text, sizeof text - 1};
    assert_true(tf_text_is(tf_parent_status_line(in, o.used), "HTTP/1.1 403 Not for you"));
}

static const char *const office_names[] = {"outlook.office.com"};
static const struct tf_port_range https = {443, 443};
static const struct tf_m365_set office = {.id = 1,
                                          .area = TF_M365_EXCHANGE,
                                          .ports = &https,
                                          .port_count = 1,
                                          .names = office_names,
                                          .name_count = 1};
static const struct tf_m365_entry office_entry = {"outlook.office.com", &office};
static const struct tf_m365 m365 = {
    .sets = &office, .set_count = 1, .entries = &office_entry, .ordered_count = 1, .entry_count = 1};

static bool is_bypassed(const struct tf_destination *one, const struct tf_m365 *set, const char *authority)
{
    struct tf_target target = target_of(authority);
    return tf_parent_is_bypassed(one, 1, set, &target);
}

static void names_addresses_and_endpoint_sets_are_bypassed(void **state)
{
    struct tf_destination name = {.kind = TF_TO_NAME, .pattern = "*.example.com"};
    struct tf_destination block = {.kind = TF_TO_BLOCK};
    struct tf_destination sets = {.kind = TF_TO_M365, .m365 = {.by_area = true, .area = TF_M365_EXCHANGE}};
    const char *why;
    (void)state;
    assert_true(tf_cidr_parse("10.0.0.0/8", 10, &block.cidr, &why));
    assert_true(is_bypassed(&name, NULL, "www.example.com:443"));
    assert_false(is_bypassed(&name, NULL, "example.com:443"));
    assert_true(is_bypassed(&block, NULL, "10.1.2.3:443"));
    assert_false(is_bypassed(&block, NULL, "11.1.2.3:443"));
    assert_false(is_bypassed(&block, NULL, "www.example.com:443")); /* its address is not looked up */
    assert_true(is_bypassed(&sets, &m365, "outlook.office.com:443"));
    assert_false(is_bypassed(&sets, &m365, "outlook.office.com:80"));
    assert_false(is_bypassed(&sets, NULL, "outlook.office.com:443"));
}

static void each_entry_of_the_list_counts(void **state)
{
    const struct tf_destination list[] = {{.kind = TF_TO_NAME, .pattern = "a.test"},
                                          {.kind = TF_TO_NAME, .pattern = "b.test"}};
    struct tf_target target = target_of("b.test:443");
    (void)state;
    assert_true(tf_parent_is_bypassed(list, 2, NULL, &target));
    assert_false(tf_parent_is_bypassed(list, 1, NULL, &target));
    assert_false(tf_parent_is_bypassed(NULL, 0, NULL, &target));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_names_host_and_port_and_the_login_if_there_is_one),
        cmocka_unit_test(login_is_base64_of_user_and_password),
        cmocka_unit_test(login_that_does_not_fit_is_none),
        cmocka_unit_test(any_2xx_is_a_tunnel_and_what_is_behind_it_is_the_servers),
        cmocka_unit_test(other_answers_refuse),
        cmocka_unit_test(what_is_no_answer_is_malformed),
        cmocka_unit_test(end_in_place_of_an_answer_is_told),
        cmocka_unit_test(status_line_of_a_refusal_can_be_had),
        cmocka_unit_test(names_addresses_and_endpoint_sets_are_bypassed),
        cmocka_unit_test(each_entry_of_the_list_counts),
    };
    return cmocka_run_group_tests_name("parent", tests, NULL, NULL);
}
