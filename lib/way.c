/* From listeners to facts; see way.h. */
#include "way.h"

#include <string.h>

void tf_way_begin(const struct tf_listener *listener, struct tf_facts *facts)
{
    facts->has_certificate = listener->certificate[0] != '\0' && !listener->tls;
    facts->is_fixed = listener->kind == TF_KIND_FORWARD;
    if (!facts->is_fixed)
        return;
    facts->target = listener->upstream;
    facts->has_target = true;
}

/* Mail on ports that are TLS at once is like any other TLS, but for listeners that say that it is mail. */
static enum tf_mail protocol_of(const struct tf_listener *listener, const struct tf_target *target)
{
    if (listener->kind == TF_KIND_SNI)
        return TF_MAIL_NONE;
    if (listener->kind != TF_KIND_FORWARD)
        return tf_mail_of_port(target->port);
    switch (listener->protocol) {
    case TF_PROTOCOL_TLS:
    case TF_PROTOCOL_HTTP:
        return TF_MAIL_NONE;
    case TF_PROTOCOL_SMTP:
        return TF_MAIL_SMTP;
    case TF_PROTOCOL_IMAP:
        return TF_MAIL_IMAP;
    case TF_PROTOCOL_POP3:
        return TF_MAIL_POP3;
    }
    return TF_MAIL_NONE;
}

/* Behind an address a hello may still name another host. */
static void take_name(const struct tf_listener *listener, struct tf_facts *facts)
{
    struct tf_writer w = tf_writer_of(facts->name, sizeof facts->name - 1);
    if (!facts->target.is_address || facts->name[0] != '\0')
        return;
    tf_put_text(&w, listener->server_name);
    facts->name[w.len] = '\0';
}

void tf_way_aim(const struct tf_listener *listener, struct tf_facts *facts)
{
    take_name(listener, facts);
    bool is_implicit = listener->client_tls == TF_CLIENT_TLS_IMPLICIT;
    facts->mail = protocol_of(listener, &facts->target);
    if (facts->mail == TF_MAIL_NONE) {
        facts->must_terminate =
            is_implicit && listener->kind == TF_KIND_FORWARD && listener->protocol == TF_PROTOCOL_TLS;
        return;
    }
    /* A healthy client's TLS can reach the server only if both begin in the same way; and a client that is to
     * log in with us must speak to us. */
    bool is_server_tls = tf_mail_is_tls_port(facts->target.port);
    facts->must_terminate = listener->bridge || is_implicit != is_server_tls;
}

/* By name, whatever the port: it is about who gets plain text. */
static bool is_m365_name(const struct tf_conf *conf, const struct tf_target *target)
{
    const struct tf_m365 *m365 = conf->policy.m365;
    for (size_t i = 0; m365 && i < m365->entry_count; i++)
        if (tf_m365_name_matches(m365->entries[i].pattern, target->host, strlen(target->host)))
            return true;
    return false;
}

struct tf_mail_plan tf_way_plan(const struct tf_conf *conf, const struct tf_listener *listener,
                                const struct tf_facts *facts)
{
    bool is_forward = listener->kind == TF_KIND_FORWARD;
    return (struct tf_mail_plan){
        .way = TF_MAIL_FOLLOW,
        /* Clients that reach their server by another way may do STARTTLS, or not. */
        .client_tls = is_forward ? listener->client_tls : TF_CLIENT_TLS_OPTIONAL,
        .is_server_tls = tf_mail_is_tls_port(facts->target.port),
        .is_opportunistic = listener->opportunistic && !is_m365_name(conf, &facts->target),
        .is_bridge = listener->bridge,
        .line_max = conf->limits.line_bytes,
        .name = conf->name,
    };
}

static bool has_listener(const struct tf_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->listener_count; i++)
        if (strcmp(rule->listeners[i], name) == 0)
            return true;
    return rule->listener_count == 0;
}

/* Whether sessions of a listener can be what a rule is for, as far as names tell it. */
static bool may_lead(const struct tf_listener *listener, const struct tf_rule *rule)
{
    const struct tf_target *to = &listener->upstream;
    bool is_open = listener->kind != TF_KIND_FORWARD || to->is_address || rule->destination_count == 0;
    for (size_t i = 0; i < rule->destination_count && !is_open; i++)
        is_open = rule->destinations[i].kind != TF_TO_NAME ||
                  tf_host_matches(rule->destinations[i].pattern, to->host, strlen(to->host));
    return is_open;
}

bool tf_way_needs_ca(const struct tf_listener *listeners, const struct tf_rule *rule)
{
    for (const struct tf_listener *l = listeners; l; l = l->next) {
        bool has_own = l->certificate[0] != '\0' && !l->tls;
        if (!has_own && has_listener(rule, l->name) && may_lead(l, rule))
            return true;
    }
    return listeners == NULL; /* of rules alone nobody knows whom they are for */
}
