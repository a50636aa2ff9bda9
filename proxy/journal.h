/* A log and the thread that writes it. Sessions hand over whole lines; they
 * never wait: a line that finds no room is dropped and counted. Where lines
 * go is the business of a sink, see sink.h. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* What a line is about, for the counts of what got lost and for syslog's severity. */
enum journal_kind {
    JOURNAL_REFUSED,     /* connections that were refused */
    JOURNAL_WOULD_BLOCK, /* that would have been */
    JOURNAL_OTHER,       /* upgrades, access lines */
    JOURNAL_KINDS
};

struct journal_options {
    const char *sink; /* a file (appended to, made with 0640), "-" for standard output, "syslog:..." */
    const char *name; /* which log this is, as syslog's MSGID: `block` */
    size_t bytes;     /* room of the queue */
    bool is_w3c;      /* a file begins with the head of the W3C extended log file format */
};

struct journal_counts {
    uint64_t written;                /* lines that reached the sink */
    uint64_t dropped[JOURNAL_KINDS]; /* connections whose line did not: queue full, disk full, nobody there */
};

/* NULL, with a sentence in error[0..size), when the sink cannot be opened. */
struct journal *journal_open(const struct journal_options *options, char *error, size_t size);
/* Whether it was opened with these options, but for the room. */
bool journal_is(const struct journal *j, const struct journal_options *options);
/* line[0..n) with its newline; copied. From any thread. It stands for so many connections of a kind. False:
 * dropped, and counted. */
bool journal_write(struct journal *j, const char *line, size_t n, enum journal_kind kind,
                   uint64_t connections);
/* Opens a file anew before the next line (log rotation). From any thread; returns at once. If that fails, the
 * old file stays in use and a sentence goes to standard error. */
void journal_reopen(struct journal *j);
void journal_count(const struct journal *j, struct journal_counts *counts); /* so far */
/* Writes what is queued, waiting at most wait_ms for it, ends the thread, frees. What is left then is
 * dropped; *counts, where not NULL, are the last ones. */
void journal_close(struct journal *j, uint32_t wait_ms, struct journal_counts *counts);

#endif
