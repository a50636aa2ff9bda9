/* Rows of the inventory's file; see inventory_rows.h.
 *
 * What may differ between versions of the program is stored by its name:
 * families by slug, reasons by code, areas by the vendor's word. A name that
 * this version does not know reads as unknown. Both tables are one B-tree
 * each, without an index, so that to load them is to look at every page. */
#include "inventory_rows.h"

#include <stdio.h>
#include <string.h>

const char inventory_schema[] =
    "CREATE TABLE client (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    source TEXT NOT NULL, -- address\n"
    "    family TEXT NOT NULL, -- slug; empty: not known\n"
    "    certainty INTEGER NOT NULL, -- 0 not known, 1 possible, 2 likely, 3 certain\n"
    "    fingerprint INTEGER NOT NULL, -- 0: no hello\n"
    "    name TEXT NOT NULL,\n"
    "    user_agent TEXT NOT NULL,\n"
    "    user TEXT NOT NULL,\n"
    "    ja4 TEXT NOT NULL,\n"
    "    listener TEXT NOT NULL,\n"
    "    rule TEXT NOT NULL,\n"
    "    versions INTEGER NOT NULL, -- bits: 1 plain text, 2 SSL 2, 4 SSL 3, 8 TLS 1.0, ... 64 TLS 1.3\n"
    "    reason TEXT NOT NULL, -- event.code of the last refusal\n"
    "    outcome TEXT NOT NULL, -- what became of it last: blocked, would-block, upgraded, passed\n"
    "    blocked INTEGER NOT NULL, -- connections, as the next three\n"
    "    would_block INTEGER NOT NULL,\n"
    "    upgraded INTEGER NOT NULL,\n"
    "    passed INTEGER NOT NULL,\n"
    "    fallbacks INTEGER NOT NULL,\n"
    "    more_destinations INTEGER NOT NULL,\n"
    "    first_us INTEGER NOT NULL, -- microseconds since 1970, UTC, as all times here\n"
    "    last_us INTEGER NOT NULL,\n"
    "    below_us INTEGER NOT NULL, -- last seen below TLS 1.2; 0: never\n"
    "    fixed_us INTEGER NOT NULL -- since when it is no longer; 0: it still is\n"
    ") STRICT;\n"
    "CREATE TABLE destination (\n"
    "    client INTEGER NOT NULL, -- client.id\n"
    "    host TEXT NOT NULL,\n"
    "    port INTEGER NOT NULL,\n"
    "    area TEXT NOT NULL, -- of Microsoft 365; empty: none\n"
    "    versions INTEGER NOT NULL,\n"
    "    blocked INTEGER NOT NULL,\n"
    "    would_block INTEGER NOT NULL,\n"
    "    upgraded INTEGER NOT NULL,\n"
    "    passed INTEGER NOT NULL,\n"
    "    first_us INTEGER NOT NULL,\n"
    "    last_us INTEGER NOT NULL,\n"
    "    PRIMARY KEY (client, host, port)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "PRAGMA application_id = 1953264486;\n"
    "PRAGMA user_version = 1;\n";

_Static_assert(INVENTORY_APPLICATION == 1953264486 && INVENTORY_VERSION == 1, "as in the schema");

/* A statement, and the column that comes next: columns are put and taken in the order of the schema. */
struct cursor {
    sqlite3_stmt *statement;
    int at;
    int rc; /* of the first put or take that failed */
};

static void note_rc(struct cursor *c, int rc)
{
    if (c->rc == SQLITE_OK)
        c->rc = rc;
}

/* --- to the file --- */

static void put_number(struct cursor *c, int64_t number)
{
    note_rc(c, sqlite3_bind_int64(c->statement, ++c->at, number));
}

/* The text stays where it is until the statement has run. */
static void put_text(struct cursor *c, const char *text)
{
    note_rc(c, sqlite3_bind_text(c->statement, ++c->at, text, -1, SQLITE_STATIC));
}

static void put_counts(struct cursor *c, const uint64_t counts[TF_OUTCOMES])
{
    for (int i = 0; i < TF_OUTCOMES; i++)
        put_number(c, (int64_t)counts[i]);
}

/* Runs a statement that answers no rows, and leaves it ready for the next time. */
static int run(struct cursor *c)
{
    if (c->rc == SQLITE_OK)
        sqlite3_step(c->statement);
    int rc = sqlite3_reset(c->statement);
    return c->rc == SQLITE_OK ? rc : c->rc;
}

static int run_with_id(sqlite3_stmt *statement, int64_t id)
{
    struct cursor c = {.statement = statement};
    put_number(&c, id);
    return run(&c);
}

static int put_client(sqlite3_stmt *statement, const struct roster_client *client)
{
    struct cursor c = {.statement = statement};
    char source[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(source, sizeof source - 1);
    tf_put_addr(&w, &client->source);
    source[w.len] = '\0';

    put_number(&c, client->id);
    put_text(&c, source);
    put_text(&c, tf_client_info(client->family)->slug);
    put_number(&c, client->certainty);
    put_number(&c, (int64_t)client->fingerprint);
    put_text(&c, client->name);
    put_text(&c, client->user_agent);
    put_text(&c, client->user);
    put_text(&c, client->ja4);
    put_text(&c, client->listener);
    put_text(&c, client->rule);
    put_number(&c, client->versions);
    put_text(&c, tf_reason_info(client->reason)->code);
    put_text(&c, tf_outcome_name(client->outcome));
    put_counts(&c, client->counts);
    put_number(&c, (int64_t)client->fallbacks);
    put_number(&c, (int64_t)client->more_destinations);
    put_number(&c, client->first_us);
    put_number(&c, client->last_us);
    put_number(&c, client->below_us);
    put_number(&c, client->fixed_us);
    return run(&c);
}

static int put_destination(sqlite3_stmt *statement, int64_t client, const struct roster_destination *d)
{
    struct cursor c = {.statement = statement};
    put_number(&c, client);
    put_text(&c, d->host);
    put_number(&c, d->port);
    put_text(&c, d->is_m365 ? tf_m365_area_name(d->area) : "");
    put_number(&c, d->versions);
    put_counts(&c, d->counts);
    put_number(&c, d->first_us);
    put_number(&c, d->last_us);
    return run(&c);
}

int inventory_rows_put(const struct inventory_rows *rows, const struct roster_client *client)
{
    int rc = put_client(rows->put_client, client);
    if (rc == SQLITE_OK)
        rc = run_with_id(rows->drop_destinations, client->id);
    for (size_t i = 0; rc == SQLITE_OK && i < client->destination_count; i++)
        rc = put_destination(rows->put_destination, client->id, &client->destinations[i]);
    return rc;
}

int inventory_rows_drop(const struct inventory_rows *rows, int64_t id)
{
    int rc = run_with_id(rows->drop_destinations, id);
    return rc == SQLITE_OK ? run_with_id(rows->drop_client, id) : rc;
}

/* --- from the file --- */

static int64_t take_number(struct cursor *c)
{
    return sqlite3_column_int64(c->statement, c->at++);
}

/* What cannot be below 0, nor above max, where we have written it. */
static uint64_t take_natural(struct cursor *c, uint64_t max)
{
    uint64_t number = (uint64_t)take_number(c);
    if (number > max) {
        note_rc(c, SQLITE_CORRUPT);
        return 0;
    }
    return number;
}

static int64_t take_time(struct cursor *c)
{
    return (int64_t)take_natural(c, INT64_MAX);
}

static void take_counts(struct cursor *c, uint64_t counts[TF_OUTCOMES])
{
    for (int i = 0; i < TF_OUTCOMES; i++)
        counts[i] = take_natural(c, INT64_MAX);
}

static uint8_t take_versions(struct cursor *c)
{
    return (uint8_t)take_natural(c, (1 << ROSTER_VERSIONS) - 1);
}

/* Lives until the next step; never NULL. */
static const char *take_text(struct cursor *c)
{
    const char *text = (const char *)sqlite3_column_text(c->statement, c->at++);
    if (text == NULL)
        note_rc(c, SQLITE_NOMEM);
    return text != NULL ? text : "";
}

/* Cut to fit. */
static void take_label(struct cursor *c, char *to, size_t size)
{
    snprintf(to, size, "%s", take_text(c));
}

static enum tf_client_family take_family(struct cursor *c)
{
    const char *slug = take_text(c);
    enum tf_client_family family = TF_CLIENT_FAMILY_UNKNOWN;
    tf_client_family_parse(slug, strlen(slug), &family);
    return family;
}

static enum tf_reason take_reason(struct cursor *c)
{
    const char *code = take_text(c);
    for (int i = 0; i < TF_REASON_COUNT; i++)
        if (strcmp(tf_reason_info((enum tf_reason)i)->code, code) == 0)
            return (enum tf_reason)i;
    return TF_REASON_NONE;
}

static enum tf_outcome take_outcome(struct cursor *c)
{
    const char *name = take_text(c);
    enum tf_outcome outcome = TF_OUTCOME_BLOCKED;
    while (outcome < TF_OUTCOME_PASSED && strcmp(tf_outcome_name(outcome), name) != 0)
        outcome++;
    return outcome;
}

static void take_area(struct cursor *c, struct roster_destination *d)
{
    const char *name = take_text(c);
    d->is_m365 = name[0] != '\0';
    if (d->is_m365 && !tf_m365_area_parse(name, strlen(name), &d->area))
        d->area = TF_M365_OTHER;
}

static int take_destination(struct roster *r, struct roster_client *client, sqlite3_stmt *statement)
{
    struct cursor c = {.statement = statement};
    const char *host = take_text(&c);
    uint16_t port = (uint16_t)take_natural(&c, UINT16_MAX);
    struct roster_destination *d = c.rc == SQLITE_OK ? roster_take_destination(r, client, host, port) : NULL;
    if (d == NULL)
        return c.rc; /* or more of them are stored than there is room for by now */
    take_area(&c, d);
    d->versions = take_versions(&c);
    take_counts(&c, d->counts);
    d->first_us = take_time(&c);
    d->last_us = take_time(&c);
    return c.rc;
}

static int take_destinations(struct roster *r, struct roster_client *client, sqlite3_stmt *statement)
{
    int rc = sqlite3_bind_int64(statement, 1, client->id);
    int step = SQLITE_ROW;
    while (rc == SQLITE_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = take_destination(r, client, statement);
    sqlite3_reset(statement);
    return rc == SQLITE_OK && step != SQLITE_DONE ? step : rc;
}

/* Everything but the key, with which the client was taken. */
static int take_client(struct roster_client *client, int64_t id, struct cursor *c)
{
    client->id = id;
    take_label(c, client->name, sizeof client->name);
    take_label(c, client->user_agent, sizeof client->user_agent);
    take_label(c, client->user, sizeof client->user);
    take_label(c, client->ja4, sizeof client->ja4);
    take_label(c, client->listener, sizeof client->listener);
    take_label(c, client->rule, sizeof client->rule);
    client->versions = take_versions(c);
    client->reason = take_reason(c);
    client->outcome = take_outcome(c);
    take_counts(c, client->counts);
    client->fallbacks = take_natural(c, INT64_MAX);
    client->more_destinations = take_natural(c, INT64_MAX);
    client->first_us = take_time(c);
    client->last_us = take_time(c);
    client->below_us = take_time(c);
    client->fixed_us = take_time(c);
    client->is_dirty = false;
    return c->rc;
}

static int load_client(struct roster *r, sqlite3_stmt *clients, sqlite3_stmt *destinations)
{
    struct cursor c = {.statement = clients};
    struct tf_addr source = {0};
    int64_t id = take_number(&c);
    const char *address = take_text(&c);
    bool is_address = tf_addr_parse(address, strlen(address), &source);
    enum tf_client_family family = take_family(&c);
    enum tf_client_certainty certainty = (enum tf_client_certainty)take_natural(&c, TF_CLIENT_CERTAIN);
    uint64_t fingerprint = (uint64_t)take_number(&c);
    if (c.rc != SQLITE_OK || !is_address)
        return c.rc != SQLITE_OK ? c.rc : SQLITE_CORRUPT;
    struct roster_client *client = roster_take(r, &source, family, fingerprint);
    if (client == NULL)
        return SQLITE_NOMEM;
    /* Two families of a later version, both unknown here: the first counts, the other's row is left for that
     * version. */
    if (client->id != 0)
        return SQLITE_OK;
    client->certainty = certainty;
    int rc = take_client(client, id, &c);
    return rc == SQLITE_OK ? take_destinations(r, client, destinations) : rc;
}

int inventory_rows_load(sqlite3 *db, struct roster *r)
{
    static const char all_clients[] = "SELECT * FROM client ORDER BY last_us";
    static const char its_destinations[] =
        "SELECT host, port, area, versions, blocked, would_block, upgraded, passed, first_us, last_us"
        " FROM destination WHERE client = ? ORDER BY first_us";
    sqlite3_stmt *clients = NULL, *destinations = NULL;
    int rc = sqlite3_prepare_v2(db, all_clients, -1, &clients, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, its_destinations, -1, &destinations, NULL);
    int step = SQLITE_ROW;
    while (rc == SQLITE_OK && (step = sqlite3_step(clients)) == SQLITE_ROW)
        rc = load_client(r, clients, destinations);
    sqlite3_finalize(clients);
    sqlite3_finalize(destinations);
    return rc == SQLITE_OK && step != SQLITE_DONE ? step : rc;
}

/* --- statements --- */

int inventory_rows_init(struct inventory_rows *rows, sqlite3 *db)
{
    const struct {
        sqlite3_stmt **to;
        const char *sql;
    } statements[] = {
        {&rows->put_client,
         "INSERT OR REPLACE INTO client"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&rows->put_destination, "INSERT INTO destination VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&rows->drop_client, "DELETE FROM client WHERE id = ?"},
        {&rows->drop_destinations, "DELETE FROM destination WHERE client = ?"},
    };
    int rc = SQLITE_OK;
    *rows = (struct inventory_rows){NULL};
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof statements / sizeof *statements; i++)
        rc = sqlite3_prepare_v3(db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT, statements[i].to, NULL);
    return rc;
}

void inventory_rows_fini(struct inventory_rows *rows)
{
    sqlite3_finalize(rows->put_client);
    sqlite3_finalize(rows->put_destination);
    sqlite3_finalize(rows->drop_client);
    sqlite3_finalize(rows->drop_destinations);
}
