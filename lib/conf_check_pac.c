/* [pac] as a whole: the proxy that goes without saying, and what is wrong. */
#include "conf_table.h"

#include <string.h>

/* The first address of the first listener of kind connect that browsers can name; a port that the kernel
 * picks is not known yet. */
static const struct tf_listener *find_listener(const struct tf_conf *conf, const struct tf_addr **address)
{
    for (const struct tf_listener *l = conf->listeners; l; l = l->next) {
        for (size_t i = 0; l->kind == TF_KIND_CONNECT && i < l->address_count; i++) {
            *address = &l->addresses[i];
            if ((*address)->port != 0 && tf_addr_class(*address) != TF_CLASS_UNSPECIFIED)
                return l;
        }
    }
    return NULL;
}

static void fill_in_proxy(struct tf_conf_load *load)
{
    const struct tf_addr *address;
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);

    const struct tf_listener *listener = find_listener(load->conf, &address);
    struct tf_pac_proxy *proxy = listener ? tf_arena_alloc(load->arena, sizeof *proxy) : NULL;
    if (!proxy)
        return;
    tf_put_addr_port(&w, address);
    tf_pac_proxy_parse(text, w.len, proxy);
    if (listener->tls)
        proxy->scheme = TF_PAC_HTTPS;
    load->conf->pac.proxies = proxy;
    load->conf->pac.proxy_count = 1;
}

/* Who writes nothing about PAC files need not hear of them. */
static void check_proxy(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_pac *pac = &load->conf->pac;
    const struct tf_origin *written = tf_find_meant(section);

    if (!written || tf_is_written(section, TF_KEY_PAC_proxy))
        return;
    if (pac->proxy_count == 0)
        tf_report(
            load, TF_ERROR, written,
            TF_PARTS("[pac] has no proxy, and no listener of kind connect is at an address that browsers "
                     "could go to; write proxy = HOST:PORT"));
    else if (tf_pac_proxy_is_local(pac->proxies))
        tf_report(load, TF_WARNING, written,
                  TF_PARTS("[pac] has no proxy, and the listener of kind connect is at ",
                           pac->proxies->at.host,
                           ", where browsers of other machines cannot go; write proxy = HOST:PORT"));
}

void tf_finish_pac(struct tf_conf_load *load)
{
    enum { ALWAYS = 1 };
    static const struct tf_pairing pairings[] = {
        {TF_KEY_PAC_clients, ALWAYS, TF_KEY_PAC_kind, TF_WARNING, "write kind = legacy, or leave them out"},
        {TF_KEY_PAC_kind, ALWAYS, TF_KEY_PAC_clients, TF_ERROR,
         "write the addresses and blocks that legacy clients have"},
    };
    const struct tf_section *section = tf_section_plain(load->conf, TF_SECTION_PAC);

    if (load->conf->pac.proxy_count == 0)
        fill_in_proxy(load);
    check_proxy(load, section);
    tf_check_pairings(load, section, ALWAYS, pairings, sizeof pairings / sizeof pairings[0]);
    if (load->conf->pac.kind == TF_PAC_LEGACY && tf_is_meant(section, TF_KEY_PAC_direct))
        tf_report(
            load, TF_WARNING, tf_setting_origin(section, TF_KEY_PAC_direct),
            TF_PARTS("[pac] direct is of no use with kind = legacy, where all but clients goes direct; leave "
                     "it out"));
}
