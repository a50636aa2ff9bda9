/* sink_file.c: no line is torn, whatever becomes of the file, and rotation loses none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "journal_stage.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>

/* --- files --- */

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

static void a_file_that_cannot_be_opened_is_an_error_with_its_name(void **state)
{
    (void)state;
    char error[256];
    struct journal_options options = {.sink = "/nonexistent/log", .name = "block", .bytes = QUEUE};
    assert_null(journal_open(&options, error, sizeof error));
    assert_string_equal(error, "log /nonexistent/log: No such file or directory; make the directory "
                               "/nonexistent, writable for the user of the gateway");
    options.sink = ".";
    assert_null(journal_open(&options, error, sizeof error));
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
        AWAIT(journal_dropped(j, JOURNAL_REFUSED) == i);
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
    while (journal_dropped(j, JOURNAL_REFUSED) == 0) {
        for (int i = 0; i < 20; i++)
            assert_true(journal_write(j, line, make_line(line, 0, produced++), JOURNAL_REFUSED, 1));
        AWAIT(journal_written(j) + journal_dropped(j, JOURNAL_REFUSED) == produced);
        assert_true(produced < 10000);
    }
    /* Nothing of the line that did not fit is left. */
    char *text = read_file(path, &n);
    assert_true(n > 0 && text[n - 1] == '\n');
    free(text);
    make_room();
    uint64_t before = journal_written(j);
    journal_write(j, line, make_line(line, 0, produced++), JOURNAL_REFUSED, 1);
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
        journal_write(j, line, make_line(line, 0, i), JOURNAL_REFUSED,
                      1); /* hangs for ever if it waits for the pipe */
    }
    assert_true(journal_dropped(j, JOURNAL_REFUSED) > 0);
    struct journal_counts counts;
    catch_stderr();
    journal_close(j, 50, &counts); /* so does this */
    assert_int_equal(release_stderr("nobody reads it"), 1);
    size_t n;
    char *text = read_all(reader, &n);
    const char *end = memrchr(text, '\n', n);
    assert_non_null(end);
    assert_int_equal(check_lines(text, (size_t)(end + 1 - text), last), counts.written);
    assert_int_equal(counts.written + counts.dropped[JOURNAL_REFUSED], LINES);
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
        assert_true(journal_write(j, line, make_line(line, 0, i), JOURNAL_REFUSED, 1));
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

/* A pipe of one page takes another write only when it is empty, so that to read is to see one write. */
static void what_a_pipe_gets_at_a_time_ends_with_a_line(void **state)
{
    (void)state;
    enum { LINES = 200 };
    int reader = make_fifo("fifo");
    assert_true(fcntl(reader, F_SETPIPE_SZ, PIPE_BUF) == PIPE_BUF);
    struct journal *j = open_journal("fifo", QUEUE);
    for (unsigned i = 0; i < LINES; i++) {
        char line[LINE_MAX_LEN];
        assert_true(journal_write(j, line, make_line(line, 0, i), JOURNAL_REFUSED, 1));
    }
    for (unsigned last[PRODUCERS] = {0}; last[0] < LINES;) {
        char text[PIPE_BUF];
        struct pollfd p = {.fd = reader, .events = POLLIN};
        poll(&p, 1, LONG_MS);
        ssize_t k = read(reader, text, sizeof text);
        assert_true(k > 0 && text[k - 1] == '\n');
        check_lines(text, (size_t)k, last);
    }
    assert_int_equal(close_journal(j), 0);
    close(reader);
}

static void a_closed_pipe_is_counted_and_told_once(void **state)
{
    (void)state;
    int reader = make_fifo("fifo");
    struct journal *j = open_journal("fifo", QUEUE);
    catch_stderr();
    close(reader);
    put(j, "one\n");
    AWAIT(journal_dropped(j, JOURNAL_REFUSED) == 1);
    put(j, "two\n");
    assert_int_equal(close_journal(j), 2);
    assert_int_equal(release_stderr("Broken pipe"), 1);
}

static void a_fifo_without_a_reader_is_an_error_and_no_wait(void **state)
{
    (void)state;
    char error[256];
    assert_int_equal(mkfifo("fifo", 0600), 0);
    struct journal_options options = {.sink = "fifo", .name = "block", .bytes = QUEUE};
    assert_null(journal_open(&options, error, sizeof error));
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

/* --- W3C --- */

static struct journal *open_w3c(const char *sink)
{
    char error[256];
    struct journal_options options = {.sink = sink, .name = "block", .bytes = QUEUE, .is_w3c = true};
    struct journal *j = journal_open(&options, error, sizeof error);
    assert_non_null(j);
    return j;
}

/* The lines of a file by their first words, with blanks between: a head is four directives. */
static void assert_lines_begin(const char *path, const char *expected)
{
    size_t n;
    char *text = read_file(path, &n), begin[256] = "", *save = NULL;
    for (char *at = strtok_r(text, "\n", &save); at != NULL; at = strtok_r(NULL, "\n", &save))
        snprintf(begin + strlen(begin), sizeof begin - strlen(begin), "%s%.*s", begin[0] ? " " : "",
                 (int)strcspn(at, " "), at);
    free(text);
    assert_string_equal(begin, expected);
}

#define HEAD "#Software: #Version: #Date: #Fields:"

static void a_w3c_file_has_a_head_each_time_that_it_is_opened(void **state)
{
    (void)state;
    struct journal *j = open_w3c("log");
    put(j, "one\n");
    put(j, "two\n");
    AWAIT(journal_written(j) == 2);
    rename("log", "log.1");
    journal_reopen(j);
    put(j, "three\n");
    close_journal(j);
    j = open_w3c("log");
    put(j, "four\n");
    close_journal(j);
    assert_lines_begin("log.1", HEAD " one two");
    assert_lines_begin("log", HEAD " three " HEAD " four");
}

static void a_w3c_head_that_found_no_room_is_written_whole_before_the_next_line(void **state)
{
    (void)state;
    getrlimit(RLIMIT_FSIZE, &old_limit);
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = old_limit.rlim_max};
    struct journal *j = open_w3c("log");
    catch_stderr();
    setrlimit(RLIMIT_FSIZE, &limit);
    put(j, "one\n");
    AWAIT(journal_dropped(j, JOURNAL_REFUSED) == 1);
    lift_limit();
    put(j, "two\n");
    close_journal(j);
    assert_int_equal(release_stderr("lines are written again"), 1);
    size_t n;
    char *text = read_file("log", &n);
    assert_non_null(strstr(text, "x-repeat-last\ntwo\n"));
    assert_int_equal(strncmp(strrchr(text, '#'), "#Fields: date time ", strlen("#Fields: date time ")), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(lines_are_appended_and_the_file_is_not_for_everybody),
        in_directory(a_line_that_a_crash_tore_is_ended_first),
        in_directory(a_file_that_cannot_be_opened_is_an_error_with_its_name),
        in_directory(no_descriptor_is_inherited_by_another_program),
        in_directory(lines_after_a_reopen_are_in_the_new_file),
        in_directory(a_reopen_needs_no_line_to_take_effect),
        in_directory(rotation_under_load_loses_no_line),
        in_directory(a_reopen_that_fails_keeps_the_old_file),
        in_directory(a_full_device_is_counted_and_told_once),
        in_directory(a_file_at_its_size_limit_ends_with_a_whole_line),
        in_directory(a_full_disk_leaves_no_torn_line),
        in_directory(a_blocked_pipe_blocks_no_producer),
        in_directory(a_pipe_that_is_read_late_gets_everything_that_was_queued),
        in_directory(what_a_pipe_gets_at_a_time_ends_with_a_line),
        in_directory(a_closed_pipe_is_counted_and_told_once),
        in_directory(a_fifo_without_a_reader_is_an_error_and_no_wait),
        in_directory(a_dash_is_standard_output),
        in_directory(a_w3c_file_has_a_head_each_time_that_it_is_opened),
        in_directory(a_w3c_head_that_found_no_room_is_written_whole_before_the_next_line),
    };
    return cmocka_run_group_tests_name("sink_file", tests, NULL, NULL);
}
