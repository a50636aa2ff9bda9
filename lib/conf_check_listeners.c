/* Listeners as a whole: addresses that two of them want, keys that mean
 * nothing on a listener of that kind, and keys that lack their partner. */
#include "conf_table.h"

#include <string.h>

/* What a listener is: its kind, and for `forward` its protocol. A bit each. */
enum sort {
    CONNECT = 1 << TF_KIND_CONNECT,
    SNI = 1 << TF_KIND_SNI,
    SOCKS5 = 1 << TF_KIND_SOCKS5,
    TRANSPARENT = 1 << TF_KIND_TRANSPARENT,
    FORWARD_TLS = 32 << TF_PROTOCOL_TLS,
    FORWARD_HTTP = 32 << TF_PROTOCOL_HTTP,
    FORWARD_SMTP = 32 << TF_PROTOCOL_SMTP,
    FORWARD_IMAP = 32 << TF_PROTOCOL_IMAP,
    FORWARD_POP3 = 32 << TF_PROTOCOL_POP3,
    MAIL = FORWARD_SMTP | FORWARD_IMAP | FORWARD_POP3,
    FORWARD = FORWARD_TLS | FORWARD_HTTP | MAIL,
    PROXY = CONNECT | SOCKS5, /* clients know that they talk to a proxy */
    ANY = PROXY | SNI | TRANSPARENT | FORWARD
};

static enum sort sort_of(const struct tf_listener *listener)
{
    return listener->kind == TF_KIND_FORWARD ? 32u << listener->protocol : 1u << listener->kind;
}

/* A key that a listener of another sort would have use for. It is a warning where nothing is weaker for it,
 * an error where somebody would rely on what is not there. */
struct misplaced {
    enum tf_keys_of_LISTENER key;
    enum sort sorts;
    enum tf_severity severity;
    const char *advice;
};

#define KEY(name) TF_KEY_LISTENER_##name
static const char leave_out[] = "leave it out";

static const struct misplaced misplaced[] = {
    {KEY(port), ANY & ~SNI, TF_WARNING, leave_out},
    {KEY(intercept), ANY & ~TRANSPARENT, TF_WARNING, leave_out},
    {KEY(protocol), ANY & ~FORWARD, TF_WARNING, leave_out},
    /* Whoever names a server and gets a proxy for all of them has made a mistake that matters. */
    {KEY(upstream), ANY & ~FORWARD, TF_ERROR, "write kind = forward, or leave it out"},
    {KEY(client_tls), PROXY | FORWARD_HTTP, TF_ERROR,
     "for clients that speak TLS to the listener, write tls = on"},
    {KEY(client_tls), SNI | TRANSPARENT, TF_WARNING, leave_out},
    {KEY(tls), FORWARD_TLS | MAIL, TF_ERROR, "for TLS that ends here, write client_tls = implicit"},
    {KEY(tls), SNI | TRANSPARENT, TF_ERROR, "clients there speak TLS with the server; leave it out"},
    {KEY(certificate), SNI | TRANSPARENT, TF_WARNING,
     "clients whose TLS ends there see one of [ca]; leave it out"},
    {KEY(server_tls), ANY & ~FORWARD_SMTP, TF_WARNING, leave_out},
    {KEY(server_name), ANY & ~(FORWARD | TRANSPARENT), TF_WARNING, leave_out},
    {KEY(send_proxy), ANY & ~FORWARD, TF_WARNING, leave_out},
    {KEY(users), SNI | TRANSPARENT | FORWARD_TLS | FORWARD_HTTP, TF_ERROR,
     "nobody can log in there; leave it out, and let [access] source say who may connect"},
    {KEY(bridge), ANY & ~MAIL, TF_ERROR,
     "write kind = forward and protocol = smtp, imap or pop3, or leave it out"},
};

/* A key that is of no use without another one. */
static const struct tf_pairing pairings[] = {
    {KEY(tls), ANY, KEY(certificate), TF_ERROR, "write certificate = and its file"},
    {KEY(key), ANY, KEY(certificate), TF_ERROR, "write certificate = and its file, or leave the key out"},
    {KEY(certificate), PROXY | FORWARD_HTTP, KEY(tls), TF_WARNING,
     "write tls = on, or leave the certificate out"},
    {KEY(certificate), MAIL, KEY(client_tls), TF_WARNING,
     "write client_tls = optional, starttls or implicit, or leave the certificate out"},
    {KEY(users), MAIL, KEY(bridge), TF_ERROR,
     "without it logins are the server's business; write bridge = xoauth2, or leave the users out"},
    {KEY(bridge), MAIL, KEY(users), TF_ERROR, "write users = and a file of those who may log in"},
    {KEY(bridge), MAIL, KEY(oauth), TF_ERROR, "write oauth = and the file with the OAuth client's secrets"},
    {KEY(oauth), ANY, KEY(bridge), TF_WARNING, "write bridge = xoauth2, or leave it out"},
    {KEY(proxy_source), ANY, KEY(accept_proxy), TF_WARNING, "write accept_proxy = on, or leave it out"},
};

static void check_misplaced(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;
    bool is_forward = listener->kind == TF_KIND_FORWARD;

    for (size_t i = 0; i < sizeof misplaced / sizeof misplaced[0]; i++) {
        const struct misplaced *m = &misplaced[i];
        if (!(m->sorts & sort_of(listener)) || !tf_is_meant(section, m->key))
            continue;
        tf_report(load, m->severity, &section->settings[m->key].origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " ", section->info->keys[m->key].name,
                           " means nothing with kind = ", section->settings[KEY(kind)].text,
                           is_forward ? " and protocol = " : "",
                           is_forward ? section->settings[KEY(protocol)].text : "", "; ", m->advice));
    }
}

/* Whether two sockets would take the same connections. */
static bool is_same_socket(const struct tf_addr *a, const struct tf_addr *b)
{
    bool any_family = a->family == TF_FAMILY_NONE || b->family == TF_FAMILY_NONE;
    return a->port != 0 && a->port == b->port &&
           (any_family ? tf_addr_class(a) == TF_CLASS_UNSPECIFIED && tf_addr_class(b) == TF_CLASS_UNSPECIFIED
                       : tf_addr_same_ip(a, b));
}

/* Reports where `addr` of `owner` is an address of `other` as well, from its `from`th on. `listen` is owner's
 * key. */
static void check_address_is_free(struct tf_conf_load *load, const struct tf_section *owner, size_t listen,
                                  const struct tf_addr *addr, const struct tf_listener *other, size_t from)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_addr_port(&w, addr);
    text[w.len] = '\0';
    for (size_t i = from; i < other->address_count; i++)
        if (is_same_socket(addr, &other->addresses[i]))
            tf_report(load, TF_ERROR, &owner->settings[listen].origin,
                      TF_PARTS(TF_SECTION_PARTS(owner), " listens on ", text, ", and so does [listener ",
                               other->name, "]; give one of them another port"));
}

static const char *port_text(char text[8], uint16_t port)
{
    struct tf_writer w = tf_writer_of(text, 7);
    tf_put_u64(&w, port);
    text[w.len] = '\0';
    return text;
}

/* `key` is where the port was written. */
static void check_dialled_port(struct tf_conf_load *load, const struct tf_section *section, size_t key,
                               uint16_t port)
{
    char text[8];
    if (tf_access_port(&load->conf->access, port) != TF_REASON_NONE)
        tf_report(load, TF_WARNING, tf_setting_origin(section, key),
                  TF_PARTS(TF_SECTION_PARTS(section), " dials port ", port_text(text, port),
                           ", which [access] port does not allow; add it there"));
}

/* What servers speak on a port. To listeners that know nothing of mail, that of ports which are TLS at once
 * is TLS like any other. */
static enum tf_mail mail_of_port(const struct tf_listener *listener, uint16_t port)
{
    if (!(sort_of(listener) & MAIL) || !tf_mail_is_tls_port(port))
        return tf_mail_of_port(port);
    return port == 465 ? TF_MAIL_SMTP : port == 993 ? TF_MAIL_IMAP : TF_MAIL_POP3;
}

/* Servers of mail speak first on most of these ports, and only a listener that knows so waits for them. */
static void check_mail_port(struct tf_conf_load *load, const struct tf_section *section, size_t key,
                            uint16_t port)
{
    const struct tf_listener *listener = section->object;
    const char *protocol = listener->kind == TF_KIND_FORWARD ? section->settings[KEY(protocol)].text : "";
    enum tf_mail mail = mail_of_port(listener, port);
    char text[8];

    if (mail != TF_MAIL_NONE && strcmp(protocol, tf_mail_name(mail)) != 0)
        tf_report(load, TF_WARNING, tf_setting_origin(section, key),
                  TF_PARTS(TF_SECTION_PARTS(section), " dials port ", port_text(text, port),
                           ", where servers speak ", tf_mail_name(mail),
                           "; write kind = forward and protocol = ", tf_mail_name(mail),
                           ", or another port"));
}

static uint16_t default_port(enum tf_protocol protocol)
{
    switch (protocol) {
    case TF_PROTOCOL_TLS:
        return 443;
    case TF_PROTOCOL_HTTP:
        return 80;
    case TF_PROTOCOL_SMTP:
        return 587;
    case TF_PROTOCOL_IMAP:
        return 143;
    case TF_PROTOCOL_POP3:
        return 110;
    }
    return 0;
}

static bool is_same_target(const struct tf_target *a, const struct tf_target *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* `[listener x] SENTENCE`, where a key of it was written. */
static void tell(struct tf_conf_load *load, const struct tf_section *section, enum tf_keys_of_LISTENER key,
                 enum tf_severity severity, const char *sentence)
{
    tf_report(load, severity, tf_setting_origin(section, key),
              TF_PARTS(TF_SECTION_PARTS(section), " ", sentence));
}

static void check_upstream(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;

    if (!tf_is_written(section, KEY(upstream)))
        tf_report(load, TF_ERROR, &section->origin,
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " has kind = forward but no upstream; write upstream = and HOST or HOST:PORT"));
    if (listener->upstream.host[0] == '\0') /* a wrong one was reported already */
        return;
    check_dialled_port(load, section, KEY(upstream), listener->upstream.port);
    check_mail_port(load, section, KEY(upstream), listener->upstream.port);
    if (is_same_target(&listener->upstream, &load->conf->parent.proxy))
        tell(load, section, KEY(upstream), TF_WARNING,
             "upstream is the parent proxy, which is gone through anyway; write the server's name");
}

/* Where a client's TLS ends, it must be shown a certificate. */
static void check_client_tls(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;
    enum tf_client_tls client_tls = listener->client_tls;
    bool is_tls = sort_of(listener) == FORWARD_TLS, is_mail = sort_of(listener) & MAIL;

    if (is_tls && (client_tls == TF_CLIENT_TLS_OPTIONAL || client_tls == TF_CLIENT_TLS_STARTTLS))
        tell(load, section, KEY(client_tls), TF_ERROR,
             "is no mail, and only mail has STARTTLS; write client_tls = implicit or none");
    else if ((is_tls || is_mail) && client_tls != TF_CLIENT_TLS_NONE && !listener->certificate[0] &&
             !load->conf->policy.can_upgrade)
        tell(
            load, section, KEY(client_tls), TF_ERROR,
            "client_tls needs a certificate, and [ca] directory is off; write certificate = and its file, or "
            "a directory there");
}

static bool is_loopback_only(const struct tf_listener *listener)
{
    size_t i = 0;
    while (i < listener->address_count && tf_addr_class(&listener->addresses[i]) == TF_CLASS_LOOPBACK)
        i++;
    return i == listener->address_count;
}

/* Logins that the gateway itself asks for. */
static void check_logins(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;
    bool is_plain_mail =
        listener->client_tls == TF_CLIENT_TLS_NONE || listener->client_tls == TF_CLIENT_TLS_OPTIONAL;

    if (is_loopback_only(listener))
        return;
    if (listener->bridge && sort_of(listener) & MAIL && is_plain_mail)
        tell(load, section, KEY(client_tls), TF_WARNING,
             "lets passwords cross the network in plain text; write client_tls = starttls or implicit if its "
             "clients can do that");
    if (listener->users[0] && sort_of(listener) & PROXY && !listener->tls)
        tell(
            load, section, KEY(users), TF_WARNING,
            "lets passwords cross the network in plain text; write tls = on and certificate = if its clients "
            "can do that");
}

static void check_bridge(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;

    if (listener->bridge && sort_of(listener) & MAIL && listener->opportunistic)
        tell(load, section, KEY(server_tls), TF_WARNING,
             "server_tls = opportunistic means nothing with a bridge, which logs in to the server only in "
             "TLS; "
             "leave it out");
}

/* Whoever is believed can be anybody for rules, limits and logs. */
static void check_proxy_source(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;

    if (listener->accept_proxy && !tf_is_written(section, KEY(proxy_source)) && !is_loopback_only(listener))
        tell(load, section, KEY(accept_proxy), TF_WARNING,
             "believes every client that says it is another one; write proxy_source = and the balancer's "
             "address");
}

static void check_listener(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;

    if (section->settings[KEY(kind)].is_bad || section->settings[KEY(protocol)].is_bad)
        return; /* nobody knows what the others should be */
    check_misplaced(load, section);
    tf_check_pairings(load, section, sort_of(listener), pairings, sizeof pairings / sizeof pairings[0]);
    if (listener->kind == TF_KIND_FORWARD)
        check_upstream(load, section);
    if (listener->kind == TF_KIND_SNI) {
        check_dialled_port(load, section, KEY(port), listener->port);
        check_mail_port(load, section, KEY(port), listener->port);
    }
    check_client_tls(load, section);
    check_logins(load, section);
    check_bridge(load, section);
    check_proxy_source(load, section);
}

static bool is_listener(const struct tf_section *section)
{
    return section->info->object == TF_OBJECT_LISTENER;
}

static void check_per_user(struct tf_conf_load *load)
{
    const struct tf_section *limits = tf_section_plain(load->conf, TF_SECTION_LIMITS);

    for (const struct tf_listener *l = load->conf->listeners; l; l = l->next)
        if (l->users[0])
            return;
    if (load->conf->limits.per_user > 0)
        tf_report(
            load, TF_WARNING, &limits->settings[TF_KEY_LIMITS_per_user].origin,
            TF_PARTS("[limits] per_user limits nobody, since no listener has users; write users = and a file "
                     "in a listener, or per_source here"));
}

void tf_finish_listeners(struct tf_conf_load *load)
{
    for (struct tf_listener *l = load->conf->listeners; l; l = l->next)
        if (l->upstream.host[0] && l->upstream.port == 0)
            l->upstream.port = l->upstream.addr.port = default_port(l->protocol);
}

void tf_check_listeners(struct tf_conf_load *load)
{
    const struct tf_section *admin = tf_section_plain(load->conf, TF_SECTION_ADMIN);
    bool any = false;

    for (const struct tf_section *s = load->conf->sections; s; s = s->next) {
        const struct tf_listener *l = s->object;
        if (!is_listener(s))
            continue;
        any = true;
        check_listener(load, s);
        for (size_t i = 0; i < l->address_count; i++) {
            check_address_is_free(load, s, KEY(listen), &l->addresses[i], l, i + 1);
            for (const struct tf_listener *other = l->next; other; other = other->next)
                check_address_is_free(load, s, KEY(listen), &l->addresses[i], other, 0);
        }
        if (load->conf->admin_on)
            check_address_is_free(load, admin, TF_KEY_ADMIN_listen, &load->conf->admin, l, 0);
    }
    if (!any)
        tf_report(
            load, TF_ERROR, &load->whole,
            TF_PARTS("there is no listener; write [listener proxy] and below it listen = 127.0.0.1:3128"));
    check_per_user(load);
}
