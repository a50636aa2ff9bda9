/* The PROXY protocol, read and written, as haproxy.org's proxy-protocol.txt
 * has it; see proxyproto.h. Who may send one is the session's business. */
#include "proxyproto.h"

#include "text.h"

#include <assert.h>
#include <string.h>

/* The longest line of version 1, with its CRLF. */
enum { LINE_MAX = 107 };
enum { SIGNATURE_SIZE = 12, FIXED_SIZE = SIGNATURE_SIZE + 4 };

static const char line_start[] = "PROXY ";
static const uint8_t signature[SIGNATURE_SIZE] = "\r\n\r\n\0\r\nQUIT\n";

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static enum tf_parse fail(const char **why, const char *sentence)
{
    *why = sentence;
    return TF_PARSE_BAD;
}

/* Balancers with one socket for both families write IPv4 clients so. */
static void unmap(struct tf_addr *a)
{
    if (a->family != TF_FAMILY_V6 || memcmp(a->ip, mapped_prefix, sizeof mapped_prefix) != 0)
        return;
    struct tf_addr v4 = {.family = TF_FAMILY_V4, .port = a->port};
    memcpy(v4.ip, a->ip + sizeof mapped_prefix, 4);
    *a = v4;
}

static void take_addresses(struct tf_proxy_header *out, struct tf_addr source, struct tf_addr destination)
{
    unmap(&source);
    unmap(&destination);
    *out = (struct tf_proxy_header){.has_addresses = true, .source = source, .destination = destination};
}

/* Version 1: text. */

static bool parse_port(struct tf_text t, uint16_t *out)
{
    uint64_t port;
    bool is_padded = t.n > 1 && t.p[0] == '0';
    if (is_padded || !tf_text_number(t, 65535, &port))
        return false;
    *out = (uint16_t)port;
    return true;
}

/* SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT, with one space between them */
static bool parse_line_addresses(struct tf_text rest, enum tf_family family, struct tf_proxy_header *out)
{
    struct tf_addr source, destination;
    struct tf_text from = tf_text_take(&rest, ' '), to = tf_text_take(&rest, ' ');
    if (!tf_addr_parse(from.p, from.n, &source) || !tf_addr_parse(to.p, to.n, &destination) ||
        source.family != family || destination.family != family)
        return false;
    struct tf_text from_port = tf_text_take(&rest, ' ');
    if (!parse_port(from_port, &source.port) || !parse_port(rest, &destination.port))
        return false;
    take_addresses(out, source, destination);
    return true;
}

/* PROXY TCP4 192.0.2.1 198.51.100.7 40000 443 CRLF
 * PROXY TCP6 2001:db8::1 2001:db8::7 40000 443 CRLF
 * PROXY UNKNOWN anything CRLF */
static enum tf_parse parse_line(struct tf_span in, struct tf_proxy_header *out, size_t *used,
                                const char **why)
{
    size_t n = in.n < LINE_MAX ? in.n : LINE_MAX;
    const uint8_t *end = memchr(in.p, '\n', n);
    if (end == NULL)
        return n < LINE_MAX ? TF_PARSE_MORE : fail(why, "the line is longer than 107 bytes");
    *used = (size_t)(end - in.p) + 1;
    if (end[-1] != '\r')
        return fail(why, "the line does not end with CR and LF");
    struct tf_text rest = {(const char *)in.p + sizeof line_start - 1, *used - 2 - (sizeof line_start - 1)};
    struct tf_text protocol = tf_text_take(&rest, ' ');
    if (tf_text_is(protocol, "UNKNOWN")) {
        *out = (struct tf_proxy_header){.has_addresses = false};
        return TF_PARSE_DONE;
    }
    bool is_v4 = tf_text_is(protocol, "TCP4");
    if (!is_v4 && !tf_text_is(protocol, "TCP6"))
        return fail(why, "the protocol is neither TCP4 nor TCP6 nor UNKNOWN");
    return parse_line_addresses(rest, is_v4 ? TF_FAMILY_V4 : TF_FAMILY_V6, out)
               ? TF_PARSE_DONE
               : fail(why, "the line does not hold two addresses of its protocol and two ports");
}

/* Version 2: binary. */

/* CRC32c (RFC 3309), reflected, over a header whose own four bytes of it, at crc[0..4), count as zeros. */
static uint32_t checksum_of(struct tf_span header, const uint8_t *crc)
{
    enum { POLYNOMIAL = 0x82f63b78 };
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < header.n; i++) {
        bool is_own = header.p + i >= crc && header.p + i < crc + 4;
        sum ^= is_own ? 0 : header.p[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? (uint32_t)POLYNOMIAL : 0);
    }
    return ~sum;
}

/* struct {
 *     uint8 type;
 *     opaque value<0..2^16-1>;
 * } tlvs[];
 *
 * Only the checksum says something about the header itself. */
static const char *check_tlvs(struct tf_reader tlvs, struct tf_span header)
{
    enum { TYPE_CRC32C = 3 };
    while (tlvs.left > 0) {
        uint8_t type = tf_read_u8(&tlvs);
        struct tf_reader value = tf_read_vec16(&tlvs);
        if (value.failed)
            return "a TLV runs over the end of the header";
        if (type != TYPE_CRC32C)
            continue;
        const uint8_t *crc = value.p;
        uint32_t wanted = (uint32_t)tf_read_u16(&value) << 16;
        wanted |= tf_read_u16(&value);
        if (value.failed || value.left > 0 || checksum_of(header, crc) != wanted)
            return "the checksum is wrong";
    }
    return NULL;
}

static struct tf_addr read_ip(struct tf_reader *r, enum tf_family family)
{
    struct tf_addr a = {.family = (uint8_t)family};
    struct tf_span ip = tf_read_span(r, family == TF_FAMILY_V4 ? 4 : 16);
    if (ip.n > 0)
        memcpy(a.ip, ip.p, ip.n);
    return a;
}

/* struct {
 *     opaque source[4 or 16], destination[4 or 16];
 *     uint16 source_port, destination_port;
 * } */
static void read_addresses(struct tf_reader *r, enum tf_family family, struct tf_proxy_header *out)
{
    struct tf_addr source = read_ip(r, family);
    struct tf_addr destination = read_ip(r, family);
    source.port = tf_read_u16(r);
    destination.port = tf_read_u16(r);
    take_addresses(out, source, destination);
}

/* Addresses, then TLVs. Addresses of datagrams, and of Unix sockets, are no client's that we could have. */
static const char *parse_body(struct tf_span header, uint8_t protocol, struct tf_proxy_header *out)
{
    enum { TCP4 = 0x11, TCP6 = 0x21, DATAGRAM = 2 };
    static const uint8_t sizes[] = {0, 12, 36, 216}; /* of the addresses of a family */
    size_t family = protocol >> 4;
    if (family >= sizeof sizes || (protocol & 15) > DATAGRAM)
        return "the family or the protocol is not known";
    struct tf_reader body = tf_reader_of(header.p + FIXED_SIZE, header.n - FIXED_SIZE);
    struct tf_span addresses = tf_read_span(&body, sizes[family]);
    if (body.failed)
        return "the header is too short for its addresses";
    struct tf_reader r = tf_reader_of(addresses.p, addresses.n);
    if (protocol == TCP4 || protocol == TCP6)
        read_addresses(&r, protocol == TCP4 ? TF_FAMILY_V4 : TF_FAMILY_V6, out);
    return check_tlvs(body, header);
}

/* struct {
 *     opaque signature[12];
 *     uint4 version = 2, command;     LOCAL (0) or PROXY (1)
 *     uint4 family, protocol;         none (0), IPv4 (1), IPv6 (2), Unix (3); none (0), stream (1), datagram
 * (2) opaque body<0..2^16-1>;
 * } */
static enum tf_parse parse_binary(struct tf_span in, struct tf_proxy_header *out, size_t *used,
                                  const char **why)
{
    enum { LOCAL = 0x20, PROXY = 0x21 };
    struct tf_reader r = tf_reader_of(in.p, in.n);
    tf_read_span(&r, SIGNATURE_SIZE);
    uint8_t command = tf_read_u8(&r);
    uint8_t protocol = tf_read_u8(&r);
    size_t size = (size_t)FIXED_SIZE + tf_read_u16(&r);
    if (r.failed)
        return TF_PARSE_MORE;
    if (command != LOCAL && command != PROXY)
        return fail(why, "the version is not 2, or the command is neither LOCAL nor PROXY");
    if (size > TF_PROXY_HEADER_MAX)
        return fail(why, "the header is longer than 4096 bytes");
    if (in.n < size)
        return TF_PARSE_MORE;
    *used = size;
    *out = (struct tf_proxy_header){.has_addresses = false};
    if (command == LOCAL) /* whatever the body says, it is not about a client */
        return TF_PARSE_DONE;
    const char *wrong = parse_body((struct tf_span){in.p, size}, protocol, out);
    return wrong == NULL ? TF_PARSE_DONE : fail(why, wrong);
}

/* Whether `in` is, as far as it goes, the start of a header that begins with `start`. */
static bool begins(struct tf_span in, const void *start, size_t n)
{
    return memcmp(in.p, start, in.n < n ? in.n : n) == 0;
}

enum tf_parse tf_proxy_header_parse(struct tf_span in, struct tf_proxy_header *out, size_t *used,
                                    const char **why)
{
    *used = 0;
    if (in.n == 0)
        return TF_PARSE_MORE;
    if (begins(in, line_start, sizeof line_start - 1))
        return in.n < sizeof line_start - 1 ? TF_PARSE_MORE : parse_line(in, out, used, why);
    if (begins(in, signature, sizeof signature))
        return parse_binary(in, out, used, why);
    return fail(why, "there is no PROXY protocol header");
}

/* Writing. */

static struct tf_addr mapped(const struct tf_addr *a)
{
    struct tf_addr v6 = {.family = TF_FAMILY_V6, .port = a->port};
    if (a->family == TF_FAMILY_V6)
        return *a;
    memcpy(v6.ip, mapped_prefix, sizeof mapped_prefix);
    memcpy(v6.ip + sizeof mapped_prefix, a->ip, 4);
    return v6;
}

static void put_line(struct tf_writer *w, const struct tf_addr *source, const struct tf_addr *destination)
{
    tf_put_text(w, line_start);
    tf_put_text(w, source->family == TF_FAMILY_V4 ? "TCP4 " : "TCP6 ");
    tf_put_addr(w, source);
    tf_put_char(w, ' ');
    tf_put_addr(w, destination);
    tf_put_char(w, ' ');
    tf_put_u64(w, source->port);
    tf_put_char(w, ' ');
    tf_put_u64(w, destination->port);
    tf_put_text(w, "\r\n");
}

static void put_u16(struct tf_writer *w, uint16_t v)
{
    const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    tf_put(w, bytes, sizeof bytes);
}

static void put_binary(struct tf_writer *w, const struct tf_addr *source, const struct tf_addr *destination)
{
    bool is_v4 = source->family == TF_FAMILY_V4;
    size_t ip_size = is_v4 ? 4 : 16;
    tf_put(w, signature, sizeof signature);
    tf_put(w, is_v4 ? "\x21\x11" : "\x21\x21", 2);
    put_u16(w, (uint16_t)(2 * ip_size + 4));
    tf_put(w, source->ip, ip_size);
    tf_put(w, destination->ip, ip_size);
    put_u16(w, source->port);
    put_u16(w, destination->port);
}

void tf_put_proxy_header(struct tf_writer *w, unsigned version, const struct tf_addr *source,
                         const struct tf_addr *destination)
{
    bool is_v4 = source->family == TF_FAMILY_V4 && destination->family == TF_FAMILY_V4;
    struct tf_addr from = is_v4 ? *source : mapped(source), to = is_v4 ? *destination : mapped(destination);
    assert(version == 1 || version == 2);
    if (version == 1)
        put_line(w, &from, &to);
    else
        put_binary(w, &from, &to);
}
