/* imap_line.c: what lines of either side are. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/imap_line.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void commands_are_known_in_any_case(void **state)
{
    static const struct {
        const char *line;
        enum tf_imap_verb verb;
        const char *args;
    } rows[] = {
        {"a1 CAPABILITY\r\n", TF_IMAP_HARMLESS, ""},
        {"a1 noop\r\n", TF_IMAP_HARMLESS, ""},
        {"a1 Id NIL\r\n", TF_IMAP_HARMLESS, "NIL"},
        {"a1 LogOut \r\n", TF_IMAP_LOGOUT, ""},
        {"a1 starttls\r\n", TF_IMAP_STARTTLS, ""},
        {"a1 LOGIN u \"a b\"\r\n", TF_IMAP_LOGIN, "u \"a b\""},
        {"a1 AUTHENTICATE PLAIN =\r\n", TF_IMAP_AUTHENTICATE, "PLAIN ="},
        {"a1 SELECT INBOX\r\n", TF_IMAP_OTHER, "INBOX"},
        {"a1 STARTTLSX\r\n", TF_IMAP_OTHER, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_imap_command c;
        assert_true(tf_imap_read_command(tf_text_of(rows[i].line), &c));
        assert_true(tf_text_is(c.tag, "a1"));
        assert_int_equal(c.verb, rows[i].verb);
        assert_true(tf_text_is(c.args, rows[i].args));
    }
}

static void what_has_no_tag_or_no_name_is_no_command(void **state)
{
    static const char *const lines[] = {
        "\r\n",
        "NOOP\r\n",
        " NOOP\r\n",
        "a1\r\n",
        "a1 \r\n",
        "* NOOP\r\n",
        "+ NOOP\r\n",
        "a+ NOOP\r\n",
        "a\tNOOP x\r\n",
        "a(b) NOOP\r\n",
        "a\"b NOOP\r\n",
        "\xc3\xa9 NOOP\r\n",
        "0123456789012345678901234567890123456789012345678901234567890123 NOOP\r\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct tf_imap_command c;
        assert_false(tf_imap_read_command(tf_text_of(lines[i]), &c));
    }
}

static void a_literal_is_announced_at_the_end_of_a_line(void **state)
{
    static const struct {
        const char *line;
        bool is_there, is_awaited;
        size_t n;
    } rows[] = {
        {"a LOGIN {5}\r\n", true, true, 5},  {"{0+}\r\n", true, false, 0},
        {"x ~{1000}\r\n", true, true, 1000}, {"a LOGIN {5} \r\n", false, false, 0},
        {"a LOGIN 5}\r\n", false, false, 0}, {"\r\n", false, false, 0},
        {"{1} {2}\r\n", true, true, 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_imap_literal literal;
        assert_true(tf_imap_read_literal(tf_text_of(rows[i].line), 1000, &literal));
        assert_int_equal(literal.is_there, rows[i].is_there);
        assert_int_equal(literal.is_awaited, rows[i].is_awaited);
        assert_int_equal(literal.n, rows[i].n);
    }
}

static void a_literal_whose_length_is_none_is_refused(void **state)
{
    static const char *const lines[] = {"{1001}\r\n",
                                        "{}\r\n",
                                        "{+}\r\n",
                                        "{-1}\r\n",
                                        "{1++}\r\n",
                                        "{x}\r\n",
                                        "{99999999999999999999999}\r\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct tf_imap_literal literal;
        assert_false(tf_imap_read_literal(tf_text_of(lines[i]), 1000, &literal));
    }
}

static void a_login_has_a_name_and_a_password(void **state)
{
    static const struct {
        const char *args, *user, *password;
    } rows[] = {
        {"u p\r\n", "u", "p"},      {"\"u 1\" \"p\\\"\\\\\"\r\n", "u 1", "p\"\\"},
        {"u \"\"\r\n", "u", ""},    {"{3}\r\nu 1 {2+}\r\n\"p\r\n", "u 1", "\"p"},
        {"u {0}\r\n\r\n", "u", ""}, {"u {5}\r\n{1}\r\n\r\n", "u", "{1}\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_login login;
        assert_true(tf_imap_read_login(tf_text_of(rows[i].args), &login));
        assert_string_equal(login.user, rows[i].user);
        assert_string_equal(login.password, rows[i].password);
    }
}

static void a_login_that_is_malformed_is_refused(void **state)
{
    static const char *const rows[] = {"\"\" p\r\n", "\r\n",           "u\r\n",         "u \r\n",
                                       "u  p\r\n",   "u p x\r\n",      "\"u p\r\n",     "\"u\\\r\n",
                                       "\"u\"p\r\n", "{9}\r\nu p\r\n", "{1\r\nu p\r\n", "{1}u p\r\n",
                                       "u (p)\r\n",  "u {4}\r\np\r\n", "{1}\r\nup\r\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_login login;
        assert_false(tf_imap_read_login(tf_text_of(rows[i]), &login));
    }
}

static void what_does_not_fit_is_no_login(void **state)
{
    char args[TF_USER_MAX + 8];
    struct tf_login login;
    (void)state;
    memset(args, 'u', sizeof args);
    memcpy(args + TF_USER_MAX - 1, " p\r\n", 4);
    assert_true(tf_imap_read_login((struct tf_text){args, TF_USER_MAX + 3}, &login));
    assert_int_equal(strlen(login.user), TF_USER_MAX - 1);
    memcpy(args + TF_USER_MAX - 1, "u p\r\n", 5);
    assert_false(tf_imap_read_login((struct tf_text){args, TF_USER_MAX + 4}, &login));
    assert_false(tf_imap_read_login((struct tf_text){"{1}\r\n\0 p\r\n", 10}, &login));
}

static void a_response_is_known_by_its_beginning(void **state)
{
    static const struct {
        const char *line;
        enum tf_imap_said said;
        enum tf_imap_status status;
    } rows[] = {
        {"* OK hi\r\n", TF_IMAP_UNTAGGED, TF_IMAP_OK},
        {"* preauth hi\r\n", TF_IMAP_UNTAGGED, TF_IMAP_PREAUTH},
        {"* BYE\r\n", TF_IMAP_UNTAGGED, TF_IMAP_BYE},
        {"* CAPABILITY X\r\n", TF_IMAP_UNTAGGED, TF_IMAP_DATA},
        {"+ more\r\n", TF_IMAP_CONTINUE, TF_IMAP_DATA},
        {"+\r\n", TF_IMAP_CONTINUE, TF_IMAP_DATA},
        {"a1 OK x\r\n", TF_IMAP_TAGGED, TF_IMAP_OK},
        {"a1 bad x\r\n", TF_IMAP_TAGGED, TF_IMAP_NO},
        {"a1 NO\r\n", TF_IMAP_TAGGED, TF_IMAP_NO},
        {"a1 PREAUTH x\r\n", TF_IMAP_NONSENSE, TF_IMAP_PREAUTH},
        {"a1\r\n", TF_IMAP_NONSENSE, TF_IMAP_DATA},
        {"A1 OK x\r\n", TF_IMAP_NONSENSE, TF_IMAP_OK},
        {"a11 OK x\r\n", TF_IMAP_NONSENSE, TF_IMAP_OK},
        {"\r\n", TF_IMAP_NONSENSE, TF_IMAP_DATA},
        {" OK x\r\n", TF_IMAP_NONSENSE, TF_IMAP_OK},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_imap_response r = tf_imap_read_response(tf_text_of(rows[i].line), "a1");
        assert_int_equal(r.said, rows[i].said);
        assert_int_equal(r.status, rows[i].status);
    }
}

static void without_a_tag_nothing_is_tagged(void **state)
{
    (void)state;
    assert_int_equal(tf_imap_read_response(tf_text_of(" OK x\r\n"), "").said, TF_IMAP_NONSENSE);
    assert_int_equal(tf_imap_read_response(tf_text_of("a OK x\r\n"), "").said, TF_IMAP_NONSENSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_known_in_any_case),
        cmocka_unit_test(what_has_no_tag_or_no_name_is_no_command),
        cmocka_unit_test(a_literal_is_announced_at_the_end_of_a_line),
        cmocka_unit_test(a_literal_whose_length_is_none_is_refused),
        cmocka_unit_test(a_login_has_a_name_and_a_password),
        cmocka_unit_test(a_login_that_is_malformed_is_refused),
        cmocka_unit_test(what_does_not_fit_is_no_login),
        cmocka_unit_test(a_response_is_known_by_its_beginning),
        cmocka_unit_test(without_a_tag_nothing_is_tagged),
    };
    return cmocka_run_group_tests_name("imap_line", tests, NULL, NULL);
}
