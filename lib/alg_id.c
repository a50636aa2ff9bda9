/* ALG_IDs from the IANA names of suites; see alg_id.h. */
#include "alg_id.h"

#include "hello.h"
#include "suites.h"

#include <string.h>

/* What a name says, wherever in it: the first row that it contains counts. */
struct word {
    const char *part;
    uint16_t alg_id;
};

static const struct word ciphers[] = {
    {"_3DES_", 0x6603},    {"_DES", 0x6601},      {"_RC2_", 0x6602}, {"_RC4_", 0x6801},
    {"_AES_128_", 0x660e}, {"_AES_256_", 0x6610}, {NULL, 0},
};

static const struct word hashes[] = {
    {"_GCM_", 0},        {"_CCM", 0},         {"_POLY1305_", 0}, {"_MD5", 0x8003},
    {"_SHA256", 0x800c}, {"_SHA384", 0x800d}, {"_SHA", 0x8004},  {NULL, 0},
};

static const struct word key_exchanges[] = {
    {"TLS_RSA_PSK_", 0},
    {"TLS_RSA_", 0xa400},
    {"TLS_DHE_", 0xaa02},
    {"TLS_DH_anon_", 0xaa02},
    {"TLS_ECDHE_", 0xae06},
    {"TLS_ECDH_", 0xaa05},
    {NULL, 0},
};

static uint16_t find(const struct word *words, const char *name)
{
    while (words->part != NULL && strstr(name, words->part) == NULL)
        words++;
    return words->alg_id;
}

uint16_t tf_alg_protocol(uint16_t version)
{
    enum { SERVER_SSL2 = 0x4, SERVER_SSL3 = 0x10 };
    uint16_t rank = tf_version_rank(version);
    if (rank < TF_SSL3)
        return rank == TF_SSL2 ? SERVER_SSL2 : 0;
    return (uint16_t)(SERVER_SSL3 << 2 * (rank - TF_SSL3)); /* each version has two bits: server and client */
}

struct tf_alg_ids tf_alg_ids_of(uint16_t suite)
{
    char name[TF_SUITE_TEXT_MAX + 1];
    struct tf_writer w = tf_writer_of(name, sizeof name - 1);
    tf_put_suite(&w, suite);
    name[w.len] = '\0';
    return (struct tf_alg_ids){find(ciphers, name), find(hashes, name), find(key_exchanges, name)};
}
