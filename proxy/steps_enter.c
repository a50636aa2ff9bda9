/* Steps: who is it really, and where was it going; before anything is asked. */
#include "steps.h"

#include "../lib/proxyproto.h"
#include "loop.h"
#include "original.h"

#include <stddef.h>

/* proxy-header: what stands in front of the gateway tells whose connection this is. */

static bool is_believed(const struct tf_listener *listener, const struct tf_addr *sender)
{
    for (size_t i = 0; i < listener->proxy_source_count; i++)
        if (tf_cidr_has(&listener->proxy_sources[i], sender))
            return true;
    return listener->proxy_source_count == 0;
}

/* The addresses replace those of the socket; where the connection was meant for counts on transparent
 * listeners alone. */
static void take_header(struct session *s, const struct tf_proxy_header *header)
{
    struct tf_facts *facts = session_facts(s);
    facts->via = facts->source;
    if (!header->has_addresses)
        return;
    facts->source = header->source;
    s->setup->meant_for = header->destination;
}

static enum step_result run_proxy_header(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    struct tf_facts *facts = session_facts(s);
    if (!s->listener->accept_proxy)
        return STEP_NEXT;
    if (!is_believed(s->listener, &facts->source))
        return refuse_for(s, TF_REASON_PROXY_HEADER_DENIED);
    enum tf_reason why = tf_access_source(&s->conf->tf.access, &facts->source);
    if (why != TF_REASON_NONE)
        return refuse_for(s, why);
    for (;;) {
        struct tf_proxy_header header;
        size_t used;
        switch (tf_proxy_header_parse(link_ahead(client), &header, &used, &facts->detail)) {
        case TF_PARSE_DONE:
            link_consume(client, s->loop, used);
            take_header(s, &header);
            return STEP_NEXT;
        case TF_PARSE_MORE:
            break;
        case TF_PARSE_OTHER:
        case TF_PARSE_BAD:
            return refuse_for(s, TF_REASON_PROXY_HEADER_MALFORMED);
        }
        switch (link_fill(client, s->loop, TF_PROXY_HEADER_MAX)) {
        case LINK_OK:
            continue;
        case LINK_AGAIN:
            return STEP_WAIT;
        case LINK_FULL:
            return refuse_for(s, TF_REASON_PROXY_HEADER_MALFORMED);
        case LINK_NO_MEMORY:
            return refuse_for(s, TF_REASON_NO_RESOURCES);
        case LINK_EOF: /* balancers look that way whether we are alive */
        case LINK_ERROR:
            return link_ahead(client).n == 0 ? end_for(s, TF_REASON_NONE)
                                             : refuse_for(s, TF_REASON_PROXY_HEADER_MALFORMED);
        }
    }
}

static enum step_result late_proxy_header(struct session *s)
{
    if (link_ahead(&s->side[TF_CLIENT]).n == 0)
        return end_for(s, TF_REASON_CLIENT_SILENT);
    return refuse_for(s, TF_REASON_PROXY_HEADER_MALFORMED);
}

const struct step step_proxy_header = {"proxy-header", run_proxy_header, offsetof(struct tf_limits, hello_ms),
                                       late_proxy_header};

/* preface: may it use the gateway, and has it not too many connections already. */

static enum step_result run_preface(struct session *s)
{
    const struct tf_addr *source = &session_facts(s)->source;
    enum tf_reason why = tf_access_source(&s->conf->tf.access, source);
    if (why != TF_REASON_NONE)
        return refuse_for(s, why);
    bool may_enter =
        s->by_source != NULL ||
        census_enter_source(s->loop->setting->census, source, s->conf->tf.limits.per_source, &s->by_source);
    return may_enter ? STEP_NEXT : refuse_for(s, TF_REASON_SOURCE_LIMIT);
}

const struct step step_preface = {.name = "preface", .run = run_preface};

/* original: where a connection was meant for that was turned here. */

/* With TPROXY, who has connected to the listener itself was meant for just that. */
static bool find_original(struct session *s, struct tf_addr *out)
{
    if (session_facts(s)->via.family == TF_FAMILY_NONE)
        return original_destination(s->side[TF_CLIENT].fd, s->listener->intercept, out) &&
               tf_access_address(&s->conf->tf.access, out) != TF_REASON_DESTINATION_SELF;
    *out = s->setup->meant_for; /* what turned it here is the balancer in front */
    return out->family != TF_FAMILY_NONE;
}

static enum step_result run_original(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    struct tf_target *target = &facts->target;
    struct tf_addr meant_for;
    if (!find_original(s, &meant_for))
        return refuse_for(s, TF_REASON_NO_ORIGINAL);
    struct tf_writer host = tf_writer_of(target->host, sizeof target->host - 1);
    tf_put_addr(&host, &meant_for);
    target->host[host.len] = '\0';
    target->port = meant_for.port;
    target->is_address = true;
    target->addr = meant_for;
    facts->has_target = true;
    if (own_ports_have(s->loop->setting->own_ports, &facts->source, &meant_for))
        return refuse_for(s, TF_REASON_DESTINATION_SELF);
    return STEP_NEXT;
}

const struct step step_original = {.name = "original", .run = run_original};
