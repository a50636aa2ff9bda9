/* Families of clients, and what to believe of who a client is: its hello is weighed against its words here;
 * how each is read is in client_signature.c and client_agent.c. */
#include "client.h"

#include "client_agent.h"
#include "client_signature.h"
#include "text.h"
#include <string.h>

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

/* What a client says of itself may be the finer answer: these families send the hellos of the first ones too.
 */
static const struct {
    enum tf_client_family hello, words;
} narrowed[] = {
    {TF_CLIENT_FAMILY_FIREFOX_LE_26, TF_CLIENT_FAMILY_FIREFOX_LE_5},
    {TF_CLIENT_FAMILY_IE_WIN7, TF_CLIENT_FAMILY_SCHANNEL_WIN7},
    {TF_CLIENT_FAMILY_SCHANNEL_WIN7, TF_CLIENT_FAMILY_IE_WIN7},
    {TF_CLIENT_FAMILY_IE_WINPHONE8, TF_CLIENT_FAMILY_SCHANNEL_WIN8},
    {TF_CLIENT_FAMILY_SCHANNEL_WIN8, TF_CLIENT_FAMILY_IE_WINPHONE8},
    {TF_CLIENT_FAMILY_ANDROID_LE_43, TF_CLIENT_FAMILY_JAVA_6},
    {TF_CLIENT_FAMILY_ANDROID_LE_43, TF_CLIENT_FAMILY_EMBEDDED_OPENSSL},
    {TF_CLIENT_FAMILY_ANDROID_JAVA_LE_44, TF_CLIENT_FAMILY_ANDROID_LE_43},
    {TF_CLIENT_FAMILY_ANDROID_JAVA_LE_44, TF_CLIENT_FAMILY_JAVA_6},
    {TF_CLIENT_FAMILY_CRAWLER_LEGACY, TF_CLIENT_FAMILY_EMBEDDED_OPENSSL},
    {TF_CLIENT_FAMILY_OPENSSL_098, TF_CLIENT_FAMILY_EMBEDDED_OPENSSL},
    {TF_CLIENT_FAMILY_OPENSSL_098, TF_CLIENT_FAMILY_ANDROID_LE_43},
    {TF_CLIENT_FAMILY_OPENSSL_10X, TF_CLIENT_FAMILY_EMBEDDED_OPENSSL},
    {TF_CLIENT_FAMILY_OPENSSL_10X, TF_CLIENT_FAMILY_ANDROID_LE_43},
};

static bool agrees(enum tf_client_family hello, enum tf_client_family words)
{
    bool found = hello == words;
    for (size_t i = 0; i < sizeof narrowed / sizeof *narrowed; i++)
        found |= narrowed[i].hello == hello && narrowed[i].words == words;
    return found;
}

/* Software that can do better sends such hellos when it is held down. */
static bool can_do_better(enum tf_client_family family)
{
    static const enum tf_client_family held[] = {
        TF_CLIENT_FAMILY_BROWSER_FALLBACK, TF_CLIENT_FAMILY_CONFIGURED_DOWN,
        TF_CLIENT_FAMILY_OPENSSL_CONFIGURED_DOWN, TF_CLIENT_FAMILY_DOTNET_SCHANNEL_TLS10,
        TF_CLIENT_FAMILY_ANDROID_JAVA_TLS10};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        if (held[i] == family)
            return true;
    return false;
}

static bool is_known(struct tf_client_clue clue)
{
    return clue.certainty != TF_CLIENT_NOT_KNOWN;
}

static struct tf_client answer(struct tf_client_clue clue, enum tf_client_certainty certainty,
                               uint8_t evidence)
{
    const char *name =
        certainty == TF_CLIENT_POSSIBLE ? clue.perhaps : clue.perhaps + strlen(TF_CLIENT_PERHAPS);
    return (struct tf_client){clue.family, certainty, evidence, name};
}

/* `by` is what the words rest on. */
static struct tf_client by_words(struct tf_client_clue words, bool has_hello, uint8_t by)
{
    if (words.family == TF_CLIENT_FAMILY_UNKNOWN)
        return (struct tf_client){.name = ""};
    return answer(words, has_hello ? TF_CLIENT_POSSIBLE : words.certainty, by);
}

static struct tf_client by_both(struct tf_client_clue hello, struct tf_client_clue words, uint8_t by)
{
    if (agrees(hello.family, words.family))
        return answer(words, TF_CLIENT_CERTAIN, TF_CLIENT_BY_HELLO | by);
    bool fits = words.family == TF_CLIENT_FAMILY_UNKNOWN && can_do_better(hello.family);
    return answer(hello, fits ? hello.certainty : TF_CLIENT_POSSIBLE, TF_CLIENT_BY_HELLO);
}

bool tf_client_is_healthy(const struct tf_hello *hello)
{
    return hello->format != TF_FORMAT_SSLV2 && tf_version_rank(hello->max_version) >= TF_TLS12;
}

struct tf_client tf_client_identify(const struct tf_hello *hello, const char *user_agent,
                                    const char *greeting)
{
    struct tf_client_clue seen = {0};
    if (hello != NULL && tf_client_is_healthy(hello))
        return (struct tf_client){.name = ""};
    if (hello != NULL)
        seen = tf_client_signature_find(hello);
    uint8_t by = TF_CLIENT_BY_USER_AGENT;
    struct tf_client_clue words = tf_client_agent_find(user_agent);
    if (!is_known(words)) {
        by = TF_CLIENT_BY_GREETING;
        words = tf_client_greeting_find(greeting);
    }
    if (is_known(seen) && is_known(words))
        return by_both(seen, words, by);
    if (is_known(seen))
        return answer(seen, seen.certainty, TF_CLIENT_BY_HELLO);
    return by_words(words, hello != NULL, by);
}

bool tf_client_may_do_better(enum tf_client_family family)
{
    enum tf_client_ability ability = infos[family].ability;
    if (family == TF_CLIENT_FAMILY_IE_WIN7) /* so does Internet Explorer 11 look, when it tries once more */
        return true;
    return ability != TF_CLIENT_UNABLE && ability != TF_CLIENT_UPDATE;
}

static bool offers_http(const struct tf_hello *hello)
{
    struct tf_reader names = tf_reader_of(hello->alpn.p, hello->alpn.n);
    while (names.left > 0) {
        struct tf_reader name = tf_read_vec8(&names);
        struct tf_text text = {(const char *)name.p, name.left};
        if (tf_text_is(text, "h2") || tf_text_begins(text, "http/"))
            return true;
    }
    return false;
}

bool tf_client_is_browser(const struct tf_hello *hello, const char *user_agent, enum tf_client_family family)
{
    if (user_agent[0] != '\0')
        return tf_client_agent_is_browser(user_agent);
    return tf_client_info(family)->kind == TF_CLIENT_BROWSER || (hello != NULL && offers_http(hello));
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
