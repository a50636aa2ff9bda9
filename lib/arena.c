/* Memory from one block; see arena.h. */
#include "arena.h"

#include <stdalign.h>
#include <string.h>

static void *take(struct tf_arena *a, size_t n, size_t alignment)
{
    size_t padding = (alignment - (uintptr_t)(a->base + a->used) % alignment) % alignment;
    if (a->full || padding > a->size - a->used || n > a->size - a->used - padding) {
        a->full = true;
        return NULL;
    }
    void *p = a->base + a->used + padding;
    a->used += padding + n;
    return p;
}

void *tf_arena_alloc(struct tf_arena *a, size_t n)
{
    void *p = take(a, n, alignof(max_align_t));
    return p ? memset(p, 0, n) : NULL;
}

char *tf_arena_text(struct tf_arena *a, const char *text, size_t n)
{
    char *copy = take(a, n + 1, 1);
    if (!copy)
        return NULL;
    if (n > 0)
        memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}
