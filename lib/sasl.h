/* Logins as mail and proxies write them: SASL PLAIN (RFC 4616), LOGIN,
 * XOAUTH2, and Basic (RFC 7617). Pure functions of text. */
#ifndef TF_SASL_H
#define TF_SASL_H

#include "base64.h"
#include "front.h"

/* base64 of [authzid] NUL user NUL password. An authzid that differs from the user is not taken. False:
 * malformed, or longer than a tf_login holds. */
bool tf_sasl_read_plain(struct tf_text base64, struct tf_login *out);
/* base64 of one field of LOGIN, into a field of tf_login. */
bool tf_sasl_read_field(struct tf_text base64, char out[TF_USER_MAX]);
/* base64 of USER:PASSWORD. */
bool tf_sasl_read_basic(struct tf_text base64, struct tf_login *out);
void tf_sasl_put_plain(struct tf_writer *w, const struct tf_login *login); /* base64 */
void tf_sasl_put_field(struct tf_writer *w, const char *field);            /* base64 */
/* base64 of `user=` MAILBOX ^A `auth=Bearer ` TOKEN ^A ^A. */
void tf_sasl_put_xoauth2(struct tf_writer *w, const char *mailbox, const char *token);
/* Overwrites it, in a way that no compiler takes out. */
void tf_login_wipe(struct tf_login *login);
void tf_wipe(void *p, size_t n);

#endif
