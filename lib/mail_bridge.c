/* The bridge of IMAP and POP3; see mail_bridge.h. */
#include "mail_bridge.h"

#include <assert.h>
#include <string.h>

/* What devices compare these with, letter by letter: `Username:`, `Password:`. */
static const char ask_user[] = "+ VXNlcm5hbWU6\r\n";
static const char ask_password[] = "+ UGFzc3dvcmQ6\r\n";

static enum tf_bridge_result ask(struct tf_bridge *b, enum tf_bridge_awaits what, const char *challenge,
                                 struct tf_writer *to_client)
{
    b->awaits = what;
    tf_put_text(to_client, challenge);
    return TF_BRIDGE_ASKED;
}

static enum tf_bridge_result end(struct tf_bridge *b, enum tf_bridge_result result)
{
    b->awaits = TF_BRIDGE_NOTHING;
    if (result != TF_BRIDGE_READY)
        tf_login_wipe(&b->login);
    return result;
}

static enum tf_bridge_result end_if(struct tf_bridge *b, bool is_well_formed)
{
    return end(b, is_well_formed ? TF_BRIDGE_READY : TF_BRIDGE_MALFORMED);
}

static enum tf_bridge_result take_answer(struct tf_bridge *b, struct tf_text base64,
                                         struct tf_writer *to_client)
{
    switch (b->awaits) {
    case TF_BRIDGE_PLAIN:
        return end_if(b, tf_sasl_read_plain(base64, &b->login));
    case TF_BRIDGE_USER:
        if (tf_sasl_read_field(base64, b->login.user) && b->login.user[0] != '\0')
            return ask(b, TF_BRIDGE_PASSWORD, ask_password, to_client);
        break;
    case TF_BRIDGE_PASSWORD:
        return end_if(b, tf_sasl_read_field(base64, b->login.password));
    case TF_BRIDGE_NOTHING:
        break;
    }
    return end(b, TF_BRIDGE_MALFORMED);
}

enum tf_bridge_result tf_bridge_begin(struct tf_bridge *b, struct tf_text args, struct tf_writer *to_client)
{
    struct tf_text rest = args;
    struct tf_text mechanism = tf_mail_word(&rest);
    bool is_plain = tf_mail_is(mechanism, "PLAIN");
    if (!is_plain && !tf_mail_is(mechanism, "LOGIN"))
        return TF_BRIDGE_UNKNOWN;
    b->awaits = is_plain ? TF_BRIDGE_PLAIN : TF_BRIDGE_USER;
    if (rest.n > 0)
        return take_answer(b, rest, to_client);
    return ask(b, b->awaits, is_plain ? "+ \r\n" : ask_user, to_client);
}

enum tf_bridge_result tf_bridge_line(struct tf_bridge *b, struct tf_text line, struct tf_writer *to_client)
{
    struct tf_text answer = tf_text_trim(line);
    if (tf_text_is(answer, "*"))
        return end(b, TF_BRIDGE_CANCELLED);
    return take_answer(b, answer, to_client);
}

enum tf_feed tf_bridge_ask(struct tf_bridge *b, struct tf_feed_io *io)
{
    *io->login = b->login;
    tf_login_wipe(&b->login);
    return TF_FEED_LOGIN;
}

void tf_bridge_take_token(struct tf_bridge *b, const char *token)
{
    size_t n = strlen(token);
    assert(n > 0 && n < sizeof b->token);
    memcpy(b->token, token, n + 1);
}

void tf_bridge_answer(struct tf_bridge *b, const char *mailbox, struct tf_writer *to_server)
{
    if (b->token[0] != '\0')
        tf_sasl_put_xoauth2(to_server, mailbox, b->token);
    tf_put_text(to_server, "\r\n");
    tf_bridge_forget_token(b);
}

void tf_bridge_forget_token(struct tf_bridge *b)
{
    tf_wipe(b->token, strlen(b->token));
}
