/* Any bytes as a client's stream. A hello must read the same however it comes in, stay as it is once decided,
 * and everything that is made of it must keep its bounds. */
#include "../../lib/ja.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static enum tf_parse feed(struct tf_hello_scan *scan, const uint8_t *p, size_t n, struct tf_hello *hello)
{
    static uint8_t scratch[TF_HELLO_MAX];
    enum tf_parse result = tf_client_scan(scan, p, n, NULL, 0, hello);
    if (result == TF_PARSE_MORE && scan->scratch_wanted > 0) {
        must(scan->scratch_wanted <= scan->limit);
        result = tf_client_scan(scan, p, n, scratch, scan->scratch_wanted, hello);
        must(result != TF_PARSE_MORE);
    }
    return result;
}

/* In steps that the input itself chooses, from memory that ends where the bytes do. Answers at the first step
 * that is not asked for more. */
static enum tf_parse feed_in_steps(struct tf_hello_scan *scan, const uint8_t *data, size_t size,
                                   struct tf_hello *hello)
{
    enum tf_parse result = TF_PARSE_MORE;
    for (size_t n = 0, round = 0; n < size && result == TF_PARSE_MORE; round++) {
        size_t step = 1 + (data[round % size] & 0x3f) * (round > 64 ? round : 1);
        n = size - n < step ? size : n + step;
        uint8_t *copy = malloc(n);
        must(copy != NULL);
        memcpy(copy, data, n);
        result = feed(scan, copy, n, hello);
        free(copy);
    }
    return result;
}

static void no_start(void *ctx)
{
    (void)ctx;
}

static void sum_up(void *ctx, const void *p, size_t n)
{
    unsigned *sum = ctx;
    for (size_t i = 0; i < n; i++)
        *sum += ((const uint8_t *)p)[i];
}

static void no_finish(void *ctx, uint8_t *out)
{
    (void)ctx;
    memset(out, 0, 32);
}

static void use(const struct tf_hello *hello)
{
    unsigned sum = 0;
    const struct tf_digest digest = {&sum, 32, no_start, sum_up, no_finish};
    static char text[1 << 19];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_version(&w, hello->max_version);
    tf_put_short_version(&w, hello->legacy_version);
    tf_put_ja3_text(&w, hello);
    tf_put_ja3(&w, hello, &digest);
    tf_put_ja4(&w, hello, &digest);
    must(!w.full);
    must(hello->server_name.n <= 255);
    must(hello->ciphers.n > 0);
    must(hello->supported_versions.n > 0 || !hello->has_supported_versions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_hello_scan scan = {.limit = TF_HELLO_MAX}, steps = {.limit = TF_HELLO_MAX};
    struct tf_hello hello, same;
    enum tf_parse result = feed(&scan, data, size, &hello);
    must(feed_in_steps(&steps, data, size, &same) == result);
    must(scan.why == steps.why && scan.reason == steps.reason);
    must((result == TF_PARSE_OTHER || result == TF_PARSE_BAD) == (scan.reason != TF_REASON_NONE));
    if (result != TF_PARSE_DONE)
        return 0;
    must(hello.wire_len == same.wire_len && hello.wire_len <= size);
    must(hello.max_version == same.max_version && hello.ciphers.n == same.ciphers.n);
    use(&hello);
    return 0;
}
