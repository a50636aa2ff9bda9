/* The latest refusals, would-be refusals and upgrades as JSON, for whoever
 * watches them come in. */
#ifndef EVENTS_H
#define EVENTS_H

#include "inventory.h"
#include <stdio.h>

/* {"last":N,"events":[...]}: those with a number above `after`, oldest first, of the INVENTORY_EVENTS that
 * are kept. Numbers begin anew with the gateway: where `after` is above the last one, it is from before, and
 * all are given. Without an inventory (NULL) there are none. False: out of memory. */
bool events_write(FILE *to, struct inventory *inventory, uint64_t after);

#endif
