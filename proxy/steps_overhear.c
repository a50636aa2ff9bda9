/* Step: what an upgraded client says of itself inside its TLS, before its
 * plain text flows on. Who it is stands in the record of the upgrade. */
#include "steps.h"

#include "../lib/front_http.h"
#include "../lib/http_head.h"
#include "loop.h"

#include <stddef.h>

/* The User-Agent of a request that has come whole; anything else is no business of ours. */
static void note_agent(struct tf_facts *facts, struct tf_span said)
{
    struct tf_http_head head;
    size_t scanned = 0;
    if (tf_http_scan_head(said, &scanned) != TF_HTTP_DONE)
        return;
    if (tf_http_parse_request((struct tf_span){said.p, scanned}, &head) == NULL)
        tf_http_note_user_agent(facts, head.user_agent);
}

/* Whether a side has begun to speak, or never will: then it must not be kept waiting. */
static bool has_begun(struct session *s, enum tf_side side)
{
    struct link *l = &s->side[side];
    return l->failed || link_ahead(l).n > 0 || link_fill(l, s->loop, LOOP_BLOCK_SIZE) != LINK_AGAIN;
}

static enum step_result run_overhear(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT], *server = &s->side[TF_SERVER];
    struct tf_facts *facts = session_facts(s);
    if (facts->user_agent[0] != '\0') /* as the CONNECT has said */
        return STEP_NEXT;
    if (has_begun(s, TF_CLIENT)) {
        note_agent(facts, link_ahead(client));
        return STEP_NEXT;
    }
    if (has_begun(s, TF_SERVER))
        return STEP_NEXT;
    return client->readable || server->readable ? STEP_MORE : STEP_WAIT; /* tls_link_has_more */
}

/* Nobody is kept waiting by this step but the log. */
static enum step_result late_overhear(struct session *s)
{
    (void)s;
    return STEP_NEXT;
}

const struct step step_overhear = {"overhear", run_overhear, offsetof(struct tf_limits, overhear_ms),
                                   late_overhear};
