/* OAuth tokens for `bridge = xoauth2`: a file with the client's secrets, the
 * token endpoint asked in the thread pool over the gateway's own verified
 * outside leg (fetch.h), tokens kept in memory only and made new before they
 * expire. Shared by all loops. */
#ifndef OAUTH_H
#define OAUTH_H

#include "tls.h"
#include <uv.h>

/* A longer one is refused. */
enum { OAUTH_TOKEN_MAX = 8192 };

struct oauth; /* counted */

/* Reads [listener] oauth, which must be 0600. NULL with `FILE:LINE: what is wrong, and what to write` in
 * error. `old`, which may be NULL: the one that this replaces; its tokens are taken over where the secrets
 * are the same. */
struct oauth *oauth_load(const char *path, struct oauth *old, char *error, size_t size);
struct oauth *oauth_ref(struct oauth *o);
void oauth_unref(struct oauth *o); /* may be NULL */

/* `token` NULL: `why` says what went wrong, in printable ASCII, without secrets. Both are valid during the
 * call only. */
typedef void oauth_cb(void *arg, const char *token, const char *why);
struct oauth_wait;

/* Asks for a token for a mailbox (which matters for refresh tokens of several mailboxes only). The callback
 * is made once, on the loop's thread, and never from within; the wait is gone when it is. Those who ask for
 * the same token at once wait for one answer. `tls` and `conf` are those in force, and are kept alive by the
 * caller's references until the job is over: conf by conf_ref, tls by tls_ref, taken inside. A job that
 * runs keeps the uv loop alive until it is over, [limits] login_s for each account that is waited for. NULL:
 * out of memory. */
struct conf;
struct oauth_wait *oauth_start(struct oauth *o, uv_loop_t *uv, struct conf *conf, struct tls *tls,
                               const char *mailbox, oauth_cb *cb, void *arg);
void oauth_cancel(struct oauth_wait *wait); /* no callback */

/* A mail server has refused the mailbox's token: what the mailbox may do can have changed since it came. The
 * next one who asks gets a new one, unless this one is younger than ten seconds: then a new one would not
 * help. If there is none to be had, the old one is handed out while it is good: it may be good for other
 * mailboxes. */
void oauth_forget(struct oauth *o, const char *mailbox);

#endif
