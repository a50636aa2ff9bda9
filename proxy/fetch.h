/* One HTTPS GET over the gateway's own outside leg, for commands. Blocking,
 * with a bound on time and size. */
#ifndef FETCH_H
#define FETCH_H

#include "tls.h"

struct fetched {
    unsigned status;
    char *body; /* to be freed; NUL behind it */
    size_t len;
};

/* Connects to a server for commands: [upstream] resolve, else the system's resolver; every address is tried until
 * deadline_ms (of uv_hrtime / 1000000) is over. The blocking socket (with send and receive timeouts), or -1 with a
 * sentence in error. */
int fetch_connect(const struct tf_conf *conf, const struct tf_target *target, uint64_t deadline_ms, char *error,
                  size_t size);
/* url: https only. Redirects are not followed. False with a sentence in error. */
bool fetch_get(const struct tf_conf *conf, const struct tls *tls, const char *url, size_t max_bytes,
               uint32_t timeout_ms, struct fetched *out, char *error, size_t size);

#endif
