/* What the tests of a running inventory share. */
#ifndef INVENTORY_RUNNING_H
#define INVENTORY_RUNNING_H

#include "../../proxy/inventory.h"
#include "await.h"
#include "inventory_fixture.h"
#include <time.h>

enum { QUEUE = 64 };

static inline struct inventory_options options_of(const char *file)
{
    return (struct inventory_options){
        .file = file, .forget_days = 400, .clients = 1000, .destinations = 8, .queue = QUEUE};
}

static inline struct inventory *open_with(const struct inventory_options *options)
{
    char error[512] = "";
    struct inventory *inv = inventory_open(options, error, sizeof error);
    if (inv == NULL)
        fail_msg("%s", error);
    return inv;
}

static inline struct inventory *open_inventory(const char *file)
{
    struct inventory_options options = options_of(file);
    return open_with(&options);
}

static inline int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static inline size_t count_clients(struct inventory *inv)
{
    size_t n = roster_count(inventory_lock(inv));
    inventory_unlock(inv);
    return n;
}

static inline size_t count_stored(const char *file)
{
    char error[512];
    struct roster *r = inventory_read(file, error, sizeof error);
    size_t n = r != NULL ? roster_count(r) : 0;
    roster_free(r);
    return n;
}

static inline bool note(struct inventory *inv, const char *source, uint16_t version, int64_t at_us)
{
    struct tf_sighting s = sighting_of(source, "a.test", version, at_us);
    return inventory_note(inv, &s);
}

/* One of many sources. */
static inline bool note_number(struct inventory *inv, unsigned i)
{
    char source[32];
    snprintf(source, sizeof source, "10.0.%u.%u", i / 256, i % 256);
    return note(inv, source, TF_TLS10, now_us());
}

#define INVENTORY_TEST(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

#endif
