/* Messages behind DATA; see smtp_data.h. */
#include "smtp_data.h"

/* Only CRLF ends a line: whoever takes a bare LF for one finds the end of the message where its sender did
 * not put it (SMTP smuggling). */
static enum tf_smtp_data step(enum tf_smtp_data at, uint8_t c)
{
    enum tf_smtp_data text = c == '\r' ? TF_SMTP_DATA_CR : TF_SMTP_DATA_TEXT;
    switch (at) {
    case TF_SMTP_DATA_LINE:
        return c == '.' ? TF_SMTP_DATA_DOT : text;
    case TF_SMTP_DATA_TEXT:
        return text;
    case TF_SMTP_DATA_CR:
        return c == '\n' ? TF_SMTP_DATA_LINE : text;
    case TF_SMTP_DATA_DOT:
        return c == '\r' ? TF_SMTP_DATA_DOT_CR : text;
    case TF_SMTP_DATA_DOT_CR:
        return c == '\n' ? TF_SMTP_DATA_OVER : text;
    case TF_SMTP_DATA_OVER:
        break;
    }
    return TF_SMTP_DATA_OVER;
}

size_t tf_smtp_data_scan(enum tf_smtp_data *at, struct tf_span in)
{
    size_t n = 0;
    while (n < in.n && *at != TF_SMTP_DATA_OVER)
        *at = step(*at, in.p[n++]);
    return n;
}
