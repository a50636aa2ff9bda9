/* `tlsfloor check`: the files that listeners and the parent proxy need, and the keys of session tickets. */
#include "check.h"

#include "../lib/calendar.h"
#include "door.h"
#include "parent_login.h"
#include "tickets.h"
#include <string.h>
#include <time.h>

enum { SOON_S = 30 * 24 * 60 * 60, SENTENCE_MAX = 1024 };

/* At the key that the error names. */
static void report_error(const struct conf *c, const struct tf_listener *listener, const char *error)
{
    static const char *const keys[] = {"users", "oauth", "certificate", "key"};
    size_t i = 0;
    for (; i < sizeof keys / sizeof keys[0] - 1; i++) {
        char start[TF_CONF_NAME_MAX + 32];
        int n = snprintf(start, sizeof start, "[listener %s] %s:", listener->name, keys[i]);
        if (strncmp(error, start, (size_t)n) == 0)
            break;
    }
    conf_report(stderr, TF_ERROR, tf_conf_listener_origin(&c->tf, listener, keys[i]), error);
}

/* `[listener NAME] KEY SENTENCE` */
static void warn(const struct conf *c, const struct tf_listener *listener, const char *key,
                 const char *sentence)
{
    char text[SENTENCE_MAX];
    snprintf(text, sizeof text, "[listener %s] %s %s", listener->name, key, sentence);
    conf_report(stderr, TF_WARNING, tf_conf_listener_origin(&c->tf, listener, key), text);
}

static void check_expiry(const struct conf *c, const struct tf_listener *listener, const struct tls_own *own)
{
    char sentence[64];
    struct tf_writer w = tf_writer_of(sentence, sizeof sentence - 1);
    int64_t expires = tls_own_expires(own), now = time(NULL);
    if (expires > now + SOON_S)
        return;
    tf_put_text(&w, expires <= now ? "expired on " : "expires on ");
    tf_put_day(&w, expires);
    tf_put_text(&w, "; get a new one");
    sentence[w.len] = '\0';
    warn(c, listener, "certificate", sentence);
}

/* Whose mailbox Microsoft 365 cannot know. */
static const struct user *find_homeless(const struct users *users)
{
    for (size_t i = 0; i < users_count(users); i++)
        if (strchr(users_at(users, i)->mailbox, '@') == NULL)
            return users_at(users, i);
    return NULL;
}

static void check_users(const struct conf *c, const struct tf_listener *listener, const struct users *users)
{
    const struct user *homeless = listener->bridge ? find_homeless(users) : NULL;
    char sentence[SENTENCE_MAX];

    if (users_count(users) == 0)
        warn(c, listener, "users",
             "names a file without users, so that nobody can log in; add the lines of tlsfloor hash-password "
             "--user NAME");
    if (homeless == NULL)
        return;
    snprintf(sentence, sizeof sentence,
             "has %s, whose mailbox has no @; write it behind the hash: NAME:HASH:MAILBOX@DOMAIN",
             homeless->name);
    warn(c, listener, "users", sentence);
}

static bool check_door(const struct conf *c, const struct tf_listener *listener)
{
    char error[DOOR_ERROR_MAX];
    struct door door;
    if (!door_open(&door, &c->tf, listener, NULL, error, sizeof error)) {
        report_error(c, listener, error);
        return false;
    }
    if (door.own != NULL)
        check_expiry(c, listener, door.own);
    if (door.users != NULL)
        check_users(c, listener, door.users);
    door_close(&door);
    return true;
}

static bool check_parent_login(const struct conf *c)
{
    char error[512], login[PARENT_LOGIN_MAX];
    if (parent_login_load(&c->tf, login, error, sizeof error))
        return true;
    conf_report(stderr, TF_ERROR, tf_conf_origin(&c->tf, "upstream", "proxy_password_file"), error);
    return false;
}

static bool check_ticket_keys(const struct conf *c)
{
    char error[SENTENCE_MAX];
    struct tickets *tickets = tickets_new(c->tf.ticket_keys_file, error, sizeof error);
    if (tickets == NULL)
        conf_report(stderr, TF_ERROR, tf_conf_origin(&c->tf, "gateway", "ticket_keys_file"), error);
    tickets_unref(tickets);
    return tickets != NULL;
}

bool check_doors(const struct conf *c)
{
    bool ok = true;
    for (const struct tf_listener *l = c->tf.listeners; l != NULL; l = l->next)
        ok = check_door(c, l) && ok;
    ok = check_parent_login(c) && ok;
    return check_ticket_keys(c) && ok;
}
