/* ServerHellos: which version is picked, and which are broken. */
#include "server_stream.h"

static void server_hello_is_read(void **state)
{
    (void)state;
    add_hello(TF_TLS12, TF_TLS13);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.record_version, 0x0301);
    assert_int_equal(hello.legacy_version, TF_TLS12);
    assert_int_equal(hello.version, TF_TLS13);
    assert_int_equal(hello.cipher, 0x1301);
    assert_false(hello.hello_retry);
    assert_int_equal(hello.downgrade_sentinel, 0);
    assert_int_equal(hello.extensions.n, exts.n);
    assert_memory_equal(hello.extensions.p, exts.p, exts.n);
    assert_int_equal(hello.wire_len, stream.n);
    assert_int_equal(scan.passable, 0);
    assert_int_equal(scan.in.scratch_wanted, 0);
}

static void server_hello_without_extensions_is_read(void **state)
{
    (void)state;
    put_server_hello(&body, (struct server_hello){.version = TF_TLS10, .bare = true});
    assert_int_equal(body.n, 38);
    put_message(&message, 2, &body);
    put_record(&stream, 22, message.p, message.n);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.version, TF_TLS10);
    assert_int_equal(hello.extensions.n, 0);
}

static void certificate_in_the_same_record_need_not_be_there_yet(void **state)
{
    (void)state;
    make_message(TF_TLS12, NULL, 0);
    size_t end = 5 + message.n;
    put_fill(&message, 0x0b, 5000);
    put_record(&stream, 22, message.p, message.n);
    assert_int_equal(scan_bytes(stream.p, end - 1), TF_PARSE_MORE);
    assert_int_equal(scan_bytes(stream.p, end), TF_PARSE_DONE);
    assert_int_equal(hello.wire_len, end);
    assert_int_equal(scan.in.scratch_wanted, 0);
}

static void longest_server_hello_is_read_and_no_longer_one(void **state)
{
    (void)state;
    put_fill(&exts, 0x77, 2);
    put_uint(&exts, 65531, 2);
    put_fill(&exts, 0, 65531);
    put_server_hello(&body, (struct server_hello){.session_id = 32, .extensions = &exts});
    assert_int_equal(body.n, TF_SERVER_HELLO_MAX);
    put_message(&message, 2, &body);
    put_records(&stream, &message, 16384, 16384);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    static const size_t lengths[] = {0, 37, TF_SERVER_HELLO_MAX + 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        message.n = stream.n = 0;
        put_uint(&message, 2, 1);
        put_uint(&message, lengths[i], 3);
        put_record(&stream, 22, message.p, 4);
        assert_bad(scan_stream());
    }
}

static void version_is_the_one_really_picked(void **state)
{
    (void)state;
    static const struct {
        uint16_t legacy, extension, version;
    } rows[] = {
        {0x0303, 0, 0x0303},      {0x0302, 0, 0x0302},      {0x0301, 0, 0x0301},
        {0x0300, 0, 0x0300},      {0x0002, 0, 0x0002},      {0x0200, 0, 0x0200},
        {0x0303, 0x0304, 0x0304}, {0x0303, 0x0303, 0x0303}, {0x0303, 0x0301, 0x0301},
        {0x0303, 0x7f1c, 0x7f1c}, {0x0303, 0x7e01, 0x7e01}, {0x0303, 0x0a0a, 0x0a0a},
        {0x0302, 0x0304, 0x0302}, {0x0301, 0x0304, 0x0301}, {0x0301, 0x7f1c, 0x0301},
        {0x0302, 0x0301, 0x0301},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        stream.n = 0;
        add_hello(rows[i].legacy, rows[i].extension);
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_int_equal(hello.legacy_version, rows[i].legacy);
        assert_int_equal(hello.version, rows[i].version);
    }
}

static void legacy_version_above_tls12_is_malformed(void **state)
{
    (void)state;
    static const uint16_t versions[] = {0x0304, 0x03ff, 0x0400, 0x7f12, 0xfeff};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        stream.n = 0;
        add_hello(versions[i], TF_TLS13);
        assert_bad(scan_stream());
    }
}

static void downgrade_sentinels_are_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *end;
        uint16_t sentinel;
    } rows[] = {{"DOWNGRD\1", TF_TLS12}, {"DOWNGRD\0", TF_TLS11}, {"DOWNGRD\2", 0}, {"DOWNGRd\1", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char random[32] = {0};
        memcpy(random + 24, rows[i].end, 8);
        make_message(TF_TLS12, random, 0);
        stream.n = 0;
        put_record(&stream, 22, message.p, message.n);
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_int_equal(hello.downgrade_sentinel, rows[i].sentinel);
    }
}

static enum tf_parse scan_body(void)
{
    message.n = stream.n = 0;
    put_message(&message, 2, &body);
    put_record(&stream, 22, message.p, message.n);
    return scan_stream();
}

static void body_cut_or_lengthened_is_malformed(void **state)
{
    (void)state;
    make_message(TF_TLS12, NULL, TF_TLS13);
    size_t whole = body.n, bare = whole - exts.n - 2;
    for (body.n = whole - 1; body.n >= 38; body.n--)
        if (body.n == bare)
            assert_int_equal(scan_body(), TF_PARSE_DONE);
        else
            assert_bad(scan_body());
    body.n = whole;
    put_fill(&body, 0, 1);
    assert_bad(scan_body());
}

static void broken_fields_are_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } blocks[] = {
        {BYTES("\0\x2b\0\0")},                   /* no version */
        {BYTES("\0\x2b\0\1\3")},                 /* half of one */
        {BYTES("\0\x2b\0\3\2\3\4")},             /* a list, as a client sends it */
        {BYTES("\0\x2b\0\2\3\4\0\x2b\0\2\3\3")}, /* twice */
        {BYTES("\0\x33\0\0\0\x2b\0\2\3\4\0\x33\0\0")},
        {BYTES("\0\x2b\0\5\3\4")},
        {BYTES("\0\x2b\0")},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        exts.n = body.n = 0;
        put_bytes(&exts, blocks[i].p, blocks[i].n);
        put_server_hello(&body, (struct server_hello){.extensions = &exts});
        assert_bad(scan_body());
    }
    body.n = 0;
    put_server_hello(&body, (struct server_hello){.session_id = 33});
    assert_bad(scan_body());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(server_hello_is_read),
        TEST(server_hello_without_extensions_is_read),
        TEST(certificate_in_the_same_record_need_not_be_there_yet),
        TEST(longest_server_hello_is_read_and_no_longer_one),
        TEST(version_is_the_one_really_picked),
        TEST(legacy_version_above_tls12_is_malformed),
        TEST(downgrade_sentinels_are_noticed),
        TEST(body_cut_or_lengthened_is_malformed),
        TEST(broken_fields_are_malformed),
    };
    return cmocka_run_group_tests_name("server_hello", tests, NULL, NULL);
}
