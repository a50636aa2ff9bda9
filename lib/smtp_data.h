/* The end of a message behind DATA: a line with nothing but a dot (RFC 5321
 * 4.1.1.4). The bytes themselves pass as they are. */
#ifndef TF_SMTP_DATA_H
#define TF_SMTP_DATA_H

#include "bytes.h"

enum tf_smtp_data {
    TF_SMTP_DATA_LINE, /* at the beginning of a line, as behind DATA itself */
    TF_SMTP_DATA_TEXT,
    TF_SMTP_DATA_CR,
    TF_SMTP_DATA_DOT, /* a dot at the beginning of a line */
    TF_SMTP_DATA_DOT_CR,
    TF_SMTP_DATA_OVER
};

/* How many of these bytes belong to the message, up to its end: then *at is TF_SMTP_DATA_OVER. */
size_t tf_smtp_data_scan(enum tf_smtp_data *at, struct tf_span in);

#endif
