/* The state of an IMAP dialogue, and its two halves: imap_server.c hears the
 * server, imap_client.c the client. mail_dialogue.h says whose turn it is. */
#ifndef TF_IMAP_DIALOGUE_H
#define TF_IMAP_DIALOGUE_H

#include "imap_line.h"
#include "mail_dialogue.h"

/* Of a greeting, in whose place a longer one gets our own; or of LOGIN's arguments, all of them quoted. */
enum { TF_IMAP_KEPT_MAX = 4 * TF_USER_MAX + 64 };

struct tf_imap {
    struct tf_mail_dialogue d;
    size_t literal[2]; /* bytes of a side's literal that are to come */
    bool is_rest[2];   /* the side's next line goes on with one that a literal interrupted */
    /* the command that is under way; no tag: there is none */
    enum tf_imap_verb verb;
    char tag[TF_IMAP_TAG_MAX];
    /* the server's greeting until the client may hear it; then what of LOGIN has come */
    char kept[TF_IMAP_KEPT_MAX];
    size_t kept_n;
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
