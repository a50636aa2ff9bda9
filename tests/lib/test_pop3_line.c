/* pop3_line.c: what lines of either side are, and what a client may see of the server's lists. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/pop3_line.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void commands_are_known_in_any_case(void **state)
{
    static const struct {
        const char *line;
        enum tf_pop3_verb verb;
        const char *args;
    } rows[] = {
        {"CAPA\r\n", TF_POP3_CAPA, ""},        {"noop\r\n", TF_POP3_NOOP, ""},
        {"Quit \r\n", TF_POP3_QUIT, ""},       {"stls\r\n", TF_POP3_STLS, ""},
        {"USER u v\r\n", TF_POP3_USER, "u v"}, {"pass  p \r\n", TF_POP3_PASS, " p "},
        {"APOP u d\r\n", TF_POP3_APOP, "u d"}, {"AUTH PLAIN\r\n", TF_POP3_AUTH, "PLAIN"},
        {"AUTH\r\n", TF_POP3_AUTH_LIST, ""},   {"AUTH \r\n", TF_POP3_AUTH_LIST, ""},
        {"LANG\r\n", TF_POP3_LANG_LIST, ""},   {"LANG en\r\n", TF_POP3_OTHER, "en"},
        {"STLSX\r\n", TF_POP3_OTHER, ""},      {"STLS\tx\r\n", TF_POP3_OTHER, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_pop3_command c;
        assert_true(tf_pop3_read_command(tf_text_of(rows[i].line), &c));
        assert_int_equal(c.verb, rows[i].verb);
        if (rows[i].args[0] != '\0')
            assert_true(tf_text_is(c.args, rows[i].args));
    }
}

static void a_line_without_a_name_is_no_command(void **state)
{
    struct tf_pop3_command c;
    (void)state;
    assert_false(tf_pop3_read_command(tf_text_of("\r\n"), &c));
    assert_false(tf_pop3_read_command(tf_text_of(" STLS\r\n"), &c));
}

static void a_status_stands_alone(void **state)
{
    static const struct {
        const char *line;
        enum tf_pop3_status status;
    } rows[] = {
        {"+OK\r\n", TF_POP3_OK},          {"+ok x\r\n", TF_POP3_OK},   {"-ERR x\r\n", TF_POP3_ERR},
        {"+ x\r\n", TF_POP3_CONTINUE},    {"+\r\n", TF_POP3_CONTINUE}, {"+OKAY\r\n", TF_POP3_NONSENSE},
        {"-ERROR\r\n", TF_POP3_NONSENSE}, {"\r\n", TF_POP3_NONSENSE},  {" +OK\r\n", TF_POP3_NONSENSE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(tf_pop3_read_status(tf_text_of(rows[i].line)), rows[i].status);
}

static void listed(enum tf_pop3_verb verb, const struct tf_mail_offer *offer, const char *line,
                   const char *expected)
{
    char room[128];
    struct tf_writer w = tf_writer_of(room, sizeof room - 1);
    tf_pop3_put_listed(&w, verb, tf_text_of(line), offer);
    assert_false(w.full);
    room[w.len] = '\0';
    assert_string_equal(room, expected);
}

static void each_leg_has_its_own_lists(void **state)
{
    static const struct tf_mail_offer optional = {.has_starttls = true, .has_login = true};
    static const struct tf_mail_offer demanded = {.has_starttls = true};
    static const struct tf_mail_offer bridge = {.has_login = true, .is_bridge = true};
    (void)state;
    listed(TF_POP3_CAPA, &optional, "stls\r\n", "");
    listed(TF_POP3_CAPA, &optional, "SASL NTLM PLAIN  CRAM-MD5\r\n", "SASL PLAIN CRAM-MD5\r\n");
    listed(TF_POP3_CAPA, &optional, "SASL\r\n", "");
    listed(TF_POP3_CAPA, &optional, "USER\r\n", "USER\r\n");
    listed(TF_POP3_CAPA, &optional, "EXPIRE 60 USER\r\n", "EXPIRE 60 USER\r\n");
    listed(TF_POP3_CAPA, &optional, ".\r\n", "STLS\r\n.\r\n");
    listed(TF_POP3_CAPA, &demanded, "USER\r\n", "");
    listed(TF_POP3_CAPA, &demanded, "SASL PLAIN\r\n", "");
    listed(TF_POP3_CAPA, &demanded, ".\r\n", "STLS\r\n.\r\n");
    listed(TF_POP3_CAPA, &bridge, "SASL XOAUTH2\r\n", "");
    listed(TF_POP3_CAPA, &bridge, ".\r\n", "USER\r\nSASL PLAIN LOGIN\r\n.\r\n");
    listed(TF_POP3_AUTH_LIST, &optional, "NTLM\r\n", "");
    listed(TF_POP3_AUTH_LIST, &optional, "PLAIN\r\n", "PLAIN\r\n");
    listed(TF_POP3_AUTH_LIST, &optional, ".\r\n", ".\r\n");
    listed(TF_POP3_AUTH_LIST, &bridge, "XOAUTH2\r\n", "");
    listed(TF_POP3_AUTH_LIST, &bridge, ".\r\n", "PLAIN\r\nLOGIN\r\n.\r\n");
    listed(TF_POP3_LANG_LIST, &demanded, "stls\r\n", "stls\r\n");
    listed(TF_POP3_LANG_LIST, &demanded, ".\r\n", ".\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_known_in_any_case),
        cmocka_unit_test(a_line_without_a_name_is_no_command),
        cmocka_unit_test(a_status_stands_alone),
        cmocka_unit_test(each_leg_has_its_own_lists),
    };
    return cmocka_run_group_tests_name("pop3_line", tests, NULL, NULL);
}
