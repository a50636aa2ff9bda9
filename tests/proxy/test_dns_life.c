/* dns.c: who is called back, and who is not; reloads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "dns_fixture.h"

enum { QUESTIONS = 1024 };

static void identical_questions_share_one_query(void **state)
{
    (void)state;
    struct told a, b, c;
    ask("slow.test", TF_FAMILY_V4, &a);
    ask("SLOW.test", TF_FAMILY_V4, &b);
    ask("slow.test", TF_FAMILY_V6, &c);
    await(&a);
    await(&c);
    assert_int_equal(b.calls, 1);
    assert_address(&b.addresses[0], "192.0.2.8");
    assert_int_equal(server.asked4, 1);
    assert_int_equal(server.asked6, 1);
}

static void cancelled_query_is_not_called_and_the_other_one_is(void **state)
{
    (void)state;
    struct told a, b;
    struct dns_query *first = ask("slow.test", TF_FAMILY_V4, &a);
    ask("slow.test", TF_FAMILY_V4, &b);
    dns_cancel(first);
    await(&b);
    assert_int_equal(a.calls, 0);
}

static void answer_to_a_cancelled_query_is_kept(void **state)
{
    (void)state;
    struct told t;
    dns_cancel(ask("slow.test", TF_FAMILY_V4, &t));
    let_pass(50);
    assert_int_equal(t.calls, 0);
    assert_true(cached("slow.test", TF_FAMILY_V4, &t));
}

static struct dns_query *to_cancel;

static void cancel_the_other(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    note(arg, status, addresses, n);
    dns_cancel(to_cancel);
}

static void callback_may_cancel_another_query_of_its_question(void **state)
{
    (void)state;
    struct told a = {0}, b;
    assert_non_null(dns_ask(dns, "slow.test", TF_FAMILY_V4, cancel_the_other, &a));
    to_cancel = ask("slow.test", TF_FAMILY_V4, &b);
    await(&a);
    let_pass(10);
    assert_int_equal(b.calls, 0);
}

static void ask_again(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    (void)status, (void)addresses, (void)n;
    ask("localhost", TF_FAMILY_V4, arg);
}

static void callback_may_ask_again(void **state)
{
    (void)state;
    struct told t = {0};
    assert_non_null(dns_ask(dns, "both.test", TF_FAMILY_V4, ask_again, &t));
    await(&t);
    assert_int_equal(t.status, DNS_OK);
}

static void more_questions_than_the_bound_fail(void **state)
{
    (void)state;
    static struct told t[QUESTIONS + 1];
    char host[32];
    limits.dns_ms = HASTY_MS; /* some are lost in the crowd */
    use_servers(server.server);
    for (size_t i = 0; i <= QUESTIONS; i++) {
        snprintf(host, sizeof host, "host%zu.test", i);
        ask(host, TF_FAMILY_V4, &t[i]);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    await(&t[QUESTIONS]);
    assert_int_equal(t[QUESTIONS].status, DNS_FAILED);
    for (size_t i = 0; i < QUESTIONS; i++)
        await(&t[i]);
    /* The lost ones keep their place until c-ares gives up too. */
    struct told later = look_up("both.test", TF_FAMILY_V4);
    for (unsigned i = 0; i < 100 && later.status == DNS_FAILED; i++) {
        let_pass(10);
        later = look_up("both.test", TF_FAMILY_V4);
    }
    assert_int_equal(later.status, DNS_OK);
}

static void freed_with_questions_open_it_calls_nobody(void **state)
{
    (void)state;
    struct told a, b;
    ask("slow.test", TF_FAMILY_V4, &a);
    struct dns_query *q = ask("localhost", TF_FAMILY_V4, &b);
    dns_free(dns);
    dns_cancel(q); /* still allowed until the loop has run */
    dns = NULL;
    let_pass(30);
    assert_int_equal(a.calls + b.calls, 0);
}

static void free_dns(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    note(arg, status, addresses, n);
    dns_free(dns);
    dns = NULL;
}

static void callback_may_free_the_whole(void **state)
{
    (void)state;
    struct told a = {0}, b;
    assert_non_null(dns_ask(dns, "slow.test", TF_FAMILY_V4, free_dns, &a));
    ask("slow.test", TF_FAMILY_V4, &b);
    await(&a);
    let_pass(10);
    assert_int_equal(b.calls, 0);
}

static void reload_asks_the_new_server_and_the_old_one_still_answers(void **state)
{
    (void)state;
    struct told before, after, kept;
    look_up("both.test", TF_FAMILY_V4);
    let_pass(1);
    size_t handles = count_handles();
    ask("slow.test", TF_FAMILY_V4, &before);
    use_servers(other_server.server);
    assert_false(cached("both.test", TF_FAMILY_V4, &kept));
    ask("slow.test", TF_FAMILY_V4, &after);
    await(&before);
    await(&after);
    assert_address(&before.addresses[0], "192.0.2.8");
    assert_address(&after.addresses[0], "198.51.100.8");
    assert_true(cached("slow.test", TF_FAMILY_V4, &kept));
    assert_address(&kept.addresses[0], "198.51.100.8");
    let_pass(1);
    assert_int_equal(count_handles(), handles); /* the old channel is gone */
}

static void shorter_time_after_a_reload_is_kept_while_older_questions_wait(void **state)
{
    (void)state;
    struct told patient, hasty;
    char both[80];
    snprintf(both, sizeof both, "%s,%s", server.server, other_server.server);
    use_servers(both);
    ask("silent.test", TF_FAMILY_V4, &patient);
    limits.dns_ms = HASTY_MS;
    use_servers(both);
    uint64_t before_ms = uv_hrtime() / 1000000;
    ask("silent.test", TF_FAMILY_V4, &hasty);
    await(&hasty);
    assert_true(uv_hrtime() / 1000000 - before_ms <
                2 * HASTY_MS - 50); /* c-ares would take that for two servers */
    assert_int_equal(hasty.status, DNS_TIMEOUT);
    assert_int_equal(patient.calls, 0);
}

static void bad_servers_are_refused_and_change_nothing(void **state)
{
    (void)state;
    assert_false(dns_configure(dns, &limits, "not an address", error, sizeof error));
    assert_non_null(strstr(error, "not an address"));
    assert_null(dns_new(&loop, &limits, "not an address", error, sizeof error));
    assert_int_equal(look_up("both.test", TF_FAMILY_V4).status, DNS_OK);
}

static void servers_of_the_system_are_the_default(void **state)
{
    (void)state;
    use_servers("");
    assert_int_equal(look_up("localhost", TF_FAMILY_V6).status, DNS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(identical_questions_share_one_query),
        TEST(cancelled_query_is_not_called_and_the_other_one_is),
        TEST(answer_to_a_cancelled_query_is_kept),
        TEST(callback_may_cancel_another_query_of_its_question),
        TEST(callback_may_ask_again),
        TEST(more_questions_than_the_bound_fail),
        TEST(freed_with_questions_open_it_calls_nobody),
        TEST(callback_may_free_the_whole),
        TEST(reload_asks_the_new_server_and_the_old_one_still_answers),
        TEST(shorter_time_after_a_reload_is_kept_while_older_questions_wait),
        TEST(bad_servers_are_refused_and_change_nothing),
        TEST(servers_of_the_system_are_the_default),
#undef TEST
    };
    return cmocka_run_group_tests_name("dns_life", tests, NULL, NULL);
}
