/* Makes hellos byte by byte, sound ones and others: what the tests of the
 * parsers feed. A value that does not fit ends the test. */
#ifndef HELLO_MAKER_H
#define HELLO_MAKER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct maker {
    size_t n;
    uint8_t p[1 << 20];
};

static inline void put_bytes(struct maker *m, const void *p, size_t n)
{
    assert(n <= sizeof m->p - m->n);
    if (n > 0)
        memcpy(m->p + m->n, p, n);
    m->n += n;
}

static inline void put_fill(struct maker *m, uint8_t value, size_t n)
{
    assert(n <= sizeof m->p - m->n);
    memset(m->p + m->n, value, n);
    m->n += n;
}

/* A big-endian number of `size` bytes. */
static inline void put_uint(struct maker *m, size_t v, size_t size)
{
    assert(v >> 8 * size == 0);
    while (size-- > 0)
        put_fill(m, (uint8_t)(v >> 8 * size), 1);
}

/* Begins a vector with a length of `size` bytes; vec_end fills the length in. */
static inline size_t vec_begin(struct maker *m, size_t size)
{
    put_fill(m, 0, size);
    return m->n;
}

static inline void vec_end(struct maker *m, size_t begin, size_t size)
{
    size_t end = m->n;
    m->n = begin - size;
    put_uint(m, end - begin, size);
    m->n = end;
}

static inline void put_vec(struct maker *m, size_t size, const void *p, size_t n)
{
    put_uint(m, n, size);
    put_bytes(m, p, n);
}

static inline void put_extension(struct maker *m, uint16_t type, const void *body, size_t n)
{
    put_uint(m, type, 2);
    put_vec(m, 2, body, n);
}

/* server_name with one host_name. */
static inline void put_sni(struct maker *m, const char *name)
{
    size_t n = strlen(name);
    put_uint(m, 0, 2);
    put_uint(m, n + 5, 2);
    put_uint(m, n + 3, 2);
    put_uint(m, 0, 1);
    put_vec(m, 2, name, n);
}

/* Whatever is NULL or 0 has an unremarkable, sound value. */
struct client_hello {
    uint16_t version;
    size_t session_id; /* its length */
    struct maker *ciphers, *extensions;
    bool bare; /* no extensions, not even an empty block */
};

/* The body of a ClientHello's message. */
static inline void put_client_hello(struct maker *m, struct client_hello hello)
{
    put_uint(m, hello.version ? hello.version : 0x0303, 2);
    put_fill(m, 'r', 32);
    put_uint(m, hello.session_id, 1);
    put_fill(m, 's', hello.session_id);
    if (hello.ciphers)
        put_vec(m, 2, hello.ciphers->p, hello.ciphers->n);
    else
        put_vec(m, 2, "\x13\x01\xc0\x2f", 4);
    put_vec(m, 1, "", 1);
    if (hello.bare)
        return;
    put_vec(m, 2, hello.extensions ? hello.extensions->p : NULL, hello.extensions ? hello.extensions->n : 0);
}

struct server_hello {
    uint16_t version;
    const char *random; /* 32 bytes */
    size_t session_id;
    uint16_t cipher;
    struct maker *extensions;
    bool bare;
};

static inline void put_server_hello(struct maker *m, struct server_hello hello)
{
    put_uint(m, hello.version ? hello.version : 0x0303, 2);
    put_bytes(m, hello.random ? hello.random : "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr", 32);
    put_uint(m, hello.session_id, 1);
    put_fill(m, 's', hello.session_id);
    put_uint(m, hello.cipher ? hello.cipher : 0x1301, 2);
    put_uint(m, 0, 1);
    if (hello.bare)
        return;
    put_vec(m, 2, hello.extensions ? hello.extensions->p : NULL, hello.extensions ? hello.extensions->n : 0);
}

static inline void put_record(struct maker *m, uint8_t type, const void *p, size_t n)
{
    put_uint(m, type, 1);
    put_uint(m, 0x0301, 2);
    put_vec(m, 2, p, n);
}

/* The message `body` with its header. */
static inline void put_message(struct maker *m, uint8_t type, const struct maker *body)
{
    put_uint(m, type, 1);
    put_vec(m, 3, body->p, body->n);
}

/* What is in `from`, in handshake records of `first` bytes, and then of `rest` each. */
static inline void put_records(struct maker *m, const struct maker *from, size_t first, size_t rest)
{
    for (size_t at = 0, size = first; at < from->n; size = rest) {
        size_t n = from->n - at < size ? from->n - at : size;
        put_record(m, 22, from->p + at, n);
        at += n;
    }
}

#endif
