/* Pings and what is made of them; see watchdog.h. */
#include "watchdog.h"

#include <stdlib.h>

enum { TIMES = 4 }; /* in the manager's time: twice is asked for, and one answer may be late */

/* On the loop's thread. */
static void on_answer(void *arg)
{
    atomic_store((atomic_bool *)arg, true);
}

static void ping(struct watchdog *w)
{
    for (size_t i = 0; i < w->loop_count; i++) {
        atomic_store(&w->answered[i], false);
        if (!loop_ping(w->loops[i], on_answer, &w->answered[i]))
            on_answer(&w->answered[i]); /* short of memory, which is not to hang */
    }
}

static bool all_answered(const struct watchdog *w)
{
    for (size_t i = 0; i < w->loop_count; i++)
        if (!atomic_load(&w->answered[i]) && !loop_is_over(w->loops[i]))
            return false;
    return true;
}

static void on_time(uv_timer_t *timer)
{
    struct watchdog *w = timer->data;
    if (all_answered(w)) {
        notify(w->notifier, "WATCHDOG=1");
        w->is_silent = false;
        ping(w);
    } else if (!w->is_silent) {
        fprintf(stderr,
                "tlsfloor: a thread does not answer: the service manager is not told that all is well\n");
        w->is_silent = true;
    }
}

void watchdog_init(struct watchdog *w, uv_loop_t *uv)
{
    *w = (struct watchdog){.answered = NULL};
    uv_timer_init(uv, &w->timer);
    w->timer.data = w;
}

void watchdog_start(struct watchdog *w, const struct notifier *notifier, struct loop **loops, size_t count)
{
    uint64_t every_ms = notify_watchdog_us(notifier) / 1000 / TIMES;
    if (every_ms == 0)
        return;
    w->notifier = notifier;
    w->loops = loops;
    w->loop_count = count;
    w->answered = calloc(count, sizeof *w->answered);
    if (w->answered == NULL)
        return; /* nobody says that all is well */
    notify(notifier, "WATCHDOG=1");
    ping(w);
    uv_timer_start(&w->timer, on_time, every_ms, every_ms);
}

void watchdog_stop(struct watchdog *w)
{
    uv_close((uv_handle_t *)&w->timer, NULL);
    free(w->answered);
    w->answered = NULL;
}
