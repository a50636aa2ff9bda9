/* Names of cipher suites. */
#ifndef TF_SUITES_H
#define TF_SUITES_H

#include "bytes.h"

#define TF_SUITE_TEXT_MAX 48 /* no name is longer */

/* The IANA name, `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, of the better known ones; else `0xc02f`. */
void tf_put_suite(struct tf_writer *w, uint16_t id);
/* The suites that have a name, signalling values among them, in ascending order; 0 behind the last. */
uint16_t tf_suite_at(size_t i);

#endif
