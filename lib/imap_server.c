/* The half of an IMAP dialogue that hears the server: its greeting, its TLS,
 * and its responses to the client's commands; see imap_dialogue.h. */
#include "imap_dialogue.h"

static const char own_tag[] = "T1";
static const char own_greeting[] = "* OK IMAP4rev1 ready\r\n";

static enum tf_feed not_mail(struct tf_facts *facts, const char *detail)
{
    return tf_mail_fail(facts, TF_REASON_UPSTREAM_NOT_MAIL, detail);
}

static void tell_client(const struct tf_imap *m, const struct tf_feed_io *io, struct tf_text line)
{
    struct tf_mail_offer offer = tf_mail_offer_to_client(&m->d);
    if (m->d.plan.way == TF_MAIL_FOLLOW)
        tf_put(io->to_client, line.p, line.n);
    else
        tf_imap_put_response(io->to_client, line, &offer);
}

void tf_imap_greet(struct tf_imap *m, const struct tf_feed_io *io)
{
    struct tf_text line = tf_text_of(own_greeting);
    if (m->kept_n > 0)
        line = (struct tf_text){m->kept, m->kept_n};
    if (m->d.plan.is_server_tls)
        tell_client(m, io, line);
    else
        tf_imap_put_uncapable(io->to_client, line);
    m->kept_n = 0;
    tf_imap_end_command(m);
}

enum tf_feed tf_imap_turn_to_client(struct tf_imap *m, const struct tf_feed_io *io)
{
    if (m->d.plan.client_tls == TF_CLIENT_TLS_IMPLICIT) {
        m->d.phase = TF_MAIL_AT_AWAY;
        return TF_FEED_TLS_CLIENT;
    }
    tf_imap_greet(m, io);
    return TF_FEED_MORE;
}

/* Who has logged in by the greeting cannot turn to TLS (RFC 9051 7.1.4); and inside TLS it would be the
 * gateway's certificate that logs everybody in. */
static enum tf_feed take_preauth(const struct tf_imap *m, struct tf_facts *facts)
{
    static const char detail[] = "the server's greeting is PREAUTH, which leaves no way to TLS";
    if (m->d.plan.way == TF_MAIL_FOLLOW)
        return tf_mail_fail(facts, TF_REASON_MAIL_CLEARTEXT, detail);
    if (m->d.plan.is_server_tls)
        return not_mail(facts, "the server's greeting is PREAUTH: it logs everybody in");
    return tf_mail_fail(facts, TF_REASON_NO_STARTTLS, detail);
}

static enum tf_feed take_bye(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                             struct tf_text line)
{
    bool is_heard = m->d.plan.way != TF_MAIL_REPEAT && m->d.plan.client_tls != TF_CLIENT_TLS_IMPLICIT;
    if (!is_heard)
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, "the server's greeting is BYE");
    tell_client(m, io, line);
    return TF_FEED_CLOSE;
}

static enum tf_feed take_greeting(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text line)
{
    struct tf_imap_response r = tf_imap_read_response(line, "");
    if (r.said == TF_IMAP_UNTAGGED && r.status == TF_IMAP_PREAUTH)
        return take_preauth(m, facts);
    if (r.said == TF_IMAP_UNTAGGED && r.status == TF_IMAP_BYE)
        return take_bye(m, io, facts, line);
    if (r.said != TF_IMAP_UNTAGGED || r.status != TF_IMAP_OK)
        return not_mail(facts, "the server does not begin with an IMAP greeting");
    if (m->d.plan.way == TF_MAIL_FOLLOW) {
        tell_client(m, io, line);
        tf_imap_end_command(m);
        return TF_FEED_MORE;
    }
    tf_imap_keep(m, line);
    if (m->d.plan.is_server_tls)
        return tf_imap_turn_to_client(m, io);
    tf_put_text(io->to_server, own_tag);
    tf_put_text(io->to_server, " STARTTLS\r\n");
    m->d.phase = TF_MAIL_AT_ASKING;
    return TF_FEED_MORE;
}

static enum tf_feed take_tagged(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                struct tf_text line, bool is_ok)
{
    enum tf_imap_verb verb = m->verb;
    if (m->d.phase == TF_MAIL_AT_ASKING)
        return is_ok ? tf_mail_turn_to_tls(&m->d, io, facts, TF_FEED_TLS_SERVER)
                     : tf_mail_fail(facts, TF_REASON_NO_STARTTLS, NULL);
    if (m->d.phase != TF_MAIL_AT_RESPONSE && m->d.phase != TF_MAIL_AT_LITERAL &&
        m->d.phase != TF_MAIL_AT_REPLY)
        return not_mail(facts, "the server answers a command that it has not got whole");
    if (m->d.plan.way == TF_MAIL_FOLLOW && verb == TF_IMAP_STARTTLS && is_ok) {
        enum tf_feed next = tf_mail_turn_to_tls(&m->d, io, facts, TF_FEED_TLS_CLIENT);
        if (next == TF_FEED_TLS_CLIENT)
            tell_client(m, io, line);
        return next;
    }
    tf_imap_end_command(m);
    m->literal[TF_CLIENT] = 0;
    m->is_rest[TF_CLIENT] = false;
    if (is_ok && (verb == TF_IMAP_LOGIN || verb == TF_IMAP_AUTHENTICATE)) {
        static const struct tf_mail_offer nothing_new = {.has_login = true};
        tf_imap_put_response(io->to_client, line, &nothing_new);
        return TF_FEED_SWITCH;
    }
    if (m->d.plan.is_bridge && verb == TF_IMAP_AUTHENTICATE) /* which only we have said */
        tf_mail_note_refused_token(facts);
    tell_client(m, io, line);
    return is_ok && verb == TF_IMAP_LOGOUT ? TF_FEED_CLOSE : TF_FEED_MORE;
}

static enum tf_feed take_continue(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text line)
{
    if (m->d.phase == TF_MAIL_AT_RESPONSE && m->verb == TF_IMAP_AUTHENTICATE && m->d.plan.is_bridge) {
        tf_mail_say_token(&m->d, facts->mailbox, io->to_server);
        return TF_FEED_MORE;
    }
    if (m->d.phase == TF_MAIL_AT_LITERAL)
        m->d.phase = TF_MAIL_AT_COMMAND;
    else if (m->d.phase == TF_MAIL_AT_RESPONSE && m->verb == TF_IMAP_AUTHENTICATE)
        m->d.phase = TF_MAIL_AT_REPLY;
    else
        return not_mail(facts, "the server asks for more, and nothing more is to come");
    tell_client(m, io, line);
    return TF_FEED_MORE;
}

/* A line of data, or the rest of one: it may announce a literal. */
static enum tf_feed take_data(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                              struct tf_text line)
{
    struct tf_imap_literal literal;
    if (!tf_imap_read_literal(line, m->d.plan.line_max, &literal))
        return not_mail(facts, "a literal of the server is too long");
    if (m->is_rest[TF_SERVER])
        tf_put(io->to_client, line.p, line.n);
    else
        tell_client(m, io, line);
    m->is_rest[TF_SERVER] = literal.is_there;
    m->literal[TF_SERVER] = literal.n;
    return TF_FEED_MORE;
}

enum tf_feed tf_imap_hear_server(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line)
{
    if (m->is_rest[TF_SERVER])
        return take_data(m, io, facts, line);
    if (m->d.phase == TF_MAIL_AT_GREETING)
        return take_greeting(m, io, facts, line);
    struct tf_imap_response r =
        tf_imap_read_response(line, m->d.phase == TF_MAIL_AT_ASKING ? own_tag : m->tag);
    switch (r.said) {
    case TF_IMAP_UNTAGGED:
        if (m->d.phase == TF_MAIL_AT_ASKING)
            return TF_FEED_MORE;
        if (r.status == TF_IMAP_DATA)
            return take_data(m, io, facts, line);
        tell_client(m, io, line);
        return TF_FEED_MORE;
    case TF_IMAP_CONTINUE:
        return take_continue(m, io, facts, line);
    case TF_IMAP_TAGGED:
        return take_tagged(m, io, facts, line, r.status == TF_IMAP_OK);
    case TF_IMAP_NONSENSE:
        break;
    }
    return not_mail(facts, "the server answers what was not asked");
}
