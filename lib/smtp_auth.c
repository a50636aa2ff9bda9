/* Logins over SMTP; see smtp_auth.h. */
#include "smtp_auth.h"

/* Devices compare these with what they expect, letter by letter: `Username:`, `Password:`. */
#define ASK_USER     "334 VXNlcm5hbWU6\r\n"
#define ASK_PASSWORD "334 UGFzc3dvcmQ6\r\n"
#define ASK_PLAIN    "334 \r\n"

static enum tf_smtp_heard ask(struct tf_smtp_auth *auth, enum tf_smtp_turn turn, const char *question,
                              struct tf_writer *to_client)
{
    auth->turn = turn;
    tf_put_text(to_client, question);
    return TF_SMTP_HEARD_PART;
}

static enum tf_smtp_heard give_up(struct tf_smtp_auth *auth, const char *answer, struct tf_writer *to_client)
{
    tf_smtp_auth_wipe(auth);
    tf_put_text(to_client, answer);
    return TF_SMTP_HEARD_NONE;
}

static enum tf_smtp_heard hear(struct tf_smtp_auth *auth, struct tf_text base64, struct tf_writer *to_client)
{
    bool is_read = false;
    switch (auth->turn) {
    case TF_SMTP_TURN_NONE:
        break;
    case TF_SMTP_TURN_PLAIN:
        is_read = tf_sasl_read_plain(base64, &auth->login);
        break;
    case TF_SMTP_TURN_USER:
        if (tf_sasl_read_field(base64, auth->login.user))
            return ask(auth, TF_SMTP_TURN_PASSWORD, ASK_PASSWORD, to_client);
        break;
    case TF_SMTP_TURN_PASSWORD:
        is_read = tf_sasl_read_field(base64, auth->login.password);
        break;
    }
    auth->turn = TF_SMTP_TURN_NONE;
    return is_read ? TF_SMTP_HEARD_ALL
                   : give_up(auth, "501 5.5.2 That is no user and password in base64\r\n", to_client);
}

/* An initial response is for PLAIN by the book (RFC 4954 4), but many devices put the user of LOGIN there. */
enum tf_smtp_heard tf_smtp_auth_begin(struct tf_smtp_auth *auth, bool is_plain, struct tf_text initial,
                                      struct tf_writer *to_client)
{
    auth->is_plain = is_plain;
    auth->turn = is_plain ? TF_SMTP_TURN_PLAIN : TF_SMTP_TURN_USER;
    if (initial.n > 0)
        return hear(auth, initial, to_client);
    return ask(auth, auth->turn, is_plain ? ASK_PLAIN : ASK_USER, to_client);
}

enum tf_smtp_heard tf_smtp_auth_line(struct tf_smtp_auth *auth, struct tf_text line,
                                     struct tf_writer *to_client)
{
    struct tf_text answer = tf_text_trim(line);
    if (tf_text_is(answer, "*"))
        return give_up(auth, "501 5.7.0 Authentication cancelled\r\n", to_client);
    return hear(auth, answer, to_client);
}

void tf_smtp_auth_say(struct tf_smtp_auth *auth, const struct tf_smtp_offer *offer,
                      struct tf_writer *to_server)
{
    bool says_plain = auth->is_plain ? offer->plain : !offer->login;
    if (!says_plain) {
        auth->turn = TF_SMTP_TURN_USER;
        tf_put_text(to_server, "AUTH LOGIN\r\n");
        return;
    }
    tf_put_text(to_server, "AUTH PLAIN ");
    auth->turn = TF_SMTP_TURN_PLAIN;
    tf_smtp_auth_go_on(auth, to_server);
}

void tf_smtp_auth_go_on(struct tf_smtp_auth *auth, struct tf_writer *to_server)
{
    enum tf_smtp_turn turn = auth->turn;
    auth->turn = turn == TF_SMTP_TURN_USER ? TF_SMTP_TURN_PASSWORD : TF_SMTP_TURN_NONE;
    switch (turn) {
    case TF_SMTP_TURN_PLAIN:
        tf_sasl_put_plain(to_server, &auth->login);
        break;
    case TF_SMTP_TURN_USER:
        tf_sasl_put_field(to_server, auth->login.user);
        break;
    case TF_SMTP_TURN_PASSWORD:
        tf_sasl_put_field(to_server, auth->login.password);
        break;
    case TF_SMTP_TURN_NONE:
        break;
    }
    tf_put_text(to_server, "\r\n");
    if (auth->turn == TF_SMTP_TURN_NONE)
        tf_smtp_auth_wipe(auth);
}

void tf_smtp_auth_say_token(struct tf_smtp_auth *auth, const char *mailbox, const char *token,
                            struct tf_writer *to_server)
{
    tf_put_text(to_server, "AUTH XOAUTH2 ");
    tf_sasl_put_xoauth2(to_server, mailbox, token);
    tf_put_text(to_server, "\r\n");
    auth->turn = TF_SMTP_TURN_NONE;
}

void tf_smtp_auth_wipe(struct tf_smtp_auth *auth)
{
    auth->turn = TF_SMTP_TURN_NONE;
    tf_login_wipe(&auth->login);
}
