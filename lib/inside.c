/* The inside leg: the table of suites, and what a hello has to offer for one
 * of them to be agreed on; see inside.h. OpenSSL makes the choice itself when
 * the time comes (proxy/tls.c); asked here is whether it will find anything.
 * Where RFCs leave more room than OpenSSL does, OpenSSL counts. */
#include "inside.h"

#define FALLBACK_SCSV 0x5600 /* RFC 7507 */
#define UNCOMPRESSED  0      /* ECPointFormat, RFC 8422 5.1.2 */

/* AES-128 in front of AES-256: no weaker for as long as these clients live, and cheaper. */
const struct tf_inside_suite tf_inside_suites[] = {
    {0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", TF_TLS12, true, TF_LEAF_ECDSA},
    {0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", TF_TLS12, true, TF_LEAF_RSA},
    {0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", TF_TLS12, true, TF_LEAF_ECDSA},
    {0xc030, "ECDHE-RSA-AES256-GCM-SHA384", TF_TLS12, true, TF_LEAF_RSA},
    {0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", TF_TLS12, true, TF_LEAF_ECDSA},
    {0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", TF_TLS12, true, TF_LEAF_RSA},
    {0xc023, "ECDHE-ECDSA-AES128-SHA256", TF_TLS12, true, TF_LEAF_ECDSA},
    {0xc027, "ECDHE-RSA-AES128-SHA256", TF_TLS12, true, TF_LEAF_RSA},
    {0xc024, "ECDHE-ECDSA-AES256-SHA384", TF_TLS12, true, TF_LEAF_ECDSA},
    {0xc028, "ECDHE-RSA-AES256-SHA384", TF_TLS12, true, TF_LEAF_RSA},
    {0xc009, "ECDHE-ECDSA-AES128-SHA", TF_TLS10, true, TF_LEAF_ECDSA},
    {0xc013, "ECDHE-RSA-AES128-SHA", TF_TLS10, true, TF_LEAF_RSA},
    {0xc00a, "ECDHE-ECDSA-AES256-SHA", TF_TLS10, true, TF_LEAF_ECDSA},
    {0xc014, "ECDHE-RSA-AES256-SHA", TF_TLS10, true, TF_LEAF_RSA},
    {0x009c, "AES128-GCM-SHA256", TF_TLS12, false, TF_LEAF_RSA},
    {0x009d, "AES256-GCM-SHA384", TF_TLS12, false, TF_LEAF_RSA},
    {0x003c, "AES128-SHA256", TF_TLS12, false, TF_LEAF_RSA},
    {0x003d, "AES256-SHA256", TF_TLS12, false, TF_LEAF_RSA},
    {0x002f, "AES128-SHA", TF_TLS10, false, TF_LEAF_RSA},
    {0x0035, "AES256-SHA", TF_TLS10, false, TF_LEAF_RSA},
    {0x009e, "DHE-RSA-AES128-GCM-SHA256", TF_TLS12, false, TF_LEAF_RSA},
    {0x009f, "DHE-RSA-AES256-GCM-SHA384", TF_TLS12, false, TF_LEAF_RSA},
    {0x0067, "DHE-RSA-AES128-SHA256", TF_TLS12, false, TF_LEAF_RSA},
    {0x006b, "DHE-RSA-AES256-SHA256", TF_TLS12, false, TF_LEAF_RSA},
    {0x0033, "DHE-RSA-AES128-SHA", TF_TLS10, false, TF_LEAF_RSA},
    {0x0039, "DHE-RSA-AES256-SHA", TF_TLS10, false, TF_LEAF_RSA},
    {.name = NULL},
};

static bool has_u16(struct tf_span list, uint16_t value)
{
    struct tf_reader r = tf_reader_of(list.p, list.n);
    while (r.left >= 2)
        if (tf_read_u16(&r) == value)
            return true;
    return false;
}

static bool has_any(struct tf_span list, const uint16_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_u16(list, values[i]))
            return true;
    return false;
}

/* In SSLv2 format a suite has three bytes; those that begin with a zero are the usual ones (RFC 5246 E.2). */
static bool has_suite(const struct tf_hello *hello, uint16_t id)
{
    if (hello->format != TF_FORMAT_SSLV2)
        return has_u16(hello->ciphers, id);
    struct tf_reader r = tf_reader_of(hello->ciphers.p, hello->ciphers.n);
    while (r.left >= 3)
        if (tf_read_u24(&r) == id)
            return true;
    return false;
}

enum { SECP256R1 = 23, SECP384R1 = 24, SECP521R1 = 25, X25519 = 29 };

/* A group for ECDHE. A client that lists none is free to be served with any (RFC 8422 4); OpenSSL serves it
 * without ECDHE. */
static bool has_group(const struct tf_hello *hello)
{
    static const uint16_t groups[] = {SECP256R1, X25519, SECP384R1, SECP521R1};
    return has_any(hello->groups, groups, sizeof groups / sizeof *groups);
}

static bool takes_uncompressed(const struct tf_hello *hello)
{
    struct tf_reader r = tf_reader_of(hello->point_formats.p, hello->point_formats.n);
    bool found = r.left == 0;
    while (r.left > 0 && !found)
        found = tf_read_u8(&r) == UNCOMPRESSED;
    return found;
}

/* A SignatureScheme of TLS 1.2 for the leaf's key (RFC 8446 4.2.3, the older ones RFC 5246 7.4.1.4.1).
 * OpenSSL wants one even where a suite signs nothing. Who lists none takes SHA-1 with either key. */
static bool takes_signature(const struct tf_hello *hello, enum tf_leaf leaf)
{
    static const uint16_t rsa[] = {0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0x0301, 0x0201};
    static const uint16_t ecdsa[] = {0x0403, 0x0503, 0x0603, 0x0303, 0x0203};
    struct tf_span list = hello->signature_algorithms;

    if (list.n == 0)
        return true;
    return leaf == TF_LEAF_RSA ? has_any(list, rsa, sizeof rsa / sizeof *rsa)
                               : has_any(list, ecdsa, sizeof ecdsa / sizeof *ecdsa);
}

/* Whether the client can agree on a suite. The version agreed on is the client's highest: ours is above it.
 */
static bool is_served(const struct tf_hello *hello, const struct tf_inside_suite *suite)
{
    if (!has_suite(hello, suite->id) || hello->max_version < suite->since)
        return false;
    if (suite->is_ecdhe && !(has_group(hello) && takes_uncompressed(hello)))
        return false;
    if (suite->leaf == TF_LEAF_ECDSA && !has_u16(hello->groups, SECP256R1)) /* the curve of its key */
        return false;
    return hello->max_version < TF_TLS12 || takes_signature(hello, suite->leaf);
}

/* In TLS 1.3 suites say nothing about keys (RFC 8446 4.2.3). */
static enum tf_reason choose_tls13(const struct tf_hello *hello, enum tf_leaf *leaf)
{
    static const uint16_t suites[] = {0x1301, 0x1302, 0x1303};
    static const uint16_t ecdsa[] = {0x0403};
    static const uint16_t rsa_pss[] = {0x0804, 0x0805, 0x0806};

    if (hello->max_version != TF_TLS13) /* a draft, of which OpenSSL knows nothing */
        return TF_REASON_NO_COMMON_SUITE;
    if (!has_any(hello->ciphers, suites, sizeof suites / sizeof *suites) || !has_group(hello))
        return TF_REASON_NO_COMMON_SUITE;
    if (has_any(hello->signature_algorithms, ecdsa, sizeof ecdsa / sizeof *ecdsa))
        *leaf = TF_LEAF_ECDSA;
    else if (has_any(hello->signature_algorithms, rsa_pss, sizeof rsa_pss / sizeof *rsa_pss))
        *leaf = TF_LEAF_RSA;
    else
        return TF_REASON_NO_COMMON_SUITE;
    return TF_REASON_NONE;
}

enum tf_reason tf_inside_choose(const struct tf_hello *hello, enum tf_leaf *leaf)
{
    if (tf_version_rank(hello->max_version) == TF_TLS13)
        return choose_tls13(hello, leaf);
    if (has_suite(hello, FALLBACK_SCSV))
        return TF_REASON_CLIENT_FALLBACK;
    for (const struct tf_inside_suite *s = tf_inside_suites; s->name; s++) {
        if (is_served(hello, s)) {
            *leaf = s->leaf;
            return TF_REASON_NONE;
        }
    }
    return TF_REASON_NO_COMMON_SUITE;
}
