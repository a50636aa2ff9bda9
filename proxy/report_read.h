/* Log files into a roster. */
#ifndef REPORT_READ_H
#define REPORT_READ_H

#include "../lib/report.h"
#include "roster.h"

enum report_kind {
    REPORT_UNREADABLE, /* it has been said why */
    REPORT_LOG,
    REPORT_INVENTORY /* an SQLite database */
};

/* A file that is to be read; name is "-" for standard input. */
struct report_file {
    const char *name;
    int fd; /* -1: not open */
    enum report_kind kind;
    uint64_t size; /* 0: not known */
    /* of its first record */
    bool is_access;
    int64_t first_us;
};

/* Opens the file, and looks at its beginning. */
void report_file_open(struct report_file *file, const char *name);
void report_file_close(struct report_file *file);
/* For qsort(3), the order in which they must be read, so that it is known who was below the floor before it
 * is seen who has come back above it: block logs by time, then access logs. */
int report_file_order(const void *a, const void *b);

/* Fills a roster from n files of lines, and *input. With a progress line on standard error, if that is a
 * terminal. False: not all of it, and it has been said why. */
bool report_read(struct roster *roster, struct tf_report_input *input, struct report_file *files, size_t n);

#endif
