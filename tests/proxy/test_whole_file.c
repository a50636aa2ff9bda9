/* whole_file.c: a file is there whole, or as it was; nothing else is left behind. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/whole_file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[80];

static int begin(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/tlsfloor-whole-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory); /* fails if anything else is there */
}

static void assert_content(const char *expected)
{
    char text[64];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void a_file_has_its_content_and_its_mode(void **state)
{
    struct stat st;
    (void)state;
    mode_t mask = umask(0);
    assert_int_equal(whole_file_write(path, "secret", 6, 0600, false), 0);
    umask(mask);
    assert_content("secret");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
}

static void what_is_there_stays_unless_it_is_to_be_replaced(void **state)
{
    (void)state;
    assert_int_equal(whole_file_write(path, "one", 3, 0644, false), 0);
    assert_int_equal(whole_file_write(path, "two", 3, 0644, false), EEXIST);
    assert_content("one");
    assert_int_equal(whole_file_write(path, "three", 5, 0644, true), 0);
    assert_content("three");
}

static void a_disk_that_is_full_changes_nothing(void **state)
{
    static const char large[8192];
    struct rlimit before, small;
    (void)state;
    assert_int_equal(whole_file_write(path, "one", 3, 0644, false), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int why = whole_file_write(path, large, sizeof large, 0644, true);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(why, EFBIG);
    assert_content("one");
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    char nowhere[96];
    (void)state;
    snprintf(nowhere, sizeof nowhere, "%s/no/file", directory);
    assert_int_equal(whole_file_write(nowhere, "x", 1, 0644, true), ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(a_file_has_its_content_and_its_mode),
        TEST(what_is_there_stays_unless_it_is_to_be_replaced),
        TEST(a_disk_that_is_full_changes_nothing),
        TEST(a_directory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests_name("whole_file", tests, NULL, NULL);
}
