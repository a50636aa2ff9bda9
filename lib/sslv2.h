/* The SSLv2 format of a ClientHello. For hello.c only; everybody else includes hello.h. */
#ifndef TF_SSLV2_H
#define TF_SSLV2_H

#include "hello.h"

/* Whether a stream that begins with this byte could be one. A TLS record never has the high bit set. */
bool tf_is_sslv2(uint8_t first);
/* As tf_client_scan, which alone calls it. Leaves hello->max_version to that. */
enum tf_parse tf_sslv2_scan(struct tf_hello_scan *scan, const uint8_t *stream, size_t n,
                            struct tf_hello *hello);

#endif
