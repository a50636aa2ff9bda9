/* What `check` has to say of transparent listeners: how the firewall turns
 * connections to them, as a ruleset that can be loaded. */
#include "check.h"

enum { PLAIN_HTTP = 80 };

/* A mark and a routing table of our own choice: any that nobody else uses will do. */
#define MARK  "1"
#define TABLE "100"

static const struct {
    enum tf_family family;
    const char *match;  /* what only its packets match */
    const char *tproxy; /* the word that says so to tproxy */
    const char *ip;     /* the command for its routes */
    const char *every;  /* every address */
} families[] = {{TF_FAMILY_V4, "meta nfproto ipv4", "ip", "ip", "0.0.0.0/0"},
                {TF_FAMILY_V6, "meta nfproto ipv6", "ip6", "ip -6", "::/0"}};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* Where the listener takes connections of a family, or NULL. */
static const struct tf_addr *address_for(const struct tf_listener *l, enum tf_family family)
{
    for (size_t i = 0; i < l->address_count; i++)
        if (l->addresses[i].family == family || l->addresses[i].family == TF_FAMILY_NONE)
            return &l->addresses[i];
    return NULL;
}

/* Plain HTTP is not TLS, and would only be refused. */
static bool is_turned(const struct tf_port_range *ports)
{
    return ports->first != PLAIN_HTTP || ports->last != PLAIN_HTTP;
}

static bool has_ports(const struct tf_access *access)
{
    for (size_t i = 0; i < access->port_count; i++)
        if (is_turned(&access->ports[i]))
            return true;
    return false;
}

/* `meta nfproto ipv4 tcp dport { 443, 8000-8099 } ` */
static void print_match(FILE *to, const struct tf_access *access, size_t family)
{
    const char *between = "";
    fprintf(to, "%s tcp dport {", families[family].match);
    for (size_t i = 0; i < access->port_count; i++) {
        const struct tf_port_range *ports = &access->ports[i];
        if (!is_turned(ports))
            continue;
        fprintf(to, "%s %u", between, ports->first);
        if (ports->last != ports->first)
            fprintf(to, "-%u", ports->last);
        between = ",";
    }
    fprintf(to, " } ");
}

static void print_redirects(FILE *to, const struct tf_conf *conf, const struct tf_listener *l,
                            const char *indent)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        const struct tf_addr *address = address_for(l, families[i].family);
        if (!address)
            continue;
        fputs(indent, to);
        print_match(to, &conf->access, i);
        fprintf(to, "redirect to :%u\n", address->port);
    }
}

static void print_redirect(FILE *to, const struct tf_conf *conf, const struct tf_listener *l)
{
    fputs("    table inet tlsfloor {\n"
          "        chain prerouting {\n"
          "            type nat hook prerouting priority dstnat\n"
          "            fib daddr type local return\n",
          to);
    print_redirects(to, conf, l, "            ");
    fputs("        }\n"
          "        # For programs on this machine too; but what the gateway itself connects must pass,\n"
          "        # so it must run as a user of its own:\n"
          "        # chain output {\n"
          "        #     type nat hook output priority -100\n"
          "        #     fib daddr type local return\n"
          "        #     meta skuid tlsfloor return\n",
          to);
    print_redirects(to, conf, l, "        #     ");
    fputs("        # }\n"
          "    }\n",
          to);
}

static void print_tproxies(FILE *to, const struct tf_conf *conf, const struct tf_listener *l)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        const struct tf_addr *address = address_for(l, families[i].family);
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        if (!address)
            continue;
        if (address->family == TF_FAMILY_NONE) {
            tf_put_char(&w, ':');
            tf_put_u64(&w, address->port);
        } else {
            tf_put_addr_port(&w, address);
        }
        fputs("            ", to);
        print_match(to, &conf->access, i);
        fprintf(to, "tproxy %s to %.*s meta mark set " MARK " accept\n", families[i].tproxy, (int)w.len,
                text);
    }
}

static void print_tproxy(FILE *to, const struct tf_conf *conf, const struct tf_listener *l)
{
    fputs("    table inet tlsfloor {\n"
          "        chain prerouting {\n"
          "            type filter hook prerouting priority mangle\n"
          "            fib daddr type local return\n"
          "            meta l4proto tcp socket transparent 1 meta mark set " MARK " accept\n",
          to);
    print_tproxies(to, conf, l);
    fputs("        }\n"
          "    }\n"
          "and routes that keep here what is marked so:\n",
          to);
    for (size_t i = 0; i < FAMILIES; i++)
        if (address_for(l, families[i].family))
            fprintf(to,
                    "    %s rule add fwmark " MARK " lookup " TABLE "\n"
                    "    %s route add local %s dev lo table " TABLE "\n",
                    families[i].ip, families[i].ip, families[i].every);
}

/* The kernel redirects to the address of the interface that a connection has come in by. */
static void warn_of_loopback(const struct tf_section *section, const struct tf_listener *l)
{
    static const char advice[] =
        "listens on loopback alone, so only this machine's own connections can be redirected "
        "to it: listen on *, or on the address that faces the clients";
    char sentence[256];
    for (size_t i = 0; i < l->address_count; i++)
        if (l->addresses[i].family == TF_FAMILY_NONE || tf_addr_class(&l->addresses[i]) != TF_CLASS_LOOPBACK)
            return;
    snprintf(sentence, sizeof sentence, "[listener %s] %s", l->name, advice);
    conf_report(stderr, TF_WARNING, &section->origin, sentence);
}

static void print_rules(const struct tf_conf *conf, const struct tf_section *section,
                        const struct tf_listener *l)
{
    char sentence[256];
    if (l->intercept == TF_INTERCEPT_REDIRECT)
        warn_of_loopback(section, l);
    snprintf(sentence, sizeof sentence,
             "[listener %s] gets what the firewall turns to it; with nftables, by these lines:", l->name);
    conf_report(stderr, TF_NOTE, &section->origin, sentence);
    (l->intercept == TF_INTERCEPT_TPROXY ? print_tproxy : print_redirect)(stderr, conf, l);
}

void check_transparent(const struct tf_conf *conf)
{
    for (const struct tf_section *s = conf->sections; s; s = s->next)
        for (const struct tf_listener *l = conf->listeners; l; l = l->next)
            if (s->object == l && l->kind == TF_KIND_TRANSPARENT && has_ports(&conf->access))
                print_rules(conf, s, l);
}
