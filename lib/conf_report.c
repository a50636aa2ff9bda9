/* Sentences about settings, put together from parts and handed to whoever
 * loads: where something was written, and texts of any length as parts. */
#include "conf_table.h"

#include <string.h>

void tf_put_origin(struct tf_writer *w, const struct tf_origin *origin)
{
    switch (origin->source) {
    case TF_FROM_DEFAULT:
        tf_put_text(w, "default");
        return;
    case TF_FROM_FILE:
        tf_put_text(w, origin->name);
        if (origin->line > 0) {
            tf_put_char(w, ':');
            tf_put_u64(w, origin->line);
        }
        return;
    case TF_FROM_ENVIRONMENT:
        tf_put_text(w, "environment ");
        tf_put_text(w, origin->name);
        return;
    case TF_FROM_OPTION:
        tf_put_text(w, origin->name);
        return;
    }
}

void tf_put_parts(struct tf_writer *w, const char *const *parts)
{
    enum { LONGEST = 500 };

    for (; *parts; parts++) {
        size_t n = strlen(*parts);
        tf_put(w, *parts, n < LONGEST ? n : LONGEST);
        if (n > LONGEST)
            tf_put_text(w, "...");
    }
}

void tf_report(struct tf_conf_load *load, enum tf_severity severity, const struct tf_origin *at,
               const char *const *parts)
{
    char sentence[1280];
    struct tf_writer w = tf_writer_of(sentence, sizeof sentence - 1);
    tf_put_parts(&w, parts);
    sentence[w.len] = '\0';
    if (severity == TF_ERROR)
        load->errors++;
    load->report(load->arg, severity, at, sentence);
}

const char *tf_place_text(struct tf_place *place, const struct tf_origin *origin)
{
    struct tf_writer w = tf_writer_of(place->text, sizeof place->text - 1);
    if (origin->source == TF_FROM_FILE) {
        tf_put_text(&w, "line ");
        tf_put_u64(&w, origin->line);
    } else {
        tf_put_text(&w, "the environment");
    }
    place->text[w.len] = '\0';
    return place->text;
}

const char *tf_quote_text(struct tf_quote *quote, struct tf_text text)
{
    enum { LONGEST = 80 };
    struct tf_writer w = tf_writer_of(quote->text, sizeof quote->text - 1);
    tf_put(&w, text.p, text.n < LONGEST ? text.n : LONGEST);
    tf_put_text(&w, text.n > LONGEST ? "..." : "");
    quote->text[w.len] = '\0';
    return quote->text;
}

void tf_conf_fail(struct tf_conf_load *load, const struct tf_origin *at, const char *sentence)
{
    tf_report(load, TF_ERROR, at, TF_PARTS(sentence));
}

const char *tf_values_text(struct tf_values *values, const struct tf_key *key)
{
    struct tf_writer w = tf_writer_of(values->text, sizeof values->text - 1);
    tf_put_values(&w, key);
    values->text[w.len] = '\0';
    return values->text;
}
