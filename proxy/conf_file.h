/* The INI file: lines to sections, keys and values, with inih. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "../lib/conf.h"

/* A longer file is refused. */
enum { CONF_FILE_MAX = 1 << 20 };

/* What strerror says, and which user may not where that is the reason. */
void conf_error_text(int error, char *text, size_t size);

/* The whole file; to be freed. NULL with a sentence in error[0..size). */
char *conf_file_read(const char *file, size_t *n, char *error, size_t size);
/* The same of a file that holds secrets, and is closed to others (private_file.h); to be wiped as well. */
char *conf_file_read_secret(const char *file, size_t *n, char *error, size_t size);

/* Feeds text[0..n) to a load that has begun. `name` is the file's in origins, and must live as long as the
 * arena. False, after a report: this is no text, and nothing was fed. */
bool conf_file_feed(struct tf_conf_load *load, const char *name, const char *text, size_t n);

#endif
