/* Listening sockets over reloads; see sockets.h. */
#include "sockets.h"

#include "listener.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is bound already where `wanted` wants to be. Port 0, any that is free, is another one for each
 * listener. */
static const struct bound *find(const struct sockets *s, const struct bound *wanted)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct bound *b = &s->list[i];
        if (b->wanted.port == wanted->wanted.port && tf_addr_same_ip(&b->wanted, &wanted->wanted) &&
            (b->wanted.port != 0 || strcmp(b->listener->name, wanted->listener->name) == 0))
            return b;
    }
    return NULL;
}

static bool is_tproxy(const struct bound *b)
{
    return b->listener->kind == TF_KIND_TRANSPARENT && b->listener->intercept == TF_INTERCEPT_TPROXY;
}

/* Not with mail, whose servers greet their clients; a transparent listener does not know before. */
static bool client_speaks_first(const struct tf_listener *l)
{
    return l->kind != TF_KIND_TRANSPARENT && (l->kind != TF_KIND_FORWARD || l->protocol < TF_PROTOCOL_SMTP);
}

/* Into b->fds, from `old` or anew. */
static bool take_sockets(struct bound *b, const struct sockets *old, size_t loops, char *error, size_t size)
{
    const struct bound *ours = find(old, b);
    if (ours != NULL && is_tproxy(ours) == is_tproxy(b)) {
        b->actual = ours->actual;
        for (size_t i = 0; i < loops; i++)
            b->fds[i] = ours->fds[i];
        return true;
    }
    b->actual = b->wanted;
    b->is_new = (ours != NULL || listener_is_free(&b->actual, error, size)) &&
                listener_open(&b->actual, is_tproxy(b), b->fds, loops, error, size);
    return b->is_new;
}

static bool bind_address(struct bound *b, const struct sockets *old, size_t loops, char *error, size_t size)
{
    b->fds = calloc(loops, sizeof *b->fds);
    if (b->fds == NULL) {
        snprintf(error, size, "out of memory");
        return false;
    }
    if (!take_sockets(b, old, loops, error, size)) {
        free(b->fds);
        return false;
    }
    for (size_t i = 0; i < loops; i++)
        listener_defer(b->fds[i], client_speaks_first(b->listener));
    return true;
}

bool sockets_open(struct sockets *s, const struct tf_conf *conf, const struct sockets *old, size_t loops,
                  char *error, size_t size)
{
    size_t total = 0;
    for (const struct tf_listener *l = conf->listeners; l != NULL; l = l->next)
        total += l->address_count;
    assert(total > 0); /* without a listener the settings are not valid */
    *s = (struct sockets){.list = calloc(total, sizeof *s->list), .loops = loops};
    if (s->list == NULL) {
        snprintf(error, size, "out of memory");
        return false;
    }
    for (const struct tf_listener *l = conf->listeners; l != NULL; l = l->next)
        for (size_t i = 0; i < l->address_count; i++) {
            struct bound *b = &s->list[s->count];
            *b = (struct bound){.wanted = l->addresses[i], .listener = l};
            if (!bind_address(b, old, loops, error, size)) {
                sockets_undo(s);
                return false;
            }
            s->count++;
        }
    return true;
}

void sockets_undo(struct sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; s->list[i].is_new && k < s->loops; k++)
            close(s->list[i].fds[k]);
    sockets_free(s);
}

void sockets_free(struct sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->list[i].fds);
    free(s->list);
    *s = (struct sockets){.list = NULL};
}

struct listening *sockets_of_loop(const struct sockets *s, size_t index)
{
    struct listening *list = calloc(s->count, sizeof *list);
    for (size_t i = 0; list != NULL && i < s->count; i++)
        list[i] = (struct listening){s->list[i].fds[index], s->list[i].listener};
    return list;
}
