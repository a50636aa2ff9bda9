/* A file of users: `NAME:HASH` or `NAME:HASH:MAILBOX` a line, `#` in front of a
 * comment. Hashes are those of crypt(3) that it does not itself call weak;
 * `tlsfloor hash-password` makes them. */
#ifndef USERS_H
#define USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct user {
    const char *name;
    const char *hash;
    const char *mailbox; /* for `bridge`: whose OAuth token is asked for; the name where the file says none */
};

struct users; /* immutable, counted */

/* NULL with `FILE:LINE: what is wrong` in error; a file that others may read or write is an error as well. */
struct users *users_load(const char *path, char *error, size_t size);
struct users *users_ref(struct users *u);
void users_unref(struct users *u);                                      /* may be NULL */
const struct user *users_find(const struct users *u, const char *name); /* NULL: there is none */
/* All of them, by name. */
size_t users_count(const struct users *u);
const struct user *users_at(const struct users *u, size_t i);
/* Whether a password is the user's. Takes a tenth of a second and more: not on a loop. Takes as long for a
 * user who is not there. */
bool users_check(const struct users *u, const char *name, const char *password);
/* Two files have the same id if they say the same. */
enum { USERS_ID_SIZE = 32 };
const uint8_t *users_id(const struct users *u);

/* Why a user cannot have this name, as a sentence; NULL: it can. */
const char *users_name_error(const char *name);

#endif
