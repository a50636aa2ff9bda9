/* The steps, by file. Their names are those of the rows in routes.c. */
#ifndef STEPS_H
#define STEPS_H

#include "routes.h"
#include <openssl/types.h>

/* The two ends that most steps have. */
static inline enum step_result end_for(struct session *s, enum tf_reason reason)
{
    s->end = reason;
    return STEP_END;
}

static inline enum step_result refuse_for(struct session *s, enum tf_reason reason)
{
    session_facts(s)->reason = reason;
    return STEP_REFUSE;
}

/* steps_enter.c: who is it really, and where was it going */
extern const struct step step_proxy_header, step_preface, step_original;
/* steps_outer.c: TLS to the proxy itself */
extern const struct step step_outer_tls;
/* steps_reach.c: may it, and where to */
extern const struct step step_access, step_decide, step_dial;
/* steps_approach.c: what comes first on a new connection: the parent proxy, the PROXY header */
extern const struct step step_approach;
/* steps_mail.c: which way a mail session goes */
extern const struct step step_mail, step_intent, step_mail_verdict;
/* steps_dialogue.c: a mail session's plain text */
extern const struct step step_dialogue;
/* steps_http.c: what the HTTP front asks for */
extern const struct step step_request, step_reuse, step_answer;
/* steps_exchange.c: one request and its response */
extern const struct step step_exchange;
/* steps_tls.c: both hellos */
extern const struct step step_hello, step_send_hello, step_server_hello;
/* steps_upgrade.c: verified TLS to the server, and the client's own ended here */
extern const struct step step_secure, step_originate, step_mint, step_terminate, step_within;
/* steps_page.c: a person is told */
extern const struct step step_page;
/* steps_flow.c: bytes flow, or do not */
extern const struct step step_relay, step_carry, step_overhear, step_refuse;

/* Writes facts->detail where that is no fixed sentence; note_why takes what was written into use. */
static inline struct tf_writer why_writer(struct session *s)
{
    return tf_writer_of(s->setup->why, sizeof s->setup->why - 1);
}

static inline void note_why(struct session *s, const struct tf_writer *why)
{
    s->setup->why[why->len] = '\0';
    session_facts(s)->detail = why->len > 0 ? s->setup->why : NULL;
}

/* steps_login.c: goes on with the check of setup->login, after TF_FEED_LOGIN. STEP_NEXT: it is over, and
 * *feed is what the front says to it. */
enum step_result session_login(struct session *s, struct tf_writer *to_client, struct tf_writer *to_server,
                               enum tf_feed *feed);
bool session_is_login_pending(const struct session *s);
/* After the front has heard the server: a token that it refused is not for the next login. */
void session_forget_token(struct session *s);
void session_drop_login(struct session *s); /* with all that is known of it */

/* steps_tls.c: reads the client's hello. True: facts->has_hello, or facts->reason says why there will never
 * be one. False: *result is what the step answers; STEP_WAIT: the client has said no more for now. */
bool hear_hello(struct session *s, enum step_result *result);
/* steps_upgrade.c: a handshake on a side has failed; `failure`, of tls.h, finds the reason and the exact
 * cause. */
enum step_result refuse_handshake(struct session *s, enum tf_side side,
                                  enum tf_reason (*failure)(SSL *ssl, struct tf_writer *why));

/* steps_upgrade.c: whether requests of this session get fields of tenant restrictions. */
bool session_restricts_tenants(const struct session *s);

/* steps_page.c: whether a session that has just been blocked goes on to show a page; then it is at its route.
 */
bool session_begin_page(struct session *s);
/* And a step of that has failed: the refusal is what it was. */
void session_give_up_page(struct session *s);

/* steps_http.c: reads on in the client's request. STEP_NEXT: there is more of it; STEP_END: there will never
 * be (the caller knows what that means here). */
enum step_result read_request(struct session *s);
/* steps_http.c: shows the front what a side has sent; the writers are outboxes', or of no room. */
struct tf_feed_io front_io(struct session *s, enum tf_side from, struct tf_writer *to_client,
                           struct tf_writer *to_server);
enum tf_feed front_feed(struct session *s, enum tf_side from, struct tf_writer *to_client,
                        struct tf_writer *to_server);

#endif
