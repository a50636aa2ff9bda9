/* Bounded reading and writing of bytes.
 *
 * A reader never reads past its end and a writer never writes past its
 * capacity: the first attempt sets a sticky flag, every later call then does
 * nothing, so code reads straight down and checks the flag once a block.
 * Neither owns the memory it works on. */
#ifndef TF_BYTES_H
#define TF_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. `p` may be NULL when `n` is 0. */
struct tf_span {
    const uint8_t *p;
    size_t n;
};

/* FNV-1a with 64 bits, for what stands for a key itself, or is kept: goes on from `hash`, which is
 * TF_HASH64_START at first. */
#define TF_HASH64_START UINT64_C(0xcbf29ce484222325)
uint64_t tf_hash64(uint64_t hash, const void *p, size_t n);

struct tf_reader {
    const uint8_t *p;
    size_t left;
    bool failed;
};

struct tf_reader tf_reader_of(const uint8_t *p, size_t n);
/* Big-endian integers; 0 once the reader has failed. */
uint8_t tf_read_u8(struct tf_reader *r);
uint16_t tf_read_u16(struct tf_reader *r);
uint32_t tf_read_u24(struct tf_reader *r);
/* The next n bytes as they lie; an empty span once the reader has failed. */
struct tf_span tf_read_span(struct tf_reader *r, size_t n);
/* A vector with a length of one, two or three bytes in front (RFC 8446 3.4):
 * a reader over its body. A body that runs over the end fails both readers. */
struct tf_reader tf_read_vec8(struct tf_reader *r);
struct tf_reader tf_read_vec16(struct tf_reader *r);
struct tf_reader tf_read_vec24(struct tf_reader *r);

/* Writes text or bytes into cap bytes at p. `len` counts what was written;
 * a write that does not fit whole is left out and sets `full`. */
struct tf_writer {
    char *p;
    size_t cap;
    size_t len;
    bool full;
};

struct tf_writer tf_writer_of(char *p, size_t cap);
void tf_put(struct tf_writer *w, const void *p, size_t n);
void tf_put_text(struct tf_writer *w, const char *text); /* NUL-terminated */
void tf_put_char(struct tf_writer *w, char c);
void tf_put_u64(struct tf_writer *w, uint64_t v);                 /* decimal */
void tf_put_i64(struct tf_writer *w, int64_t v);                  /* decimal */
void tf_put_padded(struct tf_writer *w, uint64_t v, int digits);  /* decimal, zeros in front */
void tf_put_hex(struct tf_writer *w, const uint8_t *p, size_t n); /* lower case */
void tf_put_hex16(struct tf_writer *w, uint16_t v);               /* four lower-case digits */

#endif
