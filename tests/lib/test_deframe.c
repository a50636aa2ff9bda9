/* Hellos in records: every way in which they may be cut, and every record that may not be there. */
#include "client_scan.h"

static void hello_split_across_two_records_is_reassembled_at_every_cut(void **state)
{
    (void)state;
    make_rich_hello();
    for (size_t cut = 1; cut < message.n; cut++) {
        stream.n = 0;
        put_records(&stream, &message, cut, message.n);
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_rich_hello();
        assert_span(hello.extensions, exts.p, exts.n);
        assert_span(hello.server_name, "www.example.com", 15);
    }
}

static void hello_in_records_of_every_size_is_reassembled(void **state)
{
    (void)state;
    make_rich_hello();
    for (size_t first = 1; first <= 64; first++)
        for (size_t rest = 1; rest <= 64; rest++) {
            stream.n = 0;
            put_records(&stream, &message, first, rest);
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
            assert_rich_hello();
            assert_span(hello.extensions, exts.p, exts.n);
        }
}

static void body_that_lies_in_one_record_needs_no_scratch(void **state)
{
    (void)state;
    make_rich_hello();
    for (size_t cut = 1; cut <= 4; cut++) {
        stream.n = 0;
        put_records(&stream, &message, cut, message.n);
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_int_equal(scan.scratch_wanted, 0);
        assert_span(hello.extensions, exts.p, exts.n);
    }
}

static void every_prefix_asks_for_more(void **state)
{
    (void)state;
    make_rich_hello();
    static const size_t sizes[] = {16384, 100, 7, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        stream.n = 0;
        put_records(&stream, &message, sizes[i], sizes[i]);
        for (size_t n = 0; n < stream.n; n++) {
            assert_int_equal(scan_bytes(stream.p, n), TF_PARSE_MORE);
            assert_int_equal(scan.scratch_wanted, 0);
        }
    }
}

static void bytes_fed_one_by_one_give_the_same_as_at_once(void **state)
{
    (void)state;
    make_rich_hello();
    static const size_t sizes[] = {16384, 100, 20, 4, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t step = 1; step <= 13; step += 4) {
            stream.n = 0;
            put_records(&stream, &message, sizes[i], sizes[i]);
            assert_int_equal(scan_growing(step), TF_PARSE_DONE);
            assert_rich_hello();
        }
}

static void scratch_that_is_too_small_is_asked_for_again(void **state)
{
    (void)state;
    make_rich_hello();
    stream.n = 0;
    put_records(&stream, &message, 20, 20);
    scan = (struct tf_hello_scan){.limit = TF_HELLO_MAX};
    assert_int_equal(tf_client_scan(&scan, stream.p, stream.n, scratch, body.n - 1, &hello), TF_PARSE_MORE);
    assert_int_equal(scan.scratch_wanted, body.n);
    assert_int_equal(tf_client_scan(&scan, stream.p, stream.n, scratch, body.n, &hello), TF_PARSE_DONE);
    assert_rich_hello();
}

/* A sound body of exactly n bytes: all vectors full, the last extension as long as it takes. */
static void make_body(size_t n)
{
    static struct maker ciphers;
    ciphers.n = 0;
    put_fill(&ciphers, 0x13, 65534);
    body.n = exts.n = message.n = 0;
    put_client_hello(&body, (struct client_hello){.session_id = 32, .ciphers = &ciphers, .bare = true});
    body.n -= 2;
    put_uint(&body, 255, 1);
    put_fill(&body, 0, 255);
    size_t left = n - body.n - 2 - 4;
    put_fill(&exts, 0x77, 2);
    put_uint(&exts, left, 2);
    put_fill(&exts, 0, left);
    put_vec(&body, 2, exts.p, exts.n);
    assert_int_equal(body.n, n);
    put_message(&message, 1, &body);
}

static void longest_hello_there_can_be_is_read(void **state)
{
    (void)state;
    make_body(TF_HELLO_MAX);
    static const size_t sizes[] = {16384, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        stream.n = 0;
        put_records(&stream, &message, sizes[i], sizes[i]);
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_int_equal(hello.ciphers.n, 65534);
        assert_int_equal(hello.extensions.n, 65535);
    }
    assert_int_equal(stream.n, TF_WIRE_MAX(TF_HELLO_MAX));
}

static void longest_hello_in_one_byte_records_and_segments_is_read(void **state)
{
    (void)state;
    make_body(TF_HELLO_MAX);
    put_records(&stream, &message, 1, 1);
    scan = (struct tf_hello_scan){.limit = TF_HELLO_MAX};
    for (size_t n = 1; n < stream.n; n++)
        assert_int_equal(feed_bytes(stream.p, n), TF_PARSE_MORE);
    assert_int_equal(feed_bytes(stream.p, stream.n), TF_PARSE_DONE);
}

static void length_that_no_hello_has_is_refused_at_once(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 40, TF_HELLO_MAX + 1, 0xffffff};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        message.n = stream.n = 0;
        put_uint(&message, 1, 1);
        put_uint(&message, lengths[i], 3);
        put_records(&stream, &message, 4, 4);
        assert_bad(scan_stream());
    }
}

static void shortest_hello_is_read(void **state)
{
    (void)state;
    struct maker *ciphers = &exts;
    put_uint(ciphers, 0x002f, 2);
    make_hello((struct client_hello){.ciphers = ciphers, .bare = true});
    assert_int_equal(body.n, 41);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
}

static void hello_over_the_configured_limit_is_told_from_a_broken_one(void **state)
{
    (void)state;
    make_body(70000);
    put_records(&stream, &message, 16384, 16384);
    scan = (struct tf_hello_scan){.limit = 70000};
    assert_int_equal(feed_bytes(stream.p, stream.n), TF_PARSE_DONE);
    scan = (struct tf_hello_scan){.limit = 69999};
    assert_int_equal(feed_bytes(stream.p, 9), TF_PARSE_BAD);
    assert_int_equal(scan.reason, TF_REASON_CLIENT_HELLO_TOO_LONG);
}

static void record_of_no_known_type_is_not_tls(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 0x80; type++) {
        make_rich_hello();
        stream.p[0] = (uint8_t)type;
        if (type == 22)
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
        else if (type >= 20 && type <= 24)
            assert_bad(scan_stream());
        else
            assert_other(scan_stream());
    }
}

static void record_version_major_must_be_3_and_minor_may_be_anything(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        make_rich_hello();
        stream.p[2] = (uint8_t)v;
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_int_equal(hello.record_version, 0x0300 | v);
        stream.p[1] = (uint8_t)v;
        if (v != 3)
            assert_other(scan_stream());
    }
}

static void record_lengths_outside_1_to_16384_are_malformed(void **state)
{
    (void)state;
    static const uint8_t lengths[][2] = {{0, 0}, {0x40, 0x01}, {0x80, 0}, {0xff, 0xff}};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make_rich_hello();
        memcpy(stream.p + 3, lengths[i], 2);
        assert_bad(scan_stream());
        assert_bad(scan_bytes(stream.p, 5));
    }
}

static void empty_record_inside_the_hello_is_malformed(void **state)
{
    (void)state;
    make_rich_hello();
    stream.n = 0;
    put_record(&stream, 22, message.p, 50);
    put_record(&stream, 22, NULL, 0);
    put_record(&stream, 22, message.p + 50, message.n - 50);
    assert_bad(scan_stream());
}

static void other_records_inside_the_hello_are_malformed(void **state)
{
    (void)state;
    static const uint8_t types[] = {20, 21, 23, 24};
    make_rich_hello();
    for (size_t i = 0; i < sizeof types; i++)
        for (size_t cut = 1; cut < 20; cut++) {
            stream.n = 0;
            put_record(&stream, 22, message.p, cut);
            put_record(&stream, types[i], "\1\0", 2);
            put_record(&stream, 22, message.p + cut, message.n - cut);
            assert_bad(scan_stream());
        }
}

static void text_inside_the_hello_is_malformed(void **state)
{
    (void)state;
    make_rich_hello();
    stream.n = 0;
    put_record(&stream, 22, message.p, 100);
    put_bytes(&stream, "GET / HTTP/1.1\r\n", 16);
    assert_bad(scan_stream());
    assert_bad(scan_bytes(stream.p, 105 + 1));
}

static void record_that_goes_on_behind_the_hello_is_malformed(void **state)
{
    (void)state;
    make_rich_hello();
    size_t whole = message.n;
    put_fill(&message, 0, 1);
    for (size_t cut = 1; cut <= whole; cut++) {
        stream.n = 0;
        put_records(&stream, &message, cut, message.n);
        if (cut == whole)
            assert_int_equal(scan_stream(), TF_PARSE_DONE); /* the byte is in a record of its own */
        else
            assert_bad(scan_stream());
    }
    stream.n = 0;
    put_records(&stream, &message, message.n, 1);
    assert_bad(scan_stream());
    assert_bad(scan_bytes(stream.p, 9)); /* the two lengths tell already */
}

static void another_handshake_message_is_malformed(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if (type == 1)
            continue;
        make_rich_hello();
        stream.p[5] = (uint8_t)type;
        assert_bad(scan_stream());
        assert_bad(scan_bytes(stream.p, 6));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(hello_split_across_two_records_is_reassembled_at_every_cut),
        TEST(hello_in_records_of_every_size_is_reassembled),
        TEST(body_that_lies_in_one_record_needs_no_scratch),
        TEST(every_prefix_asks_for_more),
        TEST(bytes_fed_one_by_one_give_the_same_as_at_once),
        TEST(scratch_that_is_too_small_is_asked_for_again),
        TEST(longest_hello_there_can_be_is_read),
        TEST(longest_hello_in_one_byte_records_and_segments_is_read),
        TEST(length_that_no_hello_has_is_refused_at_once),
        TEST(shortest_hello_is_read),
        TEST(hello_over_the_configured_limit_is_told_from_a_broken_one),
        TEST(record_of_no_known_type_is_not_tls),
        TEST(record_version_major_must_be_3_and_minor_may_be_anything),
        TEST(record_lengths_outside_1_to_16384_are_malformed),
        TEST(empty_record_inside_the_hello_is_malformed),
        TEST(other_records_inside_the_hello_are_malformed),
        TEST(text_inside_the_hello_is_malformed),
        TEST(record_that_goes_on_behind_the_hello_is_malformed),
        TEST(another_handshake_message_is_malformed),
    };
    return cmocka_run_group_tests_name("deframe", tests, NULL, NULL);
}
