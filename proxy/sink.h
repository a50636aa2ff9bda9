/* Where the lines of a journal go. A sink is a small const struct of
 * functions; what it keeps begins with a `struct sink`. Only the journal's
 * thread writes, and it may wait: whatever it waits for, it waits for
 * together with the journal's end. */
#ifndef SINK_H
#define SINK_H

#include "journal.h"

#include <stdatomic.h>

/* One line of a batch, kept beside the text. */
struct sink_line {
    uint32_t size; /* with its newline */
    enum journal_kind kind;
    uint64_t connections;
    bool is_written; /* set by the sink */
};

/* Lines one behind the other, and what each is. */
struct sink_batch {
    char *text;
    size_t size;
    struct sink_line *lines;
    size_t count;
};

#define SINK_FOREVER INT64_MAX

/* When the thread has to give up what it waits for. */
struct sink_stop {
    _Atomic(int64_t) at_ms; /* as of clock_steady_ms; SINK_FOREVER: not yet known */
    int fd;                 /* readable once it is */
};

struct sink {
    const struct sink_type *type;
    const struct journal_options *options; /* the journal's */
    const struct sink_stop *stop;          /* the journal's */
    bool failing;                          /* said so on standard error */
};

struct sink_type {
    /* NULL, with a sentence in error[0..size). The caller fills in the rest of `struct sink`. */
    struct sink *(*open)(const struct journal_options *options, char *error, size_t size);
    void (*close)(struct sink *sink);
    /* Writes the lines of a batch in order, each whole or not at all, and sets is_written of those that it
     * wrote. False: the sink is out of order, and another attempt should wait. */
    bool (*write)(struct sink *sink, struct sink_batch *batch);
    void (*reopen)(struct sink *sink); /* for log rotation; NULL: there is nothing to open anew */
};

extern const struct sink_type sink_file;   /* a path, or "-" */
extern const struct sink_type sink_syslog; /* "syslog:..." */

/* Waits until a descriptor is ready for `events`, or in error. False: time is up. */
bool sink_wait(const struct sink_stop *stop, int fd, short events);
/* Waits for `ms`, or less when the end is near. False: time is up. */
bool sink_pause(const struct sink_stop *stop, int ms);
/* Says on standard error that lines no longer, or again, get through; once each time that it changes. */
void sink_note_failure(struct sink *sink, const char *why);
void sink_note_recovery(struct sink *sink);
const char *sink_title(const struct journal_options *options); /* what messages call it */

#endif
