/* IP addresses: text forms and CIDR blocks; see addr.h. Their classes are in
 * addr_class.c. */
#include "addr.h"
#include "text.h"

#include <string.h>

/* Four decimal numbers up to 255 with dots between them. A leading zero is refused, since some parsers read
 * such a number as octal. */
static bool parse_v4(struct tf_text t, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t v;
        struct tf_text part = tf_text_take(&t, '.');
        if (!tf_text_number(part, 255, &v) || (part.n > 1 && part.p[0] == '0'))
            return false;
        if ((t.p == NULL) != (i == 3))
            return false;
        out[i] = (uint8_t)v;
    }
    return true;
}

static bool parse_group(struct tf_text t, uint8_t out[2])
{
    unsigned v = 0;
    if (t.n < 1 || t.n > 4)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        unsigned digit = tf_ascii_hex(t.p[i]);
        if (digit > 15)
            return false;
        v = v << 4 | digit;
    }
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
    return true;
}

/* Groups with colons between them, the last two perhaps as a dotted quad, into ip[0..*n). */
static bool parse_groups(struct tf_text t, bool may_end_dotted, uint8_t ip[16], size_t *n)
{
    *n = 0;
    while (t.p) {
        struct tf_text group = tf_text_take(&t, ':');
        bool dotted = may_end_dotted && !t.p && group.n > 4;
        size_t size = dotted ? 4 : 2;
        if (*n + size > 16)
            return false;
        if (dotted ? !parse_v4(group, ip + *n) : !parse_group(group, ip + *n))
            return false;
        *n += size;
    }
    return true;
}

static const char *find_gap(struct tf_text t)
{
    for (size_t i = 0; i + 1 < t.n; i++)
        if (t.p[i] == ':' && t.p[i + 1] == ':')
            return t.p + i;
    return NULL;
}

/* RFC 4291 2.2: eight groups of up to four hexadecimal digits; `::` stands once for at least one group of
 * zeros. */
static bool parse_v6(struct tf_text t, uint8_t ip[16])
{
    size_t before_n = 0, after_n = 0;
    uint8_t after[16];
    const char *gap = find_gap(t);
    if (!gap)
        return parse_groups(t, true, ip, &before_n) && before_n == 16;

    struct tf_text before = {t.p, (size_t)(gap - t.p)};
    struct tf_text behind = {gap + 2, t.n - before.n - 2};
    if (before.n > 0 && !parse_groups(before, false, ip, &before_n))
        return false;
    if (behind.n > 0 && !parse_groups(behind, true, after, &after_n))
        return false;
    if (before_n + after_n > 14)
        return false;
    memset(ip + before_n, 0, 16 - before_n - after_n);
    memcpy(ip + 16 - after_n, after, after_n);
    return true;
}

bool tf_addr_parse(const char *text, size_t n, struct tf_addr *out)
{
    struct tf_text t = {text, n};
    *out = (struct tf_addr){.family = TF_FAMILY_NONE};
    if (parse_v4(t, out->ip)) {
        out->family = TF_FAMILY_V4;
        return true;
    }
    memset(out->ip, 0, sizeof out->ip);
    if (n > 0 && parse_v6(t, out->ip)) {
        out->family = TF_FAMILY_V6;
        return true;
    }
    return false;
}

/* Byte `byte` of a mask of so many bits. */
static uint8_t mask_of(unsigned bits, size_t byte)
{
    unsigned at = (unsigned)byte * 8;
    unsigned set = bits > at ? bits - at : 0;
    return (uint8_t)(0xff00u >> (set < 8 ? set : 8));
}

static bool has_bits_behind(const struct tf_cidr *c)
{
    for (size_t i = 0; i < sizeof c->base.ip; i++)
        if (c->base.ip[i] & (uint8_t)~mask_of(c->bits, i))
            return true;
    return false;
}

bool tf_cidr_parse(const char *text, size_t n, struct tf_cidr *out, const char **error)
{
    struct tf_text length = {text, n};
    struct tf_text base = tf_text_take(&length, '/');
    uint64_t bits;

    *out = (struct tf_cidr){.bits = 0};
    if (!tf_addr_parse(base.p, base.n, &out->base)) {
        *error = "not an IP address or a block such as 10.0.0.0/8";
        return false;
    }
    uint8_t full = out->base.family == TF_FAMILY_V4 ? 32 : 128;
    bits = full;
    if (length.p && !tf_text_number(length, full, &bits)) {
        *error = "the prefix length must be 0 to 32 for IPv4, 0 to 128 for IPv6";
        return false;
    }
    out->bits = (uint8_t)bits;
    if (has_bits_behind(out)) {
        *error = "there are bits set behind the prefix length";
        return false;
    }
    return true;
}

bool tf_addr_port_parse(const char *text, size_t n, struct tf_addr *out)
{
    size_t colon = n;
    uint64_t port;

    *out = (struct tf_addr){.family = TF_FAMILY_NONE};
    while (colon > 0 && text[colon - 1] != ':')
        colon--;
    if (colon == 0 || !tf_text_number((struct tf_text){text + colon, n - colon}, 65535, &port))
        return false;

    struct tf_text host = {text, colon - 1};
    bool bracketed = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed)
        host = (struct tf_text){host.p + 1, host.n - 2};
    else if (host.n == 0 || tf_text_is(host, "*")) {
        out->port = (uint16_t)port;
        return true;
    }
    if (!tf_addr_parse(host.p, host.n, out) || bracketed != (out->family == TF_FAMILY_V6))
        return false;
    out->port = (uint16_t)port;
    return true;
}

static void put_v4(struct tf_writer *w, const uint8_t ip[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            tf_put_char(w, '.');
        tf_put_u64(w, ip[i]);
    }
}

static unsigned group_of(const struct tf_addr *a, size_t i)
{
    return (unsigned)a->ip[2 * i] << 8 | a->ip[2 * i + 1];
}

static void put_group(struct tf_writer *w, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned shift = 16; shift > 0; shift -= 4)
        if (v >> (shift - 4) || shift == 4)
            tf_put_char(w, digits[v >> (shift - 4) & 15]);
}

/* RFC 5952 4.2: the longest run of at least two zero groups is written `::`, the first of equals. */
static size_t longest_zero_run(const struct tf_addr *a, size_t *length)
{
    size_t best = 0, run = 0;
    *length = 1;
    for (size_t i = 0; i < 8; i++) {
        run = group_of(a, i) == 0 ? run + 1 : 0;
        if (run > *length) {
            *length = run;
            best = i + 1 - run;
        }
    }
    return *length > 1 ? best : 8;
}

static void put_v6(struct tf_writer *w, const struct tf_addr *a)
{
    size_t run_length;
    size_t run = longest_zero_run(a, &run_length);
    /* RFC 5952 5: the IPv4 part of a mapped address stays readable. */
    bool mapped = run == 0 && run_length == 5 && group_of(a, 5) == 0xffff;
    size_t groups = mapped ? 6 : 8;

    for (size_t i = 0; i < groups; i++) {
        if (i == run) {
            tf_put_text(w, "::");
            i += run_length - 1;
            continue;
        }
        if (i > 0 && i != run + run_length)
            tf_put_char(w, ':');
        put_group(w, group_of(a, i));
    }
    if (mapped) {
        tf_put_char(w, ':');
        put_v4(w, a->ip + 12);
    }
}

void tf_put_addr(struct tf_writer *w, const struct tf_addr *a)
{
    switch ((enum tf_family)a->family) {
    case TF_FAMILY_NONE:
        tf_put_char(w, '*');
        return;
    case TF_FAMILY_V4:
        put_v4(w, a->ip);
        return;
    case TF_FAMILY_V6:
        put_v6(w, a);
        return;
    }
}

void tf_put_addr_port(struct tf_writer *w, const struct tf_addr *a)
{
    bool brackets = a->family == TF_FAMILY_V6;
    if (brackets)
        tf_put_char(w, '[');
    tf_put_addr(w, a);
    tf_put_text(w, brackets ? "]:" : ":");
    tf_put_u64(w, a->port);
}

bool tf_addr_same_ip(const struct tf_addr *a, const struct tf_addr *b)
{
    return a->family == b->family && a->scope == b->scope && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool tf_cidr_has(const struct tf_cidr *c, const struct tf_addr *a)
{
    unsigned difference = 0;
    if (c->base.family != a->family)
        return false;
    for (size_t i = 0; i < sizeof a->ip; i++)
        difference |= (unsigned)((c->base.ip[i] ^ a->ip[i]) & mask_of(c->bits, i));
    return difference == 0;
}
