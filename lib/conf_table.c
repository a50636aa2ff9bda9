/* conf.def as data, and in words; see conf_table.h. */
#include "conf_table.h"

#include <string.h>

/* clang-format takes the braces of initialisers in macros for blocks. */
/* clang-format off */
#define TARGET(type, member) {offsetof(type, member), sizeof(((type *)0)->member)}
#define CONF(member)         TARGET(struct tf_conf, member)
#define LISTENER(member)     TARGET(struct tf_listener, member)
#define RULE(member)         TARGET(struct tf_rule, member)

#define CHOICE(target, base, all)  .type = TF_TYPE_CHOICE, .field = target, .min = (base), .words = (all)
#define NUMBER(target, low, high)  .type = TF_TYPE_NUMBER, .field = target, .min = (low), .max = (high)
#define SECONDS(target, low, high) .type = TF_TYPE_SECONDS, .field = target, .min = (low), .max = (high)
#define VALUE(kind, target)        .type = TF_TYPE_##kind, .field = target
#define LIST(kind, target, number, least) \
    .type = TF_TYPE_##kind, .field = target, .count = number, .min = (least)
#define PATH(target, values)       .type = TF_TYPE_PATH, .field = target, .words = (values)
#define REQUIRED                   NULL

#define SECTION(id, title, object, text)   static const struct tf_key keys_of_##id[] = {
#define KEY(id, key, kind, standard, text) {.name = #key, kind, .value = standard, .doc = text},
#define END(id)                            };
#include "conf.def"
#undef SECTION
#undef KEY
#undef END

const struct tf_section_info tf_section_infos[TF_SECTION_COUNT] = {
#define SECTION(id, title, object, text) {#title, TF_OBJECT_##object, text, keys_of_##id, TF_KEYS_OF_##id},
#define KEY(id, key, kind, standard, text)
#define END(id)
#include "conf.def"
#undef SECTION
#undef KEY
#undef END
};
/* clang-format on */

bool tf_words_have(const char *words, struct tf_text word, size_t *place)
{
    struct tf_text rest = tf_text_of(words);
    for (*place = 0; rest.p; ++*place) {
        struct tf_text w = tf_text_take(&rest, '|');
        if (w.n == word.n && memcmp(w.p, word.p, w.n) == 0)
            return true;
    }
    return false;
}

bool tf_key_repeats(const struct tf_key *key)
{
    return key->type == TF_TYPE_OVERRIDES;
}

bool tf_key_is_list(const struct tf_key *key)
{
    return key->count.size > 0 || key->type == TF_TYPE_ADDRESS_SET || key->type == TF_TYPE_SERVERS ||
           tf_key_repeats(key);
}

/* The words: `a`, `a or b`, `a, b or c`. */
static void put_choice(struct tf_writer *w, const struct tf_key *key)
{
    struct tf_text rest = tf_text_of(key->words), held = {NULL, 0};
    const char *joint = "";

    while (rest.p) {
        struct tf_text word = tf_text_take(&rest, '|');
        if (held.p) {
            tf_put_text(w, joint);
            tf_put(w, held.p, held.n);
            joint = ", ";
        }
        held = word;
    }
    tf_put_text(w, joint[0] ? " or " : "");
    tf_put(w, held.p, held.n);
}

void tf_put_seconds(struct tf_writer *w, uint64_t ms)
{
    uint64_t rest = ms % 1000;
    int digits = 3;
    tf_put_u64(w, ms / 1000);
    if (rest == 0)
        return;
    for (; rest % 10 == 0; rest /= 10)
        digits--;
    tf_put_char(w, '.');
    tf_put_padded(w, rest, digits);
}

static void put_range(struct tf_writer *w, const struct tf_key *key,
                      void (*put)(struct tf_writer *, uint64_t))
{
    put(w, key->min);
    tf_put_text(w, " to ");
    put(w, key->max);
}

void tf_put_values(struct tf_writer *w, const struct tf_key *key)
{
    switch (key->type) {
    case TF_TYPE_CHOICE:
        put_choice(w, key);
        return;
    case TF_TYPE_NUMBER:
        tf_put_text(w, "a number, ");
        put_range(w, key, tf_put_u64);
        return;
    case TF_TYPE_SECONDS:
        tf_put_text(w, "seconds, ");
        put_range(w, key, tf_put_seconds);
        return;
    case TF_TYPE_TEXT:
        tf_put_text(w, "text");
        return;
    case TF_TYPE_DATE:
        tf_put_text(w, "a date such as 2027-03-31");
        return;
    case TF_TYPE_PATH:
        tf_put_text(w, key->words);
        return;
    case TF_TYPE_SINK:
        tf_put_text(w, "a file, -, off, syslog:, syslog:/PATH, syslog:HOST:PORT or syslog:tcp:HOST:PORT");
        return;
    case TF_TYPE_AUTHORITY:
        tf_put_text(w, "HOST or HOST:PORT, IPv6 addresses in brackets");
        return;
    case TF_TYPE_HOST:
        tf_put_text(w, "a host name");
        return;
    case TF_TYPE_ADDRESS_OR_OFF:
        tf_put_text(w, "ADDRESS:PORT or off");
        return;
    case TF_TYPE_SERVERS:
        tf_put_text(w, "a list of ADDRESS or ADDRESS:PORT");
        return;
    case TF_TYPE_ADDRESS_SET:
        tf_put_text(w, "a list of classes, addresses and blocks");
        return;
    case TF_TYPE_OVERRIDES:
        tf_put_text(w, "HOST:PORT:ADDRESS[:PORT], IPv6 addresses in brackets");
        return;
    case TF_TYPE_ADDRESSES:
        tf_put_text(w, "a list of ADDRESS:PORT");
        return;
    case TF_TYPE_NAMES:
        tf_put_text(w, "a list of names");
        return;
    case TF_TYPE_CIDRS:
        tf_put_text(w, "a list of addresses and blocks");
        return;
    case TF_TYPE_DESTINATIONS:
        tf_put_text(w, "a list of names, *.suffix, *, @m365 sets, addresses and blocks");
        return;
    case TF_TYPE_PATTERNS:
        tf_put_text(w, "a list of names, *.suffix, *suffix and prefix.*.suffix");
        return;
    case TF_TYPE_PROXIES:
        tf_put_text(w, "a list of HOST:PORT, https://HOST:PORT or socks5://HOST:PORT");
        return;
    case TF_TYPE_PORTS:
        tf_put_text(w, "a list of ports and ranges such as 8000-8099");
        return;
    }
}
