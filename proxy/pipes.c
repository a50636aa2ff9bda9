/* The pool of pipes; see pipes.h. */
#include "pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* What one splice moves at most. Larger pipes gain nothing more; smaller ones cost system calls, and below
 * SIZE_MIN, which is what a copy moves, more of them than copying does. */
enum { SIZE = 256 * 1024, SIZE_MIN = 64 * 1024 };

void pipes_init(struct pipes *all, size_t max)
{
    *all = (struct pipes){.max = max};
}

struct pipe *pipes_get(struct pipes *all)
{
    struct pipe *p = all->free;
    if (p != NULL) {
        all->free = p->next;
        return p;
    }
    if (all->open >= all->max)
        return NULL;
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return NULL;
    /* The kernel caps the pages of all pipes of a user: beyond that it keeps a pipe as it is, or makes it
     * tiny. */
    int size = fcntl(ends[1], F_SETPIPE_SZ, SIZE);
    if (size < 0)
        size = fcntl(ends[1], F_GETPIPE_SZ);
    p = size >= SIZE_MIN ? malloc(sizeof *p) : NULL;
    if (p == NULL) {
        close(ends[0]);
        close(ends[1]);
        return NULL;
    }
    *p = (struct pipe){.in = ends[1], .out = ends[0], .size = (uint32_t)size};
    all->open++;
    return p;
}

static void pipe_close(struct pipes *all, struct pipe *p)
{
    close(p->in);
    close(p->out);
    free(p);
    all->open--;
}

void pipes_put(struct pipes *all, struct pipe *p, bool used)
{
    if (used || all->open > all->max) {
        pipe_close(all, p);
        return;
    }
    p->next = all->free;
    all->free = p;
}

void pipes_fini(struct pipes *all)
{
    while (all->free != NULL) {
        struct pipe *p = all->free;
        all->free = p->next;
        pipe_close(all, p);
    }
}
