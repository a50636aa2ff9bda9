/* Streams that begin with no TLS record: hellos in SSLv2 format, and other protocols. */
#include "client_scan.h"

struct v2_hello {
    unsigned type, version;
    size_t ciphers, session_id, challenge;
};

static void make_v2(struct v2_hello v2)
{
    stream.n = 0;
    put_uint(&stream, 0x8000 | (9 + v2.ciphers + v2.session_id + v2.challenge), 2);
    put_uint(&stream, v2.type, 1);
    put_uint(&stream, v2.version, 2);
    put_uint(&stream, v2.ciphers, 2);
    put_uint(&stream, v2.session_id, 2);
    put_uint(&stream, v2.challenge, 2);
    put_fill(&stream, 0xc0, v2.ciphers);
    put_fill(&stream, 's', v2.session_id);
    put_fill(&stream, 'c', v2.challenge);
}

static const struct v2_hello sound_v2 = {.type = 1, .version = 0x0301, .ciphers = 6, .challenge = 32};

static void sslv2_hello_is_read(void **state)
{
    (void)state;
    make_v2(sound_v2);
    put_bytes(&stream, "more", 4);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.format, TF_FORMAT_SSLV2);
    assert_int_equal(hello.legacy_version, TF_TLS10);
    assert_int_equal(hello.max_version, TF_TLS10);
    assert_int_equal(hello.ciphers.n, 6);
    assert_int_equal(hello.wire_len, stream.n - 4);
    assert_false(hello.has_extensions);
}

static void sslv2_hellos_of_every_legal_shape_are_read(void **state)
{
    (void)state;
    static const uint16_t versions[] = {0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x03ff};
    static const uint16_t highest[] = {0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0303, 0x0303};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (size_t challenge = 16; challenge <= 32; challenge++)
            for (size_t session_id = 0; session_id <= 16; session_id += 16) {
                make_v2((struct v2_hello){1, versions[i], 3, session_id, challenge});
                assert_int_equal(scan_growing(1), TF_PARSE_DONE);
                assert_int_equal(hello.max_version, highest[i]);
            }
}

static void broken_sslv2_hellos_are_malformed(void **state)
{
    (void)state;
    static const struct v2_hello rows[] = {
        {1, 0x0301, 0, 0, 32}, {1, 0x0301, 4, 0, 32},  {1, 0x0301, 5, 0, 32},
        {1, 0x0301, 6, 1, 32}, {1, 0x0301, 6, 15, 32}, {1, 0x0301, 6, 32, 32},
        {1, 0x0301, 6, 0, 15}, {1, 0x0301, 6, 0, 33},  {1, 0x0301, 6, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_v2(rows[i]);
        assert_bad(scan_stream());
    }
    static const uint16_t lengths[] = {0x8000, 0x8001, 0x8008, 0x801b, 0x802e, 0x8030, 0xffff};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make_v2(sound_v2);
        stream.p[0] = (uint8_t)(lengths[i] >> 8);
        stream.p[1] = (uint8_t)lengths[i];
        assert_bad(scan_stream());
        assert_bad(scan_bytes(stream.p, 11));
        if (lengths[i] <= 0x801b)
            assert_bad(scan_bytes(stream.p, 5)); /* shorter than any */
    }
}

static void high_bit_without_a_client_hello_is_not_tls(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        make_v2((struct v2_hello){type, 0x0301, 6, 0, 32});
        if (type == 1)
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
        else
            assert_other(scan_stream());
    }
    static const uint16_t versions[] = {0x0000, 0x0001, 0x0003, 0x0102, 0x0200, 0x0400, 0x4f48, 0xfeff};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        make_v2((struct v2_hello){1, versions[i], 6, 0, 32});
        assert_other(scan_stream());
    }
}

static void sslv2_hello_over_the_configured_limit_is_refused(void **state)
{
    (void)state;
    make_v2(sound_v2);
    scan = (struct tf_hello_scan){.limit = stream.n - 3};
    assert_int_equal(feed_bytes(stream.p, stream.n), TF_PARSE_BAD);
    assert_int_equal(scan.reason, TF_REASON_CLIENT_HELLO_TOO_LONG);
}

static void other_protocols_are_not_tls(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } rows[] = {
        {BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n")},
        {BYTES("SSH-2.0-OpenSSH_9.2\r\n")},
        {BYTES("EHLO scanner\r\n")},
        {BYTES("\x16hello")},
        {BYTES("\x13"
               "BitTorrent protocol")},
        {BYTES("\r\n\r\n\0\r\nQUIT\n")},
        {BYTES("\0\0\0\x08\4\xd2\x16\x2f")},
        {BYTES("\x16\xfe\xff\0\0\0\0\0\0\0\0")},
        {BYTES("\0\0\0\0\0\0\0\0\0\0\0\0")},
        {BYTES("\xff\xff\xff\xff\xff\xff")},
        {BYTES("\4\1\1\xbb\xc0\0\2\1\0")},
        {BYTES("\0\x2b\0\1\3\1\0\3\0\0\0\x20")}, /* SSLv2 with a three-byte header */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_other(scan_bytes((const uint8_t *)rows[i].p, rows[i].n));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(sslv2_hello_is_read),
        TEST(sslv2_hellos_of_every_legal_shape_are_read),
        TEST(broken_sslv2_hellos_are_malformed),
        TEST(high_bit_without_a_client_hello_is_not_tls),
        TEST(sslv2_hello_over_the_configured_limit_is_refused),
        TEST(other_protocols_are_not_tls),
    };
    return cmocka_run_group_tests_name("sslv2", tests, NULL, NULL);
}
