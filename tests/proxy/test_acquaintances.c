/* acquaintances.c: which hello is a stray one, and which healthy one is news. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/acquaintances.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW = 600000, MINUTE = 60000 };

static struct acquaintances *them;

static int begin(void **state)
{
    (void)state;
    them = acquaintances_new(1024);
    return them ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    acquaintances_free(them);
    return 0;
}

static struct tf_addr addr(const char *text)
{
    struct tf_addr a;
    assert_true(tf_addr_parse(text, strlen(text), &a));
    return a;
}

static uint64_t healthy(const char *source, const char *host, int64_t now, bool tell)
{
    struct tf_addr a = addr(source);
    return acquaintances_note_healthy(them, &a, host, now, tell);
}

static bool is_stray(const char *source, const char *host, int64_t now)
{
    struct tf_addr a = addr(source);
    return acquaintances_note_below(them, &a, host, now, WINDOW);
}

static void a_client_that_never_did_better_is_not_stray(void **state)
{
    (void)state;
    assert_false(is_stray("10.0.0.1", "a.example", 1));
}

static void one_old_hello_after_a_healthy_one_is_stray(void **state)
{
    (void)state;
    healthy("10.0.0.1", "a.example", 1, false);
    assert_true(is_stray("10.0.0.1", "a.example", 2));
}

static void old_hellos_that_go_on_are_not(void **state)
{
    (void)state;
    healthy("10.0.0.1", "a.example", 1, false);
    for (int i = 0; i < 3; i++)
        assert_true(is_stray("10.0.0.1", "a.example", 2 + i));
    assert_false(is_stray("10.0.0.1", "a.example", 5));
}

static void what_it_spoke_before_does_not_count_once_it_does_better(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_false(is_stray("10.0.0.1", "a.example", i));
    healthy("10.0.0.1", "a.example", 5, false);
    assert_true(is_stray("10.0.0.1", "a.example", 6));
}

static void another_source_or_destination_says_nothing(void **state)
{
    (void)state;
    healthy("10.0.0.1", "a.example", 1, false);
    assert_false(is_stray("10.0.0.2", "a.example", 2));
    assert_false(is_stray("10.0.0.1", "b.example", 2));
    assert_false(is_stray("10a::1", "a.example", 2));
}

static void the_ports_of_a_source_do_not_count(void **state)
{
    (void)state;
    struct tf_addr a = addr("10.0.0.1"), b = a;
    a.port = 1000;
    b.port = 2000;
    acquaintances_note_healthy(them, &a, "a.example", 1, false);
    assert_true(acquaintances_note_below(them, &b, "a.example", 2, WINDOW));
}

static void what_was_before_the_window_is_forgotten(void **state)
{
    (void)state;
    healthy("10.0.0.1", "a.example", 1, false);
    assert_false(is_stray("10.0.0.1", "a.example", 1 + WINDOW));
    healthy("10.0.0.2", "a.example", 1, false);
    assert_true(is_stray("10.0.0.2", "a.example", WINDOW));
}

static void a_healthy_client_of_which_nothing_is_known_is_no_news(void **state)
{
    (void)state;
    assert_int_equal(healthy("10.0.0.1", "a.example", 1, false), 0);
}

static void a_marked_source_is_told_of_once_a_minute_with_all_that_gathered(void **state)
{
    (void)state;
    struct tf_addr a = addr("10.0.0.1");
    acquaintances_mark(them, &a);
    assert_int_equal(healthy("10.0.0.1", "a.example", 1, false), 1);
    assert_int_equal(healthy("10.0.0.1", "a.example", 2, false), 0);
    assert_int_equal(healthy("10.0.0.1", "a.example", 3, false), 0);
    assert_int_equal(healthy("10.0.0.1", "a.example", 1 + MINUTE, false), 3);
}

static void after_an_old_hello_the_next_healthy_one_is_news_at_once(void **state)
{
    (void)state;
    struct tf_addr a = addr("10.0.0.1");
    acquaintances_mark(them, &a);
    assert_int_equal(healthy("10.0.0.1", "a.example", 1, false), 1);
    is_stray("10.0.0.1", "a.example", 2);
    assert_int_equal(healthy("10.0.0.1", "a.example", 3, false), 1);
}

static void who_is_to_be_told_of_need_not_be_marked(void **state)
{
    (void)state;
    assert_int_equal(healthy("10.0.0.1", "a.example", 1, true), 1);
    assert_int_equal(healthy("10.0.0.1", "a.example", 2, true), 0);
}

static void most_pairs_are_known_when_half_the_table_is_used(void **state)
{
    (void)state;
    char host[32];
    unsigned known = 0;
    for (int i = 0; i < 512; i++) {
        snprintf(host, sizeof host, "h%d.example", i);
        healthy("10.0.0.1", host, i, false);
    }
    for (int i = 0; i < 512; i++) {
        snprintf(host, sizeof host, "h%d.example", i);
        known += is_stray("10.0.0.1", host, 512);
    }
    assert_in_range(known, 384, 512);
}

static void a_table_that_is_full_forgets_who_was_silent_for_longest(void **state)
{
    (void)state;
    char host[32];
    for (int i = 0; i < 100000; i++) {
        snprintf(host, sizeof host, "h%d.example", i);
        healthy("10.0.0.1", host, i, false);
    }
    assert_true(is_stray("10.0.0.1", "h99999.example", 100000));
    assert_false(is_stray("10.0.0.1", "h1.example", 100000));
}

/* What one thread is told of a source, which it hears 20,000 times. */
struct listener {
    pthread_t thread;
    const char *source;
    uint64_t told;
};

static void *hear(void *arg)
{
    struct listener *l = arg;
    struct tf_addr a = addr(l->source);
    for (int i = 0; i < 20000; i++) {
        l->told += acquaintances_note_healthy(them, &a, "a.example", i, false);
        acquaintances_note_below(them, &a, "a.example", i, WINDOW);
        acquaintances_mark(them, &a);
    }
    return NULL;
}

static void no_thread_loses_what_another_has_heard(void **state)
{
    (void)state;
    struct listener listeners[] = {{.source = "10.0.0.1"}, {.source = "10.0.0.1"}, {.source = "10.0.0.2"}};
    uint64_t told = 0;
    for (size_t i = 0; i < 3; i++)
        pthread_create(&listeners[i].thread, NULL, hear, &listeners[i]);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(listeners[i].thread, NULL);
        told += listeners[i].told;
    }
    told +=
        healthy("10.0.0.1", "a.example", INT32_MAX, true) + healthy("10.0.0.2", "a.example", INT32_MAX, true);
    assert_int_equal(told, 60002);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_never_did_better_is_not_stray),
        TEST(one_old_hello_after_a_healthy_one_is_stray),
        TEST(old_hellos_that_go_on_are_not),
        TEST(what_it_spoke_before_does_not_count_once_it_does_better),
        TEST(another_source_or_destination_says_nothing),
        TEST(the_ports_of_a_source_do_not_count),
        TEST(what_was_before_the_window_is_forgotten),
        TEST(a_healthy_client_of_which_nothing_is_known_is_no_news),
        TEST(a_marked_source_is_told_of_once_a_minute_with_all_that_gathered),
        TEST(after_an_old_hello_the_next_healthy_one_is_news_at_once),
        TEST(who_is_to_be_told_of_need_not_be_marked),
        TEST(most_pairs_are_known_when_half_the_table_is_used),
        TEST(a_table_that_is_full_forgets_who_was_silent_for_longest),
        TEST(no_thread_loses_what_another_has_heard),
    };
    return cmocka_run_group_tests_name("acquaintances", tests, NULL, NULL);
}
