/* A token endpoint on a free port of 127.0.0.1, under the name login.test, that says what it is told to say.
 */
#ifndef TOKEN_ENDPOINT_H
#define TOKEN_ENDPOINT_H

#include "../../proxy/conf_load.h"
#include "../../proxy/oauth.h"
#include "../../proxy/sockaddr.h"
#include "tls_pair.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

struct endpoint {
    int listening;
    pthread_t thread;
    struct maker root, stranger, leaf, wrong;
    char ca_file[64];
    struct tf_override override;
    struct conf conf; /* that leads there */
    struct tls *tls;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    /* what it does */
    unsigned status;
    const char *body;
    bool is_held;       /* it says nothing */
    bool is_a_stranger; /* another CA has signed its certificate */
    /* what it was told */
    unsigned connections, requests;
    char head[1024], form[4096]; /* of the last request */
};

static inline SSL_CTX *endpoint_context(struct endpoint *e)
{
    return pair_peer(TLS_server_method(), TLS1_2_VERSION, TLS1_3_VERSION,
                     e->is_a_stranger ? &e->wrong : &e->leaf, NULL, 0);
}

/* A head and a body into text, of which the head's length is the result. 0: there is none. */
static inline size_t endpoint_read(SSL *ssl, char *text, size_t size)
{
    size_t n = 0, length = 0;
    const char *end = NULL, *field;
    while (!end || n < (size_t)(end - text) + length) {
        int got = n < size - 1 ? SSL_read(ssl, text + n, (int)(size - 1 - n)) : 0;
        if (got <= 0)
            return 0;
        n += (size_t)got;
        text[n] = '\0';
        end = strstr(text, "\r\n\r\n");
        end = end ? end + 4 : NULL;
        if (end && (field = strstr(text, "Content-Length: ")))
            length = (size_t)strtoul(field + 16, NULL, 10);
    }
    return (size_t)(end - text);
}

static inline void endpoint_serve(struct endpoint *e, SSL *ssl)
{
    char request[8192], response[2 * OAUTH_TOKEN_MAX];
    size_t head = endpoint_read(ssl, request, sizeof request);
    if (head == 0)
        return;
    pthread_mutex_lock(&e->mutex);
    e->requests++;
    snprintf(e->head, sizeof e->head, "%.*s", (int)head, request);
    snprintf(e->form, sizeof e->form, "%s", request + head);
    int n = snprintf(response, sizeof response, "HTTP/1.1 %u Said\r\nContent-Length: %zu\r\n\r\n%s",
                     e->status, strlen(e->body), e->body);
    pthread_mutex_unlock(&e->mutex);
    SSL_write(ssl, response, n);
    SSL_shutdown(ssl);
}

/* One connection after the other, until the socket is shut down. */
static inline void *endpoint_run(void *arg)
{
    struct endpoint *e = arg;
    int fd;
    while ((fd = accept(e->listening, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&e->mutex);
        e->connections++;
        pthread_cond_broadcast(&e->changed);
        while (e->is_held)
            pthread_cond_wait(&e->changed, &e->mutex);
        SSL_CTX *context = endpoint_context(e);
        pthread_mutex_unlock(&e->mutex);
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1)
            endpoint_serve(e, ssl);
        SSL_free(ssl);
        SSL_CTX_free(context);
        close(fd);
    }
    return NULL;
}

static inline void endpoint_listen(struct endpoint *e)
{
    struct sockaddr_storage sa;
    struct tf_addr address = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
    socklen_t len = sockaddr_from_addr(&sa, &address);
    e->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(e->listening, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(e->listening, 8), 0);
    len = sizeof sa;
    assert_int_equal(getsockname(e->listening, (struct sockaddr *)&sa, &len), 0);
    assert_true(sockaddr_to_addr((struct sockaddr *)&sa, &address));
    e->override = (struct tf_override){.host = "login.test", .to = address};
}

static inline void endpoint_open(struct endpoint *e)
{
    *e = (struct endpoint){.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    e->root = cert_make(&(struct cert_plan){.cn = "root", .is_ca = true}, NULL);
    e->stranger = cert_make(&(struct cert_plan){.cn = "stranger", .is_ca = true}, NULL);
    e->leaf = cert_make(&(struct cert_plan){.cn = "login.test", .san = "DNS:login.test"}, &e->root);
    e->wrong = cert_make(&(struct cert_plan){.cn = "login.test", .san = "DNS:login.test"}, &e->stranger);
    strcpy(e->ca_file, "/tmp/tlsfloor-test-XXXXXX");
    close(mkstemp(e->ca_file));
    cert_write(e->ca_file, &e->root.certificate, 1, NULL, NULL);
    endpoint_listen(e);
    e->conf.tf = pair_conf(e->ca_file);
    e->conf.tf.overrides = &e->override;
    e->conf.tf.limits.login_ms = 20000;
    atomic_init(&e->conf.refs, 1);
    e->tls = pair_tls(&e->conf.tf, NULL, NULL);
    assert_int_equal(pthread_create(&e->thread, NULL, endpoint_run, e), 0);
}

/* Nobody listens any more. */
static inline void endpoint_stop(struct endpoint *e)
{
    shutdown(e->listening, SHUT_RDWR);
    pthread_join(e->thread, NULL);
    close(e->listening);
    e->listening = -1;
}

static inline void endpoint_close(struct endpoint *e)
{
    if (e->listening >= 0)
        endpoint_stop(e);
    assert_int_equal(atomic_load(&e->conf.refs), 1); /* no job has kept it */
    tls_unref(e->tls);
    cert_free(&e->root);
    cert_free(&e->stranger);
    cert_free(&e->leaf);
    cert_free(&e->wrong);
    unlink(e->ca_file);
}

/* What it answers from now on. */
static inline void endpoint_say(struct endpoint *e, unsigned status, const char *body)
{
    pthread_mutex_lock(&e->mutex);
    e->status = status;
    e->body = body;
    pthread_mutex_unlock(&e->mutex);
}

/* Whether its certificate is from another CA. */
static inline void endpoint_disguise(struct endpoint *e, bool is_a_stranger)
{
    pthread_mutex_lock(&e->mutex);
    e->is_a_stranger = is_a_stranger;
    pthread_mutex_unlock(&e->mutex);
}

/* The body of the last request. */
static inline const char *endpoint_form(struct endpoint *e)
{
    pthread_mutex_lock(&e->mutex);
    pthread_mutex_unlock(&e->mutex); /* what came before is seen */
    return e->form;
}

static inline void endpoint_hold(struct endpoint *e, bool is_held)
{
    pthread_mutex_lock(&e->mutex);
    e->is_held = is_held;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->mutex);
}

/* Until so many have connected. */
static inline void endpoint_await(struct endpoint *e, unsigned connections)
{
    pthread_mutex_lock(&e->mutex);
    while (e->connections < connections)
        pthread_cond_wait(&e->changed, &e->mutex);
    pthread_mutex_unlock(&e->mutex);
}

/* How many requests have come since this was asked before. */
static inline unsigned endpoint_count(struct endpoint *e)
{
    pthread_mutex_lock(&e->mutex);
    unsigned n = e->requests;
    e->requests = 0;
    pthread_mutex_unlock(&e->mutex);
    return n;
}

#endif
