/* census.c: who is counted as whom, up to which limit, and from several threads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/census.h"
#include <pthread.h>
#include <string.h>

static struct census *census;

static int begin(void **state)
{
    (void)state;
    census = census_new();
    return census ? 0 : -1;
}

/* Asserts that nobody is left in it. */
static int finish(void **state)
{
    (void)state;
    census_free(census);
    return 0;
}

static struct tf_addr addr(const char *text)
{
    struct tf_addr a;
    assert_true(tf_addr_parse(text, strlen(text), &a));
    return a;
}

/* The entry, or NULL when there is no room. */
static struct census_entry *enter_source(const char *text, uint32_t limit)
{
    struct census_entry *entry;
    const struct tf_addr source = addr(text);
    bool ok = census_enter_source(census, &source, limit, &entry);
    assert_true(ok == (entry != NULL));
    return entry;
}

static struct census_entry *enter_user(const char *user, uint32_t limit)
{
    struct census_entry *entry;
    bool ok = census_enter_user(census, user, limit, &entry);
    assert_true(ok == (entry != NULL));
    return entry;
}

static void leave(struct census_entry *entry)
{
    assert_non_null(entry);
    census_leave(census, entry);
}

static void a_source_has_room_up_to_the_limit_and_again_when_one_leaves(void **state)
{
    (void)state;
    struct census_entry *a = enter_source("192.0.2.1", 2), *b = enter_source("192.0.2.1", 2);
    assert_null(enter_source("192.0.2.1", 2));
    assert_null(enter_source("192.0.2.1", 2));
    leave(a);
    a = enter_source("192.0.2.1", 2);
    assert_null(enter_source("192.0.2.1", 2));
    leave(a);
    leave(b);
}

static void others_have_room_of_their_own(void **state)
{
    (void)state;
    struct census_entry *a = enter_source("192.0.2.1", 1), *b = enter_source("192.0.2.2", 1);
    struct census_entry *c = enter_user("anna", 1), *d = enter_user("ann", 1), *e = enter_user("Anna", 1);
    assert_null(enter_user("anna", 1));
    leave(a);
    leave(b);
    leave(c);
    leave(d);
    leave(e);
}

static void the_port_of_a_source_does_not_matter(void **state)
{
    (void)state;
    struct tf_addr source = addr("192.0.2.1");
    struct census_entry *a = enter_source("192.0.2.1", 1), *b;
    source.port = 4711;
    assert_false(census_enter_source(census, &source, 1, &b));
    assert_null(b);
    leave(a);
}

static void an_ipv6_source_is_its_64(void **state)
{
    (void)state;
    struct census_entry *a = enter_source("2001:db8:0:1::1", 1);
    assert_null(enter_source("2001:db8:0:1:ffff:ffff:ffff:ffff", 1));
    struct census_entry *b = enter_source("2001:db8:0:2::1", 1);
    leave(a);
    leave(b);
}

/* The bytes of the address's key, were it not for what kind they are. */
static void a_user_is_not_an_address(void **state)
{
    (void)state;
    struct census_entry *a = enter_source("97.98.99.100", 1), *b = enter_user("abcd", 1);
    struct census_entry *c = enter_source("6162:6364:6566:6768::", 1), *d = enter_user("abcdefgh", 1);
    leave(a);
    leave(b);
    leave(c);
    leave(d);
}

static void without_a_limit_nothing_is_counted(void **state)
{
    struct census_entry *entry = (struct census_entry *)&entry;
    const struct tf_addr source = addr("192.0.2.1");
    (void)state;
    assert_true(census_enter_source(census, &source, 0, &entry));
    assert_null(entry);
    assert_true(census_enter_user(census, "anna", 0, &entry));
    assert_null(entry);
    census_leave(census, NULL);
}

static void a_limit_may_change(void **state)
{
    (void)state;
    struct census_entry *a = enter_user("anna", 2), *b = enter_user("anna", 2);
    assert_null(enter_user("anna", 1));
    struct census_entry *c = enter_user("anna", 3);
    leave(a);
    leave(b);
    assert_null(enter_user("anna", 1));
    leave(c);
    leave(enter_user("anna", 1));
}

static void many_may_come_and_go(void **state)
{
    enum { MANY = 5000 };
    static struct census_entry *entries[MANY];
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        struct tf_addr source = {.family = TF_FAMILY_V4, .ip = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        assert_true(census_enter_source(census, &source, 1, &entries[i]));
        assert_false(census_enter_source(census, &source, 1, &(struct census_entry *){NULL}));
    }
    for (uint32_t i = 0; i < MANY; i++)
        leave(entries[i * 7 % MANY]);
}

enum { THREADS = 4, ROUNDS = 5000, LIMIT = 2 };

static int inside; /* as counted by the threads themselves; of theirs, so many at once at most */
static int most, refused;

static void *come_and_go(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct census_entry *entry;
        if (!census_enter_user(census, "anna", LIMIT, &entry)) {
            __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
            continue;
        }
        int now = __atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED);
        int seen = __atomic_load_n(&most, __ATOMIC_RELAXED);
        while (now > seen &&
               !__atomic_compare_exchange_n(&most, &seen, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            ;
        __atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
        census_leave(census, entry);
    }
    return NULL;
}

static void threads_never_exceed_the_limit(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(most >= 1 && most <= LIMIT);
    assert_true(refused < THREADS * ROUNDS);
    leave(enter_user("anna", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_source_has_room_up_to_the_limit_and_again_when_one_leaves, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(others_have_room_of_their_own, begin, finish),
        cmocka_unit_test_setup_teardown(the_port_of_a_source_does_not_matter, begin, finish),
        cmocka_unit_test_setup_teardown(an_ipv6_source_is_its_64, begin, finish),
        cmocka_unit_test_setup_teardown(a_user_is_not_an_address, begin, finish),
        cmocka_unit_test_setup_teardown(without_a_limit_nothing_is_counted, begin, finish),
        cmocka_unit_test_setup_teardown(a_limit_may_change, begin, finish),
        cmocka_unit_test_setup_teardown(many_may_come_and_go, begin, finish),
        cmocka_unit_test_setup_teardown(threads_never_exceed_the_limit, begin, finish),
    };
    return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
