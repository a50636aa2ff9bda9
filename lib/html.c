/* Text in HTML pages; see html.h. */
#include "html.h"

#include <string.h>

/* A character beyond ASCII in UTF-8 (RFC 3629 4), the shortest form and no surrogate:
 *
 *     110xxxxx 10xxxxxx
 *     1110xxxx 10xxxxxx 10xxxxxx
 *     11110xxx 10xxxxxx 10xxxxxx 10xxxxxx
 *
 * How many bytes it has; 0: there is none. A NUL, which ends the text, is no 10xxxxxx. */
static size_t take_character(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)text[0];
    size_t n = first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc0 || first >= 0xf8)
        return 0;
    uint32_t c = first & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((uint8_t)text[i] & 0x3f);
    }
    *character = c;
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

static void put_reference(struct tf_writer *w, uint32_t character)
{
    tf_put_text(w, "&#");
    tf_put_u64(w, character);
    tf_put_char(w, ';');
}

void tf_put_html_text(struct tf_writer *w, const char *text, size_t room)
{
    for (size_t end = w->len + room; *text != '\0' && w->len < end;) {
        uint32_t character;
        size_t n = take_character(text, &character);
        if (n > 0 && character >= 0xa0)
            put_reference(w, character);
        else if (*text < ' ' || *text > '~')
            tf_put_char(w, '?');
        else if (strchr("&<>\"'", *text) != NULL)
            put_reference(w, (uint8_t)*text);
        else
            tf_put_char(w, *text);
        text += n > 0 ? n : 1;
    }
}
