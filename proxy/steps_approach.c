/* Steps: what comes first on a new connection, before a byte that the client
 * or the server would know of: a tunnel through the parent proxy, and in it
 * the PROXY header. */
#include "steps.h"

#include "../lib/parent.h"
#include "../lib/proxyproto.h"
#include "loop.h"
#include "sockaddr.h"
#include "tls_verdict.h"

#include <assert.h>
#include <stddef.h>

/* A plain request is sent to the parent itself (RFC 9112 3.2.2); all else goes through a tunnel. */
static bool wants_tunnel(const struct session *s)
{
    const struct tf_facts *facts = &s->setup->facts;
    return facts->by_parent && (facts->ask != TF_ASK_HTTP || facts->verdict == TF_VERDICT_UPGRADE);
}

/* The same text at each turn, of which so much has gone out as the link says. */
static enum step_result send_text(struct session *s, const struct tf_writer *text)
{
    struct link *server = &s->side[TF_SERVER];
    size_t sent;
    assert(!text->full && text->len <= UINT16_MAX);
    if (!server->writable)
        return STEP_WAIT;
    enum link_io r =
        link_send(server, text->p + server->approach_sent, text->len - server->approach_sent, &sent);
    server->approach_sent = (uint16_t)(server->approach_sent + sent);
    if (r == LINK_ERROR)
        return refuse_for(s, TF_REASON_UPSTREAM_CLOSED);
    return r == LINK_OK ? STEP_NEXT : STEP_WAIT;
}

static struct tf_writer text_writer(struct session *s)
{
    return tf_writer_of((char *)s->loop->buffer, LOOP_BUFFER_SIZE);
}

/* CONNECT, to the parent. */
static enum step_result ask_parent(struct session *s)
{
    struct tf_writer w = text_writer(s);
    if (!wants_tunnel(s))
        return STEP_NEXT;
    tf_put_parent_request(&w, &session_facts(s)->target, s->loop->setting->parent_login);
    return send_text(s, &w);
}

/* Without a detail, the parent's own words are it. */
static enum step_result parent_refuses(struct session *s, struct tf_span answer, size_t used)
{
    if (session_facts(s)->detail != NULL)
        return STEP_REFUSE;
    struct tf_text line = tf_parent_status_line(answer, used);
    struct tf_writer why = why_writer(s);
    tls_put_peer_text(&why, line.p, line.n);
    note_why(s, &why);
    return STEP_REFUSE;
}

/* The parent's answer. What is behind it is the server's, and stays in the lookahead. */
static enum step_result hear_parent(struct session *s)
{
    struct link *server = &s->side[TF_SERVER];
    if (!wants_tunnel(s))
        return STEP_NEXT;
    for (;;) {
        size_t used;
        struct tf_span in = link_ahead(server);
        switch (tf_parent_response(in, server->eof, &used, session_facts(s))) {
        case TF_PARSE_DONE:
            link_consume(server, s->loop, used);
            return STEP_NEXT;
        case TF_PARSE_MORE:
            break;
        case TF_PARSE_OTHER:
        case TF_PARSE_BAD:
            return parent_refuses(s, in, used);
        }
        switch (link_fill(server, s->loop, s->conf->tf.limits.head_bytes)) {
        case LINK_OK:
            continue;
        case LINK_AGAIN:
            return STEP_WAIT;
        case LINK_EOF:
        case LINK_ERROR:
            server->eof = true; /* an error is told only once */
            continue;
        case LINK_FULL:
            session_facts(s)->detail = "its answer is longer than [limits] head_bytes";
            return refuse_for(s, TF_REASON_PARENT_MALFORMED);
        case LINK_NO_MEMORY:
            return refuse_for(s, TF_REASON_NO_RESOURCES);
        }
    }
}

/* Where the client has connected to. */
static bool find_destination(const struct session *s, struct tf_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t size = sizeof sa;
    *out = s->setup->meant_for;
    return out->family != TF_FAMILY_NONE ||
           (getsockname(s->side[TF_CLIENT].fd, (struct sockaddr *)&sa, &size) == 0 &&
            sockaddr_to_peer((const struct sockaddr *)&sa, out));
}

static enum step_result send_header(struct session *s)
{
    struct tf_writer w = text_writer(s);
    struct tf_addr destination;
    if (s->listener->send_proxy == 0)
        return STEP_NEXT;
    if (!find_destination(s, &destination))
        return end_for(s, TF_REASON_RESET); /* the client is gone */
    tf_put_proxy_header(&w, s->listener->send_proxy, &session_facts(s)->source, &destination);
    return send_text(s, &w);
}

/* In this order; link->approach is the place of the one that is next. A connection that has been used before
 * has them all behind it. */
static enum step_result run_approach(struct session *s)
{
    static enum step_result (*const parts[])(struct session *) = {ask_parent, hear_parent, send_header};
    struct link *server = &s->side[TF_SERVER];
    if (s->side[TF_CLIENT].failed)
        return end_for(s, TF_REASON_RESET);
    while (server->approach < sizeof parts / sizeof parts[0]) {
        enum step_result result = parts[server->approach](s);
        if (result != STEP_NEXT)
            return result;
        server->approach++;
        server->approach_sent = 0;
    }
    return STEP_NEXT;
}

static enum step_result late_approach(struct session *s)
{
    if (wants_tunnel(s))
        session_facts(s)->detail = "this is about the parent proxy, [upstream] proxy";
    return refuse_for(s, TF_REASON_UPSTREAM_TIMEOUT);
}

const struct step step_approach = {"approach", run_approach, offsetof(struct tf_limits, dial_ms),
                                   late_approach};
