/* The table of routes: which steps a session takes, in which order. What a
 * step does is in steps_*.c, and who runs them in session.c. */
#ifndef ROUTES_H
#define ROUTES_H

#include "session.h"

/* How a session begins: on a row, and with a front that speaks to its client. */
struct way_in {
    const struct route *route;
    const struct tf_front *front;
};

const struct way_in *way_in_of(const struct tf_listener *listener);

/* Rows that steps go on with. */
extern const struct route route_http, route_secure, route_within, route_again, route_retry,
    route_retry_secure, route_mail, route_mail_implicit, route_mail_hello, route_mail_dialogue,
    route_mail_secure, route_mail_upgrade, route_mail_repeat, route_carry, route_pass, route_page;
/* And the runner, for a verdict; a step may have come to the first as well. */
extern const struct route route_tunnel, route_upgrade, route_upgrade_http, route_block;

#endif
