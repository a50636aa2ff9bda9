/* Files that are there whole, or not at all. */
#ifndef WHOLE_FILE_H
#define WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes p[0..n) to a new file beside `path`, sees it onto the disk, and gives it the name. `replace`:
 * whatever has the name goes, else that is EEXIST, whoever was quicker. Nobody but the owner can open it
 * before it has its mode. 0, or errno. */
int whole_file_write(const char *path, const void *p, size_t n, mode_t mode, bool replace);

#endif
