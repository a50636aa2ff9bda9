/* Who may open a file that holds a secret, by its owner, its group and its mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../proxy/private_file.h"
#include <grp.h>
#include <string.h>
#include <unistd.h>

/* The gateway's user, its group, and one that it is in besides. */
enum { USER = 65532, GROUP = 65532, MOUNT = 2000, OTHER = 3000 };

static bool is_closed(uid_t owner, gid_t group, mode_t mode, enum private_to whom)
{
    struct stat st = {.st_uid = owner, .st_gid = group, .st_mode = S_IFREG | mode};
    return private_file_is_closed(&st, whom);
}

static bool is_private(uid_t owner, gid_t group, mode_t mode)
{
    struct stat st = {.st_uid = owner, .st_gid = group, .st_mode = S_IFREG | mode};
    char error[256] = "";
    bool ok = private_file_check(&st, "FILE", error, sizeof error);
    assert_int_equal(ok, error[0] == '\0');
    return ok;
}

static void assert_told(uid_t owner, gid_t group, mode_t mode, const char *words)
{
    struct stat st = {.st_uid = owner, .st_gid = group, .st_mode = S_IFREG | mode};
    char error[256] = "";
    assert_false(private_file_check(&st, "FILE", error, sizeof error));
    if (strstr(error, words) == NULL)
        fail_msg("%s is not in: %s", words, error);
}

/* As the gateway's user; root alone can become another. */
static int become_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return 0;
    return setgroups(1, (const gid_t[]){MOUNT}) == 0 && setegid(GROUP) == 0 && seteuid(USER) == 0 ? 0 : -1;
}

static int become_root(void **state)
{
    (void)state;
    if (getuid() != 0)
        return 0;
    return seteuid(0) == 0 && setegid(0) == 0 && setgroups(0, NULL) == 0 ? 0 : -1;
}

static void own_file_is_for_nobody_else(void **state)
{
    (void)state;
    static const mode_t open_modes[] = {0640, 0620, 0610, 0604, 0601, 0644, 0440, 0777};
    assert_true(is_private(geteuid(), getegid(), 0600));
    assert_true(is_private(geteuid(), getegid(), 0400));
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++)
        assert_false(is_private(geteuid(), getegid(), open_modes[i]));
    assert_told(geteuid(), getegid(), 0640,
                "holds secrets and is open to other users (mode 0640): chmod 600 FILE");
}

static void file_of_another_user_is_refused(void **state)
{
    (void)state;
    assert_told(geteuid() + 1, getegid(), 0600, "belongs to the user with the number");
    assert_told(geteuid() + 1, getegid(), 0440, "chown it to the user that runs the gateway");
}

static void root_s_file_may_be_read_by_the_group_that_lets_us_read_it(void **state)
{
    (void)state;
    if (geteuid() != USER)
        skip();
    assert_true(is_private(0, MOUNT, 0440));
    assert_true(is_private(0, GROUP, 0640));
    assert_true(is_private(0, MOUNT, 0400));
    static const mode_t open_modes[] = {0444, 0460, 0450, 0470, 0644, 0441};
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++)
        assert_false(is_private(0, MOUNT, open_modes[i]));
    assert_false(is_private(0, OTHER, 0440));
    assert_false(is_private(USER, MOUNT, 0440));
    assert_told(0, MOUNT, 0444, "be in its group (Kubernetes: fsGroup), and chmod 440 FILE");
}

static void root_itself_needs_no_group(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(is_private(0, 0, 0400));
    assert_false(is_private(0, 0, 0440));
    assert_told(0, 0, 0440, "chmod 600 FILE");
}

static void what_may_be_shared_is_for_the_group_to_read(void **state)
{
    (void)state;
    assert_true(is_closed(OTHER, OTHER, 0640, PRIVATE_TO_GROUP));
    assert_true(is_closed(OTHER, OTHER, 0600, PRIVATE_TO_GROUP));
    assert_false(is_closed(OTHER, OTHER, 0660, PRIVATE_TO_GROUP));
    assert_false(is_closed(OTHER, OTHER, 0644, PRIVATE_TO_GROUP));
    assert_false(is_closed(OTHER, OTHER, 0640, PRIVATE_TO_OWNER));
}

#define AS_USER(name) cmocka_unit_test_setup_teardown(name, become_user, become_root)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_file_is_for_nobody_else),
        cmocka_unit_test(file_of_another_user_is_refused),
        AS_USER(own_file_is_for_nobody_else),
        AS_USER(file_of_another_user_is_refused),
        AS_USER(root_s_file_may_be_read_by_the_group_that_lets_us_read_it),
        cmocka_unit_test(root_itself_needs_no_group),
        cmocka_unit_test(what_may_be_shared_is_for_the_group_to_read),
    };
    return cmocka_run_group_tests_name("private_file", tests, NULL, NULL);
}
