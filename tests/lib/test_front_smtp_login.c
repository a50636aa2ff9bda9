/* front_smtp.c: logins, as plays. */
#include "mail_stage.h"

#define BANNER "220 mail.example ESMTP\r\n"
/* Up to the client's first command in a session with a server that offers these mechanisms. */
#define WITH(mechanisms)                                                                                     \
    {WANTS, "tls-server"}, {SECURED_S, NULL}, {S, BANNER}, {C, "EHLO a\r\n"}, {TO_S, "EHLO a\r\n"},          \
    {                                                                                                        \
        S, "250-mail.example\r\n250 AUTH " mechanisms "\r\n"                                                 \
    }
#define TOLD(mechanisms)                                                                                     \
    {                                                                                                        \
        TO_C, BANNER "250-mail.example\r\n250 AUTH " mechanisms "\r\n"                                       \
    }
#define PLAN                                                                                                 \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .is_server_tls = true                                                        \
    }
#define BRIDGE                                                                                               \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .is_server_tls = true, .is_bridge = true                                     \
    }

/* In base64: "\0user\0pass", "user", "pass". */
#define BOTH     "AHVzZXIAcGFzcw=="
#define USER     "dXNlcg=="
#define PASSWORD "cGFzcw=="

static const struct play logins[] = {
    {"plain_in_one_line", PLAN,
     .lines = {WITH("PLAIN"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH PLAIN " BOTH "\r\n"},
               {TO_S, "AUTH PLAIN " BOTH "\r\n"},
               {S, "235 2.7.0 welcome\r\n"},
               {TO_C, "235 2.7.0 welcome\r\n"},
               {C, "NOOP\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"plain_when_asked", PLAN,
     .lines = {WITH("PLAIN"),
               TOLD("PLAIN LOGIN"),
               {C, "auth plain\r\n"},
               {TO_C, "334 \r\n"},
               {TO_S, ""},
               {C, BOTH "\r\n"},
               {TO_S, "AUTH PLAIN " BOTH "\r\n"},
               {S, "535 5.7.3 Authentication unsuccessful\r\n"},
               {TO_C, "535 5.7.3 Authentication unsuccessful\r\n"},
               {ANSWER, "535 5.7.3"}}},
    {"login_prompt_by_prompt", PLAN,
     .lines = {WITH("LOGIN"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH LOGIN\r\n"},
               {TO_C, "334 VXNlcm5hbWU6\r\n"},
               {C, USER "\r\n"},
               {TO_C, "334 UGFzc3dvcmQ6\r\n"},
               {TO_S, ""},
               {C, PASSWORD "\r\n"},
               {TO_S, "AUTH LOGIN\r\n"},
               {S, "334 VXNlcm5hbWU=\r\n"},
               {TO_S, USER "\r\n"},
               {S, "334 UGFzc3dvcmQ=\r\n"},
               {TO_S, PASSWORD "\r\n"},
               {TO_C, ""},
               {S, "235 welcome\r\n"},
               {TO_C, "235 welcome\r\n"}}},
    {"login_with_the_user_in_the_first_line_and_all_of_it_ahead", PLAN,
     .lines = {WITH("LOGIN PLAIN"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH LOGIN " USER "\r\n" PASSWORD "\r\nMAIL FROM:<a@b>\r\n"},
               {TO_C, "334 UGFzc3dvcmQ6\r\n"},
               {TO_S, "AUTH LOGIN\r\n"},
               {S, "334 a\r\n"},
               {S, "334 b\r\n"},
               {TO_S, USER "\r\n" PASSWORD "\r\n"},
               {S, "235 welcome\r\n"},
               {TO_C, "235 welcome\r\n"},
               {TO_S, "MAIL FROM:<a@b>\r\n"}}},
    {"plain_is_said_as_login_to_a_server_that_has_nothing_else", PLAN,
     .lines = {WITH("LOGIN XOAUTH2"),
               TOLD("PLAIN LOGIN XOAUTH2"),
               {C, "AUTH PLAIN " BOTH "\r\n"},
               {TO_S, "AUTH LOGIN\r\n"},
               {S, "334 a\r\n"},
               {S, "334 b\r\n"},
               {TO_S, USER "\r\n" PASSWORD "\r\n"}}},
    {"login_is_said_as_plain_to_a_server_that_has_nothing_else", PLAN,
     .lines = {WITH("PLAIN"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH LOGIN\r\n" USER "\r\n" PASSWORD "\r\n"},
               {TO_C, "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"},
               {TO_S, "AUTH PLAIN " BOTH "\r\n"}}},
    {"a_server_that_refuses_the_user_is_not_told_the_password", PLAN,
     .lines = {WITH("LOGIN"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH PLAIN " BOTH "\r\n"},
               {TO_S, "AUTH LOGIN\r\n"},
               {S, "334 a\r\n"},
               {TO_S, USER "\r\n"},
               {S, "550-5.7.30 Basic authentication\r\n550 5.7.30 is not supported\r\n"},
               {TO_C, "550-5.7.30 Basic authentication\r\n550 5.7.30 is not supported\r\n"},
               {ANSWER, "550 5.7.30"},
               {C, "NOOP\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"a_star_gives_up", PLAN,
     .lines = {WITH("LOGIN"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH LOGIN " USER "\r\n*\r\nAUTH PLAIN\r\n*\r\n"},
               {TO_C, "334 UGFzc3dvcmQ6\r\n501 5.7.0 Authentication cancelled\r\n334 \r\n"
                      "501 5.7.0 Authentication cancelled\r\n"},
               {TO_S, ""}}},
    {"what_is_no_base64_is_no_login", PLAN,
     .lines = {WITH("LOGIN"),
               TOLD("PLAIN LOGIN"),
               {C,
                "AUTH PLAIN ?\r\nAUTH PLAIN =\r\nAUTH LOGIN dXNlcg=\r\nAUTH LOGIN " USER "\r\n-\r\nNOOP\r\n"},
               {TO_C, "501 5.5.2 That is no user and password in base64\r\n"
                      "501 5.5.2 That is no user and password in base64\r\n"
                      "501 5.5.2 That is no user and password in base64\r\n334 UGFzc3dvcmQ6\r\n"
                      "501 5.5.2 That is no user and password in base64\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"other_mechanisms_pass_line_by_line", PLAN,
     .lines = {WITH("CRAM-MD5"),
               TOLD("CRAM-MD5"),
               {C, "AUTH CRAM-MD5\r\nb25l\r\n"},
               {TO_S, "AUTH CRAM-MD5\r\n"},
               {S, "334 PDEyMz4=\r\n"},
               {TO_C, "334 PDEyMz4=\r\n"},
               {TO_S, "b25l\r\n"},
               {S, "334 \r\n"},
               {TO_C, "334 \r\n"},
               {C, "\r\n"},
               {TO_S, "\r\n"},
               {S, "235 welcome\r\n"},
               {TO_C, "235 welcome\r\n"},
               {C, "NOOP\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"what_is_not_offered_is_not_taken", PLAN,
     .lines = {WITH("CRAM-MD5 SCRAM-SHA-256-PLUS NTLM"),
               TOLD("CRAM-MD5"),
               {C, "AUTH PLAIN " BOTH "\r\nAUTH LOGIN\r\nAUTH SCRAM-SHA-256-PLUS\r\nAUTH NTLM\r\n"},
               {TO_C,
                "504 5.5.4 That mechanism is not offered\r\n504 5.5.4 That mechanism is not offered\r\n"
                "504 5.5.4 That mechanism is not offered\r\n504 5.5.4 That mechanism is not offered\r\n"},
               {TO_S, ""}}},
};

#define LOG_IN "530 5.7.0 Authentication required\r\n"
/* From the client's login to the server's answer. */
#define LOGS_IN(answer)                                                                                      \
    {C, "AUTH PLAIN " BOTH "\r\n"}, {WANTS, "login user:pass"}, {LOGIN_RIGHT, "token"},                      \
        {TO_S, "AUTH XOAUTH2 " XOAUTH2 "\r\n"}, {S, answer},                                                 \
    {                                                                                                        \
        TO_C, answer                                                                                         \
    }

static const struct play bridge[] = {
    {"without_a_login_nothing_goes_to_the_server_but_what_leads_to_one", BRIDGE,
     .lines = {WITH("XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               {C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nBDAT 3 LAST\r\nVRFY x\r\nETRN x\r\n"},
               {TO_C, LOG_IN LOG_IN LOG_IN LOG_IN LOG_IN LOG_IN},
               {TO_S, ""},
               {C, "RSET\r\nHELP\r\nNOOP\r\nQUIT\r\n"},
               {S, "250 ok\r\n"},
               {S, "214 ok\r\n"},
               {S, "250 ok\r\n"},
               {S, "221 bye\r\n"},
               {TO_S, "RSET\r\nHELP\r\nNOOP\r\nQUIT\r\n"},
               {TO_C, "250 ok\r\n214 ok\r\n250 ok\r\n221 bye\r\n"},
               {WANTS, "close"}}},
    {"without_a_bridge_it_is_the_server_that_asks_for_a_login", PLAN,
     .lines =
         {WITH("LOGIN"), TOLD("PLAIN LOGIN"), {C, "MAIL FROM:<a@b>\r\n"}, {TO_S, "MAIL FROM:<a@b>\r\n"}}},
    {"a_login_is_what_the_server_answers_with_235", BRIDGE,
     .lines = {WITH("XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               LOGS_IN("250 2.7.0 well\r\n"),
               {C, "MAIL FROM:<a@b>\r\n"},
               {TO_C, LOG_IN},
               LOGS_IN("235 2.7.0 welcome\r\n"),
               {C, "MAIL FROM:<a@b>\r\n"},
               {TO_S, "MAIL FROM:<a@b>\r\n"}}},
    {"nobody_logs_in_twice", BRIDGE,
     .lines = {WITH("XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               LOGS_IN("235 2.7.0 welcome\r\n"),
               {C, "AUTH PLAIN " BOTH "\r\nDATA\r\n"},
               {TO_C, "503 5.5.1 Logged in already\r\n"},
               {TO_S, "DATA\r\n"}}},
    {"a_tls_begun_after_a_login_drops_it",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL, .is_server_tls = true, .is_bridge = true},
     .lines = {WITH("XOAUTH2"),
               {TO_C, BANNER "250-mail.example\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"},
               LOGS_IN("235 2.7.0 welcome\r\n"),
               {C, "STARTTLS\r\n"},
               {TO_C, "220 2.0.0 Ready to start TLS\r\n"},
               {WANTS, "tls-client"},
               {SECURED_C, NULL},
               {C, "EHLO a\r\n"},
               {TO_S, "EHLO a\r\n"},
               {S, "250-mail.example\r\n250 AUTH XOAUTH2\r\n"},
               {TO_C, "250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n"},
               {C, "MAIL FROM:<a@b>\r\n"},
               {TO_C, LOG_IN},
               {TO_S, ""}}},
    {"a_login_that_is_right_becomes_oauth", BRIDGE,
     .lines = {WITH("LOGIN XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH LOGIN\r\n" USER "\r\n" PASSWORD "\r\nMAIL FROM:<a@b>\r\n"},
               {TO_C, "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"},
               {TO_S, ""},
               {WANTS, "login user:pass"},
               {LOGIN_RIGHT, "token"},
               {TO_S, "AUTH XOAUTH2 " XOAUTH2 "\r\n"},
               {S, "235 2.7.0 welcome\r\n"},
               {TO_C, "235 2.7.0 welcome\r\n"},
               {TO_S, "MAIL FROM:<a@b>\r\n"},
               {S, "550 5.7.60 not as this sender\r\n"},
               {TO_C, "550 5.7.60 not as this sender\r\n"},
               {TOKEN, NULL}}},
    {"a_login_that_is_wrong_never_reaches_the_server", BRIDGE,
     .lines = {WITH("XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH PLAIN " BOTH "\r\n"},
               {WANTS, "login user:pass"},
               {LOGIN_WRONG, NULL},
               {TO_C, "535 5.7.8 Authentication credentials invalid\r\n"},
               {TO_S, ""},
               {C, "NOOP\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"the_error_of_xoauth2_is_heard_out", BRIDGE,
     .lines = {WITH("XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH PLAIN " BOTH "\r\n"},
               {WANTS, "login user:pass"},
               {LOGIN_RIGHT, "token"},
               {TO_S, "AUTH XOAUTH2 " XOAUTH2 "\r\n"},
               {S, "334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"},
               {TO_S, "\r\n"},
               {TO_C, ""},
               {TOKEN, NULL},
               {S, "535 5.7.3 Authentication unsuccessful\r\n"},
               {TO_C, "535 5.7.3 Authentication unsuccessful\r\n"},
               {TOKEN, "refused"},
               {ANSWER, "XOAUTH2"},
               {C, "MAIL FROM:<a@b>\r\n"},
               {TO_C, LOG_IN},
               {TO_S, ""}}},
    {"a_server_that_cannot_log_in_anybody_now_has_not_refused_the_token", BRIDGE,
     .lines = {WITH("XOAUTH2"),
               TOLD("PLAIN LOGIN"),
               {C, "AUTH PLAIN " BOTH "\r\n"},
               {WANTS, "login user:pass"},
               {LOGIN_RIGHT, "token"},
               {TO_S, "AUTH XOAUTH2 " XOAUTH2 "\r\n"},
               {S, "454 4.7.0 try again\r\n"},
               {TO_C, "454 4.7.0 try again\r\n"},
               {TOKEN, NULL},
               {ANSWER, NULL}}},
    {"a_server_without_oauth_offers_nothing_to_log_in_with", BRIDGE,
     .lines = {WITH("LOGIN PLAIN CRAM-MD5"),
               {TO_C, BANNER "250 mail.example\r\n"},
               {C, "AUTH PLAIN " BOTH "\r\nAUTH CRAM-MD5\r\n"},
               {TO_C,
                "504 5.5.4 That mechanism is not offered\r\n504 5.5.4 That mechanism is not offered\r\n"},
               {TO_S, ""}}},
};

static void plays_out(void **state)
{
    perform_all(&tf_front_smtp, *state);
}

/* Nobody finds a password in memory that is no longer needed. */
static void nothing_of_a_login_is_kept(void **state)
{
    (void)state;
    static const struct play play = {"", PLAN, .lines = {WITH("LOGIN"), TOLD("PLAIN LOGIN")}};
    static const struct play bridged = {"", BRIDGE, .lines = {WITH("XOAUTH2"), TOLD("PLAIN LOGIN")}};
    static const char *const turns[][2] = {{"AUTH PLAIN " BOTH "\r\n", "334 a\r\n334 b\r\n"},
                                           {"AUTH PLAIN " BOTH "\r\n", "535 no\r\n"},
                                           {"AUTH LOGIN " USER "\r\n*\r\n", ""},
                                           {"AUTH LOGIN " USER "\r\n?\r\n", ""}};
    const struct play *const plays[] = {&play, &bridged};
    for (size_t i = 0; i < COUNT(plays) * COUNT(turns); i++) {
        const struct play *before = plays[i / COUNT(turns)];
        const char *const *turn = turns[i % COUNT(turns)];
        struct mail_stage *s = open_stage(&tf_front_smtp, before);
        follow_cues(s, before, 100);
        follow_cue(s, C, turn[0], 100);
        follow_cue(s, S, turn[1], 100);
        assert_null(memmem(s->state, tf_front_smtp.state_size, "user", 4));
        assert_null(memmem(s->state, tf_front_smtp.state_size, "pass", 4));
        free(s->state);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT(logins) + COUNT(bridge) + 1];
    size_t n = put_plays(tests, logins, COUNT(logins), plays_out);
    n += put_plays(tests + n, bridge, COUNT(bridge), plays_out);
    tests[n] = (struct CMUnitTest)cmocka_unit_test(nothing_of_a_login_is_kept);
    return cmocka_run_group_tests_name("front_smtp_login", tests, NULL, NULL);
}
