/* c-ares on libuv; see dns_channel.h.
 *
 * c-ares says which of its sockets it wants to hear of, and when it wants to
 * be called at the latest; a uv_poll each and one timer do that. */
#include "dns_channel.h"

#include "sockaddr.h"
#include <ares.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With two tries of which the second waits twice as long, a server has three times the first wait. */
enum { TRIES = 2, WAITS = 3 };

struct dns_socket {
    uv_poll_t poll;
    ares_socket_t fd;
    struct dns_channel *channel;
    struct dns_socket *next;
};

struct dns_channel {
    ares_channel ares;
    ares_channel hosts; /* reads the hosts file, and has no sockets */
    uv_loop_t *loop;
    uv_timer_t timer;
    struct dns_socket *sockets; /* as many as servers that are being asked, and a few */
};

static int library_status;

static void init_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static void on_timer(uv_timer_t *timer);

/* Sets the timer to when c-ares wants to be called next. */
static void arm(struct dns_channel *c)
{
    struct timeval left;
    if (ares_timeout(c->ares, NULL, &left) == NULL)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer,
                       (uint64_t)left.tv_sec * 1000 + ((uint64_t)left.tv_usec + 999) / 1000, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct dns_channel *c = timer->data;
    ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(c);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct dns_socket *s = poll->data;
    struct dns_channel *c = s->channel;
    /* libuv stops polling a socket in error: c-ares finds the error by reading, and closes the socket. */
    bool error = status != 0;
    ares_process_fd(c->ares, error || events & UV_READABLE ? s->fd : ARES_SOCKET_BAD,
                    error || events & UV_WRITABLE ? s->fd : ARES_SOCKET_BAD);
    arm(c);
}

static void on_socket_closed(uv_handle_t *poll)
{
    free(poll->data);
}

/* NULL for want of memory: nobody then hears the answer, and the question ends by its timeout. */
static struct dns_socket *add_socket(struct dns_channel *c, ares_socket_t fd)
{
    struct dns_socket *s = malloc(sizeof *s);
    if (s == NULL || uv_poll_init(c->loop, &s->poll, fd) != 0) {
        free(s);
        return NULL;
    }
    s->poll.data = s;
    s->fd = fd;
    s->channel = c;
    s->next = c->sockets;
    c->sockets = s;
    return s;
}

/* c-ares wants to hear of fd; when neither is set, it is about to close it. */
static void on_interest(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct dns_channel *c = arg;
    struct dns_socket **at = &c->sockets;
    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    struct dns_socket *s = *at;
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

    if (events != 0) {
        if (s == NULL)
            s = add_socket(c, fd);
        if (s != NULL)
            uv_poll_start(&s->poll, events, on_ready);
    } else if (s != NULL) {
        *at = s->next;
        uv_close((uv_handle_t *)&s->poll, on_socket_closed);
    }
}

/* `lookups`: "b" for the DNS, "f" for the hosts file. */
static int open_ares(struct dns_channel *c, ares_channel *ares, uint32_t question_ms, char *lookups)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = question_ms < WAITS ? 1 : (int)(question_ms / WAITS),
        .tries = TRIES,
        .lookups = lookups,
        .sock_state_cb = on_interest,
        .sock_state_cb_data = c,
    };
    /* Without domains, since c-ares 1.18 goes through the search list whatever the flag says. */
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS;
#ifdef ARES_OPT_QUERY_CACHE
    mask |= ARES_OPT_QUERY_CACHE; /* with qcache_max_ttl 0: off, since dns_cache.c keeps the bounds that were
                                     set */
#endif
    return ares_init_options(ares, &options, mask);
}

static int open_channel(struct dns_channel *c, uint32_t question_ms, const char *servers)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_library);
    int status = library_status;
    if (status == ARES_SUCCESS)
        status = open_ares(c, &c->ares, question_ms, (char[]){"b"});
    if (status == ARES_SUCCESS)
        status = open_ares(c, &c->hosts, question_ms, (char[]){"f"});
    if (status == ARES_SUCCESS && servers[0] != '\0')
        status = ares_set_servers_ports_csv(c->ares, servers);
    return status;
}

static void close_channel(struct dns_channel *c)
{
    if (c->ares != NULL)
        ares_destroy(c->ares);
    if (c->hosts != NULL)
        ares_destroy(c->hosts);
    assert(c->sockets == NULL);
}

struct dns_channel *dns_channel_new(uv_loop_t *loop, uint32_t question_ms, const char *servers, char *error,
                                    size_t size)
{
    struct dns_channel *c = calloc(1, sizeof *c);
    int status = c == NULL ? ARES_ENOMEM : open_channel(c, question_ms, servers);
    if (status != ARES_SUCCESS) {
        snprintf(error, size, "name lookup cannot be set up with the servers \"%s\": %s", servers,
                 ares_strerror(status));
        if (c != NULL)
            close_channel(c);
        free(c);
        return NULL;
    }
    c->loop = loop;
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    return c;
}

/* RFC 6761 6.3: these are loopback, and nobody is asked. */
static bool is_localhost(const char *host)
{
    static const char suffix[] = ".localhost";
    size_t n = strlen(host);
    return strcmp(host, suffix + 1) == 0 ||
           (n >= sizeof suffix && strcmp(host + n - (sizeof suffix - 1), suffix) == 0);
}

static struct tf_addr loopback_of(enum tf_family family)
{
    if (family == TF_FAMILY_V6)
        return (struct tf_addr){.family = TF_FAMILY_V6, .ip = {[15] = 1}};
    return (struct tf_addr){.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
}

static enum dns_status status_of(int ares_status)
{
    switch (ares_status) {
    case ARES_SUCCESS:
        return DNS_OK;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
        return DNS_NOT_FOUND;
    case ARES_ETIMEOUT:
        return DNS_TIMEOUT;
    default:
        return DNS_FAILED;
    }
}

static uint32_t shorter(uint32_t ttl_s, int other_s)
{
    if (other_s < 0)
        return 0;
    return (uint32_t)other_s < ttl_s ? (uint32_t)other_s : ttl_s;
}

/* Answers with the addresses that are of the family asked for. They hold as long as every record on the way
 * to them; those of the hosts file have no time. */
static void answer_with(const struct dns_channel_question *question, const struct ares_addrinfo *found)
{
    struct tf_addr addresses[DNS_ADDRESSES_MAX];
    uint32_t ttl_s = UINT32_MAX;
    size_t n = 0;
    for (const struct ares_addrinfo_cname *c = found->cnames; c != NULL; c = c->next)
        ttl_s = shorter(ttl_s, c->ttl);
    for (const struct ares_addrinfo_node *a = found->nodes; a != NULL && n < DNS_ADDRESSES_MAX;
         a = a->ai_next)
        if (sockaddr_to_addr(a->ai_addr, &addresses[n]) && addresses[n].family == question->family) {
            ttl_s = shorter(ttl_s, a->ai_ttl);
            n++;
        }
    question->cb(question->arg, n > 0 ? DNS_OK : DNS_NOT_FOUND, addresses, n, n > 0 ? ttl_s : 0);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    const struct dns_channel_question *question = arg;
    (void)timeouts;
    if (status == ARES_SUCCESS)
        answer_with(question, found);
    else
        question->cb(question->arg, status_of(status), NULL, 0, 0);
    if (found != NULL)
        ares_freeaddrinfo(found);
}

static void on_hosts(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    struct ares_addrinfo **out = arg;
    (void)timeouts;
    if (status == ARES_SUCCESS)
        *out = found;
    else if (found != NULL)
        ares_freeaddrinfo(found);
}

/* What the hosts file has of a name, in both families: the DNS must not add to it. Answered at once. */
static struct ares_addrinfo *read_hosts(struct dns_channel *c, const char *host)
{
    struct ares_addrinfo *found = NULL;
    struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    /* c-ares 1.34 reads no file at all when it may look at this variable and it is not there. */
    if (getenv("CARES_HOSTS") != NULL)
        hints.ai_flags |= ARES_AI_ENVHOSTS;
    ares_getaddrinfo(c->hosts, host, NULL, &hints, on_hosts, &found);
    return found;
}

void dns_channel_ask(struct dns_channel *c, struct dns_channel_question *question)
{
    if (is_localhost(question->host)) {
        struct tf_addr loopback = loopback_of(question->family);
        question->cb(question->arg, DNS_OK, &loopback, 1, 0);
        return;
    }
    struct ares_addrinfo *found = read_hosts(c, question->host);
    if (found != NULL) {
        answer_with(question, found);
        ares_freeaddrinfo(found);
        return;
    }
    /* Sorting would connect a socket for each address, and dial.c has an order of its own. */
    struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT,
                                        .ai_family = question->family == TF_FAMILY_V6 ? AF_INET6 : AF_INET,
                                        .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(c->ares, question->host, NULL, &hints, on_answer, question);
    arm(c);
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void dns_channel_free(struct dns_channel *c)
{
    close_channel(c); /* closes its sockets, through on_interest */
    uv_close((uv_handle_t *)&c->timer, on_closed);
}
