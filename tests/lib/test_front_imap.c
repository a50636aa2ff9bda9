/* front_imap.c as plays; see mail_stage.h. Logins for the bridge are in test_front_imap_bridge.c. */
#include "mail_stage.h"

#define GREETING       "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] mail.example ready\r\n"
#define PLAIN_GREETING "* OK mail.example ready\r\n"
#define CAPABILITIES   "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=GSSAPI AUTH=SCRAM-SHA-256-PLUS ID\r\n"
#define OFFERED        "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ID STARTTLS\r\n"
#define OFFERED_IN_TLS "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ID\r\n"
#define OFFERED_LATER  "* CAPABILITY IMAP4rev1 SASL-IR ID STARTTLS LOGINDISABLED\r\n"
#define SECURE                                                                                               \
    {S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {TO_C, ""}, {S, "T1 OK go\r\n"}, {WANTS, "tls-server"},        \
        {SECURED_S, NULL},                                                                                   \
    {                                                                                                        \
        TO_C, PLAIN_GREETING                                                                                 \
    }
#define BYE(sentence) "* BYE " sentence "\r\n"
#define CLEARTEXT     BYE("the mail session goes on in plain text, where only TLS may pass")
#define MALFORMED                                                                                            \
    BYE("what the client says is not the listener's mail protocol, or a line is longer than "                \
        "[limits] line_bytes")
#define NOT_MAIL           BYE("what the server says is not the mail protocol of this listener or port")
#define NO_STARTTLS        BYE("the server does not offer STARTTLS, or refuses it")
#define CLOSED             BYE("the server closed the connection before it answered")
#define COMMAND_INJECTION  BYE("the client sent something in plain text behind its STARTTLS")
#define RESPONSE_INJECTION BYE("the server sent something in plain text behind its answer to STARTTLS")

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
#define TLS                                                                                                  \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_OPTIONAL, .is_server_tls = true                  \
    }
#define TLS_BOTH                                                                                             \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .client_tls = TF_CLIENT_TLS_IMPLICIT, .is_server_tls = true                  \
    }

/* clang-format off */
static const struct play plays[] = {
    {"tls_where_the_first_command_belongs_is_told_from_noise", NONE, false,
     {SECURE, {C, HELLO}, {WANTS, "bad mail-malformed"}, {DETAIL, HELLO_DETAIL}, {TO_C, MALFORMED}}},
    /* followed */
    {"followed_until_both_turn_to_tls", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING},
      {C, "a CAPABILITY\r\n"}, {TO_S, "a CAPABILITY\r\n"}, {S, CAPABILITIES "a OK done\r\n"},
      {TO_C, CAPABILITIES "a OK done\r\n"},
      {C, "b starttls\r\n"}, {TO_S, "b starttls\r\n"}, {S, "b OK go\r\n"}, {TO_C, "b OK go\r\n"},
      {WANTS, "tls-client"}, {SECURED_C, NULL}, {WANTS, "switch"}}},
    {"followed_command_by_command", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a NOOP\r\nb ID NIL\r\n"}, {TO_S, "a NOOP\r\n"},
      {S, "a OK\r\n"}, {TO_C, "a OK\r\n"}, {TO_S, "b ID NIL\r\n"}, {S, "b OK \r\n"}, {TO_C, "b OK \r\n"}}},
    {"a_followed_server_may_refuse_starttls", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a STARTTLS\r\n"}, {TO_S, "a STARTTLS\r\n"}, {S, "a NO later\r\n"},
      {TO_C, "a NO later\r\n"}, {C, "b NOOP\r\n"}, {TO_S, "b NOOP\r\n"}}},
    {"a_followed_client_cannot_log_in", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a LOGIN u p\r\n"}, {WANTS, "bad mail-cleartext"},
      {TO_C, CLEARTEXT}, {LEFT_C, "a LOGIN u p\r\n"}}},
    {"a_followed_client_cannot_authenticate", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a authenticate PLAIN\r\n"}, {WANTS, "bad mail-cleartext"},
      {TO_C, CLEARTEXT}, {LEFT_C, "a authenticate PLAIN\r\n"}}},
    {"a_followed_command_has_no_literal", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a ID {20+}\r\n"}, {WANTS, "bad mail-cleartext"}, {TO_C, CLEARTEXT},
      {LEFT_C, "a ID {20+}\r\n"}}},
    {"a_followed_preauth_is_cleartext", FOLLOW, false,
     {{S, "* PREAUTH hello\r\n"}, {WANTS, "bad mail-cleartext"}, {TO_C, CLEARTEXT}}},
    {"a_followed_server_may_turn_away", FOLLOW, false,
     {{S, "* BYE busy\r\n"}, {TO_C, "* BYE busy\r\n"}, {WANTS, "close"}}},
    {"a_followed_server_that_ends_ends_it", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {S, "* BYE now"}, {S, NULL}, {TO_C, "* BYE now"}, {WANTS, "close"}}},
    {"a_followed_client_that_has_said_all_still_hears_the_answer", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a LOGOUT\r\n"}, {TO_S, "a LOGOUT\r\n"}, {C, NULL},
      {S, "a OK bye\r\n"}, {TO_C, "a OK bye\r\n"}, {WANTS, "close"}}},
    {"a_followed_client_that_ends_ends_it", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, NULL}, {WANTS, "close"}}},

    /* upgraded: the server's side */
    {"the_server_is_secure_before_the_client_is_greeted", NONE, false, {SECURE}},
    {"a_client_in_a_hurry_waits", OPTIONAL, false,
     {{C, "a LOGIN u p\r\n"}, {TO_S, ""}, SECURE, {TO_S, "a LOGIN u p\r\n"}}},
    {"what_a_server_says_beside_its_answer_to_starttls_is_dropped", NONE, false,
     {{S, GREETING "* CAPABILITY IMAP4rev1\r\n"}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 OK go\r\n"},
      {WANTS, "tls-server"}, {SECURED_S, NULL}, {TO_C, PLAIN_GREETING}}},
    {"a_greeting_without_capabilities_passes", NONE, false,
     {{S, "* OK The service is ready. [VABZ]\r\n"}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 OK go\r\n"},
      {WANTS, "tls-server"}, {SECURED_S, NULL}, {TO_C, "* OK The service is ready. [VABZ]\r\n"}}},
    {"a_server_that_refuses_starttls_is_no_server", NONE, false,
     {{S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 BAD what?\r\n"}, {WANTS, "bad upstream-no-starttls"},
      {TO_C, NO_STARTTLS}}},
    {"not_even_an_opportunistic_gateway_goes_on_in_plain_text",
     {.way = TF_MAIL_UPGRADE, .is_opportunistic = true}, false,
     {{S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 NO\r\n"}, {WANTS, "bad upstream-no-starttls"},
      {TO_C, NO_STARTTLS}}},
    {"preauth_leaves_no_way_to_tls", NONE, false,
     {{S, "* PREAUTH hello\r\n"}, {WANTS, "bad upstream-no-starttls"}, {TO_C, NO_STARTTLS}}},
    {"preauth_inside_tls_would_log_everybody_in", TLS, false,
     {{WANTS, "tls-server"}, {SECURED_S, NULL}, {S, "* PREAUTH hello\r\n"}, {WANTS, "bad upstream-not-mail"},
      {TO_C, NOT_MAIL}}},
    {"a_greeting_that_turns_away_passes", OPTIONAL, false,
     {{S, "* BYE busy\r\n"}, {TO_C, "* BYE busy\r\n"}, {WANTS, "close"}}},
    {"a_client_in_tls_cannot_hear_a_greeting_that_turns_away", IMPLICIT, false,
     {{S, "* BYE busy\r\n"}, {WANTS, "bad upstream-closed"}, {TO_C, CLOSED}}},
    {"a_server_that_speaks_something_else_is_refused", NONE, false,
     {{S, "220 mail.example ESMTP\r\n"}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},
    {"a_server_that_closes_before_its_greeting_is_an_error", NONE, false,
     {{S, "* OK"}, {S, NULL}, {WANTS, "bad upstream-closed"}, {TO_C, CLOSED}}},
    {"a_server_that_closes_over_starttls_is_an_error", NONE, false,
     {{S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, NULL}, {WANTS, "bad upstream-closed"}, {TO_C, CLOSED}}},
    {"a_client_that_leaves_before_the_greeting_is_let_go", NONE, false, {{C, NULL}, {WANTS, "close"}}},
    {"a_server_that_speaks_tls_greets_inside_it", TLS, false,
     {{WANTS, "tls-server"}, {SECURED_S, NULL}, {S, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=NTLM] hi\r\n"},
      {TO_C, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN STARTTLS] hi\r\n"}}},

    /* upgraded: the client's side */
    {"capabilities_are_those_of_the_clients_leg", OPTIONAL, false,
     {SECURE, {C, "a CAPABILITY\r\n"}, {TO_S, "a CAPABILITY\r\n"}, {S, CAPABILITIES "a OK done\r\n"},
      {TO_C, OFFERED "a OK done\r\n"}}},
    {"starttls_is_offered_only_where_it_is_allowed", NONE, false,
     {SECURE, {C, "a CAPABILITY\r\n"}, {TO_S, "a CAPABILITY\r\n"}, {S, CAPABILITIES "a OK done\r\n"},
      {TO_C, OFFERED_IN_TLS "a OK done\r\n"}, {C, "b STARTTLS\r\n"}, {TO_C, "b BAD this is not offered\r\n"}}},
    {"a_client_may_turn_to_tls_with_us", OPTIONAL, false,
     {SECURE, {C, "a STARTTLS\r\n"}, {TO_C, "a OK Begin TLS negotiation now\r\n"}, {WANTS, "tls-client"},
      {SECURED_C, NULL}, {TO_C, ""}, {C, "b CAPABILITY\r\n"}, {TO_S, "b CAPABILITY\r\n"},
      {S, CAPABILITIES "b OK done\r\n"}, {TO_C, OFFERED_IN_TLS "b OK done\r\n"},
      {C, "c STARTTLS\r\n"}, {TO_C, "c BAD TLS is there already\r\n"}}},
    {"starttls_has_no_arguments", OPTIONAL, false,
     {SECURE, {C, "a STARTTLS now\r\n"}, {TO_C, "a BAD this is not offered\r\n"}}},
    {"no_login_before_starttls_where_it_is_demanded", STARTTLS, false,
     {SECURE, {C, "a CAPABILITY\r\n"}, {TO_S, "a CAPABILITY\r\n"}, {S, CAPABILITIES "a OK done\r\n"},
      {TO_C, OFFERED_LATER "a OK done\r\n"},
      {C, "b LOGIN u p\r\nc AUTHENTICATE PLAIN\r\nd LOGIN {1}\r\ne X\r\n"},
      {TO_C, "b NO [PRIVACYREQUIRED] STARTTLS comes first\r\nc NO [PRIVACYREQUIRED] STARTTLS comes first\r\n"
             "d NO [PRIVACYREQUIRED] STARTTLS comes first\r\ne NO [PRIVACYREQUIRED] STARTTLS comes first\r\n"},
      {TO_S, ""}, {C, "f STARTTLS\r\n"}, {TO_C, "f OK Begin TLS negotiation now\r\n"}, {WANTS, "tls-client"},
      {SECURED_C, NULL}, {C, "g LOGIN u p\r\n"}, {TO_S, "g LOGIN u p\r\n"}}},
    {"a_literal_before_starttls_is_not_swallowed", STARTTLS, false,
     {SECURE, {C, "a LOGIN {1+}\r\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"after_the_login_bytes_pass", OPTIONAL, false,
     {SECURE, {C, "a LOGIN u p\r\n"}, {TO_S, "a LOGIN u p\r\n"},
      {S, "a OK [CAPABILITY IMAP4rev1 STARTTLS IDLE] in\r\n"},
      {TO_C, "a OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"}, {WANTS, "switch"}}},
    {"after_a_wrong_login_there_may_be_another", OPTIONAL, false,
     {SECURE, {C, "a LOGIN u x\r\nb LOGIN u p\r\n"}, {TO_S, "a LOGIN u x\r\n"},
      {S, "a NO [AUTHENTICATIONFAILED] no\r\n"}, {TO_C, "a NO [AUTHENTICATIONFAILED] no\r\n"},
      {TO_S, "b LOGIN u p\r\n"}, {S, "b OK in\r\n"}, {TO_C, "b OK in\r\n"}, {WANTS, "switch"}}},
    {"an_awaited_literal_waits_for_the_server", OPTIONAL, false,
     {SECURE, {C, "a LOGIN {2}\r\nuu {2}\r\nb NOOP\r\n"}, {TO_S, "a LOGIN {2}\r\n"}, {S, "+ go\r\n"},
      {TO_C, "+ go\r\n"}, {TO_S, "uu {2}\r\n"}, {S, "+\r\n"}, {TO_C, "+\r\n"}, {TO_S, "b NOOP\r\n"},
      {S, "a OK\r\n"}, {TO_C, "a OK\r\n"}, {WANTS, "switch"}}},
    {"a_literal_may_look_like_commands", OPTIONAL, false,
     {SECURE, {C, "a LOGIN {12+}\r\n"}, {C, "b STARTTLS\r\n"}, {C, " {1+}\r\n"}, {C, "p\r\n"}, {C, "c NOOP\r\n"},
      {TO_S, "a LOGIN {12+}\r\nb STARTTLS\r\n {1+}\r\np\r\n"}, {S, "a NO\r\n"}, {TO_C, "a NO\r\n"},
      {TO_S, "c NOOP\r\n"}}},
    {"a_server_may_refuse_a_literal", OPTIONAL, false,
     {SECURE, {C, "a LOGIN {2}\r\n"}, {TO_S, "a LOGIN {2}\r\n"}, {S, "a BAD no\r\n"}, {TO_C, "a BAD no\r\n"},
      {C, "b NOOP\r\n"}, {TO_S, "b NOOP\r\n"}, {S, "b OK\r\n"}, {TO_C, "b OK\r\n"}}},
    {"challenges_and_replies_pass_in_turn", OPTIONAL, false,
     {SECURE, {C, "a AUTHENTICATE CRAM-MD5\r\nreply\r\n"}, {TO_S, "a AUTHENTICATE CRAM-MD5\r\n"},
      {S, "+ Y2hhbGxlbmdl\r\n"}, {TO_C, "+ Y2hhbGxlbmdl\r\n"}, {TO_S, "reply\r\n"}, {S, "a OK in\r\n"},
      {TO_C, "a OK in\r\n"}, {WANTS, "switch"}}},
    {"a_servers_literal_may_look_like_an_answer", OPTIONAL, false,
     {SECURE, {C, "a ID NIL\r\n"}, {TO_S, "a ID NIL\r\n"},
      {S, "* ID (\"name\" {8}\r\n"}, {S, "a OK x\r\n"}, {S, " \"os\" {0}\r\n"}, {S, ")\r\n"}, {S, "a OK done\r\n"},
      {TO_C, "* ID (\"name\" {8}\r\na OK x\r\n \"os\" {0}\r\n)\r\na OK done\r\n"},
      {C, "b NOOP\r\n"}, {TO_S, "b NOOP\r\n"}}},
    {"a_servers_free_text_announces_nothing", OPTIONAL, false,
     {SECURE, {C, "a NOOP\r\n"}, {TO_S, "a NOOP\r\n"}, {S, "* OK see {5}\r\na OK {9}\r\n"},
      {TO_C, "* OK see {5}\r\na OK {9}\r\n"}, {C, "b NOOP\r\n"}, {TO_S, "b NOOP\r\n"}}},
    {"a_server_may_speak_unasked", OPTIONAL, false,
     {SECURE, {S, "* BYE idle for too long\r\n"}, {TO_C, "* BYE idle for too long\r\n"}, {S, NULL},
      {WANTS, "close"}}},
    {"logout_ends_it", OPTIONAL, false,
     {SECURE, {C, "a LOGOUT\r\n"}, {TO_S, "a LOGOUT\r\n"}, {S, "* BYE bye\r\na OK done\r\n"},
      {TO_C, "* BYE bye\r\na OK done\r\n"}, {WANTS, "close"}}},
    {"an_answer_to_nothing_is_refused", OPTIONAL, false,
     {SECURE, {S, "a OK\r\n"}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},
    {"an_answer_to_another_command_is_refused", OPTIONAL, false,
     {SECURE, {C, "a NOOP\r\n"}, {TO_S, "a NOOP\r\n"}, {S, "b OK\r\n"}, {WANTS, "bad upstream-not-mail"},
      {TO_C, NOT_MAIL}}},
    {"an_answer_to_half_a_command_is_refused", OPTIONAL, false,
     {SECURE, {C, "a LOGIN {9+}\r\nb"}, {TO_S, "a LOGIN {9+}\r\nb"}, {S, "a OK\r\n"},
      {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},
    {"a_challenge_to_nothing_is_refused", OPTIONAL, false,
     {SECURE, {C, "a NOOP\r\n"}, {TO_S, "a NOOP\r\n"}, {S, "+ more\r\n"}, {WANTS, "bad upstream-not-mail"},
      {TO_C, NOT_MAIL}}},
    {"a_command_needs_a_tag", OPTIONAL, false,
     {SECURE, {C, "NOOP\r\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_tag_is_never_a_star", OPTIONAL, false,
     {SECURE, {C, "* NOOP\r\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_bare_line_feed_is_refused", OPTIONAL, false,
     {SECURE, {C, "a NOOP\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_line_of_the_client_has_a_bound", {.way = TF_MAIL_UPGRADE, .line_max = 100}, false,
     {SECURE, {C, "a ID 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
                  "12345678901234567890"},
      {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_line_of_the_server_has_a_bound", {.way = TF_MAIL_UPGRADE, .line_max = 20}, false,
     {{S, "* OK 0123456789012345678901234567890123456789"}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},
    {"a_literal_of_the_client_has_a_bound", OPTIONAL, false,
     {SECURE, {C, "a LOGIN {1025}\r\n"}, {WANTS, "bad mail-malformed"}, {TO_C, MALFORMED}}},
    {"a_literal_of_the_server_has_a_bound", OPTIONAL, false,
     {SECURE, {S, "* ID {1025}\r\n"}, {WANTS, "bad upstream-not-mail"}, {TO_C, NOT_MAIL}}},

    /* TLS at once, and another connection */
    {"a_client_in_tls_is_greeted_inside_it", IMPLICIT, false,
     {{S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 OK go\r\n"}, {WANTS, "tls-server"}, {SECURED_S, NULL},
      {WANTS, "tls-client"}, {TO_C, ""}, {SECURED_C, NULL}, {TO_C, PLAIN_GREETING}, {C, "a LOGIN u p\r\n"},
      {TO_S, "a LOGIN u p\r\n"}}},
    {"both_in_tls_at_once", TLS_BOTH, false,
     {{WANTS, "tls-server"}, {SECURED_S, NULL}, {TO_C, ""},
      {S, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=EXTERNAL] hi\r\n"}, {WANTS, "tls-client"}, {TO_C, ""},
      {SECURED_C, NULL}, {TO_C, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"}}},
    {"a_second_connection_is_brought_to_the_same_point", OPTIONAL, false,
     {SECURE, {C, "a STARTTLS\r\n"}, {TO_C, "a OK Begin TLS negotiation now\r\n"}, {WANTS, "tls-client"},
      {REPEAT, NULL}, {S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 OK go\r\n"}, {WANTS, "tls-server"},
      {TO_C, ""}}},
    {"a_second_connection_may_be_refused_starttls", OPTIONAL, false,
     {SECURE, {C, "a STARTTLS\r\n"}, {TO_C, "a OK Begin TLS negotiation now\r\n"}, {WANTS, "tls-client"},
      {REPEAT, NULL}, {S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 NO\r\n"},
      {WANTS, "bad upstream-no-starttls"}, {TO_C, NO_STARTTLS}}},
};

/* What comes in one piece: whether it would come later, nobody can see. */
static const struct play whole_plays[] = {
    {"nothing_of_the_client_may_follow_a_followed_starttls", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a STARTTLS\r\nb NOOP\r\n"},
      {WANTS, "bad starttls-command-injection"}, {TO_S, ""}, {TO_C, COMMAND_INJECTION}}},
    {"nothing_of_the_server_may_follow_its_ok_to_the_client", FOLLOW, false,
     {{S, GREETING}, {TO_C, GREETING}, {C, "a STARTTLS\r\n"}, {TO_S, "a STARTTLS\r\n"},
      {S, "a OK\r\n* OK [ALERT] injected\r\n"}, {WANTS, "bad starttls-response-injection"},
      {TO_C, RESPONSE_INJECTION}}},
    {"nothing_of_the_client_may_follow_its_starttls_with_us", OPTIONAL, false,
     {SECURE, {C, "a STARTTLS\r\nb"}, {WANTS, "bad starttls-command-injection"}, {TO_C, COMMAND_INJECTION}}},
    {"nothing_of_the_server_may_follow_its_ok_to_us", OPTIONAL, false,
     {{S, GREETING}, {TO_S, "T1 STARTTLS\r\n"}, {S, "T1 OK\r\n*"}, {WANTS, "bad starttls-response-injection"},
      {TO_C, RESPONSE_INJECTION}}},
};
/* clang-format on */

static void play_in_all_pieces(void **state)
{
    perform_all(&tf_front_imap, *state);
}

static void play_whole(void **state)
{
    perform(&tf_front_imap, *state, sizeof((struct text *)0)->p);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(plays) + COUNT(whole_plays)];
    size_t n = put_plays(tests, plays, COUNT(plays), play_in_all_pieces);
    put_plays(tests + n, whole_plays, COUNT(whole_plays), play_whole);
    return cmocka_run_group_tests_name("front_imap", tests, NULL, NULL);
}
