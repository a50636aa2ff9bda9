/* What a client of mail logs in with: PLAIN (RFC 4616) and LOGIN, which SMTP,
 * IMAP and POP3 carry in the same way: a challenge, a line for an answer, `*`
 * to give up (RFC 4954 4, RFC 9051 6.2.2, RFC 5034 4). Their own are what
 * stands in front of a challenge, and the words for how it has ended. */
#ifndef TF_MAIL_LOGIN_H
#define TF_MAIL_LOGIN_H

#include "mail_line.h"
#include "sasl.h"

enum tf_login_part {
    TF_LOGIN_NOTHING,
    TF_LOGIN_PLAIN, /* user and password in one */
    TF_LOGIN_USER,
    TF_LOGIN_PASSWORD
};

struct tf_mail_login {
    const char *prompt; /* what stands in front of a challenge; lives as long */
    bool is_plain;      /* the mechanism that the client has chosen; else LOGIN */
    enum tf_login_part
        next; /* what comes next from the client; then, where it is said to the server, for that */
    struct tf_login login;
};

enum tf_login_heard {
    TF_LOGIN_PART,      /* it has been asked for the rest: its next line goes to tf_mail_login_line */
    TF_LOGIN_ALL,       /* `login` is filled; in all that follows it is wiped */
    TF_LOGIN_CANCELLED, /* by the client */
    TF_LOGIN_MALFORMED,
    TF_LOGIN_UNKNOWN /* a mechanism that is not taken */
};

/* Whether a mechanism is PLAIN or LOGIN. */
bool tf_mail_login_takes(struct tf_text mechanism);
/* The arguments of AUTH or AUTHENTICATE: the mechanism, and what the client answers without having been
 * asked. */
enum tf_login_heard tf_mail_login_begin(struct tf_mail_login *l, const char *prompt, struct tf_text args,
                                        struct tf_writer *to_client);
/* Its next line, with its CRLF. */
enum tf_login_heard tf_mail_login_line(struct tf_mail_login *l, struct tf_text line,
                                       struct tf_writer *to_client);
/* TF_FEED_LOGIN: hands the login over, and keeps nothing of it. */
enum tf_feed tf_mail_login_ask(struct tf_mail_login *l, struct tf_feed_io *io);
void tf_mail_login_wipe(struct tf_mail_login *l);

#endif
