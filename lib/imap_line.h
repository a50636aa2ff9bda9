/* The words of IMAP (RFC 3501, RFC 9051): what a line of either side is, and
 * what it says about what follows. Nothing is remembered here. */
#ifndef TF_IMAP_LINE_H
#define TF_IMAP_LINE_H

#include "mail_line.h"

enum { TF_IMAP_TAG_MAX = 64 };

enum tf_imap_verb {
    TF_IMAP_OTHER,
    TF_IMAP_HARMLESS, /* says nothing that a listener on the way could use: CAPABILITY, NOOP, ID */
    TF_IMAP_LOGOUT,
    TF_IMAP_STARTTLS,
    TF_IMAP_LOGIN,
    TF_IMAP_AUTHENTICATE
};

struct tf_imap_command {
    struct tf_text tag;
    enum tf_imap_verb verb;
    struct tf_text args; /* up to the line's end, which is left out */
};

/* False: this line does not begin a command. */
bool tf_imap_read_command(struct tf_text line, struct tf_imap_command *out);

/* A literal that the end of a line announces (RFC 9051 4.3, RFC 7888): `{5}`, `{5+}`. */
struct tf_imap_literal {
    bool is_there;
    bool is_awaited; /* it comes only after the other side's `+` */
    size_t n;
};

/* False: it is longer than max, or its length is no number. */
bool tf_imap_read_literal(struct tf_text line, size_t max, struct tf_imap_literal *out);

/* Name and password: the arguments of LOGIN as they came, literals with the lines that announce them. False:
 * malformed, without a name, or longer than a tf_login holds. */
bool tf_imap_read_login(struct tf_text args, struct tf_login *out);

enum tf_imap_said {
    TF_IMAP_UNTAGGED,
    TF_IMAP_CONTINUE, /* `+` */
    TF_IMAP_TAGGED,   /* with the tag that was asked for */
    TF_IMAP_NONSENSE
};

enum tf_imap_status {
    TF_IMAP_DATA, /* none: an untagged line that may hold literals */
    TF_IMAP_OK,
    TF_IMAP_NO, /* or BAD */
    TF_IMAP_PREAUTH,
    TF_IMAP_BYE
};

struct tf_imap_response {
    enum tf_imap_said said;
    enum tf_imap_status status;
};

struct tf_imap_response tf_imap_read_response(struct tf_text line, const char *tag);

/* A server's line as the client may see it: capabilities, wherever in it they are, say what holds on the
 * client's leg. */
void tf_imap_put_response(struct tf_writer *w, struct tf_text line, const struct tf_mail_offer *offer);
/* The same line without its `[CAPABILITY ...]`: what a server says of itself before TLS holds for nobody. */
void tf_imap_put_uncapable(struct tf_writer *w, struct tf_text line);

#endif
