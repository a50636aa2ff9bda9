/* Lines of an INI file; see conf_file.h.
 *
 * inih splits a line into key and value and takes comments off. Around it,
 * this file counts lines, refuses those that inih would cut, and reads section
 * headers, whose names inih cuts too and of which it does not tell when no key
 * follows. Indentation means nothing, and a value ends with its line: what
 * some parsers take for a continuation is a key of its own here, and so is
 * reported. */
#include "conf_file.h"

#include "../lib/text.h"
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian's inih can be told at run time how long a line may be; others are built for 200 bytes, and then
 * longer lines are refused. */
extern int ini_max_line __attribute__((weak));
enum { LINE_LONGEST = 2 * TF_CONF_VALUE_MAX };

/* Bytes read, or -1 with errno. */
static ssize_t read_all(int fd, char *to, size_t room)
{
    size_t n = 0;
    while (n < room) {
        ssize_t got = read(fd, to + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

void conf_error_text(int error, char *text, size_t size)
{
    const struct passwd *user = error == EACCES ? getpwuid(geteuid()) : NULL;
    if (user)
        snprintf(text, size, "%s to the user %s", strerror(error), user->pw_name);
    else if (error == EACCES)
        snprintf(text, size, "%s to the user with the number %u", strerror(error), (unsigned)geteuid());
    else
        snprintf(text, size, "%s", strerror(error));
}

static void say_unreadable(char *error, size_t size, int why)
{
    char text[128];
    conf_error_text(why, text, sizeof text);
    snprintf(error, size, "cannot be read: %s", text);
}

char *conf_file_read(const char *file, size_t *n, char *error, size_t size)
{
    char *text = malloc(CONF_FILE_MAX + 1);
    int fd = text ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got = fd >= 0 ? read_all(fd, text, CONF_FILE_MAX + 1) : -1;

    if (got < 0)
        say_unreadable(error, size, errno);
    else if (got > CONF_FILE_MAX)
        snprintf(error, size, "larger than %d bytes; this is no configuration file", CONF_FILE_MAX);
    if (fd >= 0)
        close(fd);
    if (got < 0 || got > CONF_FILE_MAX) {
        free(text);
        return NULL;
    }
    *n = (size_t)got;
    return text;
}

/* A file being fed. */
struct feed {
    struct tf_conf_load *load;
    struct tf_text rest; /* lines not read yet */
    struct tf_origin at; /* the line that inih has */
    bool is_pending;     /* that line must give a key and a value, and has not yet */
};

/* The keys below a header that cannot be read are passed over. */
static void refuse_header(struct feed *f, const char *why)
{
    tf_conf_fail(f->load, &f->at, why);
    tf_conf_skip(f->load);
}

/* `[SECTION]`, and perhaps a comment. */
static void read_header(struct feed *f, struct tf_text line)
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
    tf_conf_section(f->load, header, f->at);
}

/* The line before gave nothing to on_value. */
static void report_pending(struct feed *f)
{
    if (f->is_pending)
        tf_conf_fail(f->load, &f->at, "this is no KEY = VALUE; a value has to be on one line with its key");
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
        f->at.line++;
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
            tf_conf_fail(f->load, &f->at, sentence);
            continue;
        }
        f->is_pending = true;
        memcpy(out, line.p, line.n);
        memcpy(out + line.n, "\n", 2);
        return out;
    }
    return NULL;
}

static int on_value(void *arg, const char *section, const char *key, const char *value)
{
    struct feed *f = arg;
    (void)section;
    f->is_pending = false;
    if (key[0] == '\0')
        tf_conf_fail(f->load, &f->at, "there is no key in front of the =; write KEY = VALUE");
    else
        tf_conf_set(f->load, key, value, f->at);
    return 1;
}

static bool is_text(char c, char next)
{
    return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t' || c == '\n' || (c == '\r' && next == '\n');
}

/* Reports the first byte that no text file has. What is wrong then is the file, not its lines. */
static bool check_text(struct tf_conf_load *load, struct tf_origin at, const char *text, size_t n)
{
    at.line = 1;
    for (size_t i = 0; i < n; i++) {
        if (!is_text(text[i], i + 1 < n ? text[i + 1] : '\n')) {
            tf_conf_fail(load, &at, "there is a control character; write plain text, in ASCII or UTF-8");
            return false;
        }
        at.line += text[i] == '\n';
    }
    return true;
}

bool conf_file_feed(struct tf_conf_load *load, const char *name, const char *text, size_t n)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct feed f = {.load = load, .rest = {text, n}, .at = {.source = TF_FROM_FILE, .name = name}};

    if (!check_text(load, f.at, text, n))
        return false;
    if (n >= 3 && memcmp(text, bom, 3) == 0)
        f.rest = (struct tf_text){text + 3, n - 3};
    if (&ini_max_line)
        ini_max_line = LINE_LONGEST;
    ini_parse_stream(next_line, &f, on_value, &f);
    report_pending(&f);
    return true;
}
