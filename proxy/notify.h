/* Telling the service manager how we are: sd_notify(3), lines in a datagram to
 * NOTIFY_SOCKET. Where nobody asked for it, or nobody listens, nothing
 * happens. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notifier {
    struct sockaddr_un to;
    socklen_t length; /* 0: nobody is told */
};

/* Whom the environment names. */
void notifier_init(struct notifier *n);
/* The text, as printf: `READY=1\nSTATUS=...`. */
__attribute__((format(printf, 2, 3))) void notify(const struct notifier *n, const char *format, ...);
/* `RELOADING=1` with the time that belongs to it; to be followed by `READY=1`. */
void notify_reloading(const struct notifier *n);
/* Says nothing more: another process is the service's main one. */
void notifier_mute(struct notifier *n);
/* How often the manager wants to hear `WATCHDOG=1` of this process; 0: never. */
uint64_t notify_watchdog_us(const struct notifier *n);

#endif
