/* Journals for tests: a directory of its own for each test, lines that can be told apart, and what is said on
 * standard error. */
#ifndef JOURNAL_STAGE_H
#define JOURNAL_STAGE_H

#include "../../proxy/sink.h"
#include "await.h"
#include "own_directory.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LONG_MS = 10000, QUEUE = 64 * 1024 };

static inline struct journal *open_journal(const char *path, size_t bytes)
{
    char error[256] = "";
    struct journal_options options = {.sink = path, .name = "block", .bytes = bytes};
    struct journal *j = journal_open(&options, error, sizeof error);
    if (j == NULL)
        fail_msg("%s", error);
    return j;
}

static inline bool put(struct journal *j, const char *line)
{
    return journal_write(j, line, strlen(line), JOURNAL_REFUSED, 1);
}

static inline uint64_t journal_written(const struct journal *j)
{
    struct journal_counts counts;
    journal_count(j, &counts);
    return counts.written;
}

static inline uint64_t journal_dropped(const struct journal *j, enum journal_kind kind)
{
    struct journal_counts counts;
    journal_count(j, &counts);
    return counts.dropped[kind];
}

static inline uint64_t close_journal(struct journal *j)
{
    struct journal_counts counts;
    journal_close(j, LONG_MS, &counts);
    assert_int_equal(counts.dropped[JOURNAL_WOULD_BLOCK] + counts.dropped[JOURNAL_OTHER], 0);
    return counts.dropped[JOURNAL_REFUSED];
}

/* The whole file, NUL-terminated; the caller frees it. */
static inline char *read_all(int fd, size_t *n)
{
    size_t room = 1 << 16;
    char *text = malloc(room);
    *n = 0;
    for (ssize_t k; assert_non_null(text), (k = read(fd, text + *n, room - *n - 1)) > 0;) {
        *n += (size_t)k;
        if (room - *n < 2)
            text = realloc(text, room *= 2);
    }
    text[*n] = '\0';
    close(fd);
    return text;
}

static inline char *read_file(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    return read_all(fd, n);
}

static inline void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline void assert_file(const char *path, const char *expected)
{
    size_t n;
    char *text = read_file(path, &n);
    assert_string_equal(text, expected);
    free(text);
}

/* Standard error goes to a file while a test looks at what is said there. */
static int saved_stderr;

static inline void catch_stderr(void)
{
    int fd = open("stderr", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

/* How often `part` was said so far. */
static inline unsigned stderr_has(const char *part)
{
    size_t n;
    unsigned count = 0;
    char *text = read_file("stderr", &n);
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    free(text);
    return count;
}

/* Standard error is itself again; how often `part` was said. */
static inline unsigned release_stderr(const char *part)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    return stderr_has(part);
}

/* Lines as producers make them: "<producer> <number> xxxx...", of a length that varies. */
enum { LINE_MAX_LEN = 200, PRODUCERS = 8, LINES_EACH = 20000 };

static inline size_t make_line(char *line, unsigned producer, unsigned number)
{
    size_t n = (size_t)snprintf(line, LINE_MAX_LEN, "%u %u ", producer, number);
    size_t padding = number % 100;
    memset(line + n, 'x', padding);
    line[n + padding] = '\n';
    return n + padding + 1;
}

/* Checks that every line is one that make_line made, and in order; returns how many there are. `last` holds
 * the number of each producer's line that came last, plus one. */
static inline uint64_t check_lines(const char *text, size_t n, unsigned *last)
{
    uint64_t lines = 0;
    for (const char *at = text; at < text + n; lines++) {
        char line[LINE_MAX_LEN];
        char *after;
        unsigned producer = (unsigned)strtoul(at, &after, 10);
        unsigned number = (unsigned)strtoul(after, NULL, 10);
        assert_true(producer < PRODUCERS && number >= last[producer]);
        size_t length = make_line(line, producer, number);
        assert_true(length <= (size_t)(text + n - at));
        assert_memory_equal(at, line, length);
        last[producer] = number + 1;
        at += length;
    }
    return lines;
}

static inline uint64_t check_file(const char *path, unsigned *last)
{
    size_t n;
    char *text = read_file(path, &n);
    uint64_t lines = check_lines(text, n, last);
    free(text);
    return lines;
}

/* A thread that makes lines; what it could not hand over is in `refused`. */
struct producer {
    pthread_t thread;
    struct journal *journal;
    unsigned index;
    uint64_t refused;
};

static inline void *produce(void *arg)
{
    struct producer *p = arg;
    for (unsigned i = 0; i < LINES_EACH; i++) {
        char line[LINE_MAX_LEN];
        size_t n = make_line(line, p->index, i);
        p->refused += !journal_write(p->journal, line, n, JOURNAL_REFUSED, 1);
    }
    return NULL;
}

#define in_directory(f) cmocka_unit_test_setup_teardown(f, enter_directory, leave_directory)

#endif
