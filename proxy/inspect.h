/* `tlsfloor inspect`: captured flights to JSON. */
#ifndef INSPECT_H
#define INSPECT_H

/* `inspect [--jsonl] [--client|--server] [FILE|-]`: argv[0] is the command. Returns the exit code: 1 if a
 * line of a
 * --jsonl input could not be read. */
int inspect_main(int argc, char **argv);

#endif
