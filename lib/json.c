/* JSON with everything escaped that could mean something to anybody; see json.h. */
#include "json.h"
#include "text.h"

#include <string.h>

#define BIT(c) (1u << ((c)&31))

/* A bit for each byte that stands for itself: a line is mostly made of them, and each is asked about. */
static const uint32_t plain[8] = {
    [0x20 >> 5] = ~(BIT('"') | BIT('&') | BIT('\'') | BIT('<') | BIT('>')),
    [0x40 >> 5] = ~BIT('\\'),
    [0x60 >> 5] = ~BIT(0x7f),
};

static bool is_plain(uint8_t c)
{
    return plain[c >> 5] & BIT(c);
}

static void put_unit(struct tf_writer *w, uint32_t unit)
{
    tf_put_text(w, "\\u");
    tf_put_hex16(w, (uint16_t)unit);
}

/* Beyond the first 65,536 a character takes two units (RFC 8259 7). */
static void put_character(struct tf_writer *w, uint32_t character)
{
    if (character >= 0x10000) {
        put_unit(w, 0xd800 + ((character - 0x10000) >> 10));
        put_unit(w, 0xdc00 + ((character - 0x10000) & 0x3ff));
    } else {
        put_unit(w, character);
    }
}

/* Escapes what p[0..n) begins with; how many bytes that was. */
static size_t put_escaped(struct tf_writer *w, const uint8_t *p, size_t n)
{
    uint32_t character;
    size_t size = tf_utf8_take((const char *)p, n, &character);
    if (size > 0) {
        put_character(w, character);
        return size;
    }
    if (*p == '"' || *p == '\\') {
        char pair[2] = {'\\', (char)*p};
        tf_put(w, pair, sizeof pair);
    } else {
        put_unit(w, *p);
    }
    return 1;
}

/* Plain runs go in one piece: they are nearly all there is. */
void tf_put_json_string(struct tf_writer *w, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    size_t start = 0;
    tf_put_char(w, '"');
    for (size_t i = 0; i < n;) {
        if (is_plain(bytes[i])) {
            i++;
            continue;
        }
        if (i > start)
            tf_put(w, bytes + start, i - start);
        i += put_escaped(w, bytes + i, n - i);
        start = i;
    }
    if (n > start)
        tf_put(w, bytes + start, n - start);
    tf_put_char(w, '"');
}

struct tf_json tf_json_open(struct tf_writer *w)
{
    tf_put_char(w, '{');
    return (struct tf_json){.w = w, .first = true};
}

void tf_json_close(struct tf_json *j)
{
    tf_put_char(j->w, '}');
}

void tf_json_key(struct tf_json *j, const char *key)
{
    if (!j->first)
        tf_put_char(j->w, ',');
    j->first = false;
    tf_put_char(j->w, '"');
    tf_put_text(j->w, key); /* ours, so it needs no escaping */
    tf_put_text(j->w, "\":");
}

struct tf_json tf_json_object(struct tf_json *j, const char *key)
{
    tf_json_key(j, key);
    return tf_json_open(j->w);
}

void tf_json_text(struct tf_json *j, const char *key, const char *value)
{
    tf_json_bytes(j, key, value, strlen(value));
}

void tf_json_bytes(struct tf_json *j, const char *key, const void *p, size_t n)
{
    tf_json_key(j, key);
    tf_put_json_string(j->w, p, n);
}

void tf_json_u64(struct tf_json *j, const char *key, uint64_t v)
{
    tf_json_key(j, key);
    tf_put_u64(j->w, v);
}

void tf_json_i64(struct tf_json *j, const char *key, int64_t v)
{
    tf_json_key(j, key);
    tf_put_i64(j->w, v);
}

void tf_json_bool(struct tf_json *j, const char *key, bool v)
{
    tf_json_key(j, key);
    tf_put_text(j->w, v ? "true" : "false");
}

void tf_json_null(struct tf_json *j, const char *key)
{
    tf_json_key(j, key);
    tf_put_text(j->w, "null");
}
