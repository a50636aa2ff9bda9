/* A session to write lines about, for the tests of record.c, and the line that was written last. */
#ifndef RECORD_STAGE_H
#define RECORD_STAGE_H

#include "../../lib/record.h"
#include "../flat_json.h"

/* Not a digest, but the same bytes every time. */
static inline void digest_start(void *ctx)
{
    (void)ctx;
}

static inline void digest_add(void *ctx, const void *p, size_t n)
{
    (void)ctx, (void)p, (void)n;
}

static inline void md5_finish(void *ctx, uint8_t *out)
{
    (void)ctx;
    memset(out, 0xa5, 16);
}

static inline void sha256_finish(void *ctx, uint8_t *out)
{
    (void)ctx;
    memset(out, 0x5a, 32);
}

static const struct tf_policy floor_1_2 = {.floor = TF_TLS12};

static const struct tf_record_context context = {
    .policy = &floor_1_2,
    .md5 = {.size = 16, .start = digest_start, .add = digest_add, .finish = md5_finish},
    .sha256 = {.size = 32, .start = digest_start, .add = digest_add, .finish = sha256_finish},
};

#define SPAN(bytes) ((struct tf_span){(const uint8_t *)(bytes), sizeof(bytes) - 1})

/* An old printer's session: TLS 1.0 by CONNECT to a mail server. */
static inline struct tf_facts old_printer(void)
{
    static const struct tf_rule rule = {.name = "printers", .owner = "print team", .ticket = "CHG-1042"};
    struct tf_facts facts = {
        .source = {.family = TF_FAMILY_V4, .ip = {10, 20, 0, 7}, .port = 49152},
        .listener = "proxy",
        .user_agent = "ScanToMail/1.0",
        .has_target = true,
        .target = {.host = "mail.example.com", .port = 443},
        .destination = {.family = TF_FAMILY_V4, .ip = {192, 0, 2, 1}, .port = 443},
        .has_hello = true,
        .hello = {.format = TF_FORMAT_TLS,
                  .record_version = TF_TLS10,
                  .legacy_version = TF_TLS10,
                  .max_version = TF_TLS10,
                  .ciphers = SPAN("\x00\x2f\x00\x0a\x0a\x0a"),
                  .server_name = SPAN("mail.example.com")},
        .verdict = TF_VERDICT_BLOCK,
        .reason = TF_REASON_CLIENT_BELOW_FLOOR,
        .rule = &rule,
        .step = "decide",
        .started_us = 1795302419123456,
        .duration_us = 1234,
    };
    return facts;
}

static char line[TF_RECORD_MAX];
static size_t line_len;

static inline void put_block(const struct tf_facts *facts)
{
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_block_record(&w, facts, &context);
    assert_false(w.full);
    line_len = w.len;
    assert_true(flat_read(line, line_len, NULL, NULL, NULL));
}

static inline void put_access(const struct tf_facts *facts)
{
    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_access_head(&w, facts, &context);
    tf_put_access_tail(&w, facts);
    assert_false(w.full);
    line_len = w.len;
    assert_true(flat_read(line, line_len, NULL, NULL, NULL));
}

static inline void assert_line(const char *expected)
{
    assert_int_equal(line_len, strlen(expected));
    assert_memory_equal(line, expected, line_len);
}

static inline void assert_no_field(const char *key)
{
    const char *value;
    size_t n = 0;
    assert_true(flat_read(line, line_len, key, &value, &n));
    if (value != NULL)
        fail_msg("%s is %.*s", key, (int)n, value);
}

static inline void assert_field(const char *key, const char *expected)
{
    const char *value;
    size_t n = 0;
    assert_true(flat_read(line, line_len, key, &value, &n));
    if (value == NULL || n != strlen(expected) || memcmp(value, expected, n) != 0)
        fail_msg("%s is %.*s", key, (int)n, value != NULL ? value : "");
}

/* Where it wanted to go, perhaps. */
static const struct tf_m365_set exchange = {.area = TF_M365_EXCHANGE, .category = TF_M365_ALLOW};

#endif
