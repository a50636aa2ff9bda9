/* A listener's files; see door.h. */
#include "door.h"

bool door_open(struct door *door, const struct tf_conf *conf, const struct tf_listener *listener,
               const struct door *old, char *error, size_t size)
{
    struct oauth *known = old != NULL ? old->oauth : NULL;
    *door = (struct door){.listener = listener};
    bool ok = !listener->users[0] || (door->users = users_load(listener->users, error, size)) != NULL;
    ok = ok &&
         (!listener->oauth[0] || (door->oauth = oauth_load(listener->oauth, known, error, size)) != NULL);
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
