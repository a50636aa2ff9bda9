/* reasons.def: rules that hold for every row. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/reasons.h"
#include <string.h>

/* Every reason but NONE. */
#define EACH_REASON(r) (int r = TF_REASON_NONE + 1; r < TF_REASON_COUNT; r++)

static const struct tf_reason_info *info(int reason)
{
    return tf_reason_info((enum tf_reason)reason);
}

static void codes_are_distinct_slugs(void **state)
{
    (void)state;
    for
        EACH_REASON(r)
        {
            const char *code = info(r)->code;
            assert_true(strlen(code) > 0 && strlen(code) < 40);
            assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(code));
            for (int other = TF_REASON_NONE; other < r; other++)
                assert_string_not_equal(code, info(other)->code);
        }
}

static void every_reason_says_what_happened_and_what_to_do(void **state)
{
    (void)state;
    for
        EACH_REASON(r)
        {
            assert_true(strlen(info(r)->sentence) > 10 && strlen(info(r)->sentence) < 120);
            assert_true(strlen(info(r)->advice) > 5 && strlen(info(r)->advice) < 160);
            /* Both are continued by others: after a colon, before a full stop. */
            assert_null(strpbrk(info(r)->sentence, "\r\n\"<>&"));
            assert_int_not_equal(info(r)->sentence[strlen(info(r)->sentence) - 1], '.');
        }
}

static void http_answers_are_errors_with_a_proxy_status(void **state)
{
    (void)state;
    for
        EACH_REASON(r)
        {
            assert_in_range(info(r)->http_status, 400, 504);
            assert_true(strlen(info(r)->proxy_error) > 0);
            assert_int_equal(strspn(info(r)->proxy_error, "abcdefghijklmnopqrstuvwxyz_"),
                             strlen(info(r)->proxy_error));
        }
}

static void alerts_are_never_a_mere_close(void **state)
{
    (void)state;
    for
        EACH_REASON(r)
    assert_int_not_equal(info(r)->alert, 0);
}

static void no_row_claims_the_event_of_monitor_mode(void **state)
{
    (void)state;
    for
        EACH_REASON(r)
    assert_true(info(r)->event != TF_EVENT_VERSION_WOULD_BLOCK && info(r)->event < TF_EVENT_COUNT);
}

static void events_have_the_names_of_the_contract(void **state)
{
    (void)state;
    assert_string_equal(tf_event_name(TF_EVENT_NONE), "");
    assert_string_equal(tf_event_name(TF_EVENT_VERSION_BLOCKED), "tls-version-blocked");
    assert_string_equal(tf_event_name(TF_EVENT_VERSION_WOULD_BLOCK), "tls-version-would-block");
    assert_string_equal(tf_event_name(TF_EVENT_SERVER_BELOW_FLOOR), "tls-server-below-floor");
    assert_string_equal(tf_event_name(TF_EVENT_NOT_TLS), "not-tls");
    assert_string_equal(tf_event_name(TF_EVENT_MALFORMED), "malformed");
    assert_string_equal(tf_event_name(TF_EVENT_ACCESS_DENIED), "access-denied");
}

static void a_floor_reason_is_told_as_protocol_version(void **state)
{
    (void)state;
    assert_int_equal(info(TF_REASON_CLIENT_BELOW_FLOOR)->alert, 70);
    assert_int_equal(info(TF_REASON_CLIENT_SSLV2_HELLO)->alert, 70);
    assert_int_equal(info(TF_REASON_SERVER_BELOW_FLOOR)->alert, 70);
    assert_int_equal(info(TF_REASON_CLIENT_BELOW_FLOOR)->http_status, 403);
}

static void a_number_out_of_range_is_no_reason(void **state)
{
    (void)state;
    assert_ptr_equal(tf_reason_info(TF_REASON_COUNT), tf_reason_info(TF_REASON_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_distinct_slugs),
        cmocka_unit_test(every_reason_says_what_happened_and_what_to_do),
        cmocka_unit_test(http_answers_are_errors_with_a_proxy_status),
        cmocka_unit_test(alerts_are_never_a_mere_close),
        cmocka_unit_test(no_row_claims_the_event_of_monitor_mode),
        cmocka_unit_test(events_have_the_names_of_the_contract),
        cmocka_unit_test(a_floor_reason_is_told_as_protocol_version),
        cmocka_unit_test(a_number_out_of_range_is_no_reason),
    };
    return cmocka_run_group_tests_name("reasons", tests, NULL, NULL);
}
