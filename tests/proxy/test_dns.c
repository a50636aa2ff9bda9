/* dns.c against a DNS server of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/dns.h"
#include "fake_dns.h"
#include <unistd.h>

enum { ROOM = 32, DNS_MS = 90, TTL_MAX_MS = 60, NEGATIVE_MS = 60, QUESTIONS = 1024 };

#define TEN(last)                                                                                            \
    "192.0.2." last "0 192.0.2." last "1 192.0.2." last "2 192.0.2." last "3 192.0.2." last "4 "             \
    "192.0.2." last "5 192.0.2." last "6 192.0.2." last "7 192.0.2." last "8 192.0.2." last "9"

static const struct fake_name names[] = {
    {.name = "both.test", .v4 = "192.0.2.1 192.0.2.2", .v6 = "2001:db8::1", .ttl = 3600},
    {.name = "only4.test", .v4 = "192.0.2.4", .ttl = 3600},
    {.name = "briefly.test", .v4 = "192.0.2.5", .ttl = 0},
    {.name = "www.test", .v4 = "192.0.2.6", .ttl = 3600, .aliased = true, .alias_ttl = 3600},
    {.name = "moving.test", .v4 = "192.0.2.7", .ttl = 3600, .aliased = true, .alias_ttl = 0},
    {.name = "twenty.test", .v4 = TEN("1") " " TEN("2"), .ttl = 3600},
    {.name = "broken.test", .rcode = FAKE_SERVFAIL},
    {.name = "silent.test", .silent = true},
    {.name = "slow.test", .v4 = "192.0.2.8", .ttl = 3600, .delay4_ms = 20},
    {.name = "late.test", .v4 = "192.0.2.9", .ttl = 3600, .delay4_ms = DNS_MS * 5 / 4},
};
static const struct fake_name other_names[] = {
    {.name = "both.test", .v4 = "198.51.100.1", .ttl = 3600},
    {.name = "slow.test", .v4 = "198.51.100.8", .ttl = 3600},
};

static uv_loop_t loop;
static struct fake_dns server, other_server;
static struct dns *dns;
static struct tf_limits limits;
static char error[256];

/* What one query was told. */
struct told {
    unsigned calls;
    enum dns_status status;
    struct tf_addr addresses[ROOM];
    size_t n;
};

static void note(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n)
{
    struct told *t = arg;
    t->calls++;
    t->status = status;
    t->n = n;
    if (n > 0)
        memcpy(t->addresses, addresses, n * sizeof addresses[0]);
    uv_stop(&loop);
}

static int set_up(void **state)
{
    (void)state;
    limits = (struct tf_limits){
        .dns_entries = 64, .dns_ttl_max_ms = TTL_MAX_MS, .dns_negative_ms = NEGATIVE_MS, .dns_ms = DNS_MS};
    assert_int_equal(uv_loop_init(&loop), 0);
    fake_dns_start(&server, &loop, names, sizeof names / sizeof names[0]);
    fake_dns_start(&other_server, &loop, other_names, sizeof other_names / sizeof other_names[0]);
    error[0] = '\0';
    dns = dns_new(&loop, &limits, server.server, error, sizeof error);
    assert_non_null(dns);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (dns != NULL)
        dns_free(dns);
    fake_dns_stop(&server);
    fake_dns_stop(&other_server);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop); /* fails when a handle is left */
}

static void use_servers(const char *servers)
{
    assert_true(dns_configure(dns, &limits, servers, error, sizeof error));
}

static struct dns_query *ask(const char *host, enum tf_family family, struct told *t)
{
    *t = (struct told){0};
    struct dns_query *q = dns_ask(dns, host, family, note, t);
    assert_non_null(q);
    assert_int_equal(t->calls, 0);
    return q;
}

static void await(const struct told *t)
{
    while (t->calls == 0)
        uv_run(&loop, UV_RUN_DEFAULT);
}

static struct told look_up(const char *host, enum tf_family family)
{
    struct told t;
    ask(host, family, &t);
    await(&t);
    return t;
}

static bool cached(const char *host, enum tf_family family, struct told *t)
{
    *t = (struct told){0};
    return dns_cached(dns, host, family, t->addresses, ROOM, &t->n);
}

static void assert_address(const struct tf_addr *a, const char *text)
{
    char is[INET6_ADDRSTRLEN];
    inet_ntop(a->family == TF_FAMILY_V6 ? AF_INET6 : AF_INET, a->ip, is, sizeof is);
    assert_string_equal(is, text);
    assert_int_equal(a->port, 0);
}

static void on_time(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
    uv_stop(timer->loop);
}

static void let_pass(unsigned ms)
{
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_time, ms, 0);
    while (!over)
        uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void name_is_looked_up_in_the_family_asked_for(void **state)
{
    (void)state;
    struct told t = look_up("both.test", TF_FAMILY_V4);
    assert_int_equal(t.status, DNS_OK);
    assert_int_equal(t.n, 2);
    assert_address(&t.addresses[0], "192.0.2.1");
    assert_address(&t.addresses[1], "192.0.2.2");
    t = look_up("both.test", TF_FAMILY_V6);
    assert_int_equal(t.status, DNS_OK);
    assert_int_equal(t.n, 1);
    assert_address(&t.addresses[0], "2001:db8::1");
    assert_int_equal(server.asked4, 1);
    assert_int_equal(server.asked6, 1);
}

static void localhost_needs_no_server_and_is_not_answered_at_once(void **state)
{
    (void)state;
    struct told t = look_up("localhost", TF_FAMILY_V4); /* `ask` checks that nothing has been called yet */
    assert_int_equal(t.status, DNS_OK);
    assert_address(&t.addresses[0], "127.0.0.1");
    t = look_up("some.LOCALHOST", TF_FAMILY_V6);
    assert_int_equal(t.status, DNS_OK);
    assert_address(&t.addresses[0], "::1");
    assert_int_equal(server.asked4 + server.asked6, 0);
    t = look_up("notlocalhost", TF_FAMILY_V6);
    assert_int_equal(t.status, DNS_NOT_FOUND);
    assert_int_equal(server.asked6, 1);
}

/* What the DNS has in the other family would go round what the file says. */
static void hosts_file_comes_first_and_settles_both_families(void **state)
{
    (void)state;
    char file[] = "/tmp/tlsfloor-hosts-XXXXXX";
    int fd = mkstemp(file);
    assert_int_not_equal(fd, -1);
    assert_true(dprintf(fd, "203.0.113.1 Both.test alias.test\n203.0.113.2 both.test\n") > 0);
    close(fd);
    setenv("CARES_HOSTS", file, 1);
    struct told t = look_up("both.test", TF_FAMILY_V4);
    struct told other = look_up("both.test", TF_FAMILY_V6);
    struct told alias = look_up("alias.test", TF_FAMILY_V4);
    unsetenv("CARES_HOSTS");
    unlink(file);
    assert_int_equal(t.n, 2);
    assert_address(&t.addresses[0], "203.0.113.1");
    assert_address(&t.addresses[1], "203.0.113.2");
    assert_false(cached("both.test", TF_FAMILY_V4, &t)); /* the file may change */
    assert_int_equal(other.status, DNS_NOT_FOUND);
    assert_address(&alias.addresses[0], "203.0.113.1");
    assert_int_equal(server.asked4 + server.asked6, 0);
}

static void search_list_is_not_used(void **state)
{
    (void)state;
    setenv("LOCALDOMAIN", "test", 1); /* as `search test` in resolv.conf */
    use_servers(server.server);
    unsetenv("LOCALDOMAIN");
    assert_int_equal(look_up("both", TF_FAMILY_V4).status, DNS_NOT_FOUND);
    assert_int_equal(look_up("absent.name", TF_FAMILY_V4).status, DNS_NOT_FOUND);
    assert_int_equal(server.asked4, 2);
}

static void answer_is_kept_as_long_as_its_ttl_and_the_limit_say(void **state)
{
    (void)state;
    struct told t;
    assert_false(cached("only4.test", TF_FAMILY_V4, &t));
    look_up("only4.test", TF_FAMILY_V4);
    assert_true(cached("ONLY4.test", TF_FAMILY_V4, &t));
    assert_int_equal(t.n, 1);
    assert_address(&t.addresses[0], "192.0.2.4");
    let_pass(TTL_MAX_MS + 5);
    assert_false(cached("only4.test", TF_FAMILY_V4, &t));
}

static void answer_with_ttl_0_is_not_kept(void **state)
{
    (void)state;
    struct told t = look_up("briefly.test", TF_FAMILY_V4);
    assert_int_equal(t.status, DNS_OK);
    assert_false(cached("briefly.test", TF_FAMILY_V4, &t));
}

static void alias_is_followed_and_its_ttl_counts(void **state)
{
    (void)state;
    struct told t = look_up("www.test", TF_FAMILY_V4);
    assert_int_equal(t.status, DNS_OK);
    assert_address(&t.addresses[0], "192.0.2.6");
    assert_true(cached("www.test", TF_FAMILY_V4, &t));
    t = look_up("moving.test", TF_FAMILY_V4);
    assert_int_equal(t.status, DNS_OK);
    assert_false(cached("moving.test", TF_FAMILY_V4, &t));
}

static void absent_name_and_absent_family_are_remembered_for_a_while(void **state)
{
    (void)state;
    const struct {
        const char *host;
        enum tf_family family;
    } absent[] = {{"nowhere.test", TF_FAMILY_V4}, {"only4.test", TF_FAMILY_V6}};
    for (size_t i = 0; i < 2; i++) {
        struct told t = look_up(absent[i].host, absent[i].family);
        assert_int_equal(t.status, DNS_NOT_FOUND);
        assert_int_equal(t.n, 0);
        t.n = 1;
        assert_true(cached(absent[i].host, absent[i].family, &t));
        assert_int_equal(t.n, 0);
        let_pass(NEGATIVE_MS + 5);
        assert_false(cached(absent[i].host, absent[i].family, &t));
    }
}

static void servers_failure_is_not_kept(void **state)
{
    (void)state;
    struct told t = look_up("broken.test", TF_FAMILY_V4);
    assert_int_equal(t.status, DNS_FAILED);
    assert_false(cached("broken.test", TF_FAMILY_V4, &t));
}

static void silent_server_is_a_timeout_and_not_kept(void **state)
{
    (void)state;
    uint64_t before_ms = uv_hrtime() / 1000000;
    struct told t = look_up("silent.test", TF_FAMILY_V4);
    uint64_t took_ms = uv_hrtime() / 1000000 - before_ms;
    assert_int_equal(t.status, DNS_TIMEOUT);
    assert_in_range(took_ms, DNS_MS / 2, DNS_MS * 10);
    assert_false(cached("silent.test", TF_FAMILY_V4, &t));
}

static void closed_port_is_a_failure_at_once(void **state)
{
    (void)state;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    char closed[32];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&here, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &size), 0);
    snprintf(closed, sizeof closed, "127.0.0.1:%u", ntohs(here.sin_port));
    close(fd);
    limits.dns_ms = 60000;
    use_servers(closed);
    assert_int_equal(look_up("both.test", TF_FAMILY_V4).status, DNS_FAILED);
}

/* The first server's silence costs so much time that the second's answer comes too late. */
static void answer_after_the_deadline_still_feeds_the_cache(void **state)
{
    (void)state;
    struct told t, early;
    static const struct fake_name none[] = {{.name = "late.test", .silent = true}};
    char both[80];
    other_server.names = none;
    other_server.count = 1;
    snprintf(both, sizeof both, "%s,%s", other_server.server, server.server);
    limits.dns_ttl_max_ms = 60000;
    use_servers(both);
    t = look_up("late.test", TF_FAMILY_V4);
    assert_int_equal(t.status, DNS_TIMEOUT);
    assert_int_equal(t.n, 0);
    for (unsigned i = 0; i < 100 && !cached("late.test", TF_FAMILY_V4, &early); i++)
        let_pass(10);
    assert_int_equal(early.n, 1);
    assert_address(&early.addresses[0], "192.0.2.9");
}

static void only_sixteen_addresses_are_taken(void **state)
{
    (void)state;
    struct told t = look_up("twenty.test", TF_FAMILY_V4);
    assert_int_equal(t.n, 16);
    assert_address(&t.addresses[15], "192.0.2.25");
    assert_true(cached("twenty.test", TF_FAMILY_V4, &t));
    assert_int_equal(t.n, 16);
}

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
    for (size_t i = 0; i <= QUESTIONS; i++) {
        snprintf(host, sizeof host, "host%zu.test", i);
        ask(host, TF_FAMILY_V4, &t[i]);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    await(&t[QUESTIONS]);
    assert_int_equal(t[QUESTIONS].status, DNS_FAILED);
    for (size_t i = 0; i < QUESTIONS; i++)
        await(&t[i]);
    assert_int_equal(look_up("both.test", TF_FAMILY_V4).status, DNS_OK);
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
}

static void shorter_time_after_a_reload_is_kept_while_older_questions_wait(void **state)
{
    (void)state;
    struct told patient, hasty;
    limits.dns_ms = 60000;
    use_servers(server.server);
    ask("silent.test", TF_FAMILY_V4, &patient);
    limits.dns_ms = DNS_MS;
    use_servers(server.server);
    ask("silent.test", TF_FAMILY_V4, &hasty);
    await(&hasty);
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
        TEST(name_is_looked_up_in_the_family_asked_for),
        TEST(localhost_needs_no_server_and_is_not_answered_at_once),
        TEST(hosts_file_comes_first_and_settles_both_families),
        TEST(search_list_is_not_used),
        TEST(answer_is_kept_as_long_as_its_ttl_and_the_limit_say),
        TEST(answer_with_ttl_0_is_not_kept),
        TEST(alias_is_followed_and_its_ttl_counts),
        TEST(absent_name_and_absent_family_are_remembered_for_a_while),
        TEST(servers_failure_is_not_kept),
        TEST(silent_server_is_a_timeout_and_not_kept),
        TEST(closed_port_is_a_failure_at_once),
        TEST(answer_after_the_deadline_still_feeds_the_cache),
        TEST(only_sixteen_addresses_are_taken),
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
    return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
