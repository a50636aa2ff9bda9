/* The body of a POST, and the query of an address, as HTML forms and OAuth
 * write it (application/x-www-form-urlencoded, RFC 6749 appendix B). */
#ifndef TF_FORM_H
#define TF_FORM_H

#include "bytes.h"
#include "text.h"

/* `name=value`, with a `&` in front where something stands there already. */
void tf_put_form_field(struct tf_writer *w, const char *name, const char *value);
/* Takes the first field off the front of *rest, as tf_text_take: its name as it stands there, and its value
 * decoded into value[0..size), with a NUL. False: it is not encoded right, has a NUL in it, or does not fit.
 */
bool tf_form_take(struct tf_text *rest, struct tf_text *name, char *value, size_t size);

#endif
