/* parent_login.c: the login that the settings make, and what is wrong with their file. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/parent_login.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/tlsfloor-parent-XXXXXX";
static struct tf_conf conf;
static char login[PARENT_LOGIN_MAX], error[512];

static int begin(void **state)
{
    (void)state;
    strcpy(path, "/tmp/tlsfloor-parent-XXXXXX");
    int fd = mkstemp(path); /* with mode 0600 */
    conf = (struct tf_conf){.parent = {.user = "gate", .password_file = path}};
    strcpy(conf.parent.proxy.host, "parent.test");
    error[0] = '\0';
    return fd < 0 ? -1 : close(fd);
}

static int finish(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    close(fd);
}

static bool load(void)
{
    return parent_login_load(&conf, login, error, sizeof error);
}

static void password_is_the_first_line(void **state)
{
    static const char *const files[] = {"hunter2", "hunter2\n", "hunter2\r\n", "hunter2\nand more\n"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_file(files[i], strlen(files[i]));
        assert_true(load());
        assert_string_equal(login, "Z2F0ZTpodW50ZXIy");
    }
}

static void blanks_and_letters_of_any_script_belong_to_it(void **state)
{
    (void)state;
    write_file(" p\303\244ss \n", 8);
    assert_true(load());
    assert_string_equal(login, "Z2F0ZTogcMOkc3Mg");
}

static void without_a_parent_or_a_user_there_is_no_login(void **state)
{
    (void)state;
    conf.parent.password_file = "/nonexistent";
    conf.parent.user = "";
    assert_true(load());
    assert_string_equal(login, "");
    conf.parent.user = "gate";
    conf.parent.proxy.host[0] = '\0';
    assert_true(load());
    assert_string_equal(login, "");
}

static void without_a_file_the_password_is_empty(void **state)
{
    (void)state;
    conf.parent.password_file = "";
    assert_true(load());
    assert_string_equal(login, "Z2F0ZTo=");
}

static void assert_wrong(const char *what)
{
    assert_false(load());
    assert_string_equal(login, "");
    assert_non_null(strstr(error, what));
    assert_null(strstr(error, "hunter2"));
}

static void files_without_a_password_are_refused(void **state)
{
    char longer[300];
    (void)state;
    write_file("", 0);
    assert_wrong("[upstream] proxy_password_file: /tmp/tlsfloor-parent-");
    write_file("\nhunter2\n", 9);
    assert_wrong("the first line must be the password");
    write_file("hunter2\0x\n", 10);
    assert_wrong("the first line must be the password");
    memset(longer, 'x', sizeof longer);
    write_file(longer, 256);
    assert_wrong("of 1 to 255 characters");
    write_file(longer, 255);
    assert_true(load());
}

static void file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    write_file("hunter2\n", 8);
    assert_int_equal(chmod(path, 0644), 0);
    assert_wrong("[upstream] proxy_password_file");
}

static void file_that_is_not_there_is_told(void **state)
{
    (void)state;
    conf.parent.password_file = "/nonexistent/file";
    assert_wrong("/nonexistent/file");
}

static void users_that_basic_cannot_carry_are_refused(void **state)
{
    char longer[300];
    (void)state;
    write_file("hunter2\n", 8);
    conf.parent.user = "ga:te";
    assert_wrong("[upstream] proxy_user");
    memset(longer, 'x', sizeof longer - 1);
    longer[255] = '\0';
    conf.parent.user = longer;
    assert_true(load());
    longer[255] = 'x';
    longer[256] = '\0';
    assert_wrong("[upstream] proxy_user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
        TEST(password_is_the_first_line),
        TEST(blanks_and_letters_of_any_script_belong_to_it),
        TEST(without_a_parent_or_a_user_there_is_no_login),
        TEST(without_a_file_the_password_is_empty),
        TEST(files_without_a_password_are_refused),
        TEST(file_that_others_may_read_is_refused),
        TEST(file_that_is_not_there_is_told),
        TEST(users_that_basic_cannot_carry_are_refused),
#undef TEST
    };
    return cmocka_run_group_tests_name("parent_login", tests, NULL, NULL);
}
