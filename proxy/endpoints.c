/* The endpoint set from its files; see endpoints.h. What a file says of one
 * set is endpoints_set.c's to read; here a file is taken apart into sets, and
 * the overlay laid over them. */
#include "endpoints.h"

#include "conf_file.h"
#include "endpoints_builtin.h"
#include "endpoints_set.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Many times what the web service has; so that nothing takes long that looks at one set after the other. */
enum { SETS_MAX = 10000 };

/* A file. */
struct source {
    const char *name; /* "": there is none */
    struct tf_text text;
    json_t *sets; /* by their ids in decimal digits, in the order of the file; NULL until it is parsed */
};

struct loader {
    char *error;
    size_t error_size;
    struct source base, overlay;
};

/* Answers false, so that a check may end with it. */
static bool fail_file(const struct loader *l, const struct source *s, const char *sentence)
{
    snprintf(l->error, l->error_size, "%s: %s", s->name, sentence);
    return false;
}

/* Puts a set of the file among those that are there. `number`: which of the file it is, from 1. */
static bool add_set(const struct loader *l, struct source *s, json_t *set, size_t number)
{
    const json_t *id = json_object_get(set, "id");
    char key[16], sentence[80];

    snprintf(key, sizeof key, "%u", (unsigned)json_integer_value(id));
    if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > UINT32_MAX) {
        snprintf(sentence, sizeof sentence, "entry %zu of the list is no set with a number as its id",
                 number);
        return fail_file(l, s, sentence);
    }
    if (json_object_get(s->sets, key)) {
        snprintf(sentence, sizeof sentence, "two sets have the id %s", key);
        return fail_file(l, s, sentence);
    }
    return json_object_set(s->sets, key, set) == 0 || fail_file(l, s, "out of memory");
}

static bool add_sets(const struct loader *l, struct source *s, const json_t *list)
{
    if (!json_is_array(list))
        return fail_file(l, s, "no list of endpoint sets as the web service gives it");
    if (json_array_size(list) > SETS_MAX)
        return fail_file(l, s, "more than 10000 endpoint sets");
    s->sets = json_object();
    if (!s->sets)
        return fail_file(l, s, "out of memory");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!add_set(l, s, json_array_get(list, i), i + 1))
            return false;
    return true;
}

static bool parse(const struct loader *l, struct source *s)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct tf_text text = s->text;
    json_error_t why;

    if (text.n >= 3 && memcmp(text.p, bom, 3) == 0)
        text = (struct tf_text){text.p + 3, text.n - 3};
    json_t *list = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!list) {
        for (char *c = why.text; *c; c++) /* it quotes the file */
            *c = *c >= ' ' && *c < 0x7f ? *c : '?';
        snprintf(l->error, l->error_size, "%s:%d: no JSON: %s", s->name, why.line, why.text);
        return false;
    }
    bool ok = add_sets(l, s, list);
    json_decref(list);
    return ok;
}

/* Puts the overlay's sets in place of the base's, or takes those away that the overlay has without names. */
static bool merge(const struct loader *l)
{
    const char *id;
    json_t *set;

    json_object_foreach(l->overlay.sets, id, set)
    {
        const json_t *names = json_object_get(set, "urls");
        if (!names || (json_is_array(names) && json_array_size(names) == 0))
            json_object_del(l->base.sets, id);
        else if (json_object_set(l->base.sets, id, set) != 0)
            return fail_file(l, &l->overlay, "out of memory");
    }
    return json_object_size(l->base.sets) > 0 || fail_file(l, &l->base, "there is no endpoint set in it");
}

static size_t count_names(const struct loader *l)
{
    size_t n = 0;
    const char *id;
    json_t *set;
    json_object_foreach(l->base.sets, id, set) n += json_array_size(json_object_get(set, "urls"));
    return n;
}

static const char *take_origin(struct endpoints_reader *r, const struct loader *l)
{
    const char *with = l->overlay.name[0] != '\0' ? " with " : "";
    size_t room = strlen(l->base.name) + strlen(with) + strlen(l->overlay.name) + 1;
    char *origin = endpoints_take(r, room);
    snprintf(origin, room, "%s%s%s", l->base.name, with, l->overlay.name);
    return origin;
}

static bool read_sets(struct endpoints_reader *r, const struct loader *l, struct tf_m365_set *set)
{
    const char *id;
    json_t *json;

    json_object_foreach(l->base.sets, id, json)
    {
        r->file = json_object_get(l->overlay.sets, id) ? l->overlay.name : l->base.name;
        if (!endpoints_read_set(r, json, set++))
            return false;
    }
    return true;
}

/* The merged sets, in memory of their own. */
static struct endpoints *build(const struct loader *l)
{
    size_t room =
        endpoints_memory(l->base.text.n + l->overlay.text.n + strlen(l->base.name) + strlen(l->overlay.name));
    struct endpoints_reader r = {
        .error = l->error, .error_size = l->error_size, .arena = {.base = malloc(room), .size = room}};
    if (!r.arena.base) {
        fail_file(l, &l->base, "out of memory");
        return NULL;
    }

    struct endpoints *e = endpoints_take(&r, sizeof *e);
    size_t set_count = json_object_size(l->base.sets);
    struct tf_m365_set *sets = endpoints_take(&r, set_count * sizeof *sets);
    r.entries = endpoints_take(&r, count_names(l) * sizeof *r.entries);
    e->memory = r.arena.base;
    e->m365 = (struct tf_m365){.origin = take_origin(&r, l), .sets = sets, .set_count = set_count};
    if (!read_sets(&r, l, sets)) {
        endpoints_free(e);
        return NULL;
    }
    qsort(r.entries, r.entry_count, sizeof *r.entries, tf_m365_order);
    e->m365.entries = r.entries;
    e->m365.ordered_count = r.ordered_count;
    e->m365.entry_count = r.entry_count;
    return e;
}

static struct endpoints *load(struct loader *l)
{
    bool ok = parse(l, &l->base) && (l->overlay.name[0] == '\0' || parse(l, &l->overlay)) && merge(l);
    struct endpoints *e = ok ? build(l) : NULL;
    json_decref(l->base.sets);
    json_decref(l->overlay.sets);
    return e;
}

/* The whole file; to be freed. */
static char *read_file(struct source *s, char *error, size_t size)
{
    char why[160];
    char *text = conf_file_read(s->name, &s->text.n, why, sizeof why);
    if (!text)
        snprintf(error, size, "%s: %s", s->name, why);
    s->text.p = text;
    return text;
}

struct endpoints *endpoints_parse(const char *text, size_t n, const char *origin, const char *overlay,
                                  char *error, size_t size)
{
    struct loader l = {
        .error = error,
        .error_size = size,
        .base = {.name = origin, .text = {text, n}},
        .overlay = {.name = overlay},
    };
    char *changes = NULL;
    if (overlay[0] != '\0' && !(changes = read_file(&l.overlay, error, size)))
        return NULL;
    struct endpoints *e = load(&l);
    free(changes);
    return e;
}

/* When it was last written; 0: it cannot be told. */
static int64_t file_time(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 ? st.st_mtime : 0;
}

static struct endpoints *as_of(struct endpoints *e, int64_t saved_s)
{
    if (e)
        e->as_of_s = saved_s;
    return e;
}

struct endpoints *endpoints_load(const struct tf_conf *conf, char *error, size_t size)
{
    struct source s = {.name = conf->m365.endpoints};
    if (strcmp(s.name, "builtin") == 0) {
        char origin[64];
        struct tf_text text = endpoints_builtin(conf->m365.instance);
        snprintf(origin, sizeof origin, "builtin (%s)", endpoints_instance(conf->m365.instance));
        return as_of(endpoints_parse(text.p, text.n, origin, conf->m365.overlay, error, size),
                     ENDPOINTS_BUILTIN_AS_OF_S);
    }
    int64_t saved_s = file_time(s.name);
    char *text = read_file(&s, error, size);
    struct endpoints *e =
        text ? endpoints_parse(text, s.text.n, s.name, conf->m365.overlay, error, size) : NULL;
    free(text);
    return as_of(e, saved_s);
}

void endpoints_free(struct endpoints *e)
{
    if (e)
        free(e->memory);
}
