/* One line of a log: a flat JSON object (RFC 8259), pair by pair. Made to be
 * fast, for logs of gigabytes that we have written ourselves: what is not
 * asked for is only skipped. Works on the caller's bytes; never fails on any
 * input, and never reads beyond it. */
#ifndef TF_LINE_H
#define TF_LINE_H

#include "text.h"

struct tf_line_pair {
    struct tf_text key;   /* between its quotes, as it stands */
    struct tf_text value; /* a text: between its quotes, as it stands; a number or word: itself; an array:
                             with its brackets */
};

enum tf_scan_state {
    TF_SCAN_OPEN,
    TF_SCAN_WHOLE, /* the object has come to its end, and nothing is behind it */
    TF_SCAN_BROKEN /* none, or cut, or not flat */
};

struct tf_line_scan {
    const char *at, *end;
    enum tf_scan_state state;
    bool is_first; /* private: no pair has been taken yet */
};

struct tf_line_scan tf_line_scan_of(const char *line, size_t n);
/* The next pair; false when there is none, and `state` says why. */
bool tf_line_next(struct tf_line_scan *scan, struct tf_line_pair *pair);
/* A text value as a label: without its escapes, cut to fit size, and NUL-terminated; what is not printable
 * ASCII is
 * '?'. */
void tf_line_label(char *to, size_t size, struct tf_text value);

#endif
