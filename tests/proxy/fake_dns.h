/* A DNS server for tests, on a free port of 127.0.0.1 and on the loop of the
 * test itself. It answers A and AAAA questions from a table of names. */
#ifndef FAKE_DNS_H
#define FAKE_DNS_H

#include "../../lib/bytes.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { FAKE_NXDOMAIN = 3, FAKE_SERVFAIL = 2, FAKE_MESSAGE_MAX = 1024 };

struct fake_name {
    const char *name;
    const char *v4, *v6; /* addresses with a blank between; NULL: no such record */
    uint32_t ttl;
    unsigned rcode;
    bool silent;                   /* asked, it says nothing */
    bool aliased;                  /* the addresses are those of an alias with ... */
    uint32_t alias_ttl;            /* ... this TTL of its own */
    unsigned delay4_ms, delay6_ms; /* before the answer */
};

struct fake_dns {
    uv_udp_t udp;
    const struct fake_name *names;
    size_t count;
    unsigned asked4, asked6; /* questions that came */
    char server[32];         /* for ares_set_servers_ports_csv */
};

struct fake_reply {
    uv_timer_t timer;
    struct fake_dns *dns;
    struct sockaddr_in to;
    size_t size;
    uint8_t message[FAKE_MESSAGE_MAX];
};

static void fake_put16(struct tf_writer *w, unsigned v)
{
    tf_put(w, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

/* RFC 1035 3.2.1: owner (a pointer to the question's name, or the alias), type, class IN, ttl, length. */
static void fake_put_record_head(struct tf_writer *w, bool of_alias, unsigned type, uint32_t ttl,
                                 unsigned length)
{
    tf_put(w, of_alias ? "\5alias\4test" : "\xc0\x0c", of_alias ? sizeof "\5alias\4test" : 2);
    fake_put16(w, type);
    fake_put16(w, 1);
    fake_put16(w, ttl >> 16);
    fake_put16(w, ttl & 0xffff);
    fake_put16(w, length);
}

static unsigned fake_put_answers(struct tf_writer *w, const struct fake_name *name, bool v6)
{
    unsigned n = 0;
    char list[FAKE_MESSAGE_MAX], *rest = list;
    snprintf(list, sizeof list, "%s", v6 ? name->v6 : name->v4);
    if (name->aliased) {
        fake_put_record_head(w, false, 5, name->alias_ttl, sizeof "\5alias\4test");
        tf_put(w, "\5alias\4test", sizeof "\5alias\4test");
        n++;
    }
    for (char *text; (text = strsep(&rest, " ")) != NULL; n++) {
        uint8_t ip[16];
        if (inet_pton(v6 ? AF_INET6 : AF_INET, text, ip) != 1)
            abort();
        fake_put_record_head(w, name->aliased, v6 ? 28 : 1, name->ttl, v6 ? 16 : 4);
        tf_put(w, ip, v6 ? 16 : 4);
    }
    return n;
}

static void fake_on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

static void fake_send(uv_timer_t *timer)
{
    struct fake_reply *r = timer->data;
    uv_buf_t buf = uv_buf_init((char *)r->message, (unsigned)r->size);
    if (!uv_is_closing((uv_handle_t *)&r->dns->udp))
        uv_udp_try_send(&r->dns->udp, &buf, 1, (const struct sockaddr *)&r->to);
    uv_close((uv_handle_t *)timer, fake_on_closed);
}

/* Reads the name of the only question, dots between its labels; true when the question is whole. */
static bool fake_read_question(struct tf_reader *r, char name[256], unsigned *type)
{
    struct tf_writer w = tf_writer_of(name, 255);
    for (;;) {
        struct tf_reader label = tf_read_vec8(r);
        if (r->failed || label.left == 0)
            break;
        if (w.len > 0)
            tf_put_char(&w, '.');
        tf_put(&w, label.p, label.left);
    }
    name[w.len] = '\0';
    *type = tf_read_u16(r);
    tf_read_u16(r);
    return !r->failed;
}

static void fake_answer(struct fake_dns *dns, const uint8_t *query, size_t n, const struct sockaddr *from)
{
    struct tf_reader r = tf_reader_of(query, n);
    char host[256];
    unsigned type;
    struct fake_reply *reply = calloc(1, sizeof *reply);
    struct tf_writer w = tf_writer_of((char *)reply->message, sizeof reply->message);

    tf_read_span(&r, 12);
    if (!fake_read_question(&r, host, &type))
        abort();
    bool v6 = type == 28;
    *(v6 ? &dns->asked6 : &dns->asked4) += 1;

    struct fake_name unknown = {.rcode = FAKE_NXDOMAIN};
    const struct fake_name *name = &unknown;
    for (size_t i = 0; i < dns->count; i++)
        if (strcasecmp(dns->names[i].name, host) == 0)
            name = &dns->names[i];
    if (name->silent) {
        free(reply);
        return;
    }
    /* Header: the query's id; a response, recursion wanted and had; one question; answers to be counted. */
    tf_put(&w, query, 2);
    fake_put16(&w, 0x8180 | name->rcode);
    tf_put(&w, "\0\1\0\0\0\0\0\0", 8);
    tf_put(&w, query + 12, n - r.left - 12);
    if (name->rcode == 0 && (v6 ? name->v6 : name->v4) != NULL)
        reply->message[7] = (uint8_t)fake_put_answers(&w, name, v6);
    if (w.full)
        abort();
    reply->size = w.len;
    reply->dns = dns;
    memcpy(&reply->to, from, sizeof reply->to);
    uv_timer_init(dns->udp.loop, &reply->timer);
    reply->timer.data = reply;
    uv_timer_start(&reply->timer, fake_send, v6 ? name->delay6_ms : name->delay4_ms, 0);
}

static void fake_on_query(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                          unsigned flags)
{
    (void)flags;
    if (n > 0 && from != NULL)
        fake_answer(udp->data, (const uint8_t *)buf->base, (size_t)n, from);
}

static void fake_on_room(uv_handle_t *udp, size_t suggested, uv_buf_t *buf)
{
    static char room[65536];
    (void)udp, (void)suggested;
    *buf = uv_buf_init(room, sizeof room);
}

static void fake_dns_start(struct fake_dns *dns, uv_loop_t *loop, const struct fake_name *names, size_t count)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof here;
    memset(dns, 0, sizeof *dns);
    dns->names = names;
    dns->count = count;
    uv_udp_init(loop, &dns->udp);
    dns->udp.data = dns;
    if (uv_udp_bind(&dns->udp, (struct sockaddr *)&here, 0) != 0 ||
        uv_udp_getsockname(&dns->udp, (struct sockaddr *)&here, &size) != 0 ||
        uv_udp_recv_start(&dns->udp, fake_on_room, fake_on_query) != 0)
        abort();
    snprintf(dns->server, sizeof dns->server, "127.0.0.1:%u", ntohs(here.sin_port));
}

/* Answers that are still due are not sent; the loop must run until all is closed. */
static void fake_dns_stop(struct fake_dns *dns)
{
    uv_close((uv_handle_t *)&dns->udp, NULL);
}

#endif
