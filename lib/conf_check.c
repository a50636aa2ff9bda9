/* What only the whole of the settings can show: what is missing, listeners
 * and access. Rules are in conf_check_rules.c. */
#include "conf_table.h"

#include <string.h>

static const struct tf_setting *setting_of(const struct tf_section *section, size_t key)
{
    return &section->settings[key];
}

static void check_required(struct tf_conf_load *load, const struct tf_section *section)
{
    for (size_t i = 0; i < section->info->key_count; i++) {
        const struct tf_key *key = &section->info->keys[i];
        struct tf_values values;
        if (!section->settings[i].text)
            tf_report(load, TF_ERROR, &section->origin,
                      TF_PARTS(TF_SECTION_PARTS(section), " has no ", key->name, "; write ", key->name,
                               " = and ", tf_values_text(&values, key)));
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
            tf_report(load, TF_ERROR, &setting_of(owner, listen)->origin,
                      TF_PARTS(TF_SECTION_PARTS(owner), " listens on ", text, ", and so does [listener ",
                               other->name, "]; give one of them another port"));
}

static bool is_written(const struct tf_section *section, size_t key)
{
    return strcmp(setting_of(section, key)->text, section->info->keys[key].value) != 0;
}

/* A key that another kind of listener would have use for. */
static void check_has_no(struct tf_conf_load *load, const struct tf_section *section, size_t key)
{
    if (is_written(section, key))
        tf_report(load, TF_WARNING, &setting_of(section, key)->origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " ", section->info->keys[key].name,
                           " means nothing with kind = ", setting_of(section, TF_KEY_LISTENER_kind)->text,
                           "; leave it out"));
}

/* `key` is where the port was written. */
static void check_dialled_port(struct tf_conf_load *load, const struct tf_section *section, size_t key,
                               uint16_t port)
{
    char text[8];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_u64(&w, port);
    text[w.len] = '\0';
    if (tf_access_port(&load->conf->access, port) != TF_REASON_NONE)
        tf_report(load, TF_WARNING, &setting_of(section, key)->origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " dials port ", text,
                           ", which [access] port does not allow; add it there"));
}

static void check_forward(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;

    if (!is_written(section, TF_KEY_LISTENER_upstream))
        tf_report(load, TF_ERROR, &section->origin,
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " has kind = forward but no upstream; write upstream = and HOST or HOST:PORT"));
    else if (listener->upstream.port != 0) /* a wrong one was reported already */
        check_dialled_port(load, section, TF_KEY_LISTENER_upstream, listener->upstream.port);
    if (listener->protocol != TF_PROTOCOL_HTTP)
        tf_report(load, TF_ERROR, &setting_of(section, TF_KEY_LISTENER_protocol)->origin,
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " protocol = tls: this version forwards plain HTTP alone; write protocol = http"));
    check_has_no(load, section, TF_KEY_LISTENER_port);
}

static void check_kind(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_listener *listener = section->object;

    switch (listener->kind) {
    case TF_KIND_CONNECT:
        check_has_no(load, section, TF_KEY_LISTENER_port);
        break;
    case TF_KIND_SNI:
        check_dialled_port(load, section, TF_KEY_LISTENER_port, listener->port);
        break;
    case TF_KIND_FORWARD:
        check_forward(load, section);
        return;
    }
    check_has_no(load, section, TF_KEY_LISTENER_protocol);
    /* Whoever names a server and gets a proxy for all of them has made a mistake that matters. */
    if (is_written(section, TF_KEY_LISTENER_upstream))
        tf_report(load, TF_ERROR, &setting_of(section, TF_KEY_LISTENER_upstream)->origin,
                  TF_PARTS(TF_SECTION_PARTS(section), " has an upstream, which only kind = forward has; ",
                           "write kind = forward, or leave it out"));
}

static bool is_listener(const struct tf_section *section)
{
    return section->info->object == TF_OBJECT_LISTENER;
}

static void check_listeners(struct tf_conf_load *load)
{
    const struct tf_section *admin = tf_section_plain(load->conf, TF_SECTION_ADMIN);
    bool any = false;

    for (const struct tf_section *s = load->conf->sections; s; s = s->next) {
        const struct tf_listener *l = s->object;
        if (!is_listener(s))
            continue;
        any = true;
        check_kind(load, s);
        for (size_t i = 0; i < l->address_count; i++) {
            check_address_is_free(load, s, TF_KEY_LISTENER_listen, &l->addresses[i], l, i + 1);
            for (const struct tf_listener *other = l->next; other; other = other->next)
                check_address_is_free(load, s, TF_KEY_LISTENER_listen, &l->addresses[i], other, 0);
        }
        if (load->conf->admin_on)
            check_address_is_free(load, admin, TF_KEY_ADMIN_listen, &load->conf->admin, l, 0);
    }
    if (!any)
        tf_report(
            load, TF_ERROR, &load->whole,
            TF_PARTS("there is no listener; write [listener proxy] and below it listen = 127.0.0.1:3128"));
}

/* Whether somebody outside this machine and its private networks can connect to it. */
static bool is_exposed(const struct tf_addr *a)
{
    enum tf_class class = tf_addr_class(a);
    return class == TF_CLASS_UNSPECIFIED || class == TF_CLASS_PUBLIC;
}

/* A block wider than any that an organisation has of the public Internet. */
static bool is_world(const struct tf_cidr *block)
{
    if (block->base.family == TF_FAMILY_V4)
        return block->bits < 8;
    return block->bits < 16 && tf_addr_class(&block->base) != TF_CLASS_PRIVATE;
}

static bool takes_world(const struct tf_address_set *source)
{
    for (size_t i = 0; i < source->block_count; i++)
        if (is_world(&source->blocks[i]))
            return true;
    return source->classes & 1u << TF_CLASS_PUBLIC;
}

static void check_open_proxy(struct tf_conf_load *load)
{
    const struct tf_section *access = tf_section_plain(load->conf, TF_SECTION_ACCESS);

    if (load->conf->open_proxy || !takes_world(&load->conf->access.source))
        return;
    for (const struct tf_listener *l = load->conf->listeners; l; l = l->next) {
        for (size_t i = 0; i < l->address_count; i++) {
            if (!is_exposed(&l->addresses[i]))
                continue;
            tf_report(
                load, TF_ERROR, &setting_of(access, TF_KEY_ACCESS_source)->origin,
                TF_PARTS(
                    "[listener ", l->name,
                    "] would be an open proxy: it listens on a public address, and [access] source takes "
                    "the whole Internet; write your own networks there, or [access] open_proxy = on"));
            return;
        }
    }
}

/* Two log threads that write one file would tear each other's lines and rotate each other's file. */
static void check_logs(struct tf_conf_load *load)
{
    const struct tf_section *log = tf_section_plain(load->conf, TF_SECTION_LOG);
    const char *block = setting_of(log, TF_KEY_LOG_block)->text;
    const char *name = strcmp(block, "-") == 0 ? "standard output" : block;

    if (strcmp(block, "off") != 0 && strcmp(block, setting_of(log, TF_KEY_LOG_access)->text) == 0)
        tf_report(load, TF_ERROR, &setting_of(log, TF_KEY_LOG_access)->origin,
                  TF_PARTS("[log] access and [log] block are both ", name, "; give each a file of its own"));
}

static void check_admin(struct tf_conf_load *load)
{
    const struct tf_section *admin = tf_section_plain(load->conf, TF_SECTION_ADMIN);
    const struct tf_setting *listen = setting_of(admin, TF_KEY_ADMIN_listen);

    if (load->conf->admin_on && tf_addr_class(&load->conf->admin) != TF_CLASS_LOOPBACK)
        tf_report(load, TF_WARNING, &listen->origin,
                  TF_PARTS("[admin] listen = ", listen->text,
                           " has no access control, and is open to other machines; write a loopback address, "
                           "or let a firewall guard it"));
}

/* A wide block is easily written and opens the one address that gives the machine's own credentials away. */
static void check_metadata(struct tf_conf_load *load)
{
    static const struct tf_addr metadata = {.family = TF_FAMILY_V4, .ip = {169, 254, 169, 254}};
    const struct tf_section *access = tf_section_plain(load->conf, TF_SECTION_ACCESS);
    const struct tf_address_set *destination = &load->conf->access.destination;

    if (!(destination->classes & 1u << TF_CLASS_METADATA) && tf_address_set_has(destination, &metadata))
        tf_report(
            load, TF_WARNING, &setting_of(access, TF_KEY_ACCESS_destination)->origin,
            TF_PARTS("[access] destination opens 169.254.169.254, where clouds hand out credentials; write "
                     "smaller blocks, or add metadata if that is meant"));
}

/* A certificate may have its key in the same file; a key alone is of no use. */
static void check_upstream(struct tf_conf_load *load)
{
    const struct tf_section *upstream = tf_section_plain(load->conf, TF_SECTION_UPSTREAM);
    const struct tf_setting *key = setting_of(upstream, TF_KEY_UPSTREAM_key);

    if (key->text[0] && !setting_of(upstream, TF_KEY_UPSTREAM_certificate)->text[0])
        tf_report(
            load, TF_ERROR, &key->origin,
            TF_PARTS(
                "[upstream] key has no certificate to go with; write certificate = and its file, or leave "
                "the key out"));
}

bool tf_conf_finish(struct tf_conf_load *load)
{
    tf_gather_rules(load);
    if (load->arena->full) {
        tf_report(load, TF_ERROR, &load->whole,
                  TF_PARTS("the settings take more memory than there is for them"));
        return false;
    }

    const struct tf_section *admin = tf_section_plain(load->conf, TF_SECTION_ADMIN);
    load->conf->admin_on = strcmp(setting_of(admin, TF_KEY_ADMIN_listen)->text, "off") != 0;
    const struct tf_section *ca = tf_section_plain(load->conf, TF_SECTION_CA);
    load->conf->policy.can_upgrade = strcmp(setting_of(ca, TF_KEY_CA_directory)->text, "off") != 0;
    for (const struct tf_section *s = load->conf->sections; s; s = s->next)
        check_required(load, s);
    check_listeners(load);
    check_open_proxy(load);
    check_metadata(load);
    check_logs(load);
    check_admin(load);
    check_upstream(load);
    tf_check_rules(load);
    return load->errors == 0;
}
