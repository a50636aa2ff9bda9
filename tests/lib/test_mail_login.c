/* mail_login.c: PLAIN and LOGIN as clients write them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/mail_login.h"
#include <string.h>

#define USER     "dXNlcg=="         /* user */
#define PASSWORD "c2VjcmV0"         /* secret */
#define BOTH     "AHVzZXIAc2VjcmV0" /* NUL user NUL secret */
#define NAMELESS "AABzZWNyZXQ="     /* NUL NUL secret */

static struct tf_mail_login login;
static struct tf_login said;
static char told[100];

static enum tf_login_heard hear(bool is_first, const char *text)
{
    struct tf_writer w = tf_writer_of(told, sizeof told - 1);
    enum tf_login_heard heard = is_first ? tf_mail_login_begin(&login, "+ ", tf_text_of(text), &w)
                                         : tf_mail_login_line(&login, tf_text_of(text), &w);
    told[w.len] = '\0';
    return heard;
}

static void begin(const char *args, enum tf_login_heard heard, const char *challenge)
{
    memset(&login, 0, sizeof login);
    assert_int_equal(hear(true, args), heard);
    assert_string_equal(told, challenge);
}

static void line(const char *text, enum tf_login_heard heard, const char *challenge)
{
    assert_int_equal(hear(false, text), heard);
    assert_string_equal(told, challenge);
}

static void is_wiped(void)
{
    static const struct tf_login nothing;
    assert_memory_equal(&login.login, &nothing, sizeof nothing);
    assert_int_equal(login.next, TF_LOGIN_NOTHING);
}

static void is_all(void)
{
    struct tf_feed_io io = {.login = &said};
    assert_int_equal(tf_mail_login_ask(&login, &io), TF_FEED_LOGIN);
    assert_string_equal(said.user, "user");
    assert_string_equal(said.password, "secret");
    is_wiped();
}

static void plain_comes_in_one_line_or_when_asked(void **state)
{
    (void)state;
    begin("plain " BOTH, TF_LOGIN_ALL, "");
    assert_true(login.is_plain);
    is_all();
    begin("PLAIN", TF_LOGIN_PART, "+ \r\n");
    line(BOTH "\r\n", TF_LOGIN_ALL, "");
    is_all();
}

static void login_comes_in_two_answers_or_with_the_user_ahead(void **state)
{
    (void)state;
    begin("LOGIN", TF_LOGIN_PART, "+ VXNlcm5hbWU6\r\n");
    assert_false(login.is_plain);
    line(USER "\r\n", TF_LOGIN_PART, "+ UGFzc3dvcmQ6\r\n");
    line(PASSWORD "\r\n", TF_LOGIN_ALL, "");
    is_all();
    begin("Login " USER, TF_LOGIN_PART, "+ UGFzc3dvcmQ6\r\n");
    line(PASSWORD "\r\n", TF_LOGIN_ALL, "");
    is_all();
}

static void who_gives_up_leaves_nothing_behind(void **state)
{
    (void)state;
    begin("LOGIN " USER, TF_LOGIN_PART, "+ UGFzc3dvcmQ6\r\n");
    line("*\r\n", TF_LOGIN_CANCELLED, "");
    is_wiped();
}

static void what_is_no_login_leaves_nothing_behind(void **state)
{
    static const char *const plain[] = {"PLAIN =", "PLAIN " USER, "PLAIN " NAMELESS, "PLAIN !!!!"};
    static const char *const passwords[] = {"c2Vj!mV0\r\n", "AAAA\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        begin(plain[i], TF_LOGIN_MALFORMED, "");
        is_wiped();
    }
    begin("LOGIN", TF_LOGIN_PART, "+ VXNlcm5hbWU6\r\n");
    line("\r\n", TF_LOGIN_MALFORMED, "");
    for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++) {
        begin("LOGIN " USER, TF_LOGIN_PART, "+ UGFzc3dvcmQ6\r\n");
        line(passwords[i], TF_LOGIN_MALFORMED, "");
        is_wiped();
    }
}

static void another_mechanism_is_not_taken(void **state)
{
    (void)state;
    assert_false(tf_mail_login_takes(tf_text_of("XOAUTH2")));
    begin("XOAUTH2 " BOTH, TF_LOGIN_UNKNOWN, "");
    begin("", TF_LOGIN_UNKNOWN, "");
    begin("PLAINX " BOTH, TF_LOGIN_UNKNOWN, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_comes_in_one_line_or_when_asked),
        cmocka_unit_test(login_comes_in_two_answers_or_with_the_user_ahead),
        cmocka_unit_test(who_gives_up_leaves_nothing_behind),
        cmocka_unit_test(what_is_no_login_leaves_nothing_behind),
        cmocka_unit_test(another_mechanism_is_not_taken),
    };
    return cmocka_run_group_tests_name("mail_login", tests, NULL, NULL);
}
