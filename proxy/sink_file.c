/* The sink that is a file, or standard output; see sink.h. Whole lines, also
 * where the disk is full: what is torn off is cut off again, or ended with a
 * newline by the next line that fits. */
#include "sink.h"

#include "../lib/w3c.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct file {
    struct sink sink;
    int fd;
    bool is_regular; /* writes do not block, and what is torn can be cut off */
    bool torn;       /* the file ends within a line: begin with a newline */
    bool head_due;   /* W3C: begin with the head */
};

static struct file *file_of(struct sink *sink)
{
    return (struct file *)sink;
}

/* --- opening --- */

/* Whether a file that was left behind ends within a line, as after a crash. */
static bool ends_torn(const char *path, off_t size)
{
    char last = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    bool read_it = pread(fd, &last, 1, size - 1) == 1;
    close(fd);
    return read_it && last != '\n';
}

/* A descriptor of our own for standard output, or the file. O_NONBLOCK only keeps the open from waiting for
 * the reader of a FIFO. */
static int open_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

/* Takes the path's file into use. False with errno set: everything is as it was. */
static bool take_file(struct file *f, const struct journal_options *options)
{
    struct stat st;
    int fd = open_path(options->sink);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        return false;
    }
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    f->is_regular = S_ISREG(st.st_mode);
    f->torn = f->is_regular && st.st_size > 0 && ends_torn(options->sink, st.st_size);
    f->head_due = options->is_w3c;
    return true;
}

static void say_cannot_open(const char *path, int why, char *error, size_t size)
{
    const char *slash = strrchr(path, '/');
    int directory = slash != NULL ? (int)(slash - path) : 0;
    if (directory > 0 && (why == ENOENT || why == EACCES))
        snprintf(error, size, "log %s: %s; make the directory %.*s, writable for the user of the gateway",
                 path, strerror(why), directory, path);
    else
        snprintf(error, size, "log %s: %s", path, strerror(why));
}

static struct sink *file_open(const struct journal_options *options, char *error, size_t size)
{
    struct file *f = calloc(1, sizeof *f);
    if (f == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    f->fd = -1;
    if (!take_file(f, options)) {
        say_cannot_open(options->sink, errno, error, size);
        free(f);
        return NULL;
    }
    return &f->sink;
}

static void file_close(struct sink *sink)
{
    struct file *f = file_of(sink);
    close(f->fd);
    free(f);
}

static void file_reopen(struct sink *sink)
{
    if (strcmp(sink->options->sink, "-") != 0 && !take_file(file_of(sink), sink->options))
        fprintf(stderr, "tlsfloor: log %s: cannot open it anew: %s; the old file stays in use\n",
                sink->options->sink, strerror(errno));
}

/* --- writing --- */

/* How much a pipe is given at a time: no more than it takes without blocking, and in one piece; and as far as
 * they are no longer than that, whole lines. So whoever else writes to it, such as the log that a reload puts
 * in this one's place, does not write into a line. */
static size_t piece_of(const char *p, size_t n)
{
    if (n <= PIPE_BUF)
        return n;
    const char *newline = memrchr(p, '\n', PIPE_BUF);
    return newline != NULL ? (size_t)(newline - p) + 1 : PIPE_BUF;
}

/* Writes p[0..n); how much of it got there. Less than n: errno says why. Whatever is not a regular file is
 * asked first, so that the thread can always be told to end. */
static size_t write_all(const struct file *f, const char *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t piece = f->is_regular ? n - done : piece_of(p + done, n - done);
        if (!f->is_regular && !sink_wait(f->sink.stop, f->fd, POLLOUT)) {
            errno = ETIMEDOUT;
            break;
        }
        ssize_t k = write(f->fd, p + done, piece);
        if (k > 0)
            done += (size_t)k;
        else if (k == 0 || (errno != EINTR && errno != EAGAIN))
            break;
    }
    return done;
}

/* Cuts the last n bytes off again, unless somebody has appended to them. Also with O_APPEND, a write leaves
 * the file position behind its own last byte. */
static bool cut_off(const struct file *f, size_t n)
{
    struct stat st;
    off_t end = lseek(f->fd, 0, SEEK_CUR);
    return end >= (off_t)n && fstat(f->fd, &st) == 0 && st.st_size == end &&
           ftruncate(f->fd, end - (off_t)n) == 0 && lseek(f->fd, -(off_t)n, SEEK_CUR) >= 0;
}

/* Writes whole lines, of which as many bytes are there afterwards as it answers with: up to the end of a
 * line. */
static size_t write_lines(struct file *f, const char *p, size_t n)
{
    if (f->torn && write_all(f, "\n", 1) == 1)
        f->torn = false;
    if (f->torn)
        return 0;
    size_t done = write_all(f, p, n);
    const char *newline = memrchr(p, '\n', done);
    size_t whole = newline != NULL ? (size_t)(newline - p) + 1 : 0;
    int error = errno;
    if (whole < done)
        f->torn = !(f->is_regular && cut_off(f, done - whole));
    errno = error;
    return whole;
}

/* The head is one thing: a part of it is written anew before the next line. */
static bool write_head(struct file *f)
{
    char head[TF_W3C_HEAD_MAX];
    struct tf_writer w = tf_writer_of(head, sizeof head);
    tf_put_w3c_head(&w, (int64_t)time(NULL) * 1000000);
    return write_lines(f, w.p, w.len) == w.len;
}

static bool file_write(struct sink *sink, struct sink_batch *batch)
{
    struct file *f = file_of(sink);
    size_t done = 0;
    if (f->head_due)
        f->head_due = !write_head(f);
    if (!f->head_due)
        done = write_lines(f, batch->text, batch->size);
    int error = errno;
    size_t end = 0;
    for (size_t i = 0; i < batch->count; i++) {
        end += batch->lines[i].size;
        batch->lines[i].is_written = end <= done;
    }
    if (done == batch->size) {
        sink_note_recovery(sink);
        return true;
    }
    char why[128];
    snprintf(why, sizeof why, "%s; lines are dropped",
             error == ETIMEDOUT && !f->is_regular ? "nobody reads it" : strerror(error));
    sink_note_failure(sink, why);
    return false;
}

const struct sink_type sink_file = {file_open, file_close, file_write, file_reopen};
