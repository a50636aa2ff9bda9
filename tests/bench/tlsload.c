/*
 * tlsload: a single-threaded TLS load generator for proxies.
 *
 * Modes (--mode):
 *   rate   connect, optional HTTP CONNECT, TLS handshake, one small request,
 *          close; again and again from --conc workers.
 *   rr     keep the connection and do many small requests on it.
 *   bulk   keep the connection and download --size bytes again and again.
 *   idle   open --conc connections, do one request on each, print
 *          "READY <n>", hold them until stdin closes (or --secs pass).
 *   block  send a ClientHello that the proxy has to refuse; count refusals
 *          (TLS alert, EOF or reset) and which alert came.
 *
 * With --raw the ClientHello is a real one but nothing after it is
 * encrypted: the peer must be "raworigin".  That makes the generator cheap
 * enough for the proxy to be the bottleneck.
 *
 * One JSON object with the results goes to stdout.
 */
#include "common.h"
#include <openssl/err.h>
#include <openssl/ssl.h>

enum mode { M_RATE, M_RR, M_BULK, M_IDLE, M_BLOCK };
enum state { S_FREE, S_CONN, S_PROXY, S_FLIGHT, S_BODY, S_HS, S_RESP, S_REFUSE, S_HELD };

static struct {
    enum mode mode;
    struct sockaddr_in proxy;
    const char *connect, *sni, *ciphers, *cafile, *path;
    int sni_many, vmin, vmax, raw, conc, resume, srcs, pad, burst;
    double secs;
    long count;
    uint64_t size;
} o = {.sni = "outlook.bench.test",
       .path = "/small",
       .vmin = TLS1_2_VERSION,
       .vmax = TLS1_3_VERSION,
       .conc = 32,
       .secs = 5,
       .size = 1024,
       .srcs = 16,
       .burst = 64};

struct conn {
    int fd, slot;
    enum state st;
    SSL *ssl;
    SSL_SESSION *sess;
    uint64_t t0, want, got;
    int hlen;
    unsigned char h[1024];
};

static int ep;
static struct conn *cs;
static SSL_CTX *ctx;
static unsigned char *hello;
static size_t hello_len;
static unsigned char *req_raw;
static size_t req_raw_len, req_raw_first; /* first: with CCS and Finished in front */
static char *req_http, *req_connect;
static char *scratch;
#define SCRATCH (1 << 20)

static uint64_t t_start, t_end, ok, err, bytes, started, resumed, up_resumed, alerts[256], eofs, resets,
    inflight;
static uint64_t up_v13, up_v12;
static uint32_t *lat;
static size_t nlat, caplat = 1 << 16;
static char errs[4][160];
static int nerrs;
static int draining;

static void add_lat(uint64_t ns)
{
    if (nlat == caplat) {
        if (caplat >= (1u << 24))
            return;
        caplat *= 2;
        lat = realloc(lat, caplat * sizeof *lat);
    }
    lat[nlat++] = (uint32_t)(ns / 1000 > 0xffffffffu ? 0xffffffffu : ns / 1000);
}

static int cmp_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void note_err(const char *what)
{
    char b[160], e[100] = "";
    unsigned long q = ERR_peek_error();
    err++;
    if (q)
        ERR_error_string_n(q, e, sizeof e);
    snprintf(b, sizeof b, "%s: %s", what, q ? e : (errno ? strerror(errno) : "-"));
    ERR_clear_error();
    for (int i = 0; i < nerrs; i++)
        if (!strcmp(errs[i], b))
            return;
    if (nerrs < 4)
        strcpy(errs[nerrs++], b);
}

static void conn_start(struct conn *c);

static void conn_drop(struct conn *c)
{
    if (c->ssl) {
        if (o.resume && SSL_is_init_finished(c->ssl)) {
            SSL_SESSION_free(c->sess);
            c->sess = SSL_get1_session(c->ssl);
        }
        SSL_set_quiet_shutdown(c->ssl, 1);
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    if (c->st != S_FREE && c->st != S_HELD)
        inflight--;
    c->st = S_FREE;
}

static int over(void)
{
    if (draining)
        return 1;
    if (now_ns() >= t_end || (o.count && (long)started >= o.count) || err > 500 + 2 * ok)
        draining = 1;
    return draining;
}

static void conn_again(struct conn *c)
{
    conn_drop(c);
    if (o.mode != M_IDLE && !over())
        conn_start(c);
}

static void conn_fail(struct conn *c, const char *what)
{
    note_err(what);
    conn_again(c);
}

static void conn_start(struct conn *c)
{
    static unsigned src;
    int one = 1;
    struct epoll_event ev;

    c->st = S_CONN;
    c->got = c->want = 0;
    c->hlen = 0;
    c->t0 = now_ns();
    started++;
    inflight++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        note_err("socket");
        conn_drop(c);
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (o.srcs > 1) {
        struct sockaddr_in a;
        memset(&a, 0, sizeof a);
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(0x7f000100u + 1 + src++ % (unsigned)o.srcs);
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->fd, (struct sockaddr *)&a, sizeof a))
            note_err("bind");
    }
    if (connect(c->fd, (struct sockaddr *)&o.proxy, sizeof o.proxy) && errno != EINPROGRESS) {
        note_err("connect");
        conn_drop(c);
        return;
    }
    ev.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    ev.data.ptr = c;
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
}

static int send_all(struct conn *c, const void *b, size_t n)
{
    return send(c->fd, b, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

static int tls_request(struct conn *c)
{
    c->want = c->got = 0;
    c->hlen = 0;
    return SSL_write(c->ssl, req_http, (int)strlen(req_http)) > 0 ? 0 : -1;
}

static int begin_hello(struct conn *c)
{
    if (o.raw) {
        if (send_all(c, hello, hello_len))
            return -1;
        c->got = 0;
        c->hlen = 0;
        c->st = o.mode == M_BLOCK ? S_REFUSE : S_FLIGHT;
        return 0;
    }
    c->ssl = SSL_new(ctx);
    SSL_set_fd(c->ssl, c->fd);
    if (o.sni_many) {
        char n[128];
        snprintf(n, sizeof n, "h%lu.bench.test", (unsigned long)(started % 1000000000ul));
        SSL_set_tlsext_host_name(c->ssl, n);
        if (o.cafile)
            SSL_set1_host(c->ssl, n);
    } else {
        SSL_set_tlsext_host_name(c->ssl, o.sni);
        if (o.cafile)
            SSL_set1_host(c->ssl, o.sni);
    }
    if (o.resume && c->sess)
        SSL_set_session(c->ssl, c->sess);
    SSL_set_connect_state(c->ssl);
    c->st = S_HS;
    return 0;
}

/* One unit of work is complete. Returns 1 when the connection was recycled. */
static int unit_done(struct conn *c)
{
    ok++;
    add_lat(now_ns() - c->t0);
    switch (o.mode) {
    case M_RATE:
    case M_BLOCK:
        conn_again(c);
        return 1;
    case M_IDLE:
        inflight--;
        c->st = S_HELD;
        return 1;
    default:
        if (over()) {
            conn_drop(c);
            return 1;
        }
        c->t0 = now_ns();
        c->got = 0;
        if (o.raw) {
            c->want = o.size;
            if (send_all(c, req_raw + req_raw_first, req_raw_len - req_raw_first)) {
                conn_fail(c, "send request");
                return 1;
            }
        } else if (tls_request(c)) {
            conn_fail(c, "SSL_write");
            return 1;
        }
        return 0;
    }
}

static int tls_again(struct conn *c, int r, const char *what)
{
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return 0;
    if (e == SSL_ERROR_SYSCALL && !ERR_peek_error() && r == 0)
        errno = ECONNRESET;
    conn_fail(c, what);
    return 1;
}

static void step(struct conn *c, uint32_t events)
{
    for (int guard = 0; guard < 4096; guard++) {
        ssize_t n;
        int r;
        switch (c->st) {
        case S_CONN:
            if (events & (EPOLLERR | EPOLLHUP)) {
                socklen_t l = sizeof r;
                r = 0;
                getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &r, &l);
                errno = r;
                conn_fail(c, "connect");
                return;
            }
            if (!(events & EPOLLOUT))
                return;
            if (o.connect) {
                if (send_all(c, req_connect, strlen(req_connect))) {
                    conn_fail(c, "send CONNECT");
                    return;
                }
                c->st = S_PROXY;
            } else if (begin_hello(c)) {
                conn_fail(c, "send hello");
                return;
            }
            break;
        case S_PROXY:
            n = recv(c->fd, c->h + c->hlen, sizeof c->h - 1 - (size_t)c->hlen, 0);
            if (n < 0 && errno == EAGAIN)
                return;
            if (n <= 0) {
                if (n == 0)
                    errno = 0;
                conn_fail(c, "CONNECT: eof or error");
                return;
            }
            c->hlen += (int)n;
            c->h[c->hlen] = 0;
            if (!strstr((char *)c->h, "\r\n\r\n"))
                break;
            if (!strstr((char *)c->h, " 200")) {
                errno = 0;
                conn_fail(c, "CONNECT: not 200");
                return;
            }
            if (begin_hello(c)) {
                conn_fail(c, "send hello");
                return;
            }
            break;
        case S_FLIGHT:
            if (c->hlen < 19) {
                n = recv(c->fd, c->h + c->hlen, 19 - (size_t)c->hlen, 0);
            } else {
                size_t left = (size_t)(c->want - c->got);
                n = recv(c->fd, scratch, left < SCRATCH ? left : SCRATCH, MSG_TRUNC);
            }
            if (n < 0 && errno == EAGAIN)
                return;
            if (n <= 0) {
                conn_fail(c, "server flight: eof or error");
                return;
            }
            c->got += (uint64_t)n;
            if (c->hlen < 19) {
                c->hlen += (int)n;
                if (c->hlen < 19)
                    break;
                if (c->h[0] != 22 || memcmp(c->h + 11, "BNCH", 4)) {
                    errno = 0;
                    conn_fail(c, "server flight: not from raworigin");
                    return;
                }
                c->want = get64(c->h + 11) & 0xffffffffu;
            }
            if (c->got >= c->want) {
                c->st = S_BODY;
                c->got = 0;
                c->want = o.size;
                if (send_all(c, req_raw, req_raw_len)) {
                    conn_fail(c, "send request");
                    return;
                }
            }
            break;
        case S_BODY:
            n = recv(c->fd, scratch, c->want - c->got < SCRATCH ? c->want - c->got : SCRATCH, MSG_TRUNC);
            if (n < 0 && errno == EAGAIN)
                return;
            if (n <= 0) {
                conn_fail(c, "body: eof or error");
                return;
            }
            c->got += (uint64_t)n;
            bytes += (uint64_t)n;
            if (c->got >= c->want && unit_done(c))
                return;
            if (o.mode == M_BULK && over()) {
                conn_drop(c);
                return;
            }
            break;
        case S_HS:
            ERR_clear_error();
            errno = 0;
            r = SSL_do_handshake(c->ssl);
            if (r != 1) {
                tls_again(c, r, "handshake");
                return;
            }
            if (SSL_session_reused(c->ssl))
                resumed++;
            if (tls_request(c)) {
                conn_fail(c, "SSL_write");
                return;
            }
            c->st = S_RESP;
            break;
        case S_RESP: {
            size_t skip = 0;
            ERR_clear_error();
            errno = 0;
            r = SSL_read(c->ssl, scratch, SCRATCH);
            if (r <= 0) {
                tls_again(c, r, "response");
                return;
            }
            if (!c->want) {
                char *e, *l;
                size_t m = (size_t)r, room = sizeof c->h - 1 - (size_t)c->hlen;
                if (m > room)
                    m = room;
                memcpy(c->h + c->hlen, scratch, m);
                c->h[c->hlen + (int)m] = 0;
                e = strstr((char *)c->h, "\r\n\r\n");
                if (!e) {
                    c->hlen += (int)m;
                    if (c->hlen >= (int)sizeof c->h - 1) {
                        conn_fail(c, "response header too long");
                        return;
                    }
                    break;
                }
                l = strcasestr((char *)c->h, "content-length:");
                if (!l || strncmp((char *)c->h, "HTTP/1.1 200", 12)) {
                    c->h[60] = 0;
                    fprintf(stderr, "response: %s\n", (char *)c->h);
                    conn_fail(c, "response not 200 or without length");
                    return;
                }
                c->want = strtoull(l + 15, NULL, 10);
                if (strcasestr((char *)c->h, "X-R: r"))
                    up_resumed++;
                if (strcasestr((char *)c->h, "X-P: TLSv1.3"))
                    up_v13++;
                else if (strcasestr((char *)c->h, "X-P: TLSv1.2"))
                    up_v12++;
                skip = (size_t)(e + 4 - (char *)c->h) - (size_t)c->hlen;
            }
            c->got += (size_t)r - skip;
            bytes += (size_t)r;
            if (c->got >= c->want && unit_done(c))
                return;
            if (o.mode == M_BULK && over()) {
                conn_drop(c);
                return;
            }
            break;
        }
        case S_REFUSE:
            n = recv(c->fd, c->h + c->hlen, 7 - (size_t)c->hlen, 0);
            if (n < 0 && errno == EAGAIN)
                return;
            if (n == 0)
                eofs++;
            else if (n < 0)
                resets++;
            else {
                c->hlen += (int)n;
                if (c->h[0] != 21) {
                    errno = 0;
                    conn_fail(c, "not refused");
                    return;
                }
                if (c->hlen < 7)
                    break;
                alerts[c->h[6]]++;
            }
            unit_done(c);
            return;
        case S_HELD:
            n = recv(c->fd, scratch, SCRATCH, 0);
            if (n < 0 && errno == EAGAIN)
                return;
            if (n <= 0) {
                ok--;
                conn_fail(c, "held connection closed");
                return;
            }
            break;
        case S_FREE:
            return;
        }
        events = EPOLLIN | EPOLLOUT;
    }
}

static int pad_add(SSL *s, unsigned t, unsigned cx, const unsigned char **out, size_t *len, X509 *x,
                   size_t ci, int *al, void *arg)
{
    static unsigned char z[8192];
    (void)s;
    (void)t;
    (void)cx;
    (void)x;
    (void)ci;
    (void)al;
    (void)arg;
    *out = z;
    *len = (size_t)o.pad;
    return 1;
}

static int parse_ver(const char *s)
{
    if (!strcmp(s, "1.0"))
        return TLS1_VERSION;
    if (!strcmp(s, "1.1"))
        return TLS1_1_VERSION;
    if (!strcmp(s, "1.2"))
        return TLS1_2_VERSION;
    if (!strcmp(s, "1.3"))
        return TLS1_3_VERSION;
    die("bad version %s", s);
    return 0;
}

static void setup(void)
{
    char b[2048];
    SSL *s;
    BIO *in, *out;
    char *p;
    long n;
    unsigned char *q;

    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, o.vmin);
    SSL_CTX_set_max_proto_version(ctx, o.vmax);
    SSL_CTX_set_cipher_list(ctx, o.ciphers                 ? o.ciphers
                                 : o.vmax < TLS1_2_VERSION ? "ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0"
                                                           : "ECDHE+AESGCM:@SECLEVEL=0");
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    SSL_CTX_set1_groups_list(ctx, o.vmax >= TLS1_3_VERSION ? "X25519:P-256" : "P-256:X25519");
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_read_ahead(ctx, 1);
    if (o.cafile) {
        if (SSL_CTX_load_verify_locations(ctx, o.cafile, NULL) != 1)
            die("cannot load %s", o.cafile);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    if (o.pad)
        SSL_CTX_add_custom_ext(ctx, 65000, SSL_EXT_CLIENT_HELLO, pad_add, NULL, NULL, NULL, NULL);

    s = SSL_new(ctx);
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    SSL_set_bio(s, in, out);
    SSL_set_tlsext_host_name(s, o.sni);
    SSL_connect(s);
    n = BIO_get_mem_data(out, &p);
    if (n < 50)
        die("no ClientHello could be made");
    ERR_clear_error();
    hello = malloc((size_t)n);
    memcpy(hello, p, (size_t)n);
    hello_len = (size_t)n;
    SSL_free(s);

    if (o.size > REC_MAX) /* whole records only */
        o.size = (o.size + REC_MAX - 1) / REC_MAX * REC_MAX;
    q = req_raw = calloc(1, 512);
    memcpy(q, "\x14\x03\x03\x00\x01\x01", 6); /* ChangeCipherSpec */
    q += 6;
    memcpy(q, "\x17\x03\x03\x00\x35", 5); /* stands for Finished */
    memset(q + 5, 0xa5, 53);
    q += 5 + 53;
    req_raw_first = (size_t)(q - req_raw);
    memcpy(q,
           "\x17\x03\x03\x00\xc8"
           "BENCHGET",
           13);
    put64(q + 13, o.size);
    memset(q + 21, 0x5a, 200 - 16);
    req_raw_len = req_raw_first + 205;

    snprintf(b, sizeof b, "GET %s HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: tlsload\r\nAccept: */*\r\n\r\n",
             o.path, o.sni, o.connect && strrchr(o.connect, ':') ? strrchr(o.connect, ':') : "");
    req_http = strdup(b);
    if (o.connect) {
        snprintf(b, sizeof b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", o.connect, o.connect);
        req_connect = strdup(b);
    }
}

static void report(double secs)
{
    int first = 1;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    qsort(lat, nlat, sizeof *lat, cmp_u32);
#define P(q) (nlat ? lat[(size_t)((double)(nlat - 1) * (q))] : 0)
    printf("{\"ok\":%lu,\"err\":%lu,\"stuck\":%lu,\"secs\":%.4f,\"rate\":%.2f,\"bytes\":%lu,\"gibps\":%.4f,"
           "\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u,\"resumed\":%lu,\"up_resumed\":%lu,"
           "\"up_v13\":%lu,\"up_v12\":%lu,\"eof\":%lu,\"reset\":%lu,\"hello_len\":%zu,\"gen_cpu_s\":%.3f,"
           "\"alerts\":{",
           ok, err, inflight, secs, (double)ok / secs, bytes, (double)bytes / secs / 1073741824.0, P(.5),
           P(.99), P(.999), P(1), resumed, up_resumed, up_v13, up_v12, eofs, resets, hello_len,
           (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
               (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
    for (int i = 0; i < 256; i++)
        if (alerts[i]) {
            printf("%s\"%d\":%lu", first ? "" : ",", i, alerts[i]);
            first = 0;
        }
    printf("},\"errors\":[");
    for (int i = 0; i < nerrs; i++) {
        printf("%s\"", i ? "," : "");
        for (char *p = errs[i]; *p; p++)
            if (*p != '"' && *p != '\\' && *p >= ' ')
                putchar(*p);
        printf("\"");
    }
    printf("]}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct epoll_event evs[256];
    double secs;
    int opened = 0, ready = 0;
    uint64_t t_done = 0;

    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(a, "--raw")) {
            o.raw = 1;
            continue;
        }
        if (!strcmp(a, "--resume")) {
            o.resume = 1;
            continue;
        }
        if (!strcmp(a, "--sni-many")) {
            o.sni_many = 1;
            continue;
        }
        i++;
        if (!strcmp(a, "--mode"))
            o.mode = !strcmp(v, "rate")    ? M_RATE
                     : !strcmp(v, "rr")    ? M_RR
                     : !strcmp(v, "bulk")  ? M_BULK
                     : !strcmp(v, "idle")  ? M_IDLE
                     : !strcmp(v, "block") ? M_BLOCK
                                           : (die("bad mode"), M_RATE);
        else if (!strcmp(a, "--proxy"))
            o.proxy = parse_addr(v);
        else if (!strcmp(a, "--connect"))
            o.connect = v;
        else if (!strcmp(a, "--sni"))
            o.sni = v;
        else if (!strcmp(a, "--min"))
            o.vmin = parse_ver(v);
        else if (!strcmp(a, "--max"))
            o.vmax = parse_ver(v);
        else if (!strcmp(a, "--ciphers"))
            o.ciphers = v;
        else if (!strcmp(a, "--cafile"))
            o.cafile = v;
        else if (!strcmp(a, "--path"))
            o.path = v;
        else if (!strcmp(a, "--conc"))
            o.conc = atoi(v);
        else if (!strcmp(a, "--secs"))
            o.secs = atof(v);
        else if (!strcmp(a, "--count"))
            o.count = atol(v);
        else if (!strcmp(a, "--size"))
            o.size = strtoull(v, NULL, 10);
        else if (!strcmp(a, "--srcs"))
            o.srcs = atoi(v);
        else if (!strcmp(a, "--pad"))
            o.pad = atoi(v);
        else if (!strcmp(a, "--burst"))
            o.burst = atoi(v);
        else
            die("unknown option %s", a);
    }
    if (!o.proxy.sin_port)
        die("--proxy IP:PORT is required");
    if (o.secs > 300)
        o.secs = 300;
    if (o.raw && o.size < 32)
        o.size = 32;
    signal(SIGPIPE, SIG_IGN);
    max_files();
    if (o.mode == M_BLOCK)
        o.raw = 1;
    lat = malloc(caplat * sizeof *lat);
    scratch = malloc(SCRATCH);
    setup();
    cs = calloc((size_t)o.conc, sizeof *cs);
    ep = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < o.conc; i++) {
        cs[i].fd = -1;
        cs[i].slot = i;
    }
    t_start = now_ns();
    t_end = t_start + (uint64_t)(o.secs * 1e9);
    if (o.mode == M_IDLE) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
        epoll_ctl(ep, EPOLL_CTL_ADD, 0, &e);
    }
    for (;;) {
        int n;
        uint64_t t;
        /* open gradually: at most --burst handshakes under way while starting */
        for (int k = 0; opened < o.conc && k < o.burst &&
                        (int)inflight < (o.mode == M_IDLE ? o.burst : o.conc) && !over();
             k++)
            conn_start(&cs[opened++]);
        n = epoll_wait(ep, evs, 256, 50);
        for (int i = 0; i < n; i++) {
            if (!evs[i].data.ptr) {
                char b[16];
                if (read(0, b, sizeof b) <= 0)
                    draining = 1;
                continue;
            }
            step(evs[i].data.ptr, evs[i].events);
        }
        t = now_ns();
        if (o.mode == M_IDLE) {
            if (!ready && opened == o.conc && inflight == 0) {
                ready = 1;
                printf("READY %lu %lu\n", ok, err);
                fflush(stdout);
                t_done = t;
            }
            if (draining || t >= t_end) {
                if (!ready)
                    printf("READY %lu %lu\n", ok, err);
                break;
            }
            continue;
        }
        if (over()) {
            if (!t_done)
                t_done = t;
            if (!inflight || t - t_done > 2000000000ull)
                break;
        }
    }
    secs = (double)((t_done ? t_done : now_ns()) - t_start) / 1e9;
    report(secs);
    return 0;
}
