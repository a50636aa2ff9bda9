/* JSON with everything escaped that could mean something to anybody; see json.h. */
#include "json.h"

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

static void put_escaped(struct tf_writer *w, uint8_t c)
{
    if (c == '"' || c == '\\') {
        char pair[2] = {'\\', (char)c};
        tf_put(w, pair, sizeof pair);
    } else {
        tf_put_text(w, "\\u");
        tf_put_hex16(w, c);
    }
}

/* Plain runs go in one piece: they are nearly all there is. */
void tf_put_json_string(struct tf_writer *w, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    size_t start = 0;
    tf_put_char(w, '"');
    for (size_t i = 0; i < n; i++) {
        if (is_plain(bytes[i]))
            continue;
        if (i > start)
            tf_put(w, bytes + start, i - start);
        put_escaped(w, bytes[i]);
        start = i + 1;
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

void tf_json_bool(struct tf_json *j, const char *key, bool v)
{
    tf_json_key(j, key);
    tf_put_text(j->w, v ? "true" : "false");
}
