/* Steps of an upgrade: verified TLS to the server, then, and only then, a
 * certificate for its name, and with it the end of the client's own TLS. */
#include "steps.h"

#include "loop.h"
#include "tls_link.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum step_result refuse_handshake(struct session *s, enum tf_side side,
                                  enum tf_reason (*failure)(SSL *ssl, struct tf_writer *why))
{
    struct tf_writer why = why_writer(s);
    session_facts(s)->reason = failure(s->side[side].tls->ssl, &why);
    note_why(s, &why);
    return STEP_REFUSE;
}

/* secure: a plain request goes to the TLS port of its host. */

static enum step_result run_secure(struct session *s)
{
    struct tf_target *target = &session_facts(s)->target;
    if (target->port == 80)
        target->port = target->addr.port = 443;
    return STEP_NEXT;
}

const struct step step_secure = {.name = "secure", .run = run_secure};

/* originate: the handshake with the server. */

bool session_restricts_tenants(const struct session *s)
{
    return tf_tenants_restrict(&s->conf->tf.tenants, tf_policy_host(&s->setup->facts));
}

/* Where requests are read, both legs speak HTTP/1.1, whatever the client has offered. */
static bool begin_originate(struct session *s)
{
    const struct tf_facts *facts = session_facts(s);
    const struct tls *tls = s->loop->setting->tls;
    bool is_read = facts->ask == TF_ASK_HTTP || session_restricts_tenants(s);
    bool is_http = is_read || (facts->mail == TF_MAIL_NONE && !tf_port_is_mail(facts->target.port));
    struct tf_span alpn = is_read ? (struct tf_span){NULL, 0} : facts->hello.alpn;
    if (tls == NULL) /* a reload has taken it away */
        return false;
    const char *name = session_server_name(s);
    struct resume_entry *known = resume_hold(&s->loop->resumer, name, facts->target.port);
    SSL *ssl = tls_outside(tls, name, alpn, is_http, known != NULL ? resume_session(known) : NULL);
    if (ssl != NULL && known != NULL)
        tls_outside_lead(ssl, resume_group(known));
    if (tls_link_start(&s->side[TF_SERVER], ssl, (struct tf_span){NULL, 0})) {
        tls_link_resume(&s->side[TF_SERVER], known);
        return true;
    }
    if (known != NULL)
        resume_release(known);
    return false;
}

static enum step_result originated(struct session *s)
{
    const struct tls_link *t = s->side[TF_SERVER].tls;
    session_facts(s)->outside = tls_leg(t->ssl);
    s->setup->server.is_secure = true;
    if (t->resume != NULL)
        resume_set_group(t->resume, (int)SSL_get_negotiated_group(t->ssl));
    return STEP_NEXT;
}

static enum step_result run_originate(struct session *s)
{
    struct link *server = &s->side[TF_SERVER];
    if (s->side[TF_CLIENT].failed)
        return end_for(s, TF_REASON_RESET);
    if (server->tls == NULL && link_ahead(server).n > 0) /* behind the answer of a parent proxy */
        return refuse_for(s, TF_REASON_SERVER_SPOKE_FIRST);
    if (server->tls == NULL && !begin_originate(s))
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    switch (tls_link_is_up(server) ? LINK_OK : tls_link_handshake(server)) {
    case LINK_OK:
        return originated(s);
    case LINK_AGAIN:
        return tls_link_has_more(server) ? STEP_MORE : STEP_WAIT;
    default:
        break;
    }
    if (server->tls->resume != NULL)
        resume_drop(server->tls->resume); /* if it was that, the next one does without */
    return refuse_handshake(s, TF_SERVER, tls_outside_failure);
}

static enum step_result late_originate(struct session *s)
{
    return refuse_for(s, TF_REASON_UPSTREAM_TLS_TIMEOUT);
}

const struct step step_originate = {"originate", run_originate, offsetof(struct tf_limits, handshake_ms),
                                    late_originate};

/* mint: the certificate for the client, of a name that has just been proven. */

/* NULL: a reload has taken it away meanwhile. */
static struct ca *own_ca(const struct session *s)
{
    const struct tls *tls = s->loop->setting->tls;
    return tls != NULL ? tls_ca(tls) : NULL;
}

/* The listener's own certificate, for clients that take it for the server. */
static const struct tls_own *own_certificate(const struct session *s)
{
    const struct door *door = session_facts((struct session *)s)->has_certificate ? session_door(s) : NULL;
    return door != NULL ? door->own : NULL;
}

/* With `leaf`, or where that is NULL the listener's own certificate. The facts go on pointing into the
 * client's hello. */
static bool begin_terminate(struct session *s, const struct leaf *leaf)
{
    struct setup *setup = s->setup;
    struct link *client = &s->side[TF_CLIENT];
    const struct tls_link *server = s->side[TF_SERVER].tls;
    SSL *outside = server != NULL ? server->ssl : NULL;
    const char *name = tf_policy_host(&setup->facts);
    bool is_legacy = !tf_version_passes(&s->conf->tf.policy, setup->facts.hello.max_version);
    SSL *ssl = leaf != NULL ? tls_inside(s->loop->setting->tls, leaf, is_legacy, name, outside)
                            : tls_own_inside(own_certificate(s), is_legacy, name, outside);
    tickets_attach(ssl, s->loop->setting->tickets);
    setup->hello = client->ahead;
    client->ahead = (struct lookahead){.p = NULL};
    return tls_link_start(client, ssl, lookahead_rest(&setup->hello));
}

static void on_minted(void *arg, const struct leaf *leaf)
{
    struct session *s = arg;
    s->setup->mint = NULL;
    if (leaf == NULL || own_ca(s) == NULL || !begin_terminate(s, leaf))
        s->setup->mint_failed = true;
    session_run(s);
}

static enum step_result run_mint(struct session *s)
{
    struct setup *setup = s->setup;
    struct ca *ca = own_ca(s);
    const char *name = tf_policy_host(&setup->facts);
    enum tf_leaf kind;
    if (setup->mint_failed)
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    if (setup->hello.p != NULL) /* on_minted has begun */
        return STEP_NEXT;
    if (setup->mint != NULL)
        return s->side[TF_CLIENT].failed ? end_for(s, TF_REASON_RESET) : STEP_WAIT;
    if (own_certificate(s) != NULL)
        return begin_terminate(s, NULL) ? STEP_NEXT : refuse_for(s, TF_REASON_NO_RESOURCES);
    if (ca == NULL)
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    if (!ca_permits(ca, name))
        return refuse_for(s, TF_REASON_NAME_NOT_CONSTRAINED);
    enum tf_reason why = tf_inside_choose(&setup->facts.hello, &kind);
    if (why != TF_REASON_NONE)
        return refuse_for(s, why);
    const struct leaf *leaf = mint_cached(&s->loop->minter, ca, name, kind);
    if (leaf != NULL)
        return begin_terminate(s, leaf) ? STEP_NEXT : refuse_for(s, TF_REASON_NO_RESOURCES);
    setup->mint = mint_start(&s->loop->minter, ca, name, kind, on_minted, s);
    return setup->mint != NULL ? STEP_WAIT : refuse_for(s, TF_REASON_NO_RESOURCES);
}

static enum step_result late_mint(struct session *s)
{
    return refuse_for(s, TF_REASON_NO_RESOURCES);
}

const struct step step_mint = {"mint", run_mint, offsetof(struct tf_limits, handshake_ms), late_mint};

/* terminate: the handshake with the client, who from here on hears OpenSSL and nobody else. */

static enum step_result run_terminate(struct session *s)
{
    struct link *client = &s->side[TF_CLIENT];
    s->setup->tongue = NULL;
    switch (tls_link_handshake(client)) {
    case LINK_OK:
        session_facts(s)->inside = tls_leg(client->tls->ssl);
        return STEP_NEXT;
    case LINK_AGAIN:
        return tls_link_has_more(client) ? STEP_MORE : STEP_WAIT;
    default:
        return refuse_handshake(s, TF_CLIENT,
                                session_facts(s)->has_certificate ? tls_own_failure : tls_inside_failure);
    }
}

static enum step_result late_terminate(struct session *s)
{
    return refuse_for(s, TF_REASON_CLIENT_HANDSHAKE_TIMEOUT);
}

const struct step step_terminate = {"terminate", run_terminate, offsetof(struct tf_limits, handshake_ms),
                                    late_terminate};

/* within: what the client says inside its TLS are requests, for the server that it takes us for. */

static enum step_result run_within(struct session *s)
{
    struct setup *setup = s->setup;
    struct tf_target *server = &setup->within;
    const char *name = tf_policy_host(&setup->facts);
    if (!session_take_front(s, &tf_front_http))
        return end_for(s, TF_REASON_NO_RESOURCES);
    enum tf_host_error error = tf_host_parse(name, strlen(name), server);
    assert(error == TF_HOST_OK); /* it is one of those that are restricted */
    server->port = setup->facts.target.port;
    /* What is agreed on by ALPN is agreed on; connections to the server come and go from here on. */
    SSL_set_app_data(s->side[TF_CLIENT].tls->ssl, NULL);
    return STEP_NEXT;
}

const struct step step_within = {.name = "within", .run = run_within};
