/* inventory_store.c, inventory_rows.c: what is stored comes back, and a file that is not ours stays as it is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "inventory_fixture.h"
#include <sqlite3.h>

/* A file with so many clients, as of add_clients. */
static void make_file(unsigned clients)
{
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    add_clients(r, clients, SECOND);
    write_roster(store, r);
    inventory_store_close(store);
    roster_free(r);
}

static void change_file(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(FILE_NAME, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

struct content {
    char *p;
    size_t n;
};

static struct content content_of(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    struct content c = {malloc((size_t)st.st_size + 1), (size_t)st.st_size};
    assert_int_equal(read(fd, c.p, c.n), c.n);
    close(fd);
    return c;
}

static void put_content(const char *path, const char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
    close(fd);
}

/* Neither the writer nor a reader takes the file; the sentence has `what` in it; not a byte of it has
 * changed. */
static void assert_refused(const char *what)
{
    char error[512] = "";
    struct content before = content_of(FILE_NAME);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    assert_null(inventory_store_open(FILE_NAME, r, error, sizeof error));
    assert_non_null(strstr(error, what));
    assert_non_null(strstr(error, FILE_NAME));
    roster_free(r);
    error[0] = '\0';
    assert_null(inventory_read(FILE_NAME, error, sizeof error));
    assert_non_null(strstr(error, what));
    struct content after = content_of(FILE_NAME);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
    free(before.p);
    free(after.p);
}

/* --- what is stored --- */

static void every_field_comes_back(void **state)
{
    (void)state;
    struct roster *r = roster_new(CLIENTS, 2);
    struct inventory_store *store = open_store(r);
    struct tf_sighting s = full_sighting(1790000000 * SECOND);
    assert_true(roster_add(r, &s));
    s.is_fallback = false;
    s.outcome = TF_OUTCOME_UPGRADED;
    s.reason = TF_REASON_NONE;
    strcpy(s.host, "b.test");
    s.first_us += SECOND;
    s.is_m365 = false;
    s.area = TF_M365_COMMON;
    s.port = 993;
    assert_true(roster_add(r, &s));
    strcpy(s.host, "there is no room for it.test");
    assert_true(roster_add(r, &s));
    s = sighting_of("2001:db8::7", "b.test", TF_TLS13, 1790000100 * SECOND);
    s.port = 993;
    assert_true(roster_add(r, &s));
    write_roster(store, r);
    inventory_store_close(store);

    const struct roster_client *expected = client_of(r, "2001:db8::7");
    assert_int_equal(expected->destination_count, 2);
    assert_true(expected->more_destinations > 0 && expected->fallbacks > 0 && expected->fixed_us > 0);
    assert_int_equal(expected->outcome, TF_OUTCOME_UPGRADED);
    struct roster *again = roster_new(CLIENTS, DESTINATIONS);
    store = open_store(again);
    struct roster_client *client = roster_at(again, 0);
    assert_same_client(client, expected);
    assert_true(client->id != 0 && !client->is_dirty);
    inventory_store_close(store);
    roster_free(again);
    roster_free(r);
}

static void only_who_is_dirty_is_written(void **state)
{
    (void)state;
    make_file(2);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    change_file("UPDATE client SET listener = 'as it was'");
    struct tf_sighting s = sighting_of("10.0.0.2", "b.test", TF_TLS10, 9 * SECOND);
    roster_add(r, &s);
    write_roster(store, r);
    inventory_store_close(store);
    roster_free(r);
    r = read_file(FILE_NAME);
    assert_string_equal(client_of(r, "10.0.0.1")->listener, "as it was");
    assert_string_equal(client_of(r, "10.0.0.2")->listener, "");
    assert_int_equal(client_of(r, "10.0.0.2")->destination_count, 2);
    roster_free(r);
}

static void who_is_forgotten_is_taken_out(void **state)
{
    (void)state;
    make_file(3);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    roster_forget_before(r, 3 * SECOND);
    write_roster(store, r);
    inventory_store_close(store);
    roster_free(r);
    r = read_file(FILE_NAME);
    assert_int_equal(roster_count(r), 1);
    client_of(r, "10.0.0.3");
    roster_free(r);
}

static void who_there_is_no_room_for_any_more_is_taken_out(void **state)
{
    (void)state;
    make_file(20);
    change_file("UPDATE client SET last_us = 1000000 * (100 - id)");
    struct roster *r = roster_new(16, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    assert_int_equal(roster_count(r), 16);
    write_roster(store, r);
    inventory_store_close(store);
    roster_free(r);
    r = read_file(FILE_NAME);
    assert_int_equal(roster_count(r), 16);
    client_of(r, "10.0.0.1");
    roster_free(r);
}

static void an_id_is_never_given_twice(void **state)
{
    (void)state;
    make_file(3);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    int64_t last_id = client_of(r, "10.0.0.3")->id;
    struct tf_sighting s = sighting_of("10.0.0.9", "a.test", TF_TLS10, 9 * SECOND);
    roster_add(r, &s);
    write_roster(store, r);
    assert_true(client_of(r, "10.0.0.9")->id > last_id);
    inventory_store_close(store);
    roster_free(r);
}

static void names_that_are_not_known_read_as_unknown(void **state)
{
    (void)state;
    make_file(1);
    change_file("UPDATE client SET family = 'java-99', reason = 'of-a-later-version';"
                "UPDATE destination SET area = 'Mars'");
    struct roster *r = read_file(FILE_NAME);
    const struct roster_client *client = client_of(r, "10.0.0.1");
    assert_int_equal(client->family, TF_CLIENT_FAMILY_UNKNOWN);
    assert_int_equal(client->reason, TF_REASON_NONE);
    assert_true(client->destinations[0].is_m365);
    assert_int_equal(client->destinations[0].area, TF_M365_OTHER);
    roster_free(r);
}

static void two_rows_that_have_become_one_client_do_no_harm(void **state)
{
    (void)state;
    make_file(2);
    change_file("UPDATE client SET family = 'later-' || id, source = '10.0.0.1'");
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    assert_int_equal(roster_count(r), 1);
    assert_int_equal(roster_at(r, 0)->last_us, SECOND);
    inventory_store_close(store);
    roster_free(r);
}

/* --- the file --- */

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void it_is_made_for_its_owner_and_group(void **state)
{
    (void)state;
    char error[512] = "";
    mode_t old = umask(0);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = inventory_store_open("var/clients.db", r, error, sizeof error);
    assert_non_null(store);
    assert_int_equal(mode_of("var"), 0750);
    assert_int_equal(mode_of("var/clients.db"), 0640);
    assert_int_equal(mode_of("var/clients.db-wal"), 0640);
    assert_int_equal(mode_of("var/clients.db.lock"), 0640);
    inventory_store_close(store);
    roster_free(r);
    umask(old);
}

static void at_rest_it_is_one_file(void **state)
{
    (void)state;
    make_file(1);
    assert_int_equal(access("clients.db-wal", F_OK), -1);
    assert_int_equal(access("clients.db-shm", F_OK), -1);
    struct content c = content_of(FILE_NAME);
    assert_int_equal(c.p[18], 1); /* no write-ahead log: who may only read it, can */
    free(c.p);
}

static void a_name_of_sqlites_own_is_a_file(void **state)
{
    (void)state;
    char error[512];
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    inventory_store_close(inventory_store_open(":memory:", r, error, sizeof error));
    assert_int_equal(mode_of(":memory:"), 0640);
    roster_free(r);
}

static void a_second_gateway_is_refused(void **state)
{
    (void)state;
    char error[512] = "";
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = open_store(r);
    assert_null(inventory_store_open(FILE_NAME, r, error, sizeof error));
    assert_non_null(strstr(error, "another gateway has it"));
    inventory_store_close(store);
    inventory_store_close(open_store(r));
    roster_free(r);
}

static void a_missing_directory_is_named(void **state)
{
    (void)state;
    char error[512] = "";
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    assert_null(inventory_store_open("no/such/clients.db", r, error, sizeof error));
    assert_non_null(strstr(error, "make the directory no/such, writable"));
    roster_free(r);
}

static void a_directory_that_is_not_writable_is_named(void **state)
{
    (void)state;
    char error[512] = "";
    enum { NOBODY = 65534 };
    assert_int_equal(mkdir("locked", 0555), 0);
    bool is_root = geteuid() == 0;
    assert_int_equal(chmod(".", 0755), 0);
    if (is_root)
        assert_int_equal(seteuid(NOBODY), 0);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    struct inventory_store *store = inventory_store_open("locked/clients.db", r, error, sizeof error);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_null(store);
    assert_non_null(strstr(error, "Permission denied; make the directory locked, writable"));
    roster_free(r);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    char error[512] = "";
    assert_int_equal(mkfifo("fifo", 0600), 0);
    struct roster *r = roster_new(CLIENTS, DESTINATIONS);
    assert_null(inventory_store_open("fifo", r, error, sizeof error)); /* and does not wait for a writer */
    assert_non_null(strstr(error, "Invalid argument"));
    roster_free(r);
}

/* --- files that are not to be used --- */

static void what_is_no_database_is_left_alone(void **state)
{
    (void)state;
    char log[4096];
    memset(log, 'x', sizeof log);
    put_content(FILE_NAME, log, sizeof log);
    assert_refused("move it away");
}

static void a_file_that_was_cut_is_left_alone(void **state)
{
    (void)state;
    make_file(CLIENTS);
    assert_int_equal(truncate(FILE_NAME, 2 * 4096), 0);
    assert_refused("move it away");
}

static void any_page_that_is_overwritten_is_found(void **state)
{
    (void)state;
    make_file(CLIENTS);
    struct content c = content_of(FILE_NAME);
    for (size_t page = 1; page < c.n / 4096; page++) {
        char *damaged = malloc(c.n);
        memcpy(damaged, c.p, c.n);
        memset(damaged + page * 4096, 0xa5, 4096);
        put_content(FILE_NAME, damaged, c.n);
        free(damaged);
        assert_refused("move it away");
    }
    free(c.p);
}

static void a_later_version_is_left_alone(void **state)
{
    (void)state;
    make_file(1);
    change_file("PRAGMA user_version = 2");
    assert_refused("another version of tlsfloor (its tables are of version 2, not 1)");
}

static void a_database_of_another_program_is_left_alone(void **state)
{
    (void)state;
    change_file("CREATE TABLE bookmarks (url)");
    assert_refused("another program");
    assert_int_equal(access(FILE_NAME ".lock", F_OK), -1);
}

static void rows_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE client SET source = 'nowhere'", "UPDATE client SET blocked = -1",
        "UPDATE client SET certainty = 4",      "UPDATE client SET versions = 256",
        "UPDATE destination SET port = 65536",  "UPDATE client SET last_us = -1",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_file(1);
        change_file(changes[i]);
        assert_refused("move it away");
        assert_int_equal(unlink(FILE_NAME), 0);
    }
}

static void a_file_that_is_not_there_is_no_inventory_to_read(void **state)
{
    (void)state;
    char error[512] = "";
    assert_null(inventory_read("nothing.db", error, sizeof error));
    assert_non_null(strstr(error, "nothing.db: unable to open database file: No such file"));
    assert_int_equal(access("nothing.db", F_OK), -1);
}

static void an_empty_file_has_no_clients(void **state)
{
    (void)state;
    put_content(FILE_NAME, "", 0);
    struct roster *r = read_file(FILE_NAME);
    assert_int_equal(roster_count(r), 0);
    roster_free(r);
    make_file(1); /* and can be begun with */
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(every_field_comes_back),
        STORE_TEST(only_who_is_dirty_is_written),
        STORE_TEST(who_is_forgotten_is_taken_out),
        STORE_TEST(who_there_is_no_room_for_any_more_is_taken_out),
        STORE_TEST(an_id_is_never_given_twice),
        STORE_TEST(names_that_are_not_known_read_as_unknown),
        STORE_TEST(two_rows_that_have_become_one_client_do_no_harm),
        STORE_TEST(it_is_made_for_its_owner_and_group),
        STORE_TEST(at_rest_it_is_one_file),
        STORE_TEST(a_name_of_sqlites_own_is_a_file),
        STORE_TEST(a_second_gateway_is_refused),
        STORE_TEST(a_missing_directory_is_named),
        STORE_TEST(a_directory_that_is_not_writable_is_named),
        STORE_TEST(what_is_no_file_is_refused),
        STORE_TEST(what_is_no_database_is_left_alone),
        STORE_TEST(a_file_that_was_cut_is_left_alone),
        STORE_TEST(any_page_that_is_overwritten_is_found),
        STORE_TEST(a_later_version_is_left_alone),
        STORE_TEST(a_database_of_another_program_is_left_alone),
        STORE_TEST(rows_that_make_no_sense_are_refused),
        STORE_TEST(a_file_that_is_not_there_is_no_inventory_to_read),
        STORE_TEST(an_empty_file_has_no_clients),
    };
    return cmocka_run_group_tests_name("inventory_store", tests, NULL, NULL);
}
