/* INI text line by line, with inih: section headers, keys and values, each
 * with the number of its line. What they mean is up to the caller. */
#ifndef INI_LINES_H
#define INI_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* A longer line is an error. */
enum { INI_LINE_MAX = 1 << 14 };

/* Whom to tell. Texts are valid during the call only. */
struct ini_reader {
    /* What stands between the brackets. NULL: that cannot be read, and was an error. */
    void (*on_header)(void *arg, const char *header, unsigned line);
    void (*on_value)(void *arg, const char *key, const char *value, unsigned line);
    /* A line that is passed over. */
    void (*on_error)(void *arg, const char *sentence, unsigned line);
    void *arg;
};

/* Reads text[0..n). False, after an error: this is no text, and nothing else was told. No copy of it stays in
 * memory. */
bool ini_read_lines(const struct ini_reader *reader, const char *text, size_t n);

#endif
