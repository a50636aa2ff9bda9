/* The PAC file: /proxy.pac of the admin socket, and `tlsfloor pac`. */
#ifndef PAC_H
#define PAC_H

#include "../lib/conf.h"
#include <stdio.h>

#define PAC_TYPE "application/x-ns-proxy-autoconfig"

/* Whether there is one: not where [pac] names no proxy, and none of the listeners is at an address that
 * browsers could go to. */
bool pac_is_known(const struct tf_conf *conf);
/* Writes the file that conf's [pac] asks for, which must be known. False: it could not be written. */
bool pac_write(FILE *to, const struct tf_conf *conf);

/* argv[0] is the command. Returns the exit code. */
#define PAC_ARGUMENTS                                                                                        \
    "[-c FILE] [--kind gateway|legacy] [--direct optimize|allow] [--proxy HOST:PORT,...] [--clients "        \
    "CIDR,...]"
int pac_main(int argc, char **argv);

#endif
