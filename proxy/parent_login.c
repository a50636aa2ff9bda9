/* The login to the parent proxy; see parent_login.h. */
#include "parent_login.h"

#include "../lib/parent.h"
#include "../lib/sasl.h"
#include "conf_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_printable(struct tf_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.p[i] < 0x20 || t.p[i] == 0x7f)
            return false;
    return true;
}

/* False: the first line of text[0..n) is no password. */
static bool take_password(char *text, size_t n, char password[TF_USER_MAX])
{
    struct tf_text rest = {text, n};
    struct tf_text line = tf_text_take(&rest, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0 || line.n >= TF_USER_MAX || !is_printable(line))
        return false;
    memcpy(password, line.p, line.n);
    password[line.n] = '\0';
    return true;
}

static bool read_password(const char *file, char password[TF_USER_MAX], char *error, size_t size)
{
    char why[256];
    size_t n;
    char *text = conf_file_read_secret(file, &n, why, sizeof why);
    if (text == NULL) {
        snprintf(error, size, "[upstream] proxy_password_file: %s: %s", file, why);
        return false;
    }
    bool ok = take_password(text, n, password);
    if (!ok)
        snprintf(
            error, size,
            "[upstream] proxy_password_file: %s: the first line must be the password, of 1 to %d characters",
            file, TF_USER_MAX - 1);
    tf_wipe(text, n);
    free(text);
    return ok;
}

bool parent_login_load(const struct tf_conf *conf, char out[PARENT_LOGIN_MAX], char *error, size_t size)
{
    const char *user = conf->parent.user, *file = conf->parent.password_file;
    char password[TF_USER_MAX] = "";
    out[0] = '\0';
    if (conf->parent.proxy.host[0] == '\0' || user[0] == '\0')
        return true;
    if (strlen(user) >= TF_USER_MAX || strchr(user, ':') != NULL) {
        snprintf(error, size, "[upstream] proxy_user: a user has no colon, and at most %d characters",
                 TF_USER_MAX - 1);
        return false;
    }
    if (file[0] != '\0' && !read_password(file, password, error, size))
        return false;
    bool fits = tf_parent_login(user, password, out, PARENT_LOGIN_MAX);
    tf_wipe(password, sizeof password);
    return fits;
}
