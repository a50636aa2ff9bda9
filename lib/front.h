/* A front: the dialogue in which a client says where it wants to go, as a
 * pure function of bytes. A front is one const struct, one file, one test,
 * and one row in the table of routes (`proxy/session.c`). */
#ifndef TF_FRONT_H
#define TF_FRONT_H

#include "facts.h"

enum tf_side { TF_CLIENT, TF_SERVER };

enum tf_feed {
    TF_FEED_MORE,   /* feed again when more bytes are there, or the writers have been emptied */
    TF_FEED_TARGET, /* facts->target and facts->ask are set; the session checks, dials, then calls answer */
    TF_FEED_AGAIN,  /* this exchange is over; both sides may serve another: feed the client's bytes anew */
    TF_FEED_CLOSE,  /* this exchange is over: flush what was written to the client, and close */
    TF_FEED_SWITCH, /* both sides have agreed on another protocol: flush, and let its bytes pass */
    TF_FEED_BAD     /* facts->reason (and detail) say why; refuse with it */
};

/* One call's bytes. The front sets `used` to what it consumed of `in`; the
 * caller keeps the rest and shows it again. Output goes to the writers,
 * whose room is the caller's bound: a front consumes no more than it could
 * write. `eof`: this side has sent its last byte (`in` holds the rest). */
struct tf_feed_io {
    struct tf_span in;
    bool eof;
    size_t used;
    struct tf_writer *to_client;
    struct tf_writer *to_server;
    const struct tf_policy *policy;   /* which other hosts are upgraded */
    const struct tf_target *upstream; /* of a `forward` listener: where all of its clients go; else NULL */
};

struct tf_front {
    const char *name;
    size_t state_size; /* the session keeps so many bytes, zeroed at first, suitably aligned */
    /* Bytes from one side. */
    enum tf_feed (*feed)(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts);
    /* The destination is connected: say so to the client, or begin with the server. */
    void (*answer)(void *state, struct tf_feed_io *io, struct tf_facts *facts);
    /* A refusal for facts->reason, in this protocol's tongue. `state` may be NULL. Writes nothing
     * when the protocol has no words for it; then the connection is just closed. */
    void (*refuse)(void *state, struct tf_writer *to_client, const struct tf_facts *facts);
};

extern const struct tf_front tf_front_http; /* front_http.c: CONNECT and absolute-form requests */
extern const struct tf_front tf_front_tls;  /* front_tls.c: no dialogue; refuses with alerts */

#endif
