/*
 * raworigin: an origin that costs next to nothing.
 *
 * It answers a real ClientHello with a real TLS server flight (made once by
 * OpenSSL and replayed for every later hello of the same bytes), then serves
 * opaque application-data records without any cryptography.  A proxy that
 * only looks at the hellos cannot tell it from a TLS server.
 *
 * After the flight the client sends records; one whose payload starts with
 * "BENCHGET" carries a 64-bit byte count, and that many bytes of
 * application-data records are sent back.  The flight's length is written in
 * the first 8 bytes of the ServerHello random ("BNCH" + 32-bit length), so
 * that the client knows where the flight ends without parsing it.
 *
 *   raworigin --listen 127.0.0.1:PORT --cert PEM --key PEM
 */
#include "common.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#define NREC  64
#define INBUF 8192
#define MAXFD 65536

struct conn {
    int fd;
    int helloed;
    uint32_t inlen;
    uint64_t left; /* body bytes still to send */
    uint64_t off;
    uint32_t flight_left;
    unsigned char in[INBUF];
};

static SSL_CTX *ctx;
static struct conn *conns[MAXFD];
static int body_fd;
static unsigned char small_rec[REC_MAX];
static unsigned char last_hello[INBUF];
static size_t last_hello_len;
static unsigned char *flight;
static size_t flight_len;
static volatile sig_atomic_t stop;

static void on_sig(int s)
{
    (void)s;
    stop = 1;
}

static int make_flight(const unsigned char *hello, size_t len)
{
    SSL *ssl;
    BIO *in, *out;
    char *p;
    long n;

    if (flight && len == last_hello_len && !memcmp(hello, last_hello, len))
        return 0;
    ssl = SSL_new(ctx);
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    BIO_write(in, hello, (int)len);
    SSL_accept(ssl);
    n = BIO_get_mem_data(out, &p);
    if (n < 100 || (unsigned char)p[0] != 22) {
        ERR_clear_error();
        SSL_free(ssl);
        return -1;
    }
    free(flight);
    flight = malloc((size_t)n);
    memcpy(flight, p, (size_t)n);
    flight_len = (size_t)n;
    memcpy(flight + 11, "BNCH", 4);
    flight[15] = (unsigned char)(n >> 24);
    flight[16] = (unsigned char)(n >> 16);
    flight[17] = (unsigned char)(n >> 8);
    flight[18] = (unsigned char)n;
    memcpy(last_hello, hello, len);
    last_hello_len = len;
    SSL_free(ssl);
    return 0;
}

static void conn_close(struct conn *c)
{
    conns[c->fd] = NULL;
    close(c->fd);
    free(c);
}

/* 0 = go on, -1 = close */
static int conn_send(struct conn *c)
{
    while (c->flight_left) {
        ssize_t n = send(c->fd, flight + (flight_len - c->flight_left), c->flight_left, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->flight_left -= (uint32_t)n;
    }
    while (c->left) {
        ssize_t n;
        if (c->left <= REC_MAX && c->off == 0) {
            unsigned char h[5] = {23, 3, 3, 0, 0};
            h[3] = (unsigned char)((c->left - 5) >> 8);
            h[4] = (unsigned char)(c->left - 5);
            memcpy(small_rec, h, 5);
            n = send(c->fd, small_rec, c->left, MSG_NOSIGNAL);
        } else {
            off_t o = (off_t)(c->off % ((uint64_t)NREC * REC_MAX));
            uint64_t room = (uint64_t)NREC * REC_MAX - (uint64_t)o;
            n = sendfile(c->fd, body_fd, &o, c->left < room ? c->left : room);
            if (n == 0)
                return -1;
        }
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->off += (uint64_t)n;
        c->left -= (uint64_t)n;
    }
    return 0;
}

static int conn_read(struct conn *c)
{
    for (int guard = 0; guard < 64; guard++) {
        ssize_t n = recv(c->fd, c->in + c->inlen, INBUF - c->inlen, 0);
        size_t pos = 0;
        if (n == 0)
            return -1;
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->inlen += (uint32_t)n;
        while (c->inlen - pos >= 5) {
            unsigned char *r = c->in + pos;
            size_t rl = 5 + ((size_t)r[3] << 8 | r[4]);
            if (rl > INBUF)
                return -1;
            if (c->inlen - pos < rl)
                break;
            if (!c->helloed && r[0] == 22) {
                if (make_flight(r, rl))
                    return -1;
                c->helloed = 1;
                c->flight_left = (uint32_t)flight_len;
            } else if (r[0] == 23 && rl >= 21 && !memcmp(r + 5, "BENCHGET", 8)) {
                c->left += get64(r + 13);
                c->off = 0;
            }
            pos += rl;
        }
        memmove(c->in, c->in + pos, c->inlen - pos);
        c->inlen -= (uint32_t)pos;
        if (conn_send(c))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *laddr = NULL, *cert = NULL, *key = NULL;
    struct epoll_event ev, evs[256];
    int ep, lfd;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--listen"))
            laddr = argv[i + 1];
        else if (!strcmp(argv[i], "--cert"))
            cert = argv[i + 1];
        else if (!strcmp(argv[i], "--key"))
            key = argv[i + 1];
        else
            die("unknown option %s", argv[i]);
    }
    if (!laddr || !cert || !key)
        die("usage: raworigin --listen IP:PORT --cert PEM --key PEM");
    max_files();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_sig);
    signal(SIGINT, on_sig);
    ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        die("cannot load certificate or key");

    body_fd = memfd_create("body", MFD_CLOEXEC);
    for (int i = 0; i < NREC; i++) {
        unsigned char r[REC_MAX];
        for (int j = 0; j < REC_MAX; j++)
            r[j] = (unsigned char)(j * 131 + i);
        r[0] = 23;
        r[1] = 3;
        r[2] = 3;
        r[3] = (REC_MAX - 5) >> 8;
        r[4] = (REC_MAX - 5) & 255;
        if (write(body_fd, r, REC_MAX) != REC_MAX)
            die("memfd write");
    }

    lfd = listen_on(parse_addr(laddr));
    ep = epoll_create1(EPOLL_CLOEXEC);
    ev.events = EPOLLIN;
    ev.data.fd = lfd;
    epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &ev);
    while (!stop) {
        int n = epoll_wait(ep, evs, 256, 1000);
        for (int i = 0; i < n; i++) {
            int fd = evs[i].data.fd;
            struct conn *c;
            if (fd == lfd) {
                for (int k = 0; k < 64; k++) {
                    int one = 1, a = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                    if (a < 0)
                        break;
                    if (a >= MAXFD || !(c = calloc(1, sizeof *c))) {
                        close(a);
                        continue;
                    }
                    c->fd = a;
                    conns[a] = c;
                    setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    ev.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
                    ev.data.fd = a;
                    epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev);
                }
                continue;
            }
            c = conns[fd];
            if (!c)
                continue;
            if (evs[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
                if (conn_read(c)) {
                    conn_close(c);
                    continue;
                }
            }
            if (evs[i].events & EPOLLOUT) {
                if (conn_send(c))
                    conn_close(c);
            }
        }
    }
    return 0;
}
