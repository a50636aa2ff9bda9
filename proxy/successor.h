/* Starting a new gateway in place of this one, with descriptors in hand. */
#ifndef SUCCESSOR_H
#define SUCCESSOR_H

#include "program.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A descriptor, and its name in LISTEN_FDNAMES. */
struct handed {
    int fd;
    const char *name;
    const char *mark; /* behind the name: INHERIT_KEPT, or "" */
};

/* One that was started, until successor_end or successor_release. */
struct successor {
    pid_t pid;
    pid_t middleman; /* its parent, and our child */
    int report;      /* what the middleman tells */
};

/* Runs the program as it was run, with these descriptors (inherit.h) and no others. The last one is told by a
 * HANDOVER_CANNOT_RUN, if it cannot be run. False: errno says why. To be called by a thread that lives as
 * long as the process: with that thread goes the middleman. */
bool successor_start(struct successor *s, const struct program *program, const struct handed *list,
                     size_t count);
/* Ends it, if it has not ended by itself. Its exit code, which one that is ending already keeps; or less than
 * 0: minus the signal that has ended it. */
int successor_end(struct successor *s);
/* From now on it is a child of whoever adopts orphans, and nothing is heard of it any more. */
void successor_release(struct successor *s);

#endif
