/* proxyproto.c: headers of both versions, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/proxyproto.h"
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
/* 192.0.2.1:40000 to 198.51.100.7:443 */
#define V4_ADDRESSES "\300\0\2\1\306\063\x64\7\x9c\x40\1\273"
#define V6_1         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define V6_2         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"

struct outcome {
    enum tf_parse result;
    struct tf_proxy_header header;
    size_t used;
    const char *why;
};

static struct outcome parse(const void *bytes, size_t n)
{
    struct outcome o = {.why = NULL};
    o.result = tf_proxy_header_parse((struct tf_span){bytes, n}, &o.header, &o.used, &o.why);
    return o;
}

#define PARSE(text) parse(text, sizeof(text) - 1)

static void assert_address(const struct tf_addr *a, const char *wanted)
{
    char text[TF_ADDR_TEXT_MAX + 1] = {0};
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_addr_port(&w, a);
    assert_string_equal(text, wanted);
}

static void assert_header(const struct outcome *o, size_t used, const char *source, const char *destination)
{
    assert_int_equal(o->result, TF_PARSE_DONE);
    assert_int_equal(o->used, used);
    assert_true(o->header.has_addresses);
    assert_address(&o->header.source, source);
    assert_address(&o->header.destination, destination);
}

/* Each beginning of it wants more, and what comes behind it is left alone. */
static void assert_whole(const void *bytes, size_t n)
{
    uint8_t longer[TF_PROXY_HEADER_MAX + 8] = {0};
    for (size_t i = 0; i < n; i++)
        assert_int_equal(parse(bytes, i).result, TF_PARSE_MORE);
    memcpy(longer, bytes, n);
    struct outcome o = parse(longer, n + 8);
    assert_int_equal(o.result, TF_PARSE_DONE);
    assert_int_equal(o.used, n);
}

static void lines_of_version_1_are_read(void **state)
{
    static const char v4[] = "PROXY TCP4 192.0.2.1 198.51.100.7 40000 443\r\n";
    static const char v6[] = "PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n";
    (void)state;
    struct outcome o = PARSE(v4);
    assert_header(&o, sizeof v4 - 1, "192.0.2.1:40000", "198.51.100.7:443");
    assert_whole(v4, sizeof v4 - 1);
    o = PARSE(v6);
    assert_header(&o, sizeof v6 - 1, "[2001:db8::1]:0", "[2001:db8::2]:65535");
    assert_whole(v6, sizeof v6 - 1);
}

static void unknown_clients_have_no_addresses(void **state)
{
    static const char *const lines[] = {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN 1 2 3 anything\r\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct outcome o = parse(lines[i], strlen(lines[i]));
        assert_int_equal(o.result, TF_PARSE_DONE);
        assert_int_equal(o.used, strlen(lines[i]));
        assert_false(o.header.has_addresses);
        assert_whole(lines[i], strlen(lines[i]));
    }
}

static void malformed_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "PROXY TCP4 192.0.2.1 198.51.100.7 40000 443\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.7 40000 443\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.7 40000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 40000 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 40000 443 1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 40000\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 40000 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 040000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.7 40000 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 40000 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.7 40000 443\r\n",
        "PROXY TCP6 192.0.2.1 2001:db8::2 40000 443\r\n",
        "PROXY TCP6 2001:db8::1 198.51.100.7 40000 443\r\n",
        "PROXY TCP6 fe80::1%eth0 2001:db8::2 40000 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.7 40000 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.7 40000 443\r\n",
        "PROXY \r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct outcome o = parse(lines[i], strlen(lines[i]));
        assert_int_equal(o.result, TF_PARSE_BAD);
        assert_non_null(o.why);
    }
}

static void line_has_107_bytes_at_most(void **state)
{
    char line[109];
    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(line, 106).result, TF_PARSE_MORE);
    assert_int_equal(parse(line, 107).result, TF_PARSE_BAD);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(parse(line, sizeof line).result, TF_PARSE_DONE);
    memcpy(line + 105, "xx\r\n", 4);
    assert_int_equal(parse(line, sizeof line).result, TF_PARSE_BAD);
}

static void headers_of_version_2_are_read(void **state)
{
    static const char v4[] = SIGNATURE "\x21\x11\0\x0c" V4_ADDRESSES;
    static const char v6[] = SIGNATURE "\x21\x21\0\x24" V6_1 V6_2 "\x9c\x40\1\273";
    (void)state;
    struct outcome o = PARSE(v4);
    assert_header(&o, sizeof v4 - 1, "192.0.2.1:40000", "198.51.100.7:443");
    assert_whole(v4, sizeof v4 - 1);
    o = PARSE(v6);
    assert_header(&o, sizeof v6 - 1, "[2001:db8::1]:40000", "[2001:db8::2]:443");
    assert_whole(v6, sizeof v6 - 1);
}

static void mapped_addresses_are_those_of_ipv4(void **state)
{
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\377\377"
    static const char v2[] = SIGNATURE "\x21\x21\0\x24" MAPPED "\300\0\2\1" V6_2 "\x9c\x40\1\273";
    static const char v1[] = "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 40000 443\r\n";
    (void)state;
    struct outcome o = PARSE(v2);
    assert_header(&o, sizeof v2 - 1, "192.0.2.1:40000", "[2001:db8::2]:443");
    o = PARSE(v1);
    assert_header(&o, sizeof v1 - 1, "192.0.2.1:40000", "[2001:db8::2]:443");
}

static void headers_without_a_client_of_ours_have_no_addresses(void **state)
{
#define ZEROS_36  V6_1 V6_2 "\0\0\0\0"
#define ZEROS_216 ZEROS_36 ZEROS_36 ZEROS_36 ZEROS_36 ZEROS_36 ZEROS_36
    static const struct {
        const char *bytes;
        size_t n;
    } headers[] = {
#define HEADER(bytes) {bytes, sizeof(bytes) - 1}
        HEADER(SIGNATURE "\x20\0\0\0"),                  /* LOCAL */
        HEADER(SIGNATURE "\x20\x11\0\2xx"),              /* LOCAL: the body means nothing */
        HEADER(SIGNATURE "\x21\0\0\0"),                  /* no family */
        HEADER(SIGNATURE "\x21\0\0\4\4\0\1x"),           /* the same, with a TLV */
        HEADER(SIGNATURE "\x21\x12\0\x0c" V4_ADDRESSES), /* datagrams */
        HEADER(SIGNATURE "\x21\x31\0\xd8" ZEROS_216),    /* Unix */
#undef HEADER
    };
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct outcome o = parse(headers[i].bytes, headers[i].n);
        assert_int_equal(o.result, TF_PARSE_DONE);
        assert_int_equal(o.used, headers[i].n);
        assert_false(o.header.has_addresses);
        assert_whole(headers[i].bytes, headers[i].n);
    }
}

static void malformed_headers_of_version_2_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } headers[] = {
#define HEADER(bytes) {bytes, sizeof(bytes) - 1}
        HEADER(SIGNATURE "\x11\x11\0\x0c" V4_ADDRESSES),          /* version 1 */
        HEADER(SIGNATURE "\x22\x11\0\x0c" V4_ADDRESSES),          /* command 2 */
        HEADER(SIGNATURE "\x21\x41\0\x0c" V4_ADDRESSES),          /* family 4 */
        HEADER(SIGNATURE "\x21\x13\0\x0c" V4_ADDRESSES),          /* protocol 3 */
        HEADER(SIGNATURE "\x21\x11\0\x0b" V4_ADDRESSES),          /* too short */
        HEADER(SIGNATURE "\x21\x21\0\x0c" V4_ADDRESSES),          /* the same */
        HEADER(SIGNATURE "\x21\x31\0\x0c" V4_ADDRESSES),          /* the same */
        HEADER(SIGNATURE "\x21\x11\0\x0d" V4_ADDRESSES "\1"),     /* half a TLV */
        HEADER(SIGNATURE "\x21\x11\0\x0f" V4_ADDRESSES "\1\0\1"), /* its value is missing */
        HEADER(SIGNATURE "\x21\x11\x10\0"),                       /* 4112 bytes */
#undef HEADER
    };
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct outcome o = parse(headers[i].bytes, headers[i].n);
        assert_int_equal(o.result, TF_PARSE_BAD);
        assert_non_null(o.why);
    }
}

static void tlvs_are_passed_over_up_to_4096_bytes(void **state)
{
    uint8_t header[TF_PROXY_HEADER_MAX] = SIGNATURE "\x21\x11\x0f\xf0" V4_ADDRESSES "\1\0\2h2\4\x0f\xdc";
    (void)state;
    struct outcome o = parse(header, sizeof header);
    assert_header(&o, sizeof header, "192.0.2.1:40000", "198.51.100.7:443");
    assert_int_equal(parse(header, sizeof header - 1).result, TF_PARSE_MORE);
}

static void checksum_must_be_right(void **state)
{
    uint8_t header[] = SIGNATURE "\x21\x11\0\x13" V4_ADDRESSES "\3\0\4\xb9\x96\x52\xf9";
    size_t n = sizeof header - 1;
    (void)state;
    struct outcome o = parse(header, n);
    assert_header(&o, n, "192.0.2.1:40000", "198.51.100.7:443");
    for (size_t i = 16; i < n; i++) {
        if (i == 28) /* another type of TLV is passed over */
            continue;
        header[i] ^= 1;
        assert_int_equal(parse(header, n).result, TF_PARSE_BAD);
        header[i] ^= 1;
    }
}

static void checksum_has_four_bytes(void **state)
{
    static const char shorter[] = SIGNATURE "\x21\0\0\6\3\0\3\0\0\0";
    static const char longer[] = SIGNATURE "\x21\0\0\x08\3\0\5\057\143\157\327\0";
    (void)state;
    assert_int_equal(PARSE(shorter).result, TF_PARSE_BAD);
    assert_int_equal(PARSE(longer).result, TF_PARSE_BAD);
}

static void what_is_no_header_is_known_by_its_first_bytes(void **state)
{
    static const char *const others[] = {"\26\3\1",   "G",  "PRI * HTTP/2.0", "PROX-",
                                         "\r\n\r\n ", "\n", "proxy "};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct outcome o = parse(others[i], strlen(others[i]));
        assert_int_equal(o.result, TF_PARSE_BAD);
        assert_string_equal(o.why, "there is no PROXY protocol header");
    }
    assert_int_equal(parse("", 0).result, TF_PARSE_MORE);
}

static void written_headers_are_read_as_they_were_meant(void **state)
{
    static const char *const addresses[] = {"192.0.2.1:40000", "[2001:db8::1]:1", "198.51.100.7:443",
                                            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"};
    (void)state;
    for (unsigned version = 1; version <= 2; version++) {
        for (size_t i = 0; i < 16; i++) {
            char text[TF_PROXY_HEADER_ROOM];
            struct tf_writer w = tf_writer_of(text, sizeof text);
            struct tf_addr from, to;
            assert_true(tf_addr_port_parse(addresses[i / 4], strlen(addresses[i / 4]), &from));
            assert_true(tf_addr_port_parse(addresses[i % 4], strlen(addresses[i % 4]), &to));
            tf_put_proxy_header(&w, version, &from, &to);
            assert_false(w.full);
            struct outcome o = parse(text, w.len);
            assert_header(&o, w.len, addresses[i / 4], addresses[i % 4]);
        }
    }
}

static void written_bytes_are_those_of_the_specification(void **state)
{
    static const char v2[] = SIGNATURE "\x21\x11\0\x0c" V4_ADDRESSES;
    static const char v1[] = "PROXY TCP4 192.0.2.1 198.51.100.7 40000 443\r\n";
    static const struct tf_addr from = {.family = TF_FAMILY_V4, .ip = {192, 0, 2, 1}, .port = 40000};
    static const struct tf_addr to = {.family = TF_FAMILY_V4, .ip = {198, 51, 100, 7}, .port = 443};
    char text[TF_PROXY_HEADER_ROOM];
    (void)state;
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_proxy_header(&w, 1, &from, &to);
    assert_int_equal(w.len, sizeof v1 - 1);
    assert_memory_equal(text, v1, w.len);
    w = tf_writer_of(text, sizeof text);
    tf_put_proxy_header(&w, 2, &from, &to);
    assert_int_equal(w.len, sizeof v2 - 1);
    assert_memory_equal(text, v2, w.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_version_1_are_read),
        cmocka_unit_test(unknown_clients_have_no_addresses),
        cmocka_unit_test(malformed_lines_are_refused),
        cmocka_unit_test(line_has_107_bytes_at_most),
        cmocka_unit_test(headers_of_version_2_are_read),
        cmocka_unit_test(mapped_addresses_are_those_of_ipv4),
        cmocka_unit_test(headers_without_a_client_of_ours_have_no_addresses),
        cmocka_unit_test(malformed_headers_of_version_2_are_refused),
        cmocka_unit_test(tlvs_are_passed_over_up_to_4096_bytes),
        cmocka_unit_test(checksum_must_be_right),
        cmocka_unit_test(checksum_has_four_bytes),
        cmocka_unit_test(what_is_no_header_is_known_by_its_first_bytes),
        cmocka_unit_test(written_headers_are_read_as_they_were_meant),
        cmocka_unit_test(written_bytes_are_those_of_the_specification),
    };
    return cmocka_run_group_tests_name("proxyproto", tests, NULL, NULL);
}
