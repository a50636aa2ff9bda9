/* Settings being filled: sections, keys and where each came from. The table
 * is in conf_table.c, values are read in conf_values.c, the environment in
 * conf_env.c, what only the whole can show is checked in conf_check.c, and
 * reports are put together in conf_report.c. */
#include "conf_table.h"
#include "suggest.h"

#include <assert.h>
#include <string.h>

/* Reads a value into its field and notes it, wrong ones too: they are reported once, and not as missing. */
static void set_value(struct tf_conf_load *load, struct tf_section *section, size_t i, struct tf_text text,
                      struct tf_setting *setting, struct tf_origin at)
{
    setting->origin = at;
    setting->text = tf_arena_text(load->arena, text.p, text.n);
    if (setting->text)
        setting->is_bad = !tf_value_set(load, section, &section->info->keys[i], setting);
}

static void set_defaults(struct tf_conf_load *load, struct tf_section *section)
{
    struct tf_origin at = {.source = TF_FROM_DEFAULT};
    for (size_t i = 0; i < section->info->key_count; i++)
        if (section->info->keys[i].value)
            set_value(load, section, i, tf_text_of(section->info->keys[i].value), &section->settings[i], at);
}

/* What the section's keys fill, linked into the settings. */
static void *new_object(struct tf_conf_load *load, const struct tf_section *section)
{
    struct tf_listener *listener, **end = &load->conf->listeners;
    struct tf_rule *rule;

    switch (section->info->object) {
    case TF_OBJECT_PLAIN:
        return load->conf;
    case TF_OBJECT_LISTENER:
        listener = tf_arena_alloc(load->arena, sizeof *listener);
        if (!listener)
            return NULL;
        listener->name = section->name;
        listener->line = section->origin.line;
        while (*end)
            end = &(*end)->next;
        *end = listener;
        return listener;
    case TF_OBJECT_RULE:
        rule = tf_arena_alloc(load->arena, sizeof *rule);
        if (!rule)
            return NULL;
        rule->name = section->name;
        rule->line = section->origin.line;
        return rule;
    }
    return NULL;
}

static struct tf_section *new_section(struct tf_conf_load *load, const struct tf_section_info *info,
                                      struct tf_text name, struct tf_origin at)
{
    struct tf_section *s = tf_arena_alloc(load->arena, sizeof *s);
    if (!s)
        return NULL;
    s->info = info;
    s->origin = at;
    s->name = tf_arena_text(load->arena, name.p, name.n);
    s->settings = tf_arena_alloc(load->arena, info->key_count * sizeof *s->settings);
    if (!s->name || !s->settings)
        return NULL;
    s->object = new_object(load, s);
    if (!s->object)
        return NULL;
    *load->sections_end = s;
    load->sections_end = &s->next;
    set_defaults(load, s);
    return s;
}

struct tf_section *tf_section_find(const struct tf_conf *conf, const struct tf_section_info *info,
                                   struct tf_text name)
{
    for (struct tf_section *s = conf->sections; s; s = s->next)
        if (s->info == info && tf_names_fold_alike(tf_text_of(s->name), name))
            return s;
    return NULL;
}

struct tf_section *tf_section_plain(const struct tf_conf *conf, enum tf_section_id id)
{
    return tf_section_find(conf, &tf_section_infos[id], tf_text_of(""));
}

static bool is_good_name(struct tf_text name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!tf_ascii_is_alnum(name.p[i]) && !memchr("-_.", name.p[i], 3))
            return false;
    return name.n <= TF_CONF_NAME_MAX;
}

struct tf_section *tf_section_open(struct tf_conf_load *load, const struct tf_section_info *info,
                                   struct tf_text name, struct tf_origin at)
{
    struct tf_section *s = tf_section_find(load->conf, info, name);
    if (s)
        return s;
    if (!is_good_name(name)) {
        tf_report(
            load, TF_ERROR, &at,
            TF_PARTS("a name may have up to 32 letters, digits, hyphens, underscores and dots; give this ",
                     info->name, " another one"));
        return NULL;
    }
    return new_section(load, info, name, at);
}

void tf_conf_begin(struct tf_conf_load *load)
{
    struct tf_origin at = {.source = TF_FROM_DEFAULT};

    *load->conf = (struct tf_conf){.sections = NULL};
    load->sections_end = &load->conf->sections;
    for (size_t i = 0; i < TF_SECTION_COUNT; i++)
        if (tf_section_infos[i].object == TF_OBJECT_PLAIN)
            tf_section_open(load, &tf_section_infos[i], tf_text_of(""), at);
}

static const struct tf_section_info *find_info(struct tf_text name)
{
    for (size_t i = 0; i < TF_SECTION_COUNT; i++)
        if (tf_text_is(name, tf_section_infos[i].name))
            return &tf_section_infos[i];
    return NULL;
}

/* With the section that is nearest. */
static void report_unknown_section(struct tf_conf_load *load, struct tf_text kind, const char *header,
                                   const struct tf_origin *at)
{
    struct tf_suggestion near = {.unknown = kind};

    for (size_t i = 0; i < TF_SECTION_COUNT; i++)
        tf_suggest(&near, tf_section_infos[i].name);
    const struct tf_section_info *best = near.best ? find_info(tf_text_of(near.best)) : NULL;
    if (best)
        tf_report(load, TF_ERROR, at,
                  TF_PARTS("there is no section [", header, "]; did you mean [", best->name,
                           best->object == TF_OBJECT_PLAIN ? "" : " NAME", "]?"));
    else
        tf_report(load, TF_ERROR, at,
                  TF_PARTS("there is no section [", header, "]; see tlsfloor check --reference"));
}

void tf_conf_section(struct tf_conf_load *load, const char *header, struct tf_origin at)
{
    struct tf_text name = tf_text_trim(tf_text_of(header));
    struct tf_text kind = tf_text_take(&name, ' ');
    const struct tf_section_info *info = find_info(kind);

    name = name.p ? tf_text_trim(name) : tf_text_of("");
    tf_conf_skip(load);
    if (!info) {
        report_unknown_section(load, kind, header, &at);
        return;
    }
    if (info->object == TF_OBJECT_PLAIN && name.n > 0) {
        tf_report(load, TF_ERROR, &at,
                  TF_PARTS("[", info->name, "] takes no name; write [", info->name, "]"));
        return;
    }
    if (info->object != TF_OBJECT_PLAIN && name.n == 0) {
        tf_report(load, TF_ERROR, &at,
                  TF_PARTS("a ", info->name, " needs a name; write [", info->name, " NAME]"));
        return;
    }

    const struct tf_section *before = name.n > 0 ? tf_section_find(load->conf, info, name) : NULL;
    if (before) {
        struct tf_place place;
        tf_report(load, TF_ERROR, &at,
                  TF_PARTS("there is ", TF_SECTION_PARTS(before), " already, in ",
                           tf_place_text(&place, &before->origin), "; give this one another name"));
        return;
    }
    load->section = tf_section_open(load, info, name, at);
}

void tf_conf_skip(struct tf_conf_load *load)
{
    load->section = NULL;
    load->in_section = true;
}

/* The keys of a section. */
static void put_keys(struct tf_writer *w, const struct tf_section_info *info)
{
    const char *joint = "";
    for (size_t i = 0; i < info->key_count; i++) {
        tf_put_parts(w, TF_PARTS(joint, info->keys[i].name));
        joint = ", ";
    }
}

static void report_unknown_key(struct tf_conf_load *load, struct tf_text key, const char *written,
                               const struct tf_origin *at)
{
    const struct tf_section_info *info = load->section->info;
    struct tf_suggestion near = {.unknown = key};
    char keys[500];
    struct tf_writer w = tf_writer_of(keys, sizeof keys - 1);

    for (size_t i = 0; i < info->key_count; i++)
        tf_suggest(&near, info->keys[i].name);
    for (size_t s = 0; s < TF_SECTION_COUNT && !near.best; s++) {
        for (size_t i = 0; i < tf_section_infos[s].key_count; i++) {
            if (!tf_text_is(key, tf_section_infos[s].keys[i].name))
                continue;
            tf_report(load, TF_ERROR, at,
                      TF_PARTS(TF_SECTION_PARTS(load->section), " has no key ", written,
                               "; it belongs into [", tf_section_infos[s].name, "]"));
            return;
        }
    }
    put_keys(&w, info);
    keys[w.len] = '\0';
    tf_report(load, TF_ERROR, at,
              TF_PARTS(TF_SECTION_PARTS(load->section), " has no key ", written, TF_DID_YOU_MEAN(near),
                       near.best ? " Its keys: " : "; its keys: ", keys));
}

/* What no value may be, so that --dump can write any of them into a file again, and no comment is taken for a
 * part of a value; NULL: nothing. */
static const char *flaw_of(const struct tf_key *key, struct tf_text value)
{
    if (value.n > TF_CONF_VALUE_MAX)
        return "the value is longer than 8192 bytes; make it shorter";
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t')
            return "there is a control character in the value; leave it out";
        if (i > 0 && value.p[i - 1] != ' ' && value.p[i - 1] != '\t')
            continue;
        if (value.p[i] == ';')
            return "a semicolon behind a blank begins a comment in a file; leave it out";
        if (value.p[i] == '#' && key->type != TF_TYPE_TEXT)
            return "there is a # in the value; comments begin with ;";
    }
    return NULL;
}

/* Where the next value of a key that may be repeated is noted. */
static struct tf_setting *next_setting(struct tf_conf_load *load, struct tf_setting *setting)
{
    while (setting->next)
        setting = setting->next;
    setting->next = tf_arena_alloc(load->arena, sizeof *setting);
    return setting->next;
}

/* Makes room for a value that takes the place of those before it. */
static void clear(struct tf_section *section, size_t i)
{
    const struct tf_target_field *field = &section->info->keys[i].field;
    memset((uint8_t *)section->object + field->offset, 0, field->size);
    section->settings[i].next = NULL;
}

void tf_conf_set(struct tf_conf_load *load, const char *name, const char *value, struct tf_origin at)
{
    struct tf_section *section = load->section;
    struct tf_text key = tf_text_of(name), text = tf_text_trim(tf_text_of(value));
    size_t i = 0;

    if (!section) {
        if (!load->in_section)
            tf_report(load, TF_ERROR, &at,
                      TF_PARTS(name, " is in no section; write a line such as [floor] above it"));
        return;
    }
    while (i < section->info->key_count && !tf_text_is(key, section->info->keys[i].name))
        i++;
    if (i == section->info->key_count) {
        report_unknown_key(load, key, name, &at);
        return;
    }
    const char *flaw = flaw_of(&section->info->keys[i], text);
    if (flaw) {
        tf_report(load, TF_ERROR, &at, TF_PARTS(TF_SECTION_PARTS(section), " ", name, ": ", flaw));
        return;
    }

    struct tf_setting *setting = &section->settings[i];
    bool again = setting->text && setting->origin.source == at.source;
    bool repeats = tf_key_repeats(&section->info->keys[i]);
    if (again && !repeats) {
        struct tf_place place;
        tf_report(load, TF_ERROR, &at,
                  TF_PARTS(TF_SECTION_PARTS(section), " ", name, " is set already, in ",
                           tf_place_text(&place, &setting->origin), "; keep one of the two"));
        return;
    }
    if (again)
        setting = next_setting(load, setting);
    else
        clear(section, i);
    if (setting)
        set_value(load, section, i, text, setting, at);
}

static size_t place_of(const struct tf_section_info *info, const char *key)
{
    size_t i = 0;
    while (i < info->key_count && strcmp(info->keys[i].name, key) != 0)
        i++;
    assert(i < info->key_count);
    return i;
}

const struct tf_origin *tf_conf_origin(const struct tf_conf *conf, const char *section, const char *key)
{
    const struct tf_section_info *info = find_info(tf_text_of(section));
    const struct tf_section *s = info ? tf_section_find(conf, info, tf_text_of("")) : NULL;
    assert(s);
    return &s->settings[place_of(info, key)].origin;
}

bool tf_conf_is_written(const struct tf_conf *conf, const char *section)
{
    const struct tf_section_info *info = find_info(tf_text_of(section));
    const struct tf_section *s = info ? tf_section_find(conf, info, tf_text_of("")) : NULL;
    assert(s);
    return tf_find_meant(s) != NULL;
}

const struct tf_origin *tf_conf_listener_origin(const struct tf_conf *conf,
                                                const struct tf_listener *listener, const char *key)
{
    const struct tf_section_info *info = &tf_section_infos[TF_SECTION_LISTENER];
    const struct tf_section *s = tf_section_find(conf, info, tf_text_of(listener->name));
    assert(s);
    return tf_setting_origin(s, place_of(info, key));
}

const struct tf_origin *tf_conf_rule_origin(const struct tf_conf *conf, const struct tf_rule *rule)
{
    const struct tf_section *s =
        tf_section_find(conf, &tf_section_infos[TF_SECTION_RULE], tf_text_of(rule->name));
    assert(s);
    return &s->origin;
}

const struct tf_override *tf_conf_override(const struct tf_conf *conf, const struct tf_target *target)
{
    for (const struct tf_override *o = conf->overrides; o; o = o->next) {
        bool host = strcmp(o->host, "*") == 0 || strcmp(o->host, target->host) == 0;
        if (host && (o->port == 0 || o->port == target->port))
            return o;
    }
    return NULL;
}
