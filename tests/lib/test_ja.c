/* Fingerprints: the exact text that is digested. The digest is one that writes down what it is fed; real ones
 * are compared with those of other tools by tests/inspect_corpus.py. */
#include "../../lib/ja.h"

#include "client_scan.h"

/* What was fed, each digest's text ended by a newline. */
static struct maker fed;
static int running;

static void fake_start(void *ctx)
{
    (void)ctx;
    assert_int_equal(running, 0);
    running = 1;
}

static void fake_add(void *ctx, const void *p, size_t n)
{
    (void)ctx;
    put_bytes(&fed, p, n);
}

static void fake_finish(void *ctx, uint8_t *out)
{
    const size_t *size = ctx;
    assert_int_equal(running, 1);
    running = 0;
    put_bytes(&fed, "\n", 1);
    for (size_t i = 0; i < *size; i++)
        out[i] = (uint8_t)(0xa0 + i);
}

static size_t sixteen = 16, thirty_two = 32;
static const struct tf_digest md5 = {&sixteen, 16, fake_start, fake_add, fake_finish};
static const struct tf_digest sha256 = {&thirty_two, 32, fake_start, fake_add, fake_finish};

#define MD5_HEX    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define SHA256_HEX "a0a1a2a3a4a5"

static char text[1 << 20];
static struct tf_writer w;

static int begin_ja(void **state)
{
    fed.n = 0;
    w = tf_writer_of(text, sizeof text);
    return begin(state);
}

static void assert_text(const char *expected)
{
    assert_false(w.full);
    tf_put_char(&w, '\0');
    assert_string_equal(text, expected);
}

static void assert_fed(const char *expected)
{
    put_fill(&fed, 0, 1);
    assert_string_equal((char *)fed.p, expected);
}

/* Reads the hello that was made. */
static void read_hello(void)
{
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
}

static void put_ja4(void)
{
    fed.n = 0;
    w.len = 0;
    tf_put_ja4(&w, &hello, &sha256);
}

/* ---- JA3 ---- */

static void ja3_text_lists_the_fields_without_grease(void **state)
{
    (void)state;
    static struct maker ciphers;
    ciphers.n = 0;
    put_bytes(&ciphers, "\x0a\x0a\x13\x01\xc0\x2f\0\x2f", 8);
    put_extension(&exts, 0x3a3a, "", 0);
    put_sni(&exts, "a");
    put_extension(&exts, 10, "\0\6\x2a\x2a\0\x1d\0\x17", 8);
    put_extension(&exts, 11, "\2\0\1", 3);
    put_extension(&exts, 0xff01, "\0", 1);
    make_hello((struct client_hello){.ciphers = &ciphers, .extensions = &exts});
    read_hello();
    tf_put_ja3_text(&w, &hello);
    assert_text("771,4865-49199-47,0-10-11-65281,29-23,0-1");
}

static void ja3_of_a_hello_without_extensions_has_empty_fields(void **state)
{
    (void)state;
    make_hello((struct client_hello){.version = TF_TLS10, .bare = true});
    read_hello();
    tf_put_ja3_text(&w, &hello);
    assert_text("769,4865-49199,,,");
}

static void ja3_is_the_digest_of_its_text(void **state)
{
    (void)state;
    make_rich_hello();
    read_hello();
    tf_put_ja3(&w, &hello, &md5);
    assert_text(MD5_HEX);
    assert_fed("771,4865-49199,0-10-11-13-16-43,29-23,0\n");
}

/* Every alignment of the pieces in which a long text is digested, ends with empty fields included. */
static void ja3_of_long_lists_is_fed_without_a_gap(void **state)
{
    (void)state;
    static struct maker ciphers;
    for (size_t n = 30; n < 30 + 260; n++) {
        ciphers.n = 0;
        for (size_t i = 0; i < n; i++)
            put_uint(&ciphers, 0x1301 + (i % 7) * 0x1000 * (i % 3), 2);
        make_hello((struct client_hello){.ciphers = &ciphers, .bare = true});
        read_hello();
        fed.n = 0;
        w.len = 0;
        tf_put_ja3(&w, &hello, &md5);
        w.len = 0;
        tf_put_ja3_text(&w, &hello);
        tf_put_char(&w, '\n');
        assert_int_equal(fed.n, w.len);
        assert_memory_equal(fed.p, text, w.len);
    }
}

static void ja3s_lists_version_cipher_and_extensions(void **state)
{
    (void)state;
    static const struct tf_server_hello server = {
        .legacy_version = TF_TLS12,
        .version = TF_TLS13,
        .cipher = 0x1302,
        .extensions = {(const uint8_t *)"\0\x2b\0\2\3\4\0\x33\0\0", 10}};
    tf_put_ja3s_text(&w, &server);
    assert_text("771,4866,43-51");
    w.len = 0;
    tf_put_ja3s(&w, &server, &md5);
    assert_text(MD5_HEX);
    assert_fed("771,4866,43-51\n");
    static const struct tf_server_hello bare = {.legacy_version = TF_TLS10, .cipher = 5};
    w.len = 0;
    tf_put_ja3s_text(&w, &bare);
    assert_text("769,5,");
}

/* ---- JA4 ---- */

static void ja4_counts_and_digests_sorted_lists(void **state)
{
    (void)state;
    make_rich_hello();
    read_hello();
    put_ja4();
    assert_text("t13d0206h2_" SHA256_HEX "_" SHA256_HEX);
    assert_fed("1301,c02f\n000a,000b,000d,002b_0403,0804\n");
}

static void ja4_sorts_any_number_of_suites_and_keeps_repeated_ones(void **state)
{
    (void)state;
    static struct maker ciphers;
    static struct tf_writer expected;
    static char sorted[1 << 18];
    for (size_t n = 1; n <= 200; n++) {
        ciphers.n = 0;
        expected = tf_writer_of(sorted, sizeof sorted);
        for (size_t i = 0; i < n; i++) {
            put_uint(&ciphers, 0x1000 + (i * 37 % n) / 2, 2); /* each twice */
            if (i > 0)
                tf_put_char(&expected, ',');
            tf_put_hex16(&expected, (uint16_t)(0x1000 + i / 2));
        }
        tf_put_char(&expected, '\n');
        if (n % 37 == 0)
            continue; /* 37 * i would not reach every residue */
        make_hello((struct client_hello){.ciphers = &ciphers, .bare = true});
        read_hello();
        put_ja4();
        assert_int_equal(fed.n, expected.len);
        assert_memory_equal(fed.p, sorted, expected.len);
    }
}

static void ja4_of_the_longest_suite_list_is_sorted(void **state)
{
    (void)state;
    static struct maker ciphers;
    ciphers.n = 0;
    for (size_t i = 0; i < 32767; i++)
        put_uint(&ciphers, 0xffff - i, 2);
    body.n = message.n = stream.n = 0;
    put_client_hello(&body, (struct client_hello){.ciphers = &ciphers, .bare = true});
    put_message(&message, 1, &body);
    put_records(&stream, &message, 16384, 16384);
    read_hello();
    put_ja4();
    for (size_t i = 5; i + 5 < fed.n; i += 5)
        assert_true(memcmp(fed.p + i - 5, fed.p + i, 4) < 0);
}

static void ja4_counts_no_further_than_99(void **state)
{
    (void)state;
    static struct maker ciphers;
    static const size_t counts[] = {9, 10, 99, 100, 3000};
    static const char *const parts[] = {"t12i0909", "t12i1010", "t12i9999", "t12i9999", "t12i9999"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ciphers.n = exts.n = 0;
        put_uint(&ciphers, 0x4a4a, 2);
        put_extension(&exts, 0x4a4a, "", 0);
        for (size_t k = 0; k < counts[i]; k++) {
            put_uint(&ciphers, 0x1000 + k, 2);
            put_extension(&exts, (uint16_t)(0x1000 + k), "", 0);
        }
        body.n = message.n = stream.n = 0;
        put_client_hello(&body, (struct client_hello){.ciphers = &ciphers, .extensions = &exts});
        put_message(&message, 1, &body);
        put_records(&stream, &message, 16384, 16384);
        read_hello();
        put_ja4();
        assert_memory_equal(text, parts[i], 8);
    }
}

static void ja4_of_empty_lists_is_zeros(void **state)
{
    (void)state;
    static struct maker ciphers;
    ciphers.n = 0;
    put_uint(&ciphers, 0x1a1a, 2);
    put_sni(&exts, "a");
    put_extension(&exts, 16, "\0\3\2h2", 5);
    make_hello((struct client_hello){.ciphers = &ciphers, .extensions = &exts});
    read_hello();
    put_ja4();
    assert_text("t12d0002h2_000000000000_000000000000");
    assert_fed("");
}

static void ja4_takes_signature_algorithms_as_they_come(void **state)
{
    (void)state;
    put_extension(&exts, 13, "\0\x08\6\1\x5a\x5a\4\3\2\1", 10);
    make_hello((struct client_hello){.extensions = &exts});
    read_hello();
    put_ja4();
    assert_fed("1301,c02f\n000d_0601,0403,0201\n");
}

static void ja4_names_the_numerically_highest_version(void **state)
{
    (void)state;
    static const struct {
        uint16_t legacy;
        const char *list;
        size_t n;
        const char *name;
    } rows[] = {
        {0x0303, BYTES("\3\3\3\4"), "13"},
        {0x0303, BYTES("\x7f\x1c\3\4"), "00"},
        {0x0303, BYTES("\xfa\xfa\3\2"), "11"},
        {0x0303, BYTES("\x0a\x0a"), "00"},
        {0x0303, NULL, 0, "12"},
        {0x0304, NULL, 0, "13"},
        {0x0302, NULL, 0, "11"},
        {0x0301, NULL, 0, "10"},
        {0x0300, NULL, 0, "s3"},
        {0x0002, NULL, 0, "s2"},
        {0x0400, NULL, 0, "00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        exts.n = 0;
        if (rows[i].list) {
            put_uint(&exts, 43, 2);
            put_uint(&exts, rows[i].n + 1, 2);
            put_vec(&exts, 1, rows[i].list, rows[i].n);
        }
        make_hello((struct client_hello){.version = rows[i].legacy, .extensions = &exts});
        read_hello();
        put_ja4();
        assert_memory_equal(text + 1, rows[i].name, 2);
    }
}

static void ja4_shows_both_ends_of_the_first_protocol(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
        const char *shown;
    } rows[] = {
        {BYTES("h2"), "h2"},       {BYTES("http/1.1"), "h1"}, {BYTES("h"), "hh"},  {BYTES("\xab"), "ab"},
        {BYTES("\xab\xcd"), "ad"}, {BYTES("h\xcd"), "6d"},    {BYTES("-2"), "22"}, {BYTES("Zz"), "Zz"},
        {BYTES("\x0a\x0a"), "0a"}, {BYTES("\0"), "00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        exts.n = 0;
        put_uint(&exts, 16, 2);
        put_uint(&exts, rows[i].n + 6, 2);
        put_uint(&exts, rows[i].n + 4, 2);
        put_vec(&exts, 1, rows[i].p, rows[i].n);
        put_vec(&exts, 1, "xy", 2);
        make_hello((struct client_hello){.extensions = &exts});
        read_hello();
        put_ja4();
        assert_memory_equal(text + 8, rows[i].shown, 2);
    }
}

/* ---- where there is none ---- */

static void sslv2_hellos_have_no_fingerprint(void **state)
{
    (void)state;
    static const struct tf_hello v2 = {
        .format = TF_FORMAT_SSLV2, .legacy_version = TF_TLS10, .ciphers = {(const uint8_t *)"\0\0\x2f", 3}};
    tf_put_ja3_text(&w, &v2);
    tf_put_ja3(&w, &v2, &md5);
    tf_put_ja4(&w, &v2, &sha256);
    assert_text("");
    assert_fed("");
}

static void without_a_digest_nothing_is_written(void **state)
{
    (void)state;
    static const struct tf_digest none = {0};
    static const struct tf_server_hello server = {.legacy_version = TF_TLS12};
    make_rich_hello();
    read_hello();
    tf_put_ja3(&w, &hello, &none);
    tf_put_ja4(&w, &hello, &none);
    tf_put_ja3s(&w, &server, &none);
    assert_text("");
}

int main(void)
{
#define JA(name) cmocka_unit_test_setup(name, begin_ja)
    static const struct CMUnitTest tests[] = {
        JA(ja3_text_lists_the_fields_without_grease),
        JA(ja3_of_a_hello_without_extensions_has_empty_fields),
        JA(ja3_is_the_digest_of_its_text),
        JA(ja3_of_long_lists_is_fed_without_a_gap),
        JA(ja3s_lists_version_cipher_and_extensions),
        JA(ja4_counts_and_digests_sorted_lists),
        JA(ja4_sorts_any_number_of_suites_and_keeps_repeated_ones),
        JA(ja4_of_the_longest_suite_list_is_sorted),
        JA(ja4_counts_no_further_than_99),
        JA(ja4_of_empty_lists_is_zeros),
        JA(ja4_takes_signature_algorithms_as_they_come),
        JA(ja4_names_the_numerically_highest_version),
        JA(ja4_shows_both_ends_of_the_first_protocol),
        JA(sslv2_hellos_have_no_fingerprint),
        JA(without_a_digest_nothing_is_written),
    };
    return cmocka_run_group_tests_name("ja", tests, NULL, NULL);
}
