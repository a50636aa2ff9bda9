/* The configuration file and its lines to settings; see conf_file.h. How lines
 * are read is up to ini_lines.c. */
#include "conf_file.h"

#include "ini_lines.h"
#include "private_file.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Whether nobody but root and us can have read or written an open file. */
static bool check_secret(int fd, const char *file, char *error, size_t size)
{
    struct stat st;
    int why = fstat(fd, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (why != 0) {
        say_unreadable(error, size, why);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(error, size,
                 "is no regular file, which a reload could read again: write what it holds to one");
        return false;
    }
    return private_file_check(&st, file, error, size);
}

/* To text, which has room for a byte more than may come. */
static bool fill(int fd, char *text, size_t *n, char *error, size_t size)
{
    ssize_t got = read_all(fd, text, CONF_FILE_MAX + 1);
    *n = (size_t)got;
    if (got < 0)
        say_unreadable(error, size, errno);
    else if (got > CONF_FILE_MAX)
        snprintf(error, size, "larger than %d bytes; this is no configuration file", CONF_FILE_MAX);
    return got >= 0 && got <= CONF_FILE_MAX;
}

static char *read_file(const char *file, bool is_secret, size_t *n, char *error, size_t size)
{
    /* Secrets are read again while clients wait: a FIFO must not hold us up. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | (is_secret ? O_NONBLOCK : 0));
    char *text = fd >= 0 ? malloc(CONF_FILE_MAX + 1) : NULL;
    bool ok = false;
    if (!text && is_secret && errno == ENOENT)
        snprintf(error, size, "is not there; make it, with mode 0600: tlsfloor.ini(5) says what is in it");
    else if (!text)
        say_unreadable(error, size, errno);
    else
        ok = (!is_secret || check_secret(fd, file, error, size)) && fill(fd, text, n, error, size);
    if (fd >= 0)
        close(fd);
    if (ok)
        return text;
    free(text);
    return NULL;
}

char *conf_file_read(const char *file, size_t *n, char *error, size_t size)
{
    return read_file(file, false, n, error, size);
}

char *conf_file_read_secret(const char *file, size_t *n, char *error, size_t size)
{
    return read_file(file, true, n, error, size);
}

/* A file being fed. */
struct feed {
    struct tf_conf_load *load;
    struct tf_origin at;
};

static struct tf_origin *at_line(struct feed *f, unsigned line)
{
    f->at.line = line;
    return &f->at;
}

/* The keys below a header that cannot be read are passed over. */
static void on_header(void *arg, const char *header, unsigned line)
{
    struct feed *f = arg;
    if (header)
        tf_conf_section(f->load, header, *at_line(f, line));
    else
        tf_conf_skip(f->load);
}

static void on_value(void *arg, const char *key, const char *value, unsigned line)
{
    struct feed *f = arg;
    tf_conf_set(f->load, key, value, *at_line(f, line));
}

static void on_error(void *arg, const char *sentence, unsigned line)
{
    struct feed *f = arg;
    tf_conf_fail(f->load, at_line(f, line), sentence);
}

bool conf_file_feed(struct tf_conf_load *load, const char *name, const char *text, size_t n)
{
    struct feed f = {.load = load, .at = {.source = TF_FROM_FILE, .name = name}};
    const struct ini_reader reader = {
        .on_header = on_header, .on_value = on_value, .on_error = on_error, .arg = &f};
    return ini_read_lines(&reader, text, n);
}
