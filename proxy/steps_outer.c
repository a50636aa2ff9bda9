/* Step: TLS to the proxy itself, on listeners with `tls = on`.
 *
 * The hello is read and judged like that of any other session, so that who is
 * below the floor is refused and recorded in the same way; then OpenSSL has
 * it, and what follows is the front's, in plain text. Nothing of this leg
 * stays behind: inside it there may be another hello. */
#include "steps.h"

#include "door.h"
#include "loop.h"
#include "tls_link.h"

#include <stddef.h>
#include <stdlib.h>

/* What the floor has against the hello. Neither rules nor `mode = monitor` soften it: both are about traffic
 * that was there before the gateway, and clients had to be told of this listener. */
static enum tf_reason complaint_of(const struct session *s)
{
    const struct tf_facts *facts = &s->setup->facts;
    if (facts->reason != TF_REASON_NONE)
        return facts->reason;
    if (facts->hello.format == TF_FORMAT_SSLV2)
        return TF_REASON_CLIENT_SSLV2_HELLO;
    return tf_version_passes(&s->conf->tf.policy, facts->hello.max_version) ? TF_REASON_NONE
                                                                            : TF_REASON_CLIENT_BELOW_FLOOR;
}

static bool begin_outer(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *client = &s->side[TF_CLIENT];
    const struct door *door = session_door(s);
    if (door == NULL || door->own == NULL) /* a reload has taken it away */
        return false;
    setup->hello = client->ahead;
    client->ahead = (struct lookahead){.p = NULL};
    SSL *ssl = tls_own_outer(door->own);
    tickets_attach(ssl, s->loop->setting->tickets);
    return tls_link_start(client, ssl, lookahead_rest(&setup->hello)) &&
           session_touch(s, offsetof(struct tf_limits, handshake_ms));
}

static void forget_hello(struct session *s)
{
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    facts->has_hello = false;
    facts->hello = (struct tf_hello){.ciphers = {NULL, 0}};
    setup->client_scan = (struct tf_hello_scan){.limit = setup->client_scan.limit};
    lookahead_drop(&setup->hello, s->loop);
    s->loop->gathered -= setup->scratch_size;
    free(setup->scratch);
    setup->scratch = NULL;
    setup->scratch_size = 0;
}

static enum step_result shake_hands(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    s->setup->tongue = NULL; /* from here on the client hears OpenSSL */
    switch (tls_link_handshake(client)) {
    case LINK_OK:
        forget_hello(s);
        s->setup->tongue = s->setup->front;
        return STEP_NEXT;
    case LINK_AGAIN:
        return tls_link_has_more(client) ? STEP_MORE : STEP_WAIT;
    default:
        return refuse_handshake(s, TF_CLIENT, tls_outer_failure);
    }
}

static enum step_result run_outer_tls(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    enum step_result result;
    if (!s->listener->tls)
        return STEP_NEXT;
    if (s->side[TF_CLIENT].tls != NULL)
        return shake_hands(s);
    s->setup->tongue = &tf_front_tls;
    if (!hear_hello(s, &result))
        return result;
    facts->reason = complaint_of(s);
    if (facts->reason == TF_REASON_CLIENT_NOT_TLS && facts->looks_like_http)
        facts->detail =
            "a plain HTTP request was sent to a port for HTTPS; name the proxy as https://HOST:PORT";
    if (facts->reason != TF_REASON_NONE)
        return STEP_REFUSE;
    return begin_outer(s) ? shake_hands(s) : refuse_for(s, TF_REASON_NO_RESOURCES);
}

static enum step_result late_outer_tls(struct session *s)
{
    if (s->side[TF_CLIENT].tls != NULL) {
        session_facts(s)->detail = "it was not over when [limits] handshake_s ran out";
        return refuse_for(s, TF_REASON_OUTER_TLS_FAILED);
    }
    if (link_ahead(&s->side[TF_CLIENT]).n == 0)
        return end_for(s, TF_REASON_CLIENT_SILENT);
    return refuse_for(s, TF_REASON_CLIENT_HELLO_TIMEOUT);
}

const struct step step_outer_tls = {"outer-tls", run_outer_tls, offsetof(struct tf_limits, hello_ms),
                                    late_outer_tls};
