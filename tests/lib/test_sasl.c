/* sasl.c: logins in every shape, and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/sasl.h"
#include <string.h>

/* Base64 of a message, which may hold NULs. */
static struct tf_text encoded(const char *message, size_t n)
{
    static char room[2048];
    struct tf_writer w = tf_writer_of(room, sizeof room);
    tf_put_base64(&w, message, n);
    assert_false(w.full);
    return (struct tf_text){room, w.len};
}

#define ENCODED(literal) encoded(literal, sizeof literal - 1)

static struct tf_login login;

static void assert_login(const char *user, const char *password)
{
    assert_string_equal(login.user, user);
    assert_string_equal(login.password, password);
}

static void plain_has_a_user_and_a_password(void **state)
{
    (void)state;
    assert_true(tf_sasl_read_plain(tf_text_of("AHNjYW5uZXIAc2VjcmV0"), &login));
    assert_login("scanner", "secret");
    assert_true(tf_sasl_read_plain(ENCODED("\0u@a.example\0p:\xc3\xa4 q"), &login));
    assert_login("u@a.example", "p:\xc3\xa4 q");
}

static void plain_may_say_twice_who_it_is(void **state)
{
    (void)state;
    assert_true(tf_sasl_read_plain(ENCODED("user\0user\0pass"), &login));
    assert_login("user", "pass");
    assert_false(tf_sasl_read_plain(ENCODED("admin\0user\0pass"), &login));
    assert_false(tf_sasl_read_plain(ENCODED("use\0user\0pass"), &login));
}

static void what_is_not_plain_is_refused(void **state)
{
    (void)state;
    assert_false(tf_sasl_read_plain(ENCODED(""), &login));
    assert_false(tf_sasl_read_plain(ENCODED("user"), &login));
    assert_false(tf_sasl_read_plain(ENCODED("\0user"), &login));
    assert_false(tf_sasl_read_plain(ENCODED("\0user\0"), &login));
    assert_false(tf_sasl_read_plain(ENCODED("\0\0pass"), &login));
    assert_false(tf_sasl_read_plain(ENCODED("\0user\0pass\0"), &login));
    assert_false(tf_sasl_read_plain(ENCODED("\0user\0pass\0more"), &login));
    assert_false(tf_sasl_read_plain(tf_text_of("AHNjYW5uZXIAc2VjcmV0="), &login));
    assert_false(tf_sasl_read_plain(tf_text_of("\0user\0pass"), &login));
}

static void basic_ends_the_user_at_the_first_colon(void **state)
{
    (void)state;
    assert_true(tf_sasl_read_basic(tf_text_of("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), &login)); /* RFC 7617 2 */
    assert_login("Aladdin", "open sesame");
    assert_true(tf_sasl_read_basic(ENCODED("a:b:c"), &login));
    assert_login("a", "b:c");
    assert_true(tf_sasl_read_basic(ENCODED("a:"), &login));
    assert_login("a", "");
    assert_true(tf_sasl_read_basic(ENCODED(":"), &login));
    assert_login("", "");
}

static void what_is_not_basic_is_refused(void **state)
{
    (void)state;
    assert_false(tf_sasl_read_basic(tf_text_of(""), &login));
    assert_false(tf_sasl_read_basic(ENCODED("user"), &login));
    assert_false(tf_sasl_read_basic(ENCODED("us\0er:pass"), &login));
    assert_false(tf_sasl_read_basic(ENCODED("user:pa\0ss"), &login));
    assert_false(tf_sasl_read_basic(tf_text_of("user:pass"), &login));
}

static void a_field_is_text(void **state)
{
    char field[TF_USER_MAX];
    (void)state;
    assert_true(tf_sasl_read_field(tf_text_of("VXNlcm5hbWU6"), field));
    assert_string_equal(field, "Username:");
    assert_true(tf_sasl_read_field(tf_text_of(""), field));
    assert_string_equal(field, "");
    assert_false(tf_sasl_read_field(ENCODED("a\0b"), field));
    assert_false(tf_sasl_read_field(tf_text_of("VXNlcm5hbWU"), field));
}

/* A login whose parts have so many bytes, as Basic and as PLAIN writes it. */
static bool is_read_at_length(size_t n)
{
    char message[3 * TF_USER_MAX + 8], field[TF_USER_MAX];
    memset(message, 'a', sizeof message);
    message[n] = ':';
    bool as_basic = tf_sasl_read_basic(encoded(message, n + 1 + n), &login);
    message[n] = message[2 * n + 1] = '\0';
    bool as_plain = tf_sasl_read_plain(encoded(message, n + 1 + n + 1 + n), &login);
    bool as_field = tf_sasl_read_field(encoded(message, n), field);
    assert_true(as_basic == as_plain && as_plain == as_field);
    return as_basic;
}

static void the_longest_parts_fit_and_longer_ones_are_refused(void **state)
{
    (void)state;
    assert_true(is_read_at_length(TF_USER_MAX - 1));
    assert_int_equal(strlen(login.user), TF_USER_MAX - 1);
    assert_int_equal(strlen(login.password), TF_USER_MAX - 1);
    assert_false(is_read_at_length(TF_USER_MAX));
}

static void nothing_is_left_of_a_login_that_was_refused(void **state)
{
    static const struct tf_login zero;
    (void)state;
    memset(&login, 'x', sizeof login);
    assert_false(tf_sasl_read_plain(ENCODED("admin\0user\0pass"), &login));
    assert_memory_equal(&login, &zero, sizeof login);
}

static void a_login_is_written_as_it_is_read(void **state)
{
    char room[256];
    struct tf_writer w = tf_writer_of(room, sizeof room);
    (void)state;
    struct tf_login written = {"scanner", "secret"};
    tf_sasl_put_plain(&w, &written);
    assert_false(w.full);
    assert_true(tf_text_is((struct tf_text){room, w.len}, "AHNjYW5uZXIAc2VjcmV0"));
    w = tf_writer_of(room, sizeof room);
    tf_sasl_put_field(&w, "Username:");
    assert_true(tf_text_is((struct tf_text){room, w.len}, "VXNlcm5hbWU6"));
}

/* The example of Microsoft's page on OAuth for IMAP, POP and SMTP. */
static void xoauth2_is_written_as_exchange_reads_it(void **state)
{
    char room[256];
    struct tf_writer w = tf_writer_of(room, sizeof room);
    (void)state;
    tf_sasl_put_xoauth2(&w, "test@contoso.onmicrosoft.com", "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA");
    assert_false(w.full);
    assert_true(tf_text_is((struct tf_text){room, w.len},
                           "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRk"
                           "ZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ=="));
}

static void what_is_wiped_is_gone(void **state)
{
    static const struct tf_login zero;
    char secret[5] = "abcd";
    (void)state;
    memset(&login, 'x', sizeof login);
    tf_login_wipe(&login);
    assert_memory_equal(&login, &zero, sizeof login);
    tf_wipe(secret, 3);
    assert_memory_equal(secret, "\0\0\0d", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_has_a_user_and_a_password),
        cmocka_unit_test(plain_may_say_twice_who_it_is),
        cmocka_unit_test(what_is_not_plain_is_refused),
        cmocka_unit_test(basic_ends_the_user_at_the_first_colon),
        cmocka_unit_test(what_is_not_basic_is_refused),
        cmocka_unit_test(a_field_is_text),
        cmocka_unit_test(the_longest_parts_fit_and_longer_ones_are_refused),
        cmocka_unit_test(nothing_is_left_of_a_login_that_was_refused),
        cmocka_unit_test(a_login_is_written_as_it_is_read),
        cmocka_unit_test(xoauth2_is_written_as_exchange_reads_it),
        cmocka_unit_test(what_is_wiped_is_gone),
    };
    return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
