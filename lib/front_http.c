/* The HTTP/1.1 front: of a forward proxy, with CONNECT and plain requests for
 * http URIs, or of a listener in the place of one server (RFC 9112, RFC 9110
 * 7.6).
 *
 * It owns the order of things: when a head may be read, whose turn it is,
 * when an exchange is over and what may follow it. Reading heads is left to
 * http_head.c, writing them to http_forward.c, what differs where the server
 * is spoken to in TLS to http_secure.c, bodies to http_body.c. */
#include "front_http.h"

#include "page.h"
#include "sasl.h"

#include <assert.h>
#include <string.h>

enum phase {
    PHASE_REQUEST,  /* a request head is being gathered */
    PHASE_ASKED,    /* the session knows the target, and has not answered yet */
    PHASE_TUNNEL,   /* CONNECT was answered, or the protocol switched: the bytes are not ours any more */
    PHASE_WAITING,  /* the request head is sent, and no final response has come */
    PHASE_RESPONDED /* the client has a final response head */
};

struct http {
    enum phase phase;
    size_t scanned; /* of the head that is being gathered, whichever side it is from */
    bool is_connect;
    bool is_forward;    /* the client takes us for the server */
    bool is_within;     /* and speaks TLS with it, which ends here */
    bool is_logged_in;  /* for this request; each has to */
    bool is_head;       /* the request's method is HEAD: the response has no body */
    bool is_repeatable; /* the method is idempotent */
    bool may_switch;    /* the request asks for a WebSocket, and was sent on so */
    bool is_broken_off; /* the response, after its head had reached the client */
    bool is_old;        /* the client speaks HTTP/1.0: no chunks, no 1xx, one exchange (RFC 9112 C.2.2) */
    bool client_stays;  /* the client may send another request on this connection */
    bool server_stays;  /* the server may get one; outlives the exchange, for the session to ask */
    struct tf_http_body request, response;
};

/* Once the client has a response head, a page has no place: the response just breaks off. */
static enum tf_feed fail(struct http *h, struct tf_facts *facts, enum tf_reason reason, const char *detail)
{
    facts->reason = reason;
    facts->detail = detail;
    h->is_broken_off = h->phase == PHASE_RESPONDED;
    return h->is_broken_off ? TF_FEED_CLOSE : TF_FEED_BAD;
}

static struct tf_span rest_of(const struct tf_feed_io *io)
{
    if (io->used == 0)
        return io->in;
    return (struct tf_span){io->in.p + io->used, io->in.n - io->used};
}

void tf_http_note_user_agent(struct tf_facts *facts, struct tf_text text)
{
    size_t n = text.n < sizeof facts->user_agent ? text.n : sizeof facts->user_agent - 1;
    if (n > 0)
        memcpy(facts->user_agent, text.p, n);
    facts->user_agent[n] = '\0';
}

static enum tf_feed ask(struct http *h, struct tf_facts *facts, enum tf_ask what, struct tf_text authority,
                        uint16_t default_port)
{
    enum tf_host_error error = tf_authority_parse(authority.p, authority.n, default_port, &facts->target);
    facts->has_target = error == TF_HOST_OK;
    facts->ask = what;
    if (!facts->has_target)
        return fail(h, facts, TF_REASON_HOST_INVALID, tf_host_error_text(error));
    h->phase = PHASE_ASKED;
    return TF_FEED_TARGET;
}

/* RFC 9110 9.3.6. WinHTTP sends `Content-Length: 0` with every CONNECT; other bodies mean nothing. */
static enum tf_feed ask_for_tunnel(struct http *h, struct tf_facts *facts, const struct tf_http_head *head)
{
    if (h->is_forward)
        return fail(h, facts, TF_REASON_MISDIRECTED, NULL);
    if (head->is_chunked || head->length > 0)
        return fail(h, facts, TF_REASON_REQUEST_MALFORMED, "a CONNECT request cannot have a body");
    return ask(h, facts, TF_ASK_TUNNEL, head->target, 0);
}

/* RFC 9112 3.2. The server gets the URI's authority, but what Host says must be sound all the same. */
static bool is_host_sound(const struct tf_http_head *head)
{
    struct tf_target ignored;
    if (head->hosts == 0)
        return head->minor == 0;
    return head->host.n == 0 || tf_authority_parse(head->host.p, head->host.n, 80, &ignored) == TF_HOST_OK;
}

/* Whom a request is for, and what it is about: in absolute form, or of a server also in origin or asterisk
 * form (RFC 9112 3.2), which have no authority. */
static enum tf_reason split_target(const struct http *h, const struct tf_http_head *head,
                                   struct tf_http_uri *uri, const char **detail)
{
    bool is_asterisk = tf_text_is(head->target, "*") && tf_text_is(head->method, "OPTIONS");
    if (!h->is_forward || (head->target.p[0] != '/' && !is_asterisk)) {
        enum tf_reason why = tf_http_split_uri(head->target, h->is_within ? "https" : "http", uri, detail);
        return h->is_within && why == TF_REASON_SCHEME_UNSUPPORTED ? TF_REASON_MISDIRECTED : why;
    }
    *uri = (struct tf_http_uri){.path = head->target};
    if (is_asterisk)
        uri->path.n = 0;
    *detail = "a path cannot have a fragment";
    return memchr(uri->path.p, '#', uri->path.n) == NULL ? TF_REASON_NONE : TF_REASON_REQUEST_MALFORMED;
}

/* The server is the upstream; whoever names one has to name that. */
static enum tf_feed ask_for_upstream(struct http *h, struct tf_facts *facts, const struct tf_http_uri *uri,
                                     const struct tf_target *upstream)
{
    if (uri->authority.n > 0 && ask(h, facts, TF_ASK_HTTP, uri->authority, 80) != TF_FEED_TARGET)
        return TF_FEED_BAD;
    if (uri->authority.n > 0 &&
        (facts->target.port != upstream->port || strcmp(facts->target.host, upstream->host) != 0))
        return fail(h, facts, TF_REASON_MISDIRECTED, NULL);
    facts->target = *upstream;
    facts->has_target = true;
    facts->ask = TF_ASK_HTTP;
    h->phase = PHASE_ASKED;
    return TF_FEED_TARGET;
}

/* Who it is that the client has its TLS with, is known; whoever names somebody in it has to name that. The
 * port is not compared: it may be that of a listener in the server's place. */
static enum tf_feed ask_within(struct http *h, struct tf_facts *facts, const struct tf_http_head *head,
                               const struct tf_http_uri *uri, const struct tf_target *server)
{
    struct tf_text named = uri->authority.n > 0 ? uri->authority : head->host;
    struct tf_target target;
    bool is_named = uri->authority.n > 0 || head->hosts > 0;
    assert(server != NULL);
    if (is_named && (tf_authority_parse(named.p, named.n, 443, &target) != TF_HOST_OK ||
                     strcmp(target.host, server->host) != 0))
        return fail(h, facts, TF_REASON_MISDIRECTED, "the client's TLS is with another host");
    facts->ask = TF_ASK_HTTP;
    h->phase = PHASE_ASKED;
    return TF_FEED_TARGET;
}

static enum tf_feed ask_for_http(struct http *h, struct tf_facts *facts, const struct tf_http_head *head,
                                 const struct tf_target *upstream)
{
    struct tf_http_uri uri;
    const char *detail;
    enum tf_reason reason = split_target(h, head, &uri, &detail);
    if (reason != TF_REASON_NONE)
        return fail(h, facts, reason, detail);
    if (!is_host_sound(head))
        return fail(h, facts, TF_REASON_REQUEST_MALFORMED, "the Host field is missing or malformed");
    if (tf_http_is_last_hop(head))
        return fail(h, facts, TF_REASON_REQUEST_NOT_PROXY,
                    "Max-Forwards is 0, so the request is for the proxy itself");
    if (h->is_within)
        return ask_within(h, facts, head, &uri, upstream);
    return h->is_forward ? ask_for_upstream(h, facts, &uri, upstream)
                         : ask(h, facts, TF_ASK_HTTP, uri.authority, 80);
}

/* credentials = "Basic" 1*SP token68   (RFC 7617 2) */
static enum tf_feed log_in(struct http *h, struct tf_facts *facts, struct tf_text credentials,
                           struct tf_login *login)
{
    struct tf_text scheme = tf_text_take(&credentials, ' ');
    if (!tf_text_is_word(scheme, "Basic"))
        return fail(h, facts, TF_REASON_LOGIN_REQUIRED, NULL);
    if (!tf_sasl_read_basic(tf_text_trim(credentials), login))
        return fail(h, facts, TF_REASON_LOGIN_FAILED, "the credentials are malformed");
    memcpy(facts->user, login->user, sizeof facts->user);
    return TF_FEED_LOGIN;
}

/* The client is gone before its head was whole; an empty line is none (RFC 9112 2.2). */
static enum tf_feed end_of_client(struct http *h, struct tf_span in, struct tf_facts *facts)
{
    if (in.n == 0 || (in.n == 2 && memcmp(in.p, "\r\n", 2) == 0))
        return TF_FEED_CLOSE;
    return fail(h, facts, TF_REASON_REQUEST_CUT, NULL);
}

/* Two mistakes in a client's settings that are common, and that their first byte gives away. */
static enum tf_reason reason_for_bad_head(const struct tf_feed_io *io)
{
    enum { TLS_HANDSHAKE = 0x16, SOCKS4 = 4, SOCKS5 = 5 };
    uint8_t first = io->in.p[0];
    if (io->is_within) /* whoever has got so far has set up its proxy well */
        return TF_REASON_REQUEST_MALFORMED;
    if (first == TLS_HANDSHAKE)
        return TF_REASON_TLS_TO_PROXY;
    return first == SOCKS4 || first == SOCKS5 ? TF_REASON_SOCKS_TO_PROXY : TF_REASON_REQUEST_MALFORMED;
}

static enum tf_feed feed_request(struct http *h, struct tf_feed_io *io, struct tf_facts *facts)
{
    switch (tf_http_scan_head(io->in, &h->scanned)) {
    case TF_HTTP_MORE:
        return io->eof ? end_of_client(h, io->in, facts) : TF_FEED_MORE;
    case TF_HTTP_BAD:
        return fail(h, facts, reason_for_bad_head(io), "a byte in the head has no place there");
    case TF_HTTP_DONE:
        break;
    }
    struct tf_http_head head;
    const char *error = tf_http_parse_request((struct tf_span){io->in.p, h->scanned}, &head);
    if (error != NULL)
        return fail(h, facts, TF_REASON_REQUEST_MALFORMED, error);
    if (head.hosts > 1)
        return fail(h, facts, TF_REASON_REQUEST_MALFORMED, "there is more than one Host field");
    h->is_connect = tf_text_is(head.method, "CONNECT");
    h->is_forward = io->upstream != NULL;
    h->is_within = io->is_within;
    h->is_head = tf_text_is(head.method, "HEAD");
    h->is_repeatable = tf_http_is_idempotent(head.method);
    h->is_old = head.minor == 0;
    h->client_stays = head.is_persistent;
    if (!h->is_within || head.user_agent.n > 0) /* what the CONNECT has said still holds within it */
        tf_http_note_user_agent(facts, head.user_agent);
    if (io->wants_login && !h->is_logged_in)
        return log_in(h, facts, head.proxy_authorization, io->login);
    if (!h->is_connect)
        return ask_for_http(h, facts, &head, io->upstream);
    io->used = h->scanned;
    return ask_for_tunnel(h, facts, &head);
}

static enum tf_feed logged_in(void *state, bool ok, const char *token, struct tf_feed_io *io,
                              struct tf_facts *facts)
{
    struct http *h = state;
    (void)token;
    assert(h->phase == PHASE_REQUEST);
    io->used = 0;
    h->scanned = 0; /* the head is still there, and is looked for anew */
    h->is_logged_in = ok;
    return ok ? TF_FEED_MORE : fail(h, facts, TF_REASON_LOGIN_FAILED, NULL);
}

/* Plain text goes to a parent proxy as a request, TLS through a tunnel. */
static bool is_for_parent(const struct tf_feed_io *io, const struct tf_facts *facts)
{
    return io->parent_login != NULL && facts->verdict != TF_VERDICT_UPGRADE;
}

static struct tf_http_sides sides_of(const struct http *h, const struct tf_feed_io *io,
                                     const struct tf_facts *facts)
{
    const struct tf_tenants *tenants = io->tenants;
    bool is_restricted = tenants != NULL && tf_tenants_restrict(tenants, tf_policy_host(facts));
    return (struct tf_http_sides){.policy = io->policy,
                                  .facts = facts,
                                  .is_forward = h->is_forward && !h->is_within,
                                  .is_within = h->is_within,
                                  .tenants = is_restricted ? tenants : NULL};
}

static void send_request(struct http *h, struct tf_feed_io *io, const struct tf_facts *facts)
{
    struct tf_http_head head;
    struct tf_http_uri uri;
    const char *detail;
    bool is_upgraded = facts->verdict == TF_VERDICT_UPGRADE;
    char authority[TF_AUTHORITY_MAX];
    struct tf_writer w = tf_writer_of(authority, sizeof authority);
    assert(io->in.n >= h->scanned);
    const char *error = tf_http_parse_request((struct tf_span){io->in.p, h->scanned}, &head);
    assert(error == NULL);
    enum tf_reason reason = split_target(h, &head, &uri, &detail);
    assert(reason == TF_REASON_NONE);
    struct tf_http_sides sides = sides_of(h, io, facts);
    sides.host = head.host;
    /* A parent must not read the authority otherwise than we did: it gets our own spelling. */
    if (tf_http_sides_differ(&sides) || h->is_within || is_for_parent(io, facts)) {
        tf_put_authority(&w, h->is_within ? io->upstream : &facts->target, is_upgraded ? 443 : 80);
        uri.authority = (struct tf_text){authority, w.len};
    }
    h->may_switch = is_upgraded && tf_http_is_websocket(&head);
    tf_http_put_request(io->to_server, &head, &uri, &sides,
                        is_for_parent(io, facts) ? io->parent_login : NULL, h->may_switch);
    assert(!io->to_server->full);
    if (head.is_chunked)
        h->request = tf_http_body_of(TF_HTTP_CHUNKED, 0);
    else
        h->request = tf_http_body_of(TF_HTTP_LENGTH, head.length);
    io->used = h->scanned;
}

static void answer(void *state, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct http *h = state;
    assert(h->phase == PHASE_ASKED);
    io->used = 0;
    if (h->is_connect)
        tf_put_text(io->to_client, "HTTP/1.1 200 Connection established\r\n\r\n");
    else
        send_request(h, io, facts);
    h->phase = h->is_connect ? PHASE_TUNNEL : PHASE_WAITING;
    h->scanned = 0;
}

static enum tf_feed feed_request_body(struct http *h, struct tf_feed_io *io, struct tf_facts *facts)
{
    switch (tf_http_body_move(&h->request, io->in, &io->used, io->to_server)) {
    case TF_HTTP_MORE:
        if (io->eof && io->used == io->in.n)
            return fail(h, facts, TF_REASON_REQUEST_CUT, NULL);
        break;
    case TF_HTTP_BAD:
        return fail(h, facts, TF_REASON_REQUEST_MALFORMED, "the chunked body is malformed");
    case TF_HTTP_DONE:
        break;
    }
    return TF_FEED_MORE;
}

static struct tf_http_body response_body(const struct http *h, const struct tf_http_head *head)
{
    struct tf_http_body body = tf_http_response_body(head, h->is_head);
    body.is_unframed = h->is_old && body.framing == TF_HTTP_CHUNKED;
    return body;
}

/* False: there is no room for it now. */
static bool send_response_head(const struct http *h, struct tf_feed_io *io, const struct tf_facts *facts,
                               const struct tf_http_head *head)
{
    bool is_interim = head->status < 200;
    if (is_interim && h->is_old)
        return true;
    struct tf_writer w = *io->to_client;
    struct tf_http_sides sides = sides_of(h, io, facts);
    tf_http_put_response(&w, head, &h->response, &sides, !is_interim && !h->client_stays);
    if (!w.full)
        *io->to_client = w;
    return !w.full;
}

/* What a final response head means for both connections. */
static const char *take_response(struct http *h, struct tf_span text, struct tf_http_head *head)
{
    const char *error = tf_http_parse_response(text, head);
    if (error != NULL)
        return error;
    if (head->status == 101 && !(h->may_switch && tf_http_is_websocket(head)))
        return "the server switches protocols, which it was not asked to do";
    if (head->status < 200)
        return NULL;
    h->response = response_body(h, head);
    bool ends_by_itself = h->response.framing != TF_HTTP_UNTIL_CLOSE;
    h->server_stays = head->is_persistent && ends_by_itself;
    h->client_stays = h->client_stays && ends_by_itself && tf_http_body_is_done(&h->request);
    return NULL;
}

static enum tf_feed end_exchange(struct http *h, const struct tf_feed_io *io)
{
    if (!h->client_stays)
        return TF_FEED_CLOSE;
    *h = (struct http){.server_stays = h->server_stays && !io->eof && io->used == io->in.n};
    return TF_FEED_AGAIN;
}

bool tf_http_is_repeatable(const void *state)
{
    const struct http *h = state;
    return h->is_repeatable;
}

bool tf_http_server_reusable(const void *state)
{
    const struct http *h = state;
    return h->server_stays;
}

bool tf_http_is_broken_off(const void *state)
{
    const struct http *h = state;
    return h->is_broken_off;
}

bool tf_http_end_is_the_end(const void *state)
{
    const struct http *h = state;
    return h->response.framing == TF_HTTP_UNTIL_CLOSE || h->response.is_unframed;
}

static enum tf_feed feed_response_body(struct http *h, struct tf_feed_io *io, struct tf_facts *facts)
{
    size_t used = 0;
    enum tf_http_result result = tf_http_body_move(&h->response, rest_of(io), &used, io->to_client);
    io->used += used;
    bool is_cut = io->eof && io->used == io->in.n;
    switch (result) {
    case TF_HTTP_MORE:
        if (!is_cut)
            return TF_FEED_MORE;
        if (h->response.framing != TF_HTTP_UNTIL_CLOSE)
            return fail(h, facts, TF_REASON_UPSTREAM_CLOSED,
                        "the server closed the connection within its response");
        break;
    case TF_HTTP_BAD:
        return fail(h, facts, TF_REASON_UPSTREAM_MALFORMED, "the chunked body is malformed");
    case TF_HTTP_DONE:
        break;
    }
    return end_exchange(h, io);
}

static enum tf_feed feed_response(struct http *h, struct tf_feed_io *io, struct tf_facts *facts)
{
    while (h->phase == PHASE_WAITING) {
        struct tf_http_head head;
        struct tf_span in = rest_of(io);
        switch (tf_http_scan_head(in, &h->scanned)) {
        case TF_HTTP_MORE:
            return io->eof ? fail(h, facts, TF_REASON_UPSTREAM_CLOSED, NULL) : TF_FEED_MORE;
        case TF_HTTP_BAD:
            return fail(h, facts, TF_REASON_UPSTREAM_MALFORMED, "a byte in the head has no place there");
        case TF_HTTP_DONE:
            break;
        }
        size_t n = h->scanned;
        h->scanned = 0;
        const char *error = take_response(h, (struct tf_span){in.p, n}, &head);
        if (error != NULL)
            return fail(h, facts, TF_REASON_UPSTREAM_MALFORMED, error);
        if (head.status == 407 && is_for_parent(io, facts)) /* it is us who have to log in */
            return fail(h, facts, TF_REASON_PARENT_LOGIN, NULL);
        if (!send_response_head(h, io, facts, &head)) {
            if (io->to_client->len > 0)
                return TF_FEED_MORE;
            return fail(h, facts, TF_REASON_UPSTREAM_MALFORMED, "the head is too long");
        }
        io->used += n;
        if (head.status >= 200)
            h->phase = PHASE_RESPONDED;
        if (head.status == 101) {
            h->phase = PHASE_TUNNEL;
            return TF_FEED_SWITCH;
        }
    }
    return feed_response_body(h, io, facts);
}

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct http *h = state;
    io->used = 0;
    switch (h->phase) {
    case PHASE_REQUEST:
        if (from == TF_CLIENT)
            return feed_request(h, io, facts);
        break;
    case PHASE_WAITING:
    case PHASE_RESPONDED:
        return from == TF_CLIENT ? feed_request_body(h, io, facts) : feed_response(h, io, facts);
    case PHASE_ASKED:
    case PHASE_TUNNEL:
        break;
    }
    return TF_FEED_MORE;
}

/* A response to HEAD ends with its head. */
static void cut_content(struct tf_writer *w, size_t from)
{
    struct tf_span page = {(const uint8_t *)w->p + from, w->len - from};
    size_t scanned = 0;
    if (tf_http_scan_head(page, &scanned) == TF_HTTP_DONE)
        w->len = from + scanned;
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    const struct http *h = state;
    size_t from = to_client->len;
    if (h != NULL && (h->phase == PHASE_TUNNEL || h->phase == PHASE_RESPONDED))
        return;
    if (facts->reason == TF_REASON_TLS_TO_PROXY) {
        tf_front_tls.refuse(NULL, to_client, facts);
        return;
    }
    tf_put_http_refusal(to_client, facts);
    if (h != NULL && h->is_head)
        cut_content(to_client, from);
}

const struct tf_front tf_front_http = {.name = "http",
                                       .state_size = sizeof(struct http),
                                       .feed = feed,
                                       .answer = answer,
                                       .logged_in = logged_in,
                                       .refuse = refuse};
