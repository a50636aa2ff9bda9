/* What IMAP and POP3 have in common; see mail_dialogue.h. */
#include "mail_dialogue.h"

#include <assert.h>
#include <string.h>

enum tf_feed tf_mail_begin(struct tf_mail_dialogue *d, const struct tf_mail_plan *plan)
{
    d->plan = *plan;
    d->phase = plan->is_server_tls ? TF_MAIL_AT_AWAY : TF_MAIL_AT_GREETING;
    return plan->is_server_tls ? TF_FEED_TLS_SERVER : TF_FEED_MORE;
}

static bool is_turn_of(const struct tf_mail_dialogue *d, enum tf_side side)
{
    switch (d->phase) {
    case TF_MAIL_AT_AWAY:
        return false;
    case TF_MAIL_AT_GREETING:
    case TF_MAIL_AT_ASKING:
    case TF_MAIL_AT_LITERAL:
    case TF_MAIL_AT_RESPONSE:
    case TF_MAIL_AT_LIST:
        return side == TF_SERVER;
    case TF_MAIL_AT_COMMAND:
    case TF_MAIL_AT_REPLY:
    case TF_MAIL_AT_CHALLENGED:
        break; /* a server may speak unasked, or give up waiting */
    }
    return true;
}

/* A client that will say no more may still wait for this. */
static bool is_answer_due(const struct tf_mail_dialogue *d)
{
    return d->phase == TF_MAIL_AT_LITERAL || d->phase == TF_MAIL_AT_RESPONSE || d->phase == TF_MAIL_AT_LIST;
}

bool tf_mail_is_heard(const struct tf_mail_dialogue *d, enum tf_side from, const struct tf_feed_io *io)
{
    return tf_mail_has_room(io, d->plan.line_max) && is_turn_of(d, from);
}

/* A side has sent its last byte, and what is left is no line. */
static enum tf_feed take_end(const struct tf_mail_dialogue *d, enum tf_side from, struct tf_feed_io *io,
                             struct tf_facts *facts)
{
    if (from == TF_CLIENT)
        return TF_FEED_CLOSE;
    if (d->phase == TF_MAIL_AT_GREETING || d->phase == TF_MAIL_AT_ASKING)
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, NULL);
    tf_put(io->to_client, io->in.p, io->in.n);
    io->used = io->in.n;
    return TF_FEED_CLOSE;
}

bool tf_mail_hear(const struct tf_mail_dialogue *d, enum tf_side from, struct tf_feed_io *io,
                  struct tf_facts *facts, struct tf_text *line, enum tf_feed *result)
{
    *result = TF_FEED_MORE;
    if (!tf_mail_has_room(io, d->plan.line_max))
        return false;
    if (!is_turn_of(d, from)) {
        bool has_ended = io->eof && io->in.n == 0 && !(from == TF_CLIENT && is_answer_due(d));
        *result = has_ended ? TF_FEED_CLOSE : TF_FEED_MORE;
        return false;
    }
    switch (tf_mail_line_take(io->in, d->plan.line_max, line)) {
    case TF_MAIL_LINE_MORE:
        if (io->eof)
            *result = take_end(d, from, io, facts);
        return false;
    case TF_MAIL_LINE_BAD:
        *result = from == TF_CLIENT ? tf_mail_not_spoken(io, facts)
                                    : tf_mail_fail(facts, TF_REASON_UPSTREAM_NOT_MAIL, NULL);
        return false;
    case TF_MAIL_LINE_DONE:
        break;
    }
    io->used = line->n;
    return true;
}

enum tf_feed tf_mail_turn_to_tls(struct tf_mail_dialogue *d, const struct tf_feed_io *io,
                                 struct tf_facts *facts, enum tf_feed next)
{
    if (io->used < io->in.n)
        return tf_mail_fail(facts, TF_REASON_RESPONSE_INJECTION, NULL);
    d->phase = TF_MAIL_AT_AWAY;
    return next;
}

struct tf_mail_offer tf_mail_offer_to_client(const struct tf_mail_dialogue *d)
{
    enum tf_client_tls tls = d->plan.client_tls;
    bool has_starttls = tls == TF_CLIENT_TLS_OPTIONAL || tls == TF_CLIENT_TLS_STARTTLS;
    return (struct tf_mail_offer){.has_starttls = has_starttls && !d->is_client_secure,
                                  .has_login = d->is_client_secure || tls != TF_CLIENT_TLS_STARTTLS,
                                  .is_bridge = d->plan.is_bridge};
}

void tf_mail_keep_token(struct tf_mail_dialogue *d, const char *token)
{
    size_t n = strlen(token);
    assert(n > 0 && n < sizeof d->token);
    memcpy(d->token, token, n + 1);
}

void tf_mail_say_token(struct tf_mail_dialogue *d, const char *mailbox, struct tf_writer *to_server)
{
    if (d->token[0] != '\0')
        tf_sasl_put_xoauth2(to_server, mailbox, d->token);
    tf_put_text(to_server, "\r\n");
    tf_mail_forget_token(d);
}

void tf_mail_forget_token(struct tf_mail_dialogue *d)
{
    tf_wipe(d->token, strlen(d->token));
}
