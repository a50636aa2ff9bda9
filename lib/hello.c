/* ClientHellos: what a client's first message says, field by field.
 *
 * Owns the layouts of the ClientHello and of the extensions that matter
 * here, in which the choices are those of `tests/data/README.md`: a vector
 * that is broken makes the whole hello malformed, since another parser might
 * read it differently. Records are left to deframe.c, SSLv2 to sslv2.c. */
#include "deframe.h"
#include "extensions.h"
#include "sslv2.h"

/* The list that a length came in front of and that must fill the extension: one or more elements of `size`
 * bytes. */
static bool read_list(const struct tf_reader *body, struct tf_reader list, size_t size, struct tf_span *out)
{
    if (list.failed || body->left > 0 || list.left == 0 || list.left % size != 0)
        return false;
    *out = tf_read_span(&list, list.left);
    return true;
}

static bool read_list8(struct tf_reader body, size_t size, struct tf_span *out)
{
    struct tf_reader list = tf_read_vec8(&body);
    return read_list(&body, list, size, out);
}

static bool read_list16(struct tf_reader body, size_t size, struct tf_span *out)
{
    struct tf_reader list = tf_read_vec16(&body);
    return read_list(&body, list, size, out);
}

/* ServerNameList (RFC 6066 3):
 *   2  length of the list
 *   1    NameType: 0, host_name; there is no other, and each may come once
 *   2    length
 *   n    HostName */
static const char *parse_server_name(struct tf_reader body, struct tf_hello *hello)
{
    struct tf_reader list = tf_read_vec16(&body);
    uint8_t type = tf_read_u8(&list);
    struct tf_reader name = tf_read_vec16(&list);
    if (list.failed || body.left > 0 || list.left > 0 || type != 0)
        return "server_name is not a list of one host_name (RFC 6066 3)";
    if (name.left == 0 || name.left > 255)
        return "the host_name has a length outside 1 to 255 (RFC 6066 3, RFC 1035 2.3.4)";
    hello->server_name = tf_read_span(&name, name.left);
    for (size_t i = 0; i < hello->server_name.n; i++)
        if (hello->server_name.p[i] < 0x21 || hello->server_name.p[i] > 0x7e)
            return "the host_name has bytes that are not printable ASCII (RFC 6066 3)";
    return NULL;
}

/* ProtocolNameList (RFC 7301 3.1):
 *   2  length of the list
 *   1    length
 *   n    ProtocolName, not empty; and so on */
static const char *parse_alpn(struct tf_reader body, struct tf_hello *hello)
{
    bool sound = read_list16(body, 1, &hello->alpn);
    struct tf_reader names = tf_reader_of(hello->alpn.p, hello->alpn.n);
    while (sound && names.left > 0)
        sound = tf_read_vec8(&names).left > 0;
    return sound ? NULL : "the ALPN list is broken (RFC 7301 3.1)";
}

static const char *parse_extension(const struct tf_extension *ext, struct tf_hello *hello)
{
    bool sound = true;
    const char *why = NULL;
    switch (ext->type) {
    case TF_EXT_SERVER_NAME:
        return parse_server_name(ext->body, hello);
    case TF_EXT_ALPN:
        return parse_alpn(ext->body, hello);
    case TF_EXT_SUPPORTED_GROUPS:
        sound = read_list16(ext->body, 2, &hello->groups);
        why = "supported_groups is broken (RFC 8446 4.2.7)";
        break;
    case TF_EXT_EC_POINT_FORMATS:
        sound = read_list8(ext->body, 1, &hello->point_formats);
        why = "ec_point_formats is broken (RFC 8422 5.1.2)";
        break;
    case TF_EXT_SIGNATURE_ALGORITHMS:
        sound = read_list16(ext->body, 2, &hello->signature_algorithms);
        why = "signature_algorithms is broken (RFC 8446 4.2.3)";
        break;
    case TF_EXT_SUPPORTED_VERSIONS:
        sound = read_list8(ext->body, 2, &hello->supported_versions);
        why = "supported_versions is broken (RFC 8446 4.2.1)";
        hello->has_supported_versions = true;
        break;
    }
    return sound ? NULL : why;
}

static const char *parse_extensions(struct tf_reader r, struct tf_hello *hello)
{
    struct tf_reader block = tf_read_vec16(&r);
    if (r.failed || r.left > 0)
        return "the extensions do not fill the rest of the ClientHello (RFC 8446 4.1.2)";
    hello->has_extensions = true;
    hello->extensions = (struct tf_span){block.p, block.left};
    struct tf_type_set seen;
    seen.n = 0;
    struct tf_extension ext;
    while (tf_extension_next(&block, &ext)) {
        if (!tf_type_set_add(&seen, ext.type))
            return "an extension comes twice (RFC 8446 4.2)";
        const char *why = parse_extension(&ext, hello);
        if (why)
            return why;
    }
    return block.failed ? "an extension runs over the end of its block (RFC 8446 4.2)" : NULL;
}

/* ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6101 5.6.1.2):
 *   2   client_version
 *   32  random
 *   1   length of session_id, at most 32
 *   2   length of cipher_suites, two bytes each, at least one
 *   1   length of compression_methods, at least one
 *   2   length of extensions; with these two bytes they may be left out */
static const char *parse_hello(struct tf_span body, struct tf_hello *hello)
{
    struct tf_reader r = tf_reader_of(body.p, body.n);
    hello->legacy_version = tf_read_u16(&r);
    tf_read_span(&r, 32);
    struct tf_reader session_id = tf_read_vec8(&r);
    struct tf_reader ciphers = tf_read_vec16(&r);
    struct tf_reader compression = tf_read_vec8(&r);
    if (r.failed)
        return "a field runs over the end of the ClientHello (RFC 8446 4.1.2)";
    if (session_id.left > 32)
        return "session_id is longer than 32 bytes (RFC 8446 4.1.2)";
    if (ciphers.left == 0 || ciphers.left % 2 != 0)
        return "cipher_suites is empty or of odd length (RFC 8446 4.1.2)";
    if (compression.left == 0)
        return "compression_methods is empty (RFC 5246 7.4.1.2)";
    hello->ciphers = tf_read_span(&ciphers, ciphers.left);
    if (r.left == 0)
        return NULL;

    struct tf_hello extended = *hello;
    const char *why = parse_extensions(r, &extended);
    if (!why)
        *hello = extended;
    /* What SSL 3.0 has behind compression_methods is for the future, and to be ignored (RFC 6101 5.6.1.2). */
    return hello->legacy_version == TF_SSL3 ? NULL : why;
}

/* Where a version stands among offers: TLS 1.3 itself above its drafts and experiments. 0: it is none. */
static uint32_t standing(uint16_t version)
{
    uint16_t rank = tf_version_rank(version);
    return rank == 0 ? 0 : (uint32_t)rank << 16 | (version == rank ? 0xffff : version);
}

/* supported_versions is all that counts where it is there, in any order. Without it nobody may agree on more
 * than TLS 1.2, whatever client_version says (RFC 8446 4.2.1). */
static uint16_t highest_offer(const struct tf_hello *hello)
{
    if (!hello->has_supported_versions)
        return hello->legacy_version > TF_TLS12 ? TF_TLS12 : hello->legacy_version;
    uint16_t highest = 0;
    struct tf_reader r = tf_reader_of(hello->supported_versions.p, hello->supported_versions.n);
    while (r.left > 0) {
        uint16_t version = tf_read_u16(&r);
        if (standing(version) > standing(highest))
            highest = version;
    }
    return highest;
}

static const struct tf_message_kind client_hello = {
    .type = 1,
    .ends_record = true,
    .shortest = 41,
    .longest = TF_HELLO_MAX,
    .wrong_type = "the first handshake message is no ClientHello (RFC 8446 4)",
    .wrong_length = "no ClientHello has the length that the message's header says (RFC 8446 4.1.2)",
};

static enum tf_parse scan_tls(struct tf_hello_scan *scan, const uint8_t *stream, size_t n, uint8_t *scratch,
                              size_t scratch_size, struct tf_hello *hello)
{
    struct tf_span body;
    enum tf_parse result = tf_message_scan(scan, &client_hello, stream, n, scratch, scratch_size, &body);
    if (result != TF_PARSE_DONE)
        return result;
    *hello = (struct tf_hello){
        .format = TF_FORMAT_TLS, .record_version = scan->record_version, .wire_len = scan->wire_at};
    const char *why = parse_hello(body, hello);
    return why ? tf_bad(scan, why) : TF_PARSE_DONE;
}

enum tf_parse tf_client_scan(struct tf_hello_scan *scan, const uint8_t *stream, size_t n, uint8_t *scratch,
                             size_t scratch_size, struct tf_hello *hello)
{
    if (n == 0)
        return TF_PARSE_MORE;
    enum tf_parse result = tf_is_sslv2(stream[0]) ? tf_sslv2_scan(scan, stream, n, hello)
                                                  : scan_tls(scan, stream, n, scratch, scratch_size, hello);
    if (result == TF_PARSE_DONE)
        hello->max_version = highest_offer(hello);
    else if (result == TF_PARSE_OTHER)
        scan->reason = TF_REASON_CLIENT_NOT_TLS;
    else if (result == TF_PARSE_BAD && scan->reason == TF_REASON_NONE)
        scan->reason = TF_REASON_CLIENT_HELLO_MALFORMED;
    return result;
}
