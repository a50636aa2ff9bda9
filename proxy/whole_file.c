/* Writing files whole or not at all; see whole_file.h. */
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

/* Not every file system can sync a directory; then the name is on the disk a little later. */
static void sync_directory(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

static int fill(int fd, const void *p, size_t n, mode_t mode)
{
    int why = write_all(fd, p, n);
    if (why == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        why = errno;
    return why;
}

static int give_name(const char *from, const char *to, bool replace)
{
    if (replace)
        return rename(from, to) == 0 ? 0 : errno;
    int why = link(from, to) == 0 ? 0 : errno;
    unlink(from);
    return why;
}

int whole_file_write(const char *path, const void *p, size_t n, mode_t mode, bool replace)
{
    char *fresh;
    if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
        return ENOMEM;

    int fd = mkostemp(fresh, O_CLOEXEC); /* O_EXCL, 0600 */
    int why = fd >= 0 ? fill(fd, p, n, mode) : errno;
    if (fd >= 0 && close(fd) != 0 && why == 0)
        why = errno;
    if (why == 0)
        why = give_name(fresh, path, replace);
    if (why == 0)
        sync_directory(path);
    else if (fd >= 0)
        unlink(fresh);
    free(fresh);
    return why;
}
