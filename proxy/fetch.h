/* One HTTPS request over the gateway's own outside leg, for commands and for
 * jobs in the thread pool, and the sockets under it. These calls wait, each no longer than its deadline;
 * deadlines are points in time as fetch_now_ms tells it. */
#ifndef FETCH_H
#define FETCH_H

#include "tls.h"

struct fetched {
    unsigned status;
    char *body; /* to be freed; NUL behind it */
    size_t len;
};

/* Milliseconds of a clock that only goes forward. */
uint64_t fetch_now_ms(void);

/* Connects to a server for commands: [upstream] resolve, else the system's resolver, which has time limits of
 * its own; every address is tried until the deadline is over. Through the parent proxy, if there is one for
 * this server: then it is the parent that looks the name up. A non-blocking socket, or -1 with a sentence in
 * error. */
int fetch_connect(const struct tf_conf *conf, const struct tf_target *target, uint64_t deadline_ms,
                  char *error, size_t size);
/* Connects to this address. A non-blocking socket, or -1 with errno set. */
int fetch_connect_to(const struct tf_addr *address, uint64_t deadline_ms);
/* Waits until fd is ready for `events` of poll. False with errno set: the deadline is over (ETIMEDOUT), or
 * poll failed. */
bool fetch_wait(int fd, short events, uint64_t deadline_ms);
/* After a call on an SSL over such a socket that answered `result`, 0 or less: waits for what it wants. True:
 * repeat the call. False: SSL_get_error tells why; SSL_ERROR_WANT_READ or _WRITE stands for the deadline. */
bool fetch_retry(SSL *ssl, int result, uint64_t deadline_ms);

/* url: https only. Redirects are not followed. A body that is longer than max_bytes, or that ends before its
 * end, is an error. False with a sentence in error. */
bool fetch_get(const struct tf_conf *conf, const struct tls *tls, const char *url, size_t max_bytes,
               uint32_t timeout_ms, struct fetched *out, char *error, size_t size);
/* The same as POST of a form (lib/form.h). No copy of it, or of the response but for *out, stays in memory.
 */
bool fetch_post(const struct tf_conf *conf, const struct tls *tls, const char *url, struct tf_text form,
                size_t max_bytes, uint32_t timeout_ms, struct fetched *out, char *error, size_t size);
/* Whether a URL is one for these calls; false with a sentence in error. */
bool fetch_check_url(const char *url, char *error, size_t size);

#endif
