/* The way through a parent proxy: a CONNECT request, and what comes back. */
#ifndef TF_PARENT_H
#define TF_PARENT_H

#include "conf.h"

/* `user`: "" for no login. Writes base64 of USER:PASSWORD, as Basic wants it (RFC 7617), NUL-terminated.
 * False: there is no room. */
bool tf_parent_login(const char *user, const char *password, char *out, size_t size);
/* CONNECT for a target; `login` as tf_parent_login has made it, "" for none. */
void tf_put_parent_request(struct tf_writer *w, const struct tf_target *target, const char *login);
/* The head of its answer. TF_PARSE_DONE: *used bytes were it, and the tunnel stands. TF_PARSE_BAD:
 * facts->reason and detail say why; without a detail the parent itself does, in the status line of the head
 * that begins behind *used bytes. */
enum tf_parse tf_parent_response(struct tf_span in, bool eof, size_t *used, struct tf_facts *facts);
/* That line, without its end; peer bytes. */
struct tf_text tf_parent_status_line(struct tf_span in, size_t used);
/* Whether a target is connected directly. Its address, if it has none itself, is not looked up. */
bool tf_parent_is_bypassed(const struct tf_destination *bypass, size_t n, const struct tf_m365 *m365,
                           const struct tf_target *target);
/* Whether there is a parent proxy, and a target is reached through it. */
bool tf_parent_takes(const struct tf_conf *conf, const struct tf_target *target);

#endif
