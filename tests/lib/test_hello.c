/* ClientHellos: every way in which what they say may be broken, and what counts when it is not. */
#include "client_scan.h"

static void hello_in_one_record_is_read_where_it_lies(void **state)
{
    (void)state;
    make_rich_hello();
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(scan.scratch_wanted, 0);
    assert_rich_hello();
    assert_true(hello.ciphers.p > stream.p && hello.ciphers.p < stream.p + stream.n);
    assert_span(hello.ciphers, "\x13\x01\xc0\x2f", 4);
    assert_span(hello.extensions, exts.p, exts.n);
    assert_span(hello.supported_versions, "\x3a\x3a\3\4\3\3", 6);
    assert_span(hello.groups, "\0\x1d\0\x17", 4);
    assert_span(hello.point_formats, "\0", 1);
    assert_span(hello.signature_algorithms, "\4\3\x08\4", 4);
    assert_span(hello.alpn, "\2h2\x08http/1.1", 12);
    assert_span(hello.server_name, "www.example.com", 15);
}

static void what_follows_the_hello_is_left_alone(void **state)
{
    (void)state;
    make_rich_hello();
    size_t end = stream.n;
    put_bytes(&stream, "anything at all", 15);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.wire_len, end);
}

static void absent_fields_are_empty(void **state)
{
    (void)state;
    make_hello((struct client_hello){.bare = true});
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_false(hello.has_extensions);
    assert_int_equal(hello.extensions.n + hello.alpn.n + hello.server_name.n + hello.groups.n, 0);
    make_hello((struct client_hello){0});
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_true(hello.has_extensions);
    assert_int_equal(hello.extensions.n, 0);
}

static void body_that_ends_early_is_malformed_but_where_extensions_may_be_left_out(void **state)
{
    (void)state;
    make_rich_hello();
    size_t fixed = body.n - exts.n - 2;
    static struct maker cut;
    for (size_t n = 41; n < body.n; n++) {
        cut.n = message.n = stream.n = 0;
        put_bytes(&cut, body.p, n);
        put_message(&message, 1, &cut);
        put_records(&stream, &message, 16384, 16384);
        if (n == fixed)
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
        else
            assert_bad(scan_stream());
    }
}

static void body_with_bytes_left_over_is_malformed(void **state)
{
    (void)state;
    for (size_t extra = 1; extra < 6; extra++) {
        make_rich_hello();
        put_fill(&body, 0, extra);
        message.n = stream.n = 0;
        put_message(&message, 1, &body);
        put_records(&stream, &message, 16384, 16384);
        assert_bad(scan_stream());
    }
}

/* Sets one byte of the hello in the stream, at an offset into the body. */
static enum tf_parse scan_with(size_t at, uint8_t value)
{
    make_rich_hello();
    stream.p[9 + at] = value;
    return scan_stream();
}

static void lengths_that_are_off_are_malformed(void **state)
{
    (void)state;
    enum {
        SESSION_ID = 34,
        CIPHERS = SESSION_ID + 33,
        COMPRESSION = CIPHERS + 6,
        EXTENSIONS = COMPRESSION + 2
    };
    static const struct {
        size_t at;
        int by;
    } changes[] = {{SESSION_ID, -1}, {SESSION_ID, 1},    {SESSION_ID, 100},    {CIPHERS + 1, -1},
                   {CIPHERS + 1, 1}, {CIPHERS + 1, 2},   {CIPHERS, 1},         {COMPRESSION, -1},
                   {COMPRESSION, 1}, {COMPRESSION, 100}, {EXTENSIONS + 1, -1}, {EXTENSIONS + 1, 1},
                   {EXTENSIONS, 1}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_rich_hello();
        assert_bad(scan_with(changes[i].at, (uint8_t)(body.p[changes[i].at] + changes[i].by)));
    }
}

static void session_id_longer_than_32_bytes_is_malformed(void **state)
{
    (void)state;
    make_hello((struct client_hello){.session_id = 32});
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    make_hello((struct client_hello){.session_id = 33});
    assert_bad(scan_stream());
}

static void cipher_suites_must_be_pairs_of_bytes_and_at_least_one(void **state)
{
    (void)state;
    static struct maker ciphers;
    for (size_t n = 0; n < 6; n++) {
        ciphers.n = 0;
        put_fill(&ciphers, 0x2f, n);
        make_hello((struct client_hello){.ciphers = &ciphers});
        if (n > 0 && n % 2 == 0)
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
        else
            assert_bad(scan_stream());
    }
}

static void compression_methods_must_not_be_empty(void **state)
{
    (void)state;
    put_client_hello(&body, (struct client_hello){.bare = true});
    body.n -= 2;
    put_uint(&body, 0, 1);
    put_uint(&body, 0, 2); /* no extensions */
    put_message(&message, 1, &body);
    put_records(&stream, &message, 16384, 16384);
    assert_bad(scan_stream());
}

static enum tf_parse scan_extensions(void)
{
    make_hello((struct client_hello){.extensions = &exts});
    return scan_stream();
}

static enum tf_parse scan_extension(uint16_t type, const void *p, size_t n)
{
    exts.n = 0;
    put_extension(&exts, type, p, n);
    return scan_extensions();
}

static void repeated_extension_is_malformed_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t count = 2; count <= 70; count++)
        for (size_t again = 0; again + 1 < count; again += 7) {
            exts.n = 0;
            for (size_t i = 0; i + 1 < count; i++)
                put_extension(&exts, (uint16_t)(0x5000 + 31 * i), "x", 1);
            put_extension(&exts, (uint16_t)(0x5000 + 31 * again), "", 0);
            assert_bad(scan_extensions());
        }
}

static void thousands_of_different_extensions_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16000; i++)
        put_extension(&exts, (uint16_t)(0x1000 + i), "", 0);
    body.n = message.n = stream.n = 0;
    put_client_hello(&body, (struct client_hello){.extensions = &exts});
    put_message(&message, 1, &body);
    put_records(&stream, &message, 16384, 16384);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    exts.p[exts.n - 4] = 0x10; /* the last is now the same as the first */
    exts.p[exts.n - 3] = 0x00;
    body.n = message.n = stream.n = 0;
    put_client_hello(&body, (struct client_hello){.extensions = &exts});
    put_message(&message, 1, &body);
    put_records(&stream, &message, 16384, 16384);
    assert_bad(scan_stream());
}

struct extension_row {
    uint16_t type;
    const char *p;
    size_t n;
};

static void block_that_ends_inside_an_extension_is_malformed(void **state)
{
    (void)state;
    put_sni(&exts, "www.example.com");
    size_t whole = exts.n;
    for (exts.n = 1; exts.n < whole; exts.n++)
        assert_bad(scan_extensions());
    for (size_t extra = 1; extra < 4; extra++) {
        exts.n = whole;
        put_fill(&exts, 0x77, extra);
        assert_bad(scan_extensions());
    }
}

static void sound_extensions_are_taken(void **state)
{
    (void)state;
    static const struct extension_row rows[] = {
        {0, BYTES("\0\4\0\0\1a")},
        {0, BYTES("\0\x0c\0\0\x09"
                  "192.0.2.7")},
        {0, BYTES("\0\x07\0\0\4a_B.")},
        {10, BYTES("\0\2\0\x17")},
        {11, BYTES("\1\0")},
        {13, BYTES("\0\2\4\3")},
        {16, BYTES("\0\3\2h2")},
        {16, BYTES("\0\2\1\xab")},
        {43, BYTES("\2\3\4")},
        {0x1234, BYTES("")},
        {0x1234, BYTES("whatever")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(scan_extension(rows[i].type, rows[i].p, rows[i].n), TF_PARSE_DONE);
}

static void broken_extensions_are_malformed(void **state)
{
    (void)state;
    static const struct extension_row rows[] = {
        {0, BYTES("")},                     /* no list */
        {0, BYTES("\0\0")},                 /* empty list */
        {0, BYTES("\0\3\0\0\0")},           /* empty name */
        {0, BYTES("\0\4\1\0\1a")},          /* a name_type that does not exist */
        {0, BYTES("\0\x08\0\0\1a\0\0\1b")}, /* two names */
        {0, BYTES("\0\5\0\0\1a")},          /* list over the extension */
        {0, BYTES("\0\3\0\0\1a")},          /* shorter than what there is */
        {0, BYTES("\0\4\0\0\2a")},          /* name over the list */
        {0, BYTES("\0\4\0\0\1ab")},         /* a byte behind the list */
        {0, BYTES("\0\5\0\0\2a\0")},        /* NUL */
        {0, BYTES("\0\6\0\0\3a b")},        /* space */
        {0, BYTES("\0\6\0\0\3a\r\n")},      /* line end */
        {0, BYTES("\0\5\0\0\2\xc3\xa4")},   /* UTF-8 */
        {0, BYTES("\0\4\0\0\1\x7f")},       /* DEL */
        {10, BYTES("")},
        {10, BYTES("\0\0")},
        {10, BYTES("\0\3\0\x17\0")},
        {10, BYTES("\0\4\0\x17")},
        {10, BYTES("\0\2\0\x17\0")},
        {11, BYTES("")},
        {11, BYTES("\0")},
        {11, BYTES("\2\0")},
        {11, BYTES("\1\0\0")},
        {13, BYTES("\0\0")},
        {13, BYTES("\0\1\4")},
        {13, BYTES("\0\4\4\3")},
        {13, BYTES("\0\2\4\3\4")},
        {16, BYTES("")},
        {16, BYTES("\0\0")},
        {16, BYTES("\0\1\0")}, /* empty protocol */
        {16, BYTES("\0\4\2h2\0")},
        {16, BYTES("\0\3\3h2")}, /* protocol over the list */
        {16, BYTES("\0\4\2h2")}, /* list over the extension */
        {16, BYTES("\0\3\2h2x")},
        {43, BYTES("")},
        {43, BYTES("\0")},
        {43, BYTES("\3\3\4\3")},
        {43, BYTES("\4\3\4")},
        {43, BYTES("\2\3\4\3")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_bad(scan_extension(rows[i].type, rows[i].p, rows[i].n));
}

static void name_may_have_255_bytes_and_no_more(void **state)
{
    (void)state;
    char name[257];
    for (size_t n = 254; n <= 256; n++) {
        memset(name, 'a', n);
        name[n] = '\0';
        exts.n = 0;
        put_sni(&exts, name);
        if (n <= 255)
            assert_int_equal(scan_extensions(), TF_PARSE_DONE);
        else
            assert_bad(scan_extensions());
    }
}

static void highest_real_offer_counts(void **state)
{
    (void)state;
    static const struct {
        uint16_t legacy;
        const char *list; /* supported_versions, or NULL */
        size_t n;
        uint16_t max;
    } rows[] = {
        {0x0301, NULL, 0, TF_TLS10},
        {0x0303, NULL, 0, TF_TLS12},
        {0x0304, NULL, 0, TF_TLS12}, /* RFC 8446 4.2.1 */
        {0x03ff, NULL, 0, TF_TLS12},
        {0x0400, NULL, 0, TF_TLS12},
        {0x7f1c, NULL, 0, TF_TLS12},
        {0x0300, NULL, 0, TF_SSL3},
        {0x0200, NULL, 0, 0x0200},
        {0x0002, NULL, 0, TF_SSL2},
        {0x0303, BYTES("\3\4\3\3"), TF_TLS13},
        {0x0301, BYTES("\3\4"), TF_TLS13},
        {0x0303, BYTES("\3\1\3\2\3\3\3\4"), TF_TLS13},
        {0x0303, BYTES("\3\2\3\1"), TF_TLS11}, /* the list counts, though it says less */
        {0x0303, BYTES("\xfa\xfa\3\2"), TF_TLS11},
        {0x0303, BYTES("\xfa\xfa\x0a\x0a"), 0},
        {0x0303, BYTES("\x09\x99\3\1"), TF_TLS10},
        {0x0303, BYTES("\x09\x99"), 0},
        {0x0303, BYTES("\x7f\x12\3\3"), 0x7f12},
        {0x0303, BYTES("\x7f\x12\x7f\x1c"), 0x7f1c},
        {0x0303, BYTES("\x7f\x1c\3\4\x7e\1"), TF_TLS13},
        {0x0303, BYTES("\3\3\xfb\x1a"), 0xfb1a},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        exts.n = 0;
        if (rows[i].list) {
            put_uint(&exts, 43, 2);
            put_uint(&exts, rows[i].n + 1, 2);
            put_vec(&exts, 1, rows[i].list, rows[i].n);
        }
        make_hello((struct client_hello){.extensions = &exts});
        stream.p[9] = (uint8_t)(rows[i].legacy >> 8);
        stream.p[10] = (uint8_t)rows[i].legacy;
        assert_int_equal(scan_stream(), TF_PARSE_DONE);
        assert_int_equal(hello.max_version, rows[i].max);
        assert_int_equal(hello.has_supported_versions, rows[i].list != NULL);
    }
}

static void what_ssl3_hellos_have_behind_compression_is_ignored_unless_it_is_extensions(void **state)
{
    (void)state;
    make_hello((struct client_hello){.version = TF_SSL3, .bare = true});
    put_bytes(&body, "for the future", 14);
    message.n = stream.n = 0;
    put_message(&message, 1, &body);
    put_records(&stream, &message, 16384, 16384);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.max_version, TF_SSL3);
    assert_false(hello.has_extensions);

    put_sni(&exts, "a");
    make_hello((struct client_hello){.version = TF_SSL3, .extensions = &exts});
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_span(hello.server_name, "a", 1);
    put_sni(&exts, "b"); /* twice: broken, so that the first one must not count either */
    make_hello((struct client_hello){.version = TF_SSL3, .extensions = &exts});
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.server_name.n, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(hello_in_one_record_is_read_where_it_lies),
        TEST(what_follows_the_hello_is_left_alone),
        TEST(absent_fields_are_empty),
        TEST(body_that_ends_early_is_malformed_but_where_extensions_may_be_left_out),
        TEST(body_with_bytes_left_over_is_malformed),
        TEST(lengths_that_are_off_are_malformed),
        TEST(session_id_longer_than_32_bytes_is_malformed),
        TEST(cipher_suites_must_be_pairs_of_bytes_and_at_least_one),
        TEST(compression_methods_must_not_be_empty),
        TEST(repeated_extension_is_malformed_wherever_it_stands),
        TEST(thousands_of_different_extensions_are_read),
        TEST(block_that_ends_inside_an_extension_is_malformed),
        TEST(sound_extensions_are_taken),
        TEST(broken_extensions_are_malformed),
        TEST(name_may_have_255_bytes_and_no_more),
        TEST(highest_real_offer_counts),
        TEST(what_ssl3_hellos_have_behind_compression_is_ignored_unless_it_is_extensions),
    };
    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
