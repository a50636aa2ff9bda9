/* metrics.c, metrics_state.c and openmetrics.c: sums over loops, and text that OpenMetrics parsers take. */
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

static const struct tf_policy no_rules = {.floor = TF_TLS12};

static const char *format_state(const struct totals *t, const struct metrics_state *state)
{
    struct tf_writer w = tf_writer_of(text, METRICS_MAX);
    metrics_format(&w, t, state);
    assert_false(w.full);
    text[w.len] = '\0';
    return text;
}

static const char *format(const struct totals *t)
{
    return format_state(t, &(struct metrics_state){.policy = &no_rules, .has_inventory = true});
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

static void sessions_are_counted_by_what_their_client_offers(void **state)
{
    static struct counters c;
    static const uint16_t versions[] = {0, TF_SSL2, TF_SSL3, TF_TLS10, TF_TLS11, TF_TLS12, TF_TLS13, 0x7f12};
    struct totals t = {0};
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        counters_version(&c, versions[i]);
    totals_add(&t, &c);
    format(&t);
    static const char *const words[] = {"plain", "ssl2", "ssl3", "1.0", "1.1", "1.2"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "tlsfloor_client_versions_total{version=\"%s\"} 1", words[i]);
        assert_line(text, line);
    }
    assert_line(text, "tlsfloor_client_versions_total{version=\"1.3\"} 2"); /* a draft is one */
}

static void clients_below_the_floor_are_counted_by_family(void **state)
{
    static struct counters c;
    struct totals t = {0};
    (void)state;
    counters_family(&c, TF_CLIENT_FAMILY_JAVA_6);
    counters_family(&c, TF_CLIENT_FAMILY_JAVA_6);
    counters_family(&c, TF_CLIENT_FAMILY_UNKNOWN);
    totals_add(&t, &c);
    format(&t);
    assert_line(text, "tlsfloor_below_floor_total{family=\"java-6\"} 2");
    assert_line(text, "tlsfloor_below_floor_total{family=\"unknown\"} 1");
    assert_line(text, "tlsfloor_below_floor_total{family=\"java-7\"} 0");
    assert_null(strstr(text, "family=\"ad-fs\"")); /* no hello tells it */
}

static void what_is_not_known_has_no_metric(void **state)
{
    struct totals t = {0};
    (void)state;
    format_state(&t, &(struct metrics_state){.policy = &no_rules});
    assert_line(text, "tlsfloor_ready 0");
    assert_null(strstr(text, "tlsfloor_clients{"));
    assert_null(strstr(text, "tlsfloor_inventory_failing"));
    assert_null(strstr(text, "tlsfloor_ca_not_after_seconds"));
    assert_null(strstr(text, "tlsfloor_endpoints_timestamp_seconds"));
    assert_null(strstr(text, "process_open_fds"));
}

static void the_state_is_told_as_it_is(void **state)
{
    static const struct tf_policy strict = {.floor = TF_TLS13, .monitor = true};
    struct totals t = {0};
    struct metrics_state s = {.policy = &strict,
                              .now_s = 1000,
                              .started_s = 900,
                              .loaded_s = 950,
                              .is_ready = true,
                              .reload_failed = true,
                              .ca_until_s = 2000,
                              .endpoints_s = 500,
                              .has_inventory = true,
                              .is_inventory_failing = true,
                              .clients = {[CLIENTS_LEGACY] = 3, [CLIENTS_FIXED] = 2, [CLIENTS_FALLBACK] = 1},
                              .families = {[TF_CLIENT_FAMILY_UNKNOWN] = 2, [TF_CLIENT_FAMILY_JAVA_7] = 1},
                              .vitals = {7, 1024, 4096, 1234567}};
    (void)state;
    format_state(&t, &s);
    assert_line(text, "tlsfloor_floor_info{minimum=\"1.3\",mode=\"monitor\"} 1");
    assert_line(text, "tlsfloor_ready 1");
    assert_line(text, "tlsfloor_config_last_reload_success 0");
    assert_line(text, "tlsfloor_config_last_reload_timestamp_seconds 950");
    assert_line(text, "tlsfloor_ca_not_after_seconds 2000");
    assert_line(text, "tlsfloor_endpoints_timestamp_seconds 500");
    assert_line(text, "tlsfloor_inventory_failing 1");
    assert_line(text, "tlsfloor_clients{state=\"legacy\"} 3");
    assert_line(text, "tlsfloor_clients{state=\"fixed\"} 2");
    assert_line(text, "tlsfloor_clients{state=\"fallback\"} 1");
    assert_line(text, "tlsfloor_clients_by_family{family=\"unknown\"} 2");
    assert_line(text, "tlsfloor_clients_by_family{family=\"java-7\"} 1");
    assert_null(strstr(text, "tlsfloor_clients_by_family{family=\"java-6\"}"));
    assert_line(text, "process_cpu_seconds_total 1234.567");
    assert_line(text, "process_start_time_seconds 900");
    assert_line(text, "process_open_fds 7");
    assert_line(text, "process_max_fds 1024");
    assert_line(text, "process_resident_memory_bytes 4096");
}

/* Day 1 is over at the end of its 24 hours. */
static void a_rule_counts_down_to_the_end_of_its_last_day(void **state)
{
    static const struct tf_rule rules[] = {
        {.name = "for-ever", .until_day = INT32_MAX, .owner = ""},
        {.name = "printers", .until_day = 1, .owner = "print team"},
        {.name = "old", .until_day = 0, .owner = ""},
    };
    static const struct tf_policy policy = {.rules = rules, .rule_count = 3};
    struct totals t = {0};
    (void)state;
    format_state(&t, &(struct metrics_state){.policy = &policy, .now_s = 86400 + 400});
    assert_line(text, "tlsfloor_rule_left_seconds{rule=\"printers\",owner=\"print team\"} 86000");
    assert_line(text, "tlsfloor_rule_left_seconds{rule=\"old\",owner=\"\"} -400");
    assert_null(strstr(text, "for-ever"));
}

static void labels_hold_whatever_an_owner_is_called(void **state)
{
    static const char long_name[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\xc3\xa4tail";
    static const struct {
        const char *owner, *label;
    } cases[] = {
        {"a \"b\" \\ c\nd", "a \\\"b\\\" \\\\ c\\nd"},
        {"M\xc3\xbcller \xf0\x9f\x98\x80", "M\xc3\xbcller \xf0\x9f\x98\x80"},
        {"M\xfcller", "M?ller"},
        {"\xc3", "?"},                               /* ends within a character */
        {"\xe0\x80\xaf\xed\xa0\x80", "??????"},      /* too long a form; half a pair */
        {"\xf4\x90\x80\x80\xc0\xaf\xff", "???????"}, /* beyond Unicode */
        {long_name, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\xc3\xa4"},
    };
    struct totals t = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tf_rule rule = {.name = "r", .until_day = 0, .owner = cases[i].owner};
        struct tf_policy policy = {.rules = &rule, .rule_count = 1};
        char line[256];
        format_state(&t, &(struct metrics_state){.policy = &policy});
        snprintf(line, sizeof line, "tlsfloor_rule_left_seconds{rule=\"r\",owner=\"%s\"} 86400",
                 cases[i].label);
        assert_line(text, line);
    }
}

static size_t lines_with(const char *beginning)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, beginning)) != NULL; at++)
        n++;
    return n;
}

static void the_longest_text_fits_and_rules_beyond_the_bound_are_left_out(void **state)
{
    enum { RULES = METRICS_RULES_MAX + 50 };
    static struct tf_rule rules[RULES];
    static struct totals t;
    struct tf_policy policy = {.rules = rules, .rule_count = RULES};
    struct metrics_state s = {.policy = &policy,
                              .now_s = INT64_MAX / 2,
                              .has_inventory = true,
                              .ca_until_s = INT64_MAX,
                              .endpoints_s = INT64_MAX,
                              .vitals = {INT64_MAX, INT64_MAX, INT64_MAX, UINT64_MAX}};
    char quotes[201];
    (void)state;
    memset(quotes, '"', 200);
    quotes[200] = '\0';
    for (size_t i = 0; i < RULES; i++)
        rules[i] = (struct tf_rule){.name = quotes, .owner = quotes, .until_day = 0};
    memset(&t, 0xff, sizeof t);
    memset(s.families, 0xff, sizeof s.families);
    memset(s.clients, 0xff, sizeof s.clients);
    format_state(&t, &s); /* asserts that it fits */
    assert_int_equal(lines_with("\ntlsfloor_rule_left_seconds{"), METRICS_RULES_MAX);
}

/* OpenMetrics: one TYPE and HELP a family, right before its samples; `# EOF` at the end. */
static void families_are_described_once_and_stand_together(void **state)
{
    (void)state;
    struct totals t = {0};
    char family[128] = "";
    char seen[128][128];
    size_t count = 0;
    const char *formatted = format(&t);
    assert_string_equal(formatted + strlen(formatted) - 6, "# EOF\n");
    for (char *line = strtok(text, "\n"); line != NULL && strcmp(line, "# EOF") != 0;
         line = strtok(NULL, "\n")) {
        if (sscanf(line, "# TYPE %127s", family) == 1) {
            for (size_t i = 0; i < count; i++)
                assert_string_not_equal(seen[i], family);
            assert_true(count < 128);
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
        cmocka_unit_test(sessions_are_counted_by_what_their_client_offers),
        cmocka_unit_test(clients_below_the_floor_are_counted_by_family),
        cmocka_unit_test(what_is_not_known_has_no_metric),
        cmocka_unit_test(the_state_is_told_as_it_is),
        cmocka_unit_test(a_rule_counts_down_to_the_end_of_its_last_day),
        cmocka_unit_test(labels_hold_whatever_an_owner_is_called),
        cmocka_unit_test(the_longest_text_fits_and_rules_beyond_the_bound_are_left_out),
        cmocka_unit_test(families_are_described_once_and_stand_together),
        cmocka_unit_test(counts_are_exact_while_others_read),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
