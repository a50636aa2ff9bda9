/* One direction of a tunnel: bytes from one link to the other, untouched. */
#ifndef RELAY_H
#define RELAY_H

#include "link.h"

/* A direction's state besides the links' own. Zeroed at first. */
struct flow {
    struct pipe *pipe; /* lent while it holds bytes or the direction is bulk; else NULL */
    uint32_t piped;    /* bytes in the pipe */
    bool bulk;         /* reads fill the buffer: splice */
    bool done;         /* the end of the stream, or the receiver's refusal, has been passed on */
};

enum pump {
    PUMP_IDLE,  /* until the next edge */
    PUMP_MORE,  /* there is more to do at once; come back after the others */
    PUMP_DONE,  /* this direction is over */
    PUMP_ERROR, /* the connection that is read from broke */
};

/* Moves what can be moved: first from's lookahead, then what its socket has; *bytes counts what `to` took. */
enum pump relay_pump(struct loop *loop, struct link *from, struct link *to, struct flow *flow,
                     uint64_t *bytes);
/* Lets go of what the direction holds. */
void flow_fini(struct flow *flow, struct loop *loop);

#endif
