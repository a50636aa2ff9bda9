/* inventory.c: what sessions note is summed up, kept across restarts, and nobody waits for the disk. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "inventory_running.h"
#include <pthread.h>
#include <stdatomic.h>

static uint64_t sum_blocked(struct inventory *inv)
{
    uint64_t sum = 0;
    const struct roster *r = inventory_lock(inv);
    for (size_t i = 0; i < roster_count(r); i++)
        sum += roster_at(r, i)->counts[TF_OUTCOME_BLOCKED];
    inventory_unlock(inv);
    return sum;
}

/* --- summing up --- */

static void counts_and_times_add_up(void **state)
{
    (void)state;
    struct inventory *inv = open_inventory("memory");
    int64_t now = now_us();
    struct tf_sighting s = sighting_of("10.0.0.1", "a.test", TF_TLS10, now);
    assert_true(inventory_note(inv, &s));
    s.count = 41; /* of a roll-up */
    s.last_us = now + 60 * SECOND;
    assert_true(inventory_note(inv, &s));
    strcpy(s.host, "b.test");
    s.outcome = TF_OUTCOME_WOULD_BLOCK;
    s.count = 1;
    assert_true(inventory_note(inv, &s));

    const struct roster *r = inventory_lock(inv);
    const struct roster_client *client = client_of(r, "10.0.0.1");
    assert_int_equal(client->counts[TF_OUTCOME_BLOCKED], 42);
    assert_int_equal(client->counts[TF_OUTCOME_WOULD_BLOCK], 1);
    assert_int_equal(client->first_us, now);
    assert_int_equal(client->last_us, now + 60 * SECOND);
    assert_int_equal(client->destination_count, 2);
    inventory_unlock(inv);
    assert_int_equal(inventory_dropped(inv), 0);
    inventory_close(inv);
}

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    enum { SENT = 4 * QUEUE };
    struct inventory *inv = open_inventory("memory");
    unsigned taken = 0;
    inventory_lock(inv); /* holds the thread up */
    for (unsigned i = 0; i < SENT; i++)
        taken += note_number(inv, i);
    inventory_unlock(inv);
    assert_in_range(taken, QUEUE, 2 * QUEUE);
    assert_int_equal(inventory_dropped(inv), SENT - taken);
    assert_int_equal(count_clients(inv), taken);
    inventory_close(inv);
}

struct crowd {
    struct inventory *inv;
    unsigned number;
    uint64_t taken;
    atomic_uint *finished;
};

enum { CROWD = 4, EACH = 5000 };

static void *note_many(void *arg)
{
    struct crowd *c = arg;
    for (unsigned i = 0; i < EACH; i++)
        c->taken += note_number(c->inv, c->number * 16 + i % 16);
    atomic_fetch_add(c->finished, 1);
    return NULL;
}

static void what_many_threads_note_is_either_summed_up_or_dropped(void **state)
{
    (void)state;
    struct crowd crowd[CROWD];
    pthread_t threads[CROWD];
    struct inventory_event events[8];
    struct inventory *inv = open_inventory(FILE_NAME);
    uint64_t taken = 0;
    atomic_uint finished = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i] = (struct crowd){inv, i, 0, &finished};
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, &crowd[i]), 0);
    }
    /* Somebody looks meanwhile. */
    do {
        count_clients(inv);
        inventory_events(inv, 0, events, 8);
    } while (finished < CROWD);
    for (unsigned i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        taken += crowd[i].taken;
    }
    assert_int_equal(sum_blocked(inv), taken);
    assert_int_equal(inventory_dropped(inv), CROWD * EACH - taken);
    inventory_close(inv);
    inv = open_inventory(FILE_NAME);
    assert_int_equal(sum_blocked(inv), taken);
    inventory_close(inv);
}

/* --- bounds --- */

static void who_was_not_seen_for_long_is_forgotten(void **state)
{
    (void)state;
    struct inventory_options options = options_of(FILE_NAME);
    struct inventory *inv = open_with(&options);
    note(inv, "10.0.0.1", TF_TLS10, now_us() - 3 * 86400 * SECOND);
    note(inv, "10.0.0.2", TF_TLS10, now_us() - 86400 * SECOND);
    inventory_close(inv);
    assert_int_equal(count_stored(FILE_NAME), 2);

    options.forget_days = 2;
    inv = open_with(&options);
    AWAIT(count_clients(inv) == 1);
    client_of(inventory_lock(inv), "10.0.0.2");
    inventory_unlock(inv);
    AWAIT(count_stored(FILE_NAME) == 1);
    inventory_close(inv);
}

static void without_room_the_one_not_seen_for_the_longest_time_goes(void **state)
{
    (void)state;
    struct inventory_options options = options_of(FILE_NAME);
    options.clients = 16;
    struct inventory *inv = open_with(&options);
    for (unsigned i = 0; i < 16; i++)
        note_number(inv, i);
    AWAIT(count_stored(FILE_NAME) == 16);
    for (unsigned i = 16; i < 20; i++)
        note_number(inv, i);
    assert_int_equal(count_clients(inv), 16);
    inventory_close(inv);
    struct roster *r = read_file(FILE_NAME);
    assert_int_equal(roster_count(r), 16);
    client_of(r, "10.0.0.4");
    client_of(r, "10.0.0.19");
    roster_free(r);
}

static void a_reload_brings_other_bounds(void **state)
{
    (void)state;
    struct inventory_options options = options_of("memory");
    struct inventory *inv = open_with(&options);
    for (unsigned i = 0; i < 32; i++)
        note_number(inv, i);
    assert_int_equal(count_clients(inv), 32);
    options.clients = 16;
    options.destinations = 1;
    inventory_set_bounds(inv, &options);
    AWAIT(count_clients(inv) == 16);
    struct tf_sighting s = sighting_of("10.0.0.31", "b.test", TF_TLS10, now_us());
    inventory_note(inv, &s);
    assert_int_equal(client_of(inventory_lock(inv), "10.0.0.31")->more_destinations, 1);
    inventory_unlock(inv);
    inventory_close(inv);
}

/* --- kept --- */

static void clients_are_kept_across_restarts(void **state)
{
    (void)state;
    struct inventory *inv = open_inventory(FILE_NAME);
    struct tf_sighting s = full_sighting(now_us());
    inventory_note(inv, &s);
    inventory_close(inv); /* at once: what is left is stored */
    struct roster *before = read_file(FILE_NAME);

    inv = open_inventory(FILE_NAME);
    assert_same_client(client_of(inventory_lock(inv), "2001:db8::7"), client_of(before, "2001:db8::7"));
    inventory_unlock(inv);
    inventory_note(inv, &s);
    inventory_close(inv);
    struct roster *after = read_file(FILE_NAME);
    assert_int_equal(roster_count(after), 1);
    assert_int_equal(roster_at(after, 0)->counts[TF_OUTCOME_BLOCKED], 2 * s.count);
    roster_free(before);
    roster_free(after);
}

static void it_is_stored_while_the_gateway_runs(void **state)
{
    (void)state;
    struct inventory *inv = open_inventory(FILE_NAME);
    note(inv, "10.0.0.1", TF_TLS10, now_us());
    AWAIT(count_stored(FILE_NAME) == 1);
    note(inv, "10.0.0.2", TF_TLS10, now_us());
    AWAIT(count_stored(FILE_NAME) == 2);
    inventory_close(inv);
}

static int64_t fixed_since(struct inventory *inv)
{
    int64_t fixed_us = client_of(inventory_lock(inv), "10.0.0.1")->fixed_us;
    inventory_unlock(inv);
    return fixed_us;
}

static void fixed_since_is_kept_and_ends_when_it_falls_back(void **state)
{
    (void)state;
    int64_t now = now_us();
    struct inventory *inv = open_inventory(FILE_NAME);
    note(inv, "10.0.0.1", TF_TLS10, now);
    assert_int_equal(fixed_since(inv), 0);
    inventory_close(inv);

    inv = open_inventory(FILE_NAME);
    note(inv, "10.0.0.1", TF_TLS12, now + SECOND);
    assert_int_equal(fixed_since(inv), now + SECOND);
    inventory_close(inv);

    inv = open_inventory(FILE_NAME);
    assert_int_equal(fixed_since(inv), now + SECOND);
    note(inv, "10.0.0.1", TF_TLS10, now + 2 * SECOND);
    assert_int_equal(fixed_since(inv), 0);
    inventory_close(inv);
}

static void in_memory_no_file_is_made(void **state)
{
    (void)state;
    struct inventory *inv = open_inventory("memory");
    note(inv, "10.0.0.1", TF_TLS10, now_us());
    assert_int_equal(count_clients(inv), 1);
    inventory_close(inv);
    assert_int_equal(access("memory", F_OK), -1);
    assert_int_equal(access("memory.lock", F_OK), -1);
}

static void a_file_that_cannot_be_used_ends_the_start(void **state)
{
    (void)state;
    char error[512] = "";
    FILE *f = fopen(FILE_NAME, "w");
    fputs("this is no database, but a text that somebody wants to keep", f);
    fclose(f);
    struct inventory_options options = options_of(FILE_NAME);
    assert_null(inventory_open(&options, error, sizeof error));
    assert_non_null(strstr(error, "move it away"));
}

/* Whether a healthy session of that source is worth a sighting. */
static bool is_marked(struct acquaintances *a, const char *source)
{
    static int64_t later_ms;
    struct tf_addr address;
    assert_true(tf_addr_parse(source, strlen(source), &address));
    later_ms += 3600000;
    return acquaintances_note_healthy(a, &address, "a.test", later_ms, false) > 0;
}

static void acquaintances_are_told_of_legacy_clients(void **state)
{
    (void)state;
    struct inventory_options options = options_of(FILE_NAME);
    for (int start = 0; start < 2; start++) { /* the second one knows it from the file */
        options.acquaintances = acquaintances_new(1024);
        struct inventory *inv = open_with(&options);
        if (start == 0) {
            note(inv, "10.0.0.1", TF_TLS10, now_us());
            note(inv, "10.0.0.2", TF_TLS12, now_us());
            AWAIT(is_marked(options.acquaintances, "10.0.0.1"));
        }
        assert_int_equal(count_clients(inv), 2);
        assert_true(is_marked(options.acquaintances, "10.0.0.1"));
        assert_false(is_marked(options.acquaintances, "10.0.0.2"));
        inventory_close(inv);
        acquaintances_free(options.acquaintances);
    }
}

/* --- events --- */

static void the_latest_refusals_have_numbers(void **state)
{
    (void)state;
    static struct inventory_event events[INVENTORY_EVENTS + 8];
    enum { ROOM = sizeof events / sizeof *events };
    struct inventory *inv = open_inventory("memory");
    assert_int_equal(inventory_events(inv, 0, events, ROOM), 0);
    note_number(inv, 1);
    note(inv, "10.0.9.9", TF_TLS13, now_us()); /* no refusal */
    note_number(inv, 2);
    count_clients(inv);
    AWAIT(inventory_events(inv, 0, events, ROOM) == 2);
    assert_int_equal(events[0].number, 1);
    assert_int_equal(events[0].sighting.source.ip[3], 1);
    assert_int_equal(events[1].number, 2);
    assert_int_equal(events[1].sighting.source.ip[3], 2);
    assert_int_equal(inventory_events(inv, 1, events, ROOM), 1);
    assert_int_equal(events[0].number, 2);
    assert_int_equal(inventory_events(inv, 2, events, ROOM), 0);
    assert_int_equal(inventory_events(inv, UINT64_MAX, events, ROOM), 0);
    inventory_close(inv);
}

static void older_events_than_the_last_256_are_gone(void **state)
{
    (void)state;
    static struct inventory_event events[INVENTORY_EVENTS + 8];
    enum { ROOM = sizeof events / sizeof *events, ALL = INVENTORY_EVENTS + 44 };
    struct inventory *inv = open_inventory("memory");
    for (unsigned i = 1; i <= ALL; i++)
        while (!note_number(inv, i))
            count_clients(inv);
    AWAIT(inventory_events(inv, ALL - 1, events, ROOM) == 1);
    assert_int_equal(inventory_events(inv, 0, events, ROOM), INVENTORY_EVENTS);
    for (unsigned i = 0; i < INVENTORY_EVENTS; i++) {
        assert_int_equal(events[i].number, ALL - INVENTORY_EVENTS + 1 + i);
        assert_int_equal(events[i].sighting.source.ip[3], events[i].number % 256);
    }
    assert_int_equal(inventory_events(inv, ALL - INVENTORY_EVENTS - 1, events, ROOM), INVENTORY_EVENTS);
    assert_int_equal(inventory_events(inv, 0, events, 3),
                     3); /* the oldest first: whoever asks goes on from there */
    assert_int_equal(events[0].number, ALL - INVENTORY_EVENTS + 1);
    inventory_close(inv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INVENTORY_TEST(counts_and_times_add_up),
        INVENTORY_TEST(a_full_queue_drops_and_counts),
        INVENTORY_TEST(what_many_threads_note_is_either_summed_up_or_dropped),
        INVENTORY_TEST(who_was_not_seen_for_long_is_forgotten),
        INVENTORY_TEST(without_room_the_one_not_seen_for_the_longest_time_goes),
        INVENTORY_TEST(a_reload_brings_other_bounds),
        INVENTORY_TEST(clients_are_kept_across_restarts),
        INVENTORY_TEST(it_is_stored_while_the_gateway_runs),
        INVENTORY_TEST(fixed_since_is_kept_and_ends_when_it_falls_back),
        INVENTORY_TEST(in_memory_no_file_is_made),
        INVENTORY_TEST(a_file_that_cannot_be_used_ends_the_start),
        INVENTORY_TEST(acquaintances_are_told_of_legacy_clients),
        INVENTORY_TEST(the_latest_refusals_have_numbers),
        INVENTORY_TEST(older_events_than_the_last_256_are_gone),
    };
    return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
