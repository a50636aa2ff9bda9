/* inherit.c: what LISTEN_FDS passes, and who wants it. Each case is a process of its own, since the
 * descriptors have fixed places. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "loop_fixture.h"

#include "../../proxy/inherit.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

static char error[512];

/* Runs `act` in a child, with sockets at 3 and 4 that listen on ports[0] and [1] and the variables that go
 * with them. */
static void with_two_sockets(const char *names, void (*act)(const uint16_t ports[2]))
{
    pid_t pid = fork();
    if (pid == 0) {
        uint16_t ports[2];
        int fds[2] = {listen_anywhere(&ports[0]), listen_anywhere(&ports[1])};
        char text[16];
        for (int i = 0; i < 2; i++)
            fds[i] = fcntl(fds[i], F_DUPFD, 10);
        for (int i = 0; i < 2; i++)
            dup2(fds[i], INHERIT_FIRST + i);
        snprintf(text, sizeof text, "%d", (int)getpid());
        setenv("LISTEN_PID", text, 1);
        setenv("LISTEN_FDS", "2", 1);
        if (names != NULL)
            setenv("LISTEN_FDNAMES", names, 1);
        act(ports);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A failed assertion of cmocka would go on with the parent's tests. */
#define MUST(holds)                                                                                          \
    do {                                                                                                     \
        if (!(holds)) {                                                                                      \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #holds, error);                  \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

static struct tf_addr loopback(uint16_t port)
{
    return (struct tf_addr){.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}, .port = port};
}

static struct inherited found(void)
{
    struct inherited in;
    MUST(inherited_find(&in, error, sizeof error));
    MUST(getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL && getenv("LISTEN_FDNAMES") == NULL);
    return in;
}

static void take_by_address(const uint16_t ports[2])
{
    struct inherited in = found();
    struct tf_addr second = loopback(ports[1]), other = loopback(1), actual;
    int fds[2] = {-1, -1};
    bool is_kept;
    MUST(in.count == 2 && in.predecessor < 0);
    MUST(inherited_count(&in, &other, "any") == 0);
    MUST(inherited_count(&in, &second, "any") == 1);
    inherited_take(&in, &second, "any", fds, &actual, &is_kept);
    MUST(fds[0] == INHERIT_FIRST + 1 && actual.port == ports[1] && is_kept);
    MUST(inherited_count(&in, &second, "any") == 0);
    MUST((fcntl(fds[0], F_GETFD) & FD_CLOEXEC) != 0);
    inherited_free(&in);
    MUST(fcntl(INHERIT_FIRST, F_GETFD) < 0);
    MUST(fcntl(INHERIT_FIRST + 1, F_GETFD) >= 0);
}

static void sockets_are_taken_by_address(void **state)
{
    (void)state;
    with_two_sockets(NULL, take_by_address);
}

static void take_by_name(const uint16_t ports[2])
{
    struct inherited in = found();
    struct tf_addr any = loopback(0), actual;
    int fd;
    bool is_kept;
    MUST(inherited_count(&in, &any, "a") == 1 && inherited_count(&in, &any, "b") == 1);
    MUST(inherited_count(&in, &any, "c") == 0);
    inherited_take(&in, &any, "b", &fd, &actual, &is_kept);
    MUST(fd == INHERIT_FIRST + 1 && actual.port == ports[1]);
    inherited_free(&in);
}

static void a_listener_with_any_port_is_known_by_its_name(void **state)
{
    (void)state;
    with_two_sockets("a:b", take_by_name);
}

static void refuse_unwanted(const uint16_t ports[2])
{
    struct inherited in = found();
    struct tf_addr wanted[2] = {loopback(ports[0]), loopback(ports[1])};
    struct tf_listener listener = {.name = "a", .addresses = wanted, .address_count = 1};
    struct tf_conf conf = {.listeners = &listener};
    char text[64];
    MUST(!inherited_check(&in, &conf, error, sizeof error));
    snprintf(text, sizeof text, "passed 127.0.0.1:%u, and no listener is there: add it", (unsigned)ports[1]);
    MUST(strstr(error, text) != NULL);
    listener.address_count = 2;
    MUST(inherited_check(&in, &conf, error, sizeof error));
    inherited_free(&in);
}

static void one_that_nobody_wants_is_an_error(void **state)
{
    (void)state;
    with_two_sockets(NULL, refuse_unwanted);
}

static void drop_unwanted(const uint16_t ports[2])
{
    struct inherited in = found();
    struct tf_addr wanted = loopback(ports[0]);
    struct tf_conf conf = {.admin_on = true, .admin = wanted};
    MUST(in.count == 1 && in.predecessor == INHERIT_FIRST + 1);
    MUST(inherited_check(&in, &conf, error, sizeof error));
    MUST(fcntl(INHERIT_FIRST, F_GETFD) >= 0);
    MUST(in.list[0].is_kept && strcmp(in.list[0].name, "x") == 0);
    conf.admin_on = false;
    MUST(inherited_check(&in, &conf, error, sizeof error));
    MUST(fcntl(INHERIT_FIRST, F_GETFD) < 0);
    inherited_free(&in);
    MUST(fcntl(INHERIT_FIRST + 1, F_GETFD) >= 0);
}

static void of_a_predecessor_it_is_just_closed(void **state)
{
    (void)state;
    with_two_sockets("x" INHERIT_KEPT ":" INHERIT_PREDECESSOR, drop_unwanted);
}

static void ignore_what_is_for_another(const uint16_t ports[2])
{
    static const char *const pids[] = {"1", "", "x", "99999999999999999999"};
    (void)ports;
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        setenv("LISTEN_PID", pids[i], 1);
        setenv("LISTEN_FDS", "2", 1);
        struct inherited in = found();
        MUST(in.count == 0);
        inherited_free(&in);
        MUST(fcntl(INHERIT_FIRST, F_GETFD) >= 0);
    }
}

static void what_is_meant_for_another_process_is_left_alone(void **state)
{
    (void)state;
    with_two_sockets(NULL, ignore_what_is_for_another);
}

static void name_more_than_there_are(const uint16_t ports[2])
{
    struct inherited in;
    (void)ports;
    close(INHERIT_FIRST + 2);
    setenv("LISTEN_FDS", "3", 1);
    MUST(!inherited_find(&in, error, sizeof error));
    MUST(strstr(error, "descriptor 5, which is not open") != NULL);
    inherited_free(&in);
}

static void a_descriptor_that_is_not_open_is_an_error(void **state)
{
    (void)state;
    with_two_sockets(NULL, name_more_than_there_are);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_are_taken_by_address),
        cmocka_unit_test(a_listener_with_any_port_is_known_by_its_name),
        cmocka_unit_test(one_that_nobody_wants_is_an_error),
        cmocka_unit_test(of_a_predecessor_it_is_just_closed),
        cmocka_unit_test(what_is_meant_for_another_process_is_left_alone),
        cmocka_unit_test(a_descriptor_that_is_not_open_is_an_error),
    };
    return cmocka_run_group_tests_name("inherit", tests, NULL, NULL);
}
