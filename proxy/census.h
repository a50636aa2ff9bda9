/* How many sessions each source address and each user has now, over all
 * loops: [limits] per_source and per_user. One short mutex; not used at all
 * while there is no limit. */
#ifndef CENSUS_H
#define CENSUS_H

#include "../lib/addr.h"

struct census;
struct census_entry;

struct census *census_new(void); /* NULL: out of memory */
void census_free(struct census *c);
/* Counts one session more, if there are fewer than `limit` (0: no limit, and nothing is counted). *entry: to
 * be left with census_leave; NULL where nothing was counted. False: there are too many, or no memory. A
 * source is an IPv4 address, or an IPv6 /64. */
bool census_enter_source(struct census *c, const struct tf_addr *source, uint32_t limit,
                         struct census_entry **entry);
bool census_enter_user(struct census *c, const char *user, uint32_t limit, struct census_entry **entry);
void census_leave(struct census *c, struct census_entry *entry); /* NULL is nothing */

#endif
