/* The inventory's queue and thread; see inventory.h. What is summed up is in
 * roster.c, the file in inventory_store.c.
 *
 * The queue is two arrays: sessions fill one under a short mutex, the thread
 * works off the other, and they are swapped when it comes back. The roster is
 * changed by the thread alone, under its mutex; so the thread may read it
 * without, and does while it writes the file: nobody ever waits for the disk
 * with a lock in hand. */
#include "inventory.h"

#include "clock.h"
#include "inventory_store.h"
#include "thread.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    GATHER_MS = 5,       /* for a flood to cost one round for many sightings */
    STORE_MS = 1000,     /* between two transactions */
    PAUSE_MS = 2000,     /* after one that failed */
    IDLE_MS = 3600000,   /* clients grow old also while nothing is seen */
    LOCK_WAIT_MS = 1000, /* for the thread to sum up what was noted */
};

#define DAY_US (INT64_C(86400) * 1000000)

struct bounds {
    size_t clients, destinations;
    int64_t forget_us;
};

struct inventory {
    char *file;
    struct inventory_store *store; /* the thread's; NULL: memory only */
    struct acquaintances *acquaintances;
    size_t room; /* of each half of the queue */
    pthread_t thread;
    bool is_running; /* the thread, also while it ends */
    int heir;        /* where sightings are sent to, the thread's; else -1 */

    pthread_mutex_t queue_mutex; /* guards the block below */
    pthread_cond_t wake, summed_up;
    struct tf_sighting *fill;
    size_t fill_count;
    size_t wake_at;       /* fill_count that wakes the thread; SIZE_MAX: it is not asleep */
    uint64_t noted, done; /* sightings that came, and those that have been summed up */
    struct bounds bounds;
    bool is_urgent, stop; /* do not go on sleeping; and end */

    pthread_mutex_t roster_mutex;
    struct roster *roster;

    pthread_mutex_t events_mutex;   /* guards the block below */
    struct inventory_event *events; /* INVENTORY_EVENTS of them; number n is at n % INVENTORY_EVENTS */
    uint64_t last_event;

    _Atomic(uint64_t) dropped;
    atomic_bool failing;

    /* The thread's own. */
    struct tf_sighting *batch;
    size_t batch_count;
    struct bounds batch_bounds;
    int64_t earliest_ms; /* when the next transaction may be */
    int64_t due_ms;      /* when it will be */
};

static struct timespec timespec_of(int64_t ms)
{
    return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/* --- the thread --- */

/* Until so many sightings have come, something is urgent, or that time. The queue's mutex is held. */
static void sleep_until(struct inventory *inv, size_t count, int64_t until_ms)
{
    struct timespec until = timespec_of(until_ms);
    int rc = 0;
    inv->wake_at = count;
    while (rc == 0 && inv->fill_count < count && !inv->is_urgent)
        rc = pthread_cond_timedwait(&inv->wake, &inv->queue_mutex, &until);
    inv->wake_at = SIZE_MAX;
}

/* True: it is the last one. */
static bool take_batch(struct inventory *inv)
{
    pthread_mutex_lock(&inv->queue_mutex);
    sleep_until(inv, 1, inv->due_ms);
    sleep_until(inv, inv->room / 2, clock_steady_ms() + GATHER_MS);
    struct tf_sighting *filled = inv->fill;
    inv->fill = inv->batch;
    inv->batch = filled;
    inv->batch_count = inv->fill_count;
    inv->fill_count = 0;
    inv->batch_bounds = inv->bounds;
    inv->is_urgent = false;
    bool stop = inv->stop;
    pthread_mutex_unlock(&inv->queue_mutex);
    return stop;
}

static void sum_up(struct inventory *inv)
{
    pthread_mutex_lock(&inv->roster_mutex);
    roster_set_bounds(inv->roster, inv->batch_bounds.clients, inv->batch_bounds.destinations);
    for (size_t i = 0; i < inv->batch_count; i++)
        if (!roster_add(inv->roster, &inv->batch[i]))
            atomic_fetch_add(&inv->dropped, 1);
    pthread_mutex_unlock(&inv->roster_mutex);
}

static void mark(struct inventory *inv, const struct tf_addr *source)
{
    if (inv->acquaintances != NULL)
        acquaintances_mark(inv->acquaintances, source);
}

static void mark_legacy(struct inventory *inv)
{
    for (size_t i = 0; i < inv->batch_count; i++)
        if (tf_sighting_is_below(&inv->batch[i], TF_TLS12))
            mark(inv, &inv->batch[i].source);
}

static void keep_events(struct inventory *inv)
{
    pthread_mutex_lock(&inv->events_mutex);
    for (size_t i = 0; i < inv->batch_count; i++) {
        if (inv->batch[i].outcome == TF_OUTCOME_PASSED)
            continue;
        uint64_t number = ++inv->last_event;
        inv->events[number % INVENTORY_EVENTS] =
            (struct inventory_event){.number = number, .sighting = inv->batch[i]};
    }
    pthread_mutex_unlock(&inv->events_mutex);
}

static void finish_batch(struct inventory *inv)
{
    pthread_mutex_lock(&inv->queue_mutex);
    inv->done += inv->batch_count;
    pthread_mutex_unlock(&inv->queue_mutex);
    pthread_cond_broadcast(&inv->summed_up);
    if (inv->batch_count > 0 && inv->earliest_ms < inv->due_ms)
        inv->due_ms = inv->earliest_ms;
}

/* Once for each time that it fails. */
static void note_outcome(struct inventory *inv, bool failed, const char *error)
{
    if (failed && !inv->failing)
        fprintf(stderr, "tlsfloor: %s; what is seen is kept in memory, and tried again\n", error);
    if (!failed && inv->failing)
        fprintf(stderr, "tlsfloor: inventory %s: what was seen is stored again\n", inv->file);
    inv->failing = failed;
}

/* False: not now. */
static bool store(struct inventory *inv)
{
    char error[512];
    pthread_mutex_lock(&inv->roster_mutex);
    inventory_store_prepare(inv->store, inv->roster);
    pthread_mutex_unlock(&inv->roster_mutex);
    bool ok = inventory_store_write(inv->store, inv->roster, error, sizeof error);
    if (ok) {
        pthread_mutex_lock(&inv->roster_mutex);
        inventory_store_settle(inv->store, inv->roster);
        pthread_mutex_unlock(&inv->roster_mutex);
    }
    note_outcome(inv, !ok, error);
    return ok;
}

/* What is due now and then. */
static void tend(struct inventory *inv)
{
    pthread_mutex_lock(&inv->roster_mutex);
    roster_forget_before(inv->roster, clock_wall_us() - inv->batch_bounds.forget_us);
    pthread_mutex_unlock(&inv->roster_mutex);
    bool ok = inv->store == NULL || store(inv);
    int64_t now = clock_steady_ms();
    inv->earliest_ms = now + (ok ? STORE_MS : PAUSE_MS);
    inv->due_ms = ok ? now + IDLE_MS : inv->earliest_ms;
}

static void *run(void *arg)
{
    struct inventory *inv = arg;
    bool stop = false;
    while (!stop) {
        stop = take_batch(inv);
        sum_up(inv);
        mark_legacy(inv);
        keep_events(inv);
        finish_batch(inv);
        if (stop || clock_steady_ms() >= inv->due_ms)
            tend(inv);
    }
    return NULL;
}

/* False, from the first time on: who does not read, or has ended, is not waited for again. */
static bool send_to_heir(struct inventory *inv, const struct tf_sighting *s)
{
    if (inv->heir >= 0 && send(inv->heir, s, sizeof *s, MSG_NOSIGNAL) < 0)
        inv->heir = -1;
    return inv->heir >= 0;
}

static void *run_for_heir(void *arg)
{
    struct inventory *inv = arg;
    bool stop = false;
    while (!stop) {
        stop = take_batch(inv);
        for (size_t i = 0; i < inv->batch_count; i++)
            if (!send_to_heir(inv, &inv->batch[i]))
                atomic_fetch_add(&inv->dropped, 1);
        finish_batch(inv);
        inv->due_ms = clock_steady_ms() + IDLE_MS;
    }
    return NULL;
}

/* --- from any thread --- */

bool inventory_note(struct inventory *inv, const struct tf_sighting *s)
{
    pthread_mutex_lock(&inv->queue_mutex);
    bool fits = inv->fill_count < inv->room;
    if (fits) {
        inv->fill[inv->fill_count++] = *s;
        inv->noted++;
    }
    bool wake = inv->fill_count >= inv->wake_at;
    if (wake)
        inv->wake_at = SIZE_MAX;
    pthread_mutex_unlock(&inv->queue_mutex);
    if (wake)
        pthread_cond_signal(&inv->wake);
    if (!fits)
        atomic_fetch_add(&inv->dropped, 1);
    return fits;
}

uint64_t inventory_dropped(const struct inventory *inv)
{
    return atomic_load(&inv->dropped);
}

bool inventory_is_failing(const struct inventory *inv)
{
    return atomic_load(&inv->failing);
}

/* Wakes the thread; the queue's mutex is held. */
static void hurry(struct inventory *inv)
{
    inv->is_urgent = true;
    pthread_cond_signal(&inv->wake);
}

const struct roster *inventory_lock(struct inventory *inv)
{
    struct timespec until = timespec_of(clock_steady_ms() + LOCK_WAIT_MS);
    pthread_mutex_lock(&inv->queue_mutex);
    uint64_t noted = inv->noted;
    for (int rc = 0; rc == 0 && inv->done < noted;) {
        hurry(inv);
        rc = pthread_cond_timedwait(&inv->summed_up, &inv->queue_mutex, &until);
    }
    pthread_mutex_unlock(&inv->queue_mutex);
    pthread_mutex_lock(&inv->roster_mutex);
    return inv->roster;
}

void inventory_unlock(struct inventory *inv)
{
    pthread_mutex_unlock(&inv->roster_mutex);
}

size_t inventory_events(struct inventory *inv, uint64_t after, struct inventory_event *out, size_t n)
{
    size_t count = 0;
    pthread_mutex_lock(&inv->events_mutex);
    uint64_t last = inv->last_event;
    if (last > INVENTORY_EVENTS && after < last - INVENTORY_EVENTS)
        after = last - INVENTORY_EVENTS;
    while (after < last && count < n)
        out[count++] = inv->events[++after % INVENTORY_EVENTS];
    pthread_mutex_unlock(&inv->events_mutex);
    return count;
}

static struct bounds bounds_of(const struct inventory_options *options)
{
    return (struct bounds){options->clients, options->destinations, options->forget_days * DAY_US};
}

void inventory_set_bounds(struct inventory *inv, const struct inventory_options *options)
{
    pthread_mutex_lock(&inv->queue_mutex);
    inv->bounds = bounds_of(options);
    hurry(inv);
    pthread_mutex_unlock(&inv->queue_mutex);
}

/* --- beginning and end --- */

static void init_locks(struct inventory *inv)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inv->wake, &attributes);
    pthread_cond_init(&inv->summed_up, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&inv->queue_mutex, NULL);
    pthread_mutex_init(&inv->roster_mutex, NULL);
    pthread_mutex_init(&inv->events_mutex, NULL);
}

static void free_all(struct inventory *inv)
{
    inventory_store_close(inv->store);
    roster_free(inv->roster);
    free(inv->events);
    free(inv->fill);
    free(inv->batch);
    free(inv->file);
    pthread_cond_destroy(&inv->wake);
    pthread_cond_destroy(&inv->summed_up);
    pthread_mutex_destroy(&inv->queue_mutex);
    pthread_mutex_destroy(&inv->roster_mutex);
    pthread_mutex_destroy(&inv->events_mutex);
    free(inv);
}

static struct inventory *new_inventory(const struct inventory_options *options)
{
    struct inventory *inv = calloc(1, sizeof *inv);
    if (inv == NULL)
        return NULL;
    init_locks(inv);
    inv->acquaintances = options->acquaintances;
    inv->room = options->queue;
    inv->heir = -1;
    inv->wake_at = SIZE_MAX;
    inv->bounds = bounds_of(options);
    inv->file = strdup(options->file);
    inv->roster = roster_new(options->clients, options->destinations);
    inv->events = calloc(INVENTORY_EVENTS, sizeof *inv->events);
    inv->fill = calloc(inv->room, sizeof *inv->fill);
    inv->batch = calloc(inv->room, sizeof *inv->batch);
    if (inv->file != NULL && inv->roster != NULL && inv->events != NULL && inv->fill != NULL &&
        inv->batch != NULL)
        return inv;
    free_all(inv);
    return NULL;
}

static bool load(struct inventory *inv, char *error, size_t size)
{
    if (strcmp(inv->file, "memory") == 0)
        return true;
    inv->store = inventory_store_open(inv->file, inv->roster, error, size);
    if (inv->store == NULL)
        return false;
    for (size_t i = 0; i < roster_count(inv->roster); i++)
        if (roster_at(inv->roster, i)->below_us != 0)
            mark(inv, &roster_at(inv->roster, i)->source);
    return true;
}

static bool start_thread(struct inventory *inv, void *(*work)(void *arg), char *error, size_t size)
{
    inv->stop = false;
    int rc = thread_start(&inv->thread, "inventory", work, inv);
    inv->is_running = rc == 0;
    if (rc != 0)
        snprintf(error, size, "inventory %s: no thread: %s", inv->file, strerror(rc));
    return inv->is_running;
}

static void end_thread(struct inventory *inv)
{
    if (!inv->is_running)
        return;
    pthread_mutex_lock(&inv->queue_mutex);
    inv->stop = true;
    hurry(inv);
    pthread_mutex_unlock(&inv->queue_mutex);
    pthread_join(inv->thread, NULL);
    inv->is_running = false;
}

struct inventory *inventory_open(const struct inventory_options *options, char *error, size_t size)
{
    assert(options->queue > 0);
    struct inventory *inv = new_inventory(options);
    if (inv == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    if (load(inv, error, size) && start_thread(inv, run, error, size))
        return inv;
    free_all(inv);
    return NULL;
}

void inventory_close(struct inventory *inv)
{
    if (inv == NULL)
        return;
    end_thread(inv);
    free_all(inv);
}

/* --- to another gateway, and back --- */

void inventory_let_go(struct inventory *inv)
{
    end_thread(inv);
    inventory_store_close(inv->store);
    inv->store = NULL;
    roster_on_forget(inv->roster, NULL, NULL); /* it was the store that was told */
}

/* The other gateway may have written to the file, so the roster becomes what the file holds now. */
static bool reread(struct inventory *inv, char *error, size_t size)
{
    struct roster *before = inv->roster, *now = roster_new(inv->bounds.clients, inv->bounds.destinations);
    snprintf(error, size, "out of memory");
    if (now != NULL)
        inv->store = inventory_store_open(inv->file, now, error, size);
    if (inv->store == NULL) {
        roster_free(now);
        return false;
    }
    pthread_mutex_lock(&inv->roster_mutex);
    inv->roster = now;
    pthread_mutex_unlock(&inv->roster_mutex);
    roster_free(before);
    return true;
}

void inventory_take_back(struct inventory *inv)
{
    char error[512];
    if (strcmp(inv->file, "memory") != 0 && !reread(inv, error, sizeof error))
        fprintf(stderr, "tlsfloor: %s; the inventory goes on in memory until the next start\n", error);
    if (!start_thread(inv, run, error, sizeof error))
        fprintf(stderr, "tlsfloor: %s\n", error);
}

void inventory_pass_on(struct inventory *inv, int fd)
{
    char error[256];
    inv->heir = fd;
    if (!start_thread(inv, run_for_heir, error, sizeof error))
        fprintf(stderr, "tlsfloor: %s\n", error);
}
