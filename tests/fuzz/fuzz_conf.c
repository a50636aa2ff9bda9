/* Settings from arbitrary lines: `[header]`, `key = value`, and `$VARIABLE=value` for the environment.
 * Whatever loads must dump to a file that loads without a word and dumps to the same settings. */
#include "../../lib/conf.h"
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TODAY = 20000 };

struct load {
    alignas(max_align_t) uint8_t memory[1 << 20];
    struct tf_arena arena;
    struct tf_conf conf;
};

static void on_report(void *arg, enum tf_severity severity, const struct tf_origin *at, const char *sentence)
{
    size_t *count = arg;
    if (severity == TF_ERROR)
        ++*count;
    if (at->source == TF_FROM_FILE && !at->name)
        abort();
    if (strlen(sentence) == 0)
        abort();
}

static void feed_line(struct tf_conf_load *load, char *line, unsigned number)
{
    struct tf_origin at = {.source = TF_FROM_FILE, .name = "f", .line = number};
    char *equals = strchr(line, '=');
    size_t n = strlen(line);

    if (n > 1 && line[0] == '[' && line[n - 1] == ']') {
        line[n - 1] = '\0';
        tf_conf_section(load, line + 1, at);
    } else if (equals) {
        *equals = '\0';
        n = (size_t)(equals - line);
        if (line[0] == '$') {
            const char *variable = tf_arena_text(load->arena, line + 1, n - 1);
            if (variable)
                tf_conf_environment(load, variable, equals + 1);
            return;
        }
        while (n > 0 && line[n - 1] == ' ')
            line[--n] = '\0';
        tf_conf_set(load, line, equals + 1, at);
    }
}

/* Loads text, of which it makes pieces; true when there is no error. */
static bool load_text(struct load *l, char *text)
{
    size_t reported = 0;
    struct tf_conf_load load = {.conf = &l->conf,
                                .arena = &l->arena,
                                .today = TODAY,
                                .whole = {.source = TF_FROM_FILE, .name = "f"},
                                .report = on_report,
                                .arg = &reported};
    unsigned number = 0;

    l->arena = (struct tf_arena){.base = l->memory, .size = sizeof l->memory};
    tf_conf_begin(&load);
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        feed_line(&load, line, ++number);
    }
    bool ok = tf_conf_finish(&load);
    if (load.errors != reported || ok != (reported == 0))
        abort();
    return ok;
}

/* The dump, without the comments that tell where a value came from. */
static size_t dump(const struct load *l, char *out, size_t size)
{
    struct tf_writer w = tf_writer_of(out, size - 1);
    tf_put_conf(&w, &l->conf);
    if (w.full)
        abort();
    out[w.len] = '\0';
    for (char *line = out, *comment; (comment = strstr(line, " ; ")) != NULL; line = comment) {
        memset(comment, ' ', strcspn(comment, "\n"));
    }
    return w.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct load first, second;
    static char text[1 << 16], dumped[1 << 19], again[1 << 19], copy[1 << 19];

    if (size >= sizeof text || (size > 0 && memchr(data, 0, size)))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (!load_text(&first, text))
        return 0;
    dump(&first, dumped, sizeof dumped);
    strcpy(copy, dumped);
    if (!load_text(&second, copy))
        abort();
    dump(&second, again, sizeof again);

    /* Comments differ in length, and so do the blanks that stand for them. */
    const char *a = dumped, *b = again;
    while (*a || *b) {
        while (*a == ' ')
            a++;
        while (*b == ' ')
            b++;
        if (*a != *b)
            abort();
        a += *a != '\0';
        b += *b != '\0';
    }
    return 0;
}
