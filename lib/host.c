/* Host names, every spelling of an address, host patterns; see host.h. */
#include "host.h"
#include "text.h"

#include <string.h>

static bool is_name_char(char c)
{
    return tf_ascii_is_alnum(c) || c == '-' || c == '_';
}

static enum tf_host_error check_label(struct tf_text label)
{
    if (label.n < 1 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return TF_HOST_BAD_LABEL;
    for (size_t i = 0; i < label.n; i++)
        if (!is_name_char(label.p[i]))
            return TF_HOST_BAD_CHARACTER;
    return TF_HOST_OK;
}

/* One number of an IPv4 address as inet_aton reads it: 0x or 0X hexadecimal (0x alone is 0), a leading 0
 * octal, else decimal. Values beyond 32 bits come out as 2^32, which no part of an address can be. */
static bool parse_aton_number(struct tf_text t, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (t.n == 0)
        return false;
    if (t.n > 1 && t.p[0] == '0') {
        bool hex = tf_ascii_lower(t.p[1]) == 'x';
        base = hex ? 16 : 8;
        size_t prefix = hex ? 2 : 1;
        t = (struct tf_text){t.p + prefix, t.n - prefix};
    }
    for (size_t i = 0; i < t.n; i++) {
        unsigned digit = tf_ascii_hex(t.p[i]);
        if (digit >= base)
            return false;
        v = v * base + digit;
        if (v > UINT32_MAX)
            v = (uint64_t)UINT32_MAX + 1;
    }
    *out = v;
    return true;
}

static bool all_digits(struct tf_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!tf_ascii_is_digit(t.p[i]))
            return false;
    return t.n > 0;
}

/* WHATWG URL 3.5, "ends in a number": such a host is an IPv4 address or nothing. */
static bool ends_in_number(struct tf_text host)
{
    struct tf_text last = host;
    uint64_t v;
    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == '.') {
            last = (struct tf_text){host.p + i, host.n - i};
            break;
        }
    }
    return all_digits(last) || parse_aton_number(last, &v);
}

/* One to four numbers with dots between them, the last of which fills the bytes that are left (WHATWG
 * URL 3.5, "IPv4 parser"). */
static bool parse_aton(struct tf_text host, struct tf_addr *out)
{
    uint64_t address = 0;
    unsigned bytes_left = 4;

    while (host.p) {
        uint64_t v;
        struct tf_text part = tf_text_take(&host, '.');
        if (bytes_left == 0 || !parse_aton_number(part, &v))
            return false;
        unsigned bytes = host.p ? 1 : bytes_left;
        if (v >> (8 * bytes))
            return false;
        address = address << (8 * bytes) | v;
        bytes_left -= bytes;
    }
    *out = (struct tf_addr){.family = TF_FAMILY_V4};
    for (unsigned i = 0; i < 4; i++)
        out->ip[i] = (uint8_t)(address >> (24 - 8 * i));
    return true;
}

static enum tf_host_error set_address(struct tf_target *target, const struct tf_addr *addr)
{
    struct tf_writer w = tf_writer_of(target->host, sizeof target->host - 1);
    tf_put_addr(&w, addr);
    target->host[w.len] = '\0';
    target->is_address = true;
    target->addr = *addr;
    return TF_HOST_OK;
}

static enum tf_host_error set_name(struct tf_target *target, struct tf_text name)
{
    struct tf_text rest = name;
    if (name.n >= TF_HOST_MAX)
        return TF_HOST_TOO_LONG;
    while (rest.p) {
        enum tf_host_error e = check_label(tf_text_take(&rest, '.'));
        if (e)
            return e;
    }
    for (size_t i = 0; i < name.n; i++)
        target->host[i] = tf_ascii_lower(name.p[i]);
    target->host[name.n] = '\0';
    return TF_HOST_OK;
}

enum tf_host_error tf_host_parse(const char *text, size_t n, struct tf_target *target)
{
    struct tf_text host = {text, n};
    struct tf_addr addr;

    target->host[0] = '\0';
    target->is_address = false;
    target->addr = (struct tf_addr){.family = TF_FAMILY_NONE};
    if (n == 0)
        return TF_HOST_EMPTY;
    if (host.p[0] == '[' || memchr(host.p, ':', host.n)) {
        if (host.p[0] == '[' && (host.n < 2 || host.p[host.n - 1] != ']'))
            return TF_HOST_BAD_ADDRESS;
        if (host.p[0] == '[')
            host = (struct tf_text){host.p + 1, host.n - 2};
        if (!tf_addr_parse(host.p, host.n, &addr) || addr.family != TF_FAMILY_V6)
            return TF_HOST_BAD_ADDRESS;
        return set_address(target, &addr);
    }
    if (host.p[host.n - 1] == '.')
        host.n--;
    if (host.n == 0)
        return TF_HOST_EMPTY;
    if (!ends_in_number(host))
        return set_name(target, host);
    return parse_aton(host, &addr) ? set_address(target, &addr) : TF_HOST_BAD_ADDRESS;
}

enum tf_host_error tf_authority_parse(const char *text, size_t n, uint16_t default_port,
                                      struct tf_target *target)
{
    struct tf_text port = {text, n};
    struct tf_text host = tf_text_take(&port, ':');
    uint64_t number = default_port;

    if (n > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', n);
        if (!end)
            return TF_HOST_BAD_ADDRESS;
        host = (struct tf_text){text, (size_t)(end - text) + 1};
        port = (struct tf_text){text + host.n, n - host.n};
        if (tf_text_take(&port, ':').n > 0)
            return TF_HOST_BAD_ADDRESS;
    } else if (port.p && memchr(port.p, ':', port.n)) {
        return TF_HOST_BAD_ADDRESS; /* an IPv6 address and a port cannot be told apart without brackets */
    }

    bool is_default = port.p && port.n == 0 && default_port > 0; /* `host:`, RFC 3986 3.2.3 */
    if (port.p && !is_default && (port.n > 5 || !tf_text_number(port, 65535, &number)))
        return TF_HOST_BAD_PORT;
    if (number == 0)
        return TF_HOST_BAD_PORT;
    enum tf_host_error e = tf_host_parse(host.p, host.n, target);
    if (e)
        return e;
    target->port = target->addr.port = (uint16_t)number;
    return TF_HOST_OK;
}

void tf_put_authority(struct tf_writer *w, const struct tf_target *target, uint16_t default_port)
{
    bool brackets = target->is_address && target->addr.family == TF_FAMILY_V6;
    tf_put_text(w, brackets ? "[" : "");
    tf_put_text(w, target->host);
    tf_put_text(w, brackets ? "]" : "");
    if (target->port == default_port)
        return;
    tf_put_char(w, ':');
    tf_put_u64(w, target->port);
}

const char *tf_host_error_text(enum tf_host_error e)
{
    switch (e) {
    case TF_HOST_OK:
        return "a valid host";
    case TF_HOST_EMPTY:
        return "the host is empty";
    case TF_HOST_BAD_CHARACTER:
        return "the host has a character that no host name can have";
    case TF_HOST_BAD_LABEL:
        return "a part of the host name is empty, longer than 63 characters, or begins or ends with a hyphen";
    case TF_HOST_TOO_LONG:
        return "the host name is longer than 253 characters";
    case TF_HOST_BAD_ADDRESS:
        return "the host looks like an IP address but is none";
    case TF_HOST_BAD_PORT:
        return "the port is missing or not 1 to 65535";
    }
    return "";
}

bool tf_host_matches(const char *pattern, const char *host, size_t host_len)
{
    struct tf_text name = {host, host_len};
    if (name.n > 0 && host[name.n - 1] == '.')
        name.n--;
    if (strcmp(pattern, "*") == 0)
        return name.n > 0;
    if (pattern[0] != '*')
        return tf_text_is_word(name, pattern);

    /* "*.suffix": the name ends in ".suffix" and has something in front of it. */
    return name.n >= strlen(pattern) && tf_text_ends(name, pattern + 1);
}

bool tf_port_is_mail(uint16_t port)
{
    switch (port) {
    case 25:
    case 110:
    case 143:
    case 465:
    case 587:
    case 993:
    case 995:
        return true;
    default:
        return false;
    }
}
