/* The dialogue with a browser that is shown a page; see person_page.h. One
 * request is heard, so that the browser takes what comes for its answer; what
 * it asks for makes no difference, and a body is not waited for. */
#include "front_http.h"
#include "person_page.h"

#include <assert.h>

struct page {
    size_t scanned;   /* of the head */
    uint16_t floor;   /* as it was when the request came */
    bool is_heard;    /* a whole request has come */
    bool is_bodiless; /* and wants the head of the response only */
};

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct page *p = state;
    struct tf_http_head head = {.status = 0};
    assert(from == TF_CLIENT);
    enum tf_http_result result = tf_http_scan_head(io->in, &p->scanned);
    if (result == TF_HTTP_MORE)
        return TF_FEED_MORE;
    if (result == TF_HTTP_DONE)
        facts->detail = tf_http_parse_request((struct tf_span){io->in.p, p->scanned}, &head);
    if (result == TF_HTTP_BAD || facts->detail != NULL) {
        facts->reason = TF_REASON_REQUEST_MALFORMED;
        return TF_FEED_BAD;
    }
    io->used = p->scanned;
    if (facts->user_agent[0] == '\0')
        tf_http_note_user_agent(facts, head.user_agent);
    p->floor = io->policy->floor;
    p->is_bodiless = tf_text_is(head.method, "HEAD");
    p->is_heard = true;
    facts->is_page_shown = true;
    return TF_FEED_BAD;
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    const struct page *p = state;
    if (p->is_heard)
        tf_put_person_page(to_client, facts, p->floor, p->is_bodiless);
}

const struct tf_front tf_front_page = {
    .name = "page", .state_size = sizeof(struct page), .feed = feed, .refuse = refuse};
