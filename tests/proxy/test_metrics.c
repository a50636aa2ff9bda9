/* metrics.c: sums over loops, and text that OpenMetrics parsers take. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/metrics.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static char text[METRICS_MAX + 1];

static const char *format(const struct totals *t)
{
    struct tf_writer w = tf_writer_of(text, METRICS_MAX);
    metrics_format(&w, t);
    assert_false(w.full);
    text[w.len] = '\0';
    return text;
}

/* The whole line stands in the text. */
static void assert_line(const char *formatted, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    if (strstr(formatted, whole) == NULL)
        fail_msg("%s is not in:\n%s", line, formatted);
}

static void loops_are_added_up(void **state)
{
    (void)state;
    static struct counters loops[2];
    struct totals t = {0};
    counters_add(&loops[0], COUNTER_BYTES_UP, 5000000000);
    counters_add(&loops[1], COUNTER_BYTES_UP, 1);
    counters_reason(&loops[0], TF_REASON_CLIENT_BELOW_FLOOR, REASON_BLOCKED);
    counters_reason(&loops[1], TF_REASON_CLIENT_BELOW_FLOOR, REASON_BLOCKED);
    counters_reason(&loops[1], TF_REASON_CLIENT_BELOW_FLOOR, REASON_WOULD_BLOCK);
    counters_reason(&loops[0], TF_REASON_DIAL_REFUSED, REASON_ERROR);
    totals_add(&t, &loops[0]);
    totals_add(&t, &loops[1]);
    t.values[COUNTER_LOG_DROPPED] = 7;
    const char *formatted = format(&t);
    assert_line(formatted, "tlsfloor_relayed_bytes_total{direction=\"up\"} 5000000001");
    assert_line(formatted, "tlsfloor_relayed_bytes_total{direction=\"down\"} 0");
    assert_line(formatted, "tlsfloor_blocked_total{reason=\"client-below-floor\"} 2");
    assert_line(formatted, "tlsfloor_blocked_total{reason=\"server-below-floor\"} 0");
    assert_line(formatted, "tlsfloor_would_block_total{reason=\"client-below-floor\"} 1");
    assert_line(formatted, "tlsfloor_errors_total{reason=\"dial-refused\"} 1");
    assert_line(formatted, "tlsfloor_log_dropped_total 7");
}

/* One loop may count up what another counts down. */
static void a_gauge_goes_down_again(void **state)
{
    (void)state;
    static struct counters loops[2];
    struct totals t = {0};
    counters_add(&loops[0], COUNTER_SESSIONS_ACTIVE, 1);
    counters_add(&loops[0], COUNTER_SESSIONS_ACTIVE, 2);
    counters_add(&loops[1], COUNTER_SESSIONS_ACTIVE, -1);
    totals_add(&t, &loops[0]);
    totals_add(&t, &loops[1]);
    assert_line(format(&t), "tlsfloor_sessions_active 2");
    assert_line(text, "# TYPE tlsfloor_sessions_active gauge");
}

static void each_kind_lists_its_reasons_even_at_zero(void **state)
{
    (void)state;
    struct totals t = {0};
    const char *formatted = format(&t);
    for (int r = TF_REASON_NONE + 1; r < TF_REASON_COUNT; r++) {
        const struct tf_reason_info *info = tf_reason_info((enum tf_reason)r);
        bool refusal = info->event != TF_EVENT_NONE;
        const char *kinds[] = {"blocked", "would_block", "errors"};
        for (int k = 0; k < 3; k++) {
            char line[128];
            snprintf(line, sizeof line, "tlsfloor_%s_total{reason=\"%s\"} 0", kinds[k], info->code);
            if (refusal == (k < 2))
                assert_line(formatted, line);
            else
                assert_null(strstr(formatted, line));
        }
    }
}

/* A count in a place where none was expected is shown all the same: nothing is counted in secret. */
static void an_unexpected_count_is_shown(void **state)
{
    (void)state;
    struct totals t = {0};
    t.reasons[REASON_ERROR][TF_REASON_CLIENT_HELLO_CUT] = 3;
    assert_line(format(&t), "tlsfloor_errors_total{reason=\"client-hello-cut\"} 3");
}

/* OpenMetrics: one TYPE and HELP a family, right before its samples; `# EOF` at the end. */
static void families_are_described_once_and_stand_together(void **state)
{
    (void)state;
    struct totals t = {0};
    char family[128] = "";
    char seen[64][128];
    size_t count = 0;
    const char *formatted = format(&t);
    assert_string_equal(formatted + strlen(formatted) - 6, "# EOF\n");
    for (char *line = strtok(text, "\n"); line != NULL && strcmp(line, "# EOF") != 0;
         line = strtok(NULL, "\n")) {
        if (sscanf(line, "# TYPE %127s", family) == 1) {
            for (size_t i = 0; i < count; i++)
                assert_string_not_equal(seen[i], family);
            assert_true(count < 64);
            strcpy(seen[count++], family);
            line = strtok(NULL, "\n");
            assert_non_null(line);
            assert_memory_equal(line, "# HELP ", 7);
            assert_memory_equal(line + 7, family, strlen(family));
            assert_true(strlen(line + 7 + strlen(family)) > 2);
        } else {
            assert_memory_equal(line, family, strlen(family));
        }
    }
    assert_true(count > 10);
}

static void *count_many(void *arg)
{
    for (int i = 0; i < 100000; i++)
        counters_add(arg, COUNTER_TUNNELS, 1);
    return NULL;
}

static void counts_are_exact_while_others_read(void **state)
{
    (void)state;
    static struct counters c;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, count_many, &c);
    for (int i = 0; i < 100; i++) {
        struct totals t = {0};
        totals_add(&t, &c);
        assert_true(t.values[COUNTER_TUNNELS] <= 200000);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    struct totals t = {0};
    totals_add(&t, &c);
    assert_int_equal(t.values[COUNTER_TUNNELS], 200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_are_added_up),
        cmocka_unit_test(a_gauge_goes_down_again),
        cmocka_unit_test(each_kind_lists_its_reasons_even_at_zero),
        cmocka_unit_test(an_unexpected_count_is_shown),
        cmocka_unit_test(families_are_described_once_and_stand_together),
        cmocka_unit_test(counts_are_exact_while_others_read),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
