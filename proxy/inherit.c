/* Socket activation; see inherit.h. */
#include "inherit.h"

#include "sockaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 65536 };

static bool is_set(int fd, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, level, option, &value, &len) == 0 && value != 0;
}

/* --- what was passed --- */

/* A variable that is a number from 1 to max; else 0. */
static int number_of(const char *variable, long max)
{
    const char *text = getenv(variable);
    char *end;
    errno = 0;
    long n = text != NULL ? strtol(text, &end, 10) : 0;
    return text != NULL && errno == 0 && end != text && *end == '\0' && n > 0 && n <= max ? (int)n : 0;
}

/* The next of names with colons between them; "" when they are used up. */
static void next_name(const char **names, char name[INHERIT_NAME_MAX])
{
    size_t n = strcspn(*names, ":");
    snprintf(name, INHERIT_NAME_MAX, "%.*s", (int)n, *names);
    *names += (*names)[n] == ':' ? n + 1 : n;
}

/* Whether the name ended so; that is cut off. */
static bool cut_kept(char name[INHERIT_NAME_MAX])
{
    size_t n = strlen(name), tail = strlen(INHERIT_KEPT);
    bool is_kept = n >= tail && strcmp(name + n - tail, INHERIT_KEPT) == 0;
    if (is_kept)
        name[n - tail] = '\0';
    return is_kept;
}

static bool refuse(int fd, const struct sockaddr_storage *sa, char *error, size_t size)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)sa;
    char what[sizeof local->sun_path + 32];
    if (sa->ss_family == AF_UNIX && local->sun_path[0] != '\0')
        snprintf(what, sizeof what, "the unix socket %.*s", (int)sizeof local->sun_path, local->sun_path);
    else
        snprintf(what, sizeof what, "descriptor %d", fd);
    snprintf(
        error, size,
        "socket activation passed %s, which is no TCP socket that listens: have only ListenStream=PORT or "
        "ADDRESS:PORT in tlsfloor.socket, and Accept=no",
        what);
    return false;
}

/* Where a socket listens, as a configuration would have it: `*` for one that takes both families. */
static bool look(struct inherited_socket *s, char *error, size_t size)
{
    struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof sa;
    static const struct tf_addr every = {.family = TF_FAMILY_V6};
    bool is_ip = getsockname(s->fd, (struct sockaddr *)&sa, &len) == 0 &&
                 sockaddr_to_addr((struct sockaddr *)&sa, &s->address);
    int type = 0;
    len = sizeof type;
    if (!is_ip || getsockopt(s->fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM ||
        !is_set(s->fd, SOL_SOCKET, SO_ACCEPTCONN))
        return refuse(s->fd, &sa, error, size);
    if (tf_addr_same_ip(&s->address, &every) && !is_set(s->fd, IPPROTO_IPV6, IPV6_V6ONLY))
        s->address.family = TF_FAMILY_NONE;
    return true;
}

/* Takes one descriptor in. */
static bool add(struct inherited *in, int fd, const char *name, char *error, size_t size)
{
    struct inherited_socket *s = &in->list[in->count];
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        snprintf(error, size, "LISTEN_FDS names descriptor %d, which is not open", fd);
        return false;
    }
    if (strcmp(name, INHERIT_PREDECESSOR) == 0) {
        in->predecessor = fd;
        return true;
    }
    *s = (struct inherited_socket){.fd = fd};
    snprintf(s->name, sizeof s->name, "%s", name);
    s->is_kept = cut_kept(s->name);
    in->count++;
    return look(s, error, size);
}

bool inherited_find(struct inherited *in, char *error, size_t size)
{
    *in = (struct inherited){.predecessor = -1};
    const char *names = getenv("LISTEN_FDNAMES");
    int count = number_of("LISTEN_PID", INT32_MAX) == getpid() ? number_of("LISTEN_FDS", FDS_MAX) : 0;
    char name[INHERIT_NAME_MAX];
    bool ok = true;
    in->list = calloc((size_t)count + 1, sizeof *in->list);
    if (in->list == NULL) {
        snprintf(error, size, "out of memory");
        return false;
    }
    if (names == NULL)
        names = "";
    for (int i = 0; ok && i < count; i++) {
        next_name(&names, name);
        ok = add(in, INHERIT_FIRST + i, name, error, size);
    }
    for (size_t i = 0; i < in->count && in->predecessor < 0; i++)
        in->list[i].is_kept = true;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return ok;
}

/* --- who wants it --- */

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != EAFNOSUPPORT;
}

/* On a machine without IPv6 `*` is every IPv4 address (listener.c); elsewhere IPv6 would be missing. */
static bool is_same_place(const struct tf_addr *there, const struct tf_addr *wanted)
{
    static const struct tf_addr every = {.family = TF_FAMILY_V4};
    return tf_addr_same_ip(there, wanted) ||
           (wanted->family == TF_FAMILY_NONE && tf_addr_same_ip(there, &every) && !has_ipv6());
}

/* Port 0 is any port, so there the name decides. */
static bool is_for(const struct inherited_socket *s, const struct tf_addr *wanted, const char *name)
{
    bool is_port = wanted->port != 0 ? s->address.port == wanted->port : strcmp(s->name, name) == 0;
    return s->fd >= 0 && is_port && is_same_place(&s->address, wanted);
}

static bool is_wanted(const struct inherited_socket *s, const struct tf_conf *conf)
{
    for (const struct tf_listener *l = conf->listeners; l != NULL; l = l->next)
        for (size_t i = 0; i < l->address_count; i++)
            if (is_for(s, &l->addresses[i], l->name))
                return true;
    return conf->admin_on && is_for(s, &conf->admin, INHERIT_ADMIN);
}

bool inherited_check(struct inherited *in, const struct tf_conf *conf, char *error, size_t size)
{
    for (size_t i = 0; i < in->count; i++) {
        struct inherited_socket *s = &in->list[i];
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        if (is_wanted(s, conf))
            continue;
        if (in->predecessor >= 0) {
            close(s->fd);
            s->fd = -1;
            continue;
        }
        tf_put_addr_port(&w, &s->address);
        snprintf(error, size,
                 "socket activation passed %.*s, and no listener is there: add it to [listener ...] listen, "
                 "or take "
                 "it out of tlsfloor.socket",
                 (int)w.len, text);
        return false;
    }
    if (!conf->admin_on || inherited_count(in, &conf->admin, INHERIT_ADMIN) <= 1)
        return true;
    snprintf(error, size,
             "socket activation passed several sockets for [admin] listen, which takes one: have it once in "
             "tlsfloor.socket");
    return false;
}

size_t inherited_count(const struct inherited *in, const struct tf_addr *wanted, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < in->count; i++)
        n += is_for(&in->list[i], wanted, name);
    return n;
}

void inherited_take(struct inherited *in, const struct tf_addr *wanted, const char *name, int *fds,
                    struct tf_addr *actual, bool *is_kept)
{
    size_t n = 0;
    for (size_t i = 0; i < in->count; i++) {
        struct inherited_socket *s = &in->list[i];
        if (!is_for(s, wanted, name))
            continue;
        *actual = s->address;
        *is_kept = s->is_kept;
        fds[n++] = s->fd;
        s->fd = -1;
    }
}

void inherited_free(struct inherited *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->list[i].fd >= 0)
            close(in->list[i].fd);
    free(in->list);
    in->list = NULL;
    in->count = 0;
}
