/* Versions of the program and its libraries, as built and as they run now. */
#include "version.h"

#include "../lib/client.h"
#include "tls.h"

#include <ares.h>
#include <llhttp.h>
#include <stdio.h>
#include <uv.h>

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
    printf("clients  recognised by the table of %s\n", TF_CLIENT_TABLE_VERSION);
    printf("TLS 1.0  this OpenSSL %s\n", tls_can_tls10() ? "can do it" : "cannot do it at all");
    return 0;
}
