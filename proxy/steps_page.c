/* Steps: a client that is blocked for its TLS version is let in all the same,
 * to be shown a page that says so to a person. Its TLS ends here, in front of
 * nothing: there is no server behind it, and no byte of it goes anywhere.
 *
 * The verdict stands throughout. Whatever goes wrong on the way, the client
 * is refused for what it was blocked for, and that is the one record. */
#include "steps.h"

#include "../lib/person_page.h"
#include "loop.h"

#include <stddef.h>
#include <string.h>

bool session_begin_page(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (!tf_policy_allows_page(&s->conf->tf.policy, facts) || !tf_person_is_there(facts))
        return false;
    s->setup->page_for = facts->reason;
    facts->step = (*s->at)->name;
    link_close(&s->side[TF_SERVER], s->loop, false);
    s->route = &route_page;
    return true;
}

/* What has failed is worth knowing, but it is not what the session was blocked for. */
static void note_failure(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    const char *cause = facts->detail != NULL ? facts->detail : tf_reason_info(facts->reason)->sentence;
    char text[sizeof s->setup->why]; /* the cause may be in there */
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_text(&w, "no page could be shown: ");
    tf_put(&w, cause, strnlen(cause, w.cap - w.len));
    memcpy(s->setup->why, text, w.len);
    w.p = s->setup->why;
    note_why(s, &w);
}

void session_give_up_page(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (facts->reason != s->setup->page_for)
        note_failure(s);
    facts->reason = s->setup->page_for;
}

/* page: one request is heard, and the page is the refusal of it. */

static enum step_result run_page(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *client = &s->side[TF_CLIENT];
    struct tf_writer none = tf_writer_of(NULL, 0);
    if (setup->front != &tf_front_page && !session_take_front(s, &tf_front_page))
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    for (;;) {
        if (link_ahead(client).n > 0 && front_feed(s, TF_CLIENT, &none, &none) == TF_FEED_BAD)
            return STEP_REFUSE;
        enum step_result r = read_request(s);
        if (r != STEP_NEXT)
            return r == STEP_END ? refuse_for(s, TF_REASON_REQUEST_CUT) : r;
    }
}

static enum step_result late_page(struct session *s)
{
    return refuse_for(s, TF_REASON_REQUEST_TIMEOUT);
}

const struct step step_page = {"page", run_page, offsetof(struct tf_limits, request_ms), late_page};
