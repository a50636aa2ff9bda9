/* Readers and writers never leave their bounds, and remember that they tried. */
#include "../../lib/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void integers_are_big_endian(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xff, 0x01, 0x02, 0x80, 0x00, 0x03};
    struct tf_reader r = tf_reader_of(bytes, sizeof bytes);
    assert_int_equal(tf_read_u8(&r), 0xff);
    assert_int_equal(tf_read_u16(&r), 0x0102);
    assert_int_equal(tf_read_u24(&r), 0x800003);
    assert_int_equal(r.left, 0);
    assert_false(r.failed);
}

static void read_past_the_end_fails_for_good(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3};
    struct tf_reader r = tf_reader_of(bytes, sizeof bytes);
    assert_int_equal(tf_read_u16(&r), 0x0102);
    assert_int_equal(tf_read_u16(&r), 0);
    assert_true(r.failed);
    assert_int_equal(r.left, 0);
    assert_int_equal(tf_read_u8(&r), 0); /* though one byte was left */
    assert_int_equal(tf_read_span(&r, 0).n, 0);
    assert_true(tf_read_vec8(&r).failed);
}

static void spans_lie_in_the_bytes_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct tf_reader r = tf_reader_of(bytes, sizeof bytes);
    tf_read_u8(&r);
    struct tf_span s = tf_read_span(&r, 2);
    assert_ptr_equal(s.p, bytes + 1);
    assert_int_equal(s.n, 2);
    assert_int_equal(r.left, 1);
    assert_int_equal(tf_read_span(&r, 2).n, 0);
    assert_true(r.failed);
}

static void reader_over_nothing_can_read_nothing(void **state)
{
    (void)state;
    struct tf_reader r = tf_reader_of(NULL, 0);
    assert_int_equal(tf_read_span(&r, 0).n, 0);
    assert_false(r.failed);
    assert_int_equal(tf_read_u8(&r), 0);
    assert_true(r.failed);
}

typedef struct tf_reader read_vec(struct tf_reader *r);

static void vectors_are_cut_out_at_every_length(void **state)
{
    (void)state;
    static read_vec *const readers[] = {tf_read_vec8, tf_read_vec16, tf_read_vec24};
    for (size_t size = 1; size <= 3; size++)
        for (size_t length = 0; length < 8; length++)
            for (size_t n = 0; n < size + 8; n++) {
                uint8_t *bytes = calloc(n > 0 ? n : 1, 1);
                assert_non_null(bytes);
                if (n >= size)
                    bytes[size - 1] = (uint8_t)length;
                struct tf_reader r = tf_reader_of(bytes, n);
                struct tf_reader inner = readers[size - 1](&r);
                bool fits = n >= size && length <= n - size;
                assert_int_equal(inner.failed, !fits);
                assert_int_equal(r.failed, !fits);
                assert_int_equal(inner.left, fits ? length : 0);
                assert_int_equal(r.left, fits ? n - size - length : 0);
                if (fits && length > 0)
                    assert_ptr_equal(inner.p, bytes + size);
                free(bytes);
            }
}

static void inner_vector_cannot_run_over_the_outer(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {2, 2, 'a', 'b'};
    struct tf_reader r = tf_reader_of(bytes, sizeof bytes);
    struct tf_reader outer = tf_read_vec8(&r);
    struct tf_reader inner = tf_read_vec8(&outer);
    assert_true(inner.failed);
    assert_true(outer.failed);
    assert_false(r.failed);
    assert_int_equal(r.left, 1);
}

static void assert_written(const struct tf_writer *w, const char *text)
{
    assert_int_equal(w->len, strlen(text));
    assert_memory_equal(w->p, text, strlen(text));
    assert_false(w->full);
}

static void numbers_are_written_in_full(void **state)
{
    (void)state;
    char text[200];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_u64(&w, 0);
    tf_put_char(&w, ' ');
    tf_put_u64(&w, UINT64_MAX);
    tf_put_char(&w, ' ');
    tf_put_i64(&w, INT64_MIN);
    tf_put_char(&w, ' ');
    tf_put_i64(&w, -1);
    tf_put_char(&w, ' ');
    tf_put_i64(&w, INT64_MAX);
    assert_written(&w, "0 18446744073709551615 -9223372036854775808 -1 9223372036854775807");
    w.len = 0;
    tf_put_padded(&w, 7, 3);
    tf_put_padded(&w, 1234, 3);
    tf_put_padded(&w, 0, 2);
    assert_written(&w, "007123400");
}

static void bytes_are_written_in_hexadecimal(void **state)
{
    (void)state;
    char text[32];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_hex(&w, (const uint8_t *)"\x00\x9f\xa0\xff", 4);
    tf_put_hex16(&w, 0x0a1b);
    tf_put_hex(&w, NULL, 0);
    assert_written(&w, "009fa0ff0a1b");
}

static void write_that_does_not_fit_is_left_out_whole_and_ends_it(void **state)
{
    (void)state;
    char text[8] = "........";
    struct tf_writer w = tf_writer_of(text, 5);
    tf_put_text(&w, "abc");
    tf_put_text(&w, "def");
    assert_true(w.full);
    tf_put_char(&w, 'x'); /* would fit, but what is written must not have a hole */
    assert_int_equal(w.len, 3);
    assert_memory_equal(text, "abc.....", 8);
}

static void writer_can_be_filled_to_the_last_byte(void **state)
{
    (void)state;
    char text[3];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put(&w, "abc", 3);
    tf_put(&w, NULL, 0);
    assert_written(&w, "abc");
    tf_put_char(&w, 'd');
    assert_true(w.full);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(read_past_the_end_fails_for_good),
        cmocka_unit_test(spans_lie_in_the_bytes_read),
        cmocka_unit_test(reader_over_nothing_can_read_nothing),
        cmocka_unit_test(vectors_are_cut_out_at_every_length),
        cmocka_unit_test(inner_vector_cannot_run_over_the_outer),
        cmocka_unit_test(numbers_are_written_in_full),
        cmocka_unit_test(bytes_are_written_in_hexadecimal),
        cmocka_unit_test(write_that_does_not_fit_is_left_out_whole_and_ends_it),
        cmocka_unit_test(writer_can_be_filled_to_the_last_byte),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
