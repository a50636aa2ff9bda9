/* One side of a session: a socket, what is known of its readiness, the bytes
 * that were read from it and not consumed yet (the lookahead), and TLS where
 * the gateway speaks it on this side (tls_link.h); what is read and sent is
 * plain text then.
 *
 * I/O model: every socket is non-blocking and watched edge-triggered. A flag
 * says whether the socket may be ready; it is set by an edge and cleared by
 * a short read, a short write or EAGAIN. Whoever stops before that must come
 * back by itself. */
#ifndef LINK_H
#define LINK_H

#include "../lib/bytes.h"
#include "watch.h"
#include <stdbool.h>
#include <sys/types.h>

struct loop;
struct tls_link;

/* Bytes that were read and not consumed: at..end of p. From the loop's pool of blocks, or the heap. */
struct lookahead {
    uint8_t *p;
    uint32_t at, end, cap;
    bool is_gathered; /* counted in loop->gathered */
};

struct link {
    int fd; /* -1: not connected */
    bool readable, writable;
    bool eof;          /* the peer has sent its last byte, and we have read it */
    bool hangup;       /* an edge told of the peer's FIN: a short read is then not the end */
    bool failed;       /* an edge told of an error */
    bool shut;         /* we have sent our FIN */
    uint16_t own_port; /* of a server's: what own_ports_add said */
    /* A dialled one, in steps_approach.c: how far it has come, and how much of what is being sent for that
     * has gone out. */
    uint8_t approach;
    uint16_t approach_sent;
    struct watch *watch;
    struct lookahead ahead;
    struct tls_link *tls; /* NULL: none */
};

enum link_io {
    LINK_OK,
    LINK_AGAIN, /* nothing more now */
    LINK_EOF,
    LINK_ERROR,    /* errno is set: the connection is gone */
    LINK_FULL,     /* the lookahead has reached its bound */
    LINK_NO_MEMORY /* ... or there is none for more, or none under [limits] lookahead_bytes */
};

void link_init(struct link *l, int fd);
bool link_watch(struct link *l, struct loop *loop, watch_cb *cb, void *arg); /* once, if not watched yet */
void link_note(struct link *l, unsigned ready);                              /* an edge came */

/* Reads what there is, up to `room` bytes, past the lookahead: LINK_OK, LINK_AGAIN, LINK_EOF or LINK_ERROR. A
 * link that is still readable after LINK_AGAIN wants another turn at once (tls_link_has_more). */
enum link_io link_recv(struct link *l, void *p, size_t room, size_t *n);
/* Reads once more into the lookahead, which grows up to `limit` bytes. */
enum link_io link_fill(struct link *l, struct loop *loop, size_t limit);
struct tf_span lookahead_rest(const struct lookahead *a); /* what is not consumed yet */
struct tf_span link_ahead(const struct link *l);
void link_consume(struct link *l, struct loop *loop, size_t n); /* frees the lookahead when nothing is left */
void lookahead_drop(struct lookahead *a, struct loop *loop);
/* Keeps p[0..n), which were read past the lookahead, as the lookahead; there must be none. At most a relay
 * buffer's size for each direction of a tunnel, so [limits] lookahead_bytes neither bounds it nor is used up
 * by it: slow readers must not keep others from being heard. False: out of memory. */
bool link_stash(struct link *l, struct loop *loop, const void *p, size_t n);

/* Sends what it can of p[0..n): LINK_OK (all), LINK_AGAIN (*sent says how much) or LINK_ERROR. */
enum link_io link_send(struct link *l, const void *p, size_t n, size_t *sent);
enum link_io link_send_raw(struct link *l, const void *p, size_t n,
                           size_t *sent); /* past TLS, for its own records */
/* The same for what goes right before link_shut or link_close: the FIN then shares its segment. */
enum link_io link_send_last(struct link *l, const void *p, size_t n, size_t *sent);
/* close_notify, where there is TLS, and the FIN; once. False: again when the socket is writable. */
bool link_shut(struct link *l);
/* The FIN alone: with TLS, the peer sees that what it has got so far may not be all. */
void link_shut_raw(struct link *l);
void link_move(struct link *to,
               struct link *from); /* `from` is not connected then; the watch is still told as before */
/* Forgets the watch, drops the lookahead, closes. With `reset` the peer gets an RST: it must not take a
 * broken stream for a whole one. */
void link_close(struct link *l, struct loop *loop, bool reset);

#endif
