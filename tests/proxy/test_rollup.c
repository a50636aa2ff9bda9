/* rollup.c: what has a line of its own, what is summed up, and when that is written. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../proxy/metrics.h"
#include "../../proxy/rollup.h"

enum { WHOLE = 3, ROOM = 16 };

static uv_loop_t uv;
static struct counters counters;
static struct rollups rollups;
static struct journal *journal;
static char path[] = "/tmp/tlsfloor-rollup-XXXXXX";

static int begin(void **state)
{
    (void)state;
    char error[256];
    strcpy(path + sizeof path - 7, "XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    struct journal_options options = {.sink = path, .name = "block", .bytes = 1 << 20};
    journal = journal_open(&options, error, sizeof error);
    memset(&counters, 0, sizeof counters);
    uv_loop_init(&uv);
    rollups_init(&rollups, &uv, &counters);
    rollups.sinks.journal = journal;
    rollups.max = ROOM;
    rollups.whole = WHOLE;
    rollups.every_ms = 3600000;
    return journal != NULL ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    rollups_close(&rollups);
    uv_run(&uv, UV_RUN_DEFAULT);
    journal_close(journal, 1000, NULL);
    unlink(path);
    return uv_loop_close(&uv);
}

static struct rollup_kind kind_of(uint8_t source, uint64_t rest)
{
    return (struct rollup_kind){.source = {.family = TF_FAMILY_V4, .ip = {10, 0, 0, source}}, .rest = rest};
}

/* One refusal more, as a session does it. True: it has a line of its own. */
static bool refuse(uint8_t source, uint64_t rest, int64_t now_us)
{
    struct rollup_kind kind = kind_of(source, rest);
    struct tf_sighting sighting = {.count = 1};
    struct rollup *u = rollups_note(&rollups, &kind, now_us);
    char head[64];
    int n = snprintf(head, sizeof head, "{\"source\":%u,\"rest\":%u", source, (unsigned)rest);
    if (u != NULL && rollup_is_new(u))
        assert_true(rollup_begin(u, JOURNAL_REFUSED, head, (size_t)n, &sighting));
    return u == NULL;
}

/* What the journal has written by now. */
static char *written(void)
{
    static char text[1 << 16];
    struct journal_options options = {.sink = path, .name = "block", .bytes = 1 << 20};
    char error[256];
    journal_close(journal, 1000, NULL);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    journal = rollups.sinks.journal = journal_open(&options, error, sizeof error);
    assert_non_null(journal);
    return text;
}

static void assert_written(const char *expected)
{
    assert_string_equal(written(), expected);
}

static void the_first_of_a_kind_have_lines_of_their_own(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE; i++)
        assert_true(refuse(1, 7, i));
    assert_false(refuse(1, 7, WHOLE));
}

static void repeats_are_one_line_with_count_first_and_last(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE + 5; i++)
        refuse(1, 7, i * INT64_C(1000000));
    assert_written("");
    rollups_flush(&rollups);
    assert_written("{\"source\":1,\"rest\":7,\"tlsfloor.repeat.count\":5,"
                   "\"tlsfloor.repeat.first\":\"1970-01-01T00:00:03.000Z\","
                   "\"tlsfloor.repeat.last\":\"1970-01-01T00:00:07.000Z\"}\n");
    struct totals totals = {.values = {0}};
    totals_add(&totals, &counters);
    assert_int_equal(totals.values[COUNTER_ROLLED_UP], 5);
}

static void first_and_last_are_right_where_sessions_overlap(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE; i++)
        refuse(1, 7, 0);
    refuse(1, 7, 5000000);
    refuse(1, 7, 2000000); /* took longer */
    refuse(1, 7, 4000000);
    rollups_flush(&rollups);
    assert_non_null(strstr(written(), "\"tlsfloor.repeat.first\":\"1970-01-01T00:00:02.000Z\","
                                      "\"tlsfloor.repeat.last\":\"1970-01-01T00:00:05.000Z\""));
}

static void a_new_interval_begins_with_whole_lines(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE + 5; i++)
        refuse(1, 7, i);
    rollups_flush(&rollups);
    for (int i = 0; i < WHOLE; i++)
        assert_true(refuse(1, 7, i));
    assert_false(refuse(1, 7, WHOLE));
}

static void kinds_that_never_repeated_leave_no_line(void **state)
{
    (void)state;
    refuse(1, 7, 0);
    rollups_flush(&rollups);
    assert_written("");
}

static void two_sources_or_kinds_are_counted_apart(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE; i++) {
        assert_true(refuse(1, 7, i));
        assert_true(refuse(2, 7, i));
        assert_true(refuse(1, 8, i));
    }
    assert_false(refuse(2, 7, WHOLE));
    rollups_flush(&rollups);
    assert_int_equal(strncmp(written(), "{\"source\":2,\"rest\":7,\"tlsfloor.repeat.count\":1,", 43), 0);
}

static void a_full_table_writes_the_one_that_came_first(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE + 1; i++)
        refuse(1, 0, i);
    for (uint64_t rest = 1; rest < ROOM; rest++)
        refuse(1, rest, 10);
    assert_written("");
    refuse(1, ROOM, 10);
    assert_non_null(strstr(written(), "{\"source\":1,\"rest\":0,\"tlsfloor.repeat.count\":1,"));
    assert_int_equal(rollups.count, ROOM);
}

static void without_an_interval_every_refusal_has_its_line(void **state)
{
    (void)state;
    rollups.every_ms = 0;
    for (int i = 0; i < 100; i++)
        assert_true(refuse(1, 7, i));
    assert_int_equal(rollups.count, 0);
}

static void the_interval_is_over_by_itself(void **state)
{
    (void)state;
    rollups.every_ms = 20;
    for (int i = 0; i < WHOLE + 2; i++)
        refuse(1, 7, i);
    while (rollups.count > 0) {
        uv_ref((uv_handle_t *)&rollups.timer);
        uv_run(&uv, UV_RUN_ONCE);
        uv_unref((uv_handle_t *)&rollups.timer);
    }
    assert_non_null(strstr(written(), "\"tlsfloor.repeat.count\":2,"));
}

static void a_pending_rollup_keeps_no_loop_alive(void **state)
{
    (void)state;
    for (int i = 0; i < WHOLE + 2; i++)
        refuse(1, 7, i);
    assert_false(uv_loop_alive(&uv));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_of_a_kind_have_lines_of_their_own),
        TEST(repeats_are_one_line_with_count_first_and_last),
        TEST(first_and_last_are_right_where_sessions_overlap),
        TEST(a_new_interval_begins_with_whole_lines),
        TEST(kinds_that_never_repeated_leave_no_line),
        TEST(two_sources_or_kinds_are_counted_apart),
        TEST(a_full_table_writes_the_one_that_came_first),
        TEST(without_an_interval_every_refusal_has_its_line),
        TEST(the_interval_is_over_by_itself),
        TEST(a_pending_rollup_keeps_no_loop_alive),
    };
    return cmocka_run_group_tests_name("rollup", tests, NULL, NULL);
}
