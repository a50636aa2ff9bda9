/* inventory_read: whoever reads while the gateway writes sees whole transactions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "inventory_fixture.h"
#include <pthread.h>
#include <stdatomic.h>

struct reading {
    atomic_bool is_over;
    unsigned good, bad;
};

/* Each transaction adds one to every count, so where two counts differ, it is half of one. */
static bool is_of_one_moment(const struct roster *r)
{
    for (size_t i = 1; i < roster_count(r); i++)
        if (roster_at(r, i)->counts[TF_OUTCOME_BLOCKED] != roster_at(r, 0)->counts[TF_OUTCOME_BLOCKED])
            return false;
    return true;
}

static void *read_again_and_again(void *arg)
{
    struct reading *reading = arg;
    char error[512];
    do {
        struct roster *r = inventory_read(FILE_NAME, error, sizeof error);
        if (r != NULL && is_of_one_moment(r))
            reading->good++;
        else
            reading->bad++;
        roster_free(r);
    } while (!reading->is_over);
    return NULL;
}

static void a_reader_sees_whole_transactions(void **state)
{
    (void)state;
    enum { ROUNDS = 100, SOURCES = 20 };
    struct reading reading = {.good = 0};
    pthread_t reader;
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    assert_int_equal(pthread_create(&reader, NULL, read_again_and_again, &reading), 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        add_clients(r, SOURCES, round * SECOND);
        write_roster(store, r);
    }
    reading.is_over = true;
    pthread_join(reader, NULL);
    inventory_store_close(store);
    assert_true(reading.good > 0);
    assert_int_equal(reading.bad, 0);
    roster_free(r);
    r = read_file(FILE_NAME);
    assert_int_equal(client_of(r, "10.0.0.1")->counts[TF_OUTCOME_BLOCKED], ROUNDS);
    roster_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reader_sees_whole_transactions, enter_directory, leave_directory),
    };
    return cmocka_run_group_tests_name("inventory_read", tests, NULL, NULL);
}
