/* Logins of mail clients; see mail_login.h. */
#include "mail_login.h"

/* What devices compare these with, letter by letter: `Username:`, `Password:`. */
static const char ask_user[] = "VXNlcm5hbWU6";
static const char ask_password[] = "UGFzc3dvcmQ6";

static enum tf_login_heard ask(struct tf_mail_login *l, enum tf_login_part part, const char *challenge,
                               struct tf_writer *to_client)
{
    l->next = part;
    tf_put_text(to_client, l->prompt);
    tf_put_text(to_client, challenge);
    tf_put_text(to_client, "\r\n");
    return TF_LOGIN_PART;
}

static enum tf_login_heard give_up(struct tf_mail_login *l, enum tf_login_heard why)
{
    tf_mail_login_wipe(l);
    return why;
}

static enum tf_login_heard hear(struct tf_mail_login *l, struct tf_text base64, struct tf_writer *to_client)
{
    bool is_read = false;
    switch (l->next) {
    case TF_LOGIN_NOTHING:
        break;
    case TF_LOGIN_PLAIN:
        is_read = tf_sasl_read_plain(base64, &l->login);
        break;
    case TF_LOGIN_USER:
        if (tf_sasl_read_field(base64, l->login.user) && l->login.user[0] != '\0')
            return ask(l, TF_LOGIN_PASSWORD, ask_password, to_client);
        break;
    case TF_LOGIN_PASSWORD:
        is_read = tf_sasl_read_field(base64, l->login.password);
        break;
    }
    l->next = TF_LOGIN_NOTHING;
    return is_read ? TF_LOGIN_ALL : give_up(l, TF_LOGIN_MALFORMED);
}

bool tf_mail_login_takes(struct tf_text mechanism)
{
    return tf_text_is_word(mechanism, "PLAIN") || tf_text_is_word(mechanism, "LOGIN");
}

/* An initial response is for PLAIN by the book (RFC 4954 4), but many devices put the user of LOGIN there. */
enum tf_login_heard tf_mail_login_begin(struct tf_mail_login *l, const char *prompt, struct tf_text args,
                                        struct tf_writer *to_client)
{
    struct tf_text initial = args;
    struct tf_text mechanism = tf_mail_word(&initial);
    if (!tf_mail_login_takes(mechanism))
        return TF_LOGIN_UNKNOWN;
    l->prompt = prompt;
    l->is_plain = tf_text_is_word(mechanism, "PLAIN");
    l->next = l->is_plain ? TF_LOGIN_PLAIN : TF_LOGIN_USER;
    if (initial.n > 0)
        return hear(l, initial, to_client);
    return ask(l, l->next, l->is_plain ? "" : ask_user, to_client);
}

enum tf_login_heard tf_mail_login_line(struct tf_mail_login *l, struct tf_text line,
                                       struct tf_writer *to_client)
{
    struct tf_text answer = tf_text_trim(line);
    if (tf_text_is(answer, "*"))
        return give_up(l, TF_LOGIN_CANCELLED);
    return hear(l, answer, to_client);
}

enum tf_feed tf_mail_login_ask(struct tf_mail_login *l, struct tf_feed_io *io)
{
    *io->login = l->login;
    tf_mail_login_wipe(l);
    return TF_FEED_LOGIN;
}

void tf_mail_login_wipe(struct tf_mail_login *l)
{
    l->next = TF_LOGIN_NOTHING;
    tf_login_wipe(&l->login);
}
