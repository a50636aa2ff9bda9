/* `tlsfloor inspect`: captured flights to JSON. */
#ifndef INSPECT_H
#define INSPECT_H

/* argv[0] is the command. Returns the exit code: 1 if a line of a --jsonl input could not be read. */
#define INSPECT_ARGUMENTS "[--jsonl] [--client | --server] [FILE | -]"
int inspect_main(int argc, char **argv);

#endif
