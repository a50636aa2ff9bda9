/* What the tests of the inventory share: sightings, a directory for each test, and clients compared. */
#ifndef INVENTORY_FIXTURE_H
#define INVENTORY_FIXTURE_H

#include "../../proxy/inventory_store.h"
#include "own_directory.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND    INT64_C(1000000)
#define FILE_NAME "clients.db"

enum { CLIENTS = 100, DESTINATIONS = 8 };

/* A refusal of a client that offers so much; at a second of 2026, or of any time. */
static inline struct tf_sighting sighting_of(const char *source, const char *host, uint16_t version,
                                             int64_t at_us)
{
    struct tf_sighting s = {.outcome = version >= TF_TLS12 ? TF_OUTCOME_PASSED : TF_OUTCOME_BLOCKED,
                            .reason = version >= TF_TLS12 ? TF_REASON_NONE : TF_REASON_CLIENT_BELOW_FLOOR,
                            .count = 1,
                            .first_us = at_us,
                            .last_us = at_us,
                            .port = 443,
                            .version = version,
                            .fingerprint = UINT64_C(0xfedcba9876543210),
                            .family = TF_CLIENT_FAMILY_JAVA_6,
                            .certainty = TF_CLIENT_LIKELY};
    assert_true(tf_addr_parse(source, strlen(source), &s.source));
    snprintf(s.host, sizeof s.host, "%s", host);
    return s;
}

/* With a word in every field. */
static inline struct tf_sighting full_sighting(int64_t at_us)
{
    struct tf_sighting s = sighting_of("2001:db8::7", "outlook.office365.com", TF_TLS10, at_us);
    s.is_m365 = true;
    s.area = TF_M365_EXCHANGE;
    s.is_fallback = true;
    s.count = 7;
    s.last_us = at_us + 5 * SECOND;
    strcpy(s.name, "Java 6u45");
    strcpy(s.user_agent, "Java/1.6.0_45 'quoted\"");
    strcpy(s.user, "scanner");
    strcpy(s.ja4, "t10d0906h2_c491f621fb4c_d4d584b446d3");
    strcpy(s.listener, "proxy");
    strcpy(s.rule, "old-erp");
    return s;
}

/* A refusal of each of so many clients, 10.0.0.1 and on, a second after the one before it. */
static inline void add_clients(struct roster *r, unsigned n, int64_t first_us)
{
    for (unsigned i = 0; i < n; i++) {
        char source[32];
        snprintf(source, sizeof source, "10.0.0.%u", i + 1);
        struct tf_sighting s = sighting_of(source, "a.test", TF_TLS10, first_us + i * SECOND);
        assert_true(roster_add(r, &s));
    }
}

static inline const struct roster_client *client_of(const struct roster *r, const char *source)
{
    struct tf_addr address;
    assert_true(tf_addr_parse(source, strlen(source), &address));
    for (size_t i = 0; i < roster_count(r); i++)
        if (tf_addr_same_ip(&roster_at(r, i)->source, &address))
            return roster_at(r, i);
    fail_msg("%s is not there", source);
    return NULL;
}

static inline void assert_same_destination(const struct roster_destination *a,
                                           const struct roster_destination *b)
{
    assert_string_equal(a->host, b->host);
    assert_int_equal(a->port, b->port);
    assert_int_equal(a->is_m365, b->is_m365);
    assert_int_equal(a->area, b->area);
    assert_int_equal(a->versions, b->versions);
    assert_memory_equal(a->counts, b->counts, sizeof a->counts);
    assert_int_equal(a->first_us, b->first_us);
    assert_int_equal(a->last_us, b->last_us);
}

/* In all that is stored; with their destinations in the same order. */
static inline void assert_same_client(const struct roster_client *a, const struct roster_client *b)
{
    assert_true(tf_addr_same_ip(&a->source, &b->source));
    assert_int_equal(a->family, b->family);
    assert_int_equal(a->certainty, b->certainty);
    assert_int_equal(a->fingerprint, b->fingerprint);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->user_agent, b->user_agent);
    assert_string_equal(a->user, b->user);
    assert_string_equal(a->ja4, b->ja4);
    assert_string_equal(a->listener, b->listener);
    assert_string_equal(a->rule, b->rule);
    assert_int_equal(a->versions, b->versions);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->outcome, b->outcome);
    assert_memory_equal(a->counts, b->counts, sizeof a->counts);
    assert_int_equal(a->fallbacks, b->fallbacks);
    assert_int_equal(a->first_us, b->first_us);
    assert_int_equal(a->last_us, b->last_us);
    assert_int_equal(a->below_us, b->below_us);
    assert_int_equal(a->fixed_us, b->fixed_us);
    assert_int_equal(a->more_destinations, b->more_destinations);
    assert_int_equal(a->destination_count, b->destination_count);
    for (size_t i = 0; i < a->destination_count; i++)
        assert_same_destination(&a->destinations[i], &b->destinations[i]);
}

static inline struct roster *read_file(const char *file)
{
    char error[512] = "";
    struct roster *r = inventory_read(file, error, sizeof error);
    if (r == NULL)
        fail_msg("%s", error);
    return r;
}

static inline struct inventory_store *open_store(struct roster *r)
{
    char error[512] = "";
    struct inventory_store *store = inventory_store_open(FILE_NAME, r, error, sizeof error);
    if (store == NULL)
        fail_msg("%s", error);
    return store;
}

static inline void write_roster(struct inventory_store *store, struct roster *r)
{
    char error[512] = "";
    inventory_store_prepare(store, r);
    if (!inventory_store_write(store, r, error, sizeof error))
        fail_msg("%s", error);
    inventory_store_settle(store, r);
}

#endif
