/* Settings from the environment: TLSFLOOR_SECTION_KEY, and for a listener or
 * a rule TLSFLOOR_SECTION_NAME_KEY. */
#include "conf_table.h"
#include "suggest.h"

#include <string.h>

static char fold(char c)
{
    return tf_ascii_is_alnum(c) ? tf_ascii_lower(c) : '_';
}

bool tf_names_fold_alike(struct tf_text a, struct tf_text b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

/* What a variable sets. */
struct variable {
    const struct tf_section_info *info; /* NULL: nothing that there is */
    const struct tf_key *key;
    struct tf_text name; /* of the listener or rule */
};

/* Takes `WORD_` off the front of *rest. */
static bool take_word(struct tf_text *rest, const char *word)
{
    size_t n = strlen(word);
    if (rest->n <= n || rest->p[n] != '_' ||
        !tf_names_fold_alike((struct tf_text){rest->p, n}, (struct tf_text){word, n}))
        return false;
    *rest = (struct tf_text){rest->p + n + 1, rest->n - n - 1};
    return true;
}

/* Whether *rest is KEY, or for a section with a name NAME_KEY; leaves NAME in *rest. */
static bool take_key(struct tf_text *rest, const char *key, bool named)
{
    size_t n = strlen(key);
    if (rest->n < n || (named && rest->n < n + 2) || (!named && rest->n != n))
        return false;
    struct tf_text tail = {rest->p + rest->n - n, n};
    if (!tf_names_fold_alike(tail, (struct tf_text){key, n}) || (named && tail.p[-1] != '_'))
        return false;
    rest->n = named ? rest->n - n - 1 : 0;
    return true;
}

/* Where NAME_KEY can be cut in two ways, as X_CLIENT_TLS into the tls of x-client or the client_tls of x, the
 * one that is there counts, else the longer key. */
static bool is_better(const struct tf_conf *conf, const struct variable *now, const struct variable *best)
{
    if (!best->info)
        return true;
    bool there = tf_section_find(conf, now->info, now->name) != NULL;
    if (there != (tf_section_find(conf, best->info, best->name) != NULL))
        return there;
    return strlen(now->key->name) > strlen(best->key->name);
}

static struct variable find_variable(const struct tf_conf *conf, struct tf_text text)
{
    struct variable best = {.info = NULL};
    for (size_t s = 0; s < TF_SECTION_COUNT; s++) {
        const struct tf_section_info *info = &tf_section_infos[s];
        struct tf_text tail = text;
        if (!take_word(&tail, info->name))
            continue;
        for (size_t i = 0; i < info->key_count; i++) {
            struct variable now = {info, &info->keys[i], tail};
            if (take_key(&now.name, now.key->name, info->object != TF_OBJECT_PLAIN) &&
                is_better(conf, &now, &best))
                best = now;
        }
    }
    return best;
}

static void put_upper(struct tf_writer *w, const char *text)
{
    for (; *text; text++) {
        char c = fold(*text);
        tf_put_char(w, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
}

/* A spelling that is offered, and the best one so far. */
struct spellings {
    struct tf_suggestion near;
    char now[128], best[128];
};

static void offer(struct spellings *s, const struct tf_section *section, const struct tf_key *key)
{
    struct tf_writer w = tf_writer_of(s->now, sizeof s->now - 1);
    tf_put_text(&w, "TLSFLOOR_");
    put_upper(&w, section->info->name);
    if (section->name[0]) {
        tf_put_char(&w, '_');
        put_upper(&w, section->name);
    }
    tf_put_char(&w, '_');
    put_upper(&w, key->name);
    s->now[w.len] = '\0';
    tf_suggest(&s->near, s->now);
    if (s->near.best != s->now)
        return;
    memcpy(s->best, s->now, sizeof s->best);
    s->near.best = s->best;
}

/* Whether this is what Kubernetes puts into the environment for a Service that is called tlsfloor:
 * TLSFLOOR_PORT, TLSFLOOR_PORT_3128_TCP_ADDR, TLSFLOOR_SERVICE_HOST and others. */
static bool is_service_link(struct tf_text text)
{
    return tf_text_is(text, "PORT") || take_word(&text, "PORT") || take_word(&text, "SERVICE");
}

/* `text` is the variable's name behind TLSFLOOR_. */
static void report_unknown(struct tf_conf_load *load, const char *variable, struct tf_text text,
                           const struct tf_origin *at)
{
    struct spellings s = {.near.unknown = tf_text_of(variable)};
    if (is_service_link(text)) {
        tf_report(load, TF_ERROR, at,
                  TF_PARTS("there is no such setting; from a Kubernetes Service of that name? set "
                           "enableServiceLinks: false"));
        return;
    }
    for (const struct tf_section *section = load->conf->sections; section; section = section->next)
        for (size_t i = 0; i < section->info->key_count; i++)
            offer(&s, section, &section->info->keys[i]);
    tf_report(load, TF_ERROR, at,
              TF_PARTS("there is no such setting", TF_DID_YOU_MEAN(s.near), s.near.best ? " Else " : "; ",
                       "unset it, or see tlsfloor check --reference"));
}

/* The name of a new listener or rule as a file would have it. */
static struct tf_text name_of(struct tf_text variable, char name[TF_CONF_NAME_MAX + 1])
{
    size_t n = variable.n <= TF_CONF_NAME_MAX ? variable.n : TF_CONF_NAME_MAX + 1;
    for (size_t i = 0; i < n; i++)
        name[i] = tf_ascii_is_alnum(variable.p[i]) ? tf_ascii_lower(variable.p[i]) : '-';
    return (struct tf_text){name, n};
}

/* A list may have an entry a line, where files have commas. */
static char *with_commas(struct tf_arena *arena, struct tf_text lines)
{
    char *list = tf_arena_text(arena, lines.p, lines.n);
    bool comma = false;
    for (char *c = list; c && *c; c++) {
        if (*c == '\n')
            *c = comma ? ' ' : ',';
        if (*c != ' ' && *c != '\t' && *c != '\r')
            comma = *c == ',';
    }
    return list;
}

void tf_conf_environment(struct tf_conf_load *load, const char *variable, const char *value)
{
    struct tf_origin at = {.source = TF_FROM_ENVIRONMENT, .name = variable};
    struct tf_text text = tf_text_of(variable);
    char name[TF_CONF_NAME_MAX + 1];

    if (!take_word(&text, "TLSFLOOR"))
        return;
    struct variable v = find_variable(load->conf, text);
    if (!v.info) {
        report_unknown(load, variable, text, &at);
        return;
    }
    if (tf_key_is_list(v.key))
        value = with_commas(load->arena, tf_text_trim(tf_text_of(value)));
    if (!value)
        return;
    load->in_section = true;
    bool is_new = !tf_section_find(load->conf, v.info, v.name);
    load->section = tf_section_open(load, v.info, name_of(v.name, name), at);
    if (is_new && load->section)
        tf_report(load, TF_NOTE, &at,
                  TF_PARTS("makes a ", v.info->name, " ", load->section->name, " that is not in the file"));
    tf_conf_set(load, v.key->name, value, at);
}
