/* A ClientHello, the stream that carries it and the scan that reads it: what
 * the tests of hello.c, deframe.c and sslv2.c have in common. */
#ifndef CLIENT_SCAN_H
#define CLIENT_SCAN_H

#include "../../lib/hello.h"
#include "hello_maker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Bytes of a string literal, its NUL left out. */
#define BYTES(text) text, sizeof(text) - 1

static struct maker exts, body, message, stream;
static uint8_t scratch[TF_HELLO_MAX];
static struct tf_hello hello;
static struct tf_hello_scan scan;

static inline int begin(void **state)
{
    (void)state;
    exts.n = body.n = message.n = stream.n = 0;
    return 0;
}

/* The hello in one record. */
static inline void make_hello(struct client_hello parts)
{
    body.n = message.n = stream.n = 0;
    put_client_hello(&body, parts);
    put_message(&message, 1, &body);
    put_records(&stream, &message, 16384, 16384);
}

/* A hello with the extensions that are read, in one record: the one that the cut tests cut. */
static inline void make_rich_hello(void)
{
    exts.n = 0;
    put_extension(&exts, 0x3a3a, "", 0);
    put_sni(&exts, "www.example.com");
    put_extension(&exts, 10, "\0\4\0\x1d\0\x17", 6);
    put_extension(&exts, 11, "\1\0", 2);
    put_extension(&exts, 13, "\0\4\4\3\x08\4", 6);
    put_extension(&exts, 16, "\0\x0c\2h2\x08http/1.1", 14);
    put_extension(&exts, 43, "\6\x3a\x3a\3\4\3\3", 7);
    make_hello((struct client_hello){.session_id = 32, .extensions = &exts});
}

static inline enum tf_parse feed_bytes(const uint8_t *p, size_t n)
{
    enum tf_parse result = tf_client_scan(&scan, p, n, NULL, 0, &hello);
    if (result == TF_PARSE_MORE && scan.scratch_wanted > 0) {
        assert_true(scan.scratch_wanted <= scan.limit);
        result = tf_client_scan(&scan, p, n, scratch, scan.scratch_wanted, &hello);
    }
    return result;
}

static inline enum tf_parse scan_bytes(const uint8_t *p, size_t n)
{
    scan = (struct tf_hello_scan){.limit = TF_HELLO_MAX};
    return feed_bytes(p, n);
}

static inline enum tf_parse scan_stream(void)
{
    return scan_bytes(stream.p, stream.n);
}

/* The stream grows by `step` bytes, and each time lies elsewhere, with nothing readable behind it. Up to its
 * end, the answer must be MORE. */
static inline enum tf_parse scan_growing(size_t step)
{
    scan = (struct tf_hello_scan){.limit = TF_HELLO_MAX};
    enum tf_parse result = TF_PARSE_MORE;
    for (size_t n = 0; n < stream.n;) {
        assert_int_equal(result, TF_PARSE_MORE);
        n = n + step < stream.n ? n + step : stream.n;
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, stream.p, n);
        result = feed_bytes(copy, n);
        free(copy);
    }
    return result;
}

static inline void assert_span(struct tf_span s, const void *p, size_t n)
{
    assert_int_equal(s.n, n);
    assert_memory_equal(s.p, p, n);
}

static inline void assert_rich_hello(void)
{
    assert_int_equal(hello.format, TF_FORMAT_TLS);
    assert_int_equal(hello.record_version, TF_TLS10);
    assert_int_equal(hello.legacy_version, TF_TLS12);
    assert_int_equal(hello.max_version, TF_TLS13);
    assert_true(hello.has_extensions);
    assert_true(hello.has_supported_versions);
    assert_int_equal(hello.ciphers.n, 4);
    assert_int_equal(hello.extensions.n, exts.n);
    assert_int_equal(hello.wire_len, stream.n);
}

static inline void assert_bad(enum tf_parse result)
{
    assert_int_equal(result, TF_PARSE_BAD);
    assert_non_null(scan.why);
    assert_int_equal(scan.reason, TF_REASON_CLIENT_HELLO_MALFORMED);
}

static inline void assert_other(enum tf_parse result)
{
    assert_int_equal(result, TF_PARSE_OTHER);
    assert_non_null(scan.why);
    assert_int_equal(scan.reason, TF_REASON_CLIENT_NOT_TLS);
}

/* A test that begins with nothing made yet. */
#define TEST(name) cmocka_unit_test_setup(name, begin)

#endif
