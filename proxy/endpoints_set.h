/* One endpoint set from its JSON object. */
#ifndef ENDPOINTS_SET_H
#define ENDPOINTS_SET_H

#include "../lib/arena.h"
#include "../lib/m365.h"
#include <jansson.h>

struct endpoints_reader {
    char *error;
    size_t error_size;
    struct tf_arena arena; /* with as much memory as endpoints_memory says of the texts that are read */
    struct tf_m365_entry *entries; /* with room for all names */
    size_t ordered_count, entry_count;
    const char *file; /* the name of the one that the set comes from */
};

/* Bytes of memory that a text of n bytes can need at most. */
size_t endpoints_memory(size_t n);
/* Zeroed; there always is enough. */
void *endpoints_take(struct endpoints_reader *r, size_t n);

/* Fills a zeroed set, and puts its names among the entries. The object has a number as its id, up to
 * UINT32_MAX. False with `FILE: set ID: what is wrong` in error. */
bool endpoints_read_set(struct endpoints_reader *r, const json_t *json, struct tf_m365_set *set);

#endif
