/* Families of clients; see client.h and clients.def. */
#include "client.h"
#include "text.h"

static const struct tf_client_info infos[TF_CLIENT_FAMILY_COUNT] = {
    [TF_CLIENT_FAMILY_UNKNOWN] = {"", "", TF_CLIENT_STACK, TF_CLIENT_ABILITY_UNKNOWN, "", ""},
#define FAMILY(id, slug, name, kind, ability, article, fix)                                                  \
    [TF_CLIENT_FAMILY_##id] = {slug, name, TF_CLIENT_##kind, TF_CLIENT_##ability, article, fix},
#include "clients.def"
#undef FAMILY
};

const struct tf_client_info *tf_client_info(enum tf_client_family family)
{
    return &infos[family];
}

const char *tf_client_ability_name(enum tf_client_ability ability)
{
    static const char *const names[] = {"unknown", "known unable", "can be updated", "can be configured"};
    return names[ability];
}

const char *tf_client_certainty_name(enum tf_client_certainty certainty)
{
    static const char *const names[] = {"", "possible", "likely", "certain"};
    return names[certainty];
}

bool tf_client_family_parse(const char *slug, size_t n, enum tf_client_family *family)
{
    struct tf_text text = {slug, n};
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++)
        if (tf_text_is_word(text, infos[i].slug)) {
            *family = (enum tf_client_family)i;
            return true;
        }
    return false;
}

struct tf_client tf_client_identify(const struct tf_hello *hello, const char *user_agent,
                                    const char *greeting)
{
    (void)hello, (void)user_agent, (void)greeting;
    return (struct tf_client){.name = ""};
}

bool tf_client_is_browser(const struct tf_hello *hello, const char *user_agent,
                          enum tf_client_family family)
{
    (void)hello, (void)user_agent;
    return tf_client_info(family)->kind == TF_CLIENT_BROWSER;
}

static uint64_t mix(uint64_t h, uint16_t v)
{
    return (h ^ v) * UINT64_C(0x100000001b3);
}

/* The 16-bit values of a list, GREASE left out, and a mark behind them. */
static uint64_t mix_list(uint64_t h, struct tf_span list)
{
    struct tf_reader r = tf_reader_of(list.p, list.n);
    while (r.left >= 2) {
        uint16_t v = tf_read_u16(&r);
        if (!tf_is_grease(v))
            h = mix(h, v);
    }
    return mix(mix(h, r.left > 0 ? *r.p : 0), 0xffff);
}

uint64_t tf_client_fingerprint(const struct tf_hello *hello)
{
    if (hello == NULL)
        return 0;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    h = mix(mix(h, (uint16_t)hello->format), hello->max_version);
    h = mix_list(mix_list(h, hello->ciphers), hello->groups);
    struct tf_reader r = tf_reader_of(hello->extensions.p, hello->extensions.n);
    while (r.left >= 4) {
        uint16_t type = tf_read_u16(&r);
        tf_read_vec16(&r);
        if (!tf_is_grease(type))
            h = mix(h, type);
    }
    return h != 0 ? h : 1;
}
