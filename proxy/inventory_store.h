/* The file of an inventory: an SQLite database, of which one gateway is the
 * writer while any number of others may read it. Used by one thread at a
 * time; when that is, and what becomes of failures, is up to inventory.c. */
#ifndef INVENTORY_STORE_H
#define INVENTORY_STORE_H

#include "roster.h"

struct inventory_store;

/* Opens a file, or makes it (mode 0640) with its directory, and adds what it holds to the roster, which tells
 * it from then on whom it forgets. NULL, with a sentence in error[0..size): another gateway has it, or it is
 * damaged, of a later version or none of ours, and was left as it is. The roster is to be freed then. */
struct inventory_store *inventory_store_open(const char *file, struct roster *r, char *error, size_t size);

/* Storing has three parts, so that nobody who reads the roster waits for the disk. */

/* Gives an id to everybody who has none. Changes the roster. */
void inventory_store_prepare(struct inventory_store *store, struct roster *r);
/* Writes everybody who is dirty, and takes out who was forgotten, in one transaction. Only reads the roster.
 * False, with a sentence in error[0..size): the file is as it was. */
bool inventory_store_write(struct inventory_store *store, const struct roster *r, char *error, size_t size);
/* After a write that went well: nobody is dirty any longer. Changes the roster. */
void inventory_store_settle(struct inventory_store *store, struct roster *r);

/* NULL is nothing. */
void inventory_store_close(struct inventory_store *store);

/* What a file holds, whether a gateway is at work on it or not; nothing is written. NULL, with a sentence in
 * error[0..size). */
struct roster *inventory_read(const char *file, char *error, size_t size);

#endif
