/* Lines of a mail dialogue, and the words in them. */
#ifndef TF_MAIL_LINE_H
#define TF_MAIL_LINE_H

#include "front.h"

enum tf_mail_line { TF_MAIL_LINE_DONE, TF_MAIL_LINE_MORE, TF_MAIL_LINE_BAD };

/* The line at the front of `in`, with its CRLF. BAD: it is longer than `max`, or has a NUL, or a CR or LF on
 * its own; that is known before its end has come, so that who speaks something else is not waited for. */
enum tf_mail_line tf_mail_line_take(struct tf_span in, size_t max, struct tf_text *line);

/* Takes the first word, and the blanks around it, off the front of *rest; empty when there is none. */
struct tf_text tf_mail_word(struct tf_text *rest);

/* A line without its CRLF. */
struct tf_text tf_mail_text(struct tf_text line);

/* What a client is offered on its leg. */
struct tf_mail_offer {
    bool has_starttls;
    bool has_login;
    bool is_bridge; /* the gateway takes names and passwords, whatever the server takes */
};

/* Whether a SASL mechanism may be offered to a client whose TLS does not reach the server. Those that are
 * bound to the channel would fail, and EXTERNAL would log everybody in with the gateway's own certificate. */
bool tf_mail_mechanism_holds(struct tf_text mechanism);

/* What of io->in is not consumed yet. */
struct tf_span tf_mail_rest(const struct tf_feed_io *io);
/* Whether both writers have room for n bytes and for what a front may say of its own beside them. */
bool tf_mail_has_room(const struct tf_feed_io *io, size_t n);
/* TF_FEED_BAD. `detail` is a fixed sentence, or NULL. */
enum tf_feed tf_mail_fail(struct tf_facts *facts, enum tf_reason reason, const char *detail);
/* TF_FEED_BAD: what the client has said is no line of a mail protocol. */
enum tf_feed tf_mail_not_spoken(const struct tf_feed_io *io, struct tf_facts *facts);
/* The server has refused the bridge's token. */
void tf_mail_note_refused_token(struct tf_facts *facts);
/* The line that refuses a session: how the protocol begins it, and the sentence of facts->reason. */
void tf_mail_refuse(struct tf_writer *to_client, const char *begin, const struct tf_facts *facts);

#endif
