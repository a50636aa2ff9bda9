/* The service manager's socket; see notify.h. */
#include "notify.h"

#include "clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1024, SEND_S = 1 /* for a manager that is busy */ };

/* A path, or a name of the abstract name space behind an `@`. */
void notifier_init(struct notifier *n)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name != NULL ? strlen(name) : 0;
    *n = (struct notifier){.to.sun_family = AF_UNIX};
    if (size < 2 || size >= sizeof n->to.sun_path || (name[0] != '/' && name[0] != '@'))
        return;
    memcpy(n->to.sun_path, name, size);
    if (name[0] == '@')
        n->to.sun_path[0] = '\0';
    n->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void notify(const struct notifier *n, const char *format, ...)
{
    char text[MESSAGE_MAX];
    struct timeval patience = {.tv_sec = SEND_S};
    if (n->length == 0)
        return;
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int fd = size >= 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    size_t length = (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
    sendto(fd, text, length, MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->length);
    close(fd);
}

void notify_reloading(const struct notifier *n)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    notify(n, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
           (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void notifier_mute(struct notifier *n)
{
    n->length = 0;
}

/* A number of the environment; 0: there is none. */
static uint64_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    errno = 0;
    unsigned long long number = text != NULL ? strtoull(text, &end, 10) : 0;
    return text != NULL && errno == 0 && end != text && *end == '\0' ? number : 0;
}

uint64_t notify_watchdog_us(const struct notifier *n)
{
    bool is_ours = getenv("WATCHDOG_PID") == NULL || number_of("WATCHDOG_PID") == (uint64_t)getpid();
    return n->length > 0 && is_ours ? number_of("WATCHDOG_USEC") : 0;
}
