/* The body of a POST as HTML forms and OAuth write it
 * (application/x-www-form-urlencoded, RFC 6749 appendix B). */
#ifndef TF_FORM_H
#define TF_FORM_H

#include "bytes.h"

/* `name=value`, with a `&` in front where something stands there already. */
void tf_put_form_field(struct tf_writer *w, const char *name, const char *value);

#endif
