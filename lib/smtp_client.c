/* What an SMTP client says, and what becomes of it; see smtp_state.h. */
#include "mail_line.h"
#include "smtp_line.h"
#include "smtp_state.h"

#include <assert.h>
#include <string.h>

static void reply(struct tf_feed_io *io, const char *line)
{
    tf_put_text(io->to_client, line);
    tf_put_text(io->to_client, "\r\n");
}

/* The line goes to the server as it is. */
static enum tf_feed pass(struct tf_smtp *s, struct tf_text line, enum tf_smtp_phase next,
                         struct tf_feed_io *io)
{
    tf_put(io->to_server, line.p, line.n);
    io->used += line.n;
    s->phase = next;
    return TF_FEED_MORE;
}

/* We answer it. */
static enum tf_feed answer(struct tf_text line, const char *text, struct tf_feed_io *io)
{
    io->used += line.n;
    reply(io, text);
    return TF_FEED_MORE;
}

static bool is_anything_behind(const struct tf_feed_io *io, struct tf_text line)
{
    return tf_mail_rest(io).n > line.n;
}

/* TF_MAIL_FOLLOW. Until TLS only what tells nobody's secrets and moves no mail. */
static enum tf_feed follow(struct tf_smtp *s, enum tf_smtp_verb verb, struct tf_text line,
                           struct tf_feed_io *io, struct tf_facts *facts)
{
    switch (verb) {
    case TF_SMTP_EHLO:
    case TF_SMTP_HELO:
    case TF_SMTP_NOOP:
    case TF_SMTP_RSET:
    case TF_SMTP_HELP:
        return pass(s, line, TF_SMTP_AT_REPLY, io);
    case TF_SMTP_QUIT:
        return pass(s, line, TF_SMTP_AT_GOODBYE, io);
    case TF_SMTP_STARTTLS:
        if (is_anything_behind(io, line))
            return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
        return pass(s, line, TF_SMTP_AT_FOLLOWED, io);
    case TF_SMTP_AUTH:
    case TF_SMTP_DATA:
    case TF_SMTP_BDAT:
    case TF_SMTP_BARRED:
    case TF_SMTP_OTHER:
        break;
    }
    return tf_mail_fail(facts, TF_REASON_MAIL_CLEARTEXT, NULL);
}

static enum tf_feed take_ehlo(struct tf_smtp *s, const struct tf_smtp_command *command, struct tf_text line,
                              struct tf_feed_io *io)
{
    struct tf_text name = command->argument;
    if (name.n >= sizeof s->name)
        return answer(line, "501 5.5.4 The name is too long", io);
    io->used += line.n;
    s->is_helo = command->verb == TF_SMTP_HELO;
    memcpy(s->name, name.p, name.n);
    s->name[name.n] = '\0';
    tf_smtp_say_ehlo(s, io->to_server, s->is_tls[TF_SERVER] ? TF_SMTP_AT_EHLO : TF_SMTP_AT_OFFER);
    return TF_FEED_MORE;
}

/* Without TLS on the server's side there is nobody whose name we could bear towards the client. */
static enum tf_feed take_starttls(struct tf_smtp *s, struct tf_text line, struct tf_feed_io *io,
                                  struct tf_facts *facts)
{
    if (s->is_tls[TF_CLIENT])
        return answer(line, "503 5.5.1 TLS stands already", io);
    if (!s->has_greeted)
        return answer(line, "503 5.5.1 EHLO first", io);
    if (s->plan.client_tls == TF_CLIENT_TLS_NONE || !s->is_tls[TF_SERVER])
        return answer(line, "502 5.5.1 STARTTLS is not offered", io);
    if (is_anything_behind(io, line))
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    answer(line, "220 2.0.0 Ready to start TLS", io);
    s->phase = TF_SMTP_AT_HANDSHAKE;
    return TF_FEED_TLS_CLIENT;
}

/* The whole of a login has been heard. */
static enum tf_feed use_login(struct tf_smtp *s, struct tf_feed_io *io)
{
    if (s->plan.is_bridge) {
        s->phase = TF_SMTP_AT_LOGIN;
        return tf_mail_login_ask(&s->auth, io);
    }
    s->phase = TF_SMTP_AT_SAYING;
    tf_smtp_auth_say(&s->auth, &s->offer, io->to_server);
    return TF_FEED_MORE;
}

/* What becomes of a login, as far as it has been heard. */
static enum tf_feed go_on_with_login(struct tf_smtp *s, enum tf_login_heard heard, struct tf_feed_io *io)
{
    s->phase = TF_SMTP_AT_COMMAND;
    switch (heard) {
    case TF_LOGIN_PART:
        s->phase = TF_SMTP_AT_CREDENTIALS;
        break;
    case TF_LOGIN_ALL:
        return use_login(s, io);
    case TF_LOGIN_CANCELLED:
        reply(io, "501 5.7.0 Authentication cancelled");
        break;
    case TF_LOGIN_MALFORMED:
        reply(io, "501 5.5.2 That is no user and password in base64");
        break;
    case TF_LOGIN_UNKNOWN:
        assert(false); /* take_auth has looked at it */
    }
    return TF_FEED_MORE;
}

/* "AUTH" SP mechanism [ SP initial-response ]   (RFC 4954 4) */
static enum tf_feed take_auth(struct tf_smtp *s, struct tf_text argument, struct tf_text line,
                              struct tf_feed_io *io)
{
    struct tf_text rest = argument;
    struct tf_text mechanism = tf_mail_word(&rest);
    bool is_ours = tf_mail_login_takes(mechanism);
    bool can_say = s->plan.is_bridge ? s->offer.xoauth2 : s->offer.plain || s->offer.login;
    bool can_pass = !s->plan.is_bridge && tf_mail_mechanism_holds(mechanism);
    if (is_ours ? !can_say : !can_pass)
        return answer(line, "504 5.5.4 That mechanism is not offered", io);
    if (!is_ours)
        return pass(s, line, TF_SMTP_AT_CHALLENGE, io);
    io->used += line.n;
    return go_on_with_login(s, tf_mail_login_begin(&s->auth, "334 ", argument, io->to_client), io);
}

static enum tf_feed take_bdat(struct tf_smtp *s, struct tf_text argument, struct tf_text line,
                              struct tf_feed_io *io, struct tf_facts *facts)
{
    if (!tf_smtp_read_chunk(argument, &s->chunk_left)) /* who knows where its bytes end? */
        return tf_mail_fail(facts, TF_REASON_MAIL_MALFORMED, NULL);
    s->is_answered = false;
    return pass(s, line, s->chunk_left > 0 ? TF_SMTP_AT_CHUNK : TF_SMTP_AT_REPLY, io);
}

/* Why a command cannot be had now; NULL: it can. */
static const char *objection(const struct tf_smtp *s, enum tf_smtp_verb verb)
{
    switch (verb) {
    case TF_SMTP_EHLO:
    case TF_SMTP_HELO:
    case TF_SMTP_NOOP:
    case TF_SMTP_RSET:
    case TF_SMTP_HELP:
    case TF_SMTP_QUIT:
    case TF_SMTP_STARTTLS:
        return NULL;
    case TF_SMTP_BARRED:
        return "502 5.5.1 Command not implemented";
    case TF_SMTP_AUTH:
    case TF_SMTP_DATA:
    case TF_SMTP_BDAT:
    case TF_SMTP_OTHER:
        break;
    }
    if (s->plan.client_tls == TF_CLIENT_TLS_STARTTLS && !s->is_tls[TF_CLIENT])
        return "530 5.7.0 Must issue a STARTTLS command first";
    if (!s->has_greeted)
        return "503 5.5.1 EHLO or HELO first";
    if (verb == TF_SMTP_AUTH && !s->is_tls[TF_SERVER])
        return "538 5.7.11 Encryption required for requested authentication mechanism";
    if (verb == TF_SMTP_AUTH)
        return s->has_logged_in ? "503 5.5.1 Logged in already" : NULL;
    /* Mail that goes without a login may still be taken: for the gateway's address, or its certificate. */
    return s->plan.is_bridge && !s->has_logged_in ? "530 5.7.0 Authentication required" : NULL;
}

/* Of those that are always welcome, these are ours to answer until there is a server that has been greeted.
 */
static enum tf_feed answer_early(enum tf_smtp_verb verb, struct tf_text line, struct tf_feed_io *io)
{
    if (verb == TF_SMTP_HELP)
        return answer(line, "214 2.0.0 EHLO first", io);
    if (verb != TF_SMTP_QUIT)
        return answer(line, "250 2.0.0 Ok", io);
    answer(line, "221 2.0.0 Bye", io);
    return TF_FEED_CLOSE;
}

/* TF_MAIL_UPGRADE */
static enum tf_feed converse(struct tf_smtp *s, const struct tf_smtp_command *command, struct tf_text line,
                             struct tf_feed_io *io, struct tf_facts *facts)
{
    const char *no = objection(s, command->verb);
    if (no != NULL)
        return answer(line, no, io);
    switch (command->verb) {
    case TF_SMTP_EHLO:
    case TF_SMTP_HELO:
        return take_ehlo(s, command, line, io);
    case TF_SMTP_STARTTLS:
        return take_starttls(s, line, io, facts);
    case TF_SMTP_AUTH:
        return take_auth(s, command->argument, line, io);
    case TF_SMTP_DATA:
        return pass(s, line, TF_SMTP_AT_DATA_REPLY, io);
    case TF_SMTP_BDAT:
        return take_bdat(s, command->argument, line, io, facts);
    case TF_SMTP_NOOP:
    case TF_SMTP_RSET:
    case TF_SMTP_HELP:
    case TF_SMTP_QUIT:
        if (!s->has_greeted)
            return answer_early(command->verb, line, io);
        break;
    case TF_SMTP_BARRED:
    case TF_SMTP_OTHER:
        break;
    }
    return pass(s, line, command->verb == TF_SMTP_QUIT ? TF_SMTP_AT_GOODBYE : TF_SMTP_AT_REPLY, io);
}

/* TLS, or worse, where a command belongs. */
static bool is_binary(struct tf_text line)
{
    for (size_t i = 0; i + 2 < line.n; i++) { /* up to its CRLF */
        uint8_t c = (uint8_t)line.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static void keep_greeting(const struct tf_smtp_command *command, struct tf_facts *facts)
{
    struct tf_text name = command->argument;
    if (command->verb != TF_SMTP_EHLO && command->verb != TF_SMTP_HELO)
        return;
    size_t n = name.n < sizeof facts->greeting ? name.n : sizeof facts->greeting - 1;
    memcpy(facts->greeting, name.p, n);
    facts->greeting[n] = '\0';
}

static enum tf_feed take_line(struct tf_smtp *s, struct tf_text line, struct tf_feed_io *io,
                              struct tf_facts *facts)
{
    if (s->phase == TF_SMTP_AT_RESPONSE)
        return pass(s, line, TF_SMTP_AT_CHALLENGE, io);
    if (s->phase == TF_SMTP_AT_CREDENTIALS) {
        io->used += line.n;
        return go_on_with_login(s, tf_mail_login_line(&s->auth, line, io->to_client), io);
    }
    struct tf_smtp_command command = tf_smtp_read_command(line);
    keep_greeting(&command, facts);
    if (s->plan.way == TF_MAIL_FOLLOW)
        return follow(s, command.verb, line, io, facts);
    return converse(s, &command, line, io, facts);
}

static enum tf_feed hear_line(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_text line;
    switch (tf_mail_line_take(tf_mail_rest(io), s->plan.line_max, &line)) {
    case TF_MAIL_LINE_DONE:
        if (!is_binary(line))
            return take_line(s, line, io, facts);
        break;
    case TF_MAIL_LINE_MORE:
        return io->eof ? TF_FEED_CLOSE : TF_FEED_MORE;
    case TF_MAIL_LINE_BAD:
        break;
    }
    return tf_mail_not_spoken(io, facts);
}

/* So much of these bytes is the chunk's. */
static size_t take_chunk(uint64_t *left, size_t n)
{
    size_t taken = n < *left ? n : (size_t)*left;
    *left -= taken;
    return taken;
}

/* Not a byte of a message is looked at but for its end. */
static enum tf_feed pass_content(struct tf_smtp *s, struct tf_feed_io *io)
{
    struct tf_span in = tf_mail_rest(io);
    size_t room = io->to_server->cap - io->to_server->len;
    bool is_chunk = s->phase == TF_SMTP_AT_CHUNK;
    if (in.n == 0)
        return io->eof ? TF_FEED_CLOSE : TF_FEED_MORE;
    in.n = in.n < room ? in.n : room;
    size_t n = is_chunk ? take_chunk(&s->chunk_left, in.n) : tf_smtp_data_scan(&s->data, in);
    tf_put(io->to_server, in.p, n);
    io->used += n;
    if (is_chunk ? s->chunk_left == 0 : s->data == TF_SMTP_DATA_OVER)
        s->phase = s->is_answered ? TF_SMTP_AT_COMMAND : TF_SMTP_AT_REPLY;
    return TF_FEED_MORE;
}

enum tf_feed tf_smtp_hear_client(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts)
{
    switch (s->phase) {
    case TF_SMTP_AT_COMMAND:
    case TF_SMTP_AT_CREDENTIALS:
    case TF_SMTP_AT_RESPONSE:
        return hear_line(s, io, facts);
    case TF_SMTP_AT_DATA:
    case TF_SMTP_AT_CHUNK:
        return pass_content(s, io);
    case TF_SMTP_AT_FOLLOWED:
        return tf_mail_rest(io).n > 0 ? tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL) : TF_FEED_MORE;
    case TF_SMTP_AT_GREETING:
    case TF_SMTP_AT_OFFER:
    case TF_SMTP_AT_CONSENT:
    case TF_SMTP_AT_HANDSHAKE:
    case TF_SMTP_AT_EHLO:
    case TF_SMTP_AT_REPLY:
    case TF_SMTP_AT_GOODBYE:
    case TF_SMTP_AT_DATA_REPLY:
    case TF_SMTP_AT_LOGIN:
    case TF_SMTP_AT_SAYING:
    case TF_SMTP_AT_CHALLENGE:
        break; /* it is somebody else's turn */
    }
    return TF_FEED_MORE;
}
