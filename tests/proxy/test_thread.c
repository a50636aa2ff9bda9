/* thread.c: signals are not for it, and stay those of who started it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/thread.h"
#include <signal.h>

static void *note_mask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
    return NULL;
}

static void no_signal_reaches_it_and_those_of_its_starter_stay(void **state)
{
    (void)state;
    static const int signals[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGXFSZ};
    sigset_t inside, outside;
    pthread_t thread;
    assert_int_equal(thread_start(&thread, "test", note_mask, &inside), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &outside);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        assert_true(sigismember(&inside, signals[i]));
        assert_false(sigismember(&outside, signals[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_signal_reaches_it_and_those_of_its_starter_stay),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
