/* Listening sockets that were open before us: a service manager's (socket
 * activation), or those of the gateway whose place we take (handover.h).
 *
 * The protocol is sd_listen_fds(3): three variables and descriptors from 3
 * on. It is spoken here rather than by libsystemd, which would bring
 * compression and cryptography libraries into a proxy for it. */
#ifndef INHERIT_H
#define INHERIT_H

#include "../lib/conf.h"

/* The name, in LISTEN_FDNAMES, of the admin socket, and of the channel to the gateway that hands over. No
 * listener can be called so. */
#define INHERIT_ADMIN       "(admin)"
#define INHERIT_PREDECESSOR "(predecessor)"
/* Ends the name of a socket that a service manager has a copy of, where it is handed over. */
#define INHERIT_KEPT "(kept)"

enum { INHERIT_FIRST = 3, INHERIT_NAME_MAX = TF_CONF_NAME_MAX + sizeof INHERIT_KEPT };

struct inherited_socket {
    int fd; /* -1: somebody has taken it */
    struct tf_addr address;
    char name[INHERIT_NAME_MAX];
    bool is_kept; /* by a service manager, who listens on when we do not */
};

struct inherited {
    struct inherited_socket *list;
    size_t count;
    int predecessor; /* -1: nobody hands over to us */
};

/* What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES tell of, if they are meant for this process; they are taken
 * out of the environment. False, with a sentence in error: something that no listener could be. */
bool inherited_find(struct inherited *in, char *error, size_t size);
/* Whether all of them are wanted. One of a predecessor that is not is closed; from a service manager it would
 * be where clients wait for ever: false, with a sentence in error. */
bool inherited_check(struct inherited *in, const struct tf_conf *conf, char *error, size_t size);
/* How many there are for an address of a listener, or for the admin socket's. */
size_t inherited_count(const struct inherited *in, const struct tf_addr *wanted, const char *name);
/* The same ones, into fds: they are the caller's from now on. *actual: where they listen. */
void inherited_take(struct inherited *in, const struct tf_addr *wanted, const char *name, int *fds,
                    struct tf_addr *actual, bool *is_kept);
/* Closes what nobody has taken, but not the channel to the predecessor. */
void inherited_free(struct inherited *in);

#endif
