/* Deadlines of sessions: a list per length, each in order of time because
 * new entries go to its end, and one timer for a loop. Setting, moving and
 * clearing cost a few pointer writes, however many there are. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* In its owner's storage. Zeroed: not set. */
struct deadline {
    struct deadline *prev, *next;
    uint64_t at_ms;
};

typedef void deadline_cb(struct deadline *d); /* it is not set any more when this is called */

struct deadline_list {
    uint32_t length_ms;
    struct deadline head; /* of a ring */
    struct deadline_list *next;
};

struct deadlines {
    uv_timer_t timer;
    uint64_t armed_ms; /* when the timer fires; UINT64_MAX: it is not armed */
    deadline_cb *cb;
    struct deadline_list *lists;
};

void deadlines_init(struct deadlines *all, uv_loop_t *loop, deadline_cb *cb);
void deadlines_close(struct deadlines *all); /* no deadline may be set; the timer closes with the loop */

/* (Re)sets d to length_ms from now. False: out of memory, d is not set. */
bool deadline_set(struct deadlines *all, struct deadline *d, uint32_t length_ms);
void deadline_clear(struct deadline *d);

#endif
