/* front_smtp.c: how a session gets to TLS on both sides, as plays. */
#include "mail_stage.h"

#define BANNER "220 mail.example ESMTP ready\r\n"
/* What servers offer before and inside TLS. */
#define PLAIN_OFFER "250-mail.example greets you\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
#define SECURE_OFFER                                                                                         \
    "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH LOGIN XOAUTH2\r\n250 8BITMIME\r\n"

/* From the client's EHLO to the server's consent. */
#define DANCE                                                                                                \
    {S, BANNER}, {TO_C, BANNER}, {C, "EHLO printer\r\n"}, {TO_S, "EHLO printer\r\n"}, {S, PLAIN_OFFER},      \
        {TO_S, "STARTTLS\r\n"}, {S, "220 go\r\n"}, {WANTS, "tls-server"}, {SECURED_S, NULL},                 \
        {TO_S, "EHLO printer\r\n"},                                                                          \
    {                                                                                                        \
        S, SECURE_OFFER                                                                                      \
    }

static const struct play following[] = {
    {"both_sides_pass_until_the_server_agrees_to_starttls",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, "220-mail.example\r\n220 ready\r\n"},
               {TO_C, "220-mail.example\r\n220 ready\r\n"},
               {C, "eHlO  printer \r\n"},
               {TO_S, "eHlO  printer \r\n"},
               {S, PLAIN_OFFER},
               {TO_C, PLAIN_OFFER},
               {C, "StartTLS  \r\n"},
               {TO_S, "StartTLS  \r\n"},
               {S, "220 2.0.0 go\r\n"},
               {TO_C, "220 2.0.0 go\r\n"},
               {WANTS, "tls-client"}}},
    {"nothing_is_followed_into_tls",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {C, "STARTTLS\r\n"},
               {TO_S, "STARTTLS\r\n"},
               {S, "220 go\r\n"},
               {TO_C, BANNER "220 go\r\n"},
               {WANTS, "tls-client"},
               {SECURED_S, NULL},
               {SECURED_C, NULL},
               {WANTS, "switch"}}},
    {"exchange_servers_say_x_anonymoustls",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {C, "X-ANONYMOUSTLS\r\n"},
               {S, "220 go\r\n"},
               {TO_S, "X-ANONYMOUSTLS\r\n"},
               {TO_C, BANNER "220 go\r\n"},
               {WANTS, "tls-client"}}},
    {"commands_sent_ahead_go_one_by_one",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{C, "EHLO a\r\nNOOP\r\nSTARTTLS\r\n"},
               {TO_S, ""},
               {S, BANNER},
               {TO_S, "EHLO a\r\n"},
               {S, "250-a\r\n"},
               {TO_S, ""},
               {S, "250 b\r\n"},
               {TO_S, "NOOP\r\n"},
               {S, "250 ok\r\n"},
               {TO_S, "STARTTLS\r\n"},
               {TO_C, BANNER "250-a\r\n250 b\r\n250 ok\r\n"},
               {S, "220 go\r\n"},
               {TO_C, "220 go\r\n"},
               {WANTS, "tls-client"}}},
    {"a_refused_starttls_leaves_the_session_in_plain_text",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {C, "STARTTLS\r\n"},
               {S, "454 4.7.0 not now\r\n"},
               {C, "NOOP\r\n"},
               {TO_S, "STARTTLS\r\nNOOP\r\n"},
               {TO_C, BANNER "454 4.7.0 not now\r\n"}}},
    {"mail_in_plain_text_is_cleartext_and_stays_where_it_is",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {TO_C, BANNER},
               {C, "MAIL FROM:<a@b>\r\n"},
               {WANTS, "bad mail-cleartext"},
               {TO_C, "554 5.7.10 the mail session goes on in plain text, where only TLS may pass\r\n"},
               {LEFT_C, "MAIL FROM:<a@b>\r\n"}}},
    {"a_login_in_plain_text_is_cleartext",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {TO_C, BANNER},
               {C, "AUTH LOGIN\r\n"},
               {WANTS, "bad mail-cleartext"},
               {TO_C, "554 5.7.10 the mail session goes on in plain text, where only TLS may pass\r\n"}}},
    {"quit_passes_and_its_answer_ends_the_session",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {C, "QUIT\r\n"},
               {TO_S, "QUIT\r\n"},
               {S, "221 bye\r\n"},
               {TO_C, BANNER "221 bye\r\n"},
               {WANTS, "close"}}},
};

static const struct play upgrading[] = {
    {"the_server_is_in_tls_before_the_client_has_its_answer",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_NONE},
     .lines = {DANCE,
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250 8BITMIME\r\n"},
               {C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"},
               {TO_S, "MAIL FROM:<a@b>\r\n"},
               {S, "250 ok\r\n"},
               {TO_S, "RCPT TO:<c@d>\r\n"},
               {S, "550 5.7.64 TenantAttribution; Relay Access Denied\r\n"},
               {TO_C, "250 ok\r\n550 5.7.64 TenantAttribution; Relay Access Denied\r\n"},
               {ANSWER, "5.7.64"}}},
    {"a_client_that_says_helo_gets_one_line",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL},
     .lines = {{S, BANNER},
               {C, "HELO old\r\n"},
               {S, PLAIN_OFFER},
               {S, "220 go\r\n"},
               {TO_S, "EHLO old\r\nSTARTTLS\r\n"},
               {WANTS, "tls-server"},
               {SECURED_S, NULL},
               {TO_S, "EHLO old\r\n"},
               {S, SECURE_OFFER},
               {TO_C, BANNER "250 mail.example greets you\r\n"}}},
    {"before_the_greeting_nothing_but_what_harms_nobody",
     {.way = TF_MAIL_UPGRADE},
     .lines =
         {{S, BANNER},
          {TO_C, BANNER},
          {C,
           "NOOP\r\nRSET\r\nHELP\r\nMAIL FROM:<a@b>\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\nXCLIENT A=b\r\n"},
          {TO_C, "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n214 2.0.0 EHLO first\r\n503 5.5.1 EHLO or HELO first\r\n"
                 "503 5.5.1 EHLO or HELO first\r\n503 5.5.1 EHLO first\r\n"
                 "502 5.5.1 Command not implemented\r\n"},
          {C, "QUIT\r\n"},
          {TO_C, "221 2.0.0 Bye\r\n"},
          {TO_S, ""},
          {WANTS, "close"}}},
    {"a_server_without_starttls_is_refused",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, "250-mail.example\r\n250 AUTH LOGIN\r\n"},
               {TO_S, "EHLO a\r\n"},
               {TO_C, BANNER "554 5.7.5 the server does not offer STARTTLS, or refuses it\r\n"},
               {WANTS, "bad upstream-no-starttls"}}},
    {"a_server_that_refuses_starttls_is_refused",
     {.way = TF_MAIL_UPGRADE, .is_opportunistic = true},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, PLAIN_OFFER},
               {S, "454 4.7.0 not now\r\n"},
               {TO_S, "EHLO a\r\nSTARTTLS\r\n"},
               {TO_C, BANNER "554 5.7.5 the server does not offer STARTTLS, or refuses it\r\n"},
               {WANTS, "bad upstream-no-starttls"}}},
    {"opportunistic_goes_on_in_plain_text_without_logins",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL, .is_opportunistic = true},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, "250-mail.example\r\n250-SIZE\r\n250 AUTH LOGIN\r\n"},
               {TO_S, "EHLO a\r\nEHLO a\r\n"},
               {S, "250-mail.example\r\n250-SIZE\r\n250 AUTH LOGIN\r\n"},
               {TO_C, BANNER "250-mail.example\r\n250 SIZE\r\n"},
               {C, "AUTH PLAIN AGEAYg==\r\nSTARTTLS\r\nX-EXPS LOGIN\r\nMAIL FROM:<a@b>\r\n"},
               {TO_C, "538 5.7.11 Encryption required for requested authentication mechanism\r\n"
                      "502 5.5.1 STARTTLS is not offered\r\n502 5.5.1 Command not implemented\r\n"},
               {TO_S, "MAIL FROM:<a@b>\r\n"}}},
    {"opportunistic_is_not_for_microsoft_365",
     {.way = TF_MAIL_UPGRADE, .is_opportunistic = true},
     .is_m365 = true,
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, "250 mail.example\r\n"},
               {TO_S, "EHLO a\r\n"},
               {TO_C, BANNER "554 5.7.5 the server does not offer STARTTLS, or refuses it\r\n"},
               {WANTS, "bad upstream-no-starttls"}}},
    {"opportunistic_is_not_for_clients_that_must_have_tls_themselves",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_STARTTLS, .is_opportunistic = true},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, "250 mail.example\r\n"},
               {TO_S, "EHLO a\r\n"},
               {TO_C, BANNER "554 5.7.5 the server does not offer STARTTLS, or refuses it\r\n"},
               {WANTS, "bad upstream-no-starttls"}}},
    {"a_server_that_knows_no_ehlo_says_so_itself",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, "502-5.5.1 what\r\n502 5.5.1 is that?\r\n"},
               {TO_S, "EHLO a\r\n"},
               {TO_C, BANNER "502-5.5.1 what\r\n502 5.5.1 is that?\r\n"}}},
    {"a_server_that_refuses_ehlo_inside_tls_says_so_itself",
     {.way = TF_MAIL_UPGRADE, .is_server_tls = true},
     .lines = {{WANTS, "tls-server"},
               {SECURED_S, NULL},
               {S, BANNER},
               {C, "EHLO ?\r\n"},
               {TO_S, "EHLO ?\r\n"},
               {S, "501-5.5.4 that\r\n501 5.5.4 is no name\r\n"},
               {C, "MAIL FROM:<a@b>\r\n"},
               {TO_C, BANNER "501-5.5.4 that\r\n501 5.5.4 is no name\r\n503 5.5.1 EHLO or HELO first\r\n"}}},
    {"a_server_in_tls_from_the_first_byte_greets_inside_it",
     {.way = TF_MAIL_UPGRADE, .is_server_tls = true},
     .lines = {{WANTS, "tls-server"},
               {SECURED_S, NULL},
               {S, BANNER},
               {TO_C, BANNER},
               {C, "EHLO a\r\n"},
               {TO_S, "EHLO a\r\n"},
               {S, "250-mail.example\r\n250 AUTH PLAIN\r\n"},
               {TO_C, "250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n"}}},
    {"a_long_name_is_refused_by_us",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, BANNER},
               {C, "EHLO 0123456789012345678901234567890123456789012345678901234567890123"
                   "0123456789012345678901234567890123456789012345678901234567890123"
                   "0123456789012345678901234567890123456789012345678901234567890123"
                   "0123456789012345678901234567890123456789012345678901234567890123\r\n"},
               {TO_S, ""},
               {TO_C, BANNER "501 5.5.4 The name is too long\r\n"}}},
    {"what_the_client_must_not_see_is_left_out_wherever_it_stands",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL, .is_server_tls = true},
     .lines = {{WANTS, "tls-server"},
               {SECURED_S, NULL},
               {S, BANNER},
               {C, "EHLO a\r\n"},
               {TO_S, "EHLO a\r\n"},
               {S,
                "250-mail.example\r\n250-XCLIENT NAME ADDR\r\n250-AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS NTLM "
                "login\r\n250-AUTH=GSSAPI LOGIN\r\n250-AUTH CRAM-MD5\r\n250-REQUIRETLS\r\n250-starttls\r\n"
                "250-XFORWARD NAME\r\n250-x-anonymoustls\r\n250 X-EXPS LOGIN\r\n"},
               {TO_C, BANNER
                "250-mail.example\r\n250-AUTH PLAIN LOGIN SCRAM-SHA-256\r\n250-AUTH=PLAIN LOGIN\r\n"
                "250 STARTTLS\r\n"}}},
    {"auth_with_nothing_to_choose_from_is_left_out",
     {.way = TF_MAIL_UPGRADE, .is_server_tls = true},
     .lines = {{WANTS, "tls-server"},
               {SECURED_S, NULL},
               {S, BANNER},
               {C, "EHLO a\r\n"},
               {TO_S, "EHLO a\r\n"},
               {S, "250-mail.example\r\n250-SIZE\r\n250 AUTH GSSAPI NTLM\r\n"},
               {TO_C, BANNER "250-mail.example\r\n250 SIZE\r\n"}}},
    {"errors_of_the_network_may_be_tried_again",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, NULL},
               {TO_C, "421 4.4.2 the server closed the connection before it answered\r\n"},
               {WANTS, "bad upstream-closed"}}},
};

static const struct play client_tls[] = {
    {"starttls_of_the_client_is_ours_and_all_before_it_is_forgotten",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL},
     .lines = {DANCE,
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250-8BITMIME\r\n250 STARTTLS\r\n"},
               {C, "STARTTLS\r\n"},
               {TO_C, "220 2.0.0 Ready to start TLS\r\n"},
               {WANTS, "tls-client"},
               {SECURED_C, NULL},
               {TO_C, ""},
               {TO_S, ""},
               {C, "MAIL FROM:<a@b>\r\n"},
               {TO_C, "503 5.5.1 EHLO or HELO first\r\n"},
               {C, "EHLO again\r\n"},
               {TO_S, "EHLO again\r\n"},
               {S, SECURE_OFFER},
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250 8BITMIME\r\n"},
               {C, "STARTTLS\r\n"},
               {TO_C, "503 5.5.1 TLS stands already\r\n"}}},
    {"starttls_that_must_come_first_does",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_STARTTLS},
     .lines = {DANCE,
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 STARTTLS\r\n"},
               {C, "MAIL FROM:<a@b>\r\nAUTH LOGIN\r\nBDAT 3\r\nVRFY x\r\n"},
               {TO_C, "530 5.7.0 Must issue a STARTTLS command first\r\n"
                      "530 5.7.0 Must issue a STARTTLS command first\r\n"
                      "530 5.7.0 Must issue a STARTTLS command first\r\n"
                      "530 5.7.0 Must issue a STARTTLS command first\r\n"},
               {C, "NOOP\r\n"},
               {TO_S, "NOOP\r\n"},
               {S, "250 ok\r\n"},
               {TO_C, "250 ok\r\n"},
               {C, "STARTTLS\r\n"},
               {TO_C, "220 2.0.0 Ready to start TLS\r\n"},
               {WANTS, "tls-client"},
               {SECURED_C, NULL},
               {C, "EHLO again\r\n"},
               {TO_S, "EHLO again\r\n"},
               {S, SECURE_OFFER},
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250 8BITMIME\r\n"}}},
    {"starttls_is_not_for_whom_it_is_not_offered",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_NONE},
     .lines = {DANCE,
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250 8BITMIME\r\n"},
               {C, "STARTTLS\r\n"},
               {TO_C, "502 5.5.1 STARTTLS is not offered\r\n"}}},
    {"a_healthy_client_reaches_the_server_itself",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_STARTTLS},
     .lines = {DANCE,
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 STARTTLS\r\n"},
               {C, "STARTTLS\r\n"},
               {TO_C, "220 2.0.0 Ready to start TLS\r\n"},
               {WANTS, "tls-client"},
               {REPEAT, NULL},
               {S, BANNER},
               {TO_S, "EHLO printer\r\n"},
               {S, PLAIN_OFFER},
               {TO_S, "STARTTLS\r\n"},
               {S, "220 go\r\n"},
               {TO_C, ""},
               {WANTS, "tls-server"}}},
    {"a_second_connection_without_starttls_is_refused_without_a_word",
     {.way = TF_MAIL_REPEAT},
     .lines = {{S, BANNER},
               {TO_S, "EHLO gateway.example\r\n"},
               {S, "250 mail.example\r\n"},
               {WANTS, "bad upstream-no-starttls"}}},
    {"a_second_connection_that_is_turned_away_is_refused_without_a_word",
     {.way = TF_MAIL_REPEAT},
     .lines = {{S, "421 4.3.2 busy\r\n"}, {WANTS, "bad upstream-closed"}}},
    {"with_tls_at_once_the_server_is_first",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_IMPLICIT},
     .lines = {{S, BANNER},
               {TO_S, "EHLO gateway.example\r\n"},
               {S, PLAIN_OFFER},
               {TO_S, "STARTTLS\r\n"},
               {S, "220 go\r\n"},
               {WANTS, "tls-server"},
               {SECURED_S, NULL},
               {WANTS, "tls-client"},
               {SECURED_C, NULL},
               {TO_C, "220 mail.example ESMTP\r\n"},
               {TO_S, ""},
               {C, "EHLO a\r\n"},
               {TO_S, "EHLO a\r\n"},
               {S, SECURE_OFFER},
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250 8BITMIME\r\n"}}},
    {"with_tls_at_once_on_both_sides_the_server_greets",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_IMPLICIT, .is_server_tls = true},
     .lines = {{WANTS, "tls-server"},
               {SECURED_S, NULL},
               {WANTS, "tls-client"},
               {SECURED_C, NULL},
               {TO_C, ""},
               {S, BANNER},
               {TO_C, BANNER}}},
    {"with_tls_at_once_a_server_that_turns_us_away_is_refused_without_a_word",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_IMPLICIT},
     .lines = {{S, "554 5.7.1 no\r\n"}, {WANTS, "bad upstream-closed"}}},
};

/* What came together with STARTTLS, or its answer, was injected. */
static const struct play injections[] = {
    {"a_command_behind_a_followed_starttls",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {TO_C, BANNER},
               {C, "STARTTLS\r\nEHLO x\r\n"},
               {TO_C, "554 5.5.2 the client sent something in plain text behind its STARTTLS\r\n"},
               {WANTS, "bad starttls-command-injection"}}},
    {"a_command_before_the_answer_to_a_followed_starttls",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {C, "STARTTLS\r\n"},
               {TO_S, "STARTTLS\r\n"},
               {C, "E"},
               {TO_C, BANNER "554 5.5.2 the client sent something in plain text behind its STARTTLS\r\n"},
               {WANTS, "bad starttls-command-injection"}}},
    {"an_answer_behind_a_followed_consent",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, BANNER},
               {C, "STARTTLS\r\n"},
               {TO_S, "STARTTLS\r\n"},
               {S, "220 go\r\n250 injected\r\n"},
               {TO_C,
                BANNER "554 5.5.2 the server sent something in plain text behind its answer to STARTTLS\r\n"},
               {WANTS, "bad starttls-response-injection"}}},
    {"a_command_behind_our_own_starttls",
     {.way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL},
     .lines = {DANCE,
               {TO_C, "250-mail.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n"
                      "250-8BITMIME\r\n250 STARTTLS\r\n"},
               {C, "STARTTLS\r\nNOOP\r\n"},
               {TO_C, "554 5.5.2 the client sent something in plain text behind its STARTTLS\r\n"},
               {WANTS, "bad starttls-command-injection"}}},
    {"an_answer_behind_our_own_consent",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, PLAIN_OFFER},
               {TO_S, "EHLO a\r\nSTARTTLS\r\n"},
               {S, "220 go\r\n250 injected\r\n"},
               {TO_C,
                BANNER "554 5.5.2 the server sent something in plain text behind its answer to STARTTLS\r\n"},
               {WANTS, "bad starttls-response-injection"}}},
    {"a_consent_before_it_was_asked_for",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, PLAIN_OFFER "220 go\r\n"},
               {TO_S, "EHLO a\r\n"},
               {TO_C,
                BANNER "554 5.5.2 the server sent something in plain text behind its answer to STARTTLS\r\n"},
               {WANTS, "bad starttls-response-injection"}}},
};

static void plays_out(void **state)
{
    perform_all(&tf_front_smtp, *state);
}

/* Only what comes at once can be seen by the front: what comes later is the session's to see. */
static void plays_out_at_once(void **state)
{
    perform(&tf_front_smtp, *state, sizeof((struct text *)0)->p);
}

static void a_refusal_needs_no_session(void **state)
{
    (void)state;
    static const struct {
        enum tf_reason reason;
        const char *line;
    } refusals[] = {
        {TF_REASON_RULE_BLOCK, "554 5.7.1 a rule blocks this connection\r\n"},
        {TF_REASON_CLIENT_BELOW_FLOOR,
         "554 5.7.10 the client offers no TLS version at or above the floor\r\n"},
        {TF_REASON_SERVER_BELOW_FLOOR, "554 5.7.5 the server picked a TLS version below the floor\r\n"},
        {TF_REASON_NAME_NOT_FOUND, "421 4.4.3 the destination's name has no address\r\n"},
        {TF_REASON_DIAL_REFUSED, "421 4.4.1 the destination refused the connection\r\n"},
    };
    for (size_t i = 0; i < COUNT(refusals); i++) {
        char out[512];
        struct tf_writer w = tf_writer_of(out, sizeof out - 1);
        struct tf_facts facts = {.reason = refusals[i].reason};
        tf_front_smtp.refuse(NULL, &w, &facts);
        out[w.len] = '\0';
        assert_string_equal(out, refusals[i].line);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT(following) + COUNT(upgrading) + COUNT(client_tls) + COUNT(injections) + 1];
    size_t n = put_plays(tests, following, COUNT(following), plays_out);
    n += put_plays(tests + n, upgrading, COUNT(upgrading), plays_out);
    n += put_plays(tests + n, client_tls, COUNT(client_tls), plays_out);
    n += put_plays(tests + n, injections, COUNT(injections), plays_out_at_once);
    tests[n] = (struct CMUnitTest)cmocka_unit_test(a_refusal_needs_no_session);
    return cmocka_run_group_tests_name("front_smtp", tests, NULL, NULL);
}
