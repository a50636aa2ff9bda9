/* Bounded readers and writers; see bytes.h. */
#include "bytes.h"

#include <string.h>

uint64_t tf_hash64(uint64_t hash, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

struct tf_reader tf_reader_of(const uint8_t *p, size_t n)
{
    return (struct tf_reader){.p = p, .left = n};
}

struct tf_span tf_read_span(struct tf_reader *r, size_t n)
{
    struct tf_span s = {r->p, n};
    if (r->failed || n > r->left) {
        r->failed = true;
        r->left = 0;
        return (struct tf_span){NULL, 0};
    }
    if (n > 0)
        r->p += n;
    r->left -= n;
    return s;
}

static uint32_t read_uint(struct tf_reader *r, size_t size)
{
    struct tf_span s = tf_read_span(r, size);
    uint32_t v = 0;
    for (size_t i = 0; i < s.n; i++)
        v = v << 8 | s.p[i];
    return v;
}

uint8_t tf_read_u8(struct tf_reader *r)
{
    return (uint8_t)read_uint(r, 1);
}

uint16_t tf_read_u16(struct tf_reader *r)
{
    return (uint16_t)read_uint(r, 2);
}

uint32_t tf_read_u24(struct tf_reader *r)
{
    return read_uint(r, 3);
}

static struct tf_reader read_vec(struct tf_reader *r, size_t length_size)
{
    struct tf_span body = tf_read_span(r, read_uint(r, length_size));
    struct tf_reader inner = tf_reader_of(body.p, body.n);
    inner.failed = r->failed;
    return inner;
}

struct tf_reader tf_read_vec8(struct tf_reader *r)
{
    return read_vec(r, 1);
}

struct tf_reader tf_read_vec16(struct tf_reader *r)
{
    return read_vec(r, 2);
}

struct tf_reader tf_read_vec24(struct tf_reader *r)
{
    return read_vec(r, 3);
}

struct tf_writer tf_writer_of(char *p, size_t cap)
{
    return (struct tf_writer){.p = p, .cap = cap};
}

void tf_put(struct tf_writer *w, const void *p, size_t n)
{
    if (w->full || n > w->cap - w->len) {
        w->full = true;
        return;
    }
    if (n > 0)
        memcpy(w->p + w->len, p, n);
    w->len += n;
}

void tf_put_text(struct tf_writer *w, const char *text)
{
    tf_put(w, text, strlen(text));
}

void tf_put_char(struct tf_writer *w, char c)
{
    tf_put(w, &c, 1);
}

void tf_put_padded(struct tf_writer *w, uint64_t v, int digits)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
        digits--;
    } while ((v > 0 || digits > 0) && at > 0);
    tf_put(w, text + at, sizeof text - at);
}

void tf_put_u64(struct tf_writer *w, uint64_t v)
{
    tf_put_padded(w, v, 1);
}

void tf_put_i64(struct tf_writer *w, int64_t v)
{
    if (v < 0)
        tf_put_char(w, '-');
    tf_put_u64(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void tf_put_hex(struct tf_writer *w, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        char pair[2] = {digits[p[i] >> 4], digits[p[i] & 15]};
        tf_put(w, pair, 2);
    }
}

void tf_put_hex16(struct tf_writer *w, uint16_t v)
{
    uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    tf_put_hex(w, b, 2);
}
