/* What only the whole of the settings can show: what is missing, access, logs
 * and the way to servers. Listeners are in conf_check_listeners.c, rules in
 * conf_check_rules.c. */
#include "conf_table.h"
#include "syslog.h"

#include <string.h>

static const struct tf_setting *setting_of(const struct tf_section *section, size_t key)
{
    return &section->settings[key];
}

bool tf_is_written(const struct tf_section *section, size_t key)
{
    const char *text = setting_of(section, key)->text;
    return text && strcmp(text, section->info->keys[key].value) != 0;
}

bool tf_is_meant(const struct tf_section *section, size_t key)
{
    return tf_is_written(section, key) && !setting_of(section, key)->is_bad;
}

const struct tf_origin *tf_find_meant(const struct tf_section *section)
{
    for (size_t i = 0; i < section->info->key_count; i++)
        if (tf_is_meant(section, i))
            return &setting_of(section, i)->origin;
    return NULL;
}

const struct tf_origin *tf_setting_origin(const struct tf_section *section, size_t key)
{
    const struct tf_origin *at = &setting_of(section, key)->origin;
    return at->source == TF_FROM_DEFAULT ? &section->origin : at;
}

void tf_check_pairings(struct tf_conf_load *load, const struct tf_section *section, unsigned sort,
                       const struct tf_pairing *pairings, size_t n)
{
    for (const struct tf_pairing *p = pairings; p < pairings + n; p++)
        if (p->sorts & sort && tf_is_meant(section, p->key) && !tf_is_written(section, p->needs))
            tf_report(load, p->severity, &setting_of(section, p->key)->origin,
                      TF_PARTS(TF_SECTION_PARTS(section), " has ", section->info->keys[p->key].name,
                               " but no ", section->info->keys[p->needs].name, "; ", p->advice));
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

static bool is_published(const struct tf_addr *a)
{
    enum tf_class class = tf_addr_class(a);
    return class == TF_CLASS_PUBLIC || class == TF_CLASS_DOCUMENTATION;
}

static bool takes_public(const struct tf_address_set *source)
{
    for (size_t i = 0; i < source->block_count; i++)
        if (is_world(&source->blocks[i]) || is_published(&source->blocks[i].base))
            return true;
    return source->classes & (1u << TF_CLASS_PUBLIC | 1u << TF_CLASS_DOCUMENTATION);
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

/* A server that is published, for clients that are not let in. Proxies are rather meant for one's own. */
static void check_published(struct tf_conf_load *load)
{
    const struct tf_address_set *source = &load->conf->access.source;

    for (const struct tf_listener *l = load->conf->listeners; l; l = l->next) {
        size_t i = 0;
        while (i < l->address_count && !is_published(&l->addresses[i]))
            i++;
        if ((l->kind != TF_KIND_FORWARD && l->kind != TF_KIND_SNI) || i == l->address_count ||
            takes_public(source))
            continue;
        tf_report(
            load, TF_WARNING, tf_conf_listener_origin(load->conf, l, "listen"),
            TF_PARTS("[listener ", l->name,
                     "] listens on a public address, and [access] source lets nobody in who has one; add "
                     "the blocks of its clients there"));
    }
}

/* Two log threads that write one file would tear each other's lines and rotate each other's file. A syslog is
 * told which of them each line is from. */
static void check_logs(struct tf_conf_load *load)
{
    const struct tf_section *log = tf_section_plain(load->conf, TF_SECTION_LOG);
    const char *block = setting_of(log, TF_KEY_LOG_block)->text;
    const char *name = strcmp(block, "-") == 0 ? "standard output" : block;

    if (strcmp(block, "off") != 0 && !tf_syslog_is(block, strlen(block)) &&
        strcmp(block, setting_of(log, TF_KEY_LOG_access)->text) == 0)
        tf_report(load, TF_ERROR, &setting_of(log, TF_KEY_LOG_access)->origin,
                  TF_PARTS("[log] access and [log] block are both ", name, "; give each a file of its own"));
}

static void check_admin(struct tf_conf_load *load)
{
    const struct tf_section *admin = tf_section_plain(load->conf, TF_SECTION_ADMIN);
    const struct tf_setting *listen = setting_of(admin, TF_KEY_ADMIN_listen);

    if (load->conf->admin_on && !listen->is_bad && tf_addr_class(&load->conf->admin) != TF_CLASS_LOOPBACK)
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

/* The way to servers: keys that are of no use without another one. */
static void check_upstream(struct tf_conf_load *load)
{
    enum { ALWAYS = 1 };
    static const struct tf_pairing pairings[] = {
        {TF_KEY_UPSTREAM_key, ALWAYS, TF_KEY_UPSTREAM_certificate, TF_ERROR,
         "write certificate = and its file, or leave the key out"},
        {TF_KEY_UPSTREAM_proxy_user, ALWAYS, TF_KEY_UPSTREAM_proxy, TF_WARNING,
         "write proxy = HOST:PORT, or leave it out"},
        {TF_KEY_UPSTREAM_proxy_user, ALWAYS, TF_KEY_UPSTREAM_proxy_password_file, TF_ERROR,
         "write proxy_password_file = and the file with the password"},
        {TF_KEY_UPSTREAM_proxy_password_file, ALWAYS, TF_KEY_UPSTREAM_proxy_user, TF_ERROR,
         "write proxy_user = and who logs in"},
        {TF_KEY_UPSTREAM_proxy_bypass, ALWAYS, TF_KEY_UPSTREAM_proxy, TF_WARNING,
         "write proxy = HOST:PORT, or leave it out"},
    };
    const struct tf_section *upstream = tf_section_plain(load->conf, TF_SECTION_UPSTREAM);
    const struct tf_target *proxy = &load->conf->parent.proxy;

    tf_check_pairings(load, upstream, ALWAYS, pairings, sizeof pairings / sizeof pairings[0]);
    if (proxy->host[0] && proxy->port == 0)
        tf_report(load, TF_ERROR, &setting_of(upstream, TF_KEY_UPSTREAM_proxy)->origin,
                  TF_PARTS("[upstream] proxy = ", proxy->host, " has no port; write proxy = ", proxy->host,
                           ":3128, or what its port is"));
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
    tf_finish_listeners(load);
    tf_check_listeners(load);
    check_open_proxy(load);
    check_published(load);
    check_metadata(load);
    check_logs(load);
    check_admin(load);
    check_upstream(load);
    tf_check_rules(load);
    tf_finish_pac(load);
    tf_check_tenants(load);
    tf_check_page(load);
    return load->errors == 0;
}
