/* Both sides of an HTTP proxy say whatever they like, in pieces, with more or
 * less room for output. Beside the front, llhttp reads what the front took and
 * what it made of it: these must be as many messages with the same bodies, or
 * somebody reads a message that nobody sent.
 *
 * Input: pieces, each { flags, length, bytes }. */
#include "../../lib/front_http.h"
#include "../../lib/page.h"
#include <assert.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

enum { FROM_SERVER = 1, IS_LAST = 2, IS_CRAMPED = 4 };
/* Of the first piece, for all. IS_WITHIN: the client's TLS ends here, and tenants are restricted. */
enum { IS_FORWARD = 8, IS_UPGRADED = 16, WANTS_LOGIN = 32, HAS_PARENT = 64, IS_WITHIN = 128 };
enum { PENDING_MAX = 2048, EXCHANGES_MAX = 64 };

/* A stream of messages, as llhttp reads it. */
struct reader {
    llhttp_t parser;
    bool is_lost;        /* llhttp is stricter than the front, or does not know a method */
    const bool *is_head; /* of responses, by their number: what was asked was HEAD */
    unsigned heads, messages;
    uint64_t body_bytes, body_hash;
};

struct stage {
    void *state;
    struct tf_facts facts;
    struct {
        uint8_t p[PENDING_MAX];
        size_t n;
        bool is_last;
    } said[2];
    bool is_forward, is_upgraded, wants_login, has_parent, is_within;
    bool is_asking; /* a plain exchange is under way */
    bool is_over;
    bool is_head[EXCHANGES_MAX];
    unsigned exchanges;
    struct reader took[2], made[2]; /* by the side that the bytes are from, and for */
};

/* Names below up.example are upgraded, and all of a play that says so. */
static const struct tf_destination destination = {.kind = TF_TO_NAME, .pattern = "*.up.example"};
static const struct tf_rule rule = {.name = "up",
                                    .destinations = &destination,
                                    .destination_count = 1,
                                    .action = TF_ACTION_UPGRADE,
                                    .until_day = INT32_MAX};
static const struct tf_policy policy = {
    .floor = TF_TLS12, .rules = &rule, .rule_count = 1, .can_upgrade = true};
static const struct tf_target upstream = {.host = "a.up.example", .port = 80};
static const struct tf_target sign_in = {.host = "login.live.com", .port = 443};
static const struct tf_tenants tenants = {
    .version = TF_TENANTS_V1, .allowed = "", .context = "", .no_consumer = true, .policy = ""};

static bool is_final(const llhttp_t *p)
{
    return p->type == HTTP_REQUEST || p->status_code >= 200;
}

/* 1: no body, whatever the fields say (RFC 9112 6.3). llhttp leaves that to its user. */
static int on_headers_complete(llhttp_t *p)
{
    struct reader *r = p->data;
    if (p->type == HTTP_REQUEST)
        return 0;
    bool is_head = is_final(p) && r->is_head[r->heads++];
    return is_head || !is_final(p) || p->status_code == 204 || p->status_code == 304;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct reader *r = p->data;
    r->body_bytes += n;
    for (size_t i = 0; i < n; i++)
        r->body_hash = (r->body_hash ^ (uint8_t)at[i]) * 0x100000001b3;
    return 0;
}

static int on_message_complete(llhttp_t *p)
{
    struct reader *r = p->data;
    r->messages += is_final(p);
    return 0;
}

static void reader_begin(struct reader *r, llhttp_type_t type, const bool *is_head)
{
    static const llhttp_settings_t settings = {.on_headers_complete = on_headers_complete,
                                               .on_body = on_body,
                                               .on_message_complete = on_message_complete};
    llhttp_init(&r->parser, type, &settings);
    llhttp_set_lenient_keep_alive(&r->parser, 1); /* when a connection ends is the front's to say */
    r->parser.data = r;
    r->is_head = is_head;
}

static void reader_take(struct reader *r, const void *p, size_t n)
{
    const char *at = p, *end = at + n;
    while (!r->is_lost && at < end) {
        llhttp_errno_t e = llhttp_execute(&r->parser, at, (size_t)(end - at));
        if (e == HPE_OK)
            return;
        r->is_lost = e != HPE_PAUSED_UPGRADE;
        at = llhttp_get_error_pos(&r->parser);
        if (!r->is_lost)
            llhttp_resume_after_upgrade(&r->parser);
    }
}

static void compare(const struct reader *took, const struct reader *made)
{
    if (took->is_lost)
        return;
    assert(!made->is_lost);
    assert(took->messages == made->messages);
    assert(took->body_bytes == made->body_bytes && took->body_hash == made->body_hash);
}

/* A request for a sign-in host has our field, and no other of its kind. */
static void check_fields(struct tf_span sent)
{
    struct tf_http_head head;
    struct tf_http_field field;
    unsigned own = 0;
    const char *error = tf_http_parse_request(sent, &head);
    assert(error == NULL);
    while (tf_http_next_field(&head.fields, &field))
        own += tf_tenants_own(field.name);
    assert(own == 1 && tf_text_is(head.host, sign_in.host));
}

/* One call of feed or answer, with a copy of just the input's size, so that a sanitizer sees every slip. */
static enum tf_feed call(struct stage *s, enum tf_side from, bool is_answer, size_t room)
{
    static char out[2][PENDING_MAX + TF_HTTP_HEAD_GROWTH];
    struct tf_writer w[2] = {tf_writer_of(out[0], sizeof out[0]), tf_writer_of(out[1], sizeof out[1])};
    size_t n = s->said[from].n, before = is_answer ? 0 : sizeof out[0] - room;
    uint8_t *copy = malloc(n + 1);
    assert(copy != NULL);
    memcpy(copy, s->said[from].p, n);
    struct tf_login login;
    struct tf_feed_io io = {.in = {copy, n},
                            .eof = s->said[from].is_last,
                            .to_client = &w[0],
                            .to_server = &w[1],
                            .policy = &policy,
                            .tenants = &tenants,
                            .upstream = s->is_within    ? &sign_in
                                        : s->is_forward ? &upstream
                                                        : NULL,
                            .is_within = s->is_within,
                            .parent_login = s->has_parent ? "dXM6dXM=" : NULL,
                            .wants_login = s->wants_login,
                            .login = &login};
    w[0].len = w[1].len = before;
    enum tf_feed result = TF_FEED_MORE;
    if (is_answer)
        tf_front_http.answer(s->state, &io, &s->facts);
    else
        result = tf_front_http.feed(s->state, from, &io, &s->facts);
    if (result == TF_FEED_LOGIN) /* a password as long as its user's name is right */
        result = tf_front_http.logged_in(s->state, strlen(login.user) == strlen(login.password), NULL, &io,
                                         &s->facts);
    assert(io.used <= n && !w[0].full && !w[1].full);
    if (is_answer && s->is_within)
        check_fields((struct tf_span){(const uint8_t *)out[TF_SERVER], w[TF_SERVER].len});
    if (s->is_asking) {
        reader_take(&s->took[from], copy, io.used);
        reader_take(&s->made[TF_CLIENT], out[TF_CLIENT] + before, w[TF_CLIENT].len - before);
        reader_take(&s->made[TF_SERVER], out[TF_SERVER] + before, w[TF_SERVER].len - before);
        if (result == TF_FEED_CLOSE) { /* tells the end of a body until close */
            llhttp_finish(&s->took[TF_SERVER].parser);
            llhttp_finish(&s->made[TF_CLIENT].parser);
        }
        if (s->facts.reason == TF_REASON_NONE) {
            compare(&s->took[TF_CLIENT], &s->made[TF_SERVER]);
            compare(&s->took[TF_SERVER], &s->made[TF_CLIENT]);
        }
    }
    memmove(s->said[from].p, s->said[from].p + io.used, n - io.used);
    s->said[from].n -= io.used;
    free(copy);
    return result;
}

static void take_target(struct stage *s)
{
    assert(s->facts.has_target && s->facts.target.port > 0 && s->facts.target.host[0] != '\0');
    s->is_asking = s->facts.ask == TF_ASK_HTTP;
    s->is_over = !s->is_asking || s->exchanges == EXCHANGES_MAX;
    if (s->is_over)
        return;
    size_t blank = s->said[TF_CLIENT].p[0] == '\r' ? 2 : 0;
    if (s->is_upgraded) {
        s->facts.verdict = TF_VERDICT_UPGRADE;
        s->facts.target.port = s->facts.target.port == 80 ? 443 : s->facts.target.port;
    }
    s->is_head[s->exchanges++] = memcmp(s->said[TF_CLIENT].p + blank, "HEAD ", 5) == 0;
    call(s, TF_CLIENT, true, 0);
}

static void refuse(struct stage *s)
{
    static char page[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(page, sizeof page);
    assert(s->facts.reason != TF_REASON_NONE);
    tf_front_http.refuse(s->state, &w, &s->facts);
    assert(!w.full);
    s->is_over = true;
}

static void feed(struct stage *s, enum tf_side from, size_t room)
{
    if (s->is_over || (from == TF_SERVER && !s->is_asking))
        return;
    switch (call(s, from, false, room)) {
    case TF_FEED_MORE:
        break;
    case TF_FEED_TARGET:
        take_target(s);
        break;
    case TF_FEED_AGAIN:
        s->is_asking = false;
        if (!tf_http_server_reusable(s->state)) {
            s->said[TF_SERVER].n = 0;
            s->said[TF_SERVER].is_last = false;
            reader_begin(&s->took[TF_SERVER], HTTP_RESPONSE, s->is_head);
        }
        break;
    case TF_FEED_CLOSE:
        s->is_over = true;
        break;
    case TF_FEED_SWITCH:
        assert(s->is_upgraded);
        s->is_over = true;
        break;
    case TF_FEED_BAD:
        refuse(s);
        break;
    case TF_FEED_LOGIN:
    case TF_FEED_TLS_SERVER:
    case TF_FEED_TLS_CLIENT:
        abort();
    }
}

static void take_piece(struct stage *s, struct tf_reader *in)
{
    unsigned flags = tf_read_u8(in);
    enum tf_side from = flags & FROM_SERVER ? TF_SERVER : TF_CLIENT;
    size_t n = tf_read_u8(in), room = PENDING_MAX - s->said[from].n;
    n = n < in->left ? n : in->left;
    struct tf_span piece = tf_read_span(in, n < room ? n : room);
    if (piece.n > 0)
        memcpy(s->said[from].p + s->said[from].n, piece.p, piece.n);
    s->said[from].n += piece.n;
    s->said[from].is_last = s->said[from].is_last || (flags & IS_LAST) != 0;
    for (int i = 0; i < 8; i++)
        feed(s, i % 2 == 0 ? from : 1 - from, flags & IS_CRAMPED ? TF_HTTP_BODY_ROOM : PENDING_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage s;
    s = (struct stage){.state = calloc(1, tf_front_http.state_size)};
    assert(s.state != NULL);
    s.is_forward = size > 0 && (data[0] & IS_FORWARD) != 0;
    s.is_upgraded = size > 0 && (data[0] & IS_UPGRADED) != 0;
    s.wants_login = size > 0 && (data[0] & WANTS_LOGIN) != 0;
    s.has_parent = size > 0 && (data[0] & HAS_PARENT) != 0;
    s.is_within = size > 0 && (data[0] & IS_WITHIN) != 0;
    if (s.is_within) { /* the session knows these */
        s.is_upgraded = s.facts.has_target = true;
        s.facts.target = sign_in;
        s.facts.verdict = TF_VERDICT_UPGRADE;
    }
    for (enum tf_side side = TF_CLIENT; side <= TF_SERVER; side++) {
        reader_begin(&s.took[side], side == TF_CLIENT ? HTTP_REQUEST : HTTP_RESPONSE, s.is_head);
        reader_begin(&s.made[side], side == TF_CLIENT ? HTTP_RESPONSE : HTTP_REQUEST, s.is_head);
    }
    struct tf_reader in = tf_reader_of(data, size);
    while (in.left > 0 && !s.is_over)
        take_piece(&s, &in);
    free(s.state);
    return 0;
}
