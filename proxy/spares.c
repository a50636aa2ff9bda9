/* Connections kept for later; see spares.h. */
#include "spares.h"

#include "loop.h"

#include <stdlib.h>
#include <string.h>

struct spare {
    struct loop *loop;
    struct link link; /* fd -1: free */
    struct place place;
};

struct spares {
    struct spare spares[SPARES_MAX];
    unsigned next; /* the place that is filled next, round and round */
};

bool place_is(const struct place *place, const struct tf_target *target, bool is_secure)
{
    return place->is_secure == is_secure && place->target.port == target->port &&
           strcmp(place->target.host, target->host) == 0;
}

/* The end is acted on; what else a server says, such as session tickets, is looked at when it is taken. */
static void on_spare(void *arg, unsigned ready)
{
    struct spare *spare = arg;
    link_note(&spare->link, ready);
    if (spare->link.hangup || spare->link.failed)
        link_close(&spare->link, spare->loop, false);
}

static struct spares *new_spares(struct loop *loop)
{
    struct spares *all = malloc(sizeof *all);
    if (all == NULL)
        return NULL;
    all->next = 0;
    for (unsigned i = 0; i < SPARES_MAX; i++) {
        all->spares[i].loop = loop;
        link_init(&all->spares[i].link, -1);
    }
    return all;
}

void spares_put(struct spares **all, struct loop *loop, struct link *link, const struct place *place)
{
    if (*all == NULL)
        *all = new_spares(loop);
    if (*all == NULL || link->hangup || link->failed) {
        link_close(link, loop, false);
        return;
    }
    struct spare *spare = &(*all)->spares[(*all)->next++ % SPARES_MAX];
    link_close(&spare->link, loop, false);
    link_move(&spare->link, link);
    watch_hand_over(spare->link.watch, on_spare, spare);
    spare->place = *place;
}

bool spares_take(struct spares *all, const struct tf_target *target, bool is_secure, struct link *to,
                 struct place *place, watch_cb *cb, void *arg)
{
    for (unsigned i = 0; all != NULL && i < SPARES_MAX; i++) {
        struct spare *spare = &all->spares[i];
        if (spare->link.fd < 0 || !place_is(&spare->place, target, is_secure))
            continue;
        link_move(to, &spare->link);
        watch_hand_over(to->watch, cb, arg);
        *place = spare->place;
        return true;
    }
    return false;
}

void spares_free(struct spares **all, struct loop *loop)
{
    for (unsigned i = 0; *all != NULL && i < SPARES_MAX; i++)
        link_close(&(*all)->spares[i].link, loop, false);
    free(*all);
    *all = NULL;
}
