/* login.c: logins are checked off the loop, remembered for a while if they were right, and bounded. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/login.h"
#include "users_fixture.h"
#include <semaphore.h>

enum { POOL = 4, JOBS_MAX = 64, FIVE_MINUTES_MS = 300000 };

/* In place of libuv's: a clock that stands still. */
static uint64_t now_ms;

uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return now_ms;
}

static uv_loop_t uv;
static struct logins logins;
static struct users *users;

static int begin(void **state)
{
    char text[512];
    (void)state;
    snprintf(text, sizeof text, "anna:%s\nben:%s\nab:%s\n", hash_of("a"), hash_of("b"), hash_of("c"));
    users = users_of(text);
    now_ms = 1000;
    uv_loop_init(&uv);
    logins = (struct logins){.uv = &uv, .max = 8};
    return users && logins_init(&logins) ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    users_unref(users); /* those who are being checked have their own */
    logins_close(&logins);
    uv_run(&uv, UV_RUN_DEFAULT);
    return uv_loop_close(&uv);
}

static struct tf_login login_of(const char *user, const char *password)
{
    struct tf_login login;
    memset(&login, 'x', sizeof login); /* what is behind the texts does not matter */
    snprintf(login.user, sizeof login.user, "%s", user);
    snprintf(login.password, sizeof login.password, "%s", password);
    return login;
}

/* What one who waits was told. */
struct told {
    struct login_wait *wait; /* NULL: it is over */
    bool ok;
    unsigned calls;
    struct login_wait **cancel; /* to be cancelled by the callback */
};

static void on_told(void *arg, bool ok)
{
    struct told *t = arg;
    assert_non_null(t->wait);
    t->wait = NULL;
    t->ok = ok;
    t->calls++;
    if (t->cancel && *t->cancel) {
        login_cancel(*t->cancel);
        *t->cancel = NULL;
    }
}

static bool start(struct told *t, const char *user, const char *password)
{
    const struct tf_login login = login_of(user, password);
    *t = (struct told){.calls = 0};
    t->wait = login_start(&logins, users, &login, on_told, t);
    assert_int_equal(t->calls, 0);
    return t->wait != NULL;
}

static void await(void)
{
    uv_run(&uv, UV_RUN_DEFAULT);
}

static bool check(const char *user, const char *password)
{
    struct told t;
    assert_true(start(&t, user, password));
    await();
    assert_int_equal(t.calls, 1);
    return t.ok;
}

static bool is_known(const char *user, const char *password)
{
    const struct tf_login login = login_of(user, password);
    return login_is_known(&logins, users, &login);
}

static void what_was_right_is_known_and_nothing_else(void **state)
{
    (void)state;
    assert_false(is_known("anna", "a"));
    assert_true(check("anna", "a"));
    assert_true(is_known("anna", "a"));
    assert_false(is_known("anna", "b"));
    assert_false(is_known("anna", ""));
    assert_false(is_known("ben", "a"));
    assert_true(check("ab", "c"));
    assert_false(is_known("a", "bc"));
}

static void what_was_wrong_is_not_known(void **state)
{
    (void)state;
    assert_false(check("anna", "b"));
    assert_false(check("carl", "a"));
    assert_false(is_known("anna", "b"));
    assert_false(is_known("carl", "a"));
}

static void it_is_known_for_five_minutes(void **state)
{
    (void)state;
    assert_true(check("anna", "a"));
    now_ms += FIVE_MINUTES_MS - 1;
    assert_true(is_known("anna", "a"));
    now_ms += 1;
    assert_false(is_known("anna", "a"));
    assert_true(check("anna", "a"));
    now_ms += FIVE_MINUTES_MS - 1;
    assert_true(is_known("anna", "a"));
}

static void checking_it_once_more_makes_it_new(void **state)
{
    (void)state;
    assert_true(check("anna", "a"));
    now_ms += FIVE_MINUTES_MS - 1;
    assert_true(check("anna", "a"));
    now_ms += FIVE_MINUTES_MS - 1;
    assert_true(is_known("anna", "a"));
}

static void it_is_known_for_files_that_say_the_same(void **state)
{
    char text[256];
    (void)state;
    struct users *before = users;
    snprintf(text, sizeof text, "anna:%s\n", hash_of("a"));
    users = users_of(text);
    assert_true(check("anna", "a"));
    users_unref(users);
    users = users_of(text);
    assert_true(is_known("anna", "a"));
    users_unref(users);
    strcat(text, "# a comment\n");
    users = users_of(text);
    assert_false(is_known("anna", "a"));
    users_unref(users);
    users = before;
}

static void the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
    (void)state;
    logins.max = 2;
    assert_true(check("anna", "a"));
    assert_true(check("ben", "b"));
    assert_true(check("anna", "a")); /* newer than ben's again */
    assert_true(check("ab", "c"));
    assert_true(is_known("anna", "a"));
    assert_false(is_known("ben", "b"));
    assert_true(is_known("ab", "c"));
}

/* The pool's threads are kept busy. */

static sem_t held;
static uv_work_t works[POOL];

static void hold(uv_work_t *work)
{
    (void)work;
    sem_wait(&held);
}

static void on_released(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

static void hold_pool(void)
{
    sem_init(&held, 0, 0);
    for (size_t i = 0; i < POOL; i++)
        assert_int_equal(uv_queue_work(&uv, &works[i], hold, on_released), 0);
}

static void release_pool(void)
{
    for (size_t i = 0; i < POOL; i++)
        sem_post(&held);
    await();
    sem_destroy(&held);
}

static void no_more_than_so_many_are_checked_at_once(void **state)
{
    static struct told told[JOBS_MAX], one_more;
    char password[16];
    (void)state;
    hold_pool();
    for (size_t i = 0; i < JOBS_MAX; i++) {
        snprintf(password, sizeof password, "%zu", i);
        assert_true(start(&told[i], "anna", password));
    }
    assert_false(start(&one_more, "anna", "one more"));
    release_pool();
    for (size_t i = 0; i < JOBS_MAX; i++)
        assert_int_equal(told[i].calls, 1);
    assert_true(start(&one_more, "anna", "one more"));
    await();
}

static void all_that_wait_for_the_same_share_one_check(void **state)
{
    static struct told told[JOBS_MAX + 1];
    (void)state;
    hold_pool();
    for (size_t i = 0; i <= JOBS_MAX; i++)
        assert_true(start(&told[i], "anna", "a"));
    release_pool();
    for (size_t i = 0; i <= JOBS_MAX; i++)
        assert_true(told[i].ok && told[i].calls == 1);
}

static void who_has_cancelled_is_not_told(void **state)
{
    struct told t;
    (void)state;
    assert_true(start(&t, "anna", "a"));
    login_cancel(t.wait);
    await();
    assert_int_equal(t.calls, 0);
    assert_true(is_known("anna", "a"));
}

static void a_callback_may_cancel_another(void **state)
{
    struct told told[3];
    (void)state;
    hold_pool();
    for (size_t i = 0; i < 3; i++)
        assert_true(start(&told[i], "anna", "a"));
    for (size_t i = 0; i < 3; i++)
        told[i].cancel = &told[(i + 1) % 3].wait;
    release_pool();
    assert_int_equal(told[0].calls + told[1].calls + told[2].calls, 2);
}

static void closing_lets_checks_end_by_themselves(void **state)
{
    struct told running, queued;
    (void)state;
    assert_true(start(&running, "anna", "a")); /* most likely */
    hold_pool();
    assert_true(start(&queued, "ben", "b"));
    login_cancel(running.wait);
    login_cancel(queued.wait);
    logins_close(&logins);
    release_pool();
    assert_int_equal(running.calls + queued.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_right_is_known_and_nothing_else, begin, finish),
        cmocka_unit_test_setup_teardown(what_was_wrong_is_not_known, begin, finish),
        cmocka_unit_test_setup_teardown(it_is_known_for_five_minutes, begin, finish),
        cmocka_unit_test_setup_teardown(checking_it_once_more_makes_it_new, begin, finish),
        cmocka_unit_test_setup_teardown(it_is_known_for_files_that_say_the_same, begin, finish),
        cmocka_unit_test_setup_teardown(the_oldest_is_forgotten_when_there_are_too_many, begin, finish),
        cmocka_unit_test_setup_teardown(no_more_than_so_many_are_checked_at_once, begin, finish),
        cmocka_unit_test_setup_teardown(all_that_wait_for_the_same_share_one_check, begin, finish),
        cmocka_unit_test_setup_teardown(who_has_cancelled_is_not_told, begin, finish),
        cmocka_unit_test_setup_teardown(a_callback_may_cancel_another, begin, finish),
        cmocka_unit_test_setup_teardown(closing_lets_checks_end_by_themselves, begin, finish),
    };
    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
