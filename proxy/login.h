/* Checking logins: in the thread pool, since a good hash takes long; and
 * those that were right are remembered for a while, as a keyed digest in
 * memory, since HTTP clients log in with every request. */
#ifndef LOGIN_H
#define LOGIN_H

#include "../lib/front.h"
#include "users.h"
#include <uv.h>

/* Of one loop, and only used on its thread. Zero it, set uv and max. */
struct logins {
    uv_loop_t *uv;
    size_t max; /* that are remembered; may change */
    struct logins_private *private;
};

typedef void login_cb(void *arg, bool ok);
struct login_wait;

bool logins_init(struct logins *l); /* false: out of memory */
/* True: it has been right, within the last five minutes and against the same file. */
bool login_is_known(struct logins *l, const struct users *users, const struct tf_login *login);
/* Checks. The callback is made once, and never from within; the wait is gone when it is. `login` is copied,
 * and wiped. NULL: out of memory, or too many are being checked. */
struct login_wait *login_start(struct logins *l, struct users *users, const struct tf_login *login,
                               login_cb *cb, void *arg);
void login_cancel(struct login_wait *wait); /* no callback */
/* Nobody may wait any more. Jobs that run keep the uv loop alive until they are over. */
void logins_close(struct logins *l);

#endif
