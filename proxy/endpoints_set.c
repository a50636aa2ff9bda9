/* The fields of an endpoint set; see endpoints_set.h.
 *
 *   {"id": 2, "serviceArea": "Exchange", "urls": ["smtp.office365.com"], "ips": ["40.96.0.0/13"],
 *    "tcpPorts": "143, 587", "category": "Allow", "required": true, "notes": "..."}
 *
 * Only id must be there, and what is not named here is passed over. What is
 * there but cannot be understood is an error: a set that says less than its
 * file would refuse clients that the file lets pass. */
#include "endpoints_set.h"

#include "../lib/json.h"
#include "../lib/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REVOCATION_SET = 125 }; /* certificate revocation lists and OCSP, in the worldwide instance */

/* The set that is being read. */
struct task {
    struct endpoints_reader *reader;
    const json_t *json;
    struct tf_m365_set *set;
};

size_t endpoints_memory(size_t n)
{
    /* The hungriest text is a list of sets that have nothing but an id: nine bytes each. */
    return 4096 + 16 * n;
}

void *endpoints_take(struct endpoints_reader *r, size_t n)
{
    void *p = tf_arena_alloc(&r->arena, n);
    assert(p);
    return p;
}

/* Answers false, so that a check may end with it. `value`, if it has a p, is what the file says. */
static bool fail(const struct task *t, const char *field, struct tf_text value, const char *sentence)
{
    struct endpoints_reader *r = t->reader;
    struct tf_writer w = tf_writer_of(r->error, r->error_size - 1);

    tf_put_text(&w, r->file);
    tf_put_text(&w, ": set ");
    tf_put_u64(&w, t->set->id);
    tf_put_text(&w, ": ");
    tf_put_text(&w, field);
    if (value.p) {
        tf_put_char(&w, ' ');
        tf_put_json_string(&w, value.p, value.n < 64 ? value.n : 64);
    }
    tf_put_text(&w, ": ");
    tf_put_text(&w, sentence);
    r->error[w.len] = '\0';
    return false;
}

static const struct tf_text no_value = {NULL, 0};

static char *take_copy(const struct task *t, struct tf_text text)
{
    char *copy = tf_arena_text(&t->reader->arena, text.p, text.n);
    assert(copy);
    return copy;
}

/* A field that is a text; without a p where it is not there. */
static bool read_text(const struct task *t, const char *field, struct tf_text *text)
{
    const json_t *value = json_object_get(t->json, field);
    *text = (struct tf_text){json_string_value(value), json_string_length(value)};
    return !value || json_is_string(value) || fail(t, field, no_value, "no text; put it in quotes");
}

/* A field that is a list of texts; NULL where it is not there. */
static bool read_list(const struct task *t, const char *field, const json_t **list)
{
    const json_t *value = *list = json_object_get(t->json, field);
    bool ok = !value || json_is_array(value);

    for (size_t i = 0; ok && i < json_array_size(value); i++)
        ok = json_is_string(json_array_get(value, i));
    return ok || fail(t, field, no_value, "no list of texts; write [\"...\", \"...\"]");
}

static struct tf_text item_of(const json_t *list, size_t i)
{
    const json_t *item = json_array_get(list, i);
    return (struct tf_text){json_string_value(item), json_string_length(item)};
}

static bool read_area(const struct task *t)
{
    struct tf_text text;
    t->set->area = TF_M365_OTHER;
    if (!read_text(t, "serviceArea", &text))
        return false;
    if (text.p)
        tf_m365_area_parse(text.p, text.n, &t->set->area);
    return true;
}

static bool read_category(const struct task *t)
{
    struct tf_text text;
    t->set->category = TF_M365_DEFAULT;
    return read_text(t, "category", &text) &&
           (!text.p || tf_m365_category_parse(text.p, text.n, &t->set->category) ||
            fail(t, "category", text, "none of Optimize, Allow and Default"));
}

static bool read_required(const struct task *t)
{
    const json_t *value = json_object_get(t->json, "required");
    t->set->required = json_is_true(value);
    return !value || json_is_boolean(value) || fail(t, "required", no_value, "neither true nor false");
}

static bool parse_ports(struct tf_text item, struct tf_port_range *range)
{
    uint64_t first, last;
    struct tf_text to = item;
    struct tf_text from = tf_text_trim(tf_text_take(&to, '-'));

    to = to.p ? tf_text_trim(to) : from;
    if (!tf_text_number(from, 65535, &first) || !tf_text_number(to, 65535, &last) || first < 1 ||
        last < first)
        return false;
    *range = (struct tf_port_range){(uint16_t)first, (uint16_t)last};
    return true;
}

static int compare_ports(const void *a, const void *b)
{
    const struct tf_port_range *x = a, *y = b;
    return x->first != y->first ? x->first - y->first : x->last - y->last;
}

/* `80, 443` or `50000-50059`, in any order, and nothing but blanks for none. */
static bool read_ports(const struct task *t)
{
    struct tf_text rest;
    if (!read_text(t, "tcpPorts", &rest))
        return false;
    rest = tf_text_trim(rest);
    if (rest.n == 0)
        return true;

    size_t room = 1;
    for (size_t i = 0; i < rest.n; i++)
        room += rest.p[i] == ',';
    struct tf_port_range *ports = endpoints_take(t->reader, room * sizeof *ports);
    t->set->ports = ports;
    while (rest.p) {
        struct tf_text item = tf_text_trim(tf_text_take(&rest, ','));
        if (!parse_ports(item, &ports[t->set->port_count++]))
            return fail(t, "tcpPorts", item, "no port, and no range of ports; write 443 or 8000-8099");
    }
    qsort(ports, t->set->port_count, sizeof *ports, compare_ports);
    return true;
}

/* A pattern as the index wants it. */
static const char *take_pattern(const struct task *t, struct tf_text text)
{
    if (text.n > 0 && text.p[text.n - 1] == '.')
        text.n--;
    char *pattern = take_copy(t, text);
    for (char *c = pattern; *c; c++)
        *c = tf_ascii_lower(*c);
    return pattern;
}

static bool read_names(const struct task *t)
{
    struct endpoints_reader *r = t->reader;
    const json_t *list;
    if (!read_list(t, "urls", &list))
        return false;

    size_t n = json_array_size(list);
    const char **names = endpoints_take(t->reader, n * sizeof *names);
    t->set->names = names;
    t->set->name_count = n;
    for (size_t i = 0; i < n; i++) {
        names[i] = take_pattern(t, item_of(list, i));
        if (!tf_m365_is_pattern(names[i], strlen(names[i])))
            return fail(t, "urls", item_of(list, i), "no name; write name, *.suffix, *suffix or a.*.b");
        r->ordered_count += tf_m365_is_ordered(names[i]);
        r->entries[r->entry_count++] = (struct tf_m365_entry){names[i], t->set};
    }
    return true;
}

static bool read_blocks(const struct task *t)
{
    const json_t *list;
    if (!read_list(t, "ips", &list))
        return false;

    size_t n = json_array_size(list);
    struct tf_cidr *blocks = endpoints_take(t->reader, n * sizeof *blocks);
    t->set->blocks = blocks;
    t->set->block_count = n;
    for (size_t i = 0; i < n; i++) {
        struct tf_text text = item_of(list, i);
        const char *why;
        if (!tf_cidr_parse(text.p, text.n, &blocks[i], &why))
            return fail(t, "ips", text, why);
    }
    return true;
}

static bool read_notes(const struct task *t)
{
    struct tf_text text;
    if (!read_text(t, "notes", &text))
        return false;
    t->set->notes = take_copy(t, text);
    return true;
}

bool endpoints_read_set(struct endpoints_reader *r, const json_t *json, struct tf_m365_set *set)
{
    const struct task t = {.reader = r, .json = json, .set = set};
    set->id = (uint32_t)json_integer_value(json_object_get(json, "id"));
    set->stays_plain = set->id == REVOCATION_SET;
    return read_area(&t) && read_category(&t) && read_required(&t) && read_ports(&t) && read_names(&t) &&
           read_blocks(&t) && read_notes(&t);
}
