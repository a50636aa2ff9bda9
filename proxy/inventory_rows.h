/* What the file of an inventory consists of: its tables, and how a client of
 * the roster is written to and read from them. When and where to is up to
 * inventory_store.c. */
#ifndef INVENTORY_ROWS_H
#define INVENTORY_ROWS_H

#include "roster.h"
#include <sqlite3.h>

enum {
    INVENTORY_APPLICATION = 0x746c7366, /* `tlsf`, PRAGMA application_id */
    INVENTORY_VERSION = 1               /* of the tables, PRAGMA user_version */
};

/* SQL that makes the tables, and marks the file as ours. */
extern const char inventory_schema[];

/* Prepared statements of one connection. */
struct inventory_rows {
    sqlite3_stmt *put_client, *put_destination, *drop_client, *drop_destinations;
};

/* All of these answer SQLITE_OK, or the code of what went wrong. */

int inventory_rows_init(struct inventory_rows *rows, sqlite3 *db);
/* Also after a failed init. */
void inventory_rows_fini(struct inventory_rows *rows);
/* Puts a client, which has an id, in the place of what was stored under it. */
int inventory_rows_put(const struct inventory_rows *rows, const struct roster_client *client);
int inventory_rows_drop(const struct inventory_rows *rows, int64_t id);
/* Adds all that is stored to the roster; nothing of it is dirty. SQLITE_CORRUPT also where a row makes no
 * sense. */
int inventory_rows_load(sqlite3 *db, struct roster *r);

#endif
