/* Any bytes as a server's stream. The answer must not depend on how they come in, and not a byte from the
 * beginning of a ServerHello on may ever be passable. */
#include "../../lib/ja.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static enum tf_parse feed(struct tf_server_scan *scan, const uint8_t *p, size_t n,
                          struct tf_server_hello *hello)
{
    static uint8_t scratch[TF_SERVER_HELLO_MAX];
    size_t passed = scan->passable;
    enum tf_parse result = tf_server_scan(scan, p, n, NULL, 0, hello);
    while (result == TF_PARSE_MORE && scan->in.scratch_wanted > 0) {
        must(scan->in.scratch_wanted <= sizeof scratch);
        result = tf_server_scan(scan, p, n, scratch, sizeof scratch, hello);
    }
    must(scan->passable >= passed && scan->passable <= n);
    return result;
}

/* The records of what may pass: alerts, one change_cipher_spec, and the handshake records of a
 * HelloRetryRequest. */
static void check_passable(const uint8_t *p, size_t n, bool retried)
{
    for (size_t at = 0; at < n;) {
        must(n - at > 5);
        size_t length = (size_t)p[at + 3] << 8 | p[at + 4];
        must(length > 0 && length <= n - at - 5);
        must(p[at] == 21 || (retried && (p[at] == 20 || p[at] == 22)));
        must(p[at] == 22 || length == (p[at] == 21 ? 2 : 1));
        at += 5 + length;
    }
}

static enum tf_parse feed_in_steps(struct tf_server_scan *scan, const uint8_t *data, size_t size,
                                   struct tf_server_hello *hello)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_server_scan scan = {.floor = TF_TLS12}, steps = {.floor = TF_TLS12};
    struct tf_server_hello hello, same;
    enum tf_parse result = feed(&scan, data, size, &hello);
    must(feed_in_steps(&steps, data, size, &same) == result);
    must(scan.in.why == steps.in.why && scan.passable == steps.passable && scan.retried == steps.retried);
    must((result == TF_PARSE_OTHER || result == TF_PARSE_BAD) == (scan.in.reason != TF_REASON_NONE));
    check_passable(data, scan.passable, scan.retried);
    if (result != TF_PARSE_DONE)
        return 0;
    must(hello.wire_len == same.wire_len && hello.wire_len <= size && hello.version == same.version);
    must(scan.passable < hello.wire_len);
    must(hello.legacy_version >= TF_TLS12 || hello.version <= hello.legacy_version);
    static char text[1 << 19];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_ja3s_text(&w, &hello);
    must(!w.full);
    return 0;
}
