/* A log file and the thread that writes it. Sessions hand over whole lines;
 * they never wait: a line that finds no room is dropped and counted. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* path: a file (appended to, made with 0640), or "-" for standard output. `bytes`: room of the queue. NULL,
 * with a sentence in error[0..size), when the file cannot be opened. */
struct journal *journal_open(const char *path, size_t bytes, char *error, size_t size);
/* line[0..n) with its newline; copied. From any thread. False: dropped, and counted. */
bool journal_write(struct journal *j, const char *line, size_t n);
/* Opens the path anew before the next line (log rotation). From any thread; returns at once. If that fails,
 * the old file stays in use and a sentence goes to standard error. */
void journal_reopen(struct journal *j);
uint64_t journal_written(const struct journal *j); /* lines that reached the file */
uint64_t journal_dropped(const struct journal *j); /* lines that did not: queue full, disk full, file gone */
/* Writes what is queued, waiting at most wait_ms for it, ends the thread, frees. What is left then is
 * dropped; *written and *dropped, where not NULL, are the last counts. */
void journal_close(struct journal *j, uint32_t wait_ms, uint64_t *written, uint64_t *dropped);

#endif
