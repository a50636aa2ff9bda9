/* What an SMTP server says, and what becomes of it; see smtp_state.h. */
#include "mail_line.h"
#include "smtp_line.h"
#include "smtp_state.h"

#include <assert.h>

static enum tf_feed not_mail(struct tf_facts *facts)
{
    return tf_mail_fail(facts, TF_REASON_UPSTREAM_NOT_MAIL, NULL);
}

static bool is_positive(unsigned code)
{
    return code / 100 == 2;
}

/* Each line is looked up, whoever it is for. */
static bool read_line(struct tf_text line, struct tf_smtp_reply *out, struct tf_facts *facts)
{
    const struct tf_mail_answer *known = tf_mail_answer_find(line);
    if (known != NULL)
        facts->answer = known;
    return tf_smtp_read_reply(line, out);
}

/* Whether the client gets a line of a reply. */
static bool is_passed(const struct tf_smtp *s, unsigned code)
{
    enum { GO_ON = 334 };
    if (tf_smtp_is_deaf(s) || s->phase == TF_SMTP_AT_CONSENT)
        return false;
    return s->phase != TF_SMTP_AT_SAYING || code != GO_ON;
}

/* The next line is not whole. */
static enum tf_feed await_more(const struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts)
{
    if (!io->eof)
        return TF_FEED_MORE;
    switch (s->phase) {
    case TF_SMTP_AT_GREETING:
    case TF_SMTP_AT_OFFER:
    case TF_SMTP_AT_CONSENT:
        return tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, NULL);
    case TF_SMTP_AT_HANDSHAKE:
    case TF_SMTP_AT_COMMAND:
    case TF_SMTP_AT_EHLO:
    case TF_SMTP_AT_REPLY:
    case TF_SMTP_AT_GOODBYE:
    case TF_SMTP_AT_FOLLOWED:
    case TF_SMTP_AT_DATA_REPLY:
    case TF_SMTP_AT_DATA:
    case TF_SMTP_AT_CHUNK:
    case TF_SMTP_AT_CREDENTIALS:
    case TF_SMTP_AT_LOGIN:
    case TF_SMTP_AT_SAYING:
    case TF_SMTP_AT_CHALLENGE:
    case TF_SMTP_AT_RESPONSE:
        break;
    }
    return TF_FEED_CLOSE; /* a line that breaks off tells nobody anything */
}

/* A reply to EHLO is short, and what is left out of it may be its last line: so it is read as a whole, and is
 * no longer than a line may be. */
struct whole {
    struct tf_text text;
    unsigned code;
};

static enum tf_mail_line take_whole(const struct tf_smtp *s, const struct tf_feed_io *io,
                                    struct tf_facts *facts, struct whole *out)
{
    struct tf_span rest = tf_mail_rest(io);
    struct tf_smtp_reply reply = {0};
    size_t n = 0;
    while (!reply.is_last) {
        struct tf_text line;
        if (n == rest.n)
            return TF_MAIL_LINE_MORE;
        if (n == s->plan.line_max)
            return TF_MAIL_LINE_BAD;
        enum tf_mail_line r =
            tf_mail_line_take((struct tf_span){rest.p + n, rest.n - n}, s->plan.line_max - n, &line);
        if (r != TF_MAIL_LINE_DONE)
            return r;
        if (!read_line(line, &reply, facts))
            return TF_MAIL_LINE_BAD;
        n += line.n;
    }
    *out = (struct whole){{(const char *)rest.p, n}, reply.code};
    return TF_MAIL_LINE_DONE;
}

static enum tf_feed pass_whole(struct tf_smtp *s, struct tf_text reply, struct tf_feed_io *io)
{
    tf_put(io->to_client, reply.p, reply.n);
    s->phase = TF_SMTP_AT_COMMAND;
    return TF_FEED_MORE;
}

/* In plain text only for whom that is said in so many words, never with Microsoft 365, and never for a client
 * that is to do STARTTLS with us: see take_starttls. */
static bool may_stay_plain(const struct tf_smtp *s, const struct tf_facts *facts)
{
    bool wants_tls =
        s->plan.client_tls == TF_CLIENT_TLS_STARTTLS || s->plan.client_tls == TF_CLIENT_TLS_IMPLICIT;
    return s->plan.way == TF_MAIL_UPGRADE && s->plan.is_opportunistic && !wants_tls && facts->m365 == NULL;
}

static enum tf_feed take_offer(struct tf_smtp *s, const struct whole *reply, struct tf_feed_io *io,
                               struct tf_facts *facts)
{
    if (tf_mail_rest(io).n > reply->text.n) /* the consent to a STARTTLS that has not been said yet? */
        return tf_mail_fail(facts, TF_REASON_RESPONSE_INJECTION, NULL);
    io->used += reply->text.n;
    if (!is_positive(reply->code) && !tf_smtp_is_deaf(s))
        return pass_whole(s, reply->text, io);
    if (is_positive(reply->code) && tf_smtp_read_offer(reply->text).starttls) {
        tf_put_text(io->to_server, "STARTTLS\r\n");
        s->phase = TF_SMTP_AT_CONSENT;
        return TF_FEED_MORE;
    }
    if (!may_stay_plain(s, facts))
        return tf_mail_fail(facts, TF_REASON_NO_STARTTLS, NULL);
    facts->is_plain_outside = true;
    tf_smtp_say_ehlo(s, io->to_server, TF_SMTP_AT_EHLO);
    return TF_FEED_MORE;
}

static enum tf_feed take_ehlo_reply(struct tf_smtp *s, const struct whole *reply, struct tf_feed_io *io)
{
    io->used += reply->text.n;
    if (!is_positive(reply->code))
        return pass_whole(s, reply->text, io);
    bool is_tls = s->is_tls[TF_CLIENT];
    bool must_starttls = !is_tls && s->plan.client_tls == TF_CLIENT_TLS_STARTTLS;
    bool may_starttls = !is_tls && s->plan.client_tls == TF_CLIENT_TLS_OPTIONAL;
    struct tf_smtp_leg leg = {.is_tls = is_tls,
                              .starttls = s->is_tls[TF_SERVER] && (must_starttls || may_starttls),
                              .auth = s->is_tls[TF_SERVER] && !must_starttls,
                              .is_bridge = s->plan.is_bridge,
                              .is_one_line = s->is_helo};
    s->offer = tf_smtp_read_offer(reply->text);
    s->has_greeted = true;
    s->phase = TF_SMTP_AT_COMMAND;
    tf_smtp_put_ehlo(io->to_client, reply->text, &leg);
    return TF_FEED_MORE;
}

static enum tf_feed hear_whole(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct whole reply = {0};
    enum tf_mail_line r = take_whole(s, io, facts, &reply);
    if (r != TF_MAIL_LINE_DONE)
        return r == TF_MAIL_LINE_MORE ? await_more(s, io, facts) : not_mail(facts);
    return s->phase == TF_SMTP_AT_OFFER ? take_offer(s, &reply, io, facts) : take_ehlo_reply(s, &reply, io);
}

static enum tf_feed end_greeting(struct tf_smtp *s, unsigned code, struct tf_feed_io *io,
                                 struct tf_facts *facts)
{
    bool is_deaf = tf_smtp_is_deaf(s);
    if (!is_positive(code))
        return is_deaf ? tf_mail_fail(facts, TF_REASON_UPSTREAM_CLOSED, "the server's greeting turns us away")
                       : TF_FEED_CLOSE;
    s->phase = TF_SMTP_AT_COMMAND;
    if (is_deaf) /* nobody else will say it */
        tf_smtp_say_ehlo(s, io->to_server, TF_SMTP_AT_OFFER);
    return TF_FEED_MORE;
}

static enum tf_feed begin_tls(struct tf_smtp *s, enum tf_feed side)
{
    s->phase = TF_SMTP_AT_HANDSHAKE;
    return side;
}

static enum tf_feed go_on_saying(struct tf_smtp *s, struct tf_feed_io *io)
{
    tf_smtp_auth_go_on(&s->auth, io->to_server);
    return TF_FEED_MORE;
}

static enum tf_feed next(struct tf_smtp *s, enum tf_smtp_phase phase)
{
    s->phase = phase;
    return TF_FEED_MORE;
}

static enum tf_feed end_login(struct tf_smtp *s, unsigned code, struct tf_facts *facts)
{
    enum { WELCOME = 235 }; /* RFC 4954 6 */
    s->has_logged_in = s->plan.is_bridge && code == WELCOME;
    if (s->plan.is_bridge && code / 100 == 5)
        tf_mail_note_refused_token(facts);
    tf_mail_login_wipe(&s->auth);
    return next(s, TF_SMTP_AT_COMMAND);
}

/* The last line of a reply has come. */
static enum tf_feed end_reply(struct tf_smtp *s, unsigned code, struct tf_feed_io *io, struct tf_facts *facts)
{
    enum { READY = 220, GO_ON = 334, SEND = 354 };
    switch (s->phase) {
    case TF_SMTP_AT_GREETING:
        return end_greeting(s, code, io, facts);
    case TF_SMTP_AT_CONSENT:
        return code == READY ? begin_tls(s, TF_FEED_TLS_SERVER)
                             : tf_mail_fail(facts, TF_REASON_NO_STARTTLS, NULL);
    case TF_SMTP_AT_FOLLOWED:
        return code == READY ? begin_tls(s, TF_FEED_TLS_CLIENT) : next(s, TF_SMTP_AT_COMMAND);
    case TF_SMTP_AT_REPLY:
        return next(s, TF_SMTP_AT_COMMAND);
    case TF_SMTP_AT_GOODBYE:
        return TF_FEED_CLOSE;
    case TF_SMTP_AT_DATA_REPLY:
        s->data = TF_SMTP_DATA_LINE;
        s->is_answered = false;
        return next(s, code == SEND ? TF_SMTP_AT_DATA : TF_SMTP_AT_COMMAND);
    case TF_SMTP_AT_DATA:
    case TF_SMTP_AT_CHUNK:
        s->is_answered = true;
        return TF_FEED_MORE;
    case TF_SMTP_AT_SAYING:
        return code == GO_ON ? go_on_saying(s, io) : end_login(s, code, facts);
    case TF_SMTP_AT_CHALLENGE:
        return next(s, code == GO_ON ? TF_SMTP_AT_RESPONSE : TF_SMTP_AT_COMMAND);
    case TF_SMTP_AT_COMMAND:
    case TF_SMTP_AT_CREDENTIALS:
    case TF_SMTP_AT_LOGIN:
    case TF_SMTP_AT_RESPONSE:
        return TF_FEED_MORE; /* unasked, as `421`: it is tired of waiting */
    case TF_SMTP_AT_OFFER:
    case TF_SMTP_AT_EHLO:
    case TF_SMTP_AT_HANDSHAKE:
        break;
    }
    assert(false); /* hear_whole took it, or nobody was to be heard */
    return TF_FEED_CLOSE;
}

/* Other replies pass line by line. */
static enum tf_feed hear_line(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts)
{
    enum { READY = 220 };
    struct tf_text line;
    struct tf_smtp_reply reply;
    switch (tf_mail_line_take(tf_mail_rest(io), s->plan.line_max, &line)) {
    case TF_MAIL_LINE_MORE:
        return await_more(s, io, facts);
    case TF_MAIL_LINE_BAD:
        return not_mail(facts);
    case TF_MAIL_LINE_DONE:
        break;
    }
    if (!read_line(line, &reply, facts))
        return not_mail(facts);
    bool is_ready = reply.is_last && reply.code == READY &&
                    (s->phase == TF_SMTP_AT_CONSENT || s->phase == TF_SMTP_AT_FOLLOWED);
    if (is_ready && tf_mail_rest(io).n > line.n)
        return tf_mail_fail(facts, TF_REASON_RESPONSE_INJECTION, NULL);
    /* Only that it has had enough: anything else would be taken for the answer to an EHLO yet to come. */
    bool is_early = s->phase == TF_SMTP_AT_COMMAND && s->plan.way == TF_MAIL_UPGRADE && !s->has_greeted;
    if (is_early && reply.code < 400)
        return tf_mail_fail(facts, TF_REASON_RESPONSE_INJECTION, "it has not been asked anything yet");
    io->used += line.n;
    if (is_passed(s, reply.code))
        tf_put(io->to_client, line.p, line.n);
    return reply.is_last ? end_reply(s, reply.code, io, facts) : TF_FEED_MORE;
}

enum tf_feed tf_smtp_hear_server(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts)
{
    if (s->phase == TF_SMTP_AT_HANDSHAKE)
        return TF_FEED_MORE;
    bool is_whole = s->phase == TF_SMTP_AT_OFFER || s->phase == TF_SMTP_AT_EHLO;
    return is_whole ? hear_whole(s, io, facts) : hear_line(s, io, facts);
}
