/* From a target, or the parent proxy, to a connected socket: overrides, names,
 * access checks, Happy Eyeballs (RFC 8305). Every address is checked right
 * before it is dialled, and exactly that address is dialled. The deadline is
 * the caller's. */
#ifndef DIAL_H
#define DIAL_H

#include "dns.h"
#include "metrics.h"
#include "watch.h"

struct dialer {
    uv_loop_t *uv;
    struct watcher *watcher;
    struct dns *dns;
    struct counters *counters;
    struct own_ports *own_ports;
};

struct dial;

struct dial_result {
    enum tf_reason reason; /* TF_REASON_NONE: connected */
    int fd;                /* non-blocking, TCP_NODELAY; the callback's from here on; -1 on failure */
    uint16_t own_port;     /* what own_ports_add said of it */
    struct watch *watch;   /* its registration; hand it over or forget it */
    unsigned ready;        /* edges so far, which are not told again: a server's FIN may be among them */
    struct tf_addr
        destination; /* the address dialled; on failure the one that `reason` is about, or family NONE */
};

/* Called once, and never from within dial_start; the dial is gone when it is called. */
typedef void dial_cb(void *arg, const struct dial_result *result);

/* Starts. NULL when it fails at once: *why then says so (access, no resources), and *denied, where not NULL,
 * the address that this is about, if there is one. `conf` and `target` must outlive the dial. [access] port
 * is checked by the caller (tf_access_port), addresses here. */
struct dial *dial_start(const struct dialer *d, const struct tf_conf *conf, const struct tf_target *target,
                        dial_cb *cb, void *arg, enum tf_reason *why, struct tf_addr *denied);
/* The same to conf's parent proxy, whose address need not be in [access] destination; but it must not be one
 * of our own listeners. */
struct dial *dial_parent_start(const struct dialer *d, const struct tf_conf *conf, dial_cb *cb, void *arg,
                               enum tf_reason *why, struct tf_addr *denied);
void dial_cancel(struct dial *dial); /* closes what it opened; the callback is not made */

#endif
