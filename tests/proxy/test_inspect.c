/* `tlsfloor inspect` as a command: every line is answered, whatever is in it. What the answers say of real
 * hellos is compared by tests/inspect_corpus.py. */
#include "../../proxy/inspect.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TLS10_HELLO                                                                                          \
    "160301002d01000029030172727272727272727272727272727272727272727272727272727272727272720000"             \
    "02002f0100"
#define TLS10_SERVER_HELLO                                                                                   \
    "160301002a02000026030172727272727272727272727272727272727272727272727272727272727272720000"             \
    "2f00"
#define RETRY                                                                                                \
    "16030300320200002e0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c0013"             \
    "01000006002b00020304"

struct answer {
    int status;
    size_t n;
    char text[1 << 16];
};

/* Runs the command over `input`, with an option or NULL; what it prints goes to a file for the time being. */
static void run(struct answer *a, const void *input, size_t n, const char *option)
{
    FILE *in = tmpfile(), *out = tmpfile();
    assert_non_null(in);
    assert_non_null(out);
    assert_int_equal(fwrite(input, 1, n, in), n);
    assert_int_equal(fflush(in), 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(in));
    fflush(stdout);
    int saved = dup(1);
    dup2(fileno(out), 1);
    char command[] = "inspect";
    char *arguments[] = {command, path, (char *)option, NULL};
    a->status = inspect_main(option ? 3 : 2, arguments);
    dup2(saved, 1);
    close(saved);
    rewind(out);
    a->n = fread(a->text, 1, sizeof a->text - 1, out);
    a->text[a->n] = '\0';
    fclose(in);
    fclose(out);
}

static void run_lines(struct answer *a, const char *lines)
{
    run(a, lines, strlen(lines), "--jsonl");
}

/* Line `index` of the answer as an object. */
static json_t *line_of(const struct answer *a, size_t index)
{
    const char *p = a->text;
    for (size_t i = 0; i < index; i++) {
        p = strchr(p, '\n');
        assert_non_null(p);
        p++;
    }
    json_t *line = json_loadb(p, strcspn(p, "\n"), JSON_ALLOW_NUL, NULL);
    assert_true(json_is_object(line));
    return line;
}

static size_t count_lines(const struct answer *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        n += a->text[i] == '\n';
    return n;
}

static void assert_text(const json_t *object, const char *key, const char *expected)
{
    const char *value = json_string_value(json_object_get(object, key));
    assert_non_null(value);
    assert_string_equal(value, expected);
}

static void assert_line(const struct answer *a, size_t index, const char *key, const char *expected)
{
    json_t *line = line_of(a, index);
    assert_text(line, key, expected);
    json_decref(line);
}

static void each_line_is_answered_under_its_id(void **state)
{
    (void)state;
    static struct answer a;
    run_lines(&a, "{\"id\":\"a\",\"record_hex\":\"" TLS10_HELLO "\"}\n"
                  "\n  \r\n"
                  "{\"id\":7,\"bytes_hex\":\"1603\"}\n"
                  "{\"id\":\"c\",\"side\":\"server\",\"record_hex\":\"" TLS10_SERVER_HELLO "\"}");
    assert_int_equal(a.status, 0);
    assert_int_equal(count_lines(&a), 3);
    json_t *line = line_of(&a, 0);
    assert_text(line, "id", "a");
    assert_text(line, "status", "complete");
    assert_text(line, "side", "client");
    assert_text(line, "max_version", "TLS1.0");
    assert_text(line, "verdict", "block");
    assert_text(line, "code", "client-below-floor");
    json_decref(line);
    line = line_of(&a, 1);
    assert_int_equal(json_integer_value(json_object_get(line, "id")), 7);
    assert_text(line, "status", "incomplete");
    assert_true(json_is_null(json_object_get(line, "verdict")));
    json_decref(line);
    line = line_of(&a, 2);
    assert_text(line, "side", "server");
    assert_text(line, "version", "TLS1.0");
    assert_text(line, "cipher", "002f");
    assert_text(line, "code", "server-below-floor");
    assert_true(json_is_false(json_object_get(line, "hello_retry")));
    json_decref(line);
}

static void wrong_lines_are_answered_with_an_error_and_the_rest_goes_on(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "not JSON",
        "{",
        "[]",
        "12",
        "{\"id\":\"x\"}",
        "{\"id\":\"x\",\"record_hex\":5}",
        "{\"id\":\"x\",\"record_hex\":\"160\"}",
        "{\"id\":\"x\",\"record_hex\":\"16 3\"}",
        "{\"id\":\"x\",\"record_hex\":\"1\\u0000\"}",
        "{\"id\":\"x\",\"record_hex\":\"\",\"side\":\"middle\"}",
        "{\"id\":\"x\",\"record_hex\":\"\",\"side\":1}",
        "{\"id\":\"\xff\",\"record_hex\":\"\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        static struct answer a;
        char lines[512];
        snprintf(lines, sizeof lines, "%s\n{\"id\":\"next\",\"record_hex\":\"474554\"}\n", wrong[i]);
        run_lines(&a, lines);
        assert_int_equal(a.status, 1);
        assert_int_equal(count_lines(&a), 2);
        json_t *line = line_of(&a, 0);
        assert_true(json_is_string(json_object_get(line, "error")));
        assert_null(json_object_get(line, "status"));
        json_decref(line);
        assert_line(&a, 1, "id", "next");
        assert_line(&a, 1, "status", "not_tls");
    }
}

static void line_of_two_mebibytes_works_and_one_too_long_is_an_error(void **state)
{
    (void)state;
    static const size_t sizes[] = {2 << 20, (4 << 20) + 1};
    for (size_t i = 0; i < 2; i++) {
        static struct answer a;
        size_t n = sizes[i];
        char *line = malloc(n + 64);
        assert_non_null(line);
        size_t at = (size_t)sprintf(line, "{\"id\":1,\"record_hex\":\"" TLS10_HELLO);
        memset(line + at, '0', n - at - 2 - (at % 2));
        at += n - at - 2 - (at % 2);
        at += (size_t)sprintf(line + at, "\"}\n{\"record_hex\":\"16\"}\n");
        run(&a, line, at, "--jsonl");
        free(line);
        assert_int_equal(a.status, (int)i);
        assert_int_equal(count_lines(&a), 2);
        if (i == 0)
            assert_line(&a, 0, "status", "complete");
        else
            assert_line(&a, 0, "error", "the line is longer than 4 MiB");
        assert_line(&a, 1, "status", "incomplete");
    }
}

/* Bytes of a hexadecimal text. */
static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned value = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        out[i] = (uint8_t)value;
    }
    return n;
}

static void assert_raw(const char *hex, const char *option, const char *status, const char *side)
{
    static struct answer a;
    uint8_t bytes[512];
    run(&a, bytes, from_hex(hex, bytes), option);
    assert_int_equal(a.status, 0);
    json_t *object = json_loads(a.text, 0, NULL);
    assert_non_null(object);
    assert_text(object, "status", status);
    assert_text(object, "side", side);
    json_decref(object);
}

static void side_of_a_raw_flight_is_guessed_unless_it_is_told(void **state)
{
    (void)state;
    assert_raw(TLS10_HELLO, NULL, "complete", "client");
    assert_raw(TLS10_SERVER_HELLO, NULL, "complete", "server");
    assert_raw("15030100020246", NULL, "incomplete", "server");
    assert_raw("474554202f", NULL, "not_tls", "client");
    assert_raw("", NULL, "incomplete", "client");
    assert_raw(TLS10_SERVER_HELLO, "--client", "malformed", "client");
    assert_raw(TLS10_HELLO, "--server", "malformed", "server");
    assert_raw("485454502f", "--server", "not_tls", "server");
}

static void retry_is_the_answer_only_if_no_server_hello_follows(void **state)
{
    (void)state;
    static struct answer a;
    run_lines(&a, "{\"side\":\"server\",\"record_hex\":\"" RETRY "\"}\n"
                  "{\"side\":\"server\",\"record_hex\":\"" RETRY TLS10_SERVER_HELLO "\"}\n");
    for (size_t i = 0; i < 2; i++) {
        json_t *line = line_of(&a, i);
        assert_text(line, "status", "complete");
        assert_text(line, "version", i == 0 ? "TLS1.3" : "TLS1.0");
        assert_text(line, "verdict", i == 0 ? "allow" : "block");
        assert_true(json_is_true(json_object_get(line, "hello_retry")));
        json_decref(line);
    }
}

static void alert_of_a_server_is_told(void **state)
{
    (void)state;
    static struct answer a;
    run(&a, "\x15\3\1\0\2\2\x46", 7, "--server");
    json_t *object = json_loads(a.text, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(object, "alert_level")), 2);
    assert_int_equal(json_integer_value(json_object_get(object, "alert_description")), 70);
    json_decref(object);
}

static void wrong_usage_is_exit_code_2(void **state)
{
    (void)state;
    static struct answer a;
    run(&a, "", 0, "--json");
    assert_int_equal(a.status, 2);
    run(&a, "", 0, "another-file");
    assert_int_equal(a.status, 2);
    char command[] = "inspect", path[] = "/nowhere/at/all";
    char *missing[] = {command, path, NULL};
    assert_int_equal(inspect_main(2, missing), 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_answered_under_its_id),
        cmocka_unit_test(wrong_lines_are_answered_with_an_error_and_the_rest_goes_on),
        cmocka_unit_test(line_of_two_mebibytes_works_and_one_too_long_is_an_error),
        cmocka_unit_test(side_of_a_raw_flight_is_guessed_unless_it_is_told),
        cmocka_unit_test(retry_is_the_answer_only_if_no_server_hello_follows),
        cmocka_unit_test(alert_of_a_server_is_told),
        cmocka_unit_test(wrong_usage_is_exit_code_2),
    };
    return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
