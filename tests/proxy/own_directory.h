/* A directory of its own for each test: setup and teardown. */
#ifndef OWN_DIRECTORY_H
#define OWN_DIRECTORY_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

static int home;

static inline int enter_directory(void **state)
{
    static char directory[64];
    *state = directory;
    snprintf(directory, sizeof directory, "/tmp/test_tlsfloor.XXXXXX");
    home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return home >= 0 && mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static inline int leave_directory(void **state)
{
    char command[128];
    umount2("disk", MNT_DETACH); /* in case that a test failed before it did so */
    snprintf(command, sizeof command, "rm -rf %s", (const char *)*state);
    int rc = fchdir(home);
    close(home);
    return rc == 0 ? system(command) : -1;
}

#endif
