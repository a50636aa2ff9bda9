/* Mail: what SMTP, IMAP and POP3 have in common for a gateway that stands
 * between a client and a server and must not be talked out of TLS. */
#ifndef TF_MAIL_H
#define TF_MAIL_H

#include "text.h"

enum tf_mail { TF_MAIL_NONE, TF_MAIL_SMTP, TF_MAIL_IMAP, TF_MAIL_POP3 };

/* TLS between a client and a listener whose sessions are upgraded. */
enum tf_client_tls {
    TF_CLIENT_TLS_NONE,     /* plain text; STARTTLS is not offered */
    TF_CLIENT_TLS_OPTIONAL, /* STARTTLS is offered */
    TF_CLIENT_TLS_STARTTLS, /* and nothing goes without it */
    TF_CLIENT_TLS_IMPLICIT  /* TLS at once */
};

/* The protocol of a server that speaks first in plain text, by port: 25 and 587, 143, 110; else none. */
enum tf_mail tf_mail_of_port(uint16_t port);
/* Whether a mail server speaks TLS at once on this port: 465, 993, 995. */
bool tf_mail_is_tls_port(uint16_t port);
const char *tf_mail_name(enum tf_mail mail); /* `smtp`; "" for none */

/* An answer of Microsoft 365 that admins search for: whose fault is it? */
struct tf_mail_answer {
    const char *code;    /* as the server words it: `421 4.7.66` */
    const char *words;   /* which the line has as well; "" where the code says it all */
    bool is_tls_problem; /* false: whoever looks at TLS looks in the wrong place */
    const char *meaning; /* a sentence */
    const char *advice;
};

/* The answer that a server's line is, reply code and enhanced status code (RFC 3463) together; NULL: none
 * that is known. For mail other than SMTP there are none. */
const struct tf_mail_answer *tf_mail_answer_find(struct tf_text line);

/* The server does not take the token that the bridge logs in with, whatever it says about passwords. */
extern const struct tf_mail_answer tf_mail_token_refused;

/* A TLS version in the words of Exchange's protocol logs, as `SP_PROT_TLS1_0_SERVER`; `server`: the side that
 * we are on that leg. 0, plain text, is `SP_PROT_NONE`. */
const char *tf_mail_prot(uint16_t version, bool server);

#endif
