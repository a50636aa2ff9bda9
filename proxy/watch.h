/* Readiness of session sockets.
 *
 * Each loop has one edge-triggered epoll instance for all its sessions'
 * sockets, and that instance is itself watched by a single uv_poll: libuv
 * owns the loop, but a socket costs one epoll_ctl in its life instead of one
 * for every change of interest.
 *
 * The callback gets what became ready; its owner remembers that until a read
 * or write says EAGAIN, since an edge is not told twice. */
#ifndef WATCH_H
#define WATCH_H

#include <uv.h>

enum { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_ERROR = 4, WATCH_HANGUP = 8 };

typedef void watch_cb(void *arg, unsigned ready);

/* The registration of one socket. It is the watcher's memory: a stale event of the same batch can then never
 * reach memory that its owner has freed. */
struct watch;
struct watcher; /* one a loop */

struct watcher *watcher_new(uv_loop_t *loop); /* NULL with errno set */
void watcher_free(struct watcher *r); /* closes its uv handle; the memory goes when the loop has run that */

/* Adds fd for reading and writing, edge-triggered, once and for all. What is ready already is told as an edge
 * soon after. NULL with errno set. */
struct watch *watch_add(struct watcher *r, int fd, watch_cb *cb, void *arg);
/* Another owner takes the socket over, without a system call. Edges told before are not told again. */
void watch_hand_over(struct watch *w, watch_cb *cb, void *arg);
/* No callback any more. Call before closing the fd; the close itself takes it out of epoll. */
void watch_forget(struct watcher *r, struct watch *w);

#endif
