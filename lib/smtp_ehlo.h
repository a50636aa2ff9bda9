/* The server's answer to EHLO (RFC 5321 4.1.1.1): what is in it for the
 * gateway, and what of it holds between the client and the gateway. */
#ifndef TF_SMTP_EHLO_H
#define TF_SMTP_EHLO_H

#include "bytes.h"
#include "text.h"

/* What the gateway itself makes use of. */
struct tf_smtp_offer {
    bool starttls;
    bool plain, login, xoauth2; /* mechanisms of AUTH */
};

/* What is offered to the client. */
struct tf_smtp_leg {
    bool is_tls;
    bool starttls;
    bool auth;
    bool is_bridge;   /* logins are the gateway's: PLAIN and LOGIN, if the server has XOAUTH2 */
    bool is_one_line; /* it has said HELO */
};

/* `reply` is a whole one: lines that tf_smtp_read_reply takes. */
struct tf_smtp_offer tf_smtp_read_offer(struct tf_text reply);
/* What is written is longer by the STARTTLS and two `PLAIN LOGIN` at most. */
void tf_smtp_put_ehlo(struct tf_writer *w, struct tf_text reply, const struct tf_smtp_leg *leg);

#endif
