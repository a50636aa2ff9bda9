/* Settings that are lists: entries with commas between them. Every entry that
 * is wrong is reported, and then none of the list is taken. */
#include "conf_value.h"

#include <string.h>

static size_t count_items(struct tf_text list)
{
    size_t n = list.n > 0;
    for (size_t i = 0; i < list.n; i++)
        n += list.p[i] == ',';
    return n;
}

/* Reads one entry into the *out of its type. */
typedef bool read_item(const struct tf_value *v, struct tf_text item, void *out);

/* Allocates an array of `size` bytes an entry and reads the entries of v->text into it. */
static bool read_items(const struct tf_value *v, size_t size, read_item *read, void **items, size_t *count)
{
    struct tf_text rest = v->text;
    size_t n = count_items(rest);
    bool ok = true;

    *items = NULL;
    *count = 0;
    if (n == 0)
        return true;
    uint8_t *array = tf_arena_alloc(v->load->arena, n * size);
    if (!array)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct tf_text item = tf_text_trim(tf_text_take(&rest, ','));
        if (item.n == 0)
            ok = tf_value_wrong(v, "there is an empty entry between commas");
        else if (!read(v, item, array + i * size))
            ok = false;
    }
    if (!ok)
        return false;
    *items = array;
    *count = n;
    return true;
}

/* The same into the field and the count of v. */
static bool read_list(const struct tf_value *v, size_t size, read_item *read)
{
    void *items;
    if (v->text.n == 0 && v->key->min > 0)
        return tf_value_wrong(v, "it is empty");
    if (!read_items(v, size, read, &items, v->count))
        return false;
    memcpy(v->field, &items, sizeof items);
    return true;
}

static bool read_address_port(const struct tf_value *v, struct tf_text item, void *out)
{
    return tf_addr_port_parse(item.p, item.n, out) || tf_value_wrong_listen(v, item);
}

bool tf_read_addresses(const struct tf_value *v)
{
    return read_list(v, sizeof(struct tf_addr), read_address_port);
}

static bool read_name(const struct tf_value *v, struct tf_text item, void *out)
{
    return tf_value_keep(v, item, out);
}

bool tf_read_names(const struct tf_value *v)
{
    return read_list(v, sizeof(const char *), read_name);
}

static bool read_cidr(const struct tf_value *v, struct tf_text item, void *out)
{
    const char *why;
    return tf_cidr_parse(item.p, item.n, out, &why) || tf_value_wrong_block(v, item);
}

bool tf_read_cidrs(const struct tf_value *v)
{
    return read_list(v, sizeof(struct tf_cidr), read_cidr);
}

/* `*` and `*.name`, or the name itself, in the spelling that tf_host_matches wants. */
static bool read_name_pattern(const struct tf_value *v, struct tf_text item, struct tf_destination *out)
{
    struct tf_target host;
    char pattern[2 + TF_HOST_MAX];
    struct tf_writer w = tf_writer_of(pattern, sizeof pattern);
    bool suffix = item.n > 2 && memcmp(item.p, "*.", 2) == 0;
    struct tf_text name = suffix ? (struct tf_text){item.p + 2, item.n - 2} : item;

    out->kind = TF_TO_NAME;
    if (tf_text_is(item, "*")) {
        out->pattern = "*";
        return true;
    }
    enum tf_host_error e = tf_host_parse(name.p, name.n, &host);
    if (e)
        return tf_value_wrong_destination(v, item, e);
    if (host.is_address) {
        struct tf_quote quote;
        return tf_value_refuse(
            v, TF_PARTS(tf_quote_text(&quote, item), " is a spelling of an address; write ", host.host));
    }
    tf_put_text(&w, suffix ? "*." : "");
    tf_put_text(&w, host.host);
    return tf_value_keep(v, (struct tf_text){pattern, w.len}, &out->pattern);
}

static bool read_destination(const struct tf_value *v, struct tf_text item, void *out)
{
    struct tf_destination *destination = out;
    struct tf_addr addr;

    if (item.p[0] == '@') {
        destination->kind = TF_TO_M365;
        return tf_m365_filter_parse(item.p + 1, item.n - 1, &destination->m365) ||
               tf_value_wrong_set(v, item);
    }
    struct tf_text rest = item;
    struct tf_text base = tf_text_take(&rest, '/');
    if (tf_addr_parse(base.p, base.n, &addr)) {
        destination->kind = TF_TO_BLOCK;
        return read_cidr(v, item, &destination->cidr);
    }
    return read_name_pattern(v, item, destination);
}

bool tf_read_destinations(const struct tf_value *v)
{
    return read_list(v, sizeof(struct tf_destination), read_destination);
}

/* Lower case, without a final dot, as tf_m365_name_matches wants it. */
static bool read_pattern(const struct tf_value *v, struct tf_text item, void *out)
{
    char *pattern = tf_arena_text(v->load->arena, item.p, item.n);
    const char **field = out;

    if (!pattern)
        return false;
    for (char *c = pattern; *c; c++)
        *c = tf_ascii_lower(*c);
    if (item.n > 1 && pattern[item.n - 1] == '.')
        pattern[item.n - 1] = '\0';
    *field = pattern;
    return tf_m365_is_pattern(pattern, strlen(pattern)) || tf_value_wrong_pattern(v, item);
}

bool tf_read_patterns(const struct tf_value *v)
{
    return read_list(v, sizeof(const char *), read_pattern);
}

static bool read_proxy(const struct tf_value *v, struct tf_text item, void *out)
{
    return tf_pac_proxy_parse(item.p, item.n, out) || tf_value_wrong_item(v, item, "is no proxy");
}

bool tf_read_proxies(const struct tf_value *v)
{
    return read_list(v, sizeof(struct tf_pac_proxy), read_proxy);
}

static bool read_port_range(const struct tf_value *v, struct tf_text item, void *out)
{
    struct tf_port_range *range = out;
    struct tf_text last = item;
    struct tf_text first = tf_text_trim(tf_text_take(&last, '-'));
    uint64_t from, to;

    if (!tf_text_number(first, 65535, &from) || from == 0)
        return tf_value_wrong_word(v, item, "is no port (1 to 65535)");
    to = from;
    if (last.p && (!tf_text_number(tf_text_trim(last), 65535, &to) || to < from))
        return tf_value_wrong_item(v, item, "is no range of ports");
    *range = (struct tf_port_range){(uint16_t)from, (uint16_t)to};
    return true;
}

bool tf_read_ports(const struct tf_value *v)
{
    return read_list(v, sizeof(struct tf_port_range), read_port_range);
}

/* One entry of an address set: a class, or a block. */
struct set_item {
    bool is_class;
    enum tf_class class;
    struct tf_cidr block;
};

static bool read_set_item(const struct tf_value *v, struct tf_text item, void *out)
{
    struct set_item *entry = out;
    const char *why;

    for (enum tf_class c = TF_CLASS_PUBLIC; c <= TF_CLASS_RESERVED; c++) {
        if (tf_text_is(item, tf_class_name(c))) {
            *entry = (struct set_item){.is_class = true, .class = c};
            return true;
        }
    }
    return tf_cidr_parse(item.p, item.n, &entry->block, &why) || tf_value_wrong_class(v, item);
}

bool tf_read_address_set(const struct tf_value *v)
{
    struct tf_address_set *set = v->field;
    void *read;
    size_t n;

    if (v->text.n == 0)
        return tf_value_wrong(v, "it is empty");
    if (!read_items(v, sizeof(struct set_item), read_set_item, &read, &n))
        return false;
    const struct set_item *items = read;
    struct tf_cidr *blocks = tf_arena_alloc(v->load->arena, n * sizeof *blocks);
    if (!blocks)
        return false;
    *set = (struct tf_address_set){.blocks = blocks};
    for (size_t i = 0; i < n; i++) {
        if (items[i].is_class)
            set->classes |= 1u << items[i].class;
        else
            blocks[set->block_count++] = items[i].block;
    }
    return true;
}

/* Takes `HOST:`, HOST perhaps in brackets, off the front of *rest. */
static struct tf_text take_host(struct tf_text *rest)
{
    const char *end = rest->n > 0 && rest->p[0] == '[' ? memchr(rest->p, ']', rest->n) : NULL;
    if (!end)
        return tf_text_take(rest, ':');
    struct tf_text host = {rest->p, (size_t)(end - rest->p) + 1};
    *rest = (struct tf_text){end + 1, rest->n - host.n};
    return tf_text_take(rest, ':').n == 0 ? host : (struct tf_text){NULL, 0};
}

/* An address with or without a port; without one the port is 0. IPv6 needs brackets in front of a port only.
 */
static bool parse_server(struct tf_text t, struct tf_addr *out)
{
    if (tf_addr_parse(t.p, t.n, out))
        return true;
    if (t.n > 2 && t.p[0] == '[' && t.p[t.n - 1] == ']')
        return tf_addr_parse(t.p + 1, t.n - 2, out) && out->family == TF_FAMILY_V6;
    return tf_addr_port_parse(t.p, t.n, out) && out->family != TF_FAMILY_NONE;
}

/* HOST:PORT:ADDRESS[:PORT] */
static bool read_override(const struct tf_value *v, struct tf_text item, void *out)
{
    struct tf_override *o = out;
    struct tf_text rest = item;
    struct tf_text host = take_host(&rest);
    struct tf_text port = tf_text_take(&rest, ':');
    struct tf_target from;
    uint64_t number = 0;

    bool any = tf_text_is(host, "*");
    enum tf_host_error e = any ? TF_HOST_OK : tf_host_parse(host.p, host.n, &from);
    if (e)
        return tf_value_wrong_host(v, item, e);
    if (!tf_text_is(port, "*") && !tf_text_number(port, 65535, &number))
        return tf_value_wrong_item(v, item, "has no port behind the host");
    if (!parse_server(rest, &o->to) || (o->to.family == TF_FAMILY_V6 && rest.p[0] != '['))
        return tf_value_wrong_item(v, item, "has no address behind the port");
    o->port = (uint16_t)number;
    return tf_value_keep(v, any ? host : tf_text_of(from.host), &o->host);
}

/* Puts the entries behind those that the key has given before. */
bool tf_read_overrides(const struct tf_value *v)
{
    struct tf_override **end = v->field;
    void *read;
    size_t n;

    if (!read_items(v, sizeof(struct tf_override), read_override, &read, &n))
        return false;
    struct tf_override *overrides = read;
    while (*end)
        end = &(*end)->next;
    for (size_t i = 0; i < n; i++) {
        *end = &overrides[i];
        end = &overrides[i].next;
    }
    return true;
}

static bool read_server(const struct tf_value *v, struct tf_text item, void *out)
{
    struct tf_addr *server = out;
    if (!parse_server(item, server))
        return tf_value_wrong_item(v, item, "is no address");
    if (server->port == 0)
        server->port = 53;
    return true;
}

/* Leaves the text that c-ares takes: every server with its port. */
bool tf_read_servers(const struct tf_value *v)
{
    const char **field = v->field;
    void *read;
    size_t n;

    if (!read_items(v, sizeof(struct tf_addr), read_server, &read, &n))
        return false;
    const struct tf_addr *servers = read;
    size_t room = n * TF_ADDR_TEXT_MAX + 1;
    char *text = tf_arena_alloc(v->load->arena, room);
    if (!text)
        return false;
    struct tf_writer w = tf_writer_of(text, room - 1);
    for (size_t i = 0; i < n; i++) {
        tf_put_text(&w, i > 0 ? "," : "");
        tf_put_addr_port(&w, &servers[i]);
    }
    *field = text;
    return true;
}
