/* The POP3 front (RFC 1939, with 2449, 2595 and 5034): a gateway between a
 * client and a server until the client has logged in, or until both have
 * turned to TLS.
 *
 * It owns the order of things: one command goes to the server, and its
 * answer comes back, before the next one is looked at. So whatever a client
 * sends ahead waits, and each answer belongs to a question. What a line is,
 * is left to pop3_line.c; what it has in common with IMAP, to
 * mail_dialogue.c.
 *
 * When the gateway upgrades, the server is brought to TLS before the client
 * hears a word: a refusal then takes the place of the greeting, and no client
 * can log in to a server in plain text. */
#include "mail_dialogue.h"
#include "pop3_line.h"

#include <string.h>

static const char own_greeting[] = "+OK ready\r\n";

enum { GREETING_MAX = 512 }; /* RFC 2449 4; in the place of a longer one stands our own */

struct pop3 {
    struct tf_mail_dialogue d;
    enum tf_pop3_verb verb; /* of the command that is under way */
    char greeting[GREETING_MAX];
    size_t greeting_n; /* 0: our own is used */
};

static enum tf_feed not_mail(struct tf_facts *facts, const char *detail)
{
    return tf_mail_fail(facts, TF_REASON_UPSTREAM_NOT_MAIL, detail);
}

static enum tf_feed pass(struct tf_writer *w, struct tf_text line)
{
    tf_put(w, line.p, line.n);
    return TF_FEED_MORE;
}

/* Our own answer to a command. */
static enum tf_feed answer(struct pop3 *m, const struct tf_feed_io *io, const char *text)
{
    tf_put_text(io->to_client, text);
    tf_put_text(io->to_client, "\r\n");
    m->d.phase = TF_MAIL_AT_COMMAND;
    return TF_FEED_MORE;
}

/* The greeting, and STLS with the server. */

/* With a bridge the server's own is of no use: APOP (RFC 1939 7) needs the password that the server knows. */
static void keep_greeting(struct pop3 *m, struct tf_text line)
{
    if (m->d.plan.is_bridge || line.n > sizeof m->greeting)
        return;
    memcpy(m->greeting, line.p, line.n);
    m->greeting_n = line.n;
}

static void greet(struct pop3 *m, const struct tf_feed_io *io)
{
    if (m->greeting_n > 0)
        tf_put(io->to_client, m->greeting, m->greeting_n);
    else
        tf_put_text(io->to_client, own_greeting);
    m->d.phase = TF_MAIL_AT_COMMAND;
}

/* The server has greeted, and its TLS stands. */
static enum tf_feed turn_to_client(struct pop3 *m, const struct tf_feed_io *io)
{
    if (m->d.plan.client_tls == TF_CLIENT_TLS_IMPLICIT) {
        m->d.phase = TF_MAIL_AT_AWAY;
        return TF_FEED_TLS_CLIENT;
    }
    greet(m, io);
    return TF_FEED_MORE;
}

static enum tf_feed take_greeting(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text line)
{
    enum tf_pop3_status status = tf_pop3_read_status(line);
    bool is_heard = m->d.plan.way != TF_MAIL_REPEAT && m->d.plan.client_tls != TF_CLIENT_TLS_IMPLICIT;
    if (status != TF_POP3_OK && status != TF_POP3_ERR)
        return not_mail(facts, "the server does not begin with a POP3 greeting");
    if (status == TF_POP3_ERR && !is_heard)
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, "the server's greeting is -ERR");
    if (status == TF_POP3_ERR || m->d.plan.way == TF_MAIL_FOLLOW) {
        m->d.phase = TF_MAIL_AT_COMMAND;
        pass(io->to_client, line);
        return status == TF_POP3_OK ? TF_FEED_MORE : TF_FEED_CLOSE;
    }
    keep_greeting(m, line);
    if (m->d.plan.is_server_tls)
        return turn_to_client(m, io);
    tf_put_text(io->to_server, "STLS\r\n");
    m->d.phase = TF_MAIL_AT_ASKING;
    return TF_FEED_MORE;
}

/* What the server says. */

static enum tf_feed take_ok(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                            struct tf_text line)
{
    enum tf_pop3_verb verb = m->verb;
    bool is_followed = m->d.plan.way == TF_MAIL_FOLLOW && verb == TF_POP3_STLS;
    if (is_followed && tf_mail_turn_to_tls(&m->d, io, facts, TF_FEED_TLS_CLIENT) == TF_FEED_BAD)
        return TF_FEED_BAD;
    pass(io->to_client, line);
    if (is_followed)
        return TF_FEED_TLS_CLIENT;
    tf_mail_forget_token(&m->d);
    m->d.phase = tf_pop3_is_list(verb) ? TF_MAIL_AT_LIST : TF_MAIL_AT_COMMAND;
    if (verb == TF_POP3_PASS || verb == TF_POP3_APOP || verb == TF_POP3_AUTH)
        return TF_FEED_SWITCH;
    return verb == TF_POP3_QUIT ? TF_FEED_CLOSE : TF_FEED_MORE;
}

static enum tf_feed take_continue(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text line)
{
    if (m->d.phase != TF_MAIL_AT_RESPONSE || m->verb != TF_POP3_AUTH)
        return not_mail(facts, "the server asks for more, and nothing more is to come");
    if (m->d.plan.is_bridge) {
        tf_mail_say_token(&m->d, facts->mailbox, io->to_server);
        return TF_FEED_MORE;
    }
    m->d.phase = TF_MAIL_AT_REPLY;
    return pass(io->to_client, line);
}

static enum tf_feed take_listed(struct pop3 *m, struct tf_feed_io *io, struct tf_text line)
{
    struct tf_mail_offer offer = tf_mail_offer_to_client(&m->d);
    if (tf_text_is(line, ".\r\n"))
        m->d.phase = TF_MAIL_AT_COMMAND;
    if (m->d.plan.way == TF_MAIL_FOLLOW)
        return pass(io->to_client, line);
    tf_pop3_put_listed(io->to_client, m->verb, line, &offer);
    return TF_FEED_MORE;
}

static enum tf_feed hear_server(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                struct tf_text line)
{
    if (m->d.phase == TF_MAIL_AT_GREETING)
        return take_greeting(m, io, facts, line);
    if (m->d.phase == TF_MAIL_AT_LIST)
        return take_listed(m, io, line);
    enum tf_pop3_status status = tf_pop3_read_status(line);
    if (m->d.phase == TF_MAIL_AT_ASKING && status == TF_POP3_OK)
        return tf_mail_turn_to_tls(&m->d, io, facts, TF_FEED_TLS_SERVER);
    if (m->d.phase == TF_MAIL_AT_ASKING && status == TF_POP3_ERR)
        return tf_mail_fail(facts, TF_REASON_NO_STARTTLS, NULL);
    if (status == TF_POP3_CONTINUE)
        return take_continue(m, io, facts, line);
    if (status == TF_POP3_OK && m->d.phase == TF_MAIL_AT_RESPONSE)
        return take_ok(m, io, facts, line);
    if (status != TF_POP3_ERR)
        return not_mail(facts, "the server answers what was not asked");
    /* Unasked, it tells that the server has waited long enough. */
    bool is_answer = m->d.phase == TF_MAIL_AT_RESPONSE;
    bool is_last = is_answer && m->verb == TF_POP3_QUIT;
    if (is_answer && m->d.plan.is_bridge && m->verb == TF_POP3_AUTH) /* which only we have said */
        tf_mail_note_refused_token(facts);
    m->d.phase = TF_MAIL_AT_COMMAND;
    tf_mail_forget_token(&m->d);
    pass(io->to_client, line);
    return is_last ? TF_FEED_CLOSE : TF_FEED_MORE;
}

/* What the client says. */

static enum tf_feed forward(struct pop3 *m, struct tf_feed_io *io, struct tf_text line)
{
    m->d.phase = TF_MAIL_AT_RESPONSE;
    return pass(io->to_server, line);
}

static enum tf_feed bridge(struct pop3 *m, struct tf_feed_io *io, enum tf_login_heard heard)
{
    switch (heard) {
    case TF_LOGIN_PART:
        m->d.phase = TF_MAIL_AT_CHALLENGED;
        return TF_FEED_MORE;
    case TF_LOGIN_ALL:
        m->d.phase = TF_MAIL_AT_AWAY;
        return tf_mail_login_ask(&m->d.auth, io);
    case TF_LOGIN_CANCELLED:
        return answer(m, io, "-ERR the login was given up");
    case TF_LOGIN_MALFORMED:
        return answer(m, io, "-ERR the login is malformed");
    case TF_LOGIN_UNKNOWN:
        break;
    }
    return answer(m, io, "-ERR only USER, and AUTH with PLAIN or LOGIN, are taken");
}

static bool copy_field(struct tf_text field, char out[TF_USER_MAX])
{
    if (field.n == 0 || field.n >= TF_USER_MAX)
        return false;
    memcpy(out, field.p, field.n);
    out[field.n] = '\0';
    return true;
}

static enum tf_feed take_user(struct pop3 *m, struct tf_feed_io *io, struct tf_text name)
{
    return answer(m, io, copy_field(name, m->d.auth.login.user) ? "+OK" : "-ERR this is no user's name");
}

static enum tf_feed take_pass(struct pop3 *m, struct tf_feed_io *io, struct tf_text password)
{
    if (m->d.auth.login.user[0] == '\0')
        return answer(m, io, "-ERR USER comes first");
    bool is_read = copy_field(password, m->d.auth.login.password);
    return bridge(m, io, is_read ? TF_LOGIN_ALL : TF_LOGIN_MALFORMED);
}

static enum tf_feed take_stls(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts)
{
    if (!tf_mail_offer_to_client(&m->d).has_starttls)
        return answer(m, io,
                      m->d.is_client_secure ? "-ERR TLS is there already" : "-ERR this is not offered");
    if (io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    answer(m, io, "+OK Begin TLS negotiation");
    m->d.phase = TF_MAIL_AT_AWAY;
    return TF_FEED_TLS_CLIENT;
}

/* Whether a command may go over the wire in plain text. */
static bool is_harmless(enum tf_pop3_verb verb)
{
    return verb == TF_POP3_NOOP || verb == TF_POP3_CAPA || verb == TF_POP3_QUIT || verb == TF_POP3_STLS;
}

static enum tf_feed take_command(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line)
{
    struct tf_pop3_command c;
    bool is_following = m->d.plan.way == TF_MAIL_FOLLOW;
    if (!tf_pop3_read_command(line, &c))
        return tf_mail_fail(facts, TF_REASON_MAIL_MALFORMED, "a command has no name");
    m->verb = c.verb;
    if (is_following && !is_harmless(c.verb))
        return tf_mail_fail(facts, TF_REASON_MAIL_CLEARTEXT, NULL);
    if (is_following && c.verb == TF_POP3_STLS && io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    if (is_following)
        return forward(m, io, line);
    if (c.verb == TF_POP3_STLS)
        return take_stls(m, io, facts);
    if (!tf_mail_offer_to_client(&m->d).has_login && !is_harmless(c.verb))
        return answer(m, io, "-ERR [SYS/PERM] STLS comes first");
    if (!m->d.plan.is_bridge)
        return forward(m, io, line);
    if (c.verb == TF_POP3_USER)
        return take_user(m, io, c.args);
    if (c.verb == TF_POP3_PASS)
        return take_pass(m, io, c.args);
    if (c.verb == TF_POP3_AUTH)
        return bridge(m, io, tf_mail_login_begin(&m->d.auth, "+ ", c.args, io->to_client));
    if (c.verb == TF_POP3_APOP)
        return bridge(m, io, TF_LOGIN_UNKNOWN);
    bool needs_login = !is_harmless(c.verb) && c.verb != TF_POP3_AUTH_LIST;
    return needs_login ? answer(m, io, "-ERR log in first") : forward(m, io, line);
}

static enum tf_feed hear_client(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                struct tf_text line)
{
    if (m->d.phase == TF_MAIL_AT_REPLY)
        return forward(m, io, line);
    if (m->d.phase == TF_MAIL_AT_CHALLENGED)
        return bridge(m, io, tf_mail_login_line(&m->d.auth, line, io->to_client));
    return take_command(m, io, facts, line);
}

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct pop3 *m = state;
    struct tf_text line;
    enum tf_feed result;
    io->used = 0;
    if (!tf_mail_hear(&m->d, from, io, facts, &line, &result))
        return result;
    result = from == TF_CLIENT ? hear_client(m, io, facts, line) : hear_server(m, io, facts, line);
    if (result == TF_FEED_BAD) /* it has gone nowhere, and still may */
        io->used = 0;
    return result;
}

static enum tf_feed begin(void *state, const struct tf_mail_plan *plan, struct tf_feed_io *io,
                          struct tf_facts *facts)
{
    struct pop3 *m = state;
    (void)io, (void)facts;
    memset(m, 0, sizeof *m); /* it is not always the first time */
    return tf_mail_begin(&m->d, plan);
}

static enum tf_feed secured(void *state, enum tf_side side, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct pop3 *m = state;
    (void)facts;
    if (m->d.plan.way == TF_MAIL_FOLLOW)
        return TF_FEED_SWITCH;
    if (side == TF_SERVER && !m->d.plan.is_server_tls)
        return turn_to_client(m, io);
    if (side == TF_SERVER) {
        m->d.phase = TF_MAIL_AT_GREETING;
        return TF_FEED_MORE;
    }
    m->d.is_client_secure = true;
    m->d.phase = TF_MAIL_AT_COMMAND; /* nobody is greeted anew: RFC 2595 4 */
    if (m->d.plan.client_tls == TF_CLIENT_TLS_IMPLICIT)
        greet(m, io);
    return TF_FEED_MORE;
}

static enum tf_feed logged_in(void *state, bool ok, const char *token, struct tf_feed_io *io,
                              struct tf_facts *facts)
{
    struct pop3 *m = state;
    (void)facts;
    io->used = 0;
    if (!ok)
        return answer(m, io, "-ERR [AUTH] the name or the password is wrong");
    tf_mail_keep_token(&m->d, token);
    tf_put_text(io->to_server, "AUTH XOAUTH2\r\n");
    m->verb = TF_POP3_AUTH;
    m->d.phase = TF_MAIL_AT_RESPONSE;
    return TF_FEED_MORE;
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    (void)state;
    tf_mail_refuse(to_client, "-ERR ", facts);
}

const struct tf_front tf_front_pop3 = {.name = "pop3",
                                       .state_size = sizeof(struct pop3),
                                       .feed = feed,
                                       .begin = begin,
                                       .secured = secured,
                                       .logged_in = logged_in,
                                       .refuse = refuse};
