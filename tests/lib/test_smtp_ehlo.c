/* smtp_ehlo.c: what is in an answer to EHLO, and what of it holds for the client. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/smtp_ehlo.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void what_the_gateway_needs_is_found_in_any_line(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        struct tf_smtp_offer offer;
    } replies[] = {
        {"250 STARTTLS\r\n", {0}}, /* a host of that name greets */
        {"250-a\r\n250 starttls\r\n", {.starttls = true}},
        {"250-a\r\n250-X-ANONYMOUSTLS\r\n250 X\r\n", {.starttls = true}},
        {"250-a\r\n250-AUTH CRAM-MD5 Plain\r\n250 AUTH=LOGIN\r\n", {.plain = true, .login = true}},
        {"250-a\r\n250 AUTH XOAUTH2 PLAIN-CLIENTTOKEN\r\n", {.xoauth2 = true}},
        {"250-a\r\n250 XAUTH PLAIN\r\n", {0}},
    };
    for (size_t i = 0; i < COUNT(replies); i++) {
        struct tf_smtp_offer offer = tf_smtp_read_offer(tf_text_of(replies[i].reply));
        assert_int_equal(offer.starttls, replies[i].offer.starttls);
        assert_int_equal(offer.plain, replies[i].offer.plain);
        assert_int_equal(offer.login, replies[i].offer.login);
        assert_int_equal(offer.xoauth2, replies[i].offer.xoauth2);
    }
}

static void the_client_gets_what_holds_on_its_leg(void **state)
{
    (void)state;
#define REPLY                                                                                                \
    "250-a hi\r\n250-STARTTLS\r\n250-AUTH NTLM\r\n250-AUTH LOGIN XOAUTH2\r\n250-REQUIRETLS\r\n250 DSN\r\n"
    static const struct {
        struct tf_smtp_leg leg;
        const char *reply, *written;
    } legs[] = {
        {{0}, REPLY, "250-a hi\r\n250 DSN\r\n"},
        {{.is_tls = true, .auth = true},
         REPLY,
         "250-a hi\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250-REQUIRETLS\r\n250 DSN\r\n"},
        {{.starttls = true}, REPLY, "250-a hi\r\n250-DSN\r\n250 STARTTLS\r\n"},
        {{.auth = true, .is_bridge = true}, REPLY, "250-a hi\r\n250-AUTH PLAIN LOGIN\r\n250 DSN\r\n"},
        {{.auth = true, .starttls = true, .is_one_line = true}, REPLY, "250 a hi\r\n"},
        {{.starttls = true}, "250 a\r\n", "250-a\r\n250 STARTTLS\r\n"},
        {{.auth = true}, "250-a\r\n250 AUTH=GSSAPI\r\n", "250 a\r\n"},
        {{.auth = true},
         "250-a\r\n250-AUTH=LOGIN\r\n250 AUTH=LOGIN\r\n",
         "250-a\r\n250 AUTH=PLAIN LOGIN\r\n"},
    };
    for (size_t i = 0; i < COUNT(legs); i++) {
        char out[512];
        struct tf_writer w = tf_writer_of(out, sizeof out - 1);
        tf_smtp_put_ehlo(&w, tf_text_of(legs[i].reply), &legs[i].leg);
        out[w.len] = '\0';
        assert_string_equal(out, legs[i].written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_gateway_needs_is_found_in_any_line),
        cmocka_unit_test(the_client_gets_what_holds_on_its_leg),
    };
    return cmocka_run_group_tests_name("smtp_ehlo", tests, NULL, NULL);
}
