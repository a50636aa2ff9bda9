/* journal.c: no line is lost without being counted, none is torn, and no producer waits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LONG_MS = 10000, QUEUE = 64 * 1024 };

/* Each test works in a directory of its own. */
static int home;

static int enter_directory(void **state)
{
    static char directory[64];
    *state = directory;
    snprintf(directory, sizeof directory, "/tmp/test_journal.XXXXXX");
    home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return home >= 0 && mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
    char command[128];
    umount2("disk", MNT_DETACH); /* in case that a test failed before it did so */
    snprintf(command, sizeof command, "rm -rf %s", (const char *)*state);
    int rc = fchdir(home);
    close(home);
    return rc == 0 ? system(command) : -1;
}

static struct journal *open_journal(const char *path, size_t bytes)
{
    char error[256] = "";
    struct journal *j = journal_open(path, bytes, error, sizeof error);
    if (j == NULL)
        fail_msg("%s", error);
    return j;
}

static bool put(struct journal *j, const char *line)
{
    return journal_write(j, line, strlen(line));
}

static uint64_t close_journal(struct journal *j)
{
    uint64_t dropped = 0;
    journal_close(j, LONG_MS, NULL, &dropped);
    return dropped;
}

/* The whole file, NUL-terminated; the caller frees it. */
static char *read_all(int fd, size_t *n)
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

static char *read_file(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    return read_all(fd, n);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_file(const char *path, const char *expected)
{
    size_t n;
    char *text = read_file(path, &n);
    assert_string_equal(text, expected);
    free(text);
}

/* Standard error goes to a file while a test looks at what is said there. */
static int saved_stderr;

static void catch_stderr(void)
{
    int fd = open("stderr", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

/* How often `part` was said. */
static unsigned release_stderr(const char *part)
{
    size_t n;
    unsigned count = 0;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    char *text = read_file("stderr", &n);
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    free(text);
    return count;
}

/* Waits for what no descriptor tells: a counter that the log thread moves. */
#define AWAIT(condition)                                                                                     \
    do {                                                                                                     \
        int tries = LONG_MS;                                                                                 \
        while (!(condition) && --tries > 0)                                                                  \
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);                                         \
        assert_true(condition);                                                                              \
    } while (0)

/* Lines as producers make them: "<producer> <number> xxxx...", of a length that varies. */
enum { LINE_MAX_LEN = 200, PRODUCERS = 8, LINES_EACH = 20000 };

static size_t make_line(char *line, unsigned producer, unsigned number)
{
    size_t n = (size_t)snprintf(line, LINE_MAX_LEN, "%u %u ", producer, number);
    size_t padding = number % 100;
    memset(line + n, 'x', padding);
    line[n + padding] = '\n';
    return n + padding + 1;
}

/* Checks that every line is one that make_line made, and in order; returns how many there are. `last` holds
 * the number of each producer's line that came last, plus one. */
static uint64_t check_lines(const char *text, size_t n, unsigned *last)
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

static uint64_t check_file(const char *path, unsigned *last)
{
    size_t n;
    char *text = read_file(path, &n);
    uint64_t lines = check_lines(text, n, last);
    free(text);
    return lines;
}

/* --- files --- */

static void lines_are_in_the_file_after_close(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", QUEUE);
    assert_true(put(j, "one\n"));
    assert_true(put(j, "two\n"));
    assert_int_equal(close_journal(j), 0);
    assert_file("log", "one\ntwo\n");
}

static void lines_are_appended_and_the_file_is_not_for_everybody(void **state)
{
    (void)state;
    struct stat st;
    for (int i = 0; i < 2; i++) {
        struct journal *j = open_journal("log", QUEUE);
        put(j, "line\n");
        close_journal(j);
    }
    assert_file("log", "line\nline\n");
    assert_int_equal(stat("log", &st), 0);
    assert_int_equal(st.st_mode & 0137, 0);
}

static void a_line_that_a_crash_tore_is_ended_first(void **state)
{
    (void)state;
    write_file("log", "whole\ntor");
    struct journal *j = open_journal("log", QUEUE);
    put(j, "next\n");
    close_journal(j);
    assert_file("log", "whole\ntor\nnext\n");
}

static void a_lone_line_is_written_without_another(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", QUEUE);
    put(j, "alone\n");
    AWAIT(journal_written(j) == 1);
    assert_file("log", "alone\n");
    assert_int_equal(close_journal(j), 0);
}

static void a_line_larger_than_the_queue_is_dropped_and_counted(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", 16);
    assert_false(put(j, "seventeen bytes.\n"));
    assert_true(put(j, "sixteen bytes..\n"));
    assert_int_equal(close_journal(j), 1);
    assert_file("log", "sixteen bytes..\n");
}

static void a_file_that_cannot_be_opened_is_an_error_with_its_name(void **state)
{
    (void)state;
    char error[256];
    assert_null(journal_open("/nonexistent/log", QUEUE, error, sizeof error));
    assert_string_equal(error, "log /nonexistent/log: No such file or directory; make the directory "
                               "/nonexistent, writable for the user of the gateway");
    assert_null(journal_open(".", QUEUE, error, sizeof error));
}

static void no_descriptor_is_inherited_by_another_program(void **state)
{
    (void)state;
    bool was_open[64];
    for (int fd = 0; fd < 64; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    struct journal *file = open_journal("log", QUEUE);
    struct journal *output = open_journal("-", QUEUE);
    for (int fd = 0; fd < 64; fd++)
        if (!was_open[fd] && fcntl(fd, F_GETFD) >= 0)
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close_journal(file);
    close_journal(output);
}

/* --- many producers --- */

struct producer {
    pthread_t thread;
    struct journal *journal;
    unsigned index;
    uint64_t refused;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (unsigned i = 0; i < LINES_EACH; i++) {
        char line[LINE_MAX_LEN];
        size_t n = make_line(line, p->index, i);
        p->refused += !journal_write(p->journal, line, n);
    }
    return NULL;
}

static void every_line_of_concurrent_producers_is_whole_or_counted(void **state)
{
    (void)state;
    static const size_t queues[] = {4096, 4 << 20}; /* one that overflows, one that hardly does */
    for (size_t q = 0; q < 2; q++) {
        const char *path = q == 0 ? "small" : "large";
        struct producer producers[PRODUCERS];
        struct journal *j = open_journal(path, queues[q]);
        uint64_t refused = 0;
        unsigned last[PRODUCERS] = {0};
        for (unsigned i = 0; i < PRODUCERS; i++) {
            producers[i] = (struct producer){.journal = j, .index = i};
            assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
        }
        for (unsigned i = 0; i < PRODUCERS; i++) {
            pthread_join(producers[i].thread, NULL);
            refused += producers[i].refused;
        }
        uint64_t dropped = close_journal(j);
        assert_int_equal(dropped, refused);
        assert_int_equal(check_file(path, last) + dropped, PRODUCERS * LINES_EACH);
    }
}

/* --- rotation --- */

static void lines_after_a_reopen_are_in_the_new_file(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", QUEUE);
    put(j, "before\n");
    AWAIT(journal_written(j) == 1);
    assert_int_equal(rename("log", "log.1"), 0);
    journal_reopen(j);
    put(j, "after\n");
    assert_int_equal(close_journal(j), 0);
    assert_file("log.1", "before\n");
    assert_file("log", "after\n");
}

static void a_reopen_needs_no_line_to_take_effect(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", QUEUE);
    assert_int_equal(unlink("log"), 0);
    journal_reopen(j);
    AWAIT(access("log", F_OK) == 0);
    close_journal(j);
}

static void rotation_under_load_loses_no_line(void **state)
{
    (void)state;
    enum { ROTATIONS = 20 };
    struct producer producer = {.journal = open_journal("log", 16 << 20)};
    uint64_t lines = 0;
    unsigned last[PRODUCERS] = {0};
    pthread_create(&producer.thread, NULL, produce, &producer);
    for (unsigned i = 0; i < ROTATIONS; i++) {
        char name[32];
        snprintf(name, sizeof name, "log.%u", i);
        assert_int_equal(rename("log", name), 0);
        journal_reopen(producer.journal);
        AWAIT(access("log", F_OK) == 0);
    }
    pthread_join(producer.thread, NULL);
    uint64_t dropped = close_journal(producer.journal);
    for (unsigned i = 0; i < ROTATIONS; i++) {
        char name[32];
        snprintf(name, sizeof name, "log.%u", i);
        lines += check_file(name, last);
    }
    lines += check_file("log", last);
    assert_int_equal(dropped, 0);
    assert_int_equal(lines, LINES_EACH);
}

static void a_reopen_that_fails_keeps_the_old_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir("logs", 0700), 0);
    struct journal *j = open_journal("logs/log", QUEUE);
    catch_stderr();
    assert_int_equal(rename("logs", "moved"), 0);
    journal_reopen(j);
    put(j, "still here\n");
    assert_int_equal(close_journal(j), 0);
    assert_int_equal(release_stderr("cannot open it anew: No such file or directory"), 1);
    assert_file("moved/log", "still here\n");
}

/* --- disks that are full --- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Told once, and not tried more often than every quarter of a second. */
static void a_full_device_is_counted_and_told_once(void **state)
{
    (void)state;
    int64_t start_ms = now_ms();
    struct journal *j = open_journal("/dev/full", QUEUE);
    catch_stderr();
    for (uint64_t i = 1; i <= 3; i++) {
        assert_true(put(j, "line\n"));
        AWAIT(journal_dropped(j) == i);
    }
    assert_true(now_ms() - start_ms >= 400);
    assert_int_equal(journal_written(j), 0);
    assert_int_equal(close_journal(j), 3);
    assert_int_equal(release_stderr("No space left on device"), 1);
}

/* Fills what `limit` bytes hold, then has more room made, then writes on: all lines whole, all accounted for.
 */
static void overflow_and_recover(const char *path, void (*make_room)(void))
{
    struct journal *j = open_journal(path, 1 << 20);
    unsigned produced = 0;
    unsigned last[PRODUCERS] = {0};
    char line[LINE_MAX_LEN];
    size_t n;
    catch_stderr();
    while (journal_dropped(j) == 0) {
        for (int i = 0; i < 20; i++)
            assert_true(journal_write(j, line, make_line(line, 0, produced++)));
        AWAIT(journal_written(j) + journal_dropped(j) == produced);
        assert_true(produced < 10000);
    }
    /* Nothing of the line that did not fit is left. */
    char *text = read_file(path, &n);
    assert_true(n > 0 && text[n - 1] == '\n');
    free(text);
    make_room();
    uint64_t before = journal_written(j);
    journal_write(j, line, make_line(line, 0, produced++));
    AWAIT(journal_written(j) > before);
    uint64_t dropped = close_journal(j);
    assert_true(dropped > 0);
    assert_int_equal(release_stderr("lines are written again"), 1);
    assert_int_equal(check_file(path, last) + dropped, produced);
}

static struct rlimit old_limit;

static void lift_limit(void)
{
    setrlimit(RLIMIT_FSIZE, &old_limit);
}

static void a_file_at_its_size_limit_ends_with_a_whole_line(void **state)
{
    (void)state;
    getrlimit(RLIMIT_FSIZE, &old_limit);
    struct rlimit limit = {.rlim_cur = 10007, .rlim_max = old_limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    overflow_and_recover("log", lift_limit);
}

static void remove_ballast(void)
{
    unlink("disk/ballast");
}

/* A real full disk; who is not root goes without it. */
static void a_full_disk_leaves_no_torn_line(void **state)
{
    (void)state;
    char ballast[32 * 1024];
    const char *disk = "disk";
    mkdir(disk, 0700);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=64k") != 0)
        skip();
    int fd = open("disk/ballast", O_WRONLY | O_CREAT, 0600);
    memset(ballast, 'b', sizeof ballast);
    ssize_t k = write(fd, ballast, sizeof ballast);
    close(fd);
    assert_int_equal(k, sizeof ballast);
    overflow_and_recover("disk/log", remove_ballast);
    assert_int_equal(umount("disk"), 0);
}

/* --- pipes --- */

/* A FIFO, and our reading end of it. */
static int make_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void a_blocked_pipe_blocks_no_producer(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    int reader = make_fifo("fifo");
    struct journal *j = open_journal("fifo", 4 * QUEUE); /* more than the pipe takes, less than comes */
    unsigned last[PRODUCERS] = {0};
    for (unsigned i = 0; i < LINES; i++) {
        char line[LINE_MAX_LEN];
        journal_write(j, line, make_line(line, 0, i)); /* hangs for ever if it waits for the pipe */
    }
    assert_true(journal_dropped(j) > 0);
    uint64_t written = 0, dropped = 0;
    catch_stderr();
    journal_close(j, 50, &written, &dropped); /* so does this */
    assert_int_equal(release_stderr("nobody reads it"), 1);
    size_t n;
    char *text = read_all(reader, &n);
    const char *end = memrchr(text, '\n', n);
    assert_non_null(end);
    assert_int_equal(check_lines(text, (size_t)(end + 1 - text), last), written);
    assert_int_equal(written + dropped, LINES);
    free(text);
}

static void a_pipe_that_is_read_late_gets_everything_that_was_queued(void **state)
{
    (void)state;
    enum { LINES = 3000 }; /* more than a pipe holds */
    int reader = make_fifo("fifo");
    struct journal *j = open_journal("fifo", 1 << 20);
    char *text = calloc(LINES, LINE_MAX_LEN);
    size_t n = 0;
    unsigned last[PRODUCERS] = {0};
    for (unsigned i = 0; i < LINES; i++) {
        char line[LINE_MAX_LEN];
        assert_true(journal_write(j, line, make_line(line, 0, i)));
    }
    while (journal_written(j) < LINES) {
        struct pollfd p = {.fd = reader, .events = POLLIN};
        poll(&p, 1, 10);
        ssize_t k = read(reader, text + n, (size_t)LINES * LINE_MAX_LEN - n);
        n += k > 0 ? (size_t)k : 0;
    }
    assert_int_equal(close_journal(j), 0);
    ssize_t k = read(reader, text + n, (size_t)LINES * LINE_MAX_LEN - n);
    n += k > 0 ? (size_t)k : 0;
    assert_int_equal(check_lines(text, n, last), LINES);
    close(reader);
    free(text);
}

static void a_closed_pipe_is_counted_and_told_once(void **state)
{
    (void)state;
    int reader = make_fifo("fifo");
    struct journal *j = open_journal("fifo", QUEUE);
    catch_stderr();
    close(reader);
    put(j, "one\n");
    AWAIT(journal_dropped(j) == 1);
    put(j, "two\n");
    assert_int_equal(close_journal(j), 2);
    assert_int_equal(release_stderr("Broken pipe"), 1);
}

static void a_fifo_without_a_reader_is_an_error_and_no_wait(void **state)
{
    (void)state;
    char error[256];
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_null(journal_open("fifo", QUEUE, error, sizeof error));
    assert_non_null(strstr(error, strerror(ENXIO)));
}

static void a_dash_is_standard_output(void **state)
{
    (void)state;
    int ends[2];
    int saved = dup(STDOUT_FILENO);
    char text[16] = "";
    fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    struct journal *j = open_journal("-", QUEUE);
    put(j, "line\n");
    journal_reopen(j); /* nothing to open anew */
    uint64_t dropped = close_journal(j);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(dropped, 0);
    assert_int_equal(read(ends[0], text, sizeof text - 1), 5);
    assert_string_equal(text, "line\n");
    close(ends[0]);
}

#define in_directory(f) cmocka_unit_test_setup_teardown(f, enter_directory, leave_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(lines_are_in_the_file_after_close),
        in_directory(lines_are_appended_and_the_file_is_not_for_everybody),
        in_directory(a_line_that_a_crash_tore_is_ended_first),
        in_directory(a_lone_line_is_written_without_another),
        in_directory(a_line_larger_than_the_queue_is_dropped_and_counted),
        in_directory(a_file_that_cannot_be_opened_is_an_error_with_its_name),
        in_directory(no_descriptor_is_inherited_by_another_program),
        in_directory(every_line_of_concurrent_producers_is_whole_or_counted),
        in_directory(lines_after_a_reopen_are_in_the_new_file),
        in_directory(a_reopen_needs_no_line_to_take_effect),
        in_directory(rotation_under_load_loses_no_line),
        in_directory(a_reopen_that_fails_keeps_the_old_file),
        in_directory(a_full_device_is_counted_and_told_once),
        in_directory(a_file_at_its_size_limit_ends_with_a_whole_line),
        in_directory(a_full_disk_leaves_no_torn_line),
        in_directory(a_blocked_pipe_blocks_no_producer),
        in_directory(a_pipe_that_is_read_late_gets_everything_that_was_queued),
        in_directory(a_closed_pipe_is_counted_and_told_once),
        in_directory(a_fifo_without_a_reader_is_an_error_and_no_wait),
        in_directory(a_dash_is_standard_output),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
