/* Slabs of 64 KiB, aligned to their size, so that an object's slab is found
 * by masking its address. A few slabs without objects are kept, so that a load
 * that swings does not map and unmap all the time. */
#include "pool.h"

#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>

/* AddressSanitizer is told what is out of use, as it would know by itself of malloc's memory. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HIDE(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define HIDE(p, n) (void)(p), (void)(n)
#define SHOW(p, n) (void)(p), (void)(n)
#endif

enum { SLAB_SIZE = 64 * 1024, OBJECT_ALIGN = 16 };

struct free_object {
    struct free_object *next;
};

struct pool_slab {
    struct pool_slab *prev, *next; /* in pool.partial, when it has room */
    struct free_object *free;      /* objects that were given back */
    size_t fresh;                  /* objects never handed out: the last `fresh` ones */
    size_t used;
};

enum { HEAD_SIZE = (sizeof(struct pool_slab) + OBJECT_ALIGN - 1) / OBJECT_ALIGN * OBJECT_ALIGN };

void pool_init(struct pool *p, size_t object_size)
{
    size_t rounded = (object_size + OBJECT_ALIGN - 1) / OBJECT_ALIGN * OBJECT_ALIGN;
    assert(rounded <= 8192);
    *p = (struct pool){.object_size = rounded, .per_slab = (SLAB_SIZE - HEAD_SIZE) / rounded};
}

/* Maps twice the size and gives back what lies outside the aligned half. */
static struct pool_slab *slab_new(const struct pool *p)
{
    uint8_t *raw = mmap(NULL, 2 * SLAB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
        return NULL;
    size_t before = (SLAB_SIZE - ((uintptr_t)raw & (SLAB_SIZE - 1))) & (SLAB_SIZE - 1);
    if (before > 0)
        munmap(raw, before);
    munmap(raw + before + SLAB_SIZE, SLAB_SIZE - before);
    struct pool_slab *slab = (struct pool_slab *)(void *)(raw + before);
    slab->fresh = p->per_slab;
    return slab;
}

static void slab_free(struct pool_slab *slab)
{
    SHOW(slab, SLAB_SIZE);
    munmap(slab, SLAB_SIZE);
}

static void link_slab(struct pool *p, struct pool_slab *slab)
{
    slab->prev = NULL;
    slab->next = p->partial;
    if (p->partial != NULL)
        p->partial->prev = slab;
    p->partial = slab;
}

static void unlink_slab(struct pool *p, struct pool_slab *slab)
{
    if (slab->prev != NULL)
        slab->prev->next = slab->next;
    else
        p->partial = slab->next;
    if (slab->next != NULL)
        slab->next->prev = slab->prev;
}

void *pool_get(struct pool *p)
{
    struct pool_slab *slab = p->partial;
    if (slab == NULL) {
        slab = slab_new(p);
        if (slab == NULL)
            return NULL;
        link_slab(p, slab);
        p->empty++;
    }
    void *object;
    if (slab->free != NULL) {
        object = slab->free;
        SHOW(object, p->object_size);
        slab->free = slab->free->next;
    } else {
        object = (uint8_t *)slab + HEAD_SIZE + (p->per_slab - slab->fresh) * p->object_size;
        slab->fresh--;
    }
    if (slab->used++ == 0)
        p->empty--;
    if (slab->used == p->per_slab)
        unlink_slab(p, slab);
    return object;
}

void pool_put(struct pool *p, void *object)
{
    if (object == NULL)
        return;
    struct pool_slab *slab = (struct pool_slab *)((uintptr_t)object & ~(uintptr_t)(SLAB_SIZE - 1));
    struct free_object *f = object;
    f->next = slab->free;
    slab->free = f;
    HIDE(f, p->object_size);
    if (slab->used == p->per_slab)
        link_slab(p, slab);
    assert(slab->used > 0);
    if (--slab->used > 0)
        return;
    if (p->empty == POOL_EMPTY_MAX) {
        unlink_slab(p, slab);
        slab_free(slab);
    } else {
        p->empty++;
    }
}

void pool_fini(struct pool *p)
{
    while (p->partial != NULL) {
        struct pool_slab *slab = p->partial;
        assert(slab->used == 0);
        unlink_slab(p, slab);
        slab_free(slab);
    }
    p->empty = 0;
}
