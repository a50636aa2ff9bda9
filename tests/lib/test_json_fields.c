/* json_fields.c: one spelling of each value, whoever writes it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/hello.h"
#include "../../lib/json_fields.h"
#include <string.h>

static char text[256];

static struct tf_writer over_text(void)
{
    return tf_writer_of(text, sizeof text);
}

static void assert_written(const struct tf_writer *w, const char *expected)
{
    assert_false(w->full);
    assert_int_equal(w->len, strlen(expected));
    assert_memory_equal(w->p, expected, w->len);
}

static void an_address_is_written_without_its_port(void **state)
{
    (void)state;
    struct tf_writer w = over_text();
    struct tf_json j = tf_json_open(&w);
    struct tf_addr v4 = {.family = TF_FAMILY_V4, .port = 443, .ip = {192, 0, 2, 9}};
    struct tf_addr v6 = {.family = TF_FAMILY_V6, .port = 443, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    tf_json_addr(&j, "v4", &v4);
    tf_json_addr(&j, "v6", &v6);
    tf_json_close(&j);
    assert_written(&w, "{\"v4\":\"192.0.2.9\",\"v6\":\"2001:db8::1\"}");
}

static void a_time_is_in_utc_with_milliseconds_and_a_day_without_time(void **state)
{
    (void)state;
    struct tf_writer w = over_text();
    struct tf_json j = tf_json_open(&w);
    tf_json_time(&j, "time", 86401234567);
    tf_json_day(&j, "day", 86401);
    tf_json_close(&j);
    assert_written(&w, "{\"time\":\"1970-01-02T00:00:01.234Z\",\"day\":\"1970-01-02\"}");
}

static void a_version_is_short_and_a_suite_has_its_name(void **state)
{
    (void)state;
    struct tf_writer w = over_text();
    struct tf_json j = tf_json_open(&w);
    tf_json_version(&j, "old", TF_TLS10);
    tf_json_version(&j, "odd", 0x0505);
    tf_json_suite(&j, "named", 0xc02f);
    tf_json_suite(&j, "unnamed", 0xfefe);
    tf_json_close(&j);
    assert_written(&w,
                   "{\"old\":\"1.0\",\"odd\":\"0505\",\"named\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\","
                   "\"unnamed\":\"0xfefe\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_written_without_its_port),
        cmocka_unit_test(a_time_is_in_utc_with_milliseconds_and_a_day_without_time),
        cmocka_unit_test(a_version_is_short_and_a_suite_has_its_name),
    };
    return cmocka_run_group_tests_name("json_fields", tests, NULL, NULL);
}
