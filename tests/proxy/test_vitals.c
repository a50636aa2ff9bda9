/* vitals.c: what the kernel says of this process is near enough to what it is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/vitals.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void an_open_file_is_counted_until_it_is_closed(void **state)
{
    (void)state;
    uint64_t before = vitals_now().open_files;
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(vitals_now().open_files, before + 1);
    close(fd);
    assert_int_equal(vitals_now().open_files, before);
}

static void the_limit_is_the_one_in_force(void **state)
{
    struct rlimit files;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(vitals_now().open_files_max, files.rlim_cur);
}

static void memory_that_is_used_is_resident(void **state)
{
    enum { SIZE = 32 << 20 };
    (void)state;
    uint64_t before = vitals_now().resident_bytes;
    char *p = malloc(SIZE);
    assert_non_null(p);
    memset(p, 1, SIZE);
    uint64_t after = vitals_now().resident_bytes;
    assert_true(before > 0 && after >= before + SIZE / 2);
    free(p);
}

static void time_that_is_spent_is_counted(void **state)
{
    (void)state;
    uint64_t before = vitals_now().cpu_ms;
    for (clock_t end = clock() + CLOCKS_PER_SEC / 20; clock() < end;)
        ;
    uint64_t spent = vitals_now().cpu_ms - before;
    assert_true(spent >= 30 && spent < 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_file_is_counted_until_it_is_closed),
        cmocka_unit_test(the_limit_is_the_one_in_force),
        cmocka_unit_test(memory_that_is_used_is_resident),
        cmocka_unit_test(time_that_is_spent_is_counted),
    };
    return cmocka_run_group_tests_name("vitals", tests, NULL, NULL);
}
