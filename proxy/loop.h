/* A loop: one thread, one libuv loop, its listeners, sessions and pools.
 *
 * Nothing in it is shared with other loops. What comes from outside (a new
 * configuration, "drain", "stop") is a message; what others may look at is
 * the counters. */
#ifndef LOOP_H
#define LOOP_H

#include "census.h"
#include "conf_load.h"
#include "deadline.h"
#include "dial.h"
#include "digest.h"
#include "door.h"
#include "inventory.h"
#include "journal.h"
#include "linger.h"
#include "login.h"
#include "metrics.h"
#include "mint.h"
#include "original.h"
#include "pipes.h"
#include "pool.h"
#include "resume.h"
#include "rollup.h"
#include "tickets.h"
#include "tls.h"
#include "watch.h"

enum { LOOP_BLOCK_SIZE = 4096, LOOP_BUFFER_SIZE = 64 * 1024 };

struct session;

/* A bound socket of this loop, and the listener of the settings that it serves. */
struct listening {
    int fd;
    const struct tf_listener *listener;
};

/* What a loop works with from now on. Immutable; the gateway keeps it alive until every loop has moved on. */
struct setting {
    struct conf *conf;
    struct journal *block, *access; /* NULL: off */
    struct tls *tls;                /* NULL: nothing is upgraded */
    struct tickets *tickets;        /* keys of session tickets */
    const struct door *doors;       /* one a listener */
    size_t door_count;
    const char *parent_login; /* for the parent proxy, base64; "" where there is none */
    struct census *census;
    struct acquaintances *acquaintances;
    struct inventory *inventory; /* NULL: off */
    struct own_ports *own_ports; /* NULL: there is no transparent listener */
    struct listening *listening; /* this loop's */
    size_t listening_count;
    size_t session_max; /* of this loop */
};

/* Called on the loop's own thread when it is over. */
struct loop_end {
    void (*cb)(void *arg);
    void *arg;
};

struct loop_message;
struct acceptor;

struct loop {
    uv_loop_t uv;
    uv_thread_t thread;
    struct loop_end end;
    atomic_bool over;
    struct counters counters;

    struct watcher *watcher;
    struct dns *dns;
    struct dialer dialer;
    struct deadlines deadlines;
    struct lingers lingers;
    struct pipes pipes;
    struct pool blocks, sessions, setups;
    struct minter minter;
    struct resumer resumer;
    struct logins logins;
    struct rollups rollups;
    struct digests digests;
    uint8_t *buffer; /* LOOP_BUFFER_SIZE, for whoever runs */
    size_t gathered; /* bytes of lookaheads held now */

    const struct setting *setting;
    struct acceptor *acceptors;

    struct session *all; /* live sessions, newest first */
    size_t session_count;
    struct session *ready; /* sessions that have more to do at once */
    uv_idle_t idle;        /* runs while there are such */

    bool draining;
    uv_timer_t drain_timer;

    uv_async_t wake;
    uv_mutex_t mutex; /* guards the two below */
    struct loop_message *messages;
    bool is_deaf; /* `wake` is closed: what is still said is lost on it */
};

/* Makes the loop and what it owns, with its first setting; no thread yet. NULL, with a sentence in error; the
 * sockets of the setting are closed then, as far as the loop had taken them over. */
struct loop *loop_new(const struct setting *setting, struct loop_end end, char *error, size_t size);
bool loop_start(struct loop *l); /* the thread begins to run */
/* The loop moves over to `setting`: listeners that it lacks are closed, sessions live on. `done(arg)` is
 * called from the loop's thread when the old setting is out of use. False: out of memory. */
bool loop_change(struct loop *l, const struct setting *setting, void (*done)(void *arg), void *arg);
/* Closes the listeners; sessions, and refused clients that have not left yet, live on until `drain_ms` is
 * over (0: end at once). The thread ends with the last. `is_shared`: somebody else has the same sockets, and
 * goes on with them. */
bool loop_drain(struct loop *l, uint32_t drain_ms, bool is_shared);
/* Has done(arg) called from the loop's thread, unless the loop is over: it is there, and works. */
bool loop_ping(struct loop *l, void (*done)(void *arg), void *arg);
bool loop_is_over(const struct loop *l); /* every session has ended, and the thread has but to return */
void loop_join(struct loop *l);
void loop_free(struct loop *l); /* after loop_join; the counters are valid until then */

/* For sessions. */
bool loop_has_room(const struct loop *l, size_t n);          /* under [limits] lookahead_bytes */
void loop_forget_session(struct loop *l, struct session *s); /* it is over: gives its memory back */
void loop_make_ready(struct loop *l, struct session *s);     /* runs it again after the others */
int64_t loop_wall_us(const struct loop *l);                  /* UTC now */

/* For what keeps a draining loop alive: there may be nothing left. */
void loop_note_end(struct loop *l);

#endif
