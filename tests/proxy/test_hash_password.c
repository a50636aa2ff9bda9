/* hash_password.c: what it prints lets the user in, whether the password was typed or piped. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
#include <signal.h>

#include <cmocka.h>

#include "../../proxy/hash_password.h"
#include "command_stage.h"
#include "users_fixture.h"
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>

static struct output o;

/* Runs it with these bytes on standard input. */
static int run_with(const char *input, size_t n, const char *user)
{
    const char *path = stage_file(input, n);
    int old = dup(0);
    assert_non_null(freopen(path, "r", stdin));
    const char *const arguments[] = {"hash-password", user ? "--user" : NULL, user, NULL};
    int code = stage_run(hash_password_main, &o, arguments);
    dup2(old, 0);
    close(old);
    unlink(path);
    return code;
}

static int run(const char *input, const char *user)
{
    return run_with(input, strlen(input), user);
}

static bool lets_in(const char *line, const char *user, const char *password)
{
    struct users *u = users_of(line);
    if (!u)
        fail_msg("%s: %s", line, users_error);
    bool ok = users_check(u, user, password);
    users_unref(u);
    return ok;
}

static void a_line_for_the_file_is_printed(void **state)
{
    (void)state;
    assert_int_equal(run("se cret\n", "anna@contoso.example"), 0);
    assert_string_equal(o.err, "");
    assert_int_equal(strchr(o.out, '\n') - o.out, (long)strlen(o.out) - 1);
    assert_true(lets_in(o.out, "anna@contoso.example", "se cret"));
    assert_false(lets_in(o.out, "anna@contoso.example", "secret"));
}

static void without_a_name_it_is_the_hash_alone(void **state)
{
    char line[sizeof o.out + 8];
    (void)state;
    assert_int_equal(run("secret", NULL), 0);
    assert_memory_equal(o.out, "$y$", 3);
    snprintf(line, sizeof line, "ben:%s", o.out);
    assert_true(lets_in(line, "ben", "secret"));
}

static void the_first_line_is_the_password_whatever_ends_it(void **state)
{
    (void)state;
    assert_int_equal(run("secret\r\nmore\n", "anna"), 0);
    assert_true(lets_in(o.out, "anna", "secret"));
}

static void the_same_password_has_another_hash_each_time(void **state)
{
    char first[sizeof o.out];
    (void)state;
    assert_int_equal(run("secret\n", NULL), 0);
    strcpy(first, o.out);
    assert_int_equal(run("secret\n", NULL), 0);
    assert_string_not_equal(first, o.out);
}

static void what_no_client_can_send_is_refused(void **state)
{
    char longest[300];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_int_equal(run_with(longest, 255, NULL), 0);
    assert_int_equal(run_with(longest, 256, NULL), 1);
    assert_has(o.err, "longer than 255 bytes");
    assert_int_equal(run_with("a\0b\n", 4, NULL), 1);
    assert_has(o.err, "zero byte");
    assert_int_equal(run("\nsecret\n", NULL), 1);
    assert_has(o.err, "there is no password");
    assert_int_equal(run("", NULL), 1);
    assert_string_equal(o.out, "");
}

static void a_name_that_no_file_could_hold_is_refused(void **state)
{
    static const char *const bad[] = {"", "a:b", "#a", " a", "a ", "a\nb"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(run("secret\n", bad[i]), 2);
        assert_string_equal(o.out, "");
    }
    assert_int_equal(run("secret\n", ""), 2);
    assert_string_equal(o.err, "tlsfloor hash-password: the name is empty\n");
}

static void other_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(stage_run(hash_password_main, &o, (const char *[]){"hash-password", "secret", NULL}), 2);
    assert_has(o.err, "usage: tlsfloor hash-password");
    assert_int_equal(stage_run(hash_password_main, &o, (const char *[]){"hash-password", "--help", NULL}), 0);
    assert_has(o.out, "usage: tlsfloor hash-password");
}

/* A terminal, with the command at its other end. */

static char seen[4096]; /* all that the terminal has shown */

/* Reads on until the text is there, behind the place `from` in what was seen. */
static void read_until(int terminal, const char *from, const char *text)
{
    size_t n = strlen(seen);
    while (!strstr(from, text)) {
        ssize_t got = read(terminal, seen + n, sizeof seen - 1 - n);
        if (got <= 0)
            fail_msg("%s is not in:\n%s", text, seen);
        n += (size_t)got;
        seen[n] = '\0';
    }
}

static pid_t begin_on_terminal(int *terminal)
{
    memset(seen, 0, sizeof seen);
    pid_t child = forkpty(terminal, NULL, NULL, NULL);
    if (child == 0) {
        char *argv[] = {(char *)"hash-password", (char *)"--user", (char *)"anna", NULL};
        optind = 0;
        signal(SIGINT, SIG_DFL); /* a test in the background of a shell has inherited another */
        int code = hash_password_main(3, argv);
        fflush(NULL);
        _exit(code);
    }
    assert_true(child > 0);
    read_until(*terminal, seen, "Password: ");
    return child;
}

static void types(int terminal, const char *text)
{
    assert_int_equal(write(terminal, text, strlen(text)), (ssize_t)strlen(text));
}

static int status_of(pid_t child, int terminal)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(terminal);
    return status;
}

static void what_is_typed_twice_is_taken_and_never_shown(void **state)
{
    int terminal;
    (void)state;
    pid_t child = begin_on_terminal(&terminal);
    types(terminal, "secret\n");
    read_until(terminal, seen, "again: ");
    types(terminal, "secret\n");
    read_until(terminal, seen, "again: \r\nanna:$y$");
    read_until(terminal, strstr(seen, "anna:"), "\r\n");
    assert_null(strstr(seen, "secret"));
    assert_true(lets_in(strstr(seen, "anna:"), "anna", "secret"));
    assert_int_equal(status_of(child, terminal), 0);
}

static void two_that_differ_are_refused(void **state)
{
    int terminal;
    (void)state;
    pid_t child = begin_on_terminal(&terminal);
    types(terminal, "secret\n");
    read_until(terminal, seen, "again: ");
    types(terminal, "Secret\n");
    read_until(terminal, seen, "the two are not the same");
    int status = status_of(child, terminal);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void a_signal_ends_it_and_the_echo_is_back(void **state)
{
    int terminal;
    struct termios now;
    (void)state;
    pid_t child = begin_on_terminal(&terminal);
    assert_int_equal(tcgetattr(terminal, &now), 0);
    assert_false(now.c_lflag & ECHO);
    types(terminal, "sec\3"); /* Ctrl-C */
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    assert_int_equal(tcgetattr(terminal, &now), 0);
    assert_true(now.c_lflag & ECHO);
    close(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_the_file_is_printed),
        cmocka_unit_test(without_a_name_it_is_the_hash_alone),
        cmocka_unit_test(the_first_line_is_the_password_whatever_ends_it),
        cmocka_unit_test(the_same_password_has_another_hash_each_time),
        cmocka_unit_test(what_no_client_can_send_is_refused),
        cmocka_unit_test(a_name_that_no_file_could_hold_is_refused),
        cmocka_unit_test(other_arguments_are_refused),
        cmocka_unit_test(what_is_typed_twice_is_taken_and_never_shown),
        cmocka_unit_test(two_that_differ_are_refused),
        cmocka_unit_test(a_signal_ends_it_and_the_echo_is_back),
    };
    return cmocka_run_group_tests_name("hash-password", tests, NULL, NULL);
}
