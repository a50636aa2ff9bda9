/* healthcheck.c against peers that are slow or talk too much; how it fares with gateways is told in
 * tests/e2e/95-healthcheck.py. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/healthcheck.h"
#include "../../proxy/sockaddr.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { ENOUGH_MS = 20000, SHORT_MS = 200 };

/* A peer that takes one connection, and says `piece` every 10 ms until the client has gone. */
static struct {
    int listening;
    pthread_t thread;
    const char *piece;
    struct tf_addr address;
    char error[256];
} t;

static void *serve(void *arg)
{
    int fd = accept(t.listening, NULL, NULL);
    struct pollfd gone = {.fd = fd, .events = POLLRDHUP};
    (void)arg;
    while (poll(&gone, 1, 10) == 0)
        if (send(fd, t.piece, strlen(t.piece), MSG_NOSIGNAL) < 0)
            break;
    close(fd);
    return NULL;
}

static int begin(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sa;
    (void)state;
    t.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(t.listening, (struct sockaddr *)&sa, size) != 0 || listen(t.listening, 4) != 0 ||
        getsockname(t.listening, (struct sockaddr *)&sa, &size) != 0 ||
        !sockaddr_to_addr((struct sockaddr *)&sa, &t.address))
        return -1;
    t.address.port = ntohs(sa.sin_port);
    return 0;
}

static int end(void **state)
{
    (void)state;
    pthread_join(t.thread, NULL);
    return close(t.listening);
}

static bool ask(const char *piece, uint32_t timeout_ms)
{
    t.piece = piece;
    pthread_create(&t.thread, NULL, serve, NULL);
    return healthcheck_ask(&t.address, timeout_ms, t.error, sizeof t.error);
}

static void a_peer_that_says_nothing_is_waited_for_until_the_time_is_over(void **state)
{
    (void)state;
    assert_false(ask("", SHORT_MS));
    assert_non_null(strstr(t.error, "does not answer (Connection timed out)"));
}

static void a_peer_that_never_finishes_is_waited_for_until_the_time_is_over(void **state)
{
    (void)state;
    assert_false(ask("H", SHORT_MS));
    assert_non_null(strstr(t.error, "does not answer (Connection timed out)"));
}

static void a_peer_that_talks_without_end_is_no_gateway(void **state)
{
    char much[512];
    (void)state;
    memset(much, '\n', sizeof much);
    much[sizeof much - 1] = '\0';
    assert_false(ask(much, ENOUGH_MS));
    assert_non_null(strstr(t.error, "is no tlsfloor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_peer_that_says_nothing_is_waited_for_until_the_time_is_over, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_peer_that_never_finishes_is_waited_for_until_the_time_is_over,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_peer_that_talks_without_end_is_no_gateway, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
