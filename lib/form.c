/* Writing and reading forms; see form.h. */
#include "form.h"

#include <string.h>

static bool is_literal(char c)
{
    return tf_ascii_is_alnum(c) || (c != '\0' && strchr("*-._", c));
}

static void put_encoded(struct tf_writer *w, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if (is_literal(*text))
            tf_put_char(w, *text);
        else if (*text == ' ')
            tf_put_char(w, '+');
        else
            tf_put(w, (const char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

void tf_put_form_field(struct tf_writer *w, const char *name, const char *value)
{
    if (w->len > 0)
        tf_put_char(w, '&');
    put_encoded(w, name);
    tf_put_char(w, '=');
    put_encoded(w, value);
}

/* The byte at the front of a text, decoded and taken off. False: a % without two digits behind it. */
static bool take_byte(struct tf_text *t, char *c)
{
    size_t n = 1;
    *c = t->p[0] == '+' ? ' ' : t->p[0];
    if (*c == '%') {
        n = 3;
        if (t->n < n || tf_ascii_hex(t->p[1]) > 15 || tf_ascii_hex(t->p[2]) > 15)
            return false;
        *c = (char)(tf_ascii_hex(t->p[1]) << 4 | tf_ascii_hex(t->p[2]));
    }
    *t = (struct tf_text){t->p + n, t->n - n};
    return true;
}

bool tf_form_take(struct tf_text *rest, struct tf_text *name, char *value, size_t size)
{
    struct tf_text field = tf_text_take(rest, '&');
    size_t n = 0;
    *name = tf_text_take(&field, '=');
    for (; field.n > 0 && n + 1 < size; n++)
        if (!take_byte(&field, &value[n]) || value[n] == '\0')
            return false;
    value[n] = '\0';
    return field.n == 0;
}
