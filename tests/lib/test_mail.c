/* mail.c: ports, known answers, Exchange's names of versions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/hello.h"
#include "../../lib/mail.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void ports_tell_the_protocol_and_whether_tls_comes_first(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum tf_mail mail;
        bool is_tls;
    } ports[] = {{25, TF_MAIL_SMTP, false},  {587, TF_MAIL_SMTP, false}, {143, TF_MAIL_IMAP, false},
                 {110, TF_MAIL_POP3, false}, {465, TF_MAIL_NONE, true},  {993, TF_MAIL_NONE, true},
                 {995, TF_MAIL_NONE, true},  {443, TF_MAIL_NONE, false}, {2525, TF_MAIL_NONE, false}};
    for (size_t i = 0; i < COUNT(ports); i++) {
        assert_int_equal(tf_mail_of_port(ports[i].port), ports[i].mail);
        assert_int_equal(tf_mail_is_tls_port(ports[i].port), ports[i].is_tls);
    }
    assert_string_equal(tf_mail_name(TF_MAIL_SMTP), "smtp");
    assert_string_equal(tf_mail_name(TF_MAIL_NONE), "");
}

/* Lines as Exchange Online writes them. */
static void known_answers_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *line, *code;
        bool is_tls_problem;
    } lines[] = {
        {"421 4.7.66 TLS 1.0 and 1.1 are not supported.\r\n", "421 4.7.66", true},
        {"535 5.7.3 Authentication unsuccessful\r\n", "535 5.7.3", false},
        {"530 5.7.57 Client not authenticated to send mail.\r\n", "5.7.57", false},
        {"535 5.7.57 Client not authenticated to send mail.\r\n", "5.7.57", false},
        {"550 5.7.60 SMTP; Client does not have permissions to send as this sender\r\n", "5.7.60", false},
        {"550-5.7.64 TenantAttribution; Relay Access Denied\r\n", "5.7.64", false},
        {"550 5.7.68 TenantInboundAttribution; Direct Send not allowed\r\n", "550 5.7.68", false},
        {"550 5.7.30 Basic authentication is not supported\r\n", "550 5.7.30", false},
        {"550-5.7.30 basic authentication is not supported\r\n", "550 5.7.30", false},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        const struct tf_mail_answer *answer = tf_mail_answer_find(tf_text_of(lines[i].line));
        assert_non_null(answer);
        assert_string_equal(answer->code, lines[i].code);
        assert_int_equal(answer->is_tls_problem, lines[i].is_tls_problem);
        assert_true(strlen(answer->meaning) > 0 && strlen(answer->advice) > 0);
    }
}

static void others_are_not(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "4",
                                        "421",
                                        "421 ",
                                        "421 4.7.660 x",
                                        "421 4.7.66.1 x",
                                        "421 4.7.6",
                                        "451 4.7.66",
                                        "550 5.7.3 x",
                                        "450 5.7.57 x",
                                        "4215.7.57 x",
                                        "550+5.7.57 x",
                                        "* OK 5.7.57",
                                        "550 5.7.1 x",
                                        "550 5.7.30",
                                        "550 5.7.30 Basic\r\n",
                                        "550 5.7.30 REQUIRETLS support required\r\n"};
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_null(tf_mail_answer_find(tf_text_of(lines[i])));
}

static void versions_have_exchanges_names(void **state)
{
    (void)state;
    assert_string_equal(tf_mail_prot(TF_TLS10, true), "SP_PROT_TLS1_0_SERVER");
    assert_string_equal(tf_mail_prot(TF_TLS11, true), "SP_PROT_TLS1_1_SERVER");
    assert_string_equal(tf_mail_prot(TF_TLS12, false), "SP_PROT_TLS1_2_CLIENT");
    assert_string_equal(tf_mail_prot(TF_TLS13, false), "SP_PROT_TLS1_3_CLIENT");
    assert_string_equal(tf_mail_prot(TF_SSL3, true), "SP_PROT_SSL3_SERVER");
    assert_string_equal(tf_mail_prot(0, true), "SP_PROT_NONE");
    assert_string_equal(tf_mail_prot(0x7f12, true), "SP_PROT_NONE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_tell_the_protocol_and_whether_tls_comes_first),
        cmocka_unit_test(known_answers_are_told_apart),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(versions_have_exchanges_names),
    };
    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
