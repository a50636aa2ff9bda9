/* check_doors.c: files of listeners, at the key that names them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/conf_load.h"
#include "cert_maker.h"
#include "command_stage.h"
#include "users_fixture.h"

static struct output o;
static char *file;

/* Lines with the names of files in them. */
static int check(const char *lines, ...) __attribute__((format(printf, 1, 2)));
static int check(const char *lines, ...)
{
    char text[1024];
    va_list names;
    va_start(names, lines);
    vsnprintf(text, sizeof text, lines, names);
    va_end(names);
    file = stage_file(text, strlen(text));
    int code = stage_run(check_main, &o, (const char *[]){"check", "-c", file, NULL});
    unlink(file);
    return code;
}

/* `FILE:LINE: SEVERITY[listener x] SENTENCE` */
static void assert_said(unsigned line, const char *sentence)
{
    char expected[1024];
    snprintf(expected, sizeof expected, "%s:%u: %s", file, line, sentence);
    assert_has(o.err, expected);
}

#define USERS "[listener x]\nlisten = 127.0.0.1:1\nusers = %s\n"
#define BRIDGE                                                                                               \
    "[listener x]\nlisten = 127.0.0.1:1\nkind = forward\nprotocol = smtp\nupstream = smtp.office365.com\n"   \
    "bridge = xoauth2\noauth = %s\nusers = %s\n"

static void a_file_that_cannot_be_read_is_an_error_at_its_key(void **state)
{
    (void)state;
    assert_int_equal(check(USERS, "/nonexistent/users"), 1);
    assert_said(3, "[listener x] users: /nonexistent/users: is not there; make it, with mode 0600: "
                   "tlsfloor.ini(5) says what is in it\n");
    assert_int_equal(check(USERS, "tests"), 1);
    assert_said(3, "[listener x] users: tests: cannot be read: Is a directory\n");
    const char *empty = users_file("", 0, 0600);
    assert_int_equal(check(BRIDGE, "/nonexistent", empty), 1);
    assert_said(7, "[listener x] oauth: /nonexistent: is not there; make it");
    unlink(empty);
}

static void a_wrong_line_of_it_is_named_behind_the_key(void **state)
{
    (void)state;
    const char *users = users_file("# x\nanna\n", 9, 0600);
    char expected[128];
    assert_int_equal(check(USERS, users), 1);
    snprintf(expected, sizeof expected, "[listener x] users: %s:2: there is no hash; ", users);
    assert_said(3, expected);
    unlink(users);
}

static void a_certificate_without_its_key_says_what_to_write(void **state)
{
    (void)state;
    struct maker m = cert_make(&(struct cert_plan){.cn = "proxy"}, NULL);
    char *pem = stage_file("", 0);
    cert_write(pem, &m.certificate, 1, NULL, NULL);
    assert_int_equal(check("[listener x]\nlisten = 127.0.0.1:1\ntls = on\ncertificate = %s\n", pem), 1);
    assert_said(4, "[listener x] certificate: /tmp/");
    assert_has(o.err, ": there is no key in it that can be read; write key = and the file with it\n");
    unlink(pem);
    cert_free(&m);
}

static void a_file_without_users_is_warned_of(void **state)
{
    (void)state;
    const char *users = users_file("# nobody yet\n", 13, 0600);
    assert_int_equal(check(USERS, users), 0);
    assert_said(3, "warning: [listener x] users names a file without users, so that nobody can log in; ");
    unlink(users);
}

/* With the OAuth client's secrets in a file of their own. */
static void check_bridge(const char *name, const char *mailbox)
{
    static const char secrets[] = "flow = client_credentials\ntenant = contoso.example\nclient_id = app\n"
                                  "client_secret = s\n";
    char text[512];
    snprintf(text, sizeof text, "%s:%s%s\n", name, hash_of("secret"), mailbox);
    const char *oauth = users_file(secrets, sizeof secrets - 1, 0600);
    const char *users = users_file(text, strlen(text), 0600);
    assert_int_equal(check(BRIDGE, oauth, users), 0);
    unlink(oauth);
    unlink(users);
}

static void with_a_bridge_everybody_needs_a_mailbox(void **state)
{
    (void)state;
    check_bridge("scanner", "");
    assert_said(8,
                "warning: [listener x] users has scanner, whose mailbox has no @; write it behind the hash");
    check_bridge("scanner", ":scan@contoso.example");
    assert_null(strstr(o.err, "mailbox"));
    check_bridge("scan@contoso.example", "");
    assert_null(strstr(o.err, "mailbox"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error_at_its_key),
        cmocka_unit_test(a_wrong_line_of_it_is_named_behind_the_key),
        cmocka_unit_test(a_certificate_without_its_key_says_what_to_write),
        cmocka_unit_test(a_file_without_users_is_warned_of),
        cmocka_unit_test(with_a_bridge_everybody_needs_a_mailbox),
    };
    return cmocka_run_group_tests_name("check_doors", tests, NULL, NULL);
}
