/* What a line of SMTP says (RFC 5321 4.1.1, 4.2): a command, or part of a reply. */
#ifndef TF_SMTP_LINE_H
#define TF_SMTP_LINE_H

#include "text.h"

enum tf_smtp_verb {
    TF_SMTP_OTHER,
    TF_SMTP_EHLO,
    TF_SMTP_HELO,
    TF_SMTP_NOOP,
    TF_SMTP_RSET,
    TF_SMTP_HELP,
    TF_SMTP_QUIT,
    TF_SMTP_STARTTLS, /* X-ANONYMOUSTLS too, which Exchange servers say to each other */
    TF_SMTP_AUTH,
    TF_SMTP_DATA,
    TF_SMTP_BDAT,
    /* What a gateway cannot carry: it swaps the roles, speaks for the gateway's own address, or logs in past
     * AUTH. */
    TF_SMTP_BARRED
};

struct tf_smtp_command {
    enum tf_smtp_verb verb;
    struct tf_text argument; /* what stands behind it, without blanks around it */
};

struct tf_smtp_reply {
    unsigned code;
    bool is_last;        /* no line of the same reply follows */
    struct tf_text text; /* behind the code, without line end */
};

struct tf_smtp_command tf_smtp_read_command(struct tf_text line);
/* False: it is no line of a reply. */
bool tf_smtp_read_reply(struct tf_text line, struct tf_smtp_reply *out);
/* Whether a verb, or the keyword of an EHLO answer that announces it, is one that cannot be carried. */
bool tf_smtp_is_barred(struct tf_text word);
/* The chunk that follows BDAT: `n` or `n LAST` (RFC 3030 2). False: malformed. */
bool tf_smtp_read_chunk(struct tf_text argument, uint64_t *n);

#endif
