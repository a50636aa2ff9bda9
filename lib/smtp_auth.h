/* Logins over SMTP (RFC 4954): what the client has logged in with is said to
 * the server in a way that the server takes. */
#ifndef TF_SMTP_AUTH_H
#define TF_SMTP_AUTH_H

#include "mail_login.h"
#include "smtp_ehlo.h"

/* Says the login to a server that offers PLAIN or LOGIN: with the client's mechanism, or else with the other.
 */
void tf_smtp_auth_say(struct tf_mail_login *auth, const struct tf_smtp_offer *offer,
                      struct tf_writer *to_server);
/* The server has asked (334): what comes next, or, when all is said, an empty line, which is what an error of
 * XOAUTH2 waits for. The login is wiped with its last part. */
void tf_smtp_auth_go_on(struct tf_mail_login *auth, struct tf_writer *to_server);
void tf_smtp_auth_say_token(const char *mailbox, const char *token, struct tf_writer *to_server);

#endif
