/* smtp_data.c: where a message ends. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/smtp_data.h"
#include <string.h>

static void the_end_of_a_message_is_found_over_any_split(void **state)
{
    (void)state;
    static const char text[] = "a\r\n.b\r\n..\r\n\r\r\n.\r\r\n.\r\n.\r\n";
    size_t end = sizeof text - 1 - strlen(".\r\n");
    for (size_t split = 0; split < sizeof text; split++) {
        enum tf_smtp_data at = TF_SMTP_DATA_LINE;
        size_t n = tf_smtp_data_scan(&at, (struct tf_span){(const uint8_t *)text, split});
        n += tf_smtp_data_scan(&at, (struct tf_span){(const uint8_t *)text + split, sizeof text - 1 - split});
        assert_int_equal(n, end);
        assert_int_equal(at, TF_SMTP_DATA_OVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_end_of_a_message_is_found_over_any_split)};
    return cmocka_run_group_tests_name("smtp_data", tests, NULL, NULL);
}
