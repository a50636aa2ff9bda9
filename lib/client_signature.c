/* Recognising a hello by the rows of client_signatures.def: the lists in it,
 * in their order, against patterns. What else is known of a client, and what
 * follows, is client.c's business. */
#include "client_signature.h"

#include "extensions.h"
#include "text.h"

/* Longer lists belong to no client that is known; their lengths are the peer's choice, and so would be the
 * time that matching them takes. */
enum { VALUES_MAX = 128 };

struct values {
    size_t n;
    uint32_t v[VALUES_MAX];
    bool is_too_long;
};

static const struct signature {
    enum tf_client_family family;
    enum tf_client_certainty certainty;
    const char *suites, *extensions, *groups;
    const char *perhaps;
} signatures[] = {
#define SIGNATURE(family, certainty, suites, extensions, groups, name, source)                               \
    {TF_CLIENT_FAMILY_##family, TF_CLIENT_##certainty, suites, extensions, groups, TF_CLIENT_PERHAPS name},
#include "client_signatures.def"
#undef SIGNATURE
};

/* One word of a pattern. */
struct word {
    bool is_any;      /* `*` */
    bool is_optional; /* `?5` */
    uint32_t value;
};

static struct word take_word(const char **pattern)
{
    struct word word = {0};
    const char *p = *pattern;
    for (; *p != '\0' && *p != ' '; p++) {
        if (*p == '*')
            word.is_any = true;
        else if (*p == '?')
            word.is_optional = true;
        else
            word.value = word.value << 4 | tf_ascii_hex(*p);
    }
    *pattern = *p == ' ' ? p + 1 : p;
    return word;
}

/* A `*` takes as little as will do: when what follows it does not fit, it takes one value more, and only the
 * last `*` is ever gone back to. */
bool tf_client_pattern_fits(const char *pattern, const uint32_t *values, size_t n)
{
    const char *behind_any = NULL;
    size_t taken = 0;
    size_t at = 0;
    while (*pattern != '\0' || at < n) {
        if (*pattern != '\0') {
            struct word word = take_word(&pattern);
            if (word.is_any) {
                behind_any = pattern;
                taken = at;
                continue;
            }
            if (at < n && values[at] == word.value) {
                at++;
                continue;
            }
            if (word.is_optional)
                continue;
        }
        if (behind_any == NULL || taken == n)
            return false;
        at = ++taken;
        pattern = behind_any;
    }
    return true;
}

static void add(struct values *list, uint32_t value)
{
    if (value <= UINT16_MAX && tf_is_grease((uint16_t)value))
        return;
    list->is_too_long = list->n == VALUES_MAX;
    if (!list->is_too_long)
        list->v[list->n++] = value;
}

/* A list of values of two or three bytes each; what is behind one that is too long is not looked at. */
static struct values read_values(struct tf_span span, size_t size)
{
    struct values list = {0};
    struct tf_reader r = tf_reader_of(span.p, span.n);
    while (r.left >= size && !list.is_too_long)
        add(&list, size == 3 ? tf_read_u24(&r) : tf_read_u16(&r));
    return list;
}

static struct values read_extensions(struct tf_span block)
{
    struct values list = {0};
    struct tf_reader r = tf_reader_of(block.p, block.n);
    struct tf_extension ext;
    while (!list.is_too_long && tf_extension_next(&r, &ext))
        add(&list, ext.type);
    return list;
}

static bool fits(const char *pattern, const struct values *list)
{
    return tf_client_pattern_fits(pattern, list->v, list->n);
}

static struct tf_client_clue find(const struct tf_hello *hello)
{
    struct values suites = read_values(hello->ciphers, hello->format == TF_FORMAT_SSLV2 ? 3 : 2);
    struct values extensions = read_extensions(hello->extensions);
    struct values groups = read_values(hello->groups, 2);
    struct tf_client_clue clue = {.certainty = TF_CLIENT_NOT_KNOWN};
    if (suites.is_too_long || extensions.is_too_long || groups.is_too_long)
        return clue;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *s = &signatures[i];
        if (fits(s->suites, &suites) && fits(s->extensions, &extensions) && fits(s->groups, &groups))
            return (struct tf_client_clue){s->family, s->certainty, s->perhaps};
    }
    return clue;
}

/* Who announces TLS 1.2 in SSLv2 format has nothing to be updated, only something to be turned off; if it is
 * not known for a current stack, that is all that can be said. */
struct tf_client_clue tf_client_signature_find(const struct tf_hello *hello)
{
    static const struct tf_client_clue old_format = {
        TF_CLIENT_FAMILY_SSLV2_HELLO_TLS12, TF_CLIENT_LIKELY,
        TF_CLIENT_PERHAPS "a TLS 1.2 client that opens with an SSLv2-format hello"};
    struct tf_client_clue clue = find(hello);
    bool is_current =
        clue.certainty != TF_CLIENT_NOT_KNOWN && clue.family == TF_CLIENT_FAMILY_CONFIGURED_DOWN;
    if (tf_version_rank(hello->max_version) >= TF_TLS12 && !is_current)
        return old_format;
    return clue;
}
