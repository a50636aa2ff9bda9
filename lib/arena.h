/* Memory handed out from one block that the caller owns. Nothing is freed
 * singly; the whole block goes at once. NULL when it is used up, and then
 * `full` is set for good: a builder of many things may check once at its end. */
#ifndef TF_ARENA_H
#define TF_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_arena {
    uint8_t *base;
    size_t size;
    size_t used;
    bool full;
};

/* Zeroed, aligned for any object. */
void *tf_arena_alloc(struct tf_arena *a, size_t n);
/* A NUL-terminated copy of text[0..n). */
char *tf_arena_text(struct tf_arena *a, const char *text, size_t n);

#endif
