/* Who has been heard to speak which TLS lately: a bounded table of pairs of
 * source and destination, shared by all loops, behind short mutexes. It
 * answers two questions of a session that is about to be logged: is a hello
 * below the floor a stray one, of a client that also does better? And is a
 * healthy one worth a sighting, because something is known of its source? */
#ifndef ACQUAINTANCES_H
#define ACQUAINTANCES_H

#include "../lib/addr.h"

struct acquaintances;

/* `pairs`: how many are remembered; the oldest goes. NULL: out of memory. */
struct acquaintances *acquaintances_new(size_t pairs);
void acquaintances_free(struct acquaintances *a);

/* A hello at or above TLS 1.2 from a source to a destination ("": not known), at a time in milliseconds of
 * any clock that does not run backwards. Answers how many such connections are to be told
 * of in one sighting now: 0 mostly; those that have gathered once in a while, when the source is a marked one
 * or `tell`. */
uint64_t acquaintances_note_healthy(struct acquaintances *a, const struct tf_addr *source, const char *host,
                                    int64_t now_ms, bool tell);
/* A hello below TLS 1.2: true when the same source has offered better to the same destination within
 * window_ms, and not more than three such hellos have come since. */
bool acquaintances_note_below(struct acquaintances *a, const struct tf_addr *source, const char *host,
                              int64_t now_ms, int64_t window_ms);
/* Something is known of this source: its healthy connections are worth a sighting. */
void acquaintances_mark(struct acquaintances *a, const struct tf_addr *source);

#endif
