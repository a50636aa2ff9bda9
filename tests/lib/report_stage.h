/* A report to write, for the tests of its formats, and what was written last. */
#ifndef REPORT_STAGE_H
#define REPORT_STAGE_H

#include "../../lib/report.h"
#include <string.h>

enum { WRITTEN_MAX = 1 << 20 };

static char written[WRITTEN_MAX];
static size_t written_len;

static inline void take_written(void *arg, const char *p, size_t n)
{
    (void)arg;
    assert_true(written_len + n < WRITTEN_MAX);
    memcpy(written + written_len, p, n);
    written_len += n;
    written[written_len] = '\0';
}

static inline struct tf_report_sink written_sink(void)
{
    static char buffer[TF_REPORT_ROOM];
    written_len = 0;
    return (struct tf_report_sink){tf_writer_of(buffer, sizeof buffer), take_written, NULL};
}

static inline void assert_written(const char *part)
{
    if (strstr(written, part) == NULL)
        fail_msg("%s is not in\n%s", part, written);
}

static inline void assert_not_written(const char *part)
{
    if (strstr(written, part) != NULL)
        fail_msg("%s is in\n%s", part, written);
}

/* 2026-11-21T23:06:59.123Z */
#define NOW_US INT64_C(1795302419123000)
#define DAY_US (INT64_C(86400) * 1000000)

static const struct tf_report_destination two_destinations[] = {
    {.host = "outlook.office365.com",
     .port = 443,
     .is_m365 = true,
     .area = TF_M365_EXCHANGE,
     .versions = 1 << TF_REPORT_TLS10,
     .counts = {400, 0, 2, 0},
     .first_us = NOW_US - 3 * DAY_US,
     .last_us = NOW_US},
    {.host = "2001:db8::1",
     .port = 8443,
     .versions = 1 << TF_REPORT_SSL3,
     .counts = {10, 0, 0, 0},
     .first_us = NOW_US - DAY_US,
     .last_us = NOW_US - DAY_US},
};

/* A client that is blocked; the words are for a test to change. */
static inline struct tf_report_client java_client(void)
{
    return (struct tf_report_client){.source = {.family = TF_FAMILY_V4, .ip = {10, 20, 0, 7}},
                                     .state = TF_STATE_BLOCKED,
                                     .family = TF_CLIENT_FAMILY_JAVA_6,
                                     .certainty = TF_CLIENT_LIKELY,
                                     .name = "Java 6u45",
                                     .user_agent = "Java/1.6.0_45",
                                     .user = "anna",
                                     .ja4 = "t10d0906h2_c491f621fb4c_d4d584b446d3",
                                     .listener = "proxy",
                                     .rule = "",
                                     .versions = 1 << TF_REPORT_SSL3 | 1 << TF_REPORT_TLS10,
                                     .reason = TF_REASON_CLIENT_BELOW_FLOOR,
                                     .counts = {410, 0, 2, 0},
                                     .first_us = NOW_US - 3 * DAY_US,
                                     .last_us = NOW_US,
                                     .destinations = two_destinations,
                                     .destination_count = 2};
}

/* With one client, two days, and an exception. */
static inline struct tf_report one_client_report(const struct tf_report_client *client)
{
    static const struct tf_report_day days[] = {{20777, 1, 1, 0}, {20778, 2, 1, 0}};
    static const struct tf_report_stack stacks[] = {{TF_CLIENT_FAMILY_JAVA_6, 1, 1}};
    static const struct tf_report_area areas[] = {{true, TF_M365_EXCHANGE, 1, {400, 0, 2, 0}},
                                                  {false, TF_M365_COMMON, 1, {10, 0, 0, 0}}};
    static const struct tf_rule rule = {.name = "scanners",
                                        .action = TF_ACTION_MONITOR,
                                        .until_day = 20788,
                                        .owner = "print <team>",
                                        .ticket = "=CHG-1042"};
    static const struct tf_rule endless = {.name = "old-erp",
                                           .action = TF_ACTION_UPGRADE,
                                           .until_day = INT32_MAX,
                                           .owner = "",
                                           .ticket = "CHG-7"};
    static const struct tf_rule *const exceptions[] = {&rule, &endless};
    return (struct tf_report){.now_us = NOW_US,
                              .floor = TF_TLS12,
                              .clients = client,
                              .client_count = 1,
                              .states = {[TF_STATE_BLOCKED] = 1},
                              .counts = {410, 0, 2, 0},
                              .days = days,
                              .day_count = 2,
                              .stacks = stacks,
                              .stack_count = 1,
                              .areas = areas,
                              .area_count = 2,
                              .exceptions = exceptions,
                              .exception_count = 2};
}

/* What somebody may have called himself. */
#define HOSTILE "<script>\"'&\x1b[31m\xe2\x80\xa8,=1+1"

#endif
