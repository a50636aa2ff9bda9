/* The gateway's own login to its parent proxy, from the settings. */
#ifndef PARENT_LOGIN_H
#define PARENT_LOGIN_H

#include "../lib/base64.h"
#include "../lib/conf.h"

/* Room for the longest, with its NUL. */
enum { PARENT_LOGIN_MAX = TF_BASE64_SIZE(2 * TF_USER_MAX) + 1 };

/* As tf_parent_login makes it, from [upstream] proxy_user and the first line of proxy_password_file; "" where
 * there is no parent, or it wants no login. False with a sentence in error. */
bool parent_login_load(const struct tf_conf *conf, char out[PARENT_LOGIN_MAX], char *error, size_t size);

#endif
