/* The page for a person: what a browser says in its request, and what stands on the page.
 *
 * Input: the words of the company, the User-Agent and the host, each to a NUL; one byte, how the rest is
 * parted; the rest is what the browser sends. */
#include "../../lib/person_page.h"

#include <assert.h>
#include <string.h>

/* The next text, cut to fit; false: there is none. */
static bool take_text(struct tf_span *in, char *to, size_t size)
{
    const uint8_t *end = in->n > 0 ? memchr(in->p, 0, in->n) : NULL;
    if (end == NULL)
        return false;
    size_t n = (size_t)(end - in->p);
    memcpy(to, in->p, n < size ? n : size - 1);
    to[n < size ? n : size - 1] = '\0';
    in->p += n + 1;
    in->n -= n + 1;
    return true;
}

/* Of the page's own markup, `<` begins nothing but what is known. */
static void check_markup(const char *page, size_t n)
{
    static const char *const begins[] = {
        "!DOCTYPE html>", "a href=\"", "b>",    "body>", "dd>",   "div>",  "dl>", "dt>", "h1>", "h2>",
        "head>",          "html",      "meta ", "p>",    "style", "title>"};
    for (const char *at = memchr(page, '<', n); at != NULL;
         at = memchr(at + 1, '<', n - (size_t)(at + 1 - page))) {
        const char *name = at[1] == '/' ? at + 2 : at + 1;
        bool is_known = false;
        for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
            size_t length = strlen(begins[i]);
            is_known |= length <= n - (size_t)(name - page) && memcmp(name, begins[i], length) == 0;
            is_known |= at[1] == '/' && memcmp(name, "a>", 2) == 0;
        }
        assert(is_known);
    }
    for (size_t i = 0; i < n; i++)
        assert(page[i] == '\n' || page[i] == '\r' || (page[i] >= ' ' && page[i] <= '~'));
}

static void feed(void *state, struct tf_span in, struct tf_facts *facts)
{
    static const struct tf_policy policy = {.floor = TF_TLS12};
    struct tf_writer none = {NULL, 0, 0, false};
    struct tf_feed_io io = {.in = in, .to_client = &none, .to_server = &none, .policy = &policy};
    enum tf_feed result = tf_front_page.feed(state, TF_CLIENT, &io, facts);
    assert(result == TF_FEED_MORE || result == TF_FEED_BAD);
    assert(io.used <= in.n && (io.used > 0) == facts->is_page_shown && !none.full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char out[TF_PERSON_PAGE_MAX];
    char text[TF_PAGE_TEXT_MAX + 1], contact[TF_PAGE_CONTACT_MAX + 1], link[TF_PAGE_LINK_MAX + 1];
    const struct tf_page words = {text, contact, link};
    const struct tf_rule rule = {.name = contact, .page = true, .owner = text, .ticket = link};
    struct tf_facts facts = {
        .reason = TF_REASON_CLIENT_BELOW_FLOOR, .rule = &rule, .page = &words, .has_hello = true};
    struct tf_span in = {data, size};
    uint64_t state[8] = {0};

    facts.hello.max_version = TF_TLS10;
    if (!take_text(&in, text, sizeof text) || !take_text(&in, contact, sizeof contact) ||
        !take_text(&in, link, sizeof link) || !take_text(&in, facts.user_agent, sizeof facts.user_agent) ||
        !take_text(&in, facts.target.host, sizeof facts.target.host) || in.n == 0)
        return 0;
    size_t part = in.p[0] < in.n ? in.p[0] : in.n - 1;
    feed(state, (struct tf_span){in.p + 1, part}, &facts);
    if (facts.reason == TF_REASON_CLIENT_BELOW_FLOOR && !facts.is_page_shown)
        feed(state, (struct tf_span){in.p + 1, in.n - 1}, &facts);

    struct tf_writer w = {out, sizeof out, 0, false};
    tf_front_page.refuse(state, &w, &facts);
    assert(!w.full && (w.len > 0) == facts.is_page_shown);
    check_markup(out, w.len);
    return 0;
}
