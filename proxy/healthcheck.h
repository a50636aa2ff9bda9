/* `tlsfloor healthcheck`: whether the gateway that runs with the same settings is ready. */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include "../lib/addr.h"

/* How long the whole check may take. */
enum { HEALTHCHECK_MS = 3000 };

/* Asks the admin socket that listens on `admin` for /readyz. True: it is a gateway, and ready. False with a
 * sentence in error[0..size). */
bool healthcheck_ask(const struct tf_addr *admin, uint32_t timeout_ms, char *error, size_t size);

/* argv[0] is the command. Returns the exit code: 0 ready; 1 not, or the settings cannot be read; 2 wrong
 * usage. */
#define HEALTHCHECK_ARGUMENTS "[-c FILE]"
int healthcheck_main(int argc, char **argv);

#endif
