/* The log thread and its queue; see journal.h. What a line says is not known
 * here, only that it ends in a newline.
 *
 * The queue is two buffers. Producers append to one under a short mutex, the
 * thread writes the other, and they are swapped when it comes back. Producers
 * wake the thread only when the fill level reaches `wake_at`: the first byte
 * while it is idle, half the room while it gathers lines, never while it
 * writes. Thus a flood costs one write for many lines, and a lone line waits
 * GATHER_MS.
 *
 * Every line ends in exactly one of three counts: refused (the queue was
 * full), written, lost (the file did not take it). */
#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { GATHER_MS = 2, PAUSE_MS = 250 };

#define FOREVER INT64_MAX

struct buffer {
    char *p;
    size_t len;
};

struct journal {
    char *path;
    size_t room; /* of each buffer */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the block below */
    pthread_cond_t wake;
    struct buffer fill;
    size_t wake_at; /* fill level that wakes the thread; SIZE_MAX: it is not asleep */
    bool reopen, stop;

    _Atomic(int64_t) stop_at_ms; /* with stop: when to give up a file that does not take anything */
    int stop_fd;                 /* readable with stop, for a thread that waits in poll */
    _Atomic(uint64_t) refused, written, lost;

    /* The thread's own. */
    struct buffer batch;
    int fd;
    bool is_file; /* a regular one: writes do not block, and what is torn can be cut off */
    bool torn;    /* the file ends within a line: begin with a newline */
    bool failing; /* said so on standard error */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;
    for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

/* --- the file --- */

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
static bool open_file(struct journal *j)
{
    struct stat st;
    int fd = open_path(j->path);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        return false;
    }
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->is_file = S_ISREG(st.st_mode);
    j->torn = j->is_file && st.st_size > 0 && ends_torn(j->path, st.st_size);
    return true;
}

/* Waits until the pipe, terminal or socket takes bytes. False: the journal is closing and time is up. */
static bool wait_writable(const struct journal *j)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = j->fd, .events = POLLOUT}, {.fd = j->stop_fd, .events = POLLIN}};
        int64_t stop_at = atomic_load(&j->stop_at_ms);
        bool stopping = stop_at != FOREVER;
        int64_t left = stopping ? stop_at - now_ms() : 0;
        if (stopping && left <= 0)
            return false;
        poll(fds, stopping ? 1 : 2, stopping ? (int)(left < INT_MAX ? left : INT_MAX) : -1);
        if (fds[0].revents != 0)
            return true;
    }
}

/* Writes p[0..n); how much of it got there. Less than n: errno says why. Whatever is not a regular file is
 * asked first and then given no more than it takes without blocking, so that the thread can always be told to
 * end. */
static size_t write_all(const struct journal *j, const char *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t piece = n - done;
        if (!j->is_file && piece > PIPE_BUF)
            piece = PIPE_BUF;
        if (!j->is_file && !wait_writable(j)) {
            errno = ETIMEDOUT;
            break;
        }
        ssize_t k = write(j->fd, p + done, piece);
        if (k > 0)
            done += (size_t)k;
        else if (k == 0 || (errno != EINTR && errno != EAGAIN))
            break;
    }
    return done;
}

/* Cuts the last n bytes off again, unless somebody has appended to them. Also with O_APPEND, a write leaves
 * the file position behind its own last byte. */
static bool cut_off(const struct journal *j, size_t n)
{
    struct stat st;
    off_t end = lseek(j->fd, 0, SEEK_CUR);
    return end >= (off_t)n && fstat(j->fd, &st) == 0 && st.st_size == end &&
           ftruncate(j->fd, end - (off_t)n) == 0 && lseek(j->fd, -(off_t)n, SEEK_CUR) >= 0;
}

/* Once for each time that it fails, not for each line. */
static void note_outcome(struct journal *j, bool failed, int error)
{
    const char *name = strcmp(j->path, "-") == 0 ? "standard output" : j->path;
    const char *why = error == ETIMEDOUT && !j->is_file ? "nobody reads it" : strerror(error);
    if (failed && !j->failing)
        fprintf(stderr, "tlsfloor: log %s: %s; lines are dropped\n", name, why);
    if (!failed && j->failing)
        fprintf(stderr, "tlsfloor: log %s: lines are written again\n", name);
    j->failing = failed;
}

/* Writes the batch, and counts each of its lines as written or lost. False: not all of it was. */
static bool deliver(struct journal *j)
{
    const char *p = j->batch.p;
    size_t n = j->batch.len;
    uint64_t lines = count_lines(p, n);
    if (j->torn && write_all(j, "\n", 1) == 1)
        j->torn = false;
    size_t done = j->torn ? 0 : write_all(j, p, n);
    int error = errno;
    uint64_t whole = count_lines(p, done);
    if (done < n && done > 0 && p[done - 1] != '\n') {
        const char *line = memrchr(p, '\n', done);
        size_t rest = line != NULL ? (size_t)(p + done - line) - 1 : done;
        j->torn = !(j->is_file && cut_off(j, rest));
    }
    atomic_fetch_add(&j->written, whole);
    atomic_fetch_add(&j->lost, lines - whole);
    note_outcome(j, done < n, error);
    return done == n;
}

/* --- the thread --- */

/* Sleeps until the queue holds wake_at bytes, for ms at most (FOREVER: no end), or until it is told to reopen
 * or to stop. The mutex is held. */
static void sleep_until(struct journal *j, size_t wake_at, int64_t ms)
{
    int64_t end = ms == FOREVER ? FOREVER : now_ms() + ms;
    struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    int rc = 0;
    j->wake_at = wake_at;
    while (rc == 0 && j->fill.len < wake_at && !j->reopen && !j->stop)
        rc = end == FOREVER ? pthread_cond_wait(&j->wake, &j->mutex)
                            : pthread_cond_timedwait(&j->wake, &j->mutex, &until);
    j->wake_at = SIZE_MAX;
}

static void swap_buffers(struct journal *j)
{
    struct buffer filled = j->fill;
    j->fill = (struct buffer){.p = j->batch.p, .len = 0};
    j->batch = filled;
}

static void reopen_file(struct journal *j)
{
    if (!open_file(j))
        fprintf(stderr, "tlsfloor: log %s: cannot open it anew: %s; the old file stays in use\n", j->path,
                strerror(errno));
}

static void *run(void *arg)
{
    struct journal *j = arg;
    bool stop = false;
    bool failed = false;
    while (!stop) {
        pthread_mutex_lock(&j->mutex);
        if (failed)
            sleep_until(j, SIZE_MAX, PAUSE_MS);
        sleep_until(j, 1, FOREVER);
        sleep_until(j, j->room / 2, GATHER_MS);
        swap_buffers(j);
        stop = j->stop;
        bool reopen = j->reopen;
        j->reopen = false;
        pthread_mutex_unlock(&j->mutex);
        /* In this order: what was queued after journal_reopen is in this batch, and goes to the new file. */
        if (reopen)
            reopen_file(j);
        failed = j->batch.len > 0 && !deliver(j);
    }
    return NULL;
}

/* With all signals blocked: they are the main loop's, and a write to a closed pipe or beyond RLIMIT_FSIZE is
 * an error like others. */
static int start_thread(struct journal *j)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&j->thread, NULL, run, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        pthread_setname_np(j->thread, "log");
    return rc;
}

/* --- from any thread --- */

static void init_locks(struct journal *j)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&j->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&j->mutex, NULL);
}

static void free_all(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    if (j->stop_fd >= 0)
        close(j->stop_fd);
    free(j->fill.p);
    free(j->batch.p);
    free(j->path);
    free(j);
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

struct journal *journal_open(const char *path, size_t bytes, char *error, size_t size)
{
    assert(bytes > 0);
    struct journal *j = calloc(1, sizeof *j);
    if (j == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    j->room = bytes;
    j->wake_at = SIZE_MAX;
    atomic_init(&j->stop_at_ms, FOREVER);
    j->fd = -1;
    j->stop_fd = eventfd(0, EFD_CLOEXEC);
    j->path = strdup(path);
    j->fill.p = malloc(bytes);
    j->batch.p = malloc(bytes);
    if (j->stop_fd < 0 || j->path == NULL || j->fill.p == NULL || j->batch.p == NULL) {
        snprintf(error, size, "log %s: no resources: %s", path, strerror(errno));
        free_all(j);
        return NULL;
    }
    if (!open_file(j)) {
        say_cannot_open(path, errno, error, size);
        free_all(j);
        return NULL;
    }
    init_locks(j);
    int rc = start_thread(j);
    if (rc != 0) {
        snprintf(error, size, "log %s: no thread: %s", path, strerror(rc));
        free_all(j);
        return NULL;
    }
    return j;
}

bool journal_write(struct journal *j, const char *line, size_t n)
{
    assert(n > 0 && line[n - 1] == '\n');
    pthread_mutex_lock(&j->mutex);
    bool fits = n <= j->room - j->fill.len;
    if (fits) {
        memcpy(j->fill.p + j->fill.len, line, n);
        j->fill.len += n;
    }
    bool wake = j->fill.len >= j->wake_at;
    if (wake)
        j->wake_at = SIZE_MAX;
    pthread_mutex_unlock(&j->mutex);
    if (wake)
        pthread_cond_signal(&j->wake);
    if (!fits)
        atomic_fetch_add(&j->refused, 1);
    return fits;
}

void journal_reopen(struct journal *j)
{
    if (strcmp(j->path, "-") == 0)
        return;
    pthread_mutex_lock(&j->mutex);
    j->reopen = true;
    pthread_mutex_unlock(&j->mutex);
    pthread_cond_signal(&j->wake);
}

uint64_t journal_written(const struct journal *j)
{
    return atomic_load(&j->written);
}

uint64_t journal_dropped(const struct journal *j)
{
    return atomic_load(&j->refused) + atomic_load(&j->lost);
}

void journal_close(struct journal *j, uint32_t wait_ms, uint64_t *written, uint64_t *dropped)
{
    atomic_store(&j->stop_at_ms, now_ms() + wait_ms);
    pthread_mutex_lock(&j->mutex);
    j->stop = true;
    pthread_mutex_unlock(&j->mutex);
    pthread_cond_signal(&j->wake);
    eventfd_write(j->stop_fd, 1);
    pthread_join(j->thread, NULL);
    if (written != NULL)
        *written = journal_written(j);
    if (dropped != NULL)
        *dropped = journal_dropped(j);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->mutex);
    free_all(j);
}
