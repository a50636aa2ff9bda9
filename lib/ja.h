/* Client and server fingerprints: JA3, JA3S (MD5 of a list of numbers) and
 * JA4 (two truncated SHA-256 of sorted lists). The digests are passed in, so
 * that this library needs no cryptography of its own. Undefined for
 * SSLv2-format hellos: these functions then write nothing. */
#ifndef TF_JA_H
#define TF_JA_H

#include "hello.h"

/* A running digest. `start` begins anew, `add` feeds, `finish` writes
 * `size` bytes to out. `ctx` is handed to each. Size 0: this machine has no
 * such digest, and what needs it is not written. */
struct tf_digest {
    void *ctx;
    size_t size; /* 16 for MD5, 32 for SHA-256 */
    void (*start)(void *ctx);
    void (*add)(void *ctx, const void *p, size_t n);
    void (*finish)(void *ctx, uint8_t *out);
};

void tf_put_ja3_text(struct tf_writer *w, const struct tf_hello *hello); /* `771,4865-...,0-23-...,29-23,0` */
void tf_put_ja3(struct tf_writer *w, const struct tf_hello *hello,
                const struct tf_digest *md5); /* 32 hex digits */
void tf_put_ja4(struct tf_writer *w, const struct tf_hello *hello, const struct tf_digest *sha256);
void tf_put_ja3s_text(struct tf_writer *w, const struct tf_server_hello *hello);
void tf_put_ja3s(struct tf_writer *w, const struct tf_server_hello *hello, const struct tf_digest *md5);

#endif
