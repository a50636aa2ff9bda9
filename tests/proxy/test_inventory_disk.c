/* inventory.c, inventory_store.c: a disk that takes nothing costs nothing but time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "inventory_running.h"
#include <signal.h>
#include <sys/resource.h>

/* Standard error goes to a file while a test looks at what is said there. */
static int saved_stderr;

static void catch_stderr(void)
{
    int fd = open("stderr", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static void release_stderr(char *text, size_t size)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    FILE *f = fopen("stderr", "r");
    text[fread(text, 1, size - 1, f)] = '\0';
    fclose(f);
}

static unsigned count_in(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* Notes clients in files that may not grow, lets them grow, and finds every client there. */
static void fail_and_recover(const char *file, void (*forbid)(void), void (*allow)(void))
{
    enum { FIRST = 1, ALL = 200 };
    char said[2048];
    struct inventory *inv = open_inventory(file);
    note_number(inv, 0);
    AWAIT(count_stored(file) == FIRST);
    catch_stderr();
    forbid();
    for (unsigned i = 1; i < ALL; i++)
        while (!note_number(inv, i))
            count_clients(inv); /* the queue is short: let the thread come after */
    AWAIT(inventory_is_failing(inv));
    assert_int_equal(count_clients(inv), ALL);
    assert_int_equal(count_stored(file), FIRST);
    allow();
    AWAIT(!inventory_is_failing(inv));
    assert_int_equal(count_stored(file), ALL);
    release_stderr(said, sizeof said);
    assert_int_equal(count_in(said, "kept in memory, and tried again"), 1);
    assert_int_equal(count_in(said, "stored again"), 1);
    inventory_close(inv);
    assert_int_equal(count_stored(file), ALL);
}

static void fill_disk(void)
{
    char block[4096] = "";
    int fd = open("disk/ballast", O_WRONLY | O_CREAT, 0600);
    while (write(fd, block, sizeof block) == sizeof block)
        ;
    close(fd);
}

static void clear_disk(void)
{
    unlink("disk/ballast");
}

static void a_full_disk_costs_nothing_but_time(void **state)
{
    (void)state;
    mkdir("disk", 0700);
    if (mount("tmpfs", "disk", "tmpfs", 0, "size=4m") != 0)
        skip();
    fail_and_recover("disk/clients.db", fill_disk, clear_disk);
    assert_int_equal(umount("disk"), 0);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void forbid_growth(void)
{
    limit_files(32 * 1024); /* of the index of the log, which is there already */
}

static void allow_growth(void)
{
    limit_files(RLIM_INFINITY);
}

static void a_file_that_may_not_grow_costs_nothing_but_time(void **state)
{
    (void)state;
    fail_and_recover(FILE_NAME, forbid_growth, allow_growth);
}

static void a_disk_that_stays_full_is_told_of_once(void **state)
{
    (void)state;
    char said[2048];
    struct inventory *inv = open_inventory(FILE_NAME);
    catch_stderr();
    forbid_growth();
    for (unsigned i = 0; i < QUEUE; i++)
        note_number(inv, i);
    AWAIT(inventory_is_failing(inv));
    inventory_close(inv); /* tries once more */
    allow_growth();
    release_stderr(said, sizeof said);
    assert_int_equal(count_in(said, "kept in memory, and tried again"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INVENTORY_TEST(a_full_disk_costs_nothing_but_time),
        INVENTORY_TEST(a_file_that_may_not_grow_costs_nothing_but_time),
        INVENTORY_TEST(a_disk_that_stays_full_is_told_of_once),
    };
    signal(SIGXFSZ, SIG_IGN); /* as in the gateway */
    return cmocka_run_group_tests_name("inventory_disk", tests, NULL, NULL);
}
