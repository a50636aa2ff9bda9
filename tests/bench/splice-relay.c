/*
 * splice-relay: the least a user-space relay can cost.  No inspection, no
 * timeouts, no logging.  It is a yardstick, not a product.
 *
 *   splice-relay --listen IP:PORT --target IP:PORT [--how splice|copy|auto] [--connect]
 *
 * splice: every byte goes through a pipe with splice(2)
 * copy:   recv into one shared buffer, send; only a short write keeps data
 * auto:   copy, but a direction that fills the buffer is moved with splice
 *         until it runs dry
 * --connect: first read an HTTP request up to the blank line, answer 200
 *            (the target stays the fixed one)
 * --refuse:  relay nothing; answer whatever comes with a TLS
 *            protocol_version alert and close (with --connect: after the 200)
 */
#include "common.h"

#define MAXFD  65536
#define BUFSZ  65536
#define PIPESZ (1 << 18)
#define LOOPS  32

struct dir {
    struct dir *peer;
    int in, out;  /* sockets */
    int p[2];     /* pipe, -1 when none is held */
    size_t piped; /* bytes in the pipe */
    char *pend;   /* unsent copy */
    size_t pn, po;
    int eof, done, bulk;
    int blocked; /* the output socket would not take more */
};

struct pair {
    int a, b;
    int state; /* 0 reading CONNECT, 1 relaying, 2 to be refused */
    int queued, dead;
    int hn;
    struct dir up, down;
    struct pair *next;
    char *hbuf;
};

static struct pair *byfd[MAXFD];
static int pool[4096][2], npool;
static int ep, how; /* 0 splice 1 copy 2 auto */
static int want_connect, want_refuse;
static struct sockaddr_in target;
static struct pair *runq, *graveyard;
static char buf[BUFSZ];
static volatile sig_atomic_t stop;

static void on_sig(int s)
{
    (void)s;
    stop = 1;
}

static int pipe_get(struct dir *d)
{
    if (d->p[0] >= 0)
        return 0;
    if (npool) {
        npool--;
        d->p[0] = pool[npool][0];
        d->p[1] = pool[npool][1];
        return 0;
    }
    if (pipe2(d->p, O_NONBLOCK | O_CLOEXEC))
        return -1;
    fcntl(d->p[0], F_SETPIPE_SZ, PIPESZ);
    return 0;
}

static void pipe_put(struct dir *d)
{
    if (d->p[0] < 0)
        return;
    if (d->piped == 0 && npool < 4096) {
        pool[npool][0] = d->p[0];
        pool[npool][1] = d->p[1];
        npool++;
    } else {
        close(d->p[0]);
        close(d->p[1]);
    }
    d->p[0] = d->p[1] = -1;
    d->piped = 0;
}

/* 0 idle (wait for an event), 1 more to do now, -1 broken */
static int pump(struct dir *d)
{
    ssize_t n;
    d->blocked = 0;
    for (int k = 0; k < LOOPS; k++) {
        while (d->pn > d->po) {
            n = send(d->out, d->pend + d->po, d->pn - d->po, MSG_NOSIGNAL);
            if (n < 0) {
                d->blocked = 1;
                return errno == EAGAIN ? 0 : -1;
            }
            d->po += (size_t)n;
        }
        if (d->pn) {
            free(d->pend);
            d->pend = NULL;
            d->pn = d->po = 0;
        }
        while (d->piped) {
            n = splice(d->p[0], NULL, d->out, NULL, d->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n < 0) {
                d->blocked = 1;
                return errno == EAGAIN ? 0 : -1;
            }
            if (n == 0)
                return -1;
            d->piped -= (size_t)n;
        }
        if (d->eof) {
            pipe_put(d);
            if (!d->done) {
                if (!d->peer->done) /* else both sockets are closed right away */
                    shutdown(d->out, SHUT_WR);
                d->done = 1;
            }
            return 0;
        }
        if (how == 0 || d->bulk) {
            if (pipe_get(d))
                return -1;
            n = splice(d->in, NULL, d->p[1], NULL, PIPESZ, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n < 0) {
                if (errno != EAGAIN)
                    return -1;
                d->bulk = 0;
                pipe_put(d);
                return 0;
            }
            if (n == 0)
                d->eof = 1;
            d->piped += (size_t)n;
        } else {
            n = recv(d->in, buf, BUFSZ, 0);
            if (n < 0)
                return errno == EAGAIN ? 0 : -1;
            if (n == 0) {
                d->eof = 1;
                continue;
            }
            if (how == 2 && n == BUFSZ)
                d->bulk = 1;
            for (ssize_t o = 0; o < n;) {
                ssize_t w = send(d->out, buf + o, (size_t)(n - o), MSG_NOSIGNAL);
                if (w < 0) {
                    if (errno != EAGAIN)
                        return -1;
                    d->pn = (size_t)(n - o);
                    d->po = 0;
                    d->pend = malloc(d->pn);
                    memcpy(d->pend, buf + o, d->pn);
                    d->blocked = 1;
                    return 0;
                }
                o += w;
            }
            if (n < BUFSZ) /* the socket is drained: edge-triggered, wait */
                return 0;
        }
    }
    return 1;
}

static void pair_free(struct pair *p)
{
    if (p->dead)
        return;
    p->dead = 1;
    byfd[p->a] = NULL;
    if (p->b >= 0)
        byfd[p->b] = NULL;
    if (p->state == 1) {
        pipe_put(&p->up);
        pipe_put(&p->down);
        free(p->up.pend);
        free(p->down.pend);
    }
    close(p->a);
    if (p->b >= 0)
        close(p->b);
    free(p->hbuf);
    if (!p->queued) {
        p->next = graveyard;
        graveyard = p;
    }
}

static int watch(int fd)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static int pair_open(struct pair *p)
{
    int one = 1;
    p->b = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->b < 0 || p->b >= MAXFD)
        return -1;
    setsockopt(p->b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(p->b, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)
        return -1;
    byfd[p->b] = p;
    p->up = (struct dir){.in = p->a, .out = p->b, .p = {-1, -1}, .peer = &p->down};
    p->down = (struct dir){.in = p->b, .out = p->a, .p = {-1, -1}, .peer = &p->up};
    p->state = 1;
    return watch(p->b);
}

/* 1 = answered and closed */
static int refuse(int fd)
{
    static const unsigned char alert[7] = {21, 3, 1, 0, 2, 2, 70};
    ssize_t n = recv(fd, buf, BUFSZ, 0);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n > 0 && send(fd, alert, 7, MSG_NOSIGNAL) != 7)
        n = 0;
    return 1;
}

static void pair_run(struct pair *p, uint32_t ev, int fd)
{
    int r, s, all;
    if (want_refuse && p->state == 2) {
        if (refuse(p->a))
            pair_free(p);
        return;
    }
    if (p->state == 0) {
        ssize_t n = recv(p->a, p->hbuf + p->hn, 4095 - (size_t)p->hn, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            pair_free(p);
            return;
        }
        p->hn += (int)n;
        p->hbuf[p->hn] = 0;
        if (!strstr(p->hbuf, "\r\n\r\n"))
            return;
        free(p->hbuf);
        p->hbuf = NULL;
        if (want_refuse)
            p->state = 2;
        if ((!want_refuse && pair_open(p)) || send(p->a, "HTTP/1.1 200 OK\r\n\r\n", 19, MSG_NOSIGNAL) != 19)
            pair_free(p);
        return;
    }
    if (ev & EPOLLERR) {
        pair_free(p);
        return;
    }
    all = fd < 0;
    r = s = 0;
    if (all || (fd == p->a && (ev & ~(uint32_t)EPOLLOUT)) || (fd == p->b && (ev & EPOLLOUT) && p->up.blocked))
        r = pump(&p->up);
    if (all || (fd == p->b && (ev & ~(uint32_t)EPOLLOUT)) ||
        (fd == p->a && (ev & EPOLLOUT) && p->down.blocked))
        s = pump(&p->down);
    if (r < 0 || s < 0 || (p->up.done && p->down.done)) {
        pair_free(p);
        return;
    }
    if ((r > 0 || s > 0) && !p->queued) {
        p->queued = 1;
        p->next = runq;
        runq = p;
    }
}

int main(int argc, char **argv)
{
    struct epoll_event evs[256];
    const char *l = NULL;
    int lfd;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--connect"))
            want_connect = 1;
        else if (!strcmp(argv[i], "--refuse"))
            want_refuse = 1;
        else if (i + 1 >= argc)
            die("missing value");
        else if (!strcmp(argv[i], "--listen"))
            l = argv[++i];
        else if (!strcmp(argv[i], "--target"))
            target = parse_addr(argv[++i]);
        else if (!strcmp(argv[i], "--how")) {
            i++;
            how = !strcmp(argv[i], "copy") ? 1 : !strcmp(argv[i], "auto") ? 2 : 0;
        } else
            die("unknown option %s", argv[i]);
    }
    if (!l || !target.sin_port)
        die("usage: splice-relay --listen IP:PORT --target IP:PORT [--how splice|copy|auto] [--connect]");
    max_files();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_sig);
    signal(SIGINT, on_sig);
    lfd = listen_on(parse_addr(l));
    int secs = 3, on = 1; /* hand over connections only with their first bytes */
    setsockopt(lfd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &secs, sizeof secs);
    setsockopt(lfd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event lev = {.events = EPOLLIN, .data.fd = lfd};
    epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &lev);
    while (!stop) {
        int n = epoll_wait(ep, evs, 256, runq ? 0 : 1000);
        for (int i = 0; i < n; i++) {
            int fd = evs[i].data.fd;
            if (fd != lfd) {
                if (byfd[fd])
                    pair_run(byfd[fd], evs[i].events, fd);
                continue;
            }
            for (int k = 0; k < 64; k++) {
                int a = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                struct pair *p;
                if (a < 0)
                    break;
                if (want_refuse && !want_connect && refuse(a)) {
                    close(a); /* never seen by epoll */
                    continue;
                }
                if (a >= MAXFD || !(p = calloc(1, sizeof *p))) {
                    close(a);
                    continue;
                }
                p->a = a;
                p->b = -1;
                byfd[a] = p;
                if (want_connect)
                    p->hbuf = malloc(4096);
                if (want_refuse && !want_connect)
                    p->state = 2;
                if (watch(a) || (!want_connect && !want_refuse && pair_open(p)))
                    pair_free(p);
            }
        }
        struct pair *q = runq;
        runq = NULL;
        while (q) {
            struct pair *nx = q->next;
            q->queued = 0;
            if (q->dead) {
                q->next = graveyard;
                graveyard = q;
            } else
                pair_run(q, 0, -1);
            q = nx;
        }
        while (graveyard) {
            struct pair *nx = graveyard->next;
            free(graveyard);
            graveyard = nx;
        }
    }
    return 0;
}
