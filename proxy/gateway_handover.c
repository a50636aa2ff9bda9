/* SIGUSR2: a new binary takes over, and this process drains; see
 * gateway_parts.h. What fails leaves everything as it was. */
#include "gateway_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what is handed over --- */

/* Every listening socket, and a last place that is left free. NULL: out of memory. */
static struct handed *list_sockets(const struct gateway *g, size_t *count)
{
    const struct sockets *s = &g->stage.sockets;
    size_t total = 2; /* the admin's, and the free place */
    for (size_t i = 0; i < s->count; i++)
        total += s->list[i].fd_count;
    struct handed *list = calloc(total, sizeof *list);
    *count = 0;
    for (size_t i = 0; list != NULL && i < s->count; i++) {
        const struct bound *b = &s->list[i];
        for (size_t k = 0; k < b->fd_count; k++)
            list[(*count)++] = (struct handed){b->fds[k], b->listener->name, b->is_kept ? INHERIT_KEPT : ""};
    }
    if (list != NULL && g->admin != NULL)
        list[(*count)++] = (struct handed){admin_fd(g->admin), INHERIT_ADMIN, ""};
    ++*count;
    return list;
}

/* --- what happens --- */

static void let_go_of_inventory(void *arg)
{
    struct gateway *g = arg;
    if (g->stage.inventory != NULL && !g->has_let_go)
        inventory_let_go(g->stage.inventory);
    g->has_let_go = true;
}

static void take_inventory_back(struct gateway *g)
{
    if (g->stage.inventory != NULL && g->has_let_go)
        inventory_take_back(g->stage.inventory);
    g->has_let_go = false;
}

static void on_failed(void *arg, const char *why)
{
    struct gateway *g = arg;
    take_inventory_back(g);
    fprintf(stderr, "tlsfloor: not handed over, this gateway goes on: process %d: %s\n",
            (int)g->handover.successor.pid, why);
}

/* The service manager hears of the new process from us, as long as we are the one that it listens to. */
static void on_ready(void *arg)
{
    struct gateway *g = arg;
    fprintf(stderr, "tlsfloor: handed over: process %d takes the connections from now on\n",
            (int)g->handover.successor.pid);
    notify(&g->notifier, "MAINPID=%d", (int)g->handover.successor.pid);
    notifier_mute(&g->notifier);
    g->is_handed_over = true;
    g->heir = handover_finish(&g->handover);
    if (g->stage.inventory != NULL && g->handover.reads_sightings)
        inventory_pass_on(g->stage.inventory, g->heir);
    else if (g->stage.inventory != NULL)
        gateway_say(
            "the new gateway is of another kind: its inventory lacks what sessions show that end here");
    if (g->admin != NULL)
        admin_close_door(g->admin);
    gateway_begin_drain(g);
}

/* --- the signal --- */

static void begin(struct gateway *g)
{
    struct handover_events events = {g, let_go_of_inventory, on_ready, on_failed};
    size_t count;
    struct handed *list = list_sockets(g, &count);
    if (list != NULL &&
        handover_begin(&g->handover, &g->program, list, count, g->stage.conf->tf.limits.handover_ms, events))
        fprintf(stderr, "tlsfloor: handing over to a new %s, process %d\n", g->program.path,
                (int)g->handover.successor.pid);
    else
        fprintf(stderr, "tlsfloor: not handed over: %s\n", strerror(errno));
    free(list);
}

void gateway_hand_over(struct gateway *g)
{
    if (g->phase != SERVING)
        gateway_say("not handed over: this gateway is about to end");
    else if (handover_is_under_way(&g->handover))
        gateway_say("a handover is under way already");
    else if (getpid() == 1)
        gateway_say(
            "not handed over: this is process 1 of a container, which would end with it; roll out a new "
            "image instead");
    else if (g->program.path == NULL)
        gateway_say("not handed over: /proc does not tell how this program was started; restart it instead");
    else
        begin(g);
}

void gateway_cancel_handover(struct gateway *g)
{
    if (!handover_is_under_way(&g->handover))
        return;
    handover_cancel(&g->handover);
    take_inventory_back(g);
    fprintf(stderr, "tlsfloor: not handed over: process %d is ended as well\n",
            (int)g->handover.successor.pid);
}
