/* ClientHellos in SSLv2 format: what SSL 2.0 clients send, and clients of
 * every version up to TLS 1.2 that want to please SSL 2.0 servers.
 *
 * Only the two-byte record header is known: RFC 5246 E.2 has no other, and
 * the three-byte one is for the padding of encrypted records. */
#include "sslv2.h"

#include "deframe.h"

#define HEADER       11u                /* up to and with challenge_length */
#define SHORTEST     (HEADER + 3 + 16u) /* one cipher, no session_id, the shortest challenge */
#define CLIENT_HELLO 1

bool tf_is_sslv2(uint8_t first)
{
    return (first & 0x80) != 0;
}

static enum tf_parse other(struct tf_hello_scan *scan)
{
    scan->why = "neither a TLS record nor a CLIENT-HELLO of SSLv2 (RFC 5246 E.2)";
    return TF_PARSE_OTHER;
}

/* V2ClientHello (RFC 5246 E.2):
 *   2  length of what follows, the highest bit set
 *   1  msg_type
 *   2  version
 *   2  cipher_spec_length: three bytes each, at least one
 *   2  session_id_length: 0 or 16
 *   2  challenge_length: 16 to 32
 *   n  cipher_specs, session_id, challenge: no more and no less */
enum tf_parse tf_sslv2_scan(struct tf_hello_scan *scan, const uint8_t *stream, size_t n,
                            struct tf_hello *hello)
{
    struct tf_reader r = tf_reader_of(stream, n);
    size_t wire_len = 2 + (tf_read_u16(&r) & 0x7fffu);
    uint8_t type = tf_read_u8(&r);
    if (!r.failed && type != CLIENT_HELLO)
        return other(scan);
    uint16_t version = tf_read_u16(&r);
    if (r.failed)
        return TF_PARSE_MORE;
    if (version != TF_SSL2 && version >> 8 != 3)
        return other(scan);
    if (wire_len < SHORTEST)
        return tf_bad(scan, "the record is shorter than any CLIENT-HELLO of SSLv2 (RFC 5246 E.2)");
    if (wire_len - 2 > scan->limit) {
        scan->reason = TF_REASON_CLIENT_HELLO_TOO_LONG;
        return tf_bad(scan, "the hello is longer than the configured limit");
    }

    size_t ciphers = tf_read_u16(&r);
    size_t session_id = tf_read_u16(&r);
    size_t challenge = tf_read_u16(&r);
    if (r.failed)
        return TF_PARSE_MORE;
    if (ciphers == 0 || ciphers % 3 != 0)
        return tf_bad(scan, "cipher_specs is empty, or its length no multiple of 3 (RFC 5246 E.2)");
    if (session_id != 0 && session_id != 16)
        return tf_bad(scan, "session_id has neither 0 nor 16 bytes (RFC 2246 E.1)");
    if (challenge < 16 || challenge > 32)
        return tf_bad(scan, "the challenge has a length outside 16 to 32 (RFC 5246 E.2)");
    if (HEADER + ciphers + session_id + challenge != wire_len)
        return tf_bad(scan, "the fields do not fill the record (RFC 5246 E.2)");
    if (n < wire_len)
        return TF_PARSE_MORE;
    *hello = (struct tf_hello){.format = TF_FORMAT_SSLV2, .legacy_version = version, .wire_len = wire_len};
    hello->ciphers = tf_read_span(&r, ciphers);
    return TF_PARSE_DONE;
}
