/* Starting a new gateway in place of this one, with descriptors in hand. */
#ifndef SUCCESSOR_H
#define SUCCESSOR_H

#include "program.h"
#include <stddef.h>
#include <sys/types.h>

/* A descriptor, and its name in LISTEN_FDNAMES. */
struct handed {
    int fd;
    const char *name;
    const char *mark; /* behind the name: INHERIT_KEPT, or "" */
};

/* Runs the program as it was run, with these descriptors (inherit.h) and no others. The last one is told by a
 * HANDOVER_CANNOT_RUN, if it cannot be run. Its process id; or -1, and errno. */
pid_t successor_start(const struct program *program, const struct handed *list, size_t count);

#endif
