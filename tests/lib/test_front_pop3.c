/* front_pop3.c as plays; see mail_stage.h. */
#include "mail_stage.h"

#define GREETING     "+OK POP3 ready <1896.697170952@mail.example>\r\n"
#define CAPABILITIES "+OK here\r\nTOP\r\nUSER\r\nSASL PLAIN GSSAPI NTLM\r\nSTLS\r\nUIDL\r\n.\r\n"
#define LISTS                                                                                                \
    {S, "+OK here\r\n"}, {S, "TOP\r\n"}, {S, "USER\r\n"}, {S, "SASL PLAIN GSSAPI NTLM\r\n"},                 \
        {S, "STLS\r\n"}, {S, "UIDL\r\n"},                                                                    \
    {                                                                                                        \
        S, ".\r\n"                                                                                           \
    }
#define SECURE                                                                                               \
    {S, GREETING}, {TO_S, "STLS\r\n"}, {TO_C, ""}, {S, "+OK go\r\n"}, {WANTS, "tls-server"},                 \
        {SECURED_S, NULL},                                                                                   \
    {                                                                                                        \
        TO_C, GREETING                                                                                       \
    }
#define ERR(sentence) "-ERR " sentence "\r\n"
#define CLEARTEXT     ERR("the mail session goes on in plain text, where only TLS may pass")
#define MALFORMED                                                                                            \
    ERR("what the client says is not the listener's mail protocol, or a line is longer than "                \
        "[limits] line_bytes")
#define NOT_MAIL           ERR("what the server says is not the mail protocol of this listener or port")
#define NO_STARTTLS        ERR("the server does not offer STARTTLS, or refuses it")
#define CLOSED             ERR("the server closed the connection before it answered")
#define COMMAND_INJECTION  ERR("the client sent something in plain text behind its STARTTLS")
#define RESPONSE_INJECTION ERR("the server sent something in plain text behind its answer to STARTTLS")

#define FOLLOW                                                                                               \
    {                                                                                                        \
        .way = TF_MAIL_FOLLOW, .client_tls = TF_CLIENT_TLS_OPTIONAL                                          \
    }
#define NONE                                                                                                 \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_NONE                                             \
    }
#define OPTIONAL                                                                                             \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL                                         \
    }
#define STARTTLS                                                                                             \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_STARTTLS                                         \
    }
#define IMPLICIT                                                                                             \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_IMPLICIT                                         \
    }
#define TLS_BOTH                                                                                             \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_IMPLICIT, .is_server_tls = true                  \
    }
#define BRIDGE                                                                                               \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL, .is_bridge = true                      \
    }
#define BRIDGED                                                                                              \
    {S, GREETING}, {TO_S, "STLS\r\n"}, {S, "+OK go\r\n"}, {WANTS, "tls-server"}, {SECURED_S, NULL},          \
    {                                                                                                        \
        TO_C, "+OK ready\r\n"                                                                                \
    }
#define LOGS_IN                                                                                              \
    {WANTS, "login scanner@example:secret"}, {TO_S, ""}, {LOGIN_RIGHT, "token"}, {TO_S, "AUTH XOAUTH2\r\n"}, \
        {S, "+ \r\n"}, {TO_S, XOAUTH2 "\r\n"}, {S, "+OK in\r\n"}, {TO_C, "+OK in\r\n"},                      \
    {                                                                                                        \
        WANTS, "switch"                                                                                      \
    }
#define FILL "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" /* 64 */

/* clang-format off */
static const struct play plays[] = {
    /* followed */
    {"followed_until_both_turn_to_tls", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "CAPA\r\n"}, {TO_S, "CAPA\r\n"}, LISTS,
      {TO_C, CAPABILITIES}, {C, "stls\r\n"}, {TO_S, "stls\r\n"}, {S, "+OK go\r\n"}, {TO_C, "+OK go\r\n"},
      {WANTS, "tls-client"}, {SECURED_C, NULL}, {WANTS, "switch"}}},
    {"followed_command_by_command", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "CAPA\r\nNOOP\r\n"}, {TO_S, "CAPA\r\n"}, {S, "+OK\r\n"}, {S, "+OK\r\n"},
      {TO_C, "+OK\r\n+OK\r\n"}, {TO_S, ""}, {S, ".\r\n"}, {TO_C, ".\r\n"}, {TO_S, "NOOP\r\n"}}},
    {"a_followed_server_may_refuse_stls", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "STLS\r\n"}, {TO_S, "STLS\r\n"}, {S, "-ERR later\r\n"},
      {TO_C, "-ERR later\r\n"}, {C, "QUIT\r\n"}, {TO_S, "QUIT\r\n"}, {S, "+OK\r\n"}, {TO_C, "+OK\r\n"},
      {WANTS, "close"}}},
    {"a_followed_client_that_has_said_all_still_hears_the_answer", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "QUIT\r\n"}, {TO_S, "QUIT\r\n"}, {C, NULL}, {S, "+OK bye\r\n"},
      {TO_C, "+OK bye\r\n"}, {WANTS, "close"}}},
    {"a_followed_client_cannot_name_its_user", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "USER u\r\n"}, {WANTS, "bad mail-cleartext"}, {TO_C, CLEARTEXT},
      {LEFT_C, "USER u\r\n"}}},
    {"a_followed_client_cannot_authenticate", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "auth plain x\r\n"}, {WANTS, "bad mail-cleartext"},
      {TO_C, CLEARTEXT}, {LEFT_C, "auth plain x\r\n"}}},
    {"a_followed_server_may_turn_away", FOLLOW, false,
     {{S, "-ERR busy\r\n"}, {TO_C, "-ERR busy\r\n"}, {WANTS, "close"}}},

    /* upgraded: the server's side */
    {"the_server_is_secure_before_the_client_is_greeted", NONE, false, {SECURE}},
    {"a_client_in_a_hurry_waits", OPTIONAL, false, {{C, "USER u\r\n"}, {TO_S, ""}, SECURE, {TO_S, "USER u\r\n"}}},
    {"a_server_that_refuses_stls_is_no_server", NONE, false,
     {{S, GREETING}, {TO_S, "STLS\r\n"}, {S, "-ERR what?\r\n"}, {WANTS, "bad upstream-no-starttls"},
      {TO_C, NO_STARTTLS}}},
    {"a_greeting_that_turns_away_passes", OPTIONAL, false,
     {{S, "-ERR busy\r\n"}, {TO_C, "-ERR busy\r\n"}, {WANTS, "close"}}},
    {"a_client_in_tls_cannot_hear_a_greeting_that_turns_away", IMPLICIT, false,
     {{S, "-ERR busy\r\n"}, {WANTS, "bad upstream-closed"}, {TO_C, CLOSED}}},
    {"a_server_that_speaks_something_else_is_refused", NONE, false,
     {{S, "* OK hi\r\n"}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},
    {"a_server_that_closes_before_its_greeting_is_an_error", NONE, false,
     {{S, "+OK"}, {S, NULL}, {WANTS, "bad upstream-closed"}, {TO_C, CLOSED}}},
    {"a_greeting_that_is_too_long_is_replaced", NONE, false,
     {{S, "+OK " FILL FILL FILL FILL FILL FILL FILL FILL "\r\n"}, {TO_S, "STLS\r\n"}, {S, "+OK\r\n"},
      {WANTS, "tls-server"}, {SECURED_S, NULL}, {TO_C, "+OK ready\r\n"}}},

    /* upgraded: the client's side */
    {"tls_where_the_first_command_belongs_is_told_from_noise", NONE, false,
     {SECURE, {C, HELLO}, {WANTS, "bad mail-malformed"}, {DETAIL, HELLO_DETAIL}, {TO_C, MALFORMED}}},
    {"capabilities_are_those_of_the_clients_leg", OPTIONAL, false,
     {SECURE, {C, "CAPA\r\n"}, {TO_S, "CAPA\r\n"}, LISTS,
      {TO_C, "+OK here\r\nTOP\r\nUSER\r\nSASL PLAIN\r\nUIDL\r\nSTLS\r\n.\r\n"}}},
    {"without_any_mechanism_there_is_no_sasl", NONE, false,
     {SECURE, {C, "CAPA\r\n"}, {TO_S, "CAPA\r\n"}, {S, "+OK\r\n"}, {S, "SASL GSSAPI\r\n"}, {S, ".\r\n"}, {TO_C, "+OK\r\n.\r\n"}}},
    {"a_server_without_capa_passes", NONE, false,
     {SECURE, {C, "CAPA\r\nUSER u\r\n"}, {TO_S, "CAPA\r\n"}, {S, "-ERR what?\r\n"}, {TO_C, "-ERR what?\r\n"},
      {TO_S, "USER u\r\n"}}},
    {"mechanisms_may_be_asked_for_by_auth_alone", NONE, false,
     {SECURE, {C, "AUTH\r\n"}, {TO_S, "AUTH\r\n"}, {S, "+OK\r\n"}, {S, "NTLM\r\n"}, {S, "PLAIN\r\n"}, {S, ".\r\n"},
      {TO_C, "+OK\r\nPLAIN\r\n.\r\n"}, {C, "LANG\r\n"}, {TO_S, "LANG\r\n"}, {S, "+OK\r\n"}, {S, "NTLM\r\n"}, {S, ".\r\n"},
      {TO_C, "+OK\r\nNTLM\r\n.\r\n"}, {C, "NOOP\r\n"}, {TO_S, "NOOP\r\n"}}},
    {"a_client_may_turn_to_tls_with_us", OPTIONAL, false,
     {SECURE, {C, "STLS\r\n"}, {TO_C, "+OK Begin TLS negotiation\r\n"}, {WANTS, "tls-client"},
      {SECURED_C, NULL}, {TO_C, ""}, {C, "CAPA\r\n"}, {TO_S, "CAPA\r\n"}, LISTS,
      {TO_C, "+OK here\r\nTOP\r\nUSER\r\nSASL PLAIN\r\nUIDL\r\n.\r\n"},
      {C, "STLS\r\n"}, {TO_C, "-ERR TLS is there already\r\n"}}},
    {"stls_is_taken_only_where_it_is_offered", NONE, false,
     {SECURE, {C, "STLS\r\n"}, {TO_C, "-ERR this is not offered\r\n"}, {TO_S, ""}}},
    {"no_login_before_stls_where_it_is_demanded", STARTTLS, false,
     {SECURE, {C, "CAPA\r\n"}, {TO_S, "CAPA\r\n"}, LISTS,
      {TO_C, "+OK here\r\nTOP\r\nUIDL\r\nSTLS\r\n.\r\n"}, {C, "USER u\r\n"},
      {TO_C, "-ERR [SYS/PERM] STLS comes first\r\n"}, {TO_S, ""}, {C, "STLS\r\n"},
      {TO_C, "+OK Begin TLS negotiation\r\n"}, {WANTS, "tls-client"}, {SECURED_C, NULL}, {C, "USER u\r\n"},
      {TO_S, "USER u\r\n"}}},
    {"after_the_password_bytes_pass", OPTIONAL, false,
     {SECURE, {C, "USER u\r\nPASS p\r\nSTAT\r\n"}, {TO_S, "USER u\r\n"}, {S, "+OK\r\n"}, {TO_C, "+OK\r\n"},
      {TO_S, "PASS p\r\n"}, {S, "+OK 2 320\r\n"}, {TO_C, "+OK 2 320\r\n"}, {WANTS, "switch"},
      {LEFT_C, "STAT\r\n"}}},
    {"after_a_wrong_password_there_may_be_another", OPTIONAL, false,
     {SECURE, {C, "PASS x\r\n"}, {TO_S, "PASS x\r\n"}, {S, "-ERR [AUTH] no\r\n"}, {TO_C, "-ERR [AUTH] no\r\n"},
      {C, "APOP u c4c9334bac560ecc979e58001b3e22fb\r\n"}, {TO_S, "APOP u c4c9334bac560ecc979e58001b3e22fb\r\n"},
      {S, "+OK in\r\n"}, {TO_C, "+OK in\r\n"}, {WANTS, "switch"}}},
    {"challenges_and_replies_pass_in_turn", OPTIONAL, false,
     {SECURE, {C, "AUTH CRAM-MD5\r\nreply\r\n"}, {TO_S, "AUTH CRAM-MD5\r\n"}, {S, "+ Y2hhbGxlbmdl\r\n"},
      {TO_C, "+ Y2hhbGxlbmdl\r\n"}, {TO_S, "reply\r\n"}, {S, "+OK in\r\n"}, {TO_C, "+OK in\r\n"},
      {WANTS, "switch"}}},
    {"a_server_may_give_up_waiting", OPTIONAL, false,
     {SECURE, {S, "-ERR idle for too long\r\n"}, {TO_C, "-ERR idle for too long\r\n"}, {S, NULL},
      {WANTS, "close"}}},
    {"quit_ends_it", OPTIONAL, false,
     {SECURE, {C, "QUIT\r\n"}, {TO_S, "QUIT\r\n"}, {S, "+OK bye\r\n"}, {TO_C, "+OK bye\r\n"}, {WANTS, "close"}}},
    {"a_server_that_ends_ends_it", OPTIONAL, false,
     {SECURE, {C, "NOOP\r\n"}, {TO_S, "NOOP\r\n"}, {S, "+O"}, {S, NULL}, {TO_C, "+O"}, {WANTS, "close"}}},
    {"a_client_that_ends_ends_it", OPTIONAL, false, {SECURE, {C, "NOO"}, {C, NULL}, {WANTS, "close"}}},
    {"an_answer_to_nothing_is_refused", OPTIONAL, false,
     {SECURE, {S, "+OK\r\n"}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},
    {"a_challenge_to_nothing_is_refused", OPTIONAL, false,
     {SECURE, {C, "NOOP\r\n"}, {TO_S, "NOOP\r\n"}, {S, "+ \r\n"}, {WANTS, "bad upstream-not-mail"},
      {TO_C, NOT_MAIL}}},
    {"an_empty_line_is_no_command", OPTIONAL, false,
     {SECURE, {C, "\r\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_bare_line_feed_is_refused", OPTIONAL, false,
     {SECURE, {C, "NOOP\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_bare_carriage_return_is_refused", OPTIONAL, false,
     {SECURE, {C, "NOOP\rQUIT\r\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_line_of_the_client_has_a_bound", {.way = TF_MAIL_UPGRADE, .line_max = 64}, false,
     {SECURE, {C, FILL}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_line_of_the_server_has_a_bound", {.way = TF_MAIL_UPGRADE, .line_max = 64}, false,
     {{S, FILL}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},

    /* TLS at once, and another connection */
    {"a_client_in_tls_is_greeted_inside_it", IMPLICIT, false,
     {{S, GREETING}, {TO_S, "STLS\r\n"}, {S, "+OK go\r\n"}, {WANTS, "tls-server"}, {SECURED_S, NULL},
      {WANTS, "tls-client"}, {TO_C, ""}, {SECURED_C, NULL}, {TO_C, GREETING}, {C, "USER u\r\n"},
      {TO_S, "USER u\r\n"}}},
    {"both_in_tls_at_once", TLS_BOTH, false,
     {{WANTS, "tls-server"}, {SECURED_S, NULL}, {TO_C, ""}, {S, GREETING}, {WANTS, "tls-client"}, {TO_C, ""},
      {SECURED_C, NULL}, {TO_C, GREETING}}},
    {"a_second_connection_is_brought_to_the_same_point", OPTIONAL, false,
     {SECURE, {C, "STLS\r\n"}, {TO_C, "+OK Begin TLS negotiation\r\n"}, {WANTS, "tls-client"}, {REPEAT, NULL},
      {S, GREETING}, {TO_S, "STLS\r\n"}, {S, "+OK go\r\n"}, {WANTS, "tls-server"}, {TO_C, ""}}},

    /* the bridge */
    {"user_and_pass_become_oauth", BRIDGE, false,
     {BRIDGED, {C, "USER scanner@example\r\nPASS secret\r\n"}, {TO_C, "+OK\r\n"}, LOGS_IN}},
    {"auth_plain_becomes_oauth", BRIDGE, false,
     {BRIDGED, {C, "AUTH PLAIN AHNjYW5uZXJAZXhhbXBsZQBzZWNyZXQ=\r\n"}, LOGS_IN}},
    {"auth_plain_that_is_asked_for_becomes_oauth", BRIDGE, false,
     {BRIDGED, {C, "AUTH PLAIN\r\n"}, {TO_C, "+ \r\n"}, {C, "AHNjYW5uZXJAZXhhbXBsZQBzZWNyZXQ=\r\n"}, LOGS_IN}},
    {"auth_login_becomes_oauth", BRIDGE, false,
     {BRIDGED, {C, "AUTH LOGIN\r\n"}, {TO_C, "+ VXNlcm5hbWU6\r\n"}, {C, "c2Nhbm5lckBleGFtcGxl\r\n"},
      {TO_C, "+ UGFzc3dvcmQ6\r\n"}, {C, "c2VjcmV0\r\n"}, LOGS_IN}},
    {"a_password_may_hold_blanks", BRIDGE, false,
     {BRIDGED, {C, "USER u\r\nPASS  a b \r\n"}, {TO_C, "+OK\r\n"}, {WANTS, "login u: a b "}}},
    {"a_wrong_password_never_reaches_the_server", BRIDGE, false,
     {BRIDGED, {C, "USER u\r\nPASS x\r\n"}, {TO_C, "+OK\r\n"}, {WANTS, "login u:x"}, {LOGIN_WRONG, NULL},
      {TO_C, "-ERR [AUTH] the name or the password is wrong\r\n"}, {TO_S, ""}, {C, "PASS x\r\n"},
      {TO_C, "-ERR USER comes first\r\n"}}},
    {"a_server_that_refuses_the_token_explains_it_to_nobody", BRIDGE, false,
     {BRIDGED, {C, "USER scanner@example\r\nPASS secret\r\n"}, {TO_C, "+OK\r\n"},
      {WANTS, "login scanner@example:secret"}, {LOGIN_RIGHT, "token"}, {TO_S, "AUTH XOAUTH2\r\n"},
      {S, "+ \r\n"}, {TO_S, XOAUTH2 "\r\n"}, {S, "+ e30=\r\n"}, {TO_S, "\r\n"}, {TO_C, ""}, {S, "-ERR no\r\n"},
      {TO_C, "-ERR no\r\n"}, {TOKEN, "refused"}, {ANSWER, "XOAUTH2"}, {C, "NOOP\r\n"}, {TO_S, "NOOP\r\n"}, {S, "-ERR no\r\n"},
      {TO_C, "-ERR no\r\n"}, {TOKEN, NULL}}},
    {"only_our_own_logins_are_offered", BRIDGE, false,
     {BRIDGED, {C, "CAPA\r\n"}, {TO_S, "CAPA\r\n"}, {S, "+OK\r\n"}, {S, "SASL XOAUTH2\r\n"}, {S, "TOP\r\n"}, {S, ".\r\n"},
      {TO_C, "+OK\r\nTOP\r\nSTLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"}, {C, "AUTH\r\n"}, {TO_S, "AUTH\r\n"},
      {S, "+OK\r\n"}, {S, "XOAUTH2\r\n"}, {S, ".\r\n"}, {TO_C, "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n"}}},
    {"without_a_login_nothing_goes_to_the_server_but_what_leads_to_one", BRIDGE, false,
     {BRIDGED, {C, "STAT\r\nRETR 1\r\nLANG\r\nUTF8\r\n"},
      {TO_C, "-ERR log in first\r\n-ERR log in first\r\n-ERR log in first\r\n-ERR log in first\r\n"}, {TO_S, ""},
      {C, "NOOP\r\nCAPA\r\n"}, {TO_S, "NOOP\r\n"}, {S, "+OK\r\n"}, {TO_C, "+OK\r\n"}, {TO_S, "CAPA\r\n"}}},
    {"other_logins_are_refused", BRIDGE, false,
     {BRIDGED, {C, "APOP u c4c9334bac560ecc979e58001b3e22fb\r\nAUTH XOAUTH2\r\n"},
      {TO_C, "-ERR only USER, and AUTH with PLAIN or LOGIN, are taken\r\n"
             "-ERR only USER, and AUTH with PLAIN or LOGIN, are taken\r\n"}, {TO_S, ""}}},
    {"a_client_may_give_up", BRIDGE, false,
     {BRIDGED, {C, "AUTH PLAIN\r\n"}, {TO_C, "+ \r\n"}, {C, "*\r\n"}, {TO_C, "-ERR the login was given up\r\n"}}},
    {"names_and_passwords_have_a_bound", BRIDGE, false,
     {BRIDGED, {C, "USER " FILL FILL FILL FILL "\r\nUSER u\r\nPASS " FILL FILL FILL FILL "\r\n"},
      {TO_C, "-ERR this is no user's name\r\n+OK\r\n-ERR the login is malformed\r\n"}}},
};

/* What comes in one piece: whether it would come later, nobody can see. */
static const struct play whole_plays[] = {
    {"nothing_of_the_client_may_follow_a_followed_stls", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "STLS\r\nNOOP\r\n"}, {WANTS, "bad starttls-command-injection"},
      {TO_S, ""}, {TO_C, COMMAND_INJECTION}}},
    {"nothing_of_the_server_may_follow_its_ok_to_the_client", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "STLS\r\n"}, {TO_S, "STLS\r\n"}, {S, "+OK\r\n+OK\r\n"},
      {WANTS, "bad starttls-response-injection"}, {TO_C, RESPONSE_INJECTION}}},
    {"nothing_of_the_client_may_follow_its_stls_with_us", OPTIONAL, false,
     {SECURE, {C, "STLS\r\nU"}, {WANTS, "bad starttls-command-injection"}, {TO_C, COMMAND_INJECTION}}},
    {"nothing_of_the_server_may_follow_its_ok_to_us", OPTIONAL, false,
     {{S, GREETING}, {TO_S, "STLS\r\n"}, {S, "+OK\r\n+"}, {WANTS, "bad starttls-response-injection"},
      {TO_C, RESPONSE_INJECTION}}},
};
/* clang-format on */

static void play_in_all_pieces(void **state)
{
    perform_all(&tf_front_pop3, *state);
}

static void play_whole(void **state)
{
    perform(&tf_front_pop3, *state, sizeof((struct text *)0)->p);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(plays) + COUNT(whole_plays)];
    size_t n = put_plays(tests, plays, COUNT(plays), play_in_all_pieces);
    put_plays(tests + n, whole_plays, COUNT(whole_plays), play_whole);
    return cmocka_run_group_tests_name("front_pop3", tests, NULL, NULL);
}
