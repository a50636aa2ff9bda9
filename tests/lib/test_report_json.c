/* report_json.c: the object, whole. tests/e2e/84-report.py holds it against its schema. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "report_stage.h"

static void write_json(const struct tf_report *report)
{
    struct tf_report_sink sink = written_sink();
    tf_report_put_json(&sink, report);
}

static void a_report_is_one_object(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    client.destination_count = 1;
    write_json(&report);
    assert_string_equal(
        written,
        "{\"generated\":\"2026-11-21T23:06:59.123Z\",\"floor\":\"1.2\",\"since\":null,\"totals\":{"
        "\"clients\":1,"
        "\"left\":1,\"left_blocked\":1,\"left_would_block\":0,\"left_upgraded\":0,\"left_passes\":0,"
        "\"fallback\":0,\"silent\":0,"
        "\"fixed\":0,\"healthy\":0,\"older\":0,\"connections\":412,\"connections_blocked\":410,\"connections_"
        "would_block\":0,"
        "\"connections_upgraded\":2,\"connections_passed\":0},\"clients\":[{\"source\":\"10.20.0.7\","
        "\"user\":"
        "\"anna\",\"state\":\"blocked\",\"family\":\"java-6\",\"name\":\"Java "
        "6u45\",\"certainty\":\"likely\","
        "\"stack\":\"Java 6u45 (likely)\",\"ability\":\"can be updated\",\"user_agent\":\"Java/1.6.0_45\","
        "\"ja4\":\"t10d0906h2_c491f621fb4c_d4d584b446d3\",\"versions\":[\"ssl3\",\"1.0\"],\"best\":\"1.0\","
        "\"reason\":\"client-below-floor\",\"reason_text\":\"the client offers no TLS version at or above "
        "the "
        "floor\",\"fix\":\"move to Java 8; Java 6 speaks TLS 1.2 only with a paid update (6u115 b32): "
        "tlsfloor "
        "remediate --client "
        "java-6\",\"article\":\"\",\"first_seen\":\"2026-11-18T23:06:59.123Z\",\"last_seen\":"
        "\"2026-11-21T23:06:59.123Z\",\"fixed_since\":null,\"count\":412,\"blocked\":410,\"would_block\":0,"
        "\"upgraded\":2,\"passed\":0,\"fallbacks\":0,\"listener\":\"proxy\",\"rule\":\"\",\"destinations\":["
        "{\"host\":\"outlook.office365.com\",\"port\":443,\"area\":\"Exchange\",\"versions\":[\"1.0\"],"
        "\"count\":402,\"blocked\":400,\"would_block\":0,\"upgraded\":2,\"passed\":0,\"first_seen\":"
        "\"2026-11-18T23:06:59.123Z\",\"last_seen\":\"2026-11-21T23:06:59.123Z\"}],\"more_destinations\":0}],"
        "\"burn_down\":[{\"day\":\"2026-11-20\",\"left\":1,\"new\":1,\"fixed\":0},{\"day\":\"2026-11-21\","
        "\"left\":2,\"new\":1,\"fixed\":0}],\"stacks\":[{\"stack\":\"Java 6\",\"clients\":1,\"left\":1}],"
        "\"areas\":[{\"area\":\"Exchange\",\"clients\":1,\"count\":402,\"blocked\":400,\"would_block\":0,"
        "\"upgraded\":2,\"passed\":0},{\"area\":\"elsewhere\",\"clients\":1,\"count\":10,\"blocked\":10,"
        "\"would_block\":0,\"upgraded\":0,\"passed\":0}],\"exceptions\":[{\"rule\":\"scanners\",\"action\":"
        "\"monitor\",\"until\":\"2026-12-01\",\"days_left\":10,\"owner\":\"print "
        "\\u003cteam\\u003e\",\"ticket\":"
        "\"=CHG-1042\"},{\"rule\":\"old-erp\",\"action\":\"upgrade\",\"until\":null,\"days_left\":null,"
        "\"owner\":\"\",\"ticket\":\"CHG-7\"}]}\n");
}

static void a_report_of_nobody_is_one_too(void **state)
{
    (void)state;
    struct tf_report report = {.now_us = NOW_US, .since_us = NOW_US - DAY_US, .floor = TF_TLS13};
    write_json(&report);
    assert_written("\"floor\":\"1.3\",\"since\":\"2026-11-20T23:06:59.123Z\",");
    assert_written("\"clients\":[],\"burn_down\":[],\"stacks\":[],\"areas\":[],\"exceptions\":[]}\n");
}

static void what_was_read_is_told_where_it_is_known(void **state)
{
    (void)state;
    struct tf_report_input input = {
        .files = 2, .lines = 100, .sightings = 90, .bad = 3, .first_bad = "a\"b.log:17"};
    struct tf_report report = {.now_us = NOW_US, .floor = TF_TLS12, .input = &input};
    write_json(&report);
    assert_written("\"input\":{\"files\":2,\"lines\":100,\"sightings\":90,\"not_understood\":3,"
                   "\"first_not_understood\":\"a\\\"b.log:17\",\"is_full\":false},");
    input.bad = 0;
    write_json(&report);
    assert_written("\"first_not_understood\":null,");
}

static void what_a_peer_says_is_escaped(void **state)
{
    (void)state;
    struct tf_report_client client = java_client();
    struct tf_report report = one_client_report(&client);
    client.user_agent = HOSTILE;
    write_json(&report);
    assert_written("\"user_agent\":\"\\u003cscript\\u003e\\\"\\u0027\\u0026\\u001b[31m\\u2028,=1+1\"");
    for (size_t i = 0; i + 1 < written_len; i++)
        assert_true(written[i] >= ' ' && written[i] <= '~');
}

/* Each makes room for itself, so that no number of them is too large for the buffer. */
static void many_clients_with_many_long_destinations_fit(void **state)
{
    enum { CLIENTS = 20, DESTINATIONS = 100 };
    static char host[TF_HOST_MAX];
    static struct tf_report_destination destinations[DESTINATIONS];
    static struct tf_report_client clients[CLIENTS];
    (void)state;
    memset(host, 'a', sizeof host - 1);
    for (size_t i = 0; i < DESTINATIONS; i++)
        destinations[i] = (struct tf_report_destination){.host = host, .port = 1};
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = java_client();
        clients[i].destinations = destinations;
        clients[i].destination_count = DESTINATIONS;
    }
    struct tf_report report = {
        .now_us = NOW_US, .floor = TF_TLS12, .clients = clients, .client_count = CLIENTS};
    write_json(&report);
    size_t hosts = 0;
    for (const char *at = written; (at = strstr(at, "\"host\"")) != NULL; at++)
        hosts++;
    assert_int_equal(hosts, CLIENTS * DESTINATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_one_object),
        cmocka_unit_test(a_report_of_nobody_is_one_too),
        cmocka_unit_test(what_was_read_is_told_where_it_is_known),
        cmocka_unit_test(what_a_peer_says_is_escaped),
        cmocka_unit_test(many_clients_with_many_long_destinations_fit),
    };
    return cmocka_run_group_tests_name("report_json", tests, NULL, NULL);
}
