/* `tlsfloor endpoints show`: the sets, as a table or as JSON. */
#include "endpoints_command.h"

#include <jansson.h>
#include <stdlib.h>

static void put_ranges(FILE *to, const struct tf_m365_set *set, const char *between)
{
    for (size_t i = 0; i < set->port_count; i++) {
        fprintf(to, "%s%u", i > 0 ? between : "", set->ports[i].first);
        if (set->ports[i].last != set->ports[i].first)
            fprintf(to, "-%u", set->ports[i].last);
    }
}

void endpoints_put_ports(FILE *to, const struct tf_m365_set *set)
{
    fputs(set->port_count > 0 ? "TCP " : "no TCP port", to);
    put_ranges(to, set, ", ");
}

void endpoints_put_rank(FILE *to, const struct tf_m365_set *set)
{
    fprintf(to, "%s, %s, %s", tf_m365_area_name(set->area), tf_m365_category_name(set->category),
            set->required ? "required" : "optional");
}

static bool is_wanted(const struct endpoints_call *call, const struct tf_m365_set *set)
{
    return (!call->only.by_area || set->area == call->only.area) &&
           (!call->only.by_category || set->category == call->only.category);
}

static void print_table(const struct endpoints_call *call, const struct tf_m365 *m365)
{
    size_t sets = 0, names = 0;

    printf("  set  area        category  required  names  TCP ports\n");
    for (const struct tf_m365_set *set = m365->sets; set < m365->sets + m365->set_count; set++) {
        if (!is_wanted(call, set))
            continue;
        printf("%5u  %-10s  %-8s  %-8s  %5zu  ", set->id, tf_m365_area_name(set->area),
               tf_m365_category_name(set->category), set->required ? "yes" : "no", set->name_count);
        put_ranges(stdout, set, ", ");
        printf("%s%s\n", set->port_count == 0 ? "none" : "",
               set->stays_plain ? "; plain HTTP stays plain" : "");
        sets++;
        names += set->name_count;
    }
    printf("%zu of %zu sets, with %zu names; from %s\n", sets, m365->set_count, names, m365->origin);
}

static void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "tlsfloor endpoints: out of memory\n");
        exit(ENDPOINTS_FINDING);
    }
    return p;
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, need(value)) != 0)
        need(NULL);
}

static void append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, need(value)) != 0)
        need(NULL);
}

/* As the web service does, a list that would be empty is left out. */
static void put_list(json_t *object, const char *key, json_t *list)
{
    if (json_array_size(list) > 0)
        put(object, key, list);
    else
        json_decref(list);
}

static json_t *names_json(const struct tf_m365_set *set)
{
    json_t *list = need(json_array());
    for (size_t i = 0; i < set->name_count; i++)
        append(list, json_string(set->names[i]));
    return list;
}

static json_t *blocks_json(const struct tf_m365_set *set)
{
    json_t *list = need(json_array());
    for (size_t i = 0; i < set->block_count; i++) {
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_addr(&w, &set->blocks[i].base);
        tf_put_char(&w, '/');
        tf_put_u64(&w, set->blocks[i].bits);
        append(list, json_stringn(text, w.len));
    }
    return list;
}

static json_t *ports_json(const struct tf_m365_set *set)
{
    char *text = NULL;
    size_t n;
    FILE *to = need(open_memstream(&text, &n));
    put_ranges(to, set, ",");
    json_t *json = fclose(to) == 0 ? json_stringn(text, n) : NULL;
    free(text);
    return need(json);
}

static json_t *set_json(const struct tf_m365_set *set)
{
    json_t *object = need(json_object());
    put(object, "id", json_integer(set->id));
    put(object, "serviceArea", json_string(tf_m365_area_name(set->area)));
    put_list(object, "urls", names_json(set));
    put_list(object, "ips", blocks_json(set));
    if (set->port_count > 0)
        put(object, "tcpPorts", ports_json(set));
    put(object, "category", json_string(tf_m365_category_name(set->category)));
    put(object, "required", json_boolean(set->required));
    if (set->notes[0] != '\0')
        put(object, "notes", json_string(set->notes));
    return object;
}

static void print_json(const struct endpoints_call *call, const struct tf_m365 *m365)
{
    json_t *list = need(json_array());
    for (size_t i = 0; i < m365->set_count; i++)
        if (is_wanted(call, &m365->sets[i]))
            append(list, set_json(&m365->sets[i]));
    json_dumpf(list, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    printf("\n");
    json_decref(list);
}

enum endpoints_exit endpoints_show(const struct endpoints_call *call)
{
    (call->json ? print_json : print_table)(call, call->conf->policy.m365);
    return ENDPOINTS_FINE;
}
