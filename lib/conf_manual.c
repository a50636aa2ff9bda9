/* The reference of all settings as mdoc(7), for the manual page of the file. */
#include "conf_table.h"

#include <string.h>

/* What roff would take for an escape, or set as another character than was written. */
static void put_roff_char(struct tf_writer *w, char c)
{
    static const struct {
        char c;
        const char *roff;
    } others[] = {{'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (c == others[i].c) {
            tf_put_text(w, others[i].roff);
            return;
        }
    tf_put_char(w, c);
}

/* Text in which `words` are code. Each sentence has a line of its own, as roff wants it; a line that began
 * with a dot would be taken for a request. */
static void put_roff(struct tf_writer *w, const char *text)
{
    bool is_code = false;
    if (text[0] == '.')
        tf_put_text(w, "\\&");
    for (; *text; text++) {
        if (*text == '`') {
            is_code = !is_code;
            tf_put_text(w, is_code ? "\\fB" : "\\fR");
        } else if (text[0] == '.' && text[1] == ' ') {
            tf_put_text(w, ".\n");
            text++;
        } else {
            put_roff_char(w, *text);
        }
    }
}

/* A sentence of its own, whether or not it is written as one. */
static void put_sentence(struct tf_writer *w, const char *text)
{
    size_t n = strlen(text);
    put_roff(w, text);
    tf_put_text(w, n > 0 && text[n - 1] == '.' ? "\n" : ".\n");
}

static void put_key(struct tf_writer *w, const struct tf_key *key)
{
    struct tf_values values;
    tf_put_parts(w, TF_PARTS(".It Ic ", key->name, " Pq \""));
    put_roff(w, tf_values_text(&values, key));
    tf_put_text(w, "\"\n");
    put_sentence(w, key->doc);
    if (!key->value) {
        tf_put_text(w, "Required.\n");
    } else if (key->value[0]) {
        tf_put_text(w, "Default: \\fB");
        put_roff(w, key->value);
        tf_put_text(w, "\\fR.\n");
    }
}

static void put_section(struct tf_writer *w, const struct tf_section_info *info)
{
    const char *name = info->object == TF_OBJECT_PLAIN ? "" : " Ar NAME";
    tf_put_parts(w, TF_PARTS(".Ss Bq Ic ", info->name, name, "\n"));
    put_sentence(w, info->doc);
    tf_put_text(w, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < info->key_count; i++)
        put_key(w, &info->keys[i]);
    tf_put_text(w, ".El\n");
}

void tf_put_conf_manual(struct tf_writer *w)
{
    for (size_t i = 0; i < TF_SECTION_COUNT; i++)
        put_section(w, &tf_section_infos[i]);
}
