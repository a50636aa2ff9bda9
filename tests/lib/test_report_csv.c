/* report_csv.c: rows for spreadsheets, which run no formula. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "report_stage.h"

static void write_csv(const struct tf_report_client *client)
{
    struct tf_report report = one_client_report(client);
    struct tf_report_sink sink = written_sink();
    tf_report_put_csv(&sink, &report);
}

static void each_destination_of_a_client_is_a_row(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    write_csv(&client);
    assert_string_equal(
        written,
        "source,user,state,stack,family,certainty,ability,user_agent,ja4,versions,destination,port,area,"
        "reason,"
        "first_seen,last_seen,fixed_since,count,blocked,would_block,upgraded,passed,fix,article,listener,"
        "rule\r\n"
        "\"10.20.0.7\",\"anna\",\"blocked\",\"Java 6u45 (likely)\",\"java-6\",\"likely\",\"can be updated\","
        "\"Java/1.6.0_45\",\"t10d0906h2_c491f621fb4c_d4d584b446d3\",\"1.0\",\"outlook.office365.com\",443,"
        "\"Exchange\",\"client-below-floor\",2026-11-18T23:06:59.123Z,2026-11-21T23:06:59.123Z,,402,400,0,2,"
        "0,"
        "\"move to Java 8; Java 6 speaks TLS 1.2 only with a paid update (6u115 b32): tlsfloor remediate "
        "--client java-6\",\"\",\"proxy\",\"\"\r\n"
        "\"10.20.0.7\",\"anna\",\"blocked\",\"Java 6u45 (likely)\",\"java-6\",\"likely\",\"can be updated\","
        "\"Java/1.6.0_45\",\"t10d0906h2_c491f621fb4c_d4d584b446d3\",\"ssl3\",\"2001:db8::1\",8443,"
        "\"elsewhere\",\"client-below-floor\",2026-11-20T23:06:59.123Z,2026-11-20T23:06:59.123Z,,10,10,0,0,0,"
        "\"move to Java 8; Java 6 speaks TLS 1.2 only with a paid update (6u115 b32): tlsfloor remediate "
        "--client java-6\",\"\",\"proxy\",\"\"\r\n");
}

static void no_cell_begins_as_a_formula_does(void **state)
{
    static const char *const formulas[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"};
    (void)state;
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        struct tf_report_client client = java_client();
        client.user_agent = formulas[i];
        write_csv(&client);
        assert_written("\"'");
    }
}

static void what_a_peer_says_breaks_no_cell(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    client.user_agent = "a\"b,\r\nc\xff";
    client.user = "";
    write_csv(&client);
    assert_written(",\"a\"\"b,??c?\",");
    client.user_agent = "J\xc3\xbcrgen\xe2\x80\xae";
    write_csv(&client);
    assert_written(",\"J\xc3\xbcrgen???\",");
}

static void destinations_that_are_not_told_apart_are_a_row(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    client.more_destinations = 77;
    write_csv(&client);
    assert_written("\"(further ones)\",,\"\",");
    assert_written(",77,,,,,\"");
    client.more_destinations = 0;
    client.destination_count = 0;
    write_csv(&client);
    assert_written("\"(further ones)\",,\"\",");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_destination_of_a_client_is_a_row),
        cmocka_unit_test(no_cell_begins_as_a_formula_does),
        cmocka_unit_test(what_a_peer_says_breaks_no_cell),
        cmocka_unit_test(destinations_that_are_not_told_apart_are_a_row),
    };
    return cmocka_run_group_tests_name("report_csv", tests, NULL, NULL);
}
