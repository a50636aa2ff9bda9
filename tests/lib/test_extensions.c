/* Walking over a block of extensions, and the set of their types. */
#include "../../lib/extensions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void extensions_come_one_by_one(void **state)
{
    (void)state;
    static const uint8_t block[] = {0, 43, 0, 2, 3, 4, 0x12, 0x34, 0, 0};
    struct tf_reader r = tf_reader_of(block, sizeof block);
    struct tf_extension ext;
    assert_true(tf_extension_next(&r, &ext));
    assert_int_equal(ext.type, TF_EXT_SUPPORTED_VERSIONS);
    assert_int_equal(ext.body.left, 2);
    assert_int_equal(tf_read_u16(&ext.body), 0x0304);
    assert_true(tf_extension_next(&r, &ext));
    assert_int_equal(ext.type, 0x1234);
    assert_int_equal(ext.body.left, 0);
    assert_false(tf_extension_next(&r, &ext));
    assert_false(r.failed);
}

static void broken_block_ends_with_failure_at_every_cut(void **state)
{
    (void)state;
    static const uint8_t block[] = {0, 43, 0, 2, 3, 4};
    for (size_t n = 1; n < sizeof block; n++) {
        struct tf_reader r = tf_reader_of(block, n);
        struct tf_extension ext;
        assert_false(tf_extension_next(&r, &ext));
        assert_true(r.failed);
        assert_false(tf_extension_next(&r, &ext));
    }
}

static void set_takes_every_type_once(void **state)
{
    (void)state;
    struct tf_type_set set;
    set.n = 0;
    for (uint32_t i = 0; i <= 0xffff; i++) {
        uint16_t type = (uint16_t)(i * 40503u); /* odd factor: every type, in a scattered order */
        assert_true(tf_type_set_add(&set, type));
        assert_false(tf_type_set_add(&set, type));
        assert_false(tf_type_set_add(&set, 0));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_come_one_by_one),
        cmocka_unit_test(broken_block_ends_with_failure_at_every_cut),
        cmocka_unit_test(set_takes_every_type_once),
    };
    return cmocka_run_group_tests_name("extensions", tests, NULL, NULL);
}
