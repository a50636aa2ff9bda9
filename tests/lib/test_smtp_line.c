/* smtp_line.c: commands and lines of replies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/smtp_line.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void verbs_are_known_in_any_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum tf_smtp_verb verb;
        const char *argument;
    } lines[] = {
        {"EHLO a.example\r\n", TF_SMTP_EHLO, "a.example"},
        {"hElo \t a \r\n", TF_SMTP_HELO, "a"},
        {"STARTTLS\r\n", TF_SMTP_STARTTLS, ""},
        {" starttls \r\n", TF_SMTP_STARTTLS, ""},
        {"x-anonymoustls\r\n", TF_SMTP_STARTTLS, ""},
        {"AUTH PLAIN AGEAYg==\r\n", TF_SMTP_AUTH, "PLAIN AGEAYg=="},
        {"BDAT 10 LAST\r\n", TF_SMTP_BDAT, "10 LAST"},
        {"data\r\n", TF_SMTP_DATA, ""},
        {"QUIT\r\n", TF_SMTP_QUIT, ""},
        {"xclient NAME=a\r\n", TF_SMTP_BARRED, "NAME=a"},
        {"TURN\r\n", TF_SMTP_BARRED, ""},
        {"STARTTLSX\r\n", TF_SMTP_OTHER, ""},
        {"MAIL FROM:<a@b>\r\n", TF_SMTP_OTHER, "FROM:<a@b>"},
        {"\r\n", TF_SMTP_OTHER, ""},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct tf_smtp_command command = tf_smtp_read_command(tf_text_of(lines[i].line));
        assert_int_equal(command.verb, lines[i].verb);
        assert_true(tf_text_is(command.argument, lines[i].argument));
    }
}

static void lines_of_a_reply_tell_whether_more_follow(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned code;
        bool is_last;
        const char *text;
    } lines[] = {
        {"250 ok\r\n", 250, true, "ok"}, {"250-SIZE 10\r\n", 250, false, "SIZE 10"},
        {"220\r\n", 220, true, ""},      {"421 \r\n", 421, true, ""},
        {"354-\r\n", 354, false, ""},    {"599 x", 599, true, "x"},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct tf_smtp_reply reply;
        assert_true(tf_smtp_read_reply(tf_text_of(lines[i].line), &reply));
        assert_int_equal(reply.code, lines[i].code);
        assert_int_equal(reply.is_last, lines[i].is_last);
        assert_true(tf_text_is(reply.text, lines[i].text));
    }
}

static void other_lines_are_no_replies(void **state)
{
    (void)state;
    static const char *const lines[] = {"",          "\r\n",      "22\r\n",    "2200 x\r\n", "220x\r\n",
                                        "22x y\r\n", "199 x\r\n", "600 x\r\n", " 220 x\r\n", "+OK\r\n"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct tf_smtp_reply reply;
        assert_false(tf_smtp_read_reply(tf_text_of(lines[i]), &reply));
    }
}

static void chunks_have_a_size(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        bool is_valid;
        uint64_t n;
    } chunks[] = {{"0", true, 0},
                  {"12", true, 12},
                  {"12  last", true, 12},
                  {"", false, 0},
                  {"-1", false, 0},
                  {"12 LAST x", false, 0},
                  {"1x", false, 0},
                  {"LAST", false, 0},
                  {"9223372036854775807", true, INT64_MAX},
                  {"9223372036854775808", false, 0}};
    for (size_t i = 0; i < COUNT(chunks); i++) {
        uint64_t n = 0;
        assert_int_equal(tf_smtp_read_chunk(tf_text_of(chunks[i].argument), &n), chunks[i].is_valid);
        if (chunks[i].is_valid)
            assert_true(n == chunks[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_are_known_in_any_spelling),
        cmocka_unit_test(lines_of_a_reply_tell_whether_more_follow),
        cmocka_unit_test(other_lines_are_no_replies),
        cmocka_unit_test(chunks_have_a_size),
    };
    return cmocka_run_group_tests_name("smtp_line", tests, NULL, NULL);
}
