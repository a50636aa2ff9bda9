/* users.c: who is in the file, whose password it is, and which files are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/front.h"
#include "users_fixture.h"
#include <time.h>

static struct users *load(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct users *load(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return users_of(text);
}

static void those_in_the_file_are_found(void **state)
{
    (void)state;
    const char *anna = hash_of("a"), *ben = hash_of("b");
    struct users *u = load("# staff\n\nzoe:%s\r\n  anna : %s \nben:%s:ben@contoso.example", ben, anna, ben);
    assert_non_null(u);
    assert_string_equal(users_find(u, "anna")->hash, anna);
    assert_string_equal(users_find(u, "anna")->mailbox, "anna");
    assert_string_equal(users_find(u, "ben")->mailbox, "ben@contoso.example");
    assert_string_equal(users_find(u, "zoe")->hash, ben);
    assert_string_equal(users_find(u, "zoe")->name, "zoe");
    assert_null(users_find(u, "Anna"));
    assert_null(users_find(u, "ann"));
    assert_null(users_find(u, ""));
    assert_null(users_find(u, "# staff"));
    users_unref(u);
}

static void a_password_is_its_users_alone(void **state)
{
    (void)state;
    struct users *u = load("anna:%s\nben:%s\n", hash_of("secret"), hash_of("other"));
    assert_non_null(u);
    assert_true(users_check(u, "anna", "secret"));
    assert_false(users_check(u, "anna", "Secret"));
    assert_false(users_check(u, "anna", ""));
    assert_false(users_check(u, "ben", "secret"));
    assert_true(users_check(u, "ben", "other"));
    users_unref(u);
}

static void who_is_not_there_has_no_password(void **state)
{
    (void)state;
    struct users *u = load("anna:%s\n", hash_of("secret"));
    assert_non_null(u);
    assert_false(users_check(u, "carl", "secret"));
    assert_false(users_check(u, "", ""));
    users_unref(u);
}

static void a_file_without_users_lets_nobody_in(void **state)
{
    (void)state;
    struct users *u = load("# nobody\n");
    assert_non_null(u);
    assert_null(users_find(u, "anna"));
    assert_false(users_check(u, "anna", "secret"));
    users_unref(u);
}

static int64_t cost_ns(const struct users *u, const char *name)
{
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    assert_false(users_check(u, name, "wrong"));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * INT64_C(1000000000) + to.tv_nsec - from.tv_nsec;
}

static void who_is_not_there_costs_as_much(void **state)
{
    (void)state;
    struct users *u = load("anna:%s\n", hash_of("secret"));
    assert_non_null(u);
    int64_t there = cost_ns(u, "anna"), not_there = cost_ns(u, "carl");
    assert_true(not_there > there / 3);
    users_unref(u);
}

static void good_kinds_of_hashes_are_taken(void **state)
{
    static const char *const kinds[] = {"$y$", "$gy$", "$7$", "$2b$", "$2a$", "$2y$", "$6$"};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char setting[CRYPT_GENSALT_OUTPUT_SIZE];
        assert_non_null(crypt_gensalt_rn(kinds[i], 0, NULL, 0, setting, sizeof setting));
        struct users *u = load("anna:%s\n", crypt("secret", setting));
        if (!u)
            fail_msg("%s: %s", kinds[i], users_error);
        assert_true(users_check(u, "anna", "secret"));
        users_unref(u);
    }
}

static void the_id_tells_files_apart(void **state)
{
    (void)state;
    const char *hash = hash_of("a");
    struct users *u = load("anna:%s\n", hash), *same = load("anna:%s\n", hash);
    struct users *other = load("anna:%s\n", hash_of("a"));
    assert_memory_equal(users_id(u), users_id(same), USERS_ID_SIZE);
    assert_memory_not_equal(users_id(u), users_id(other), USERS_ID_SIZE);
    users_unref(u);
    users_unref(same);
    users_unref(other);
}

static void a_reference_keeps_it(void **state)
{
    (void)state;
    struct users *u = load("anna:%s\n", hash_of("a"));
    assert_ptr_equal(users_ref(u), u);
    users_unref(u);
    assert_non_null(users_find(u, "anna"));
    users_unref(u);
    users_unref(NULL);
}

#define BCRYPT "$2b$04$abcdefghijklmnopqrstuu4BBtoLJR96hTVAMpbbsfxVWNJPsuVC2"

static void what_is_wrong_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *at, *sentence;
    } bad[] = {
        {"anna\n", ":1: ", "there is no hash"},
        {"\n# x\nanna:" BCRYPT "\nben\n", ":4: ", "there is no hash"},
        {":" BCRYPT "\n", ":1: ", "there is no name"},
        {"anna:\n", ":1: ", "no whole hash"},
        {"anna:secret\n", ":1: ", "too weak, or it is no hash"},
        {"anna:$2b$04$abcdefghijklmnopqrstuu4BBtoLJR96h\n", ":1: ", "no whole hash"},
        {"anna:$y$j9T$0123456789012345678901\n", ":1: ", "no whole hash"},
        {"anna:$apr1$abcdefgh$6FZUoQnkvCnhLzFpjTSSo1\n", ":1: ", "no whole hash"},
        {"anna:!\n", ":1: ", "no whole hash"},
        {"anna:abJnggxhB/yWI\n", ":1: ", "too weak"},                        /* DES */
        {"anna:$1$abcdefgh$6FZUoQnkvCnhLzFpjTSSo1\n", ":1: ", "too weak"},   /* MD5 */
        {"anna:$3$$8846f7eaee8fb117ad06bdd830b7586c\n", ":1: ", "too weak"}, /* NT */
        {"anna:" BCRYPT ":\n", ":1: ", "at most a mailbox"},
        {"anna:" BCRYPT ":a@b:x\n", ":1: ", "at most a mailbox"},
        {"an\x1bna:" BCRYPT "\n", ":1: ", "control character"},
        {"anna:" BCRYPT "\nben:" BCRYPT "\nanna:" BCRYPT "\n", ":3: ", "anna is in line 1 already"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (users_of(bad[i].text))
            fail_msg("this was taken: %s", bad[i].text);
        if (!strstr(users_error, bad[i].at) || !strstr(users_error, bad[i].sentence))
            fail_msg("%s: %s", bad[i].text, users_error);
    }
}

static void names_are_as_long_as_a_login_can_be(void **state)
{
    char name[TF_USER_MAX + 1];
    (void)state;
    memset(name, 'n', sizeof name);
    name[TF_USER_MAX - 1] = '\0';
    struct users *u = load("%s:" BCRYPT "\n", name);
    assert_non_null(u);
    assert_non_null(users_find(u, name));
    users_unref(u);
    name[TF_USER_MAX - 1] = 'n';
    name[TF_USER_MAX] = '\0';
    assert_null(load("%s:" BCRYPT "\n", name));
    assert_null(load("anna:" BCRYPT ":%s\n", name));
}

static void a_zero_byte_hides_nothing(void **state)
{
    static const char text[] = "anna:" BCRYPT "\0x\n";
    (void)state;
    const char *path = users_file(text, sizeof text - 1, 0600);
    assert_null(users_load(path, users_error, sizeof users_error));
    assert_non_null(strstr(users_error, ":1: there is a control character"));
    unlink(path);
}

static void a_file_that_is_open_to_others_is_refused(void **state)
{
    static const mode_t modes[] = {0604, 0640, 0602, 0620, 0644, 0666};
    static const char text[] = "anna:" BCRYPT "\n";
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const char *path = users_file(text, sizeof text - 1, modes[i]);
        assert_null(users_load(path, users_error, sizeof users_error));
        assert_non_null(strstr(users_error, "chmod 600"));
        assert_memory_equal(users_error, path, strlen(path));
        unlink(path);
    }
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    assert_null(users_load("/nonexistent/users", users_error, sizeof users_error));
    assert_non_null(strstr(users_error, "/nonexistent/users: is not there; make it"));
}

static void a_directory_is_no_file(void **state)
{
    (void)state;
    assert_null(users_load("tests/proxy", users_error, sizeof users_error));
    assert_string_equal(users_error, "tests/proxy: cannot be read: Is a directory");
}

static void all_users_are_there_by_name(void **state)
{
    (void)state;
    struct users *u = users_of("ben:" BCRYPT "\nanna:" BCRYPT ":a@b.example\n");
    assert_int_equal(users_count(u), 2);
    assert_string_equal(users_at(u, 0)->mailbox, "a@b.example");
    assert_string_equal(users_at(u, 1)->mailbox, "ben");
    users_unref(u);
    u = users_of("# nobody\n");
    assert_int_equal(users_count(u), 0);
    users_unref(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_in_the_file_are_found),
        cmocka_unit_test(a_password_is_its_users_alone),
        cmocka_unit_test(who_is_not_there_has_no_password),
        cmocka_unit_test(a_file_without_users_lets_nobody_in),
        cmocka_unit_test(who_is_not_there_costs_as_much),
        cmocka_unit_test(good_kinds_of_hashes_are_taken),
        cmocka_unit_test(the_id_tells_files_apart),
        cmocka_unit_test(a_reference_keeps_it),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(names_are_as_long_as_a_login_can_be),
        cmocka_unit_test(a_zero_byte_hides_nothing),
        cmocka_unit_test(a_file_that_is_open_to_others_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_directory_is_no_file),
        cmocka_unit_test(all_users_are_there_by_name),
    };
    return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
