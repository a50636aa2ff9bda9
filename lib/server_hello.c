/* ServerHellos: which version the server really picks. Owns the layout of
 * the ServerHello, which a HelloRetryRequest shares; where in the stream it
 * lies is left to server_scan.c. */
#include "extensions.h"
#include "hello.h"

#include <string.h>

/* The random of a HelloRetryRequest (RFC 8446 4.1.3): SHA-256 of "HelloRetryRequest". */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                         0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                         0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* The last eight bytes of random tell of a downgrade (RFC 8446 4.1.3): "DOWNGRD", and 1 or 0. */
static uint16_t downgrade_sentinel(const uint8_t *random)
{
    if (memcmp(random + 24, "DOWNGRD", 7) != 0 || random[31] > 1)
        return 0;
    return random[31] == 1 ? TF_TLS12 : TF_TLS11;
}

/* The version of a supported_versions extension (RFC 8446 4.2.1): two bytes, no list. */
static const char *parse_extensions(struct tf_reader block, bool *has_version, uint16_t *version)
{
    struct tf_type_set seen;
    seen.n = 0;
    struct tf_extension ext;
    while (tf_extension_next(&block, &ext)) {
        if (!tf_type_set_add(&seen, ext.type))
            return "an extension comes twice (RFC 8446 4.2)";
        if (ext.type != TF_EXT_SUPPORTED_VERSIONS)
            continue;
        *has_version = true;
        *version = tf_read_u16(&ext.body);
        if (ext.body.failed || ext.body.left > 0)
            return "supported_versions is not one version (RFC 8446 4.2.1)";
    }
    return block.failed ? "an extension runs over the end of its block (RFC 8446 4.2)" : NULL;
}

/* ServerHello (RFC 8446 4.1.3, RFC 5246 7.4.1.3, RFC 6101 5.6.1.3):
 *   2   server_version
 *   32  random
 *   1   length of session_id, at most 32
 *   2   cipher_suite
 *   1   compression_method
 *   2   length of extensions; with these two bytes they may be left out */
static const char *parse_hello(struct tf_span body, struct tf_server_hello *hello)
{
    struct tf_reader r = tf_reader_of(body.p, body.n);
    hello->legacy_version = tf_read_u16(&r);
    struct tf_span random = tf_read_span(&r, 32);
    struct tf_reader session_id = tf_read_vec8(&r);
    hello->cipher = tf_read_u16(&r);
    tf_read_u8(&r);
    struct tf_reader block = r.left > 0 ? tf_read_vec16(&r) : tf_reader_of(NULL, 0);
    if (r.failed || r.left > 0)
        return "the fields do not fill the ServerHello (RFC 8446 4.1.3)";
    if (session_id.left > 32)
        return "session_id is longer than 32 bytes (RFC 8446 4.1.3)";
    /* Drafts of TLS 1.3 up to 21 had their version here; no server may (RFC 8446 4.1.3). */
    if (hello->legacy_version > TF_TLS12)
        return "legacy_version is above 0x0303 (RFC 8446 4.1.3)";

    hello->extensions = (struct tf_span){block.p, block.left};
    hello->hello_retry = memcmp(random.p, retry_random, sizeof retry_random) == 0;
    hello->downgrade_sentinel = downgrade_sentinel(random.p);
    bool has_version = false;
    uint16_t version = 0;
    const char *why = parse_extensions(block, &has_version, &version);
    /* An older client goes by legacy_version: the extension cannot raise one that is below TLS 1.2. */
    if (has_version && (hello->legacy_version == TF_TLS12 || version < hello->legacy_version))
        hello->version = version;
    else
        hello->version = hello->legacy_version;
    return why;
}

enum tf_parse tf_server_hello_parse(struct tf_span body, struct tf_server_hello *hello, const char **why)
{
    *hello = (struct tf_server_hello){0};
    *why = parse_hello(body, hello);
    return *why ? TF_PARSE_BAD : TF_PARSE_DONE;
}
