/* mail_line.c: lines, words, and what may be offered. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/mail_line.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void take(const char *text, size_t n, size_t max, enum tf_mail_line expected, size_t length)
{
    struct tf_text line = {NULL, 0};
    struct tf_span in = {(const uint8_t *)text, n};
    assert_int_equal(tf_mail_line_take(in, max, &line), expected);
    if (expected == TF_MAIL_LINE_DONE)
        assert_int_equal(line.n, length);
}

static void a_line_ends_with_crlf(void **state)
{
    (void)state;
    take("NOOP\r\nQUIT\r\n", 12, 100, TF_MAIL_LINE_DONE, 6);
    take("\r\n", 2, 100, TF_MAIL_LINE_DONE, 2);
    take("NOOP\r", 5, 100, TF_MAIL_LINE_MORE, 0);
    take("NOOP", 4, 100, TF_MAIL_LINE_MORE, 0);
    take(NULL, 0, 100, TF_MAIL_LINE_MORE, 0);
}

static void a_line_is_as_long_as_it_may_be_and_no_longer(void **state)
{
    (void)state;
    take("NOOP\r\n", 6, 6, TF_MAIL_LINE_DONE, 6);
    take("NOOP\r\n", 6, 5, TF_MAIL_LINE_BAD, 0);
    take("NOOP\r", 5, 6, TF_MAIL_LINE_MORE, 0);
    take("NOOPNO", 6, 6, TF_MAIL_LINE_BAD, 0);
}

static void what_ends_otherwise_is_no_line(void **state)
{
    (void)state;
    take("NOOP\n", 5, 100, TF_MAIL_LINE_BAD, 0);
    take("\n", 1, 100, TF_MAIL_LINE_BAD, 0);
    take("NO\rOP\r\n", 7, 100, TF_MAIL_LINE_BAD, 0);
    take("NOOP\r\r\n", 7, 100, TF_MAIL_LINE_BAD, 0);
}

static void what_is_binary_is_not_waited_for(void **state)
{
    (void)state;
    take("\x16\x03\x01\0", 4, 100, TF_MAIL_LINE_BAD, 0);
    take("NO\0P\r\n", 6, 100, TF_MAIL_LINE_BAD, 0);
    take("NO\rO", 4, 100, TF_MAIL_LINE_BAD, 0);
}

static void words_are_taken_with_the_blanks_around_them(void **state)
{
    (void)state;
    struct tf_text rest = tf_text_of(" one \ttwo\r\n");
    assert_true(tf_text_is(tf_mail_word(&rest), "one"));
    assert_true(tf_text_is(rest, "two"));
    assert_true(tf_text_is(tf_mail_word(&rest), "two"));
    assert_int_equal(rest.n, 0);
    assert_int_equal(tf_mail_word(&rest).n, 0);
    rest = (struct tf_text){NULL, 0};
    assert_int_equal(tf_mail_word(&rest).n, 0);
}

static void mechanisms_that_are_bound_to_the_channel_do_not_hold(void **state)
{
    static const char *const hold[] = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "PLUS"};
    static const char *const do_not[] = {
        "SCRAM-SHA-256-PLUS", "gs2-krb5-plus", "GSSAPI", "gss-spnego", "NTLM", "EXTERNAL", "KERBEROS_V4"};
    (void)state;
    for (size_t i = 0; i < COUNT(hold); i++)
        assert_true(tf_mail_mechanism_holds(tf_text_of(hold[i])));
    for (size_t i = 0; i < COUNT(do_not); i++)
        assert_false(tf_mail_mechanism_holds(tf_text_of(do_not[i])));
}

/* The first bytes of hellos and of others. */
static void tls_is_told_from_other_noise(void **state)
{
    (void)state;
    static const struct {
        uint8_t p[11];
        size_t n;
        bool is_tls;
    } rows[] = {{{0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3}, 11, true},
                {{0x16, 3, 3, 2}, 4, true},
                {{0x80, 0x2e, 1, 3, 1}, 5, false},
                {{'E', 'H', 'L', 'O', '\n'}, 5, false},
                {{0}, 0, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_feed_io io = {.in = {rows[i].p, rows[i].n}};
        struct tf_facts facts = {.reason = TF_REASON_NONE};
        assert_int_equal(tf_mail_not_spoken(&io, &facts), TF_FEED_BAD);
        assert_int_equal(facts.reason, TF_REASON_MAIL_MALFORMED);
        assert_int_equal(facts.detail != NULL, rows[i].is_tls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_with_crlf),
        cmocka_unit_test(a_line_is_as_long_as_it_may_be_and_no_longer),
        cmocka_unit_test(what_ends_otherwise_is_no_line),
        cmocka_unit_test(what_is_binary_is_not_waited_for),
        cmocka_unit_test(words_are_taken_with_the_blanks_around_them),
        cmocka_unit_test(mechanisms_that_are_bound_to_the_channel_do_not_hold),
        cmocka_unit_test(tls_is_told_from_other_noise),
    };
    return cmocka_run_group_tests_name("mail_line", tests, NULL, NULL);
}
