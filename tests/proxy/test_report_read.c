/* report_read.c: what is made of files. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/report_read.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct roster *roster;

static int begin(void **state)
{
    (void)state;
    roster = roster_new(1000, 8);
    return roster ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    roster_free(roster);
    return 0;
}

static char path[2][32];

/* Makes file i of these bytes. */
static void make_file(int i, const char *text, size_t n)
{
    strcpy(path[i], "/tmp/tlsfloor-report-XXXXXX");
    int fd = mkstemp(path[i]);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static struct tf_report_input read_files(int n)
{
    struct report_file files[2];
    struct tf_report_input input = {0};
    for (int i = 0; i < n; i++) {
        report_file_open(&files[i], path[i]);
        assert_int_equal(files[i].kind, REPORT_LOG);
    }
    qsort(files, (size_t)n, sizeof *files, report_file_order);
    assert_true(report_read(roster, &input, files, (size_t)n));
    for (int i = 0; i < n; i++) {
        report_file_close(&files[i]);
        unlink(path[i]);
    }
    return input;
}

static struct tf_report_input read_text(const char *text)
{
    make_file(0, text, strlen(text));
    return read_files(1);
}

#define BLOCKED(hour)                                                                                        \
    "{\"@timestamp\":\"2026-11-21T" hour ":00:00.000Z\",\"event.action\":\"tls-version-blocked\","           \
    "\"event.code\":\"client-below-floor\",\"source.ip\":\"192.0.2.1\",\"tlsfloor.max_version\":\"1.0\"}\n"
#define PASSED(hour)                                                                                         \
    "{\"@timestamp\":\"2026-11-21T" hour ":00:00.000Z\",\"event.action\":\"connection-end\","                \
    "\"source.ip\":\"192.0.2.1\",\"tlsfloor.max_version\":\"1.3\",\"tlsfloor.verdict\":\"tunnel\","          \
    "\"tls.cipher\":\"TLS_AES_128_GCM_SHA256\"}\n"

static void lines_are_counted_and_the_first_that_is_none_is_named(void **state)
{
    (void)state;
    struct tf_report_input input =
        read_text(BLOCKED("08") "\n" BLOCKED("09") "junk\n\x01\x02\n" BLOCKED("10"));
    assert_int_equal(input.files, 1);
    assert_int_equal(input.lines, 6);
    assert_int_equal(input.sightings, 3);
    assert_int_equal(input.bad, 2);
    assert_true(strlen(input.first_bad) > 2 &&
                strcmp(input.first_bad + strlen(input.first_bad) - 2, ":4") == 0);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_BLOCKED], 3);
}

static void a_last_line_without_its_newline_counts_if_it_is_whole(void **state)
{
    char text[] = BLOCKED("08") BLOCKED("09");
    (void)state;
    text[sizeof text - 2] = '\0';
    assert_int_equal(read_text(text).sightings, 2);
    text[sizeof text - 9] = '\0';
    struct tf_report_input input = read_text(text);
    assert_int_equal(input.sightings, 1);
    assert_int_equal(input.bad, 1);
}

static void a_line_of_any_length_is_one_line(void **state)
{
    enum { LONG = 5 << 20 };
    char *text = malloc(LONG + 2 * sizeof BLOCKED("08"));
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONG);
    strcpy(text + LONG, "\n" BLOCKED("08"));
    struct tf_report_input input = read_text(text);
    assert_int_equal(input.lines, 2);
    assert_int_equal(input.bad, 1);
    assert_int_equal(input.sightings, 1);
    free(text);
}

static void lines_go_over_the_ends_of_chunks(void **state)
{
    enum { MANY = 20000 };
    static const char record[] = BLOCKED("08");
    char *text = malloc(MANY * (sizeof record - 1) + 1);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < MANY; i++)
        memcpy(text + i * (sizeof record - 1), record, sizeof record);
    assert_int_equal(read_text(text).sightings, MANY);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_BLOCKED], MANY);
    free(text);
}

static void the_access_log_is_read_last_wherever_it_is_named(void **state)
{
    static const char blocked[] = BLOCKED("08"), passed[] = PASSED("09");
    (void)state;
    make_file(0, passed, strlen(passed));
    make_file(1, blocked, strlen(blocked));
    assert_int_equal(read_files(2).sightings, 2);
    assert_int_equal(roster_count(roster), 1);
    assert_true(roster_at(roster, 0)->fixed_us > roster_at(roster, 0)->below_us);
}

#define W3C(fields) "#Software: tlsfloor\n#Version: 1.0\n#Fields: " fields "\n"
#define W3C_LONG    W3C("date time c-ip cs-host s-port x-action x-code x-versions-offered")
#define W3C_SHORT   W3C("x-action x-versions-offered c-ip time date x-unheard-of")

static void rows_of_w3c_are_read_by_the_last_fields_and_among_lines_of_ecs(void **state)
{
    (void)state;
    struct tf_report_input input = read_text(
        W3C_LONG "2026-11-21 07:00:00 192.0.2.1 mail.example.com 443 tls-version-blocked client-below-floor "
                 "1.0\n" W3C_SHORT "tls-upgraded ssl3,1.0 192.0.2.1 09:00:00 2026-11-21 -\n"
                 "2026-11-21 07:00:00 192.0.2.1 mail.example.com 443 tls-version-blocked client-below-floor "
                 "1.0\n" BLOCKED("08"));
    assert_int_equal(input.lines, 10);
    assert_int_equal(input.sightings, 3);
    assert_int_equal(input.bad, 1);
    assert_int_equal(roster_count(roster), 1);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_BLOCKED], 2);
    assert_int_equal(roster_at(roster, 0)->counts[TF_OUTCOME_UPGRADED], 1);
    assert_int_equal(roster_at(roster, 0)->outcome, TF_OUTCOME_UPGRADED);
}

static void fields_hold_for_their_file_alone(void **state)
{
    static const char row[] = "tls-upgraded 1.0 192.0.2.1 10:00:00 2026-11-21 -\n", head[] = W3C_SHORT;
    (void)state;
    make_file(0, head, strlen(head));
    make_file(1, row, strlen(row));
    struct tf_report_input input = read_files(2);
    assert_int_equal(input.sightings, 0);
    assert_int_equal(input.bad, 1);
}

static void a_file_of_w3c_is_a_block_log_and_has_a_time(void **state)
{
    static const char rows[] = W3C_SHORT "tls-upgraded 1.0 192.0.2.1 07:00:00 2026-11-21 -\n",
                      passed[] = PASSED("06"), later[] = BLOCKED("08");
    struct report_file w3c, access, block;
    (void)state;
    make_file(0, rows, strlen(rows));
    report_file_open(&w3c, path[0]);
    make_file(1, passed, strlen(passed));
    report_file_open(&access, path[1]);
    unlink(path[1]);
    make_file(1, later, strlen(later));
    report_file_open(&block, path[1]);
    unlink(path[0]);
    unlink(path[1]);
    assert_true(report_file_order(&w3c, &access) < 0);
    assert_true(report_file_order(&w3c, &block) < 0);
    assert_true(report_file_order(&block, &access) < 0);
    report_file_close(&w3c);
    report_file_close(&access);
    report_file_close(&block);
}

static void what_a_file_is_is_told_by_its_beginning(void **state)
{
    static const char sqlite[] = "SQLite format 3\0and so on", gzip[] = "\x1f\x8b\x08 and so on";
    struct report_file file;
    (void)state;
    make_file(0, sqlite, sizeof sqlite);
    make_file(1, gzip, sizeof gzip);
    report_file_open(&file, path[0]);
    assert_int_equal(file.kind, REPORT_INVENTORY);
    report_file_close(&file);
    report_file_open(&file, path[1]);
    assert_int_equal(file.kind, REPORT_UNREADABLE);
    report_file_close(&file);
    unlink(path[0]);
    unlink(path[1]);
    report_file_open(&file, path[0]);
    assert_int_equal(file.kind, REPORT_UNREADABLE);
    report_file_close(&file);
    report_file_open(&file, "/tmp");
    assert_int_equal(file.kind, REPORT_UNREADABLE);
    report_file_close(&file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_counted_and_the_first_that_is_none_is_named),
        TEST(a_last_line_without_its_newline_counts_if_it_is_whole),
        TEST(a_line_of_any_length_is_one_line),
        TEST(lines_go_over_the_ends_of_chunks),
        TEST(the_access_log_is_read_last_wherever_it_is_named),
        TEST(rows_of_w3c_are_read_by_the_last_fields_and_among_lines_of_ecs),
        TEST(fields_hold_for_their_file_alone),
        TEST(a_file_of_w3c_is_a_block_log_and_has_a_time),
        TEST(what_a_file_is_is_told_by_its_beginning),
    };
    return cmocka_run_group_tests_name("report_read", tests, NULL, NULL);
}
