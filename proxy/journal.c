/* The log thread and its queue; see journal.h. What a line says is not known
 * here, only that it ends in a newline, and whom it stands for.
 *
 * The queue is two batches. Producers append to one under a short mutex, the
 * thread has the other written, and they are swapped when it comes back.
 * Producers wake the thread only when the fill level reaches `wake_at`: the
 * first byte while it is idle, half the room while it gathers lines, never
 * while it writes. Thus a flood costs one write for many lines, and a lone
 * line waits GATHER_MS.
 *
 * Every line ends in exactly one of two counts: written, or, with as many
 * connections as it stands for, dropped: because the queue was full, or
 * because the sink did not take it. */
#include "journal.h"

#include "../lib/syslog.h"
#include "clock.h"
#include "sink.h"
#include "thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { GATHER_MS = 2, PAUSE_MS = 250 };

struct journal {
    struct journal_options options; /* its texts are copies */
    size_t room;                    /* of each batch, in bytes of text and of lines' descriptions together */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the block below */
    pthread_cond_t wake;
    struct sink_batch fill;
    size_t wake_at; /* fill level that wakes the thread; SIZE_MAX: it is not asleep */
    bool reopen, ending;

    struct sink_stop stop;
    _Atomic(uint64_t) written, dropped[JOURNAL_KINDS];

    /* The thread's own. */
    struct sink_batch batch;
    struct sink *sink;
};

/* --- the queue --- */

static size_t fill_level(const struct journal *j)
{
    return j->fill.size + j->fill.count * sizeof *j->fill.lines;
}

/* The mutex is held. */
static bool append(struct journal *j, const char *line, struct sink_line about)
{
    struct sink_batch *fill = &j->fill;
    if (about.size + sizeof about > j->room - fill_level(j))
        return false;
    memcpy(fill->text + fill->size, line, about.size);
    fill->size += about.size;
    fill->lines[fill->count++] = about;
    return true;
}

/* Memory that is never touched costs nothing: each of the two parts has room for the most there can be of it.
 */
static bool batch_init(struct sink_batch *batch, size_t room)
{
    *batch = (struct sink_batch){.text = malloc(room), .lines = malloc(room)};
    return batch->text != NULL && batch->lines != NULL;
}

static void batch_fini(struct sink_batch *batch)
{
    free(batch->text);
    free(batch->lines);
}

/* --- the thread --- */

/* Has the batch written. False: the sink is out of order. */
static bool deliver(struct journal *j)
{
    bool ok = j->sink->type->write(j->sink, &j->batch);
    uint64_t written = 0;
    for (size_t i = 0; i < j->batch.count; i++) {
        const struct sink_line *line = &j->batch.lines[i];
        written += line->is_written;
        if (!line->is_written)
            atomic_fetch_add(&j->dropped[line->kind], line->connections);
    }
    atomic_fetch_add(&j->written, written);
    return ok;
}

/* Sleeps until the queue holds wake_at bytes, for ms at most (SINK_FOREVER: no end), or until it is told to
 * reopen or to end. The mutex is held. */
static void sleep_until(struct journal *j, size_t wake_at, int64_t ms)
{
    int64_t end = ms == SINK_FOREVER ? SINK_FOREVER : clock_steady_ms() + ms;
    struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    int rc = 0;
    j->wake_at = wake_at;
    while (rc == 0 && fill_level(j) < wake_at && !j->reopen && !j->ending)
        rc = end == SINK_FOREVER ? pthread_cond_wait(&j->wake, &j->mutex)
                                 : pthread_cond_timedwait(&j->wake, &j->mutex, &until);
    j->wake_at = SIZE_MAX;
}

static void swap_batches(struct journal *j)
{
    struct sink_batch filled = j->fill;
    j->fill = j->batch;
    j->fill.size = j->fill.count = 0;
    j->batch = filled;
}

static void *run(void *arg)
{
    struct journal *j = arg;
    bool ending = false;
    bool failed = false;
    while (!ending) {
        pthread_mutex_lock(&j->mutex);
        if (failed)
            sleep_until(j, SIZE_MAX, PAUSE_MS);
        sleep_until(j, 1, SINK_FOREVER);
        sleep_until(j, j->room / 2, GATHER_MS);
        swap_batches(j);
        ending = j->ending;
        bool reopen = j->reopen;
        j->reopen = false;
        pthread_mutex_unlock(&j->mutex);
        /* In this order: what was queued after journal_reopen is in this batch, and goes to the new file. */
        if (reopen && j->sink->type->reopen != NULL)
            j->sink->type->reopen(j->sink);
        failed = j->batch.count > 0 && !deliver(j);
    }
    return NULL;
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
    if (j->sink != NULL)
        j->sink->type->close(j->sink);
    if (j->stop.fd >= 0)
        close(j->stop.fd);
    batch_fini(&j->fill);
    batch_fini(&j->batch);
    free((char *)j->options.sink);
    free((char *)j->options.name);
    free(j);
}

static const struct sink_type *type_of(const char *sink)
{
    return tf_syslog_is(sink, strlen(sink)) ? &sink_syslog : &sink_file;
}

static bool open_sink(struct journal *j, char *error, size_t size)
{
    const struct sink_type *type = type_of(j->options.sink);
    j->sink = type->open(&j->options, error, size);
    if (j->sink == NULL)
        return false;
    j->sink->type = type;
    j->sink->options = &j->options;
    j->sink->stop = &j->stop;
    return true;
}

struct journal *journal_open(const struct journal_options *options, char *error, size_t size)
{
    struct journal *j = calloc(1, sizeof *j);
    if (j == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    j->options = *options;
    j->options.sink = strdup(options->sink);
    j->options.name = strdup(options->name);
    j->room = options->bytes;
    j->wake_at = SIZE_MAX;
    atomic_init(&j->stop.at_ms, SINK_FOREVER);
    j->stop.fd = eventfd(0, EFD_CLOEXEC);
    bool has_room = batch_init(&j->fill, j->room) && batch_init(&j->batch, j->room);
    if (!has_room || j->stop.fd < 0 || j->options.sink == NULL || j->options.name == NULL) {
        snprintf(error, size, "log %s: no resources: %s", options->sink, strerror(errno));
        free_all(j);
        return NULL;
    }
    if (!open_sink(j, error, size)) {
        free_all(j);
        return NULL;
    }
    init_locks(j);
    int rc = thread_start(&j->thread, "log", run, j);
    if (rc != 0) {
        snprintf(error, size, "log %s: no thread: %s", options->sink, strerror(rc));
        free_all(j);
        return NULL;
    }
    return j;
}

bool journal_is(const struct journal *j, const struct journal_options *options)
{
    return strcmp(j->options.sink, options->sink) == 0 && strcmp(j->options.name, options->name) == 0 &&
           j->options.is_w3c == options->is_w3c;
}

bool journal_write(struct journal *j, const char *line, size_t n, enum journal_kind kind,
                   uint64_t connections)
{
    assert(n > 0 && n <= UINT32_MAX && line[n - 1] == '\n');
    pthread_mutex_lock(&j->mutex);
    bool fits = append(j, line, (struct sink_line){(uint32_t)n, kind, connections, false});
    bool wake = fill_level(j) >= j->wake_at;
    if (wake)
        j->wake_at = SIZE_MAX;
    pthread_mutex_unlock(&j->mutex);
    if (wake)
        pthread_cond_signal(&j->wake);
    if (!fits)
        atomic_fetch_add(&j->dropped[kind], connections);
    return fits;
}

void journal_reopen(struct journal *j)
{
    pthread_mutex_lock(&j->mutex);
    j->reopen = true;
    pthread_mutex_unlock(&j->mutex);
    pthread_cond_signal(&j->wake);
}

void journal_count(const struct journal *j, struct journal_counts *counts)
{
    counts->written = atomic_load(&j->written);
    for (int kind = 0; kind < JOURNAL_KINDS; kind++)
        counts->dropped[kind] = atomic_load(&j->dropped[kind]);
}

void journal_close(struct journal *j, uint32_t wait_ms, struct journal_counts *counts)
{
    atomic_store(&j->stop.at_ms, clock_steady_ms() + wait_ms);
    pthread_mutex_lock(&j->mutex);
    j->ending = true;
    pthread_mutex_unlock(&j->mutex);
    pthread_cond_signal(&j->wake);
    eventfd_write(j->stop.fd, 1);
    pthread_join(j->thread, NULL);
    if (counts != NULL)
        journal_count(j, counts);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->mutex);
    free_all(j);
}
