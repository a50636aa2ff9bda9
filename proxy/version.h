/* `tlsfloor --version`. */
#ifndef VERSION_H
#define VERSION_H

int version_main(int argc, char **argv);

#endif
