/* mail_dialogue.c: what a client is offered, and the token's way. Turns and
 * ends are played with the fronts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/mail_dialogue.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void an_offer_depends_on_the_clients_tls(void **state)
{
    static const struct {
        enum tf_client_tls tls;
        bool is_secure, has_starttls, has_login;
    } rows[] = {
        {TF_CLIENT_TLS_NONE, false, false, true},    {TF_CLIENT_TLS_OPTIONAL, false, true, true},
        {TF_CLIENT_TLS_OPTIONAL, true, false, true}, {TF_CLIENT_TLS_STARTTLS, false, true, false},
        {TF_CLIENT_TLS_STARTTLS, true, false, true}, {TF_CLIENT_TLS_IMPLICIT, true, false, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_mail_dialogue d = {.plan.client_tls = rows[i].tls, .is_client_secure = rows[i].is_secure};
        struct tf_mail_offer offer = tf_mail_offer_to_client(&d);
        assert_int_equal(offer.has_starttls, rows[i].has_starttls);
        assert_int_equal(offer.has_login, rows[i].has_login);
    }
}

static struct tf_text say_token(struct tf_mail_dialogue *d, char *out, size_t size)
{
    struct tf_writer w = tf_writer_of(out, size);
    tf_mail_say_token(d, "a@b", &w);
    return (struct tf_text){out, w.len};
}

static void a_token_is_said_once(void **state)
{
    static struct tf_mail_dialogue d, wiped;
    char out[200];
    (void)state;
    tf_mail_keep_token(&d, "token");
    assert_true(tf_text_is(say_token(&d, out, sizeof out), "dXNlcj1hQGIBYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n"));
    assert_memory_equal(&d, &wiped, sizeof d);
    assert_true(tf_text_is(say_token(&d, out, sizeof out), "\r\n"));
}

static void a_token_that_is_not_asked_for_is_forgotten(void **state)
{
    static struct tf_mail_dialogue d, wiped;
    (void)state;
    tf_mail_keep_token(&d, "token");
    tf_mail_forget_token(&d);
    assert_memory_equal(&d, &wiped, sizeof d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_depends_on_the_clients_tls),
        cmocka_unit_test(a_token_is_said_once),
        cmocka_unit_test(a_token_that_is_not_asked_for_is_forgotten),
    };
    return cmocka_run_group_tests_name("mail_dialogue", tests, NULL, NULL);
}
