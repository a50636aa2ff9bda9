/* Versions of the program and its libraries, as built and as they run now. */
#include "version.h"

#include <ares.h>
#include <llhttp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

/* Whether this OpenSSL, as it is built and configured here, has TLS 1.0 left at all: some systems compile it
 * out, and some forbid it in a policy that no program can override. */
static bool can_tls10(void)
{
    bool can = false;
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    if (context == NULL)
        return false;
    SSL_CTX_set_security_level(context, 0);
    if (SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(context, TLS1_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1) {
        SSL *ssl = SSL_new(context);
        STACK_OF(SSL_CIPHER) *ciphers = ssl != NULL ? SSL_get1_supported_ciphers(ssl) : NULL;
        can = ciphers != NULL && sk_SSL_CIPHER_num(ciphers) > 0;
        sk_SSL_CIPHER_free(ciphers);
        SSL_free(ssl);
    }
    SSL_CTX_free(context);
    return can;
}

int version_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("tlsfloor %s\n", TLSFLOOR_VERSION);
    printf("OpenSSL  built with %s, runs with %s\n", OPENSSL_VERSION_TEXT, OpenSSL_version(OPENSSL_VERSION));
    printf("libuv    built with %d.%d.%d, runs with %s\n", UV_VERSION_MAJOR, UV_VERSION_MINOR,
           UV_VERSION_PATCH, uv_version_string());
    printf("c-ares   built with %s, runs with %s\n", ARES_VERSION_STR, ares_version(NULL));
    printf("llhttp   built with %d.%d.%d\n", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
           LLHTTP_VERSION_PATCH);
    printf("inih     built with %s\n", INIH_VERSION);
    printf("TLS 1.0  this OpenSSL %s\n", can_tls10() ? "can do it" : "cannot do it at all");
    return 0;
}
