/* Settings as text: the dump of those in force, and the reference of all. */
#include "conf_table.h"

enum { COMMENT_COLUMN = 40 };

/* `key = value    ; where it came from` */
static void put_setting(struct tf_writer *w, const struct tf_key *key, const struct tf_setting *setting)
{
    size_t start = w->len;
    tf_put_text(w, key->name);
    tf_put_text(w, " = ");
    tf_put_text(w, setting->text);
    do
        tf_put_char(w, ' ');
    while (!w->full && w->len - start < COMMENT_COLUMN);
    tf_put_text(w, "; ");
    tf_put_origin(w, &setting->origin);
    tf_put_char(w, '\n');
}

static void put_section(struct tf_writer *w, const struct tf_section *section)
{
    tf_put_parts(w, TF_PARTS(TF_SECTION_PARTS(section), "\n"));
    for (size_t i = 0; i < section->info->key_count; i++)
        for (const struct tf_setting *s = &section->settings[i]; s; s = s->next)
            put_setting(w, &section->info->keys[i], s);
}

void tf_put_conf(struct tf_writer *w, const struct tf_conf *conf)
{
    for (const struct tf_section *s = conf->sections; s; s = s->next) {
        tf_put_text(w, s == conf->sections ? "" : "\n");
        put_section(w, s);
    }
}

static void put_key_row(struct tf_writer *w, const struct tf_key *key)
{
    tf_put_parts(w, TF_PARTS("| `", key->name, "` | "));
    if (!key->value)
        tf_put_text(w, "required");
    else if (key->value[0])
        tf_put_parts(w, TF_PARTS("`", key->value, "`"));
    tf_put_text(w, " | ");
    tf_put_values(w, key);
    tf_put_text(w, " | ");
    tf_put_text(w, key->doc);
    tf_put_text(w, " |\n");
}

static void put_section_reference(struct tf_writer *w, const struct tf_section_info *info)
{
    const char *name = info->object == TF_OBJECT_PLAIN ? "" : " NAME";
    tf_put_parts(w, TF_PARTS("### `[", info->name, name, "]`\n\n"));
    tf_put_text(w, info->doc); /* however long */
    tf_put_text(w, "\n\n| Key | Default | Values | Meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < info->key_count; i++)
        put_key_row(w, &info->keys[i]);
}

void tf_put_conf_reference(struct tf_writer *w)
{
    for (size_t i = 0; i < TF_SECTION_COUNT; i++) {
        tf_put_text(w, i == 0 ? "" : "\n");
        put_section_reference(w, &tf_section_infos[i]);
    }
}
