/* The tables of a PAC file; see pac.h. What gets into them has been parsed
 * before, as a host, a pattern, a block or a number: nothing of it can end a
 * string of the script. */
#include "pac.h"

#include "text.h"
#include <string.h>

static const struct {
    const char *prefix; /* as settings have it */
    const char *word;   /* as scripts have it */
} schemes[] = {
    [TF_PAC_HTTP] = {"http://", "PROXY "},
    [TF_PAC_HTTPS] = {"https://", "HTTPS "},
    [TF_PAC_SOCKS5] = {"socks5://", "SOCKS5 "},
};

enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

bool tf_pac_proxy_parse(const char *text, size_t n, struct tf_pac_proxy *proxy)
{
    struct tf_text authority = {text, n};

    proxy->scheme = TF_PAC_HTTP;
    for (int i = 0; i < SCHEMES; i++) {
        if (!tf_text_begins((struct tf_text){text, n}, schemes[i].prefix))
            continue;
        size_t prefix = strlen(schemes[i].prefix);
        proxy->scheme = (enum tf_pac_scheme)i;
        authority = (struct tf_text){text + prefix, n - prefix};
    }
    return tf_authority_parse(authority.p, authority.n, 0, &proxy->at) == TF_HOST_OK;
}

bool tf_pac_proxy_is_local(const struct tf_pac_proxy *proxy)
{
    return proxy->at.is_address ? tf_addr_class(&proxy->at.addr) == TF_CLASS_LOOPBACK
                                : strcmp(proxy->at.host, "localhost") == 0;
}

/* `var NAME = [` or `{`, its rows, and the end. */
struct table {
    struct tf_writer *w;
    bool has_rows;
    char end;
};

static struct table table_open(struct tf_writer *w, const char *comment, const char *name, char begin)
{
    tf_put_text(w, "\n// ");
    tf_put_text(w, comment);
    tf_put_text(w, "\nvar ");
    tf_put_text(w, name);
    tf_put_text(w, " = ");
    tf_put_char(w, begin);
    return (struct table){.w = w, .end = begin == '[' ? ']' : '}'};
}

/* A comma behind the last row is an error to old engines. */
static void table_row(struct table *t)
{
    tf_put_text(t->w, t->has_rows ? ",\n    " : "\n    ");
    t->has_rows = true;
}

static void table_close(struct table *t)
{
    tf_put_text(t->w, t->has_rows ? "\n" : "");
    tf_put_char(t->w, t->end);
    tf_put_text(t->w, ";\n");
}

static void put_quoted(struct tf_writer *w, const char *text, size_t n)
{
    tf_put_char(w, '"');
    tf_put(w, text, n);
    tf_put_char(w, '"');
}

static void put_proxies(struct tf_writer *w, const struct tf_pac *pac)
{
    tf_put_text(w, "\nvar proxies = \"");
    for (size_t i = 0; i < pac->proxy_count; i++) {
        tf_put_text(w, i > 0 ? "; " : "");
        tf_put_text(w, schemes[pac->proxies[i].scheme].word);
        tf_put_authority(w, &pac->proxies[i].at, 0);
    }
    tf_put_text(w, "\";\n");

    struct table t = table_open(w, "The machines that they are on.", "gateways", '{');
    for (size_t i = 0; i < pac->proxy_count; i++) {
        table_row(&t);
        put_quoted(w, pac->proxies[i].at.host, strlen(pac->proxies[i].at.host));
        tf_put_text(w, ": true");
    }
    table_close(&t);
}

/* Endpoints. */

/* Direct endpoints, to be written. */
struct selection {
    const struct tf_m365 *m365;
    enum tf_m365_category worst;
};

static bool has_set(const struct selection *s, const struct tf_m365_set *set)
{
    return set->category <= s->worst && set->port_count > 0 && set->name_count > 0;
}

static void put_sets(struct tf_writer *w, const struct selection *s)
{
    struct table t = table_open(
        w, "TCP ports of each endpoint set, by its number: first and last of each range.", "ports", '{');
    for (const struct tf_m365_set *set = s->m365->sets; set < s->m365->sets + s->m365->set_count; set++) {
        if (!has_set(s, set))
            continue;
        table_row(&t);
        tf_put_u64(w, set->id);
        tf_put_text(w, ": [");
        for (size_t i = 0; i < set->port_count; i++) {
            tf_put_text(w, i > 0 ? ", " : "");
            tf_put_u64(w, set->ports[i].first);
            tf_put_text(w, ", ");
            tf_put_u64(w, set->ports[i].last);
        }
        tf_put_char(w, ']');
    }
    table_close(&t);
}

/* The form of a pattern of the endpoint set (see tf_m365_name_matches) is the table that it belongs to. */
enum form {
    FORM_NAME,   /* name and *.suffix */
    FORM_ENDING, /* *suffix */
    FORM_TENANT  /* a.*.b */
};

static enum form form_of(const char *pattern)
{
    if (tf_m365_is_ordered(pattern))
        return FORM_NAME;
    return pattern[0] == '*' ? FORM_ENDING : FORM_TENANT;
}

/* What an entry of a table is looked up or compared by, up to the sets that have it. */
static void put_pattern(struct tf_writer *w, const char *pattern, enum form form)
{
    const char *star = strchr(pattern, '*');
    const char *tail = star ? star + 1 : pattern;

    tf_put_text(w, form == FORM_NAME ? "" : "[");
    if (form == FORM_TENANT) {
        put_quoted(w, pattern, (size_t)(star - pattern));
        tf_put_text(w, ", ");
    }
    put_quoted(w, tail, strlen(tail));
    tf_put_text(w, form == FORM_NAME ? ": [" : ", [");
}

/* The row of a pattern, which stands in the index from `first` to `end`, once for each set that has it. */
static void put_row(struct table *t, const struct selection *s, const struct tf_m365_entry *first,
                    const struct tf_m365_entry *end)
{
    enum form form = form_of(first->pattern);
    bool is_open = false;
    for (const struct tf_m365_entry *entry = first; entry < end; entry++) {
        if (!has_set(s, entry->set))
            continue;
        if (is_open) {
            tf_put_text(t->w, ", ");
        } else {
            table_row(t);
            put_pattern(t->w, first->pattern, form);
        }
        tf_put_u64(t->w, entry->set->id);
        is_open = true;
    }
    if (is_open)
        tf_put_text(t->w, form == FORM_NAME ? "]" : "]]");
}

static void put_patterns(struct table t, const struct selection *s, enum form form)
{
    const struct tf_m365_entry *entry = s->m365->entries, *end = entry + s->m365->entry_count;
    while (entry < end) {
        const struct tf_m365_entry *first = entry;
        while (entry < end && strcmp(entry->pattern, first->pattern) == 0)
            entry++;
        if (form_of(first->pattern) == form)
            put_row(&t, s, first, entry);
    }
    table_close(&t);
}

static void put_endpoints(struct tf_writer *w, const struct selection *s)
{
    put_sets(w, s);
    put_patterns(table_open(w, "Names, and with a dot in front all names below; and the sets that have them.",
                            "names", '{'),
                 s, FORM_NAME);
    put_patterns(table_open(w, "How names end.", "endings", '['), s, FORM_ENDING);
    put_patterns(table_open(w, "How names begin, and end, around one label.", "tenants", '['), s,
                 FORM_TENANT);
}

/* Clients. */

static void put_block(struct tf_writer *w, const struct tf_cidr *block)
{
    tf_put_char(w, '"');
    tf_put_addr(w, &block->base);
    tf_put_char(w, '/');
    tf_put_u64(w, block->bits);
    tf_put_char(w, '"');
}

static void put_mask(struct tf_writer *w, const struct tf_cidr *block)
{
    uint32_t bits = block->bits > 0 ? UINT32_MAX << (32 - block->bits) : 0;
    struct tf_addr mask = {.family = TF_FAMILY_V4};

    for (unsigned i = 0; i < 4; i++)
        mask.ip[i] = (uint8_t)(bits >> (24 - 8 * i));
    tf_put_text(w, "[\"");
    tf_put_addr(w, &block->base);
    tf_put_text(w, "\", \"");
    tf_put_addr(w, &mask);
    tf_put_text(w, "\"]");
}

static void put_clients(struct tf_writer *w, const struct tf_pac *pac)
{
    struct table t =
        table_open(w, "The clients that the gateway is for, as isInNetEx wants it.", "blocks", '[');
    for (size_t i = 0; i < pac->client_count; i++) {
        table_row(&t);
        put_block(w, &pac->clients[i]);
    }
    table_close(&t);

    t = table_open(w, "Those of IPv4, as isInNet wants it.", "masks", '[');
    for (size_t i = 0; i < pac->client_count; i++) {
        if (pac->clients[i].base.family != TF_FAMILY_V4)
            continue;
        table_row(&t);
        put_mask(w, &pac->clients[i]);
    }
    table_close(&t);
}

void tf_put_pac_tables(struct tf_writer *w, const struct tf_pac *pac, const struct tf_m365 *m365)
{
    static const struct tf_m365 none = {.origin = "none"};

    put_proxies(w, pac);
    if (pac->kind == TF_PAC_GATEWAY)
        put_endpoints(w, &(struct selection){m365 ? m365 : &none, pac->direct});
    else
        put_clients(w, pac);
}
