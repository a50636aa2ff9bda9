/* Logins over SMTP; see smtp_auth.h. */
#include "smtp_auth.h"

void tf_smtp_auth_say(struct tf_mail_login *auth, const struct tf_smtp_offer *offer,
                      struct tf_writer *to_server)
{
    bool says_plain = auth->is_plain ? offer->plain : !offer->login;
    if (!says_plain) {
        auth->next = TF_LOGIN_USER;
        tf_put_text(to_server, "AUTH LOGIN\r\n");
        return;
    }
    tf_put_text(to_server, "AUTH PLAIN ");
    auth->next = TF_LOGIN_PLAIN;
    tf_smtp_auth_go_on(auth, to_server);
}

void tf_smtp_auth_go_on(struct tf_mail_login *auth, struct tf_writer *to_server)
{
    enum tf_login_part part = auth->next;
    auth->next = part == TF_LOGIN_USER ? TF_LOGIN_PASSWORD : TF_LOGIN_NOTHING;
    switch (part) {
    case TF_LOGIN_PLAIN:
        tf_sasl_put_plain(to_server, &auth->login);
        break;
    case TF_LOGIN_USER:
        tf_sasl_put_field(to_server, auth->login.user);
        break;
    case TF_LOGIN_PASSWORD:
        tf_sasl_put_field(to_server, auth->login.password);
        break;
    case TF_LOGIN_NOTHING:
        break;
    }
    tf_put_text(to_server, "\r\n");
    if (auth->next == TF_LOGIN_NOTHING)
        tf_mail_login_wipe(auth);
}

void tf_smtp_auth_say_token(const char *mailbox, const char *token, struct tf_writer *to_server)
{
    tf_put_text(to_server, "AUTH XOAUTH2 ");
    tf_sasl_put_xoauth2(to_server, mailbox, token);
    tf_put_text(to_server, "\r\n");
}
