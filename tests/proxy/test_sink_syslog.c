/* sink_syslog.c: a message a line over every transport, and lines wait for a receiver that is away. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/clock.h"
#include "journal_stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MESSAGE_MAX = 1 << 17 };

static char message[MESSAGE_MAX];

/* --- receivers --- */

static int bind_local(int type, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_true(type == SOCK_DGRAM || listen(fd, 4) == 0);
    return fd;
}

/* On a free port, or on *port where that is not 0. */
static int bind_inet(int type, uint16_t *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_true(type == SOCK_DGRAM || listen(fd, 4) == 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

static void wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, LONG_MS), 1);
}

static int accept_one(int listener)
{
    wait_readable(listener);
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

/* n bytes of a stream, or a datagram; NUL-terminated. */
static void receive(int fd, size_t n)
{
    size_t got = 0;
    int type;
    socklen_t size = sizeof type;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    do {
        wait_readable(fd);
        ssize_t k = recv(fd, message + got, n - got, 0);
        assert_true(k > 0);
        got += (size_t)k;
    } while (type == SOCK_STREAM && got < n);
    message[got] = '\0';
}

/* One message with its length in front (RFC 6587 3.4.1). */
static void receive_counted(int fd)
{
    size_t n = 0;
    for (receive(fd, 1); message[0] != ' '; receive(fd, 1)) {
        assert_true(message[0] >= '0' && message[0] <= '9');
        n = n * 10 + (size_t)(message[0] - '0');
    }
    receive(fd, n);
    assert_int_equal(strlen(message), n);
}

/* Header and text of what was received last. */
static void assert_message(const char *priority, const char *text)
{
    char middle[64];
    snprintf(middle, sizeof middle, " tlsfloor %ld block - ", (long)getpid());
    const char *at = strstr(message, middle);
    assert_int_equal(strncmp(message, priority, strlen(priority)), 0);
    assert_non_null(at);
    assert_string_equal(at + strlen(middle), text);
}

/* transport: "", or "tcp:" */
static struct journal *open_inet(const char *transport, uint16_t port, size_t room)
{
    char target[64];
    snprintf(target, sizeof target, "syslog:%s127.0.0.1:%u", transport, port);
    return open_journal(target, room);
}

/* --- this machine's socket --- */

static void a_datagram_socket_gets_a_message_a_line_with_its_severity(void **state)
{
    char target[128];
    int receiver = bind_local(SOCK_DGRAM, "log");
    snprintf(target, sizeof target, "syslog:%s/log", (const char *)*state);
    struct journal *j = open_journal(target, QUEUE);
    journal_write(j, "refused\n", 8, JOURNAL_REFUSED, 1);
    journal_write(j, "would be\n", 9, JOURNAL_WOULD_BLOCK, 1);
    journal_write(j, "other\n", 6, JOURNAL_OTHER, 1);
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<28>1 ", "refused");
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<29>1 ", "would be");
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<30>1 ", "other");
    assert_int_equal(close_journal(j), 0);
    close(receiver);
}

static void a_stream_socket_is_found_out_and_gets_a_nul_behind_each(void **state)
{
    char target[128];
    int listener = bind_local(SOCK_STREAM, "log");
    snprintf(target, sizeof target, "syslog:%s/log", (const char *)*state);
    struct journal *j = open_journal(target, QUEUE);
    put(j, "one\n");
    int fd = accept_one(listener);
    size_t n = 0;
    do {
        receive(fd, 1);
        n++;
    } while (message[0] != '\0');
    assert_true(n > strlen("<28>1 2026-11-21T23:06:59.123Z - tlsfloor 1 block - one"));
    assert_int_equal(close_journal(j), 0);
    close(fd);
    close(listener);
}

static void a_socket_that_is_not_there_is_an_error_that_says_what_to_write(void **state)
{
    (void)state;
    char error[256];
    struct journal_options options = {.sink = "syslog:/nonexistent/log", .name = "block", .bytes = QUEUE};
    assert_null(journal_open(&options, error, sizeof error));
    assert_string_equal(error,
                        "log syslog:/nonexistent/log: /nonexistent/log: No such file or directory; start the "
                        "syslog daemon, or write syslog:/PATH with its socket, syslog:HOST:PORT or "
                        "syslog:tcp:HOST:PORT");
    options.sink = "syslog:no-such-host.invalid:514";
    assert_null(journal_open(&options, error, sizeof error));
    assert_non_null(strstr(error, "; write a name that resolves, or an address"));
}

static void lines_wait_while_the_daemon_is_started_anew(void **state)
{
    char target[128];
    int receiver = bind_local(SOCK_DGRAM, "log");
    snprintf(target, sizeof target, "syslog:%s/log", (const char *)*state);
    struct journal *j = open_journal(target, QUEUE);
    catch_stderr();
    put(j, "before\n");
    receive(receiver, MESSAGE_MAX - 1);
    close(receiver);
    unlink("log");
    put(j, "meanwhile\n");
    AWAIT(stderr_has("lines wait"));
    receiver = bind_local(SOCK_DGRAM, "log");
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<28>1 ", "meanwhile");
    assert_int_equal(close_journal(j), 0);
    assert_int_equal(release_stderr("lines are written again"), 1);
    close(receiver);
}

/* --- UDP --- */

static void udp_has_a_datagram_a_line(void **state)
{
    (void)state;
    uint16_t port = 0;
    int receiver = bind_inet(SOCK_DGRAM, &port);
    struct journal *j = open_inet("", port, QUEUE);
    put(j, "one\n");
    put(j, "two\n");
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<28>1 ", "one");
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<28>1 ", "two");
    assert_int_equal(close_journal(j), 0);
    close(receiver);
}

static void a_line_too_large_for_a_datagram_is_counted_and_holds_nothing_up(void **state)
{
    (void)state;
    static char large[1 << 16];
    uint16_t port = 0;
    int receiver = bind_inet(SOCK_DGRAM, &port);
    struct journal *j = open_inet("", port, 1 << 20);
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\n';
    assert_true(journal_write(j, large, sizeof large, JOURNAL_REFUSED, 3));
    put(j, "next\n");
    receive(receiver, MESSAGE_MAX - 1);
    assert_message("<28>1 ", "next");
    assert_int_equal(close_journal(j), 3);
    close(receiver);
}

/* --- TCP --- */

static void tcp_has_each_length_in_front(void **state)
{
    (void)state;
    uint16_t port = 0;
    int listener = bind_inet(SOCK_STREAM, &port);
    struct journal *j = open_inet("tcp:", port, QUEUE);
    put(j, "one\n");
    int fd = accept_one(listener);
    receive_counted(fd);
    assert_message("<28>1 ", "one");
    put(j, "and two\n");
    receive_counted(fd);
    assert_message("<28>1 ", "and two");
    assert_int_equal(close_journal(j), 0);
    close(fd);
    close(listener);
}

/* More than the socket's buffers hold, so that messages are sent in parts. */
static void a_slow_tcp_receiver_gets_every_line_whole_and_in_order(void **state)
{
    (void)state;
    enum { LINES = 2000, SIZE = 4000 };
    static char text[SIZE + 1];
    uint16_t port = 0;
    int listener = bind_inet(SOCK_STREAM, &port);
    struct journal *j = open_inet("tcp:", port, LINES * (SIZE + 64));
    memset(text, 'x', SIZE);
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(text, 8, "%06u", i);
        text[6] = 'x';
        text[SIZE - 1] = '\n';
        assert_true(journal_write(j, text, SIZE, JOURNAL_REFUSED, 1));
    }
    int fd = accept_one(listener);
    text[SIZE - 1] = '\0';
    for (unsigned i = 0; i < LINES; i++) {
        receive_counted(fd);
        snprintf(text, 8, "%06u", i);
        text[6] = 'x';
        assert_message("<28>1 ", text);
    }
    assert_int_equal(close_journal(j), 0);
    close(fd);
    close(listener);
}

static void a_broken_tcp_connection_is_made_anew_and_lines_wait_for_it(void **state)
{
    (void)state;
    uint16_t port = 0;
    int listener = bind_inet(SOCK_STREAM, &port);
    struct journal *j = open_inet("tcp:", port, QUEUE);
    catch_stderr();
    put(j, "one\n");
    int fd = accept_one(listener);
    receive_counted(fd);
    close(listener);
    close(fd);
    put(j, "two\n");
    AWAIT(stderr_has("lines wait"));
    put(j, "three\n");
    listener = bind_inet(SOCK_STREAM, &port);
    fd = accept_one(listener);
    receive_counted(fd);
    assert_message("<28>1 ", "two");
    receive_counted(fd);
    assert_message("<28>1 ", "three");
    assert_int_equal(close_journal(j), 0);
    assert_int_equal(release_stderr("lines are written again"), 1);
    close(fd);
    close(listener);
}

static void nobody_there_blocks_no_producer_and_the_end_no_longer_than_told(void **state)
{
    (void)state;
    enum { LINES = 5000 };
    struct journal_counts counts;
    uint16_t port = 0;
    int listener = bind_inet(SOCK_STREAM, &port);
    close(listener);
    struct journal *j = open_inet("tcp:", port, QUEUE);
    catch_stderr();
    for (unsigned i = 0; i < LINES; i++)
        put(j, "a line that nobody takes\n");
    int64_t start_ms = clock_steady_ms();
    journal_close(j, 100, &counts);
    assert_true(clock_steady_ms() - start_ms < LONG_MS / 2);
    release_stderr("tlsfloor");
    assert_int_equal(counts.written, 0);
    assert_int_equal(counts.dropped[JOURNAL_REFUSED], LINES);
}

/* Connected, and full. */
static void a_tcp_receiver_that_takes_nothing_does_not_hold_up_the_end(void **state)
{
    (void)state;
    static char text[10000];
    struct journal_counts counts;
    uint16_t port = 0;
    int listener = bind_inet(SOCK_STREAM, &port);
    struct journal *j = open_inet("tcp:", port, 32 << 20);
    unsigned lines = 0;
    catch_stderr();
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    int fd = -1;
    for (; lines < 1500; lines++)
        assert_true(journal_write(j, text, sizeof text, JOURNAL_OTHER, 1));
    fd = accept_one(listener);
    int64_t start_ms = clock_steady_ms();
    journal_close(j, 100, &counts);
    assert_true(clock_steady_ms() - start_ms < LONG_MS / 2);
    release_stderr("tlsfloor");
    assert_true(counts.written > 0 && counts.dropped[JOURNAL_OTHER] > 0);
    assert_int_equal(counts.written + counts.dropped[JOURNAL_OTHER], lines);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(a_datagram_socket_gets_a_message_a_line_with_its_severity),
        in_directory(a_stream_socket_is_found_out_and_gets_a_nul_behind_each),
        in_directory(a_socket_that_is_not_there_is_an_error_that_says_what_to_write),
        in_directory(lines_wait_while_the_daemon_is_started_anew),
        in_directory(udp_has_a_datagram_a_line),
        in_directory(a_line_too_large_for_a_datagram_is_counted_and_holds_nothing_up),
        in_directory(tcp_has_each_length_in_front),
        in_directory(a_slow_tcp_receiver_gets_every_line_whole_and_in_order),
        in_directory(a_broken_tcp_connection_is_made_anew_and_lines_wait_for_it),
        in_directory(nobody_there_blocks_no_producer_and_the_end_no_longer_than_told),
        in_directory(a_tcp_receiver_that_takes_nothing_does_not_hold_up_the_end),
    };
    return cmocka_run_group_tests_name("sink_syslog", tests, NULL, NULL);
}
