/* record.c: mail sessions, who has logged in, and who stands in front. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "record_stage.h"

/* A scanner that sends in plain text, carried on in TLS 1.3. */
static struct tf_facts plain_scanner(void)
{
    struct tf_facts facts = old_printer();
    facts.has_hello = false;
    facts.ask = TF_ASK_MAIL;
    facts.mail = TF_MAIL_SMTP;
    facts.verdict = TF_VERDICT_UPGRADE;
    facts.reason = TF_REASON_NONE;
    facts.outside = (struct tf_leg){.version = TF_TLS13, .cipher = 0x1302};
    return facts;
}

static void plain_mail_that_was_upgraded_says_so_in_exchange_s_words(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    put_block(&facts);
    assert_field("event.action", "\"tls-upgraded\"");
    assert_field("event.code", "\"mail-upgraded\"");
    assert_field("network.protocol", "\"smtp\"");
    assert_field("tlsfloor.upgrade.from", "\"plain\"");
    assert_field("tlsfloor.upgrade.to", "\"1.3\"");
    assert_field("tlsfloor.mail.inside", "\"SP_PROT_NONE\"");
    assert_field("tlsfloor.mail.outside", "\"SP_PROT_TLS1_3_CLIENT\"");
    assert_no_field("tls.version");
}

static void starttls_at_1_0_that_was_upgraded_names_both_legs(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    facts.has_hello = true;
    facts.ask = TF_ASK_TUNNEL;
    facts.inside = (struct tf_leg){.version = TF_TLS10, .cipher = 0x002f};
    put_block(&facts);
    assert_field("event.code", "\"client-upgraded\"");
    assert_field("tlsfloor.mail.inside", "\"SP_PROT_TLS1_0_SERVER\"");
    assert_field("tlsfloor.mail.outside", "\"SP_PROT_TLS1_3_CLIENT\"");
}

static void a_healthy_client_whose_tls_ended_here_is_no_legacy_client(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    facts.has_hello = true;
    facts.ask = TF_ASK_TUNNEL;
    facts.hello.max_version = TF_TLS13;
    facts.inside = (struct tf_leg){.version = TF_TLS13, .cipher = 0x1302};
    put_block(&facts);
    assert_field("event.code", "\"client-terminated\"");
    assert_field("tlsfloor.upgrade.from", "\"1.3\"");
}

static void a_blocked_starttls_says_what_the_client_offered(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    facts.mail = TF_MAIL_SMTP;
    put_block(&facts);
    assert_field("event.code", "\"client-below-floor\"");
    assert_field("tlsfloor.mail.inside", "\"SP_PROT_TLS1_0_SERVER\"");
    assert_no_field("tlsfloor.mail.outside");
}

static void mail_that_went_on_without_tls_outside_would_be_blocked(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    facts.outside.version = 0;
    facts.is_plain_outside = true;
    facts.verdict = TF_VERDICT_MONITOR;
    facts.reason = TF_REASON_MAIL_CLEARTEXT;
    put_block(&facts);
    assert_field("event.action", "\"tls-version-would-block\"");
    assert_field("event.code", "\"mail-cleartext\"");
    assert_field("tlsfloor.mail.inside", "\"SP_PROT_NONE\"");
    assert_field("tlsfloor.mail.outside", "\"SP_PROT_NONE\"");
}

static void an_answer_that_puzzles_people_is_explained(void **state)
{
    (void)state;
    static const struct tf_mail_answer answer = {
        .code = "535 5.7.3", .meaning = "what it means", .advice = "what to do"};
    struct tf_facts facts = plain_scanner();
    facts.answer = &answer;
    put_block(&facts);
    assert_field("tlsfloor.mail.answer", "\"535 5.7.3\"");
    assert_field("tlsfloor.mail.answer_is_about_tls", "false");
    assert_field("tlsfloor.mail.answer_means", "\"what it means\"");
    assert_field("tlsfloor.fix", "\"what to do\"");
}

static void who_has_logged_in_and_who_stands_in_front_are_named(void **state)
{
    (void)state;
    struct tf_facts facts = old_printer();
    strcpy(facts.user, "anna\"\x1b[31m");
    facts.via = (struct tf_addr){.family = TF_FAMILY_V4, .ip = {10, 0, 0, 1}, .port = 4000};
    put_block(&facts);
    assert_field("user.name", "\"anna\\\"\\u001b[31m\"");
    assert_field("tlsfloor.via.ip", "\"10.0.0.1\"");
    assert_no_field("tlsfloor.failed_logins");
}

static void a_mailbox_is_named_where_it_is_not_the_user(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    strcpy(facts.user, "scanner");
    strcpy(facts.mailbox, "scan@contoso.example");
    put_block(&facts);
    assert_field("user.name", "\"scanner\"");
    assert_field("tlsfloor.mail.mailbox", "\"scan@contoso.example\"");
    strcpy(facts.user, facts.mailbox);
    put_block(&facts);
    assert_field("user.name", "\"scan@contoso.example\"");
    assert_no_field("tlsfloor.mail.mailbox");
}

static void a_refused_token_is_not_the_device_s_fault(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    facts.answer = &tf_mail_token_refused;
    put_block(&facts);
    assert_field("event.outcome", "\"success\"");
    assert_field("tlsfloor.mail.answer", "\"XOAUTH2\"");
    assert_field("tlsfloor.mail.answer_is_about_tls", "false");
    const char *fix;
    size_t n;
    assert_true(flat_read(line, line_len, "tlsfloor.fix", &fix, &n));
    assert_non_null(memmem(fix, n, "SMTP.SendAsApp", strlen("SMTP.SendAsApp")));
}

static void wrong_passwords_are_counted_whatever_became_of_the_session(void **state)
{
    (void)state;
    struct tf_facts facts = plain_scanner();
    facts.failed_logins = 2;
    put_block(&facts);
    assert_field("event.code", "\"mail-upgraded\"");
    assert_field("tlsfloor.failed_logins", "2");
    facts.is_login_wrong = true;
    facts.verdict = TF_VERDICT_BLOCK;
    facts.reason = TF_REASON_LOGIN_FAILED;
    put_block(&facts);
    assert_field("event.action", "\"access-denied\"");
    assert_field("tlsfloor.failed_logins", "2");
    assert_no_field("tlsfloor.upgrade.to");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_mail_that_was_upgraded_says_so_in_exchange_s_words),
        cmocka_unit_test(starttls_at_1_0_that_was_upgraded_names_both_legs),
        cmocka_unit_test(a_healthy_client_whose_tls_ended_here_is_no_legacy_client),
        cmocka_unit_test(a_blocked_starttls_says_what_the_client_offered),
        cmocka_unit_test(mail_that_went_on_without_tls_outside_would_be_blocked),
        cmocka_unit_test(an_answer_that_puzzles_people_is_explained),
        cmocka_unit_test(who_has_logged_in_and_who_stands_in_front_are_named),
        cmocka_unit_test(a_mailbox_is_named_where_it_is_not_the_user),
        cmocka_unit_test(a_refused_token_is_not_the_device_s_fault),
        cmocka_unit_test(wrong_passwords_are_counted_whatever_became_of_the_session),
    };
    return cmocka_run_group_tests_name("record_mail", tests, NULL, NULL);
}
