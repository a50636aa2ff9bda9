/* Reading logs for a report, fast and in bounded memory; see report_read.h. */
#include "report_read.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK = 1 << 20,     /* of a file, at a time; a line that is longer is none of ours */
    BEGINNING = 64 << 10 /* in which the first record of a file is looked for */
};

static void complain(const char *name, const char *what)
{
    fprintf(stderr, "tlsfloor report: %s: %s\n", name, what);
}

/* --- What a file is. --- */

/* What is there of it without reading on; 0 where that cannot be had. */
static size_t peek(int fd, char *to, size_t size)
{
    ssize_t n = pread(fd, to, size, 0);
    return n > 0 ? (size_t)n : 0;
}

/* A line of either format; a file may have both, from before and after a reload. */
static enum tf_line read_line(struct tf_sighting *s, struct tf_columns *columns, struct tf_text line)
{
    return tf_text_begins(line, "{") ? tf_sighting_of_line(s, line.p, line.n)
                                     : tf_sighting_of_row(s, columns, line.p, line.n);
}

/* Whether it is a record; then *file knows of which log. */
static bool take_first_record(struct report_file *file, struct tf_columns *columns, struct tf_text line)
{
    struct tf_sighting s;
    if (read_line(&s, columns, tf_text_trim(line)) == TF_LINE_BAD || s.count == 0)
        return false;
    file->first_us = s.first_us;
    file->is_access = s.outcome == TF_OUTCOME_PASSED; /* of which the block log has none */
    return true;
}

static enum report_kind kind_of(struct report_file *file)
{
    static const char sqlite[] = "SQLite format 3", gzip[] = "\x1f\x8b";
    char *text = malloc(BEGINNING);
    size_t n = text != NULL ? peek(file->fd, text, BEGINNING) : 0;
    enum report_kind kind = REPORT_LOG;
    if (n >= sizeof sqlite && memcmp(text, sqlite, sizeof sqlite) == 0) {
        kind = REPORT_INVENTORY;
    } else if (n >= sizeof gzip - 1 && memcmp(text, gzip, sizeof gzip - 1) == 0) {
        complain(file->name, "it is compressed; write: zcat FILE | tlsfloor report -");
        kind = REPORT_UNREADABLE;
    } else {
        struct tf_text rest = {text, n};
        struct tf_columns columns = {0};
        while (rest.p != NULL && !take_first_record(file, &columns, tf_text_take(&rest, '\n')))
            ;
    }
    free(text);
    return kind;
}

void report_file_open(struct report_file *file, const char *name)
{
    bool is_stdin = strcmp(name, "-") == 0;
    struct stat status;
    *file = (struct report_file){.name = name};
    file->fd = is_stdin ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &status) != 0) {
        complain(name, strerror(errno));
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        complain(name, strerror(EISDIR));
        return;
    }
    if (S_ISREG(status.st_mode) && lseek(file->fd, 0, SEEK_CUR) == 0)
        file->size = (uint64_t)status.st_size;
    file->kind = file->size > 0 ? kind_of(file) : REPORT_LOG;
}

void report_file_close(struct report_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

int report_file_order(const void *a, const void *b)
{
    const struct report_file *x = a, *y = b;
    if (x->is_access != y->is_access)
        return x->is_access ? 1 : -1;
    return (x->first_us > y->first_us) - (x->first_us < y->first_us);
}

/* --- Progress, for whoever waits. --- */

struct progress {
    bool is_shown;
    uint64_t total; /* bytes; 0: not known */
    uint64_t done;
    int64_t shown_ms; /* when it was last shown */
};

static void show_progress(struct progress *p)
{
    enum { EVERY_MS = 200 };
    if (!p->is_shown || clock_steady_ms() - p->shown_ms < EVERY_MS)
        return;
    p->shown_ms = clock_steady_ms();
    if (p->total > 0)
        fprintf(stderr, "\rreading: %3u %% of %llu MB", (unsigned)(p->done * 100 / p->total),
                (unsigned long long)p->total / 1000000);
    else
        fprintf(stderr, "\rreading: %llu MB", (unsigned long long)p->done / 1000000);
}

static void end_progress(const struct progress *p)
{
    if (p->is_shown)
        fputs("\r\033[K", stderr);
}

/* --- Lines. --- */

struct reading {
    struct roster *roster;
    struct tf_report_input *input;
    struct progress progress;
    const char *name;
    uint64_t line; /* of the file, from 1 */
    struct tf_columns columns;
    bool is_out_of_memory;
};

static void count_bad(struct reading *r)
{
    struct tf_report_input *input = r->input;
    if (input->bad++ == 0)
        snprintf(input->first_bad, sizeof input->first_bad, "%s:%llu",
                 strcmp(r->name, "-") == 0 ? "standard input" : r->name, (unsigned long long)r->line);
}

static void take_line(struct reading *r, struct tf_text line)
{
    struct tf_sighting s;
    r->line++;
    r->input->lines++;
    line = tf_text_trim(line);
    if (line.n == 0)
        return;
    switch (read_line(&s, &r->columns, line)) {
    case TF_LINE_SIGHTING:
        r->input->sightings++;
        if (!roster_add(r->roster, &s))
            r->is_out_of_memory = true;
        break;
    case TF_LINE_OTHER:
        break;
    case TF_LINE_BAD:
        count_bad(r);
        break;
    }
}

/* Takes all whole lines of text[0..n); at the end of the file (`is_last`) also one without a newline. Returns
 * how much that was. */
static size_t take_lines(struct reading *r, const char *text, size_t n, bool is_last)
{
    struct tf_text rest = {text, n};
    while (rest.n > 0 && !r->is_out_of_memory) {
        const char *newline = memchr(rest.p, '\n', rest.n);
        if (newline == NULL && !is_last)
            break;
        take_line(r, tf_text_take(&rest, '\n'));
    }
    return n - rest.n;
}

/* What stays in the buffer is the beginning of a line. One that fills all of it is counted, and skipped. */
static bool read_lines(struct reading *r, int fd, char *buffer)
{
    size_t have = 0;
    bool is_skipping = false;
    for (;;) {
        ssize_t n = read(fd, buffer + have, CHUNK - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        r->progress.done += (uint64_t)n;
        show_progress(&r->progress);
        have += (size_t)n;
        size_t start = 0;
        if (is_skipping) {
            const char *newline = memchr(buffer, '\n', have);
            start = newline != NULL ? (size_t)(newline - buffer) + 1 : have;
            is_skipping = newline == NULL;
        }
        start += take_lines(r, buffer + start, have - start, n == 0);
        if (n == 0 || r->is_out_of_memory)
            return !r->is_out_of_memory;
        have -= start;
        memmove(buffer, buffer + start, have);
        if (have < CHUNK)
            continue;
        r->line++;
        r->input->lines++;
        count_bad(r);
        is_skipping = true;
        have = 0;
    }
}

static uint64_t total_size(const struct report_file *files, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (files[i].size == 0)
            return 0;
        total += files[i].size;
    }
    return total;
}

bool report_read(struct roster *roster, struct tf_report_input *input, struct report_file *files, size_t n)
{
    struct reading r = {.roster = roster, .input = input};
    char *buffer = malloc(CHUNK);
    bool ok = buffer != NULL;
    r.is_out_of_memory = !ok;
    r.progress.is_shown = isatty(STDERR_FILENO);
    r.progress.total = total_size(files, n);
    for (size_t i = 0; i < n && !r.is_out_of_memory; i++) {
        r.name = files[i].name;
        r.line = 0;
        r.columns = (struct tf_columns){0};
        input->files++;
        if (read_lines(&r, files[i].fd, buffer) || r.is_out_of_memory)
            continue;
        complain(r.name, strerror(errno));
        ok = false;
    }
    end_progress(&r.progress);
    if (r.is_out_of_memory)
        complain("the clients", strerror(ENOMEM));
    free(buffer);
    return ok && !r.is_out_of_memory;
}
