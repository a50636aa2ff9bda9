/* Where an SMTP session stands: what front_smtp.c, smtp_client.c and
 * smtp_server.c have in common, and nobody else knows of. */
#ifndef TF_SMTP_STATE_H
#define TF_SMTP_STATE_H

#include "front.h"
#include "smtp_auth.h"
#include "smtp_data.h"
#include "smtp_ehlo.h"

/* Both sides speak in turns: of a client that sends commands ahead, the next one waits until the server has
 * answered the last. So a reply always belongs to the command that the phase tells of. */
enum tf_smtp_phase {
    /* The gateway and the server among themselves. */
    TF_SMTP_AT_GREETING,  /* the server is to speak first */
    TF_SMTP_AT_OFFER,     /* it has got our EHLO: is there STARTTLS in its answer? */
    TF_SMTP_AT_CONSENT,   /* it has got our STARTTLS */
    TF_SMTP_AT_HANDSHAKE, /* a side turns to TLS: nobody says anything in plain text */
    /* Commands and their replies. */
    TF_SMTP_AT_COMMAND,  /* it is the client's turn */
    TF_SMTP_AT_EHLO,     /* the server has got the client's EHLO: the client gets what holds of the answer */
    TF_SMTP_AT_REPLY,    /* the server's reply passes */
    TF_SMTP_AT_GOODBYE,  /* its reply to QUIT, likewise */
    TF_SMTP_AT_FOLLOWED, /* TF_MAIL_FOLLOW: its reply to the client's STARTTLS, likewise */
    TF_SMTP_AT_DATA_REPLY, /* its reply to DATA, likewise */
    TF_SMTP_AT_DATA,       /* the client sends a message */
    TF_SMTP_AT_CHUNK,      /* or a piece of one, behind BDAT */
    /* Logins. */
    TF_SMTP_AT_CREDENTIALS, /* the client has been asked for user or password by us */
    TF_SMTP_AT_LOGIN,       /* the session has them checked */
    TF_SMTP_AT_SAYING,      /* the server has got a part of what we log in with */
    TF_SMTP_AT_CHALLENGE,   /* a mechanism that passes: it is the server's turn */
    TF_SMTP_AT_RESPONSE     /* or the client's */
};

struct tf_smtp {
    struct tf_mail_plan plan;
    enum tf_smtp_phase phase;
    bool is_tls[2];     /* what we speak with each side */
    bool has_greeted;   /* the client's EHLO or HELO has been answered, inside the same TLS */
    bool has_logged_in; /* bridge: the server has taken our token, inside the same TLS of the client's */
    bool is_helo;       /* it was HELO */
    bool is_answered;   /* the reply came before the end of the message or chunk */
    enum tf_smtp_data data;
    uint64_t chunk_left;
    struct tf_smtp_offer offer; /* the server's, in its answer to the last EHLO */
    struct tf_mail_login auth;
    char name[TF_HOST_MAX + 2]; /* what the client calls itself; "": it has not said */
};

/* Nothing is for the client now: it has begun with TLS, which does not end here, or not yet. */
bool tf_smtp_is_deaf(const struct tf_smtp *s);
/* Says EHLO to the server in the client's name, or in our own. */
void tf_smtp_say_ehlo(struct tf_smtp *s, struct tf_writer *to_server, enum tf_smtp_phase next);
/* One turn with what a side has said: a command, a line, a piece of a message. MORE with nothing consumed:
 * there is nothing to do now. Both writers have room for a line and what may be said beside it. */
enum tf_feed tf_smtp_hear_client(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts);
enum tf_feed tf_smtp_hear_server(struct tf_smtp *s, struct tf_feed_io *io, struct tf_facts *facts);

#endif
