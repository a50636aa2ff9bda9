/* Listening and accepting, on a loop that the test runs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "loop_fixture.h"

#include <sys/resource.h>

static const struct tf_addr any_port = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
static char error[256];

/* A stage whose settings have listening sockets; the port of the last one. */
static uint16_t add_listening(struct stage *t, struct listening *list, size_t count,
                              const struct tf_listener *listener)
{
    struct tf_addr address = any_port;
    assert_true(listener_open(&address, false, &list[count].fd, 1, error, sizeof error));
    list[count].listener = listener;
    t->setting.listening = list;
    t->setting.listening_count = count + 1;
    return address.port;
}

static void take_up(struct stage *t, const struct setting *setting)
{
    assert_true(loop_change(t->loop, setting, NULL, NULL));
    uv_run(&t->loop->uv, UV_RUN_NOWAIT);
}

/* A client that has sent text. */
static int dial(uint16_t port, const char *text)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    send_text(fd, text);
    return fd;
}

static bool has_a_session(struct stage *t)
{
    return t->loop->session_count > 0;
}

static uint64_t shed(const struct stage *t)
{
    return atomic_load(&t->loop->counters.values[COUNTER_ACCEPT_SHED]);
}

static bool has_shed(struct stage *t)
{
    return shed(t) > 0;
}

static void a_free_port_is_shared_by_all_sockets(void **state)
{
    (void)state;
    struct tf_addr address = any_port;
    int fds[3];
    assert_true(listener_open(&address, false, fds, 3, error, sizeof error));
    for (int i = 0; i < 3; i++) {
        struct sockaddr_in a;
        socklen_t len = sizeof a;
        assert_int_equal(getsockname(fds[i], (struct sockaddr *)&a, &len), 0);
        assert_int_equal(ntohs(a.sin_port), address.port);
        close(fds[i]);
    }
}

/* SO_REUSEPORT alone would let a second gateway take half of the connections. */
static void a_port_that_is_shared_already_is_not_free(void **state)
{
    (void)state;
    struct tf_addr address = any_port;
    int fd;
    assert_true(listener_is_free(&address, error, sizeof error));
    assert_true(listener_open(&address, false, &fd, 1, error, sizeof error));
    assert_false(listener_is_free(&address, error, sizeof error));
    assert_non_null(strstr(error, "another program listens there"));
    close(fd);
    assert_true(listener_is_free(&address, error, sizeof error));
}

static bool is_transparent(int fd, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
    return value != 0;
}

static void tproxy_makes_a_socket_of_either_family_transparent(void **state)
{
    (void)state;
    struct tf_addr v4 = any_port, both = {.family = TF_FAMILY_NONE};
    int fd;
    if (!listener_open(&v4, true, &fd, 1, error, sizeof error))
        skip(); /* it takes a capability */
    assert_true(is_transparent(fd, IPPROTO_IP, IP_TRANSPARENT));
    close(fd);
    v4.port = 0;
    assert_true(listener_open(&v4, false, &fd, 1, error, sizeof error));
    assert_false(is_transparent(fd, IPPROTO_IP, IP_TRANSPARENT));
    close(fd);
    assert_true(listener_open(&both, true, &fd, 1, error, sizeof error));
    assert_true(is_transparent(fd, IPPROTO_IP, IP_TRANSPARENT));
    close(fd);
}

/* As a user who is not root. */
static void without_the_capability_the_error_names_it(void **state)
{
    enum { NOBODY = 65534 };
    (void)state;
    struct tf_addr address = any_port;
    uid_t before = geteuid();
    int fd;
    if (before == 0)
        assert_int_equal(seteuid(NOBODY), 0);
    bool opened = listener_open(&address, true, &fd, 1, error, sizeof error);
    if (before == 0)
        assert_int_equal(seteuid(before), 0);
    assert_false(opened);
    assert_non_null(strstr(error, "intercept = tproxy needs the capability CAP_NET_ADMIN"));
}

static void what_is_accepted_becomes_a_session_of_the_listener(void **state)
{
    struct stage *t = *state;
    struct listening list[1];
    uint16_t port = add_listening(t, list, 0, &t->connect);
    take_up(t, &t->setting);
    int client = dial(port, "CONN");
    run_until(t, has_a_session);
    assert_ptr_equal(t->loop->all->listener, &t->connect);
    assert_int_equal(session_facts(t->loop->all)->source.ip[0], 127);
    close(client);
}

static void beyond_session_max_connections_are_shed(void **state)
{
    struct stage *t = *state;
    struct listening list[1];
    uint16_t port = add_listening(t, list, 0, &t->connect);
    t->setting.session_max = 1;
    take_up(t, &t->setting);
    int first = dial(port, "C");
    run_until(t, has_a_session);
    int second = dial(port, "C");
    run_until(t, has_shed);
    assert_int_equal(t->loop->session_count, 1);
    struct setting wider = t->setting;
    wider.session_max = 2;
    take_up(t, &wider);
    int third = dial(port, "C");
    while (t->loop->session_count < 2)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    assert_int_equal(shed(t), 1);
    take_up(t, &t->setting);
    close(first);
    close(second);
    close(third);
}

/* Without a free descriptor the client in front hears of it at once, and all is well again when there is one.
 */
static void without_descriptors_it_sheds_and_recovers(void **state)
{
    struct stage *t = *state;
    struct listening list[1];
    struct rlimit limit, none;
    uint16_t port = add_listening(t, list, 0, &t->connect);
    take_up(t, &t->setting);
    int client = dial(port, "C");
    int lowest = dup(0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_until(t, has_shed);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    char c;
    await_readable(client);
    assert_true(recv(client, &c, 1, 0) <= 0);
    close(client);
    client = dial(port, "C");
    run_until(t, has_a_session);
    assert_int_equal(shed(t), 1);
    close(client);
}

/* The last connections of a listener that goes belong to the settings that still know it. */
static void a_removed_listener_serves_what_is_queued_under_the_old_settings(void **state)
{
    struct stage *t = *state, new = {.origin = -1};
    struct listening list[1];
    uint16_t port = add_listening(t, list, 0, &t->connect);
    take_up(t, &t->setting);
    fill_conf(&new, 1);
    new.conf.tf.dns_servers = t->dns_server;
    new.setting = (struct setting){.conf = &new.conf, .session_max = 100};
    int client = dial(port, "C");
    await_readable(list[0].fd);
    assert_true(loop_change(t->loop, &new.setting, NULL, NULL));
    run_until(t, has_a_session);
    assert_ptr_equal(t->loop->all->listener, &t->connect);
    assert_ptr_equal(t->loop->all->conf, &t->conf);
    assert_null(t->loop->acceptors);
    assert_ptr_equal(t->loop->setting, &new.setting);
    close(client);
    run_until(t, has_no_session);
    t->setting.listening_count = 0;
    take_up(t, &t->setting);
}

static void a_socket_that_stays_serves_the_new_listener(void **state)
{
    struct stage *t = *state;
    struct listening list[1], changed;
    uint16_t port = add_listening(t, list, 0, &t->connect);
    take_up(t, &t->setting);
    struct setting other = t->setting;
    changed = (struct listening){list[0].fd, &t->sni};
    other.listening = &changed;
    take_up(t, &other);
    int client = dial(port, "\x16");
    run_until(t, has_a_session);
    assert_ptr_equal(t->loop->all->listener, &t->sni);
    close(client);
    run_until(t, has_no_session);
    take_up(t, &t->setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_port_is_shared_by_all_sockets),
        cmocka_unit_test(a_port_that_is_shared_already_is_not_free),
        cmocka_unit_test(tproxy_makes_a_socket_of_either_family_transparent),
        cmocka_unit_test(without_the_capability_the_error_names_it),
        cmocka_unit_test_setup_teardown(what_is_accepted_becomes_a_session_of_the_listener, begin, finish),
        cmocka_unit_test_setup_teardown(beyond_session_max_connections_are_shed, begin, finish),
        cmocka_unit_test_setup_teardown(without_descriptors_it_sheds_and_recovers, begin, finish),
        cmocka_unit_test_setup_teardown(a_removed_listener_serves_what_is_queued_under_the_old_settings,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(a_socket_that_stays_serves_the_new_listener, begin, finish),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
