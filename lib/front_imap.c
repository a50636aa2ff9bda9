/* The IMAP front (RFC 3501, RFC 9051, with 2595 and 7888): a gateway between
 * a client and a server until the client has logged in, or until both have
 * turned to TLS.
 *
 * It owns the order of things: one command goes to the server, and all of
 * its responses come back, before the next one is looked at. So whatever a
 * client sends ahead waits, and each answer belongs to a question. What
 * becomes of a line is left to imap_server.c and imap_client.c, what it is to
 * imap_line.c; which capabilities a client may see, to imap_capability.c;
 * what it has in common with POP3, to mail_dialogue.c.
 *
 * When the gateway upgrades, the server is brought to TLS before the client
 * hears a word: a refusal then takes the place of the greeting, and no client
 * can log in to a server in plain text. */
#include "imap_dialogue.h"

#include <string.h>

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
    enum tf_feed result;
    io->used = 0;
    if (m->literal[from] > 0 && io->in.n > 0 && tf_mail_is_heard(&m->d, from, io))
        return take_literal(m, from, io, facts);
    if (!tf_mail_hear(&m->d, from, io, facts, &line, &result))
        return result;
    result =
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
    memset(m, 0, sizeof *m); /* it is not always the first time */
    return tf_mail_begin(&m->d, plan);
}

static enum tf_feed secured(void *state, enum tf_side side, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_imap *m = state;
    (void)facts;
    if (m->d.plan.way == TF_MAIL_FOLLOW)
        return TF_FEED_SWITCH;
    if (side == TF_SERVER && !m->d.plan.is_server_tls)
        return tf_imap_turn_to_client(m, io);
    if (side == TF_SERVER) {
        m->d.phase = TF_MAIL_AT_GREETING;
        return TF_FEED_MORE;
    }
    m->d.is_client_secure = true;
    if (m->d.plan.client_tls == TF_CLIENT_TLS_IMPLICIT)
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
    tf_mail_keep_token(&m->d, token);
    tf_put_text(io->to_server, m->tag);
    tf_put_text(io->to_server, " AUTHENTICATE XOAUTH2\r\n");
    m->verb = TF_IMAP_AUTHENTICATE;
    m->d.phase = TF_MAIL_AT_RESPONSE;
    return TF_FEED_MORE;
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    (void)state;
    tf_mail_refuse(to_client, "* BYE ", facts);
}

const struct tf_front tf_front_imap = {.name = "imap",
                                       .state_size = sizeof(struct tf_imap),
                                       .feed = feed,
                                       .begin = begin,
                                       .secured = secured,
                                       .logged_in = logged_in,
                                       .refuse = refuse};
