/* The POP3 front (RFC 1939, with 2449, 2595 and 5034): a gateway between a
 * client and a server until the client has logged in, or until both have
 * turned to TLS.
 *
 * It owns the order of things: one command goes to the server, and its
 * answer comes back, before the next one is looked at. So whatever a client
 * sends ahead waits, and each answer belongs to a question. What a line is,
 * is left to pop3_line.c; logins that become OAuth, to mail_bridge.c.
 *
 * When the gateway upgrades, the server is brought to TLS before the client
 * hears a word: a refusal then takes the place of the greeting, and no client
 * can log in to a server in plain text. */
#include "mail_bridge.h"
#include "pop3_line.h"

#include <string.h>

static const char own_greeting[] = "+OK ready\r\n";

enum { GREETING_MAX = 512 }; /* RFC 2449 4; in the place of a longer one stands our own */

enum phase {
    PHASE_GREETING,  /* the server's greeting is to come */
    PHASE_ASKING,    /* our own STLS is to be answered */
    PHASE_AWAY,      /* the session is busy with TLS or a login: nothing is looked at */
    PHASE_COMMAND,   /* the client's next command */
    PHASE_RESPONSE,  /* the server's answer */
    PHASE_LIST,      /* the list behind it */
    PHASE_REPLY,     /* the client's answer to the server's challenge */
    PHASE_CHALLENGED /* the client's answer to our own */
};

struct pop3 {
    struct tf_mail_plan plan;
    enum phase phase;
    bool is_client_secure;
    enum tf_pop3_verb verb; /* of the command that is under way */
    char greeting[GREETING_MAX];
    size_t greeting_n; /* 0: our own is used */
    struct tf_bridge bridge;
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
    m->phase = PHASE_COMMAND;
    return TF_FEED_MORE;
}

/* The greeting, and STLS with the server. */

/* With a bridge the server's own is of no use: APOP (RFC 1939 7) needs the password that the server knows. */
static void keep_greeting(struct pop3 *m, struct tf_text line)
{
    if (m->plan.is_bridge || line.n > sizeof m->greeting)
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
    m->phase = PHASE_COMMAND;
}

/* The server has greeted, and its TLS stands. */
static enum tf_feed turn_to_client(struct pop3 *m, const struct tf_feed_io *io)
{
    if (m->plan.client_tls == TF_CLIENT_TLS_IMPLICIT) {
        m->phase = PHASE_AWAY;
        return TF_FEED_TLS_CLIENT;
    }
    greet(m, io);
    return TF_FEED_MORE;
}

static enum tf_feed take_greeting(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text line)
{
    enum tf_pop3_status status = tf_pop3_read_status(line);
    bool is_heard = m->plan.way != TF_MAIL_REPEAT && m->plan.client_tls != TF_CLIENT_TLS_IMPLICIT;
    if (status != TF_POP3_OK && status != TF_POP3_ERR)
        return not_mail(facts, "the server does not begin with a POP3 greeting");
    if (status == TF_POP3_ERR && !is_heard)
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, "the server's greeting is -ERR");
    if (status == TF_POP3_ERR || m->plan.way == TF_MAIL_FOLLOW) {
        m->phase = PHASE_COMMAND;
        pass(io->to_client, line);
        return status == TF_POP3_OK ? TF_FEED_MORE : TF_FEED_CLOSE;
    }
    keep_greeting(m, line);
    if (m->plan.is_server_tls)
        return turn_to_client(m, io);
    tf_put_text(io->to_server, "STLS\r\n");
    m->phase = PHASE_ASKING;
    return TF_FEED_MORE;
}

/* The server agrees to TLS, with us or with the client. What it has sent behind that is not inside TLS. */
static enum tf_feed turn_to_tls(struct pop3 *m, const struct tf_feed_io *io, struct tf_facts *facts,
                                enum tf_feed next)
{
    if (io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_RESPONSE_INJECTION, NULL);
    m->phase = PHASE_AWAY;
    return next;
}

/* What the server says. */

static enum tf_feed take_ok(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                            struct tf_text line)
{
    enum tf_pop3_verb verb = m->verb;
    bool is_followed = m->plan.way == TF_MAIL_FOLLOW && verb == TF_POP3_STLS;
    if (is_followed && turn_to_tls(m, io, facts, TF_FEED_TLS_CLIENT) == TF_FEED_BAD)
        return TF_FEED_BAD;
    pass(io->to_client, line);
    if (is_followed)
        return TF_FEED_TLS_CLIENT;
    tf_bridge_forget_token(&m->bridge);
    m->phase = tf_pop3_is_list(verb) ? PHASE_LIST : PHASE_COMMAND;
    if (verb == TF_POP3_PASS || verb == TF_POP3_APOP || verb == TF_POP3_AUTH)
        return TF_FEED_SWITCH;
    return verb == TF_POP3_QUIT ? TF_FEED_CLOSE : TF_FEED_MORE;
}

static enum tf_feed take_continue(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text line)
{
    if (m->phase != PHASE_RESPONSE || m->verb != TF_POP3_AUTH)
        return not_mail(facts, "the server asks for more, and nothing more is to come");
    if (m->plan.is_bridge) {
        tf_bridge_answer(&m->bridge, facts->user, io->to_server);
        return TF_FEED_MORE;
    }
    m->phase = PHASE_REPLY;
    return pass(io->to_client, line);
}

static enum tf_feed take_listed(struct pop3 *m, struct tf_feed_io *io, struct tf_text line)
{
    struct tf_mail_offer offer = tf_mail_offer_of(&m->plan, m->is_client_secure);
    if (tf_text_is(line, ".\r\n"))
        m->phase = PHASE_COMMAND;
    if (m->plan.way == TF_MAIL_FOLLOW)
        return pass(io->to_client, line);
    tf_pop3_put_listed(io->to_client, m->verb, line, &offer);
    return TF_FEED_MORE;
}

static enum tf_feed hear_server(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                struct tf_text line)
{
    if (m->phase == PHASE_GREETING)
        return take_greeting(m, io, facts, line);
    if (m->phase == PHASE_LIST)
        return take_listed(m, io, line);
    enum tf_pop3_status status = tf_pop3_read_status(line);
    if (m->phase == PHASE_ASKING && status == TF_POP3_OK)
        return turn_to_tls(m, io, facts, TF_FEED_TLS_SERVER);
    if (m->phase == PHASE_ASKING && status == TF_POP3_ERR)
        return tf_mail_fail(facts, TF_REASON_NO_STARTTLS, NULL);
    if (status == TF_POP3_CONTINUE)
        return take_continue(m, io, facts, line);
    if (status == TF_POP3_OK && m->phase == PHASE_RESPONSE)
        return take_ok(m, io, facts, line);
    if (status != TF_POP3_ERR)
        return not_mail(facts, "the server answers what was not asked");
    /* Unasked, it tells that the server has waited long enough. */
    bool is_answer = m->phase == PHASE_RESPONSE;
    bool is_last = is_answer && m->verb == TF_POP3_QUIT;
    facts->is_token_refused = is_answer && m->plan.is_bridge && m->verb == TF_POP3_AUTH;
    m->phase = PHASE_COMMAND;
    tf_bridge_forget_token(&m->bridge);
    pass(io->to_client, line);
    return is_last ? TF_FEED_CLOSE : TF_FEED_MORE;
}

/* What the client says. */

static enum tf_feed forward(struct pop3 *m, struct tf_feed_io *io, struct tf_text line)
{
    m->phase = PHASE_RESPONSE;
    return pass(io->to_server, line);
}

static enum tf_feed bridge(struct pop3 *m, struct tf_feed_io *io, enum tf_bridge_result result)
{
    switch (result) {
    case TF_BRIDGE_ASKED:
        m->phase = PHASE_CHALLENGED;
        return TF_FEED_MORE;
    case TF_BRIDGE_READY:
        m->phase = PHASE_AWAY;
        return tf_bridge_ask(&m->bridge, io);
    case TF_BRIDGE_CANCELLED:
        return answer(m, io, "-ERR the login was given up");
    case TF_BRIDGE_MALFORMED:
        return answer(m, io, "-ERR the login is malformed");
    case TF_BRIDGE_UNKNOWN:
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
    return answer(m, io, copy_field(name, m->bridge.login.user) ? "+OK" : "-ERR this is no user's name");
}

static enum tf_feed take_pass(struct pop3 *m, struct tf_feed_io *io, struct tf_text password)
{
    if (m->bridge.login.user[0] == '\0')
        return answer(m, io, "-ERR USER comes first");
    bool is_read = copy_field(password, m->bridge.login.password);
    return bridge(m, io, is_read ? TF_BRIDGE_READY : TF_BRIDGE_MALFORMED);
}

static enum tf_feed take_stls(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts)
{
    if (!tf_mail_offer_of(&m->plan, m->is_client_secure).has_starttls)
        return answer(m, io, m->is_client_secure ? "-ERR TLS is there already" : "-ERR this is not offered");
    if (io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    answer(m, io, "+OK Begin TLS negotiation");
    m->phase = PHASE_AWAY;
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
    bool is_following = m->plan.way == TF_MAIL_FOLLOW;
    if (!tf_pop3_read_command(line, &c))
        return tf_mail_fail(facts, TF_REASON_MAIL_MALFORMED, "a command has no name");
    m->verb = c.verb;
    if (is_following && !is_harmless(c.verb))
        return tf_mail_cleartext(io, facts, NULL);
    if (is_following && c.verb == TF_POP3_STLS && io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    if (is_following)
        return forward(m, io, line);
    if (c.verb == TF_POP3_STLS)
        return take_stls(m, io, facts);
    if (!tf_mail_offer_of(&m->plan, m->is_client_secure).has_login && !is_harmless(c.verb))
        return answer(m, io, "-ERR [SYS/PERM] STLS comes first");
    if (!m->plan.is_bridge)
        return forward(m, io, line);
    if (c.verb == TF_POP3_USER)
        return take_user(m, io, c.args);
    if (c.verb == TF_POP3_PASS)
        return take_pass(m, io, c.args);
    if (c.verb == TF_POP3_AUTH)
        return bridge(m, io, tf_bridge_begin(&m->bridge, c.args, io->to_client));
    return c.verb == TF_POP3_APOP ? bridge(m, io, TF_BRIDGE_UNKNOWN) : forward(m, io, line);
}

static enum tf_feed hear_client(struct pop3 *m, struct tf_feed_io *io, struct tf_facts *facts,
                                struct tf_text line)
{
    if (m->phase == PHASE_REPLY)
        return forward(m, io, line);
    if (m->phase == PHASE_CHALLENGED)
        return bridge(m, io, tf_bridge_line(&m->bridge, line, io->to_client));
    return take_command(m, io, facts, line);
}

/* Whose turn it is. */

static bool is_turn_of(const struct pop3 *m, enum tf_side side)
{
    switch (m->phase) {
    case PHASE_AWAY:
        return false;
    case PHASE_GREETING:
    case PHASE_ASKING:
    case PHASE_RESPONSE:
    case PHASE_LIST:
        return side == TF_SERVER;
    case PHASE_COMMAND:
    case PHASE_REPLY:
    case PHASE_CHALLENGED:
        break; /* a server may give up waiting */
    }
    return true;
}

/* A side has sent its last byte, and what is left is no line. */
static enum tf_feed take_end(const struct pop3 *m, enum tf_side from, struct tf_feed_io *io,
                             struct tf_facts *facts)
{
    if (from == TF_CLIENT)
        return TF_FEED_CLOSE;
    if (m->phase == PHASE_GREETING || m->phase == PHASE_ASKING)
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, NULL);
    tf_put(io->to_client, io->in.p, io->in.n);
    io->used = io->in.n;
    return TF_FEED_CLOSE;
}

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct pop3 *m = state;
    struct tf_text line;
    io->used = 0;
    if (!tf_mail_has_room(io, m->plan.line_max))
        return TF_FEED_MORE;
    if (!is_turn_of(m, from))
        return io->eof && io->in.n == 0 ? TF_FEED_CLOSE : TF_FEED_MORE;
    switch (tf_mail_line_take(io->in, m->plan.line_max, &line)) {
    case TF_MAIL_LINE_MORE:
        return io->eof ? take_end(m, from, io, facts) : TF_FEED_MORE;
    case TF_MAIL_LINE_BAD:
        return tf_mail_fail(facts, from == TF_CLIENT ? TF_REASON_MAIL_MALFORMED : TF_REASON_UPSTREAM_NOT_MAIL,
                            NULL);
    case TF_MAIL_LINE_DONE:
        break;
    }
    io->used = line.n;
    enum tf_feed result =
        from == TF_CLIENT ? hear_client(m, io, facts, line) : hear_server(m, io, facts, line);
    if (result == TF_FEED_BAD) /* it has gone nowhere, and still may */
        io->used = 0;
    return result;
}

static enum tf_feed begin(void *state, const struct tf_mail_plan *plan, struct tf_feed_io *io,
                          struct tf_facts *facts)
{
    struct pop3 *m = state;
    (void)io, (void)facts;
    *m = (struct pop3){.plan = *plan, .phase = PHASE_GREETING};
    if (!plan->is_server_tls)
        return TF_FEED_MORE;
    m->phase = PHASE_AWAY;
    return TF_FEED_TLS_SERVER;
}

static enum tf_feed secured(void *state, enum tf_side side, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct pop3 *m = state;
    (void)facts;
    if (m->plan.way == TF_MAIL_FOLLOW)
        return TF_FEED_SWITCH;
    if (side == TF_SERVER && !m->plan.is_server_tls)
        return turn_to_client(m, io);
    if (side == TF_SERVER) {
        m->phase = PHASE_GREETING;
        return TF_FEED_MORE;
    }
    m->is_client_secure = true;
    m->phase = PHASE_COMMAND; /* nobody is greeted anew: RFC 2595 4 */
    if (m->plan.client_tls == TF_CLIENT_TLS_IMPLICIT)
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
    tf_bridge_take_token(&m->bridge, token);
    tf_put_text(io->to_server, "AUTH XOAUTH2\r\n");
    m->verb = TF_POP3_AUTH;
    m->phase = PHASE_RESPONSE;
    return TF_FEED_MORE;
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    (void)state;
    tf_put_text(to_client, "-ERR ");
    tf_put_text(to_client, tf_reason_info(facts->reason)->sentence);
    tf_put_text(to_client, "\r\n");
}

const struct tf_front tf_front_pop3 = {.name = "pop3",
                                       .state_size = sizeof(struct pop3),
                                       .feed = feed,
                                       .begin = begin,
                                       .secured = secured,
                                       .logged_in = logged_in,
                                       .refuse = refuse};
