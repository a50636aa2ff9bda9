/* The service manager's watchdog: told that all is well only while the main
 * thread and every loop answer, so that a thread that hangs is not covered
 * up. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "loop.h"
#include "notify.h"

struct watchdog {
    uv_timer_t timer;
    const struct notifier *notifier;
    struct loop **loops;
    size_t loop_count;
    atomic_bool *answered; /* one a loop: the last ping; NULL: not started */
    bool is_silent;        /* a loop did not answer */
};

void watchdog_init(struct watchdog *w, uv_loop_t *uv);
/* Begins, if the manager asks for it. The notifier and the loops are to live until watchdog_stop. */
void watchdog_start(struct watchdog *w, const struct notifier *notifier, struct loop **loops, size_t count);
/* Once every loop is over. */
void watchdog_stop(struct watchdog *w);

#endif
