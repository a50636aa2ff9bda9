/* Text for terminals, by columns; see cells.h. */
#include "cells.h"

#include "text.h"

/* The bytes of the character that p[0..n) begins with; a byte that is not shown is one too. */
static size_t character_size(const char *p, size_t n)
{
    size_t size = tf_text_shown(p, n);
    return size > 0 ? size : 1;
}

void tf_put_blanks(struct tf_writer *w, size_t n)
{
    while (n-- > 0)
        tf_put_char(w, ' ');
}

void tf_put_shown(struct tf_writer *w, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i += character_size(p + i, n - i)) {
        size_t size = tf_text_shown(p + i, n - i);
        tf_put(w, size > 0 ? p + i : "?", size > 0 ? size : 1);
    }
}

size_t tf_cell_fit(const char *p, size_t n, size_t columns)
{
    size_t bytes = 0;
    while (bytes < n && columns-- > 0)
        bytes += character_size(p + bytes, n - bytes);
    return bytes;
}

void tf_put_cell(struct tf_writer *w, const char *p, size_t n, size_t columns)
{
    static const char cut[] = "...";
    bool is_cut = tf_cell_fit(p, n, columns) < n;
    size_t dots = is_cut && columns >= sizeof cut - 1 ? sizeof cut - 1 : 0;
    size_t shown = tf_cell_fit(p, n, columns - dots);
    tf_put_shown(w, p, shown);
    tf_put(w, cut, dots);
    for (size_t i = 0; i < shown; i += character_size(p + i, shown - i))
        columns--;
    tf_put_blanks(w, columns - dots);
}
