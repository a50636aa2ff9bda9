/* journal.c: no line is lost without being counted, and no producer waits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "journal_stage.h"
#include <sys/resource.h>

static void lines_are_in_the_file_after_close(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", QUEUE);
    assert_true(put(j, "one\n"));
    assert_true(put(j, "two\n"));
    assert_int_equal(close_journal(j), 0);
    assert_file("log", "one\ntwo\n");
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
    struct journal *j = open_journal("log", 16 + sizeof(struct sink_line));
    assert_false(put(j, "seventeen bytes.\n"));
    assert_true(put(j, "sixteen bytes..\n"));
    assert_int_equal(close_journal(j), 1);
    assert_file("log", "sixteen bytes..\n");
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

/* Each kind by itself, and a roll-up as often as it stands for. */
static void what_finds_no_room_is_counted_in_connections_by_kind(void **state)
{
    (void)state;
    struct journal_counts counts;
    struct journal *j = open_journal("log", sizeof(struct sink_line)); /* no line fits */
    assert_false(journal_write(j, "a\n", 2, JOURNAL_REFUSED, 1));
    assert_false(journal_write(j, "b\n", 2, JOURNAL_REFUSED, 20000));
    assert_false(journal_write(j, "c\n", 2, JOURNAL_WOULD_BLOCK, 7));
    assert_false(journal_write(j, "d\n", 2, JOURNAL_OTHER, 1));
    assert_int_equal(journal_dropped(j, JOURNAL_REFUSED), 20001);
    journal_close(j, LONG_MS, &counts);
    assert_int_equal(counts.written, 0);
    assert_int_equal(counts.dropped[JOURNAL_REFUSED], 20001);
    assert_int_equal(counts.dropped[JOURNAL_WOULD_BLOCK], 7);
    assert_int_equal(counts.dropped[JOURNAL_OTHER], 1);
}

/* Of a batch, the lines that the file still took are written, and the others dropped, each for what it is. */
static void what_the_sink_did_not_take_is_counted_in_connections_by_kind(void **state)
{
    (void)state;
    struct journal_counts counts;
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){.rlim_cur = 9, .rlim_max = old.rlim_max}; /* two lines, and a part of the third */
    struct journal *j = open_journal("log", QUEUE);
    catch_stderr();
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_true(journal_write(j, "one\n", 4, JOURNAL_WOULD_BLOCK, 3));
    assert_true(journal_write(j, "two\n", 4, JOURNAL_REFUSED, 5));
    assert_true(journal_write(j, "six\n", 4, JOURNAL_REFUSED, 11));
    assert_true(journal_write(j, "ten\n", 4, JOURNAL_WOULD_BLOCK, 13));
    assert_true(journal_write(j, "etc\n", 4, JOURNAL_OTHER, 17));
    journal_close(j, LONG_MS, &counts);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(release_stderr("tlsfloor"), 1);
    assert_file("log", "one\ntwo\n");
    assert_int_equal(counts.written, 2);
    assert_int_equal(counts.dropped[JOURNAL_REFUSED], 11);
    assert_int_equal(counts.dropped[JOURNAL_WOULD_BLOCK], 13);
    assert_int_equal(counts.dropped[JOURNAL_OTHER], 17);
}

static void a_journal_is_told_by_its_sink_its_name_and_its_format(void **state)
{
    (void)state;
    struct journal *j = open_journal("log", QUEUE);
    assert_true(journal_is(j, &(struct journal_options){.sink = "log", .name = "block", .bytes = 1}));
    assert_false(journal_is(j, &(struct journal_options){.sink = "gol", .name = "block"}));
    assert_false(journal_is(j, &(struct journal_options){.sink = "log", .name = "access"}));
    assert_false(journal_is(j, &(struct journal_options){.sink = "log", .name = "block", .is_w3c = true}));
    close_journal(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(lines_are_in_the_file_after_close),
        in_directory(a_lone_line_is_written_without_another),
        in_directory(a_line_larger_than_the_queue_is_dropped_and_counted),
        in_directory(every_line_of_concurrent_producers_is_whole_or_counted),
        in_directory(what_finds_no_room_is_counted_in_connections_by_kind),
        in_directory(what_the_sink_did_not_take_is_counted_in_connections_by_kind),
        in_directory(a_journal_is_told_by_its_sink_its_name_and_its_format),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
