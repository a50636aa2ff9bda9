/* dns.c: what is answered, from where, and what is kept of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "dns_fixture.h"

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
    limits.dns_ms = HASTY_MS;
    use_servers(server.server);
    uint64_t before_ms = uv_hrtime() / 1000000;
    struct told t = look_up("silent.test", TF_FAMILY_V4);
    uint64_t took_ms = uv_hrtime() / 1000000 - before_ms;
    assert_int_equal(t.status, DNS_TIMEOUT);
    assert_in_range(took_ms, HASTY_MS - 5, HASTY_MS * 2);
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
    limits.dns_ms = HASTY_MS;
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
#undef TEST
    };
    return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
