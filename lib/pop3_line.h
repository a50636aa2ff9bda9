/* The words of POP3 (RFC 1939, RFC 2449): what a client's command is, and
 * what of a server's lists a client may see. Nothing is remembered here. */
#ifndef TF_POP3_LINE_H
#define TF_POP3_LINE_H

#include "mail_line.h"

enum tf_pop3_verb {
    TF_POP3_OTHER,
    TF_POP3_NOOP,
    TF_POP3_CAPA,
    TF_POP3_QUIT,
    TF_POP3_STLS,
    TF_POP3_USER,
    TF_POP3_PASS,
    TF_POP3_APOP,
    TF_POP3_AUTH,
    TF_POP3_AUTH_LIST, /* AUTH alone: which mechanisms are there? */
    TF_POP3_LANG_LIST  /* LANG alone (RFC 6856): which languages? */
};

struct tf_pop3_command {
    enum tf_pop3_verb verb;
    struct tf_text args; /* behind one space, without CRLF: a password may begin or end with blanks */
};

/* False: the line is no command. */
bool tf_pop3_read_command(struct tf_text line, struct tf_pop3_command *out);
/* Whether `+OK` has a list behind it, which ends with a line that is a dot alone. */
bool tf_pop3_is_list(enum tf_pop3_verb verb);

enum tf_pop3_status { TF_POP3_OK, TF_POP3_ERR, TF_POP3_CONTINUE, TF_POP3_NONSENSE };

enum tf_pop3_status tf_pop3_read_status(struct tf_text line);

/* A line of the server's list for `verb`, its last one included, as the client may see it: nothing, itself,
 * or with more in front. */
void tf_pop3_put_listed(struct tf_writer *w, enum tf_pop3_verb verb, struct tf_text line,
                        const struct tf_mail_offer *offer);

#endif
