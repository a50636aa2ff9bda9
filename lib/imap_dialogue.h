/* The state of an IMAP dialogue, and its two halves: imap_server.c hears the
 * server, imap_client.c the client. front_imap.c says whose turn it is. */
#ifndef TF_IMAP_DIALOGUE_H
#define TF_IMAP_DIALOGUE_H

#include "imap_line.h"
#include "mail_bridge.h"

/* Of a greeting, in whose place a longer one gets our own; or of LOGIN's arguments, all of them quoted. */
enum { TF_IMAP_KEPT_MAX = 4 * TF_USER_MAX + 64 };

enum tf_imap_phase {
    TF_IMAP_GREETING,  /* the server's greeting is to come */
    TF_IMAP_ASKING,    /* our own STARTTLS is to be answered */
    TF_IMAP_AWAY,      /* the session is busy with TLS or a login: nothing is looked at */
    TF_IMAP_COMMAND,   /* the client's next command, or the rest of one */
    TF_IMAP_LITERAL,   /* the server is to take or refuse the literal that a command announced */
    TF_IMAP_RESPONSE,  /* the server's answer */
    TF_IMAP_REPLY,     /* the client's answer to the server's challenge */
    TF_IMAP_CHALLENGED /* the client's answer to our own */
};

struct tf_imap {
    struct tf_mail_plan plan;
    enum tf_imap_phase phase;
    bool is_client_secure;
    size_t literal[2]; /* bytes of a side's literal that are to come */
    bool is_rest[2];   /* the side's next line goes on with one that a literal interrupted */
    /* the command that is under way; no tag: there is none */
    enum tf_imap_verb verb;
    char tag[TF_IMAP_TAG_MAX];
    /* the server's greeting until the client may hear it; then what of LOGIN has come */
    char kept[TF_IMAP_KEPT_MAX];
    size_t kept_n;
    struct tf_bridge bridge;
};

/* A side's line; it is consumed already. */
enum tf_feed tf_imap_hear_server(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line);
enum tf_feed tf_imap_hear_client(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                 struct tf_text line);
/* What has come of the client's literal; likewise. */
enum tf_feed tf_imap_hear_literal(struct tf_imap *m, struct tf_feed_io *io, struct tf_facts *facts,
                                  struct tf_text bytes);

/* The server has greeted, and its TLS stands: now the client's begins, or it is greeted. */
enum tf_feed tf_imap_turn_to_client(struct tf_imap *m, const struct tf_feed_io *io);
void tf_imap_greet(struct tf_imap *m, const struct tf_feed_io *io);
/* Our own answer to the client's command, without tag and CRLF; the command is over. */
enum tf_feed tf_imap_answer(struct tf_imap *m, const struct tf_feed_io *io, const char *text);
void tf_imap_end_command(struct tf_imap *m);

/* Keeps text in `kept`. False: there is no room. */
bool tf_imap_keep(struct tf_imap *m, struct tf_text text);

#endif
