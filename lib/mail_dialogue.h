/* What the dialogues of IMAP and POP3 have in common: whose turn it is, how
 * TLS begins, and the token of the bridge. SMTP has its own: there whole
 * messages pass.
 *
 * The bridge: the client logs in with a name and a password, which the
 * gateway checks, and the gateway logs in to the server with OAuth. The server
 * is asked in two steps, also where it would take the token at once: that
 * needs none of its extensions, and POP3 has no room for a token in a
 * command. */
#ifndef TF_MAIL_DIALOGUE_H
#define TF_MAIL_DIALOGUE_H

#include "mail_login.h"

enum { TF_TOKEN_MAX = 8192 };

enum tf_mail_phase {
    TF_MAIL_AT_GREETING,  /* the server's greeting is to come */
    TF_MAIL_AT_ASKING,    /* our own STARTTLS is to be answered */
    TF_MAIL_AT_AWAY,      /* the session is busy with TLS or a login: nothing is looked at */
    TF_MAIL_AT_COMMAND,   /* the client's next command, or the rest of one */
    TF_MAIL_AT_LITERAL,   /* IMAP: the server is to take or refuse the literal that a command announced */
    TF_MAIL_AT_RESPONSE,  /* the server's answer */
    TF_MAIL_AT_LIST,      /* POP3: the list behind it */
    TF_MAIL_AT_REPLY,     /* the client's answer to the server's challenge */
    TF_MAIL_AT_CHALLENGED /* the client's answer to our own */
};

struct tf_mail_dialogue {
    struct tf_mail_plan plan;
    enum tf_mail_phase phase;
    bool is_client_secure;
    struct tf_mail_login auth;
    char token[TF_TOKEN_MAX + 1]; /* until the server asks for it */
};

/* As tf_front.begin; *d is zero. */
enum tf_feed tf_mail_begin(struct tf_mail_dialogue *d, const struct tf_mail_plan *plan);
/* Whether what a side says is looked at now. */
bool tf_mail_is_heard(const struct tf_mail_dialogue *d, enum tf_side from, const struct tf_feed_io *io);
/* Takes a side's next line; it is consumed. False: there is none, and *result is the front's answer. */
bool tf_mail_hear(const struct tf_mail_dialogue *d, enum tf_side from, struct tf_feed_io *io,
                  struct tf_facts *facts, struct tf_text *line, enum tf_feed *result);
/* The server agrees to TLS, with us or with the client: `next`. What it has sent behind that is not inside
 * TLS. */
enum tf_feed tf_mail_turn_to_tls(struct tf_mail_dialogue *d, const struct tf_feed_io *io,
                                 struct tf_facts *facts, enum tf_feed next);

struct tf_mail_offer tf_mail_offer_to_client(const struct tf_mail_dialogue *d);

/* The login was right: keeps the token. */
void tf_mail_keep_token(struct tf_mail_dialogue *d, const char *token);
/* The server's challenge: gets the token, once; an empty line after that, since it is an error that the
 * server explains, and its refusal comes next. */
void tf_mail_say_token(struct tf_mail_dialogue *d, const char *mailbox, struct tf_writer *to_server);
/* The server has decided: a token that it has not asked for is not kept. */
void tf_mail_forget_token(struct tf_mail_dialogue *d);

#endif
