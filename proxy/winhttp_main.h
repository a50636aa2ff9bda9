/* `tlsfloor winhttp`. */
#ifndef WINHTTP_MAIN_H
#define WINHTTP_MAIN_H

#define WINHTTP_ARGUMENTS "[VALUE | PROTOCOL...]"
int winhttp_main(int argc, char **argv);

#endif
