/* Listening sockets over reloads; see sockets.h. */
#include "sockets.h"

#include "listener.h"

#include <assert.h>
#include <fcntl.h>
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

/* Those that we have already, of the setting before. */
static void keep(struct bound *b, const struct bound *ours)
{
    b->actual = ours->actual;
    b->is_kept = ours->is_kept;
    memcpy(b->fds, ours->fds, b->fd_count * sizeof *b->fds);
}

/* Closes the first n; false. */
static bool give_up(struct bound *b, size_t n)
{
    while (n > 0)
        close(b->fds[--n]);
    return false;
}

/* Those that were open before us, n of them, shared where loops are more. */
static bool inherit(struct bound *b, struct inherited *in, size_t n, char *error, size_t size)
{
    inherited_take(in, &b->wanted, b->listener->name, b->fds, &b->actual, &b->is_kept);
    b->is_new = true;
    for (size_t i = 0; i < n; i++)
        if (!listener_adopt(b->fds[i], &b->actual, is_tproxy(b), error, size))
            return give_up(b, n);
    for (size_t i = n; i < b->fd_count; i++) {
        b->fds[i] = fcntl(b->fds[i % n], F_DUPFD_CLOEXEC, 0);
        if (b->fds[i] < 0) {
            snprintf(error, size, "out of file descriptors: raise the limit (ulimit -n, LimitNOFILE)");
            return give_up(b, i);
        }
    }
    return true;
}

/* `is_ours`: that we listen there ourselves is no reason not to. */
static bool open_anew(struct bound *b, bool is_ours, char *error, size_t size)
{
    b->actual = b->wanted;
    b->is_new = (is_ours || listener_is_free(&b->actual, error, size)) &&
                listener_open(&b->actual, is_tproxy(b), b->fds, b->fd_count, error, size);
    return b->is_new;
}

static bool bind_address(struct bound *b, const struct sockets *old, struct inherited *in, size_t loops,
                         char *error, size_t size)
{
    const struct bound *ours = find(old, b);
    bool stays = ours != NULL && is_tproxy(ours) == is_tproxy(b), ok = true;
    size_t inherited = in != NULL ? inherited_count(in, &b->wanted, b->listener->name) : 0;
    b->fd_count = stays ? ours->fd_count : inherited > loops ? inherited : loops;
    b->fds = calloc(b->fd_count, sizeof *b->fds);
    if (b->fds == NULL) {
        snprintf(error, size, "out of memory");
        return false;
    }
    if (stays)
        keep(b, ours);
    else if (inherited > 0)
        ok = inherit(b, in, inherited, error, size);
    else
        ok = open_anew(b, ours != NULL, error, size);
    if (!ok) {
        free(b->fds);
        return false;
    }
    for (size_t i = 0; i < b->fd_count; i++)
        listener_defer(b->fds[i], client_speaks_first(b->listener));
    return true;
}

bool sockets_open(struct sockets *s, const struct tf_conf *conf, const struct sockets *old,
                  struct inherited *inherited, size_t loops, char *error, size_t size)
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
            if (!bind_address(b, old, inherited, loops, error, size)) {
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
        if (s->list[i].is_new)
            give_up(&s->list[i], s->list[i].fd_count);
    sockets_free(s);
}

void sockets_free(struct sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->list[i].fds);
    free(s->list);
    *s = (struct sockets){.list = NULL};
}

struct listening *sockets_of_loop(const struct sockets *s, size_t index, size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < s->count; i++)
        total += s->list[i].fd_count;
    assert(total > 0);
    struct listening *list = calloc(total, sizeof *list);
    *count = 0;
    for (size_t i = 0; list != NULL && i < s->count; i++)
        for (size_t k = index; k < s->list[i].fd_count; k += s->loops)
            list[(*count)++] = (struct listening){s->list[i].fds[k], s->list[i].listener};
    return list;
}

void sockets_say_kept(const struct sockets *old, const struct sockets *new)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct bound *b = &old->list[i];
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        if (!b->is_kept || find(new, b) != NULL)
            continue;
        tf_put_addr_port(&w, &b->actual);
        fprintf(
            stderr,
            "tlsfloor: no listener is at %.*s any more, but the service manager still has its socket, where "
            "clients wait for nobody: take it out of tlsfloor.socket, and restart that\n",
            (int)w.len, text);
    }
}
