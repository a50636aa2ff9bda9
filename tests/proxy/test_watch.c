/* watch.c on socketpairs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/watch.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than a batch, and more than a slab. */
enum { MANY = 300 };

static uv_loop_t loop;
static struct watcher *watcher;

/* One side of a socketpair, and what was told about it. */
struct side {
    int fd, peer;
    struct watch *watch;
    unsigned ready; /* of all calls */
    unsigned calls;
};

static void note(void *arg, unsigned ready)
{
    struct side *s = arg;
    s->ready |= ready;
    s->calls++;
}

static void open_side(struct side *s, watch_cb *cb)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *s = (struct side){.fd = pair[0], .peer = pair[1]};
    s->watch = watch_add(watcher, s->fd, cb, s);
    assert_non_null(s->watch);
}

static void close_side(struct side *s)
{
    if (s->watch != NULL)
        watch_forget(watcher, s->watch);
    close(s->fd);
    close(s->peer);
}

/* Whatever is ready now, libuv's second look included. */
static void run_what_is_ready(void)
{
    for (int i = 0; i < 4; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void say(const struct side *s)
{
    assert_int_equal(write(s->peer, "x", 1), 1);
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    watcher = watcher_new(&loop);
    return watcher == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    if (watcher != NULL)
        watcher_free(watcher);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop); /* fails when a handle is left */
}

static void what_is_ready_already_is_told(void **state)
{
    (void)state;
    struct side s;
    open_side(&s, note);
    run_what_is_ready();
    assert_int_equal(s.ready, WATCH_WRITE);
    close_side(&s);
}

static void an_edge_is_told_once(void **state)
{
    (void)state;
    struct side s;
    open_side(&s, note);
    run_what_is_ready();
    say(&s);
    s = (struct side){.fd = s.fd, .peer = s.peer, .watch = s.watch};
    run_what_is_ready(); /* nothing reads, so it stays readable */
    assert_true(s.ready & WATCH_READ);
    assert_int_equal(s.calls, 1);
    say(&s);
    run_what_is_ready();
    assert_int_equal(s.calls, 2);
    close_side(&s);
}

static void end_of_stream_is_a_hangup_and_readable(void **state)
{
    (void)state;
    struct side s;
    open_side(&s, note);
    run_what_is_ready();
    s.ready = 0;
    shutdown(s.peer, SHUT_WR);
    run_what_is_ready();
    assert_int_equal(s.ready, WATCH_READ | WATCH_WRITE | WATCH_HANGUP);
    close_side(&s);
}

static void refused_connection_is_an_error_and_readable(void **state)
{
    (void)state;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, but not listening: refuses */
    assert_int_equal(bind(holder, (struct sockaddr *)&here, size), 0);
    assert_int_equal(getsockname(holder, (struct sockaddr *)&here, &size), 0);
    struct side s = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .peer = holder};
    (void)connect(s.fd, (struct sockaddr *)&here, size);
    s.watch = watch_add(watcher, s.fd, note, &s);
    run_what_is_ready();
    assert_true(s.ready & WATCH_ERROR);
    assert_true(s.ready & WATCH_READ);
    close_side(&s);
}

/* A pipe's end, unlike a socket's, is reported without EPOLLIN. */
static void error_or_hangup_alone_is_readable(void **state)
{
    (void)state;
    struct side reader = {0}, writer = {0};
    int first[2], second[2];
    assert_int_equal(pipe2(first, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipe2(second, O_NONBLOCK | O_CLOEXEC), 0);
    close(first[1]);
    close(second[0]);
    reader.watch = watch_add(watcher, first[0], note, &reader);
    writer.watch = watch_add(watcher, second[1], note, &writer);
    run_what_is_ready();
    assert_int_equal(reader.ready, WATCH_HANGUP | WATCH_READ);
    assert_int_equal(writer.ready, WATCH_WRITE | WATCH_ERROR | WATCH_READ);
    watch_forget(watcher, reader.watch);
    watch_forget(watcher, writer.watch);
    close(first[0]);
    close(second[1]);
}

static void handed_over_socket_calls_its_new_owner(void **state)
{
    (void)state;
    struct side s, heir = {0};
    open_side(&s, note);
    run_what_is_ready();
    unsigned calls = s.calls;
    watch_hand_over(s.watch, note, &heir);
    run_what_is_ready();
    assert_int_equal(heir.calls, 0);
    say(&s);
    run_what_is_ready();
    assert_true(heir.ready & WATCH_READ);
    assert_int_equal(s.calls, calls);
    close_side(&s);
}

static void more_sockets_than_a_batch_are_all_told(void **state)
{
    (void)state;
    static struct side sides[MANY];
    for (size_t i = 0; i < MANY; i++)
        open_side(&sides[i], note);
    run_what_is_ready();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(sides[i].calls, 1);
        close_side(&sides[i]);
    }
}

/* The first of a pair that is called ends the other, and puts a new socket in its place. */
static struct side twins[2], newcomer;
static unsigned twin_calls;

static void end_the_other(void *arg, unsigned ready)
{
    struct side *other = arg == &twins[0] ? &twins[1] : &twins[0];
    (void)ready;
    twin_calls++;
    close_side(other);
    other->watch = NULL;
    open_side(&newcomer, note);
    say(&newcomer);
}

static void socket_forgotten_by_an_earlier_callback_of_its_batch_is_not_called(void **state)
{
    (void)state;
    twin_calls = 0;
    open_side(&twins[0], end_the_other);
    open_side(&twins[1], end_the_other);
    struct watch *memory[2] = {twins[0].watch, twins[1].watch};
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(twin_calls, 1);
    /* The dead one's event was still in the batch when its memory could have been given out again. */
    assert_ptr_not_equal(newcomer.watch, memory[0]);
    assert_ptr_not_equal(newcomer.watch, memory[1]);
    assert_int_equal(newcomer.calls, 0);
    run_what_is_ready();
    assert_int_equal(newcomer.ready, WATCH_READ | WATCH_WRITE);
    close_side(&newcomer);
    close_side(twins[0].watch != NULL ? &twins[0] : &twins[1]);
}

static void forget_myself(void *arg, unsigned ready)
{
    struct side *s = arg;
    note(s, ready);
    watch_forget(watcher, s->watch);
    s->watch = NULL;
}

static void registration_is_used_again(void **state)
{
    (void)state;
    struct side s, next;
    open_side(&s, forget_myself);
    struct watch *first = s.watch;
    run_what_is_ready();
    assert_int_equal(s.calls, 1);
    open_side(&next, note);
    assert_ptr_equal(next.watch, first);
    close_side(&next);
    open_side(&next, note); /* and at once, outside a batch */
    assert_ptr_equal(next.watch, first);
    close_side(&next);
    close_side(&s);
}

static unsigned calls_before_the_end;

static void free_watcher(void *arg, unsigned ready)
{
    (void)arg, (void)ready;
    calls_before_the_end++;
    watcher_free(watcher);
    watcher = NULL;
}

static void freed_watcher_calls_nobody_any_more(void **state)
{
    (void)state;
    struct side s[2];
    calls_before_the_end = 0;
    open_side(&s[0], free_watcher);
    open_side(&s[1], free_watcher);
    run_what_is_ready();
    assert_int_equal(calls_before_the_end, 1);
    for (size_t i = 0; i < 2; i++) {
        s[i].watch = NULL;
        close_side(&s[i]);
    }
}

static void descriptor_that_cannot_be_watched_is_an_error(void **state)
{
    (void)state;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(file, -1);
    assert_null(watch_add(watcher, file, note, NULL));
    assert_int_equal(errno, EPERM);
    close(file);
    assert_null(watch_add(watcher, file, note, NULL));
    assert_int_equal(errno, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_is_ready_already_is_told),
        TEST(an_edge_is_told_once),
        TEST(end_of_stream_is_a_hangup_and_readable),
        TEST(refused_connection_is_an_error_and_readable),
        TEST(error_or_hangup_alone_is_readable),
        TEST(handed_over_socket_calls_its_new_owner),
        TEST(more_sockets_than_a_batch_are_all_told),
        TEST(socket_forgotten_by_an_earlier_callback_of_its_batch_is_not_called),
        TEST(registration_is_used_again),
        TEST(freed_watcher_calls_nobody_any_more),
        TEST(descriptor_that_cannot_be_watched_is_an_error),
#undef TEST
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
