/* Base64 (RFC 4648 4), with padding, as mail and HTTP logins have it. */
#ifndef TF_BASE64_H
#define TF_BASE64_H

#include "bytes.h"
#include "text.h"

/* Bytes that n bytes take when written. */
#define TF_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

void tf_put_base64(struct tf_writer *w, const void *p, size_t n);
/* Strict: no blanks, right padding, no bits left over. False: it is not valid, or does not fit `room`. */
bool tf_base64_read(struct tf_text text, uint8_t *out, size_t room, size_t *n);

#endif
