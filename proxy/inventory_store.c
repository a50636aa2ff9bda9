/* Opening, checking, locking and writing the inventory's file; see
 * inventory_store.h. What is in its rows is in inventory_rows.c.
 *
 * The journal is a write-ahead log, so that readers and the writer do not
 * hinder each other; when the gateway ends, everything is in the one file
 * again. SQLite's own locks would let two gateways overwrite each other's
 * rows by turns, so the writer also holds a lock on FILE.lock, an empty file
 * that stays. */
#include "inventory_store.h"

#include "inventory_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_MS = 2000, /* wait for whom else has the file locked for a moment */
    FILE_MODE = 0640,
    DIRECTORY_MODE = 0750
};

struct inventory_store {
    char *file;
    sqlite3 *db;
    int lock;
    struct inventory_rows rows;
    bool is_writing;    /* the file is ours, and all of it is read */
    int64_t last_id;    /* that was given to somebody */
    int64_t stored_id;  /* no id above it is in the file */
    int64_t *forgotten; /* ids that are to be taken out of the file; at most as many as it has clients */
    size_t forgotten_count, forgotten_room;
};

/* --- in words --- */

static bool say_errno(const char *file, int why, char *error, size_t size)
{
    const char *slash = strrchr(file, '/');
    int directory = slash != NULL ? (int)(slash - file) : 0;
    if (directory > 0 && (why == ENOENT || why == EACCES || why == EROFS))
        snprintf(error, size,
                 "inventory %s: %s; make the directory %.*s, writable for the user of the gateway, or write "
                 "`file = memory`",
                 file, strerror(why), directory, file);
    else
        snprintf(error, size, "inventory %s: %s", file, strerror(why));
    return false;
}

static bool say_sqlite(const char *file, sqlite3 *db, int rc, char *error, size_t size)
{
    int kind = rc & 0xff, why = db != NULL ? sqlite3_system_errno(db) : 0;
    bool is_damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR;
    bool is_system = why != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL);
    const char *what = db != NULL && sqlite3_errcode(db) == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    if (is_damaged)
        snprintf(error, size,
                 "inventory %s is damaged, or no inventory: %s; move it away, and a new one is made", file,
                 what);
    else
        snprintf(error, size, "inventory %s: %s%s%s", file, what, is_system ? ": " : "",
                 is_system ? strerror(why) : "");
    return false;
}

/* --- the database --- */

/* The number that a statement answers with. */
static int ask(sqlite3 *db, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int execute(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* To be closed in any case. A name that means something else to SQLite, such as `:memory:`, is a file to us.
 */
static int open_database(const char *file, int flags, sqlite3 **db)
{
    char *path;
    *db = NULL;
    if (asprintf(&path, "%s%s", file[0] == '/' ? "" : "./", file) < 0)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    free(path);
    return rc == SQLITE_OK ? sqlite3_busy_timeout(*db, BUSY_MS) : rc;
}

/* Whose file it is. False: not ours, or not for us. */
static bool check_owner(const char *file, sqlite3 *db, bool *is_empty, char *error, size_t size)
{
    int64_t application = 0, version = 0, objects = 0;
    int rc = ask(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = ask(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK)
        rc = ask(db, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc != SQLITE_OK)
        return say_sqlite(file, db, rc, error, size);
    *is_empty = application == 0 && version == 0 && objects == 0;
    if (*is_empty || (application == INVENTORY_APPLICATION && version == INVENTORY_VERSION))
        return true;
    if (application != INVENTORY_APPLICATION)
        snprintf(error, size, "inventory %s is a database of another program; name another file", file);
    else
        snprintf(error, size,
                 "inventory %s was made by another version of tlsfloor (its tables are of version %lld, not "
                 "%d); run that "
                 "one, or move the file away, and a new one is made",
                 file, (long long)version, INVENTORY_VERSION);
    return false;
}

/* --- opening for writing --- */

/* Makes the directory of a file, but none above it. What is wrong is found out when the file is made. */
static void make_directory(const char *file)
{
    char *path = strdup(file);
    char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (slash != NULL && slash != path) {
        *slash = '\0';
        mkdir(path, DIRECTORY_MODE);
    }
    free(path);
}

/* The descriptor of a regular file, made with our mode; or -1, and errno. */
static int open_plainly(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static bool lock_file(struct inventory_store *store, char *error, size_t size)
{
    char *path;
    if (asprintf(&path, "%s.lock", store->file) < 0) {
        snprintf(error, size, "out of memory");
        return false;
    }
    store->lock = open_plainly(path);
    bool ok = store->lock >= 0 || say_errno(path, errno, error, size);
    if (ok && flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
        ok = false;
        if (errno == EWOULDBLOCK)
            snprintf(
                error, size,
                "inventory %s: another gateway has it (and the lock on %s); each needs a file of its own",
                store->file, path);
        else
            say_errno(path, errno, error, size);
    }
    free(path);
    return ok;
}

/* SQLite would make the file readable for everybody. Its other files get the mode of this one. */
static bool make_file(const char *file, char *error, size_t size)
{
    int fd = open_plainly(file);
    if (fd < 0)
        return say_errno(file, errno, error, size);
    close(fd); /* before SQLite opens it: to close it later would take away SQLite's locks */
    return true;
}

static void forget(void *arg, int64_t id)
{
    struct inventory_store *store = arg;
    if (id > store->stored_id)
        return;
    if (store->forgotten_count == store->forgotten_room) {
        size_t room = store->forgotten_room > 0 ? 2 * store->forgotten_room : 64;
        int64_t *ids = realloc(store->forgotten, room * sizeof *ids);
        if (ids == NULL)
            return; /* its row stays, and is forgotten once more after the next start */
        store->forgotten = ids;
        store->forgotten_room = room;
    }
    store->forgotten[store->forgotten_count++] = id;
}

static int load(struct inventory_store *store, struct roster *r)
{
    int rc = ask(store->db, "SELECT coalesce(max(id), 0) FROM client", &store->last_id);
    store->stored_id = store->last_id;
    return rc == SQLITE_OK ? inventory_rows_load(store->db, r) : rc;
}

/* The journal mode is part of the file, so it waits until all has been read and found good. */
static int begin_writing(struct inventory_store *store, bool is_empty)
{
    int rc = execute(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                "PRAGMA journal_size_limit = 4194304");
    if (rc == SQLITE_OK && is_empty) {
        rc = execute(store->db, "BEGIN IMMEDIATE");
        if (rc == SQLITE_OK)
            rc = execute(store->db, inventory_schema);
        if (rc == SQLITE_OK)
            rc = execute(store->db, "COMMIT");
    }
    return rc == SQLITE_OK ? inventory_rows_init(&store->rows, store->db) : rc;
}

static bool open_file(struct inventory_store *store, struct roster *r, char *error, size_t size)
{
    bool is_empty = false;
    make_directory(store->file);
    if (!make_file(store->file, error, size))
        return false;
    int rc = open_database(store->file, SQLITE_OPEN_READWRITE, &store->db);
    /* Asked before the lock, so that none is left beside somebody else's file; and again with it, since only
     * then nobody else can make tables. */
    if (rc == SQLITE_OK &&
        (!check_owner(store->file, store->db, &is_empty, error, size) || !lock_file(store, error, size) ||
         !check_owner(store->file, store->db, &is_empty, error, size)))
        return false;
    roster_on_forget(r, forget, store); /* first of all, those that there is no room for any more */
    if (rc == SQLITE_OK && !is_empty)
        rc = load(store, r);
    if (rc == SQLITE_OK)
        rc = begin_writing(store, is_empty);
    store->is_writing = rc == SQLITE_OK;
    return store->is_writing || say_sqlite(store->file, store->db, rc, error, size);
}

struct inventory_store *inventory_store_open(const char *file, struct roster *r, char *error, size_t size)
{
    struct inventory_store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->file = strdup(file)) == NULL) {
        snprintf(error, size, "out of memory");
        free(store);
        return NULL;
    }
    store->lock = -1;
    if (open_file(store, r, error, size))
        return store;
    inventory_store_close(store);
    return NULL;
}

void inventory_store_close(struct inventory_store *store)
{
    if (store == NULL)
        return;
    inventory_rows_fini(&store->rows);
    /* Who may read a file, but not write into its directory, cannot read one that has a write-ahead log. If
     * somebody is reading just now, it keeps its log, and the last reader clears it away. */
    if (store->is_writing)
        execute(store->db, "PRAGMA journal_mode = DELETE");
    sqlite3_close(store->db);
    if (store->lock >= 0)
        close(store->lock);
    free(store->forgotten);
    free(store->file);
    free(store);
}

/* --- storing --- */

void inventory_store_prepare(struct inventory_store *store, struct roster *r)
{
    for (size_t i = 0; i < roster_count(r); i++) {
        struct roster_client *client = roster_at(r, i);
        if (client->id == 0)
            client->id = ++store->last_id;
    }
}

static int write_all(struct inventory_store *store, const struct roster *r)
{
    int rc = execute(store->db, "BEGIN IMMEDIATE");
    for (size_t i = 0; rc == SQLITE_OK && i < store->forgotten_count; i++)
        rc = inventory_rows_drop(&store->rows, store->forgotten[i]);
    for (size_t i = 0; rc == SQLITE_OK && i < roster_count(r); i++)
        if (roster_at(r, i)->is_dirty)
            rc = inventory_rows_put(&store->rows, roster_at(r, i));
    return rc == SQLITE_OK ? execute(store->db, "COMMIT") : rc;
}

bool inventory_store_write(struct inventory_store *store, const struct roster *r, char *error, size_t size)
{
    int rc = write_all(store, r);
    if (rc == SQLITE_OK)
        return true;
    say_sqlite(store->file, store->db, rc, error, size);
    if (!sqlite3_get_autocommit(store->db))
        execute(store->db, "ROLLBACK");
    return false;
}

void inventory_store_settle(struct inventory_store *store, struct roster *r)
{
    for (size_t i = 0; i < roster_count(r); i++)
        roster_at(r, i)->is_dirty = false;
    store->stored_id = store->last_id;
    store->forgotten_count = 0;
}

/* --- reading --- */

/* A roster with room for all that there is. */
static int new_roster(sqlite3 *db, struct roster **r)
{
    int64_t clients = 0, destinations = 0;
    int rc = ask(db, "SELECT count(*) FROM client", &clients);
    if (rc == SQLITE_OK)
        rc = ask(db, "SELECT count(*) FROM destination", &destinations);
    if (rc == SQLITE_OK)
        *r = roster_new((size_t)clients + 1, (size_t)destinations + 1);
    return rc == SQLITE_OK && *r == NULL ? SQLITE_NOMEM : rc;
}

static struct roster *read_all(const char *file, sqlite3 *db, char *error, size_t size)
{
    struct roster *r = NULL;
    bool is_empty = false;
    int rc = execute(db, "BEGIN"); /* so that all of it is of one moment */
    if (rc == SQLITE_OK && !check_owner(file, db, &is_empty, error, size))
        return NULL;
    if (rc == SQLITE_OK && is_empty)
        return roster_new(1, 1);
    if (rc == SQLITE_OK)
        rc = new_roster(db, &r);
    if (rc == SQLITE_OK)
        rc = inventory_rows_load(db, r);
    if (rc == SQLITE_OK)
        return r;
    roster_free(r);
    say_sqlite(file, db, rc, error, size);
    return NULL;
}

struct roster *inventory_read(const char *file, char *error, size_t size)
{
    sqlite3 *db;
    struct roster *r = NULL;
    int rc = open_database(file, SQLITE_OPEN_READONLY, &db);
    if (rc == SQLITE_OK)
        r = read_all(file, db, error, size);
    else
        say_sqlite(file, db, rc, error, size);
    sqlite3_close(db);
    return r;
}
