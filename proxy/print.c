/* Memory that grows until a text fits; see print.h. */
#include "print.h"

#include <stdlib.h>

enum { FIRST_SIZE = 1 << 16, LAST_SIZE = 1 << 30 };

bool print_whole(FILE *to, void (*put)(struct tf_writer *w, const void *arg), const void *arg)
{
    for (size_t size = FIRST_SIZE; size <= LAST_SIZE; size *= 4) {
        char *text = malloc(size);
        struct tf_writer w = tf_writer_of(text, text ? size : 0);
        put(&w, arg);
        bool is_whole = !w.full;
        bool is_written = is_whole && fwrite(w.p, 1, w.len, to) == w.len;
        free(text);
        if (is_whole)
            return is_written && fflush(to) == 0;
    }
    return false;
}
