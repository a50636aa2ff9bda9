/* DefaultSecureProtocols; see winhttp.h. What is printed of it is proxy/winhttp_main.c's. */
#include "winhttp.h"

static const struct tf_winhttp_protocol protocols[] = {
    {TF_WINHTTP_SSL2, "SSL 2.0", "broken; must not be turned on (KB3009008)"},
    {TF_WINHTTP_SSL3, "SSL 3.0", "broken; must not be turned on (KB3009008)"},
    {TF_WINHTTP_TLS10, "TLS 1.0", "no longer taken by Microsoft 365"},
    {TF_WINHTTP_TLS11, "TLS 1.1", "no longer taken by Microsoft 365"},
    {TF_WINHTTP_TLS12, "TLS 1.2", "what Microsoft 365 asks for at least"},
    {TF_WINHTTP_TLS13, "TLS 1.3", "a later bit, which the systems of KB3140245 do not know"},
};

static const struct tf_winhttp_value values[] = {
    {0x0A0, "the system's default on Windows 7, Server 2008 R2 and Server 2012"},
    {0xAA0, "the example of the Configuration Manager manual; leaves SSL 3.0 on"},
    {0xA80, "TLS 1.0 stays on beside the newer two"},
    {0xA00, "the newer two; what tlsfloor remediate writes"},
    {0x880, "TLS 1.0 and 1.2 without 1.1"},
    {0x800, "TLS 1.2 only; what tlsfloor remediate --only-1.2 writes"},
};

enum { PROTOCOLS = sizeof protocols / sizeof *protocols, VALUES = sizeof values / sizeof *values };

const struct tf_winhttp_protocol *tf_winhttp_protocol(size_t i)
{
    return i < PROTOCOLS ? &protocols[i] : NULL;
}

const struct tf_winhttp_value *tf_winhttp_value(size_t i)
{
    return i < VALUES ? &values[i] : NULL;
}

/* Takes a word off the front, in any case. */
static bool skip(struct tf_text *t, const char *word)
{
    struct tf_text front = tf_text_of(word);
    if (t->n < front.n || !tf_text_same((struct tf_text){t->p, front.n}, front))
        return false;
    t->p += front.n;
    t->n -= front.n;
    return true;
}

/* What all the ways to write a protocol have in common: SSL or TLS, and a number, which behind one of these
 * may go without its `.0`. */
const struct tf_winhttp_protocol *tf_winhttp_protocol_parse(struct tf_text t)
{
    bool is_ssl = skip(&t, "SSL"), is_worded = is_ssl || skip(&t, "TLS");
    if (is_worded)
        (void)(skip(&t, "v") || skip(&t, " "));
    for (size_t i = 0; i < PROTOCOLS; i++) {
        struct tf_text number = tf_text_of(protocols[i].name + sizeof "SSL");
        bool same_kind = is_ssl == ((protocols[i].bit & TF_WINHTTP_BROKEN) != 0);
        bool is_round = number.p[number.n - 1] == '0';
        if (same_kind && (tf_text_same(t, number) ||
                          (is_worded && is_round && tf_text_same(t, (struct tf_text){number.p, 1}))))
            return &protocols[i];
    }
    return NULL;
}

static bool read_hex(struct tf_text t, uint32_t *value)
{
    uint32_t sum = 0;
    if (t.n == 0 || t.n > 8)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        unsigned digit = tf_ascii_hex(t.p[i]);
        if (digit > 15)
            return false;
        sum = sum << 4 | digit;
    }
    *value = sum;
    return true;
}

bool tf_winhttp_value_parse(struct tf_text t, uint32_t *value)
{
    uint64_t number;
    if (skip(&t, "0x") || skip(&t, "dword:"))
        return read_hex(t, value);
    if (!tf_text_number(t, UINT32_MAX, &number))
        return false;
    *value = (uint32_t)number;
    return true;
}

bool tf_winhttp_is_bare_hex(struct tf_text t, uint32_t *value)
{
    uint32_t mask;
    if (!read_hex(t, &mask) || mask == 0 || (mask & ~(uint32_t)TF_WINHTTP_ALL) != 0)
        return false;
    *value = mask;
    return true;
}
