/* The running gateway: `tlsfloor run`. */
#ifndef GATEWAY_H
#define GATEWAY_H

#define RUN_ARGUMENTS "[-c FILE]"

/* argv[0] is the command. Returns the exit code. */
int gateway_main(int argc, char **argv);

#endif
