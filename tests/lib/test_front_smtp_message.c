/* front_smtp.c: messages, ends and bounds, as plays. */
#include "mail_stage.h"

#define BANNER "220 mail.example ESMTP\r\n"
#define PLAN                                                                                                 \
    {                                                                                                        \
        .way = TF_MAIL_UPGRADE, .is_server_tls = true                                                        \
    }
/* Up to the client's first command. */
#define TALKING                                                                                              \
    {WANTS, "tls-server"}, {SECURED_S, NULL}, {S, BANNER}, {C, "EHLO a\r\n"}, {TO_S, "EHLO a\r\n"},          \
        {S, "250 mail.example\r\n"},                                                                         \
    {                                                                                                        \
        TO_C, BANNER "250 mail.example\r\n"                                                                  \
    }

static const struct play plays[] = {
    {"a_message_passes_byte_for_byte_up_to_its_dot", PLAN,
     .lines = {TALKING,
               {C, "DATA\r\nA: b\r\n\r\nx\n.\ny\r.\r\n..\r\n.z\r\n\x01\xff\n.\r\n.\r\nNOOP\r\n"},
               {TO_S, "DATA\r\n"},
               {S, "354 go\r\n"},
               {TO_C, "354 go\r\n"},
               {TO_S, "A: b\r\n\r\nx\n.\ny\r.\r\n..\r\n.z\r\n\x01\xff\n.\r\n.\r\n"},
               {S, "250 queued\r\n"},
               {TO_C, "250 queued\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"an_empty_message_is_a_dot", PLAN,
     .lines = {TALKING,
               {C, "DATA\r\n"},
               {S, "354 go\r\n"},
               {C, ".\r\nQUIT\r\n"},
               {TO_S, "DATA\r\n.\r\n"},
               {S, "250 queued\r\n"},
               {TO_C, "354 go\r\n250 queued\r\n"},
               {TO_S, "QUIT\r\n"}}},
    {"data_that_is_refused_is_a_command_like_others", PLAN,
     .lines = {TALKING,
               {C, "DATA\r\n"},
               {S, "503 5.5.1 no\r\n"},
               {C, "RSET\r\nNOOP\r\n"},
               {TO_S, "DATA\r\nRSET\r\n"},
               {TO_C, "503 5.5.1 no\r\n"}}},
    {"a_reply_before_the_end_of_a_message_is_the_reply", PLAN,
     .lines = {TALKING,
               {C, "DATA\r\n"},
               {S, "354 go\r\n"},
               {C, "abc\r\n"},
               {S, "552 5.3.4 too big\r\n"},
               {TO_C, "354 go\r\n552 5.3.4 too big\r\n"},
               {C, "def\r\n.\r\nDATA\r\n"},
               {TO_S, "DATA\r\nabc\r\ndef\r\n.\r\nDATA\r\n"},
               {S, "354 go\r\n"},
               {TO_C, "354 go\r\n"},
               {C, "ghi\r\n.\r\nNOOP\r\n"},
               {TO_S, "ghi\r\n.\r\n"},
               {S, "250 queued\r\n"},
               {TO_C, "250 queued\r\n"},
               {TO_S, "NOOP\r\n"}}},
    {"chunks_are_counted", PLAN,
     .lines = {TALKING,
               {C, "BDAT 5\r\nab\r\n."},
               {C, "BDAT 0\r\nbdat 3 last\r\nQUIT"},
               {TO_S, "BDAT 5\r\nab\r\n."},
               {S, "250 5 octets\r\n"},
               {TO_S, "BDAT 0\r\n"},
               {S, "250 0 octets\r\n"},
               {TO_S, "bdat 3 last\r\nQUI"},
               {TO_C, "250 5 octets\r\n250 0 octets\r\n"},
               {S, "250 queued\r\n"},
               {TO_C, "250 queued\r\n"},
               {LEFT_C, "T"}}},
    {"a_reply_before_the_end_of_a_chunk_is_the_reply", PLAN,
     .lines = {TALKING,
               {C, "BDAT 5\r\n"},
               {S, "503 5.5.1 no\r\n"},
               {C, "abcdeBDAT 1\r\nfRSET\r\n"},
               {TO_S, "BDAT 5\r\nabcdeBDAT 1\r\nf"},
               {TO_C, "503 5.5.1 no\r\n"},
               {S, "250 ok\r\n"},
               {TO_C, "250 ok\r\n"},
               {TO_S, "RSET\r\n"}}},
    {"a_chunk_of_unknown_size_is_malformed", PLAN,
     .lines =
         {TALKING,
          {C, "BDAT 5 x\r\n"},
          {WANTS, "bad mail-malformed"},
          {TO_C,
           "554 5.5.2 what the client says is not the listener's mail protocol, or a line is longer than "
           "[limits] line_bytes\r\n"}}},
    {"a_chunk_without_size_is_malformed", PLAN,
     .lines =
         {TALKING,
          {C, "BDAT LAST\r\n"},
          {WANTS, "bad mail-malformed"},
          {TO_C,
           "554 5.5.2 what the client says is not the listener's mail protocol, or a line is longer than "
           "[limits] line_bytes\r\n"}}},
    {"a_server_that_says_nonsense_in_a_message_is_refused_without_a_word", PLAN,
     .lines = {TALKING,
               {C, "DATA\r\n"},
               {S, "354 go\r\n"},
               {C, "abc"},
               {S, "what?\r\n"},
               {TO_S, "DATA\r\nabc"},
               {TO_C, "354 go\r\n"},
               {WANTS, "bad upstream-not-mail"}}},
    {"a_server_that_is_tired_says_so", PLAN,
     .lines = {TALKING,
               {S, "421-4.4.2 timeout\r\n421 4.4.2 closing\r\n"},
               {TO_C, "421-4.4.2 timeout\r\n421 4.4.2 closing\r\n"},
               {S, NULL},
               {WANTS, "close"}}},
    {"quit_ends_with_the_servers_answer", PLAN,
     .lines = {TALKING,
               {C, "QUIT\r\n"},
               {TO_S, "QUIT\r\n"},
               {S, "221-bye\r\n221 bye\r\n"},
               {TO_C, "221-bye\r\n221 bye\r\n"},
               {WANTS, "close"}}},
    {"a_client_that_has_said_its_last_word_gets_the_answer", PLAN,
     .lines = {TALKING,
               {C, "NOOP\r\n"},
               {C, NULL},
               {TO_S, "NOOP\r\n"},
               {S, "250 ok\r\n"},
               {TO_C, "250 ok\r\n"},
               {WANTS, "close"}}},
    {"a_client_that_breaks_off_in_a_message_ends_the_session", PLAN,
     .lines = {TALKING,
               {C, "DATA\r\n"},
               {S, "354 go\r\n"},
               {C, "abc"},
               {C, NULL},
               {TO_S, "DATA\r\nabc"},
               {TO_C, "354 go\r\n"},
               {WANTS, "close"}}},
    {"a_server_that_closes_in_the_dance_is_told_of",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{S, BANNER},
               {C, "EHLO a\r\n"},
               {S, "250-x\r\n"},
               {S, NULL},
               {TO_S, "EHLO a\r\n"},
               {TO_C, BANNER "421 4.4.2 the server closed the connection before it answered\r\n"},
               {WANTS, "bad upstream-closed"}}},
    {"a_banner_that_turns_away_passes_and_ends_the_session",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, "554-5.7.1 go\r\n554 5.7.1 away\r\n"},
               {TO_C, "554-5.7.1 go\r\n554 5.7.1 away\r\n"},
               {WANTS, "close"}}},
    {"a_banner_of_another_protocol_is_no_mail",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, "* OK IMAP\r\n"},
               {WANTS, "bad upstream-not-mail"},
               {TO_C,
                "421 4.4.2 what the server says is not the mail protocol of this listener or port\r\n"}}},
    {"a_banner_with_a_code_that_smtp_has_not_is_no_mail",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, "199 hello\r\n"},
               {WANTS, "bad upstream-not-mail"},
               {TO_C,
                "421 4.4.2 what the server says is not the mail protocol of this listener or port\r\n"}}},
    {"a_banner_with_a_lone_lf_is_no_mail",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, "220 x\n"},
               {WANTS, "bad upstream-not-mail"},
               {TO_C,
                "421 4.4.2 what the server says is not the mail protocol of this listener or port\r\n"}}},
    {"a_code_alone_is_a_reply",
     {.way = TF_MAIL_FOLLOW},
     .lines = {{S, "220\r\n"},
               {TO_C, "220\r\n"},
               {C, "NOOP\r\n"},
               {TO_S, "NOOP\r\n"},
               {S, "250\r\n"},
               {TO_C, "250\r\n"}}},
    {"a_command_with_a_lone_lf_is_malformed", PLAN,
     .lines =
         {TALKING,
          {C, "NOOP\nMAIL FROM:<a@b>\r\n"},
          {WANTS, "bad mail-malformed"},
          {TO_C,
           "554 5.5.2 what the client says is not the listener's mail protocol, or a line is longer than "
           "[limits] line_bytes\r\n"}}},
    {"a_command_with_a_lone_cr_is_malformed", PLAN,
     .lines =
         {TALKING,
          {C, "NOOP\rMAIL FROM:<a@b>\r\n"},
          {WANTS, "bad mail-malformed"},
          {TO_C,
           "554 5.5.2 what the client says is not the listener's mail protocol, or a line is longer than "
           "[limits] line_bytes\r\n"}}},
    {"tls_where_the_first_command_belongs_is_told_from_noise",
     {.way = TF_MAIL_UPGRADE},
     .lines = {{C, HELLO},
               {S, "220 mail.example\r\n"},
               {WANTS, "bad mail-malformed"},
               {DETAIL, HELLO_DETAIL},
               {TO_C,
                "220 mail.example\r\n554 5.5.2 what the client says is not the listener's mail protocol, "
                "or a line is longer than [limits] line_bytes\r\n"}}},
    {"a_binary_command_is_malformed", PLAN,
     .lines =
         {TALKING,
          {C, "\x16\x03\x01\r\n"},
          {WANTS, "bad mail-malformed"},
          {TO_C,
           "554 5.5.2 what the client says is not the listener's mail protocol, or a line is longer than "
           "[limits] line_bytes\r\n"}}},
    {"an_address_in_utf8_passes", PLAN,
     .lines = {TALKING,
               {C, "MAIL FROM:<j\xc3\xb6@b> SMTPUTF8\r\n"},
               {TO_S, "MAIL FROM:<j\xc3\xb6@b> SMTPUTF8\r\n"}}},
};

static void plays_out(void **state)
{
    perform_all(&tf_front_smtp, *state);
}

enum { LINE_MAX = 64 };

static const struct play talking = {
    "", {.way = TF_MAIL_UPGRADE, .is_server_tls = true, .line_max = LINE_MAX}, .lines = {TALKING}};

/* A line of n bytes with its end. */
static const char *long_line(const char *begin, size_t n)
{
    static char line[2 * LINE_MAX];
    memset(line, 'x', n);
    memcpy(line, begin, strlen(begin));
    memcpy(line + n - 2, "\r\n", 3);
    return line;
}

static void a_line_is_as_long_as_it_may_be_and_no_longer(void **state)
{
    (void)state;
    static const struct {
        enum cue cue;
        const char *begin;
        const char *reason;
    } sides[] = {{C, "NOOP ", "bad mail-malformed"}, {S, "250 ", "bad upstream-not-mail"}};
    for (size_t i = 0; i < COUNT(sides); i++) {
        for (size_t step = 1; step <= 2 * LINE_MAX; step *= 2) {
            struct mail_stage *s = open_stage(&tf_front_smtp, &talking);
            follow_cues(s, &talking, step);
            follow_cue(s, sides[i].cue, long_line(sides[i].begin, LINE_MAX), step);
            assert_string_equal(s->wants, "");
            if (sides[i].cue == C)
                follow_cue(s, S, "250 ok\r\n", step);
            follow_cue(s, sides[i].cue, long_line(sides[i].begin, LINE_MAX + 1), step);
            assert_string_equal(s->wants, sides[i].reason);
            free(s->state);
        }
    }
}

static void an_answer_to_ehlo_is_no_longer_than_a_line(void **state)
{
    (void)state;
    for (size_t n = LINE_MAX - 1; n <= LINE_MAX + 1; n++) {
        struct mail_stage *s = open_stage(&tf_front_smtp, &talking);
        follow_cues(s, &talking, 100);
        follow_cue(s, C, "EHLO b\r\n", 100);
        follow_cue(s, S, long_line("250-", n - strlen("250 x\r\n")), 1);
        follow_cue(s, S, "250 x\r\n", 1);
        assert_string_equal(s->wants, n <= LINE_MAX ? "" : "bad upstream-not-mail");
        free(s->state);
    }
    struct mail_stage *s = open_stage(&tf_front_smtp, &talking);
    follow_cues(s, &talking, 100);
    follow_cue(s, C, "EHLO b\r\n", 100);
    follow_cue(s, S, long_line("250-", LINE_MAX), 100);
    follow_cue(s, S, "2", 100);
    assert_string_equal(s->wants, "bad upstream-not-mail");
    free(s->state);
}

/* However little room there is: a byte more of the message than fits is not consumed. */
static void a_message_waits_for_room(void **state)
{
    (void)state;
    static char room[2][STAGE_ROOM], message[2 * STAGE_ROOM];
    static const struct play play = {"", PLAN, .lines = {TALKING, {C, "DATA\r\n"}, {S, "354 go\r\n"}}};
    struct mail_stage *s = open_stage(&tf_front_smtp, &play);
    follow_cues(s, &play, 100);
    memset(message, 'x', sizeof message);
    struct tf_writer to_client = tf_writer_of(room[0], STAGE_ROOM),
                     to_server = tf_writer_of(room[1], STAGE_ROOM);
    struct tf_feed_io io = {
        .in = {(const uint8_t *)message, sizeof message}, .to_client = &to_client, .to_server = &to_server};
    assert_int_equal(tf_front_smtp.feed(s->state, TF_CLIENT, &io, &s->facts), TF_FEED_MORE);
    assert_int_equal(io.used, STAGE_ROOM);
    assert_int_equal(to_server.len, STAGE_ROOM);
    assert_int_equal(to_client.len, 0);
    free(s->state);
}

static void its_state_is_small(void **state)
{
    (void)state;
    assert_true(tf_front_smtp.state_size <= 1024);
}

#define OTHERS 4

int main(void)
{
    struct CMUnitTest tests[OTHERS + COUNT(plays)] = {
        cmocka_unit_test(a_line_is_as_long_as_it_may_be_and_no_longer),
        cmocka_unit_test(an_answer_to_ehlo_is_no_longer_than_a_line),
        cmocka_unit_test(a_message_waits_for_room),
        cmocka_unit_test(its_state_is_small),
    };
    put_plays(tests + OTHERS, plays, COUNT(plays), plays_out);
    return cmocka_run_group_tests_name("front_smtp_message", tests, NULL, NULL);
}
