/* Logins over SMTP (RFC 4954): the gateway hears what the client logs in
 * with, in every shape that devices have for PLAIN and LOGIN, and says it to
 * the server in one that the server takes. */
#ifndef TF_SMTP_AUTH_H
#define TF_SMTP_AUTH_H

#include "sasl.h"
#include "smtp_ehlo.h"

enum tf_smtp_turn {
    TF_SMTP_TURN_NONE,
    TF_SMTP_TURN_PLAIN, /* user and password in one */
    TF_SMTP_TURN_USER,
    TF_SMTP_TURN_PASSWORD
};

struct tf_smtp_auth {
    bool is_plain;          /* the mechanism that the client has chosen; else LOGIN */
    enum tf_smtp_turn turn; /* what comes next: from the client, or then for the server */
    struct tf_login login;
};

enum tf_smtp_heard {
    TF_SMTP_HEARD_PART, /* it has been asked for the rest: its next line goes to tf_smtp_auth_line */
    TF_SMTP_HEARD_ALL,  /* auth->login is filled: tf_smtp_auth_say, or whatever else becomes of it */
    TF_SMTP_HEARD_NONE  /* it has been told that that is no login, or has given up: commands again */
};

/* The client begins with PLAIN, or else with LOGIN. `initial` is what it answers without having been asked.
 */
enum tf_smtp_heard tf_smtp_auth_begin(struct tf_smtp_auth *auth, bool is_plain, struct tf_text initial,
                                      struct tf_writer *to_client);
/* Its next line. */
enum tf_smtp_heard tf_smtp_auth_line(struct tf_smtp_auth *auth, struct tf_text line,
                                     struct tf_writer *to_client);
/* Says the login to a server that offers PLAIN or LOGIN: with the client's mechanism, or else with the other.
 */
void tf_smtp_auth_say(struct tf_smtp_auth *auth, const struct tf_smtp_offer *offer,
                      struct tf_writer *to_server);
/* The server has asked (334): what comes next, or, when all is said, an empty line, which is what an error of
 * XOAUTH2 waits for. The login is wiped with its last part. */
void tf_smtp_auth_go_on(struct tf_smtp_auth *auth, struct tf_writer *to_server);
void tf_smtp_auth_say_token(struct tf_smtp_auth *auth, const char *mailbox, const char *token,
                            struct tf_writer *to_server);
void tf_smtp_auth_wipe(struct tf_smtp_auth *auth);

#endif
