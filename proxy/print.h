/* Text that lib writes into bounded memory, out to a file. */
#ifndef PRINT_H
#define PRINT_H

#include "../lib/bytes.h"
#include <stdio.h>

/* Writes what `put` writes, however long it is. False: it could not be written, or there is no memory for it.
 */
bool print_whole(FILE *to, void (*put)(struct tf_writer *w, const void *arg), const void *arg);

#endif
