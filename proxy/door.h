/* What a listener needs besides its settings: files that were read when the
 * settings were taken into use. Belongs to a stage; loops find it by the
 * listener they serve. */
#ifndef DOOR_H
#define DOOR_H

#include "../lib/conf.h"
#include "oauth.h"
#include "tls_own.h"
#include "users.h"

struct door {
    const struct tf_listener *listener;
    struct users *users; /* NULL: nobody logs in */
    struct oauth *oauth; /* NULL: no bridge */
    struct tls_own *own; /* NULL: no certificate */
};

enum { DOOR_ERROR_MAX = 512 };

/* `old` may be NULL. False with `[listener NAME] KEY: what is wrong` in error; then there is nothing to
 * close.
 */
bool door_open(struct door *door, const struct tf_conf *conf, const struct tf_listener *listener,
               const struct door *old, char *error, size_t size);
void door_close(struct door *door);

#endif
