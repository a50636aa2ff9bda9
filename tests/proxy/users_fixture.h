/* Files of users, with hashes that cost little. */
#ifndef USERS_FIXTURE_H
#define USERS_FIXTURE_H

#include "../../proxy/users.h"
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A hash of the password; valid until the next eight. */
static inline const char *hash_of(const char *password)
{
    static char hashes[8][CRYPT_OUTPUT_SIZE];
    static unsigned next;
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    char *hash = hashes[next++ % 8];
    assert_non_null(crypt_gensalt_rn("$2b$", 4, NULL, 0, setting, sizeof setting));
    snprintf(hash, CRYPT_OUTPUT_SIZE, "%s", crypt(password, setting));
    assert_int_equal(hash[0], '$');
    return hash;
}

/* A new file; its path is valid until the next four. */
static inline const char *users_file(const char *text, size_t n, mode_t mode)
{
    static char paths[4][40];
    static unsigned next;
    char *path = paths[next++ % 4];
    strcpy(path, "/tmp/tlsfloor-users-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static char users_error[512];

/* What a file that says so is loaded as. */
static inline struct users *users_of(const char *text)
{
    const char *path = users_file(text, strlen(text), 0600);
    struct users *u = users_load(path, users_error, sizeof users_error);
    unlink(path);
    return u;
}

#endif
