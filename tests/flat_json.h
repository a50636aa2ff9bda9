/* Reads one flat JSON object, as strictly as a test should: what our own
 * writer may write, and nothing else. For tests and fuzz targets. */
#ifndef FLAT_JSON_H
#define FLAT_JSON_H

#include <stdbool.h>
#include <string.h>

/* A cursor over text[0..end). NULL in `at` once anything was wrong. */
struct flat {
    const char *at, *end;
};

static inline bool flat_take(struct flat *f, char c)
{
    if (f->at == NULL || f->at == f->end || *f->at != c) {
        f->at = NULL;
        return false;
    }
    f->at++;
    return true;
}

static inline bool flat_is_next(const struct flat *f, char c)
{
    return f->at != NULL && f->at != f->end && *f->at == c;
}

static inline void flat_string(struct flat *f)
{
    flat_take(f, '"');
    while (f->at != NULL && !flat_is_next(f, '"')) {
        if (f->at == f->end || *f->at < 0x20 || *f->at > 0x7e || strchr("<>&'", *f->at) != NULL) {
            f->at = NULL;
        } else if (*f->at != '\\') {
            f->at++;
        } else if (f->end - f->at >= 2 && (f->at[1] == '"' || f->at[1] == '\\')) {
            f->at += 2;
        } else if (f->end - f->at >= 6 && memcmp(f->at, "\\u00", 4) == 0 &&
                   strspn(f->at + 4, "0123456789abcdef") >= 2) {
            f->at += 6;
        } else {
            f->at = NULL;
        }
    }
    flat_take(f, '"');
}

static inline void flat_value(struct flat *f)
{
    static const char *const words[] = {"true", "false"};
    if (flat_is_next(f, '"')) {
        flat_string(f);
    } else if (flat_is_next(f, '[')) {
        do {
            f->at++;
            if (!flat_is_next(f, ']'))
                flat_string(f);
        } while (flat_is_next(f, ','));
        flat_take(f, ']');
    } else if (f->at != NULL && f->at != f->end && *f->at >= '0' && *f->at <= '9') {
        while (f->at != f->end && *f->at >= '0' && *f->at <= '9')
            f->at++;
    } else if (f->at != NULL) {
        const char *start = f->at;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if ((size_t)(f->end - start) >= strlen(words[i]) &&
                memcmp(start, words[i], strlen(words[i])) == 0)
                f->at = start + strlen(words[i]);
        if (f->at == start)
            f->at = NULL;
    }
}

/* Whether text[0..n) is one object and a newline. With a key, *value is set to its value as it stands
 * (strings with their quotes), or to NULL when it is not there; a key that comes twice makes the object
 * wrong. */
static inline bool flat_read(const char *text, size_t n, const char *key, const char **value,
                             size_t *value_len)
{
    struct flat f = {text, text + n};
    bool found = false;
    if (value != NULL)
        *value = NULL;
    flat_take(&f, '{');
    while (f.at != NULL && !flat_is_next(&f, '}')) {
        const char *start = f.at;
        flat_string(&f);
        bool is_it = key != NULL && f.at != NULL && (size_t)(f.at - start) == strlen(key) + 2 &&
                     memcmp(start + 1, key, strlen(key)) == 0;
        flat_take(&f, ':');
        const char *v = f.at;
        flat_value(&f);
        if (is_it && found)
            f.at = NULL;
        if (is_it && f.at != NULL) {
            found = true;
            *value = v;
            *value_len = (size_t)(f.at - v);
        }
        if (!flat_is_next(&f, '}'))
            flat_take(&f, ',');
    }
    flat_take(&f, '}');
    flat_take(&f, '\n');
    return f.at == f.end;
}

#endif
