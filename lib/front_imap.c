/* The IMAP front (RFC 3501, RFC 9051, with 2595 and 7888): a gateway between
 * a client and a server until the client has logged in, or until both have
 * turned to TLS.
 *
 * It owns the order of things: one command goes to the server, and all of
 * its responses come back, before the next one is looked at. So whatever a
 * client sends ahead waits, and each answer belongs to a question. What
 * becomes of a line is left to imap_server.c and imap_client.c, what it is to
 * imap_line.c; which capabilities a client may see, to imap_capability.c;
 * logins that become OAuth, to mail_bridge.c.
 *
 * When the gateway upgrades, the server is brought to TLS before the client
 * hears a word: a refusal then takes the place of the greeting, and no client
 * can log in to a server in plain text. */
#include "imap_dialogue.h"

static bool is_turn_of(const struct tf_imap *m, enum tf_side side)
{
    switch (m->phase) {
    case TF_IMAP_AWAY:
        return false;
    case TF_IMAP_GREETING:
    case TF_IMAP_ASKING:
    case TF_IMAP_LITERAL:
    case TF_IMAP_RESPONSE:
        return side == TF_SERVER;
    case TF_IMAP_COMMAND:
    case TF_IMAP_REPLY:
    case TF_IMAP_CHALLENGED:
        break; /* a server may speak unasked */
    }
    return true;
}

/* A side has sent its last byte, and what is left is no line. */
static enum tf_feed take_end(const struct tf_imap *m, enum tf_side from, struct tf_feed_io *io,
                             struct tf_facts *facts)
{
    if (from == TF_CLIENT)
        return TF_FEED_CLOSE;
    if (m->phase == TF_IMAP_GREETING || m->phase == TF_IMAP_ASKING)
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, NULL);
    tf_put(io->to_client, io->in.p, io->in.n);
    io->used = io->in.n;
    return TF_FEED_CLOSE;
}

static enum tf_feed take_literal(struct tf_imap *m, enum tf_side from, struct tf_feed_io *io,
                                 struct tf_facts *facts)
{
    size_t n = io->in.n < m->literal[from] ? io->in.n : m->literal[from];
    m->literal[from] -= n;
    io->used = n;
    if (from == TF_CLIENT)
        return tf_imap_hear_literal(m, io, facts, (struct tf_text){(const char *)io->in.p, n});
    tf_put(io->to_client, io->in.p, n);
    return TF_FEED_MORE;
}

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_imap *m = state;
    struct tf_text line;
    io->used = 0;
    if (!tf_mail_has_room(io, m->plan.line_max))
        return TF_FEED_MORE;
    if (!is_turn_of(m, from))
        return io->eof && io->in.n == 0 ? TF_FEED_CLOSE : TF_FEED_MORE;
    if (m->literal[from] > 0 && io->in.n > 0)
        return take_literal(m, from, io, facts);
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
        from == TF_CLIENT ? tf_imap_hear_client(m, io, facts, line) : tf_imap_hear_server(m, io, facts, line);
    if (result == TF_FEED_BAD) /* it has gone nowhere, and still may */
        io->used = 0;
    return result;
}

static enum tf_feed begin(void *state, const struct tf_mail_plan *plan, struct tf_feed_io *io,
                          struct tf_facts *facts)
{
    struct tf_imap *m = state;
    (void)io, (void)facts;
    *m = (struct tf_imap){.plan = *plan, .phase = TF_IMAP_GREETING};
    if (!plan->is_server_tls)
        return TF_FEED_MORE;
    m->phase = TF_IMAP_AWAY;
    return TF_FEED_TLS_SERVER;
}

static enum tf_feed secured(void *state, enum tf_side side, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_imap *m = state;
    (void)facts;
    if (m->plan.way == TF_MAIL_FOLLOW)
        return TF_FEED_SWITCH;
    if (side == TF_SERVER && !m->plan.is_server_tls)
        return tf_imap_turn_to_client(m, io);
    if (side == TF_SERVER) {
        m->phase = TF_IMAP_GREETING;
        return TF_FEED_MORE;
    }
    m->is_client_secure = true;
    if (m->plan.client_tls == TF_CLIENT_TLS_IMPLICIT)
        tf_imap_greet(m, io);
    else
        tf_imap_end_command(m); /* nobody is greeted anew: RFC 9051 6.2.1 */
    return TF_FEED_MORE;
}

static enum tf_feed logged_in(void *state, bool ok, const char *token, struct tf_feed_io *io,
                              struct tf_facts *facts)
{
    struct tf_imap *m = state;
    (void)facts;
    io->used = 0;
    if (!ok)
        return tf_imap_answer(m, io, "NO [AUTHENTICATIONFAILED] the name or the password is wrong");
    tf_bridge_take_token(&m->bridge, token);
    tf_put_text(io->to_server, m->tag);
    tf_put_text(io->to_server, " AUTHENTICATE XOAUTH2\r\n");
    m->verb = TF_IMAP_AUTHENTICATE;
    m->phase = TF_IMAP_RESPONSE;
    return TF_FEED_MORE;
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    (void)state;
    tf_put_text(to_client, "* BYE ");
    tf_put_text(to_client, tf_reason_info(facts->reason)->sentence);
    tf_put_text(to_client, "\r\n");
}

const struct tf_front tf_front_imap = {.name = "imap",
                                       .state_size = sizeof(struct tf_imap),
                                       .feed = feed,
                                       .begin = begin,
                                       .secured = secured,
                                       .logged_in = logged_in,
                                       .refuse = refuse};
