/* front_tls.c: which alert whom is sent, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/front.h"
#include "../../lib/page.h"
#include <string.h>

static struct tf_facts with_hello(enum tf_reason reason, enum tf_hello_format format, uint16_t legacy_version)
{
    struct tf_facts facts = {.reason = reason, .verdict = TF_VERDICT_BLOCK, .has_hello = true};
    facts.hello.format = format;
    facts.hello.legacy_version = legacy_version;
    return facts;
}

static void assert_refusal(const struct tf_facts *facts, const uint8_t *expected, size_t n)
{
    char out[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(out, sizeof out);
    tf_front_tls.refuse(NULL, &w, facts);
    assert_false(w.full);
    assert_int_equal(w.len, n);
    if (n > 0)
        assert_memory_equal(out, expected, n);
}

static void assert_alert(const struct tf_facts *facts, uint8_t major, uint8_t minor, uint8_t description)
{
    uint8_t expected[] = {21, major, minor, 0, 2, 2, description};
    assert_refusal(facts, expected, sizeof expected);
}

static void the_record_carries_the_clients_own_version(void **state)
{
    (void)state;
    for (uint8_t minor = 1; minor <= 3; minor++) {
        struct tf_facts facts =
            with_hello(TF_REASON_CLIENT_BELOW_FLOOR, TF_FORMAT_TLS, (uint16_t)(0x0300 + minor));
        assert_alert(&facts, 3, minor, 70);
    }
}

static void versions_above_tls_1_2_are_written_as_tls_1_2(void **state)
{
    (void)state;
    struct tf_facts facts = with_hello(TF_REASON_DESTINATION_DENIED, TF_FORMAT_TLS, 0x0304);
    assert_alert(&facts, 3, 3, 49);
    facts.hello.legacy_version = 0xffff;
    assert_alert(&facts, 3, 3, 49);
}

static void ssl_3_knows_only_handshake_failure(void **state)
{
    static const enum tf_reason reasons[] = {TF_REASON_CLIENT_BELOW_FLOOR, TF_REASON_DESTINATION_DENIED,
                                             TF_REASON_CLIENT_HELLO_MALFORMED, TF_REASON_DIAL_REFUSED};
    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct tf_facts facts = with_hello(reasons[i], TF_FORMAT_TLS, 0x0300);
        assert_alert(&facts, 3, 0, 40);
        facts.hello.legacy_version = 0x0200; /* a TLS record around nonsense: the oldest version there is */
        assert_alert(&facts, 3, 0, 40);
    }
}

static void an_sslv2_hello_is_answered_in_the_version_that_it_announces(void **state)
{
    (void)state;
    struct tf_facts facts = with_hello(TF_REASON_CLIENT_SSLV2_HELLO, TF_FORMAT_SSLV2, 0x0301);
    assert_alert(&facts, 3, 1, 70);
    facts.hello.legacy_version = 0x0303;
    assert_alert(&facts, 3, 3, 70);
    facts.hello.legacy_version = 0x0300;
    assert_alert(&facts, 3, 0, 40);
}

static void an_sslv2_hello_that_announces_no_more_is_answered_by_nothing(void **state)
{
    (void)state;
    struct tf_facts facts = with_hello(TF_REASON_CLIENT_SSLV2_HELLO, TF_FORMAT_SSLV2, 0x0002);
    assert_refusal(&facts, NULL, 0);
}

static void without_a_hello_the_record_is_tls_1_0(void **state)
{
    (void)state;
    struct tf_facts facts = {.reason = TF_REASON_CLIENT_HELLO_MALFORMED, .verdict = TF_VERDICT_BLOCK};
    assert_alert(&facts, 3, 1, 50);
    facts.reason = TF_REASON_CLIENT_NOT_TLS;
    assert_alert(&facts, 3, 1, 40);
}

static void the_servers_fault_is_told_with_the_same_alert(void **state)
{
    (void)state;
    struct tf_facts facts = with_hello(TF_REASON_SERVER_BELOW_FLOOR, TF_FORMAT_TLS, 0x0303);
    assert_alert(&facts, 3, 3, 70);
}

static void an_http_request_on_a_tls_port_gets_a_page(void **state)
{
    static const char status[] = "HTTP/1.1 400 Bad Request\r\n";
    (void)state;
    struct tf_facts facts = {.reason = TF_REASON_CLIENT_NOT_TLS, .not_tls = true, .looks_like_http = true};
    char out[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(out, sizeof out);
    tf_front_tls.refuse(NULL, &w, &facts);
    assert_true(w.len > strlen(status));
    assert_memory_equal(out, status, strlen(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_carries_the_clients_own_version),
        cmocka_unit_test(versions_above_tls_1_2_are_written_as_tls_1_2),
        cmocka_unit_test(ssl_3_knows_only_handshake_failure),
        cmocka_unit_test(an_sslv2_hello_is_answered_in_the_version_that_it_announces),
        cmocka_unit_test(an_sslv2_hello_that_announces_no_more_is_answered_by_nothing),
        cmocka_unit_test(without_a_hello_the_record_is_tls_1_0),
        cmocka_unit_test(the_servers_fault_is_told_with_the_same_alert),
        cmocka_unit_test(an_http_request_on_a_tls_port_gets_a_page),
    };
    return cmocka_run_group_tests_name("front_tls", tests, NULL, NULL);
}
