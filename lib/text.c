/* Pieces of text; see text.h. */
#include "text.h"

#include <string.h>

struct tf_text tf_text_of(const char *text)
{
    return (struct tf_text){text, strlen(text)};
}

bool tf_text_is(struct tf_text t, const char *text)
{
    return t.n == strlen(text) && memcmp(t.p, text, t.n) == 0;
}

bool tf_text_same(struct tf_text a, struct tf_text b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (tf_ascii_lower(a.p[i]) != tf_ascii_lower(b.p[i]))
            return false;
    return true;
}

bool tf_text_is_word(struct tf_text t, const char *word)
{
    return tf_text_same(t, tf_text_of(word));
}

bool tf_text_begins(struct tf_text t, const char *prefix)
{
    size_t n = strlen(prefix);
    return t.n >= n && tf_text_is_word((struct tf_text){t.p, n}, prefix);
}

bool tf_text_ends(struct tf_text t, const char *tail)
{
    size_t n = strlen(tail);
    return t.n >= n && tf_text_is_word((struct tf_text){t.p + t.n - n, n}, tail);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct tf_text tf_text_trim(struct tf_text t)
{
    while (t.n > 0 && is_blank(t.p[0])) {
        t.p++;
        t.n--;
    }
    while (t.n > 0 && is_blank(t.p[t.n - 1]))
        t.n--;
    return t;
}

struct tf_text tf_text_take(struct tf_text *rest, char separator)
{
    struct tf_text all = *rest;
    const char *end = all.n > 0 ? memchr(all.p, separator, all.n) : NULL;
    if (!end) {
        *rest = (struct tf_text){NULL, 0};
        return all;
    }
    size_t n = (size_t)(end - all.p);
    *rest = (struct tf_text){end + 1, all.n - n - 1};
    return (struct tf_text){all.p, n};
}

bool tf_text_number(struct tf_text t, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < t.n; i++) {
        if (!tf_ascii_is_digit(t.p[i]))
            return false;
        uint64_t digit = (uint64_t)(t.p[i] - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return t.n > 0;
}

char tf_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool tf_ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool tf_ascii_is_alnum(char c)
{
    char lower = tf_ascii_lower(c);
    return tf_ascii_is_digit(c) || (lower >= 'a' && lower <= 'z');
}

unsigned tf_ascii_hex(char c)
{
    char lower = tf_ascii_lower(c);
    if (tf_ascii_is_digit(c))
        return (unsigned)(c - '0');
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 16;
}

/* RFC 3629 4:
 *
 *     110xxxxx 10xxxxxx
 *     1110xxxx 10xxxxxx 10xxxxxx
 *     11110xxx 10xxxxxx 10xxxxxx 10xxxxxx */
size_t tf_utf8_take(const char *p, size_t n, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = n > 0 ? (uint8_t)p[0] : 0;
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc0 || first >= 0xf8)
        return 0;
    uint32_t c = first & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (i >= n || ((uint8_t)p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((uint8_t)p[i] & 0x3f);
    }
    *character = c;
    return c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : size;
}

/* Beyond ASCII: controls, formats, separators of lines, and what is private or no character (Unicode's
 * general categories Cc, Cf, Zl, Zp, Co and the non-characters). Rises. */
static const uint32_t hidden[][2] = {
    {0x80, 0x9f},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},
    {0x2028, 0x202e},   {0x2060, 0x206f},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},
    {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};

size_t tf_text_shown(const char *p, size_t n)
{
    uint32_t character;
    size_t size = tf_utf8_take(p, n, &character);
    if (size == 0)
        return n > 0 && p[0] >= ' ' && p[0] <= '~';
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden && hidden[i][0] <= character; i++)
        if (character <= hidden[i][1])
            return 0;
    return size;
}
