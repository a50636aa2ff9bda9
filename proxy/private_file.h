/* Whether a file that holds a secret is closed to those whom it is none of
 * their business. */
#ifndef PRIVATE_FILE_H
#define PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Whom the owner of a file may let read it besides himself. */
enum private_to {
    PRIVATE_TO_OWNER, /* nobody, but for the group of a file of root's that we are in ourselves, and can only
                       * read for that reason: so Kubernetes mounts a Secret (root:fsGroup, mode 0440) */
    PRIVATE_TO_GROUP  /* its group, as of the keys of certificates that several servers have */
};

bool private_file_is_closed(const struct stat *st, enum private_to whom);
/* What makes it closed, to be followed by the name of the file. */
const char *private_file_advice(const struct stat *st);
/* That it is closed, and the file is root's or our own. False with a sentence that says what to do, for
 * behind the name of the file. */
bool private_file_check(const struct stat *st, const char *file, char *error, size_t size);

#endif
