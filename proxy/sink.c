/* What sinks share; see sink.h. */
#include "sink.h"

#include "clock.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Until the thread has to give up; SINK_FOREVER: as long as it takes. */
static int64_t left_ms(const struct sink_stop *stop)
{
    int64_t at = atomic_load(&stop->at_ms);
    int64_t left = at == SINK_FOREVER ? SINK_FOREVER : at - clock_steady_ms();
    return left > 0 ? left : 0;
}

/* Once the end is known, its descriptor stays readable and tells nothing more. */
bool sink_wait(const struct sink_stop *stop, int fd, short events)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = stop->fd, .events = POLLIN}};
    for (int64_t left; (left = left_ms(stop)) > 0;) {
        if (left == SINK_FOREVER)
            poll(fds, 2, -1);
        else
            poll(fds, 1, left < INT_MAX ? (int)left : INT_MAX);
        if (fds[0].revents != 0)
            return true;
    }
    return false;
}

bool sink_pause(const struct sink_stop *stop, int ms)
{
    struct pollfd end = {.fd = stop->fd, .events = POLLIN};
    int64_t left = left_ms(stop);
    poll(&end, left == SINK_FOREVER ? 1 : 0, left < ms ? (int)left : ms);
    return left_ms(stop) > 0;
}

const char *sink_title(const struct journal_options *options)
{
    return strcmp(options->sink, "-") == 0 ? "standard output" : options->sink;
}

void sink_note_failure(struct sink *sink, const char *why)
{
    if (!sink->failing)
        fprintf(stderr, "tlsfloor: log %s: %s\n", sink_title(sink->options), why);
    sink->failing = true;
}

void sink_note_recovery(struct sink *sink)
{
    if (sink->failing)
        fprintf(stderr, "tlsfloor: log %s: lines are written again\n", sink_title(sink->options));
    sink->failing = false;
}
