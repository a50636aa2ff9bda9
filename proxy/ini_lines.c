/* Lines of INI text; see ini_lines.h.
 *
 * inih splits a line into key and value and takes comments off. Around it,
 * this file counts lines, refuses those that inih would cut, and reads section
 * headers, whose names inih cuts too and of which it does not tell when no key
 * follows. Indentation means nothing, and a value ends with its line: what
 * some parsers take for a continuation is a key of its own here, and so is
 * reported. */
#include "ini_lines.h"

#include "../lib/sasl.h"
#include <ini.h>
#include <stdio.h>
#include <string.h>

/* Debian's inih can be told at run time how long a line may be; others are built for 200 bytes, and then
 * longer lines are refused. */
extern int ini_max_line __attribute__((weak));

/* A text being read. */
struct feed {
    const struct ini_reader *reader;
    struct tf_text rest; /* lines not read yet */
    unsigned line;       /* the one that inih has */
    bool is_pending;     /* that line must give a key and a value, and has not yet */
};

static void fail(const struct feed *f, const char *sentence)
{
    f->reader->on_error(f->reader->arg, sentence, f->line);
}

static void refuse_header(const struct feed *f, const char *why)
{
    fail(f, why);
    f->reader->on_header(f->reader->arg, NULL, f->line);
}

/* `[SECTION]`, and perhaps a comment. */
static void read_header(const struct feed *f, struct tf_text line)
{
    char header[128];
    struct tf_text behind = {line.p + 1, line.n - 1};
    struct tf_text name = tf_text_take(&behind, ']');

    if (!behind.p) {
        refuse_header(f, "the section header has no end; write [SECTION] or [SECTION NAME]");
        return;
    }
    behind = tf_text_trim(behind);
    if (behind.n > 0 && behind.p[0] != ';' && behind.p[0] != '#') {
        refuse_header(f, "there is something behind the ]; give it a line of its own");
        return;
    }
    if (name.n >= sizeof header) {
        refuse_header(f, "the section header is too long; write [SECTION] or [SECTION NAME]");
        return;
    }
    memcpy(header, name.p, name.n);
    header[name.n] = '\0';
    f->reader->on_header(f->reader->arg, header, f->line);
}

/* The line before gave nothing to on_value. */
static void report_pending(struct feed *f)
{
    if (f->is_pending)
        fail(f, "this is no KEY = VALUE; a value has to be on one line with its key");
    f->is_pending = false;
}

/* As fgets, for inih: the next line that is no header, without the blanks around it. */
static char *next_line(char *out, int size, void *arg)
{
    struct feed *f = arg;
    size_t room = size > 2 ? (size_t)size - 2 : 0; /* a line end and a NUL come behind it */

    report_pending(f);
    while (f->rest.p && f->rest.n > 0) {
        struct tf_text line = tf_text_trim(tf_text_take(&f->rest, '\n'));
        f->line++;
        if (line.n == 0 || line.p[0] == ';' || line.p[0] == '#')
            continue;
        if (line.p[0] == '[') {
            read_header(f, line);
            continue;
        }
        if (line.n > room) {
            char sentence[128];
            snprintf(sentence, sizeof sentence,
                     "the line has %zu bytes, and no more than %zu can be read; make it shorter", line.n,
                     room);
            fail(f, sentence);
            continue;
        }
        f->is_pending = true;
        memcpy(out, line.p, line.n);
        memcpy(out + line.n, "\n", 2);
        return out;
    }
    tf_wipe(out, (size_t)size); /* inih frees it as it is */
    return NULL;
}

static int on_value(void *arg, const char *section, const char *key, const char *value)
{
    struct feed *f = arg;
    (void)section;
    f->is_pending = false;
    if (key[0] == '\0')
        fail(f, "there is no key in front of the =; write KEY = VALUE");
    else
        f->reader->on_value(f->reader->arg, key, value, f->line);
    return 1;
}

static bool is_text(char c, char next)
{
    return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t' || c == '\n' || (c == '\r' && next == '\n');
}

/* Reports the first byte that no text file has. What is wrong then is the file, not its lines. */
static bool check_text(const struct ini_reader *reader, const char *text, size_t n)
{
    unsigned line = 1;
    for (size_t i = 0; i < n; i++) {
        if (!is_text(text[i], i + 1 < n ? text[i + 1] : '\n')) {
            reader->on_error(reader->arg, "there is a control character; write plain text, in ASCII or UTF-8",
                             line);
            return false;
        }
        line += text[i] == '\n';
    }
    return true;
}

bool ini_read_lines(const struct ini_reader *reader, const char *text, size_t n)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct feed f = {.reader = reader, .rest = {text, n}};

    if (!check_text(reader, text, n))
        return false;
    if (n >= 3 && memcmp(text, bom, 3) == 0)
        f.rest = (struct tf_text){text + 3, n - 3};
    if (&ini_max_line)
        ini_max_line = INI_LINE_MAX;
    ini_parse_stream(next_line, &f, on_value, &f);
    report_pending(&f);
    return true;
}
