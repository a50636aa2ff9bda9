/* Steps: the ClientHello, and the ServerHello that must come back.
 *
 * Both are read into a lookahead and looked at there; nothing of a hello is
 * forwarded before it has been understood. */
#include "steps.h"

#include "loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Room to put a hello together that spans records. What is there already is kept. */
static bool take_scratch(struct session *s, uint8_t **scratch, size_t *size, size_t wanted)
{
    if (!loop_has_room(s->loop, wanted))
        return false;
    uint8_t *larger = realloc(*scratch, wanted);
    if (larger == NULL)
        return false;
    s->loop->gathered += wanted - *size;
    *scratch = larger;
    *size = wanted;
    return true;
}

/* hello: the client's first flight, whole. */

/* Whether text that is not TLS is an HTTP request: its sender can be told with a page. */
static bool looks_like_http(struct tf_span text)
{
    static const char *const methods[] = {"GET ",    "HEAD ",    "POST ",    "PUT ",
                                          "DELETE ", "OPTIONS ", "CONNECT ", "PATCH "};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (text.n >= strlen(methods[i]) && memcmp(text.p, methods[i], strlen(methods[i])) == 0)
            return true;
    return false;
}

bool hear_hello(struct session *s, enum step_result *result)
{
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    struct link *client = &s->side[TF_CLIENT];
    struct tf_hello_scan *scan = &setup->client_scan;
    for (;;) {
        struct tf_span stream = link_ahead(client);
        switch (
            tf_client_scan(scan, stream.p, stream.n, setup->scratch, setup->scratch_size, &facts->hello)) {
        case TF_PARSE_DONE:
            facts->has_hello = true;
            return true;
        case TF_PARSE_OTHER:
            facts->not_tls = true;
            facts->looks_like_http = looks_like_http(stream);
            facts->reason = scan->reason;
            return true;
        case TF_PARSE_BAD:
            facts->reason = scan->reason;
            facts->detail = scan->why;
            return true;
        case TF_PARSE_MORE:
            break;
        }
        if (scan->scratch_wanted > setup->scratch_size) {
            if (take_scratch(s, &setup->scratch, &setup->scratch_size, scan->scratch_wanted))
                continue;
            *result = end_for(s, TF_REASON_NO_RESOURCES);
            return false;
        }
        switch (link_fill(client, s->loop, TF_WIRE_MAX(scan->limit))) {
        case LINK_OK:
            continue;
        case LINK_AGAIN:
            *result = client->readable ? STEP_MORE : STEP_WAIT; /* tls_link_has_more */
            return false;
        case LINK_FULL: /* never: a hello so long has been found malformed before */
        case LINK_NO_MEMORY:
            *result = refuse_for(s, TF_REASON_NO_RESOURCES);
            return false;
        case LINK_EOF:
        case LINK_ERROR:
            *result = stream.n == 0 ? end_for(s, TF_REASON_NONE) : refuse_for(s, TF_REASON_CLIENT_HELLO_CUT);
            return false;
        }
    }
}

/* The client has said no more for now. A server that speaks before it is not a TLS server. */
static enum step_result hear_server(struct session *s)
{
    struct link *server = &s->side[TF_SERVER];
    if (server->fd < 0)
        return STEP_WAIT;
    /* Behind the answer of a parent proxy it may have spoken already. */
    switch (link_ahead(server).n > 0 ? LINK_OK : link_fill(server, s->loop, LOOP_BLOCK_SIZE)) {
    case LINK_AGAIN:
        return STEP_WAIT;
    case LINK_OK:
    case LINK_FULL:
        session_facts(s)->not_tls = true;
        session_facts(s)->reason = TF_REASON_SERVER_SPOKE_FIRST;
        return STEP_NEXT;
    case LINK_NO_MEMORY:
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    case LINK_EOF:
    case LINK_ERROR:
        break;
    }
    return end_for(s, TF_REASON_UPSTREAM_CLOSED);
}

/* The host that the hello names. False: it is no valid one. */
static bool named_host(const struct tf_facts *facts, struct tf_target *named)
{
    const struct tf_span *name = &facts->hello.server_name;
    return tf_host_parse((const char *)name->p, name->n, named) == TF_HOST_OK;
}

static enum step_result hello_done(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    struct tf_target named = {.port = s->listener->port};
    if (facts->hello.server_name.n == 0 || (facts->has_target && !facts->target.is_address))
        return STEP_NEXT;
    bool is_valid = named_host(facts, &named);
    if (facts->has_target) { /* by address: the name is what rules may go by */
        if (is_valid && !named.is_address)
            memcpy(facts->name, named.host, sizeof facts->name);
        return STEP_NEXT;
    }
    /* A front without a dialogue of its own goes where the hello says. */
    if (!is_valid) {
        facts->reason = TF_REASON_HOST_INVALID;
        return STEP_NEXT;
    }
    named.addr.port = named.port;
    facts->target = named;
    facts->has_target = true;
    return STEP_NEXT;
}

/* Behind STARTTLS, plain text was meant to be taken for something that is said inside TLS; and whoever has
 * sent it can be told in plain text. */
static void note_injection(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (s->setup->mail != MAIL_CLIENT_TLS || facts->reason != TF_REASON_CLIENT_NOT_TLS)
        return;
    facts->reason = TF_REASON_COMMAND_INJECTION;
    s->setup->tongue = s->setup->front;
}

static enum step_result run_hello(struct session *s)
{
    enum step_result result;
    if (!hear_hello(s, &result))
        return result == STEP_WAIT ? hear_server(s) : result;
    note_injection(s);
    return session_facts(s)->has_hello ? hello_done(s) : STEP_NEXT; /* policy judges what there is */
}

static enum step_result late_hello(struct session *s)
{
    if (link_ahead(&s->side[TF_CLIENT]).n == 0)
        return end_for(s, TF_REASON_CLIENT_SILENT);
    return refuse_for(s, TF_REASON_CLIENT_HELLO_TIMEOUT);
}

const struct step step_hello = {"hello", run_hello, offsetof(struct tf_limits, hello_ms), late_hello};

/* send_hello: the server gets the client's bytes, as they came. They are kept until the session is settled,
 * since the facts point into them. */

static enum step_result run_send_hello(struct session *s)
{
    struct setup *setup = s->setup;
    struct link *client = &s->side[TF_CLIENT], *server = &s->side[TF_SERVER];
    if (setup->hello.p == NULL) {
        setup->hello = client->ahead;
        client->ahead = (struct lookahead){.p = NULL};
    }
    if (!server->writable)
        return STEP_WAIT;
    struct tf_span rest = lookahead_rest(&setup->hello);
    size_t sent;
    enum link_io r = link_send(server, rest.p, rest.n, &sent);
    setup->hello.at += (uint32_t)sent;
    s->bytes[TF_CLIENT] += sent;
    if (r == LINK_AGAIN)
        return STEP_WAIT;
    /* A server that takes no more may still have said why: an alert is waiting to be read then. */
    s->flow[TF_CLIENT].done = r == LINK_ERROR;
    return STEP_NEXT;
}

static enum step_result late_server(struct session *s)
{
    bool spoke = link_ahead(&s->side[TF_SERVER]).n > s->setup->server_passed;
    return refuse_for(s, spoke ? TF_REASON_SERVER_HELLO_TIMEOUT : TF_REASON_UPSTREAM_TIMEOUT);
}

const struct step step_send_hello = {"send-hello", run_send_hello, offsetof(struct tf_limits, hello_ms),
                                     late_server};

/* server_hello: the server's first flight up to the ServerHello that settles the version. Alerts and a
 * passing HelloRetryRequest go on to the client at once; what the client sends meanwhile goes on to the
 * server. */

/* False: the client is gone. *more: it has not taken all. */
static bool pass_on(struct session *s, bool *more)
{
    struct link *client = &s->side[TF_CLIENT], *server = &s->side[TF_SERVER];
    size_t passable = s->setup->server_scan.passable;
    *more = false;
    if (s->setup->server_passed >= passable)
        return true;
    size_t sent;
    enum link_io r = link_send(client, server->ahead.p + s->setup->server_passed,
                               passable - s->setup->server_passed, &sent);
    s->setup->server_passed += (uint32_t)sent;
    s->bytes[TF_SERVER] += sent;
    *more = r == LINK_AGAIN;
    return r != LINK_ERROR;
}

/* Looks at what the server has said so far. */
static enum tf_parse scan_server(struct session *s)
{
    struct setup *setup = s->setup;
    struct tf_hello_scan *in = &setup->server_scan.in;
    for (;;) {
        struct tf_span stream = link_ahead(&s->side[TF_SERVER]);
        enum tf_parse r = tf_server_scan(&setup->server_scan, stream.p, stream.n, setup->server_scratch,
                                         setup->server_scratch_size, &setup->facts.server);
        if (r != TF_PARSE_MORE || in->scratch_wanted <= setup->server_scratch_size)
            return r;
        if (!take_scratch(s, &setup->server_scratch, &setup->server_scratch_size, in->scratch_wanted)) {
            in->reason = TF_REASON_NO_RESOURCES;
            return TF_PARSE_BAD;
        }
    }
}

/* Whether a mail server goes on in plain text behind its consent to STARTTLS. */
static bool is_plain_mail(const struct session *s)
{
    enum { FIRST_TYPE = 20, LAST_TYPE = 24 }; /* of records: RFC 8446 B.1, RFC 6520 */
    struct tf_span said = link_ahead(&s->side[TF_SERVER]);
    return s->setup->facts.mail != TF_MAIL_NONE && said.n > 0 &&
           (said.p[0] < FIRST_TYPE || said.p[0] > LAST_TYPE);
}

/* The server's side of the verdict; false: refused. */
static bool server_passes(struct session *s, enum tf_parse parsed)
{
    struct setup *setup = s->setup;
    struct tf_facts *facts = &setup->facts;
    if (parsed == TF_PARSE_DONE) {
        facts->has_server_hello = true;
        return tf_policy_server(&s->conf->tf.policy, facts);
    }
    const struct tf_hello_scan *in = &setup->server_scan.in;
    enum tf_reason reason = is_plain_mail(s) ? TF_REASON_RESPONSE_INJECTION : in->reason;
    return tf_policy_server_wrong(&s->conf->tf.policy, facts, reason, in->why);
}

/* The server has said no more for now: what the client has sent meanwhile goes on. */
static enum step_result hear_client(struct session *s)
{
    switch (relay_pump(s->loop, &s->side[TF_CLIENT], &s->side[TF_SERVER], &s->flow[TF_CLIENT],
                       &s->bytes[TF_CLIENT])) {
    case PUMP_MORE:
        return STEP_MORE;
    case PUMP_ERROR:
        return end_for(s, TF_REASON_RESET);
    case PUMP_IDLE:
    case PUMP_DONE:
        break;
    }
    return STEP_WAIT;
}

static enum step_result run_server_hello(struct session *s)
{
    struct link *server = &s->side[TF_SERVER];
    if (!session_facts(s)->has_hello)
        return STEP_NEXT; /* monitored, and not TLS: there is no ServerHello to wait for */
    for (;;) {
        enum tf_parse parsed = scan_server(s);
        bool more;
        if (!pass_on(s, &more))
            return end_for(s, TF_REASON_RESET);
        if (parsed != TF_PARSE_MORE)
            return server_passes(s, parsed) ? STEP_NEXT : STEP_REFUSE;
        switch (link_fill(server, s->loop, TF_WIRE_MAX(TF_SERVER_HELLO_MAX) + LOOP_BLOCK_SIZE)) {
        case LINK_OK:
            continue;
        case LINK_AGAIN:
            return hear_client(s);
        case LINK_EOF:
        case LINK_ERROR:
            server->eof = true; /* an error is told only once */
            if (more)
                return STEP_WAIT;
            session_linger(s); /* an alert that was passed on must arrive */
            return end_for(s, TF_REASON_UPSTREAM_CLOSED);
        case LINK_FULL:
            return refuse_for(s, TF_REASON_SERVER_HELLO_MALFORMED);
        case LINK_NO_MEMORY:
            return refuse_for(s, TF_REASON_NO_RESOURCES);
        }
    }
}

const struct step step_server_hello = {"server-hello", run_server_hello, offsetof(struct tf_limits, hello_ms),
                                       late_server};
