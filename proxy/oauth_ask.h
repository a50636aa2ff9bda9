/* One question to the token endpoint, and what its answer says (RFC 6749 4.4,
 * 5 and 6). */
#ifndef OAUTH_ASK_H
#define OAUTH_ASK_H

#include "../lib/conf.h"
#include "oauth_file.h"
#include "tls.h"

struct oauth_answer {
    char *token;
    char *refresh_token; /* in place of the one that was used; NULL: that stays good */
    uint64_t life_ms;
};

enum oauth_result {
    OAUTH_GRANTED,
    OAUTH_REFUSED,    /* the endpoint has answered, but with no token */
    OAUTH_UNREACHABLE /* nor will it answer anybody else now */
};

/* Waits, no longer than [limits] login_s. `refresh_token` is NULL with the other flow. The answer's texts are
 * for oauth_free_secret; without one, why[0..size) says why, in printable ASCII. */
enum oauth_result oauth_ask(const struct oauth_file *file, const char *refresh_token,
                            const struct tf_conf *conf, const struct tls *tls, struct oauth_answer *out,
                            char *why, size_t size);

#endif
