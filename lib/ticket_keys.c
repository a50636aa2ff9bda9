/* Reading keys of session tickets; see ticket_keys.h. */
#include "ticket_keys.h"

#include "base64.h"
#include "sasl.h"
#include <string.h>

enum { KEY_SIZE = sizeof(struct tf_ticket_key) };

#define MAKE_ONE "make one with: openssl rand -hex 80"

static bool read_hex(struct tf_text text, uint8_t *out)
{
    for (size_t i = 0; i < KEY_SIZE; i++) {
        unsigned high = tf_ascii_hex(text.p[2 * i]), low = tf_ascii_hex(text.p[2 * i + 1]);
        if (high > 15 || low > 15)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The two spellings differ in length. */
static bool read_key(struct tf_text text, struct tf_ticket_key *key)
{
    uint8_t bytes[KEY_SIZE];
    size_t n = 0;
    bool ok = text.n == 2 * sizeof bytes
                  ? read_hex(text, bytes)
                  : text.n == TF_BASE64_SIZE(sizeof bytes) && tf_base64_read(text, bytes, sizeof bytes, &n) &&
                        n == sizeof bytes;
    if (ok)
        memcpy(key, bytes, sizeof bytes);
    tf_wipe(bytes, sizeof bytes);
    return ok;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static bool has_empty_part(const struct tf_ticket_key *key)
{
    return is_zero(key->name, sizeof key->name) || is_zero(key->mac, sizeof key->mac) ||
           is_zero(key->cipher, sizeof key->cipher);
}

static bool has_name(const struct tf_ticket_keys *keys, const uint8_t *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (memcmp(keys->list[i].name, name, TF_TICKET_NAME_SIZE) == 0)
            return true;
    return false;
}

static const char *add_key(struct tf_ticket_keys *keys, struct tf_text line)
{
    if (keys->count == TF_TICKET_KEYS_MAX)
        return "there are more than 16 keys; take the oldest out";
    struct tf_ticket_key *key = &keys->list[keys->count];
    if (!read_key(line, key))
        return "this is no key of 80 bytes, in hexadecimal or in one line of base64; " MAKE_ONE;
    if (has_empty_part(key))
        return "this key is not random; " MAKE_ONE;
    if (has_name(keys, key->name))
        return "this key begins with the same 16 bytes, its name, as one above; take one of the two out";
    keys->count++;
    return NULL;
}

static const char *read_lines(struct tf_text rest, struct tf_ticket_keys *keys, unsigned *line)
{
    for (*line = 1; rest.p != NULL; ++*line) {
        struct tf_text text = tf_text_trim(tf_text_take(&rest, '\n'));
        bool is_key = text.n > 0 && text.p[0] != '#' && text.p[0] != ';';
        const char *why = is_key ? add_key(keys, text) : NULL;
        if (why != NULL)
            return why;
    }
    *line = 0;
    return keys->count > 0 ? NULL : "there is no key in it; " MAKE_ONE;
}

const char *tf_ticket_keys_parse(struct tf_text text, struct tf_ticket_keys *keys, unsigned *line)
{
    keys->count = 0;
    const char *why = read_lines(text, keys, line);
    if (why != NULL)
        tf_wipe(keys, sizeof *keys);
    return why;
}
