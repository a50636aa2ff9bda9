/* A listener's files; see door.h. */
#include "door.h"

#include <stdio.h>

/* With `[listener NAME] KEY: ` in front of the sentence, which begins with the file. Always false. */
static bool fail(const struct door *door, const char *key, const char *sentence, char *error, size_t size)
{
    snprintf(error, size, "[listener %s] %s: %s", door->listener->name, key, sentence);
    return false;
}

static bool open_users(struct door *door, char *error, size_t size)
{
    char why[DOOR_ERROR_MAX];
    door->users = users_load(door->listener->users, why, sizeof why);
    return door->users != NULL || fail(door, "users", why, error, size);
}

static bool open_oauth(struct door *door, struct oauth *known, char *error, size_t size)
{
    char why[DOOR_ERROR_MAX];
    door->oauth = oauth_load(door->listener->oauth, known, why, sizeof why);
    return door->oauth != NULL || fail(door, "oauth", why, error, size);
}

bool door_open(struct door *door, const struct tf_conf *conf, const struct tf_listener *listener,
               const struct door *old, char *error, size_t size)
{
    *door = (struct door){.listener = listener};
    bool ok = !listener->users[0] || open_users(door, error, size);
    ok = ok && (!listener->oauth[0] || open_oauth(door, old != NULL ? old->oauth : NULL, error, size));
    ok = ok && (!listener->certificate[0] || (door->own = tls_own_load(conf, listener, error, size)) != NULL);
    if (!ok)
        door_close(door);
    return ok;
}

void door_close(struct door *door)
{
    users_unref(door->users);
    oauth_unref(door->oauth);
    tls_own_free(door->own);
    *door = (struct door){.listener = NULL};
}
