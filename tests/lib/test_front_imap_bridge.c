/* front_imap.c as plays, with a bridge: the client logs in with us, and we log in with OAuth. */
#include "mail_stage.h"

#define SECURE                                                                                               \
    {S, "* OK hi\r\n"}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 OK go\r\n"}, {WANTS, "tls-server"},               \
        {SECURED_S, NULL},                                                                                   \
    {                                                                                                        \
        TO_C, "* OK hi\r\n"                                                                                  \
    }
/* what follows from `scanner@example` and `secret` under the tag `a` */
#define LOGS_IN                                                                                              \
    {WANTS, "login scanner@example:secret"}, {TO_S, ""}, {LOGIN_RIGHT, "token"},                             \
        {TO_S, "a AUTHENTICATE XOAUTH2\r\n"}, {S, "+ \r\n"}, {TO_S, XOAUTH2 "\r\n"}, {S, "a OK in\r\n"},     \
        {TO_C, "a OK in\r\n"},                                                                               \
    {                                                                                                        \
        WANTS, "switch"                                                                                      \
    }
#define BRIDGE                                                                                               \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL, .is_bridge = true                      \
    }
#define MALFORMED                                                                                            \
    "* BYE what the client says is not the listener's mail protocol, or a line is longer than "              \
    "[limits] line_bytes\r\n"
#define FILL "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" /* 64 */

/* clang-format off */
static const struct play plays[] = {
    {"atoms", BRIDGE, false,
     {SECURE, {C, "a LOGIN scanner@example secret\r\n"}, LOGS_IN}},
    {"quoted_strings", BRIDGE, false,
     {SECURE, {C, "a login \"scanner@example\" \"s\\\"e \\\\\"\r\n"}, {WANTS, "login scanner@example:s\"e \\"}}},
    {"literals_that_are_awaited", BRIDGE, false,
     {SECURE, {C, "a LOGIN {15}\r\n"}, {TO_C, "+ \r\n"}, {C, "scanner@example {6}\r\n"}, {TO_C, "+ \r\n"},
      {C, "secret\r\n"}, LOGS_IN}},
    {"literals_that_are_not_awaited", BRIDGE, false,
     {SECURE, {C, "a LOGIN {15+}\r\nscanner@example {6+}\r\nsecret\r\n"}, LOGS_IN}},
    {"plain_asked_for", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE PLAIN\r\n"}, {TO_C, "+ \r\n"},
      {C, "AHNjYW5uZXJAZXhhbXBsZQBzZWNyZXQ=\r\n"}, LOGS_IN}},
    {"plain_at_once", BRIDGE, false,
     {SECURE, {C, "a authenticate plain AHNjYW5uZXJAZXhhbXBsZQBzZWNyZXQ=\r\n"}, LOGS_IN}},
    {"login_prompt_by_prompt", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE LOGIN\r\n"}, {TO_C, "+ VXNlcm5hbWU6\r\n"}, {C, "c2Nhbm5lckBleGFtcGxl\r\n"},
      {TO_C, "+ UGFzc3dvcmQ6\r\n"}, {C, "c2VjcmV0\r\n"}, LOGS_IN}},
    {"login_with_the_name_at_once", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE LOGIN c2Nhbm5lckBleGFtcGxl\r\n"}, {TO_C, "+ UGFzc3dvcmQ6\r\n"},
      {C, "c2VjcmV0\r\n"}, LOGS_IN}},
    {"a_wrong_password_never_reaches_the_server", BRIDGE, false,
     {SECURE, {C, "a LOGIN scanner@example wrong\r\n"}, {WANTS, "login scanner@example:wrong"},
      {LOGIN_WRONG, NULL}, {TO_C, "a NO [AUTHENTICATIONFAILED] the name or the password is wrong\r\n"},
      {TO_S, ""}, {C, "a LOGIN scanner@example secret\r\n"}, LOGS_IN}},
    {"what_is_sent_ahead_waits_for_the_login", BRIDGE, false,
     {SECURE, {C, "a LOGIN scanner@example secret\r\nb SELECT INBOX\r\n"}, LOGS_IN,
      {LEFT_C, "b SELECT INBOX\r\n"}}},
    {"a_server_that_refuses_the_token_explains_it_to_nobody", BRIDGE, false,
     {SECURE, {C, "a LOGIN scanner@example secret\r\n"}, {WANTS, "login scanner@example:secret"},
      {LOGIN_RIGHT, "token"}, {TO_S, "a AUTHENTICATE XOAUTH2\r\n"}, {S, "+ \r\n"}, {TO_S, XOAUTH2 "\r\n"},
      {S, "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"}, {TO_S, "\r\n"}, {TO_C, ""}, {S, "a NO no\r\n"},
      {TO_C, "a NO no\r\n"}, {TOKEN, "refused"}, {ANSWER, "XOAUTH2"}, {C, "b NOOP\r\n"}, {TO_S, "b NOOP\r\n"}, {S, "b NO no\r\n"},
      {TO_C, "b NO no\r\n"}, {TOKEN, NULL}}},
    {"without_a_login_nothing_goes_to_the_server_but_what_leads_to_one", BRIDGE, false,
     {SECURE, {C, "a SELECT INBOX\r\nb LIST \"\" *\r\nc ENABLE {3}\r\nd UNAUTHENTICATE\r\n"},
      {TO_C, "a BAD log in first\r\nb BAD log in first\r\nc BAD log in first\r\nd BAD log in first\r\n"},
      {TO_S, ""}, {C, "e ID NIL\r\nf NOOP\r\n"}, {TO_S, "e ID NIL\r\n"}, {S, "e OK\r\n"}, {TO_C, "e OK\r\n"},
      {TO_S, "f NOOP\r\n"}, {S, "f OK\r\n"}, {TO_C, "f OK\r\n"}}},
    {"no_command_comes_as_the_literal_of_another", BRIDGE, false,
     {SECURE, {C, "a NOOP {3}\r\n"}, {TO_C, "a BAD log in first\r\n"}, {C, "b NOOP {16+}\r\nc SELECT INBOX\r\n"},
      {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}, {TO_S, ""}}},
    {"only_our_own_logins_are_offered", BRIDGE, false,
     {SECURE, {C, "a CAPABILITY\r\n"}, {TO_S, "a CAPABILITY\r\n"},
      {S, "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2 AUTH=PLAIN ID\r\na OK\r\n"},
      {TO_C, "* CAPABILITY IMAP4rev1 ID STARTTLS AUTH=PLAIN AUTH=LOGIN\r\na OK\r\n"}}},
    {"no_login_is_offered_before_starttls_where_that_is_demanded",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_STARTTLS, .is_bridge = true}, false,
     {SECURE, {C, "a CAPABILITY\r\n"}, {TO_S, "a CAPABILITY\r\n"}, {S, "* CAPABILITY IMAP4rev1\r\na OK\r\n"},
      {TO_C, "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na OK\r\n"},
      {C, "b LOGIN u p\r\n"}, {TO_C, "b NO [PRIVACYREQUIRED] STARTTLS comes first\r\n"}}},
    {"another_mechanism_is_refused", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE XOAUTH2 eA==\r\n"},
      {TO_C, "a NO [CANNOT] only PLAIN and LOGIN are taken\r\n"}, {TO_S, ""}}},
    {"a_client_may_give_up", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE LOGIN\r\n"}, {TO_C, "+ VXNlcm5hbWU6\r\n"}, {C, "*\r\n"},
      {TO_C, "a BAD the login was given up\r\n"}, {C, "b NOOP\r\n"}, {TO_S, "b NOOP\r\n"}}},
    {"what_is_not_base64_is_refused", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE PLAIN\r\n"}, {TO_C, "+ \r\n"}, {C, "!\r\n"},
      {TO_C, "a BAD the login is malformed\r\n"}}},
    {"a_login_needs_a_password", BRIDGE, false,
     {SECURE, {C, "a LOGIN u\r\nb LOGIN\r\nc LOGIN \"u p\r\nd LOGIN u p x\r\n"},
      {TO_C, "a BAD the login is malformed\r\nb BAD the login is malformed\r\nc BAD the login is malformed\r\n"
             "d BAD the login is malformed\r\n"}}},
    {"a_login_needs_a_name", BRIDGE, false,
     {SECURE, {C, "a AUTHENTICATE LOGIN\r\n"}, {TO_C, "+ VXNlcm5hbWU6\r\n"}, {C, "\r\n"},
      {TO_C, "a BAD the login is malformed\r\n"}, {C, "b LOGIN \"\" p\r\n"},
      {TO_C, "b BAD the login is malformed\r\n"}}},
    {"a_name_has_a_bound", BRIDGE, false,
     {SECURE, {C, "a LOGIN " FILL FILL FILL FILL " p\r\n"}, {TO_C, "a BAD the login is malformed\r\n"}}},
    {"a_login_has_a_bound", {.way = TF_MAIL_UPGRADE, .line_max = 4096, .is_bridge = true}, false,
     {SECURE, {C, "a LOGIN {1000+}\r\n" FILL FILL FILL FILL FILL FILL FILL FILL FILL FILL FILL FILL FILL FILL FILL
                  FILL " {1000+}\r\n" FILL FILL FILL},
      {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
};
/* clang-format on */

static void play_in_all_pieces(void **state)
{
    perform_all(&tf_front_imap, *state);
}

static bool holds(const struct mail_stage *s, const char *text)
{
    return memmem(s->state, tf_front_imap.state_size, text, strlen(text)) != NULL;
}

static void nothing_of_a_login_stays_behind(void **state)
{
    static const struct {
        const char *command, *answer;
    } rows[] = {
        {"a LOGIN scanner@example hunter22\r\n", "a NO no\r\n"},
        {"a LOGIN scanner@example {8+}\r\nhunter22\r\n", "+ \r\n"},
        {"a AUTHENTICATE PLAIN AHNjYW5uZXJAZXhhbXBsZQBodW50ZXIyMg==\r\n", "+ \r\n"},
    };
    static const struct play play = {"", BRIDGE, false, {SECURE}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail_stage *s = open_stage(&tf_front_imap, &play);
        follow_cues(s, &play, 1);
        says(s, TF_CLIENT, rows[i].command, 1);
        follow_cue(s, WANTS, "login scanner@example:hunter22", 0);
        assert_false(holds(s, "hunter22"));
        follow_cue(s, LOGIN_RIGHT, "bearer-token", 0);
        assert_true(holds(s, "bearer-token"));
        says(s, TF_SERVER, rows[i].answer, 1);
        assert_false(holds(s, "bearer-token"));
        free(s->state);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT(plays) + 1];
    size_t n = put_plays(tests, plays, COUNT(plays), play_in_all_pieces);
    tests[n] = (struct CMUnitTest)cmocka_unit_test(nothing_of_a_login_stays_behind);
    return cmocka_run_group_tests_name("front_imap_bridge", tests, NULL, NULL);
}
