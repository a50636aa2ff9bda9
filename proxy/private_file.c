/* Who can open files that hold secrets; see private_file.h. */
#include "private_file.h"

#include <stdio.h>
#include <unistd.h>

/* Only as one of its group can we read it, if it is closed to others. */
static bool is_lent(const struct stat *st)
{
    return st->st_uid == 0 && geteuid() != 0;
}

static bool is_lent_to_us(const struct stat *st)
{
    return is_lent(st) && (st->st_gid == getegid() || group_member(st->st_gid));
}

bool private_file_is_closed(const struct stat *st, enum private_to whom)
{
    mode_t group = st->st_mode & S_IRWXG;
    if (st->st_mode & S_IRWXO)
        return false;
    return group == 0 || (group == S_IRGRP && (whom == PRIVATE_TO_GROUP || is_lent_to_us(st)));
}

const char *private_file_advice(const struct stat *st)
{
    return is_lent(st) ? "be in its group (Kubernetes: fsGroup), and chmod 440" : "chmod 600";
}

bool private_file_check(const struct stat *st, const char *file, char *error, size_t size)
{
    if (st->st_uid != geteuid() && st->st_uid != 0)
        snprintf(
            error, size,
            "belongs to the user with the number %u, who can read what it holds: chown it to the user that "
            "runs the gateway",
            (unsigned)st->st_uid);
    else if (!private_file_is_closed(st, PRIVATE_TO_OWNER))
        snprintf(error, size, "holds secrets and is open to other users (mode %04o): %s %.180s",
                 (unsigned)st->st_mode & 07777, private_file_advice(st), file);
    else
        return true;
    return false;
}
