/* The half of an IMAP dialogue that hears the client: which commands go to
 * the server, which are answered here, and which end it all; see
 * imap_dialogue.h. */
#include "imap_dialogue.h"

#include <string.h>

static enum tf_feed malformed(struct tf_facts *facts, const char *detail)
{
    return tf_mail_fail(facts, TF_REASON_MAIL_MALFORMED, detail);
}

bool tf_imap_keep(struct tf_imap *m, struct tf_text text)
{
    if (text.n > sizeof m->kept - m->kept_n)
        return false;
    memcpy(m->kept + m->kept_n, text.p, text.n);
    m->kept_n += text.n;
    return true;
}

void tf_imap_end_command(struct tf_imap *m)
{
    m->d.phase = TF_MAIL_AT_COMMAND;
    m->verb = TF_IMAP_OTHER;
    m->tag[0] = '\0';
    tf_mail_forget_token(&m->d);
}

enum tf_feed tf_imap_answer(struct tf_imap *m, const struct tf_feed_io *io, const char *text)
{
    tf_put_text(io->to_client, m->tag);
    tf_put_char(io->to_client, ' ');
    tf_put_text(io->to_client, text);
    tf_put_text(io->to_client, "\r\n");
    tf_imap_end_command(m);
    return TF_FEED_MORE;
}

static void expect(struct tf_imap *m, const struct tf_imap_literal *literal)
{
    m->is_rest[TF_CLIENT] = literal->is_there;
    m->literal[TF_CLIENT] = literal->n;
}

static enum tf_feed forward(struct tf_imap *m, struct tf_feed_io *io, struct tf_text line,
                            const struct tf_imap_literal *literal)
{
    tf_put(io->to_server, line.p, line.n);
    expect(m, literal);
    if (!literal->is_there)
        m->d.phase = TF_MAIL_AT_RESPONSE;
    else
        m->d.phase = literal->is_awaited ? TF_MAIL_AT_LITERAL : TF_MAIL_AT_COMMAND;
    return TF_FEED_MORE;
}

static enum tf_feed bridge(struct tf_imap *m, struct tf_feed_io *io, enum tf_login_heard heard)
{
    switch (heard) {
    case TF_LOGIN_PART:
        m->d.phase = TF_MAIL_AT_CHALLENGED;
        return TF_FEED_MORE;
    case TF_LOGIN_ALL:
        m->d.phase = TF_MAIL_AT_AWAY;
        return tf_mail_login_ask(&m->d.auth, io);
    case TF_LOGIN_CANCELLED:
        return tf_imap_answer(m, io, "BAD the login was given up");
    case TF_LOGIN_MALFORMED:
        return tf_imap_answer(m, io, "BAD the login is malformed");
    case TF_LOGIN_UNKNOWN:
        break;
    }
    return tf_imap_answer(m, io, "NO [CANNOT] only PLAIN and LOGIN are taken");
}

/* Whether the command is a LOGIN that the bridge is to have: its pieces are put together, and then read. */
static bool is_collecting(const struct tf_imap *m)
{
    return m->d.plan.is_bridge && m->verb == TF_IMAP_LOGIN;
}

static void wipe_kept(struct tf_imap *m)
{
    tf_wipe(m->kept, m->kept_n);
    m->kept_n = 0;
}

static enum tf_feed collect(struct tf_imap *m, struct tf_facts *facts, struct tf_text piece)
{
    if (tf_imap_keep(m, piece))
        return TF_FEED_MORE;
    wipe_kept(m);
    return malformed(facts, "the name and the password are too long");
}

static enum tf_feed collect_line(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line, const struct tf_imap_literal *literal)
{
    enum tf_feed result = collect(m, facts, line);
    if (result != TF_FEED_MORE)
        return result;
    expect(m, literal);
    if (literal->is_awaited)
        tf_put_text(io->to_client, "+ \r\n");
    if (literal->is_there)
        return TF_FEED_MORE;
    bool is_read = tf_imap_read_login((struct tf_text){m->kept, m->kept_n}, &m->d.auth.login);
    wipe_kept(m);
    return bridge(m, io, is_read ? TF_LOGIN_ALL : TF_LOGIN_MALFORMED);
}

enum tf_feed tf_imap_hear_literal(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text bytes)
{
    if (is_collecting(m))
        return collect(m, facts, bytes);
    tf_put(io->to_server, bytes.p, bytes.n);
    return TF_FEED_MORE;
}

static enum tf_feed take_starttls(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  const struct tf_imap_command *c)
{
    if (!tf_mail_offer_to_client(&m->d).has_starttls || c->args.n > 0)
        return tf_imap_answer(m, io,
                              m->d.is_client_secure ? "BAD TLS is there already" : "BAD this is not offered");
    if (io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    tf_imap_answer(m, io, "OK Begin TLS negotiation now");
    m->d.phase = TF_MAIL_AT_AWAY;
    return TF_FEED_TLS_CLIENT;
}

/* Whether a command may go over the wire in plain text. */
static bool is_harmless(enum tf_imap_verb verb)
{
    return verb == TF_IMAP_HARMLESS || verb == TF_IMAP_LOGOUT || verb == TF_IMAP_STARTTLS;
}

/* A command while the gateway follows: both sides are in plain text. */
static enum tf_feed follow(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                           struct tf_text line, const struct tf_imap_literal *literal)
{
    if (!is_harmless(m->verb) || literal->is_there)
        return tf_mail_fail(facts, TF_REASON_MAIL_CLEARTEXT, NULL);
    if (m->verb == TF_IMAP_STARTTLS && io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_COMMAND_INJECTION, NULL);
    return forward(m, io, line, literal);
}

/* A literal that is not awaited comes whatever we answer. */
static enum tf_feed refuse_command(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                   const struct tf_imap_literal *literal, const char *text)
{
    if (literal->is_there && !literal->is_awaited)
        return malformed(facts, "a literal comes before STARTTLS, or before a login");
    return tf_imap_answer(m, io, text);
}

static enum tf_feed take_command(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line, const struct tf_imap_literal *literal)
{
    struct tf_imap_command c;
    if (!tf_imap_read_command(line, &c))
        return malformed(facts, "a command has no tag, or no name");
    memcpy(m->tag, c.tag.p, c.tag.n);
    m->tag[c.tag.n] = '\0';
    m->verb = c.verb;
    if (m->d.plan.way == TF_MAIL_FOLLOW)
        return follow(m, io, facts, line, literal);
    if (c.verb == TF_IMAP_STARTTLS)
        return take_starttls(m, io, facts, &c);
    if (!tf_mail_offer_to_client(&m->d).has_login && !is_harmless(c.verb))
        return refuse_command(m, io, facts, literal, "NO [PRIVACYREQUIRED] STARTTLS comes first");
    if (is_collecting(m)) {
        struct tf_text args = {c.args.p, (size_t)(line.p + line.n - c.args.p)};
        return collect_line(m, io, facts, args, literal);
    }
    if (c.verb == TF_IMAP_AUTHENTICATE && m->d.plan.is_bridge)
        return bridge(m, io, tf_mail_login_begin(&m->d.auth, "+ ", c.args, io->to_client));
    /* A server that does not know literals would take one for the next command. */
    if (m->d.plan.is_bridge && (!is_harmless(c.verb) || literal->is_there))
        return refuse_command(m, io, facts, literal, "BAD log in first");
    return forward(m, io, line, literal);
}

enum tf_feed tf_imap_hear_client(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line)
{
    struct tf_imap_literal literal;
    if (m->d.phase == TF_MAIL_AT_REPLY) {
        tf_put(io->to_server, line.p, line.n);
        m->d.phase = TF_MAIL_AT_RESPONSE;
        return TF_FEED_MORE;
    }
    if (m->d.phase == TF_MAIL_AT_CHALLENGED)
        return bridge(m, io, tf_mail_login_line(&m->d.auth, line, io->to_client));
    if (!tf_imap_read_literal(line, m->d.plan.line_max, &literal))
        return malformed(facts, "a literal is too long");
    if (!m->is_rest[TF_CLIENT])
        return take_command(m, io, facts, line, &literal);
    return is_collecting(m) ? collect_line(m, io, facts, line, &literal) : forward(m, io, line, &literal);
}
