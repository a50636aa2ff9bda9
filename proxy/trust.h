/* The files of [upstream]: who may vouch for servers, and what the gateway
 * shows to servers that ask who it is. */
#ifndef TRUST_H
#define TRUST_H

#include "../lib/conf.h"
#include <openssl/types.h>

/* Puts roots, client certificate and key into the context. False, with a sentence that names the setting in
 * error. */
bool trust_load(SSL_CTX *context, const struct tf_conf *conf, char *error, size_t size);

#endif
