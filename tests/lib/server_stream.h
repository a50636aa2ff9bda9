/* A server's stream and the scan that reads it: what the tests of
 * server_hello.c and server_scan.c have in common. */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include "../../lib/hello.h"
#include "hello_maker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Bytes of a string literal, its NUL left out. */
#define BYTES(text) text, sizeof(text) - 1

/* RFC 8446 4.1.3, "special value"; written once more here so that a slip in the parser's copy is seen. */
static const char retry_random[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                                   "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

static struct maker exts, body, message, stream;
static uint8_t scratch[TF_SERVER_HELLO_MAX];
static struct tf_server_hello hello;
static struct tf_server_scan scan;

static inline int begin(void **state)
{
    (void)state;
    exts.n = body.n = message.n = stream.n = 0;
    return 0;
}

/* The message of a ServerHello; `picked` 0: no supported_versions. */
static inline void make_message(uint16_t version, const char *random, uint16_t picked)
{
    exts.n = body.n = message.n = 0;
    put_extension(&exts, 0x0033, "key", 3);
    if (picked) {
        put_uint(&exts, 43, 2);
        put_uint(&exts, 2, 2);
        put_uint(&exts, picked, 2);
    }
    put_server_hello(&body, (struct server_hello){
                                .version = version, .random = random, .session_id = 32, .extensions = &exts});
    put_message(&message, 2, &body);
}

static inline void add_hello(uint16_t version, uint16_t picked)
{
    make_message(version, NULL, picked);
    put_record(&stream, 22, message.p, message.n);
}

static inline void add_retry(uint16_t picked)
{
    make_message(TF_TLS12, retry_random, picked);
    put_record(&stream, 22, message.p, message.n);
}

static inline void add_alert(uint8_t level, uint8_t description)
{
    uint8_t alert[2] = {level, description};
    put_record(&stream, 21, alert, 2);
}

static inline void add_ccs(void)
{
    put_record(&stream, 20, "\1", 1);
}

static inline enum tf_parse feed_bytes(const uint8_t *p, size_t n)
{
    enum tf_parse result = tf_server_scan(&scan, p, n, NULL, 0, &hello);
    if (result == TF_PARSE_MORE && scan.in.scratch_wanted > 0)
        result = tf_server_scan(&scan, p, n, scratch, scan.in.scratch_wanted, &hello);
    assert_true(scan.passable <= n);
    return result;
}

static inline enum tf_parse scan_bytes(const uint8_t *p, size_t n)
{
    scan = (struct tf_server_scan){.floor = TF_TLS12};
    return feed_bytes(p, n);
}

static inline enum tf_parse scan_stream(void)
{
    return scan_bytes(stream.p, stream.n);
}

/* One byte at a time, from memory that ends where the bytes do. */
static inline enum tf_parse scan_growing(void)
{
    scan = (struct tf_server_scan){.floor = TF_TLS12};
    enum tf_parse result = TF_PARSE_MORE;
    for (size_t n = 1; n <= stream.n && result == TF_PARSE_MORE; n++) {
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, stream.p, n);
        result = feed_bytes(copy, n);
        free(copy);
    }
    return result;
}

static inline void assert_refused(enum tf_parse result, enum tf_parse expected)
{
    assert_int_equal(result, expected);
    assert_non_null(scan.in.why);
    assert_int_equal(scan.in.reason, TF_REASON_SERVER_HELLO_MALFORMED);
}

static inline void assert_bad(enum tf_parse result)
{
    assert_refused(result, TF_PARSE_BAD);
}

/* A test that begins with nothing made yet. */
#define TEST(name) cmocka_unit_test_setup(name, begin)

#endif
