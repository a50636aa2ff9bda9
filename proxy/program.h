/* How this program was started, for a new version of it to be started the
 * same way. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>

struct program {
    char *path;  /* absolute, and as it was named: where it is a symbolic link, that may be turned */
    char **argv; /* with NULL behind the last */
};

/* To be asked at the start, while the file is still this program's. False: /proc does not tell. */
bool program_find(struct program *p);
void program_free(struct program *p);

#endif
