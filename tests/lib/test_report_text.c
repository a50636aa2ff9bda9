/* report_text.c: rows and details that fit, on any terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "report_stage.h"

static void write_text(const struct tf_report *report, size_t width)
{
    struct tf_report_sink sink = written_sink();
    tf_report_put_text(&sink, report, width);
}

static size_t longest_line(void)
{
    size_t longest = 0;
    for (const char *at = written; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        longest = n > longest ? n : longest;
        at += n + (at[n] == '\n');
    }
    return longest;
}

static void a_client_is_a_row_with_details_below_it(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    write_text(&report, 80);
    assert_string_equal(written,
                        "Clients below TLS 1.2, 2026-11-21T23:06:59.123Z\n"
                        "1 left to fix (1 blocked), 0 fallback, 0 fixed\n"
                        "\n"
                        "STATE        SOURCE     SOFTWARE                      TLS      COUNT  LAST SEEN\n"
                        "blocked      10.20.0.7  Java 6u45 (likely)            1.0        412  2026-11-21\n"
                        "    is    Java 6u45 (likely); can be updated; says Java/1.6.0_45; user anna\n"
                        "    to    outlook.office365.com:443 (Exchange, 402), [2001:db8::1]:8443 (10)\n"
                        "    was   410 blocked, 2 upgraded since 2026-11-18: the client offers no TLS\n"
                        "          version at or above the floor\n"
                        "    do    move to Java 8; Java 6 speaks TLS 1.2 only with a paid update (6u115\n"
                        "          b32): tlsfloor remediate --client java-6\n"
                        "\n"
                        "DAY            LEFT      NEW    FIXED\n"
                        "2026-11-20        1        1        0  ####################\n"
                        "2026-11-21        2        1        0  #########################################\n"
                        "\n"
                        "WHERE TO    CLIENTS  BLOCKED WOULD BE UPGRADED   PASSED\n"
                        "Exchange          1      400        0        2        0\n"
                        "elsewhere         1       10        0        0        0\n"
                        "\n"
                        "EXCEPTIONS\n"
                        "scanners: monitor until 2026-12-01, 10 days left; owner print <team>; ticket\n"
                        "=CHG-1042\n"
                        "old-erp: upgrade without end; ticket CHG-7\n");
}

static void no_line_is_longer_than_the_terminal_is_wide(void **state)
{
    static const size_t widths[] = {80, 81, 109, 110, 160, 200};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    char long_word[TF_SIGHTING_AGENT_MAX];
    (void)state;
    memset(long_word, 'x', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    client.user_agent = long_word;
    client.family = TF_CLIENT_FAMILY_DOTNET_SCHANNEL_TLS10;
    client.name = "";
    client.counts[TF_OUTCOME_BLOCKED] = 123456789012;
    memset(client.source.ip, 0xfe, sizeof client.source.ip);
    client.source.family = TF_FAMILY_V6;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        write_text(&report, widths[i]);
        if (longest_line() > widths[i])
            fail_msg("a line has %zu columns of %zu", longest_line(), widths[i]);
        assert_written("fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe");
    }
    write_text(&report, 10);
    assert_true(longest_line() <= 80);
    write_text(&report, 1000);
    assert_true(longest_line() <= 200);
}

static void what_a_peer_says_cannot_reach_the_terminal(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    client.user_agent = HOSTILE;
    write_text(&report, 100);
    assert_written("says <script>\"'&?[31m???,=1+1;");
    for (size_t i = 0; i < written_len; i++)
        assert_true(written[i] == '\n' || (written[i] >= ' ' && written[i] <= '~'));
}

static void a_guess_is_worded_as_one(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    client.certainty = TF_CLIENT_POSSIBLE;
    write_text(&report, 100);
    assert_written("  perhaps Java 6u45  ");
    client.name = "perhaps Java 6u45";
    write_text(&report, 100);
    assert_written("  perhaps Java 6u45  ");
    assert_not_written("perhaps perhaps");
    client.certainty = TF_CLIENT_CERTAIN;
    client.name = "Java 6u45";
    write_text(&report, 100);
    assert_written("  Java 6u45  ");
    assert_not_written("perhaps");
    assert_not_written("likely");
    client.family = TF_CLIENT_FAMILY_UNKNOWN;
    client.certainty = TF_CLIENT_NOT_KNOWN;
    client.name = "";
    write_text(&report, 100);
    assert_written("  unknown  ");
    assert_not_written("perhaps");
}

static void who_is_fixed_needs_no_advice(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    client.state = TF_STATE_FIXED;
    client.fixed_us = NOW_US;
    write_text(&report, 80);
    assert_written("fixed        10.20.0.7");
    assert_written("    now   at or above TLS 1.2 since 2026-11-21\n");
    assert_not_written("    do ");
}

static void the_advice_is_that_of_the_refusal_where_the_version_is_not_what_is_wrong(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    assert_ptr_equal(tf_report_fix(&client), tf_client_info(TF_CLIENT_FAMILY_JAVA_6)->fix);
    client.reason = TF_REASON_CLIENT_DISTRUSTS_CA;
    assert_ptr_equal(tf_report_fix(&client), tf_reason_info(TF_REASON_CLIENT_DISTRUSTS_CA)->advice);
    client.state = TF_STATE_UPGRADED; /* it was refused for that once, but is no longer */
    assert_ptr_equal(tf_report_fix(&client), tf_client_info(TF_CLIENT_FAMILY_JAVA_6)->fix);
    client.family = TF_CLIENT_FAMILY_UNKNOWN;
    assert_ptr_equal(tf_report_fix(&client), tf_reason_info(TF_REASON_CLIENT_BELOW_FLOOR)->advice);
    client.versions = 1 << TF_REPORT_PLAIN;
    assert_non_null(strstr(tf_report_fix(&client), "turn on TLS"));
    client.versions = 1 << TF_REPORT_TLS12;
    assert_non_null(strstr(tf_report_fix(&client), "TLS 1.3"));
    client.state = TF_STATE_FALLBACK;
    assert_ptr_equal(tf_report_fix(&client), tf_client_info(TF_CLIENT_FAMILY_BROWSER_FALLBACK)->fix);
}

static void a_long_time_has_a_row_for_several_days(void **state)
{
    enum { DAYS = 365 };
    static struct tf_report_day days[DAYS];
    (void)state;
    for (size_t i = 0; i < DAYS; i++)
        days[i] = (struct tf_report_day){.day = 20000 + (int32_t)i, .left = i, .fresh = 1};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    report.days = days;
    report.day_count = DAYS;
    write_text(&report, 80);
    assert_written("\n2024-10-16       12       13        0  #\n"); /* days 0 to 12 */
    assert_written("\n2025-10-03      364        1        0  ###");
}

static void no_line_ends_with_a_blank(void **state)
{
    static const struct tf_report_day days[] = {{20777, 1, 1, 0}, {20778, 0, 0, 1}};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.days = days;
    for (size_t width = 80; width <= 200; width++) {
        write_text(&report, width);
        assert_not_written(" \n");
    }
}

static void areas_have_the_names_that_people_use(void **state)
{
    struct tf_report_destination teams = two_destinations[0];
    static const struct tf_report_area areas[] = {{true, TF_M365_SKYPE, 1, {1, 0, 0, 0}},
                                                  {true, TF_M365_MEM, 1, {1, 0, 0, 0}}};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    teams.area = TF_M365_SKYPE;
    client.destinations = &teams;
    client.destination_count = 1;
    report.areas = areas;
    write_text(&report, 80);
    assert_written("outlook.office365.com:443 (Teams, 402)");
    assert_written("\nTeams             1 ");
    assert_written("\nIntune            1 ");
    assert_not_written("Skype");
}

static void who_is_not_seen_for_long_is_counted_apart(void **state)
{
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    client.state = TF_STATE_SILENT;
    report.states[TF_STATE_BLOCKED] = 0;
    report.states[TF_STATE_SILENT] = 1;
    write_text(&report, 80);
    assert_written("\n0 left to fix, 0 fallback, 1 silent (not seen for 30 days), 0 fixed\n");
    assert_written("\nsilent       10.20.0.7");
    assert_written("    do    move to Java 8");
}

static void at_a_floor_of_1_3_it_is_said_that_who_is_fixed_may_have_two_rows(void **state)
{
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.states[TF_STATE_FIXED] = 1;
    write_text(&report, 80);
    assert_not_written("has a second row");
    report.floor = TF_TLS13;
    write_text(&report, 80);
    assert_written("has a second row");
    report.states[TF_STATE_FIXED] = 0;
    write_text(&report, 80);
    assert_not_written("has a second row");
}

static void software_that_does_not_fit_is_told_in_short_above_and_whole_below(void **state)
{
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    client.name = "Firefox 4 to 12, or a Mozilla program of its time";
    write_text(&report, 80);
    assert_written("10.20.0.7  Firefox 4 to 12 (likely)      1.0 ");
    assert_written("    is    Firefox 4 to 12, or a Mozilla program of its time (likely); can be\n");
    client.name = "Windows 7 or Server 2008 R2 (WinHTTP, .NET)";
    client.certainty = TF_CLIENT_CERTAIN;
    write_text(&report, 80);
    assert_written("10.20.0.7  Windows 7 or Server 2008 R2   1.0 ");
    write_text(&report, 200);
    assert_written("10.20.0.7  Windows 7 or Server 2008 R2 (WinHTTP, .NET)  ");
}

static void a_rule_is_named_as_the_configuration_does(void **state)
{
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    client.rule = "old floor";
    write_text(&report, 160);
    assert_written("; by [rule old floor]\n");
}

static void letters_beyond_ASCII_stay_and_have_one_column(void **state)
{
    static const struct tf_rule rule = {
        .name = "scanners",
        .action = TF_ACTION_UPGRADE,
        .until_day = INT32_MAX,
        .owner = "J\xc3\xbcrgen M\xc3\xbcller\xe2\x80\xae of the old printers on the floors",
        .ticket = "\xe6\x97\xa5\xe6\x9c\xac"};
    static const struct tf_rule *const exceptions[] = {&rule};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.exceptions = exceptions;
    report.exception_count = 1;
    write_text(&report, 80);
    /* 80 columns, in 82 bytes */
    assert_written(
        "\nscanners: upgrade without end; owner J\xc3\xbcrgen M\xc3\xbcller??? of the old printers on the\n"
        "floors; ticket \xe6\x97\xa5\xe6\x9c\xac\n");
}

static void an_inventory_and_who_of_it_is_not_listed_are_told(void **state)
{
    struct tf_report_input input = {.files = 1, .sightings = 14, .is_inventory = true};
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    (void)state;
    report.input = &input;
    write_text(&report, 80);
    assert_written("\nread: an inventory of 14 clients\n");
    assert_not_written("not listed");
    report.healthy = 2;
    write_text(&report, 120);
    assert_written("0 fixed\nnot listed: 2 clients that have only been seen with TLS 1.2 (a floor of 1.3 "
                   "would block them)\n");
    report.healthy = 0;
    report.older = 1;
    report.since_us = NOW_US - DAY_US;
    write_text(&report, 120);
    assert_written("\nnot listed: 1 client not seen since 2026-11-20\n");
}

static void what_was_read_and_what_was_not_understood_is_told(void **state)
{
    (void)state;
    struct tf_report_input input = {
        .files = 2, .lines = 100, .sightings = 90, .bad = 3, .first_bad = "block.log:17", .is_full = true};
    struct tf_report report = {
        .now_us = NOW_US, .floor = TF_TLS13, .since_us = NOW_US - DAY_US, .input = &input};
    write_text(&report, 80);
    assert_string_equal(written,
                        "Clients that a floor of TLS 1.3 would block, 2026-11-21T23:06:59.123Z, seen\n"
                        "since 2026-11-20\n"
                        "read: 2 files, 100 lines, 90 of them about clients' TLS\n"
                        "3 lines were not understood, the first is block.log:17\n"
                        "there were more clients than fit: those seen least lately are missing\n"
                        "0 left to fix, 0 fallback, 0 fixed\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_a_row_with_details_below_it),
        cmocka_unit_test(no_line_is_longer_than_the_terminal_is_wide),
        cmocka_unit_test(what_a_peer_says_cannot_reach_the_terminal),
        cmocka_unit_test(a_guess_is_worded_as_one),
        cmocka_unit_test(who_is_fixed_needs_no_advice),
        cmocka_unit_test(the_advice_is_that_of_the_refusal_where_the_version_is_not_what_is_wrong),
        cmocka_unit_test(a_long_time_has_a_row_for_several_days),
        cmocka_unit_test(no_line_ends_with_a_blank),
        cmocka_unit_test(areas_have_the_names_that_people_use),
        cmocka_unit_test(who_is_not_seen_for_long_is_counted_apart),
        cmocka_unit_test(at_a_floor_of_1_3_it_is_said_that_who_is_fixed_may_have_two_rows),
        cmocka_unit_test(software_that_does_not_fit_is_told_in_short_above_and_whole_below),
        cmocka_unit_test(a_rule_is_named_as_the_configuration_does),
        cmocka_unit_test(letters_beyond_ASCII_stay_and_have_one_column),
        cmocka_unit_test(an_inventory_and_who_of_it_is_not_listed_are_told),
        cmocka_unit_test(what_was_read_and_what_was_not_understood_is_told),
    };
    return cmocka_run_group_tests_name("report_text", tests, NULL, NULL);
}
