/* Objects of one size. */
#include "../../proxy/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 4000, MANY = 200 };

static void objects_do_not_overlap(void **state)
{
    struct pool p;
    uint8_t *objects[MANY];
    (void)state;
    pool_init(&p, SIZE);
    for (int i = 0; i < MANY; i++) {
        objects[i] = pool_get(&p);
        assert_non_null(objects[i]);
        memset(objects[i], i, SIZE);
    }
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < SIZE; k++)
            assert_int_equal(objects[i][k], (uint8_t)i);
    for (int i = 0; i < MANY; i++)
        pool_put(&p, objects[i]);
    pool_fini(&p);
}

static void an_object_that_is_put_back_is_used_again(void **state)
{
    struct pool p;
    (void)state;
    pool_init(&p, 100);
    void *first = pool_get(&p);
    void *second = pool_get(&p);
    pool_put(&p, first);
    assert_ptr_equal(pool_get(&p), first);
    pool_put(&p, first);
    pool_put(&p, second);
    pool_fini(&p);
}

/* However the objects come back, only a few slabs without objects are kept. */
static void memory_goes_back_when_the_objects_do(void **state)
{
    struct pool p;
    void *objects[MANY];
    (void)state;
    pool_init(&p, SIZE);
    for (int i = 0; i < MANY; i++)
        objects[i] = pool_get(&p);
    for (int i = 0; i < MANY; i += 2)
        pool_put(&p, objects[i]);
    assert_int_equal(p.empty, 0);
    for (int i = 1; i < MANY; i += 2)
        pool_put(&p, objects[i]);
    assert_int_equal(p.empty, POOL_EMPTY_MAX);
    pool_fini(&p);
    assert_null(p.partial);
}

static void putting_nothing_back_is_nothing(void **state)
{
    struct pool p;
    (void)state;
    pool_init(&p, 16);
    pool_put(&p, NULL);
    pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_do_not_overlap),
        cmocka_unit_test(an_object_that_is_put_back_is_used_again),
        cmocka_unit_test(memory_goes_back_when_the_objects_do),
        cmocka_unit_test(putting_nothing_back_is_nothing),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
