/* The admin socket: dashboard, API, metrics and health over HTTP/1.1, on the
 * main loop. Small and strict: one request a connection, read-only, a bounded
 * request, a deadline, a bounded number of connections. */
#ifndef ADMIN_H
#define ADMIN_H

#include "../lib/conf.h"
#include <stdio.h>
#include <uv.h>

struct inventory;

/* What it tells, asked for at each request, on the loop's thread. */
struct admin_source {
    void *arg;
    void (*metrics)(void *arg, struct tf_writer *w); /* the text of /metrics, METRICS_MAX at most */
    bool (*ready)(void *arg);                        /* false: /readyz answers 503 */
    void (*status)(void *arg, FILE *to);             /* the JSON of /api/status */
    const struct tf_conf *(*conf)(void *arg);        /* the settings in force */
    struct inventory *(*inventory)(void *arg);       /* NULL: there is none */
};

struct admin;

/* Listens on `address`, with the socket `fd` if that is open already (else -1), which is the admin's then;
 * *bound, where not NULL, is where (its port may have been 0). NULL, with a sentence in error[0..size). */
struct admin *admin_start(uv_loop_t *loop, const struct tf_addr *address, int fd, struct admin_source source,
                          struct tf_addr *bound, char *error, size_t size);
/* Its listening socket, which stays its own. */
int admin_fd(const struct admin *a);
/* Lets nobody in any more; who is in is answered. */
void admin_close_door(struct admin *a);
/* Closes everything at once; the memory goes when the loop has run its close callbacks. */
void admin_stop(struct admin *a);

#endif
