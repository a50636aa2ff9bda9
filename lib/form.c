/* Writing forms; see form.h. */
#include "form.h"

#include "text.h"
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
