/* Text in HTML pages; see html.h. */
#include "html.h"

#include "text.h"
#include <string.h>

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
        size_t n = tf_utf8_take(text, TF_UTF8_MAX, &character); /* the NUL ends it earlier */
        if (n > 0 && tf_text_shown(text, n) > 0)
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
