/* `tlsfloor check`: the files that listeners and the parent proxy need. */
#include "check.h"

#include "../lib/calendar.h"
#include "door.h"
#include "parent_login.h"
#include <time.h>

enum { SOON_S = 30 * 24 * 60 * 60 };

static void report(const struct conf *c, enum tf_severity severity, const struct tf_listener *listener,
                   const char *sentence)
{
    struct tf_origin at = {.source = listener->line > 0 ? TF_FROM_FILE : TF_FROM_ENVIRONMENT,
                           .name = listener->line > 0 ? c->file : listener->name,
                           .line = listener->line};
    conf_report(stderr, severity, &at, sentence);
}

static void check_expiry(const struct conf *c, const struct tf_listener *listener, const struct tls_own *own)
{
    char day[16], sentence[TF_CONF_NAME_MAX + 128];
    struct tf_writer w = tf_writer_of(day, sizeof day - 1);
    int64_t expires = tls_own_expires(own), now = time(NULL);
    if (expires > now + SOON_S)
        return;
    tf_put_day(&w, expires);
    day[w.len] = '\0';
    snprintf(sentence, sizeof sentence, "[listener %s] certificate %s on %s; get a new one", listener->name,
             expires <= now ? "expired" : "expires", day);
    report(c, TF_WARNING, listener, sentence);
}

static bool check_door(const struct conf *c, const struct tf_listener *listener)
{
    char error[512];
    struct door door;
    if (!door_open(&door, &c->tf, listener, NULL, error, sizeof error)) {
        report(c, TF_ERROR, listener, error);
        return false;
    }
    if (door.own != NULL)
        check_expiry(c, listener, door.own);
    door_close(&door);
    return true;
}

bool check_doors(const struct conf *c)
{
    char error[512], login[PARENT_LOGIN_MAX];
    bool ok = true;
    for (const struct tf_listener *l = c->tf.listeners; l != NULL; l = l->next)
        ok = check_door(c, l) && ok;
    if (parent_login_load(&c->tf, login, error, sizeof error))
        return ok;
    conf_report(stderr, TF_ERROR, tf_conf_origin(&c->tf, "upstream", "proxy_password_file"), error);
    return false;
}
