/* Proxy auto-configuration (PAC): the tables of a script by which browsers
 * and Windows find out what is to go through the gateway. The script's
 * functions, which look things up in them, are in proxy/pac/. */
#ifndef TF_PAC_H
#define TF_PAC_H

#include "host.h"
#include "m365.h"

enum tf_pac_kind {
    TF_PAC_GATEWAY, /* everything goes through the gateway but for what is direct */
    TF_PAC_LEGACY   /* nothing does but for what `clients` ask for */
};

enum tf_pac_scheme { TF_PAC_HTTP, TF_PAC_HTTPS, TF_PAC_SOCKS5 };

/* What a browser goes through. */
struct tf_pac_proxy {
    enum tf_pac_scheme scheme;
    struct tf_target at;
};

struct tf_pac {
    enum tf_pac_kind kind;
    const struct tf_pac_proxy *proxies; /* the first that works is used */
    size_t proxy_count;                 /* 0: it is not known what browsers can reach */
    enum tf_m365_category
        direct; /* TF_PAC_GATEWAY: endpoints of this category and of better ones are direct */
    const struct tf_cidr *clients; /* TF_PAC_LEGACY */
    size_t client_count;
};

/* `HOST:PORT`, `http://HOST:PORT`, `https://HOST:PORT` (TLS to the proxy itself) or `socks5://HOST:PORT`. */
bool tf_pac_proxy_parse(const char *text, size_t n, struct tf_pac_proxy *proxy);
/* The address of a proxy on this machine, which other machines cannot reach. */
bool tf_pac_proxy_is_local(const struct tf_pac_proxy *proxy);

/* The tables that scripts of pac's kind need, in ECMAScript 3 and ASCII. What those of TF_PAC_GATEWAY have is
 * exactly what tf_m365_find finds in the categories that are direct, by name and port. m365 may be NULL. */
void tf_put_pac_tables(struct tf_writer *w, const struct tf_pac *pac, const struct tf_m365 *m365);

#endif
