/* fetch_connect.c: commands go through the parent proxy, and what the server says is left to them. What it
 * does without a parent is tested in test_fetch.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/fetch.h"
#include "../../proxy/sockaddr.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ENOUGH_MS = 20000, SHORT_MS = 100 };

/* A parent that takes one connection, reads a head, and answers in pieces. */
static struct {
    int listening;
    pthread_t thread;
    const char *pieces[3];
    bool stays; /* until the client has gone */
    char head[1024];
    struct tf_conf conf;
    struct tf_target target;
    char error[512];
} t;

static void *serve(void *arg)
{
    size_t n = 0;
    int fd = accept(t.listening, NULL, NULL);
    (void)arg;
    while (n < sizeof t.head - 1 && strstr(t.head, "\r\n\r\n") == NULL && read(fd, t.head + n, 1) == 1)
        n++;
    for (size_t i = 0; i < 3 && t.pieces[i] != NULL; i++) {
        if (write(fd, t.pieces[i], strlen(t.pieces[i])) < 0)
            break;
        poll(NULL, 0, 5); /* so that they are not read in one go */
    }
    if (t.stays)
        poll(&(struct pollfd){.fd = fd, .events = POLLRDHUP}, 1, ENOUGH_MS);
    close(fd);
    return NULL;
}

static int begin(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sa;
    (void)state;
    memset(&t, 0, sizeof t);
    t.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(t.listening, (struct sockaddr *)&sa, size) != 0 || listen(t.listening, 4) != 0 ||
        getsockname(t.listening, (struct sockaddr *)&sa, &size) != 0)
        return -1;
    t.conf.parent.user = t.conf.parent.password_file = "";
    tf_host_parse("127.0.0.1", 9, &t.conf.parent.proxy);
    t.conf.parent.proxy.port = t.conf.parent.proxy.addr.port = ntohs(sa.sin_port);
    tf_host_parse("server.test", 11, &t.target);
    t.target.port = 443;
    return 0;
}

static int finish(void **state)
{
    (void)state;
    return close(t.listening);
}

static int connect_with(uint64_t ms, const char *one, const char *two, const char *three)
{
    t.pieces[0] = one;
    t.pieces[1] = two;
    t.pieces[2] = three;
    assert_int_equal(pthread_create(&t.thread, NULL, serve, NULL), 0);
    return fetch_connect(&t.conf, &t.target, fetch_now_ms() + ms, t.error, sizeof t.error);
}

static void join(void)
{
    assert_int_equal(pthread_join(t.thread, NULL), 0);
}

static void server_is_asked_for_by_name(void **state)
{
    (void)state;
    t.conf.parent.user = "gate";
    int fd = connect_with(ENOUGH_MS, "HTTP/1.1 200 OK\r\n\r\n", NULL, NULL);
    assert_true(fd >= 0);
    join();
    close(fd);
    assert_string_equal(t.head, "CONNECT server.test:443 HTTP/1.1\r\nHost: server.test:443\r\n"
                                "Proxy-Authorization: Basic Z2F0ZTo=\r\n\r\n");
}

static void what_is_behind_the_answer_is_left_to_be_read(void **state)
{
    char text[8] = "";
    (void)state;
    int fd = connect_with(ENOUGH_MS, "HTTP/1.1 200", " OK\r\nVia: x\r", "\n\r\n220 hi\r\n");
    assert_true(fd >= 0);
    join();
    assert_int_equal(recv(fd, text, sizeof text, MSG_WAITALL), 8);
    assert_memory_equal(text, "220 hi\r\n", 8);
    close(fd);
}

static void assert_fails(uint64_t ms, const char *one, const char *what)
{
    assert_int_equal(connect_with(ms, one, NULL, NULL), -1);
    join();
    assert_non_null(strstr(t.error, "server.test port 443"));
    assert_non_null(strstr(t.error, what));
}

static void refusal_is_told_in_the_parents_words(void **state)
{
    (void)state;
    assert_fails(ENOUGH_MS, "HTTP/1.1 403 Not \033[31mfor you\r\n\r\n", "valid HTTP");
    assert_fails(ENOUGH_MS, "HTTP/1.1 403 Not \344r you\r\n\r\n", "HTTP/1.1 403 Not \\xe4r you");
    assert_fails(ENOUGH_MS, "HTTP/1.1 407 Who are you\r\n\r\n", "wants a login");
}

static void parent_that_is_none_is_told(void **state)
{
    (void)state;
    assert_fails(ENOUGH_MS, "220 mail\r\n", "valid HTTP");
    assert_fails(ENOUGH_MS, "", "without an answer");
    assert_fails(ENOUGH_MS, "HTTP/1.1 200 OK\r\n", "within its answer");
}

static void parent_that_is_silent_is_given_up(void **state)
{
    (void)state;
    t.stays = true;
    assert_fails(SHORT_MS, "HTTP/1.1 200 OK\r\n", "in time");
}

static void answer_without_an_end_is_given_up(void **state)
{
    static char endless[16384];
    (void)state;
    memset(endless, 'x', sizeof endless - 1);
    memcpy(endless, "HTTP/1.1 200 ", 13);
    assert_fails(ENOUGH_MS, endless, "longer than 8192 bytes");
}

static void who_is_bypassed_is_connected_directly(void **state)
{
    static const struct tf_destination all = {.kind = TF_TO_NAME, .pattern = "*.test"};
    struct tf_override here = {.host = "server.test", .port = 443, .to = t.conf.parent.proxy.addr};
    (void)state;
    t.conf.parent.bypass = &all;
    t.conf.parent.bypass_count = 1;
    t.conf.overrides = &here;
    int fd = connect_with(ENOUGH_MS, "hi", NULL, NULL);
    assert_true(fd >= 0);
    close(fd);
    join();
    assert_string_equal(t.head, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
        TEST(server_is_asked_for_by_name),           TEST(what_is_behind_the_answer_is_left_to_be_read),
        TEST(refusal_is_told_in_the_parents_words),  TEST(parent_that_is_none_is_told),
        TEST(parent_that_is_silent_is_given_up),     TEST(answer_without_an_end_is_given_up),
        TEST(who_is_bypassed_is_connected_directly),
#undef TEST
    };
    return cmocka_run_group_tests_name("fetch_connect", tests, NULL, NULL);
}
