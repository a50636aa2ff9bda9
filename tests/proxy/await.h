/* Waits for what no descriptor and no call tells: a thing that a thread does in its own time. */
#ifndef AWAIT_H
#define AWAIT_H

#include <time.h>

enum { AWAIT_MS = 20000 };

#define AWAIT(condition)                                                                                     \
    do {                                                                                                     \
        int tries = AWAIT_MS;                                                                                \
        while (!(condition) && --tries > 0)                                                                  \
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);                                         \
        assert_true(condition);                                                                              \
    } while (0)

#endif
