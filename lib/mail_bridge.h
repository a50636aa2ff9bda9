/* The bridge of IMAP and POP3: the client logs in with a name and a password,
 * which the gateway checks, and the gateway logs in to the server with OAuth.
 * Both protocols carry SASL in the same way: `+ ` in front of a challenge, a
 * line for an answer, `*` to give up (RFC 9051 6.2.2, RFC 5034 4).
 *
 * The server is asked in two steps, also where it would take the token at
 * once: that needs none of its extensions, and POP3 has no room for a token
 * in a command. */
#ifndef TF_MAIL_BRIDGE_H
#define TF_MAIL_BRIDGE_H

#include "mail_line.h"
#include "sasl.h"

enum { TF_TOKEN_MAX = 8192 };

enum tf_bridge_awaits { TF_BRIDGE_NOTHING, TF_BRIDGE_PLAIN, TF_BRIDGE_USER, TF_BRIDGE_PASSWORD };

struct tf_bridge {
    enum tf_bridge_awaits awaits; /* what the client's next line is */
    struct tf_login login;
    char token[TF_TOKEN_MAX + 1]; /* until the server asks for it */
};

enum tf_bridge_result {
    TF_BRIDGE_ASKED,     /* a challenge was written: the client's next line goes to tf_bridge_line */
    TF_BRIDGE_READY,     /* the login is there: tf_bridge_ask */
    TF_BRIDGE_CANCELLED, /* by the client */
    TF_BRIDGE_MALFORMED,
    TF_BRIDGE_UNKNOWN /* a mechanism that is not taken */
};

/* The arguments of AUTHENTICATE or AUTH: the mechanism, and what the client answers without being asked. */
enum tf_bridge_result tf_bridge_begin(struct tf_bridge *b, struct tf_text args, struct tf_writer *to_client);
/* The client's answer to a challenge, with its CRLF. */
enum tf_bridge_result tf_bridge_line(struct tf_bridge *b, struct tf_text line, struct tf_writer *to_client);
/* TF_FEED_LOGIN: hands the login over, and keeps nothing of it. */
enum tf_feed tf_bridge_ask(struct tf_bridge *b, struct tf_feed_io *io);
/* The login was right: keeps the token. */
void tf_bridge_take_token(struct tf_bridge *b, const char *token);
/* The server's challenge: gets the token, once; an empty line after that, since it is an error that the
 * server explains, and its refusal comes next. */
void tf_bridge_answer(struct tf_bridge *b, const char *mailbox, struct tf_writer *to_server);
/* The server has decided: a token that it has not asked for is not kept. */
void tf_bridge_forget_token(struct tf_bridge *b);

#endif
