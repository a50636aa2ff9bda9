/* Loads settings from text for the tests of conf_*.c. Lines are taken apart as simply as can be: what files
 * look like is tested with proxy/conf_file.c. */
#ifndef CONF_STAGE_H
#define CONF_STAGE_H

#include "../../lib/conf.h"
#include <string.h>

enum { STAGE_TODAY = 20000 }; /* 2024-10-04 */

struct stage {
    struct tf_conf conf;
    struct tf_arena arena;
    struct tf_conf_load load;
    struct tf_writer said; /* `error ORIGIN: sentence`, one a line */
    char memory[1 << 18];
    char text[1 << 15];
};

static inline void stage_report(void *arg, enum tf_severity severity, const struct tf_origin *at,
                                const char *sentence)
{
    static const char *const names[] = {"error ", "warning ", "note "};
    struct stage *s = arg;
    tf_put_text(&s->said, names[severity]);
    tf_put_origin(&s->said, at);
    tf_put_text(&s->said, ": ");
    tf_put_text(&s->said, sentence);
    tf_put_text(&s->said, "\n");
}

static inline void stage_begin(struct stage *s)
{
    s->arena = (struct tf_arena){.base = (uint8_t *)s->memory, .size = sizeof s->memory};
    s->said = tf_writer_of(s->text, sizeof s->text - 1);
    s->load = (struct tf_conf_load){.conf = &s->conf,
                                    .arena = &s->arena,
                                    .today = STAGE_TODAY,
                                    .whole = {.source = TF_FROM_FILE, .name = "t.ini"},
                                    .report = stage_report,
                                    .arg = s};
    tf_conf_begin(&s->load);
}

/* `[header]` and `key = value` lines. */
static inline void stage_feed(struct stage *s, const char *lines)
{
    struct tf_origin at = {.source = TF_FROM_FILE, .name = "t.ini"};
    while (*lines) {
        char line[16384], *equals;
        size_t n = strcspn(lines, "\n");
        assert_true(n < sizeof line);
        memcpy(line, lines, n);
        line[n] = '\0';
        lines += n + (lines[n] == '\n');
        at.line++;
        if (line[0] == '[') {
            line[n - 1] = '\0';
            tf_conf_section(&s->load, line + 1, at);
        } else if ((equals = strstr(line, " =")) != NULL) {
            *equals = '\0';
            tf_conf_set(&s->load, line, equals + 2, at);
        }
    }
}

/* True: no error. What was said is in s->text. */
static inline bool stage_end(struct stage *s)
{
    bool ok = tf_conf_finish(&s->load);
    s->text[s->said.len] = '\0';
    return ok;
}

static inline bool stage_load(struct stage *s, const char *lines)
{
    stage_begin(s);
    stage_feed(s, lines);
    return stage_end(s);
}

/* A file that is fine, for tests that add to it. */
#define STAGE_LISTENER "[listener proxy]\nlisten = 127.0.0.1:3128\n"

static inline void assert_fine(struct stage *s, const char *lines)
{
    if (!stage_load(s, lines) || s->text[0])
        fail_msg("%s\n%s", lines, s->text);
}

/* The load fails and says `expected` somewhere. */
static inline void assert_refused(struct stage *s, const char *lines, const char *expected)
{
    if (stage_load(s, lines))
        fail_msg("taken: %s", lines);
    if (!strstr(s->text, expected))
        fail_msg("%s\nsaid: %snot: %s", lines, s->text, expected);
}

/* The load is fine but says `expected`. */
static inline void assert_said(struct stage *s, const char *lines, const char *expected)
{
    if (!stage_load(s, lines))
        fail_msg("%s\n%s", lines, s->text);
    if (!strstr(s->text, expected))
        fail_msg("%s\nsaid: %snot: %s", lines, s->text, expected);
}

#endif
