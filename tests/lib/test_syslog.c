/* syslog.c: headers are those of RFC 5424, and settings name what they seem to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/syslog.h"
#include <string.h>

static const char *parse(const char *text, struct tf_syslog_target *target)
{
    return tf_syslog_parse(text, strlen(text), target);
}

static void syslog_alone_is_the_usual_socket(void **state)
{
    struct tf_syslog_target target;
    (void)state;
    assert_null(parse("syslog:", &target));
    assert_int_equal(target.transport, TF_SYSLOG_UNIX);
    assert_string_equal(target.path, "/dev/log");
}

static void a_path_is_another_socket_and_has_to_fit_one(void **state)
{
    struct tf_syslog_target target;
    char text[200] = "syslog:/";
    (void)state;
    assert_null(parse("syslog:/run/log", &target));
    assert_int_equal(target.transport, TF_SYSLOG_UNIX);
    assert_string_equal(target.path, "/run/log");
    memset(text + strlen(text), 'x', 106); /* 107 with the slash */
    assert_null(parse(text, &target));
    strcat(text, "x");
    assert_string_equal(parse(text, &target), "a socket's path has 107 characters at most");
}

static void host_and_port_are_udp_and_behind_tcp_they_are_tcp(void **state)
{
    static const struct {
        const char *text;
        enum tf_syslog_transport transport;
        const char *host;
        uint16_t port;
        bool is_address;
    } rows[] = {
        {"syslog:192.0.2.1:514", TF_SYSLOG_UDP, "192.0.2.1", 514, true},
        {"syslog:[2001:db8::1]:514", TF_SYSLOG_UDP, "2001:db8::1", 514, true},
        {"syslog:logs.example:5514", TF_SYSLOG_UDP, "logs.example", 5514, false},
        {"syslog:tcp:logs.example:601", TF_SYSLOG_TCP, "logs.example", 601, false},
        {"syslog:tcp:[::1]:601", TF_SYSLOG_TCP, "::1", 601, true},
    };
    struct tf_syslog_target target;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_null(parse(rows[i].text, &target));
        assert_int_equal(target.transport, rows[i].transport);
        assert_string_equal(target.host.host, rows[i].host);
        assert_int_equal(target.host.port, rows[i].port);
        assert_int_equal(target.host.is_address, rows[i].is_address);
    }
}

static void what_is_no_target_is_refused_with_a_sentence(void **state)
{
    static const char *const rows[][2] = {
        {"syslog:logs.example", "the port is missing or not 1 to 65535"},
        {"syslog:tcp:514", "the port is missing or not 1 to 65535"},
        {"syslog:tcp:", "the port is missing or not 1 to 65535"},
        {"syslog:logs.example:0", "the port is missing or not 1 to 65535"},
        {"syslog::514", "the host is empty"},
        {"file", "it does not begin with syslog:"},
    };
    struct tf_syslog_target target;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *wrong = parse(rows[i][0], &target);
        assert_non_null(wrong);
        assert_string_equal(wrong, rows[i][1]);
    }
}

static void only_the_prefix_makes_a_syslog(void **state)
{
    (void)state;
    assert_true(tf_syslog_is("syslog:", 7));
    assert_false(tf_syslog_is("syslog:", 6));
    assert_false(tf_syslog_is("syslog", 6));
    assert_false(tf_syslog_is("a/syslog:", 9));
}

static void assert_header(const struct tf_syslog_header *header, const char *expected)
{
    char text[TF_SYSLOG_HEADER_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_syslog_header(&w, header);
    assert_false(w.full);
    assert_int_equal(w.len, strlen(expected));
    assert_memory_equal(text, expected, w.len);
}

static void a_header_has_all_the_parts_of_rfc_5424(void **state)
{
    struct tf_syslog_header header = {TF_SYSLOG_WARNING, 1795302419123456, "gw1", 4711, "block"};
    (void)state;
    assert_header(&header, "<28>1 2026-11-21T23:06:59.123Z gw1 tlsfloor 4711 block - ");
    header.severity = TF_SYSLOG_NOTICE;
    assert_header(&header, "<29>1 2026-11-21T23:06:59.123Z gw1 tlsfloor 4711 block - ");
    header.severity = TF_SYSLOG_INFO;
    header.message_id = "access";
    assert_header(&header, "<30>1 2026-11-21T23:06:59.123Z gw1 tlsfloor 4711 access - ");
}

static void what_is_no_host_name_is_left_out(void **state)
{
    char longest[257];
    struct tf_syslog_header header = {TF_SYSLOG_INFO, 0, "", 1, "block"};
    (void)state;
    assert_header(&header, "<30>1 1970-01-01T00:00:00.000Z - tlsfloor 1 block - ");
    header.hostname = "two words";
    assert_header(&header, "<30>1 1970-01-01T00:00:00.000Z - tlsfloor 1 block - ");
    header.hostname = longest;
    memset(longest, 'h', 256);
    longest[256] = '\0';
    assert_header(&header, "<30>1 1970-01-01T00:00:00.000Z - tlsfloor 1 block - ");
    longest[255] = '\0';
    char expected[TF_SYSLOG_HEADER_MAX] = "<30>1 1970-01-01T00:00:00.000Z ";
    strcat(strcat(expected, longest), " tlsfloor 1 block - ");
    assert_header(&header, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syslog_alone_is_the_usual_socket),
        cmocka_unit_test(a_path_is_another_socket_and_has_to_fit_one),
        cmocka_unit_test(host_and_port_are_udp_and_behind_tcp_they_are_tcp),
        cmocka_unit_test(what_is_no_target_is_refused_with_a_sentence),
        cmocka_unit_test(only_the_prefix_makes_a_syslog),
        cmocka_unit_test(a_header_has_all_the_parts_of_rfc_5424),
        cmocka_unit_test(what_is_no_host_name_is_left_out),
    };
    return cmocka_run_group_tests_name("syslog", tests, NULL, NULL);
}
