/* Clients and what is known of each, summed up from sightings: the one table
 * behind the inventory, the dashboard and `tlsfloor report`. A client is a
 * source with a family, or, where the software is not known, with a
 * fingerprint. Bounded; not thread-safe. */
#ifndef ROSTER_H
#define ROSTER_H

#include "../lib/sighting.h"

struct roster;

struct roster_destination {
    char *host; /* "" if it was never known */
    uint16_t port;
    bool is_m365;
    enum tf_m365_area area;
    uint8_t versions; /* bits: 1 << enum roster_version */
    uint64_t counts[TF_OUTCOMES];
    int64_t first_us, last_us;
};

/* What clients offer at best, as a place in a set. */
enum roster_version {
    ROSTER_PLAIN,
    ROSTER_SSL2,
    ROSTER_SSL3,
    ROSTER_TLS10,
    ROSTER_TLS11,
    ROSTER_TLS12,
    ROSTER_TLS13,
    ROSTER_VERSIONS
};

struct roster_client {
    struct tf_addr source;
    enum tf_client_family family;
    enum tf_client_certainty certainty;
    uint64_t fingerprint; /* the last one */
    char name[TF_SIGHTING_NAME_MAX], user_agent[TF_SIGHTING_AGENT_MAX], user[TF_LABEL_MAX], ja4[TF_JA4_MAX],
        listener[TF_LABEL_MAX], rule[TF_LABEL_MAX]; /* the last of each */
    uint8_t versions;
    enum tf_reason reason;   /* the last refusal's */
    enum tf_outcome outcome; /* what became of it last; where below_us is set, last below TLS 1.2 */
    uint64_t counts[TF_OUTCOMES];
    uint64_t fallbacks; /* of them, stray hellos of a client that also does better */
    int64_t first_us, last_us;
    int64_t below_us; /* last seen below TLS 1.2; 0: never, it is here for floor 1.3 */
    int64_t fixed_us; /* since when it comes at or above TLS 1.2 to where it came below it; 0: it does not */
    struct roster_destination *destinations;
    size_t destination_count;
    uint64_t more_destinations; /* sightings on the way to further ones */
    /* for whoever keeps the roster elsewhere */
    int64_t id;    /* 0: not stored yet */
    bool is_dirty; /* changed since somebody has cleared this */
};

/* NULL: out of memory. */
struct roster *roster_new(size_t clients_max, size_t destinations_max);
void roster_free(struct roster *r);
/* Adds one. When the table is full, the client that was not seen for the longest time goes: forget(arg, its
 * id), where an id was set, is told. False: out of memory, and nothing was added. */
bool roster_add(struct roster *r, const struct tf_sighting *s);
void roster_on_forget(struct roster *r, void (*forget)(void *arg, int64_t id), void *arg);
/* For a store that loads, who was not seen for the longest time first: the client of this source and family
 * (or fingerprint), made if it is not there, to be filled in before the next call of roster_add or
 * roster_take. NULL: out of memory. */
struct roster_client *roster_take(struct roster *r, const struct tf_addr *source,
                                  enum tf_client_family family, uint64_t fingerprint);
/* NULL: out of memory, no room for another one, or longer than any host. */
struct roster_destination *roster_take_destination(struct roster *r, struct roster_client *client,
                                                   const char *host, uint16_t port);
/* Other bounds from now on; clients beyond them go. Destinations that are there already stay. */
void roster_set_bounds(struct roster *r, size_t clients_max, size_t destinations_max);
/* Whether a client was not seen for so many days that nobody counts on it any more: it is neither left to fix
 * nor fixed. By UTC days, so that it holds for all of a day. */
enum { ROSTER_SEEN_DAYS = 30 };
bool roster_is_silent(const struct roster_client *client, int64_t now_us);
/* Forgets those last seen before that time; the same function is told. */
void roster_forget_before(struct roster *r, int64_t us);
size_t roster_count(const struct roster *r);
/* The i-th of roster_count; in no order, and none that lasts beyond the next change. */
struct roster_client *roster_at(const struct roster *r, size_t i);

#endif
