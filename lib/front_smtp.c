/* The SMTP dialogue (RFC 5321, RFC 3207): the gateway between a client and a
 * server, as front.h has it. Here is how it begins, how TLS changes it, and
 * how it is refused; what each side says is in smtp_client.c and
 * smtp_server.c. */
#include "mail_line.h"
#include "smtp_state.h"

#include <assert.h>
#include <string.h>

bool tf_smtp_is_deaf(const struct tf_smtp *s)
{
    switch (s->plan.way) {
    case TF_MAIL_FOLLOW:
        return false;
    case TF_MAIL_REPEAT:
        return true;
    case TF_MAIL_UPGRADE:
        break;
    }
    return s->plan.client_tls == TF_CLIENT_TLS_IMPLICIT && !s->is_tls[TF_CLIENT];
}

void tf_smtp_say_ehlo(struct tf_smtp *s, struct tf_writer *to_server, enum tf_smtp_phase next)
{
    tf_put_text(to_server, "EHLO ");
    tf_put_text(to_server, s->name[0] != '\0' ? s->name : s->plan.name);
    tf_put_text(to_server, "\r\n");
    s->phase = next;
}

static enum tf_feed begin(void *state, const struct tf_mail_plan *plan, struct tf_feed_io *io,
                          struct tf_facts *facts)
{
    struct tf_smtp *s = state;
    (void)io;
    (void)facts;
    s->plan = *plan;
    s->is_tls[TF_SERVER] = false;
    s->phase = plan->is_server_tls ? TF_SMTP_AT_HANDSHAKE : TF_SMTP_AT_GREETING;
    return plan->is_server_tls ? TF_FEED_TLS_SERVER : TF_FEED_MORE;
}

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_smtp *s = state;
    enum tf_feed result = TF_FEED_MORE;
    size_t before;
    do {
        before = io->used;
        if (!tf_mail_has_room(io, s->plan.line_max))
            return TF_FEED_MORE;
        result = from == TF_CLIENT ? tf_smtp_hear_client(s, io, facts) : tf_smtp_hear_server(s, io, facts);
    } while (result == TF_FEED_MORE && io->used > before);
    return result;
}

/* A server that began with TLS has not greeted yet; to any other the client's EHLO is said anew, as what came
 * before TLS does not count (RFC 3207 4.2). */
static enum tf_feed server_secured(struct tf_smtp *s, struct tf_feed_io *io)
{
    s->is_tls[TF_SERVER] = true;
    if (s->plan.client_tls == TF_CLIENT_TLS_IMPLICIT && !s->is_tls[TF_CLIENT])
        return TF_FEED_TLS_CLIENT;
    if (s->plan.is_server_tls)
        s->phase = TF_SMTP_AT_GREETING;
    else
        tf_smtp_say_ehlo(s, io->to_server, TF_SMTP_AT_EHLO);
    return TF_FEED_MORE;
}

/* A client that began with TLS is to be greeted: by the server, which can be heard from here on, or, where
 * that has done so in plain text, by us. */
static enum tf_feed client_secured(struct tf_smtp *s, struct tf_feed_io *io, const struct tf_facts *facts)
{
    s->is_tls[TF_CLIENT] = true;
    s->has_greeted = s->has_logged_in = false;
    s->phase = TF_SMTP_AT_COMMAND;
    if (s->plan.client_tls != TF_CLIENT_TLS_IMPLICIT)
        return TF_FEED_MORE;
    if (s->plan.is_server_tls) {
        s->phase = TF_SMTP_AT_GREETING;
        return TF_FEED_MORE;
    }
    tf_put_text(io->to_client, "220 ");
    tf_put_text(io->to_client, facts->target.host);
    tf_put_text(io->to_client, " ESMTP\r\n");
    return TF_FEED_MORE;
}

/* Who was only followed was at the point where both sides begin anew: what they say inside TLS passes. */
static enum tf_feed secured(void *state, enum tf_side side, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_smtp *s = state;
    assert(s->phase == TF_SMTP_AT_HANDSHAKE);
    if (s->plan.way != TF_MAIL_UPGRADE)
        return side == TF_CLIENT ? TF_FEED_SWITCH : TF_FEED_MORE;
    return side == TF_SERVER ? server_secured(s, io) : client_secured(s, io, facts);
}

static enum tf_feed logged_in(void *state, bool ok, const char *token, struct tf_feed_io *io,
                              struct tf_facts *facts)
{
    struct tf_smtp *s = state;
    assert(s->phase == TF_SMTP_AT_LOGIN && (!ok || token != NULL));
    if (ok) {
        tf_smtp_auth_say_token(facts->mailbox, token, io->to_server);
        s->phase = TF_SMTP_AT_SAYING;
    } else {
        tf_put_text(io->to_client, "535 5.7.8 Authentication credentials invalid\r\n");
        s->phase = TF_SMTP_AT_COMMAND;
    }
    return TF_FEED_MORE;
}

/* Errors of the network: the client may try again (RFC 3463 3.5). */
static const char *network_status(enum tf_reason reason)
{
    bool is_name = reason == TF_REASON_NAME_NOT_FOUND || reason == TF_REASON_NAME_TIMEOUT;
    bool is_dial = reason == TF_REASON_DIAL_REFUSED || reason == TF_REASON_DIAL_TIMEOUT ||
                   reason == TF_REASON_DIAL_UNREACHABLE;
    if (is_name)
        return "421 4.4.3 ";
    return is_dial ? "421 4.4.1 " : "421 4.4.2 ";
}

/* RFC 3463 and the registry of enhanced status codes: 5.7.10 is `encryption needed`, 5.7.5
 * `cryptographic failure`. */
static const char *status(enum tf_reason reason)
{
    if (reason == TF_REASON_SOURCE_LIMIT || reason == TF_REASON_USER_LIMIT)
        return "421 4.7.0 "; /* there will be room again */
    switch (tf_reason_info(reason)->event) {
    case TF_EVENT_NONE:
        return network_status(reason);
    case TF_EVENT_VERSION_BLOCKED:
    case TF_EVENT_VERSION_WOULD_BLOCK:
    case TF_EVENT_NOT_TLS:
        return "554 5.7.10 ";
    case TF_EVENT_SERVER_BELOW_FLOOR:
    case TF_EVENT_VERIFY_FAILED:
        return "554 5.7.5 ";
    case TF_EVENT_MALFORMED:
        return "554 5.5.2 ";
    case TF_EVENT_ACCESS_DENIED:
    case TF_EVENT_UPGRADED:
    case TF_EVENT_COUNT:
        break;
    }
    return "554 5.7.1 ";
}

/* While a message is under way, a reply would be taken for what the server makes of it. */
static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    const struct tf_smtp *s = state;
    if (s != NULL && (tf_smtp_is_deaf(s) || s->phase == TF_SMTP_AT_DATA || s->phase == TF_SMTP_AT_CHUNK))
        return;
    tf_mail_refuse(to_client, status(facts->reason), facts);
}

const struct tf_front tf_front_smtp = {.name = "smtp",
                                       .state_size = sizeof(struct tf_smtp),
                                       .feed = feed,
                                       .begin = begin,
                                       .secured = secured,
                                       .logged_in = logged_in,
                                       .refuse = refuse};
