/* Text in HTML pages, as text and nothing else. */
#ifndef TF_HTML_H
#define TF_HTML_H

#include "bytes.h"

/* A byte of text takes so much room at the most. */
#define TF_HTML_GROWTH 5

/* Text that may stand between tags, and in quoted attributes: markup is escaped, letters beyond ASCII come as
 * character references, so that every browser reads them whatever it takes the page's encoding for, and what
 * is neither, no UTF-8, or not to be seen (bidirectional overrides are not), is '?'. Cut where it takes more
 * than about `room`. */
void tf_put_html_text(struct tf_writer *w, const char *text, size_t room);

#endif
