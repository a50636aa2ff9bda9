/* oauth_file.c: what the file may say, and that no error repeats a secret. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/oauth_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET  "s3cr3t~value"
#define BOTH    "flow = client_credentials\ntenant = contoso.example\nclient_id = app\n"
#define GOOD    BOTH "client_secret = " SECRET "\n"
#define REFRESH "flow = refresh_token\ntenant = 11111111-2222-3333-4444-555555555555\nclient_id = app\n"

static char folder[64], path[96], other[96], error[1024];
static struct oauth_file file;

static void put(const char *where, const char *text, mode_t mode)
{
    FILE *f = fopen(where, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(where, mode), 0);
}

static bool load(const char *text)
{
    put(path, text, 0600);
    memset(error, 0, sizeof error);
    return oauth_file_load(&file, path, error, sizeof error);
}

static void assert_loads(const char *text)
{
    if (!load(text))
        fail_msg("%s", error);
}

/* `expected` stands behind the path. */
static void assert_refused(const char *text, const char *expected)
{
    if (load(text))
        fail_msg("it loads, without: %s", expected);
    assert_int_equal(strncmp(error, path, strlen(path)), 0);
    if (strncmp(error + strlen(path), expected, strlen(expected)) != 0)
        fail_msg("%s\nis not\n%s", error, expected);
    assert_null(strstr(error, "s3cr3t"));
}

static void client_credentials_need_little(void **state)
{
    (void)state;
    assert_loads("; a comment\n" GOOD);
    assert_int_equal(file.flow, OAUTH_CLIENT_CREDENTIALS);
    assert_string_equal(file.endpoint, "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
    assert_string_equal(file.client_id, "app");
    assert_string_equal(file.client_secret, SECRET);
    assert_string_equal(file.scope, "https://outlook.office365.com/.default");
    assert_int_equal(file.account_count, 1);
    assert_int_equal(oauth_file_find(&file, "anybody@contoso.example"), 0);
    oauth_file_free(&file);
}

static void refresh_tokens_are_of_one_or_of_many_mailboxes(void **state)
{
    (void)state;
    assert_loads(REFRESH "refresh_token = for-all\n[mailbox Scanner@contoso.example]\nrefresh_token = own\n");
    assert_string_equal(file.scope, "https://outlook.office.com/SMTP.Send "
                                    "https://outlook.office.com/IMAP.AccessAsUser.All "
                                    "https://outlook.office.com/POP.AccessAsUser.All offline_access");
    assert_null(file.client_secret);
    assert_int_equal(file.account_count, 2);
    assert_string_equal(file.accounts[0].refresh_token, "for-all");
    size_t own = oauth_file_find(&file, "scanner@CONTOSO.example");
    assert_int_equal(own, 1);
    assert_string_equal(file.accounts[own].refresh_token, "own");
    assert_int_equal(oauth_file_find(&file, "other@contoso.example"), 0);
    oauth_file_free(&file);
    assert_loads(REFRESH "[mailbox a]\nrefresh_token = own\n");
    assert_null(file.accounts[0].refresh_token);
    oauth_file_free(&file);
}

static void other_clouds_and_other_endpoints_are_written(void **state)
{
    (void)state;
    assert_loads(GOOD
                 "authority = login.microsoftonline.us\nscope = https://outlook.office365.us/.default\n");
    assert_string_equal(file.endpoint, "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token");
    assert_string_equal(file.scope, "https://outlook.office365.us/.default");
    oauth_file_free(&file);
    assert_loads(
        "flow = client_credentials\ntoken_endpoint = https://id.example:8443/token?x=1\nclient_id = app\n"
        "client_secret = " SECRET "\n");
    assert_string_equal(file.endpoint, "https://id.example:8443/token?x=1");
    oauth_file_free(&file);
    assert_refused(GOOD "authority = login.microsoftonline.us\n",
                   ":5: another cloud has other scopes; write scope");
    assert_refused(GOOD "authority = login.example\n", ":5: authority is login.microsoftonline.com, ");
}

static void secrets_may_have_files_of_their_own(void **state)
{
    (void)state;
    char text[512];
    put(other, "  " SECRET "\n\n", 0400);
    snprintf(text, sizeof text, BOTH "client_secret_file = %s\n", other);
    assert_loads(text);
    assert_string_equal(file.client_secret, SECRET);
    oauth_file_free(&file);
    snprintf(text, sizeof text, REFRESH "[mailbox a]\nrefresh_token_file = %s\n", other);
    assert_loads(text);
    assert_string_equal(file.accounts[1].refresh_token, SECRET);
    oauth_file_free(&file);

    put(other, SECRET, 0640);
    assert_refused(text, ":5: refresh_token_file: ");
    assert_non_null(strstr(error, "is open to other users (mode 0640): chmod 600 "));
    put(other, SECRET "\n" SECRET "\n", 0600);
    assert_refused(text, ":5: refresh_token_file: ");
    assert_non_null(strstr(error, "must hold one line"));
    put(other, " \n", 0600);
    assert_refused(text, ":5: refresh_token_file: ");
    unlink(other);
    assert_refused(text, ":5: refresh_token_file: ");
    assert_non_null(strstr(error, "is not there; make it, with mode 0600"));
}

static void a_file_that_others_may_open_is_refused(void **state)
{
    (void)state;
    static const mode_t open_modes[] = {0604, 0640, 0620, 0610, 0644, 0777};
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
        put(path, GOOD, open_modes[i]);
        assert_false(oauth_file_load(&file, path, error, sizeof error));
        assert_non_null(strstr(error, "holds secrets and is open to other users"));
    }
    put(path, GOOD, 0400);
    assert_true(oauth_file_load(&file, path, error, sizeof error));
    oauth_file_free(&file);
    assert_false(oauth_file_load(&file, "/nonexistent/file", error, sizeof error));
    assert_string_equal(
        error,
        "/nonexistent/file: is not there; make it, with mode 0600: tlsfloor.ini(5) says what is in it");
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    assert_refused("", ": there is no flow; write flow = client_credentials, or flow = refresh_token");
    assert_refused("flow = refresh_token\n", ": there is no tenant; write tenant = ");
    assert_refused("flow = client_credentials\ntenant = t\n", ": there is no client_id; ");
    assert_refused(BOTH, ":1: flow = client_credentials needs client_secret = ");
    assert_refused(REFRESH, ": there is no refresh_token, and no refresh_token_file");
    assert_refused(REFRESH "[mailbox a]\n[mailbox b]\nrefresh_token = x\n",
                   ":4: [mailbox a] has no refresh_token");
}

static void what_makes_no_sense_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"flow = password\n" GOOD, ":2: there is flow already, in line 1; take one of the two out"},
        {"flow = password\ntenant = t\n", ":1: flow is client_credentials or refresh_token"},
        {GOOD "refresh_token = s3cr3t\n", ":5: flow = client_credentials has no use for refresh_token"},
        {GOOD "refresh_token_file = x\n", ":5: flow = client_credentials has no use for refresh_token_file"},
        {GOOD "[mailbox a]\n", ":5: with flow = client_credentials one token is good for every mailbox"},
        {GOOD "client_secret_file = x\n", ":5: there is client_secret as well, in line 4"},
        {GOOD "token_endpoint = https://x/\n", ":2: token_endpoint, in line 5, says all of it"},
        {"flow = client_credentials\ntenant = a/b\n", ":2: tenant is a GUID or a domain"},
        {"flow = client_credentials\ntoken_endpoint = http://x/\n",
         ":2: token_endpoint: 'http://x/' is no URL"},
        {GOOD "client_secrt = s3cr3t\n", ":5: this file has no such key; did you mean client_secret?"},
        {GOOD "s3cr3t/continued == x\n", ":5: this file has no such key"},
        {GOOD "s3cr3t\n", ":5: this is no KEY = VALUE"},
        {GOOD "scope =\n", ":5: scope is empty"},
        {GOOD "[s3cr3t]\n", ":5: there is no such section; write [mailbox NAME]"},
        {GOOD "[mailbox ]\n", ":5: there is no such section"},
        {GOOD "[mailbox\n", ":5: the section header has no end"},
        {REFRESH "[mailbox a]\nrefresh_token = x\n[mailbox A]\n",
         ":6: there is a [mailbox A] already, in line 4"},
        {REFRESH "[mailbox a]\nclient_id = x\n", ":5: a mailbox has no such key"},
        {GOOD "scope = \x01\n", ":5: there is a control character"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_refused(rows[i].text, rows[i].expected);
}

static void there_is_a_limit_to_mailboxes_and_values(void **state)
{
    (void)state;
    size_t size = 1 << 20, n = (size_t)snprintf(NULL, 0, REFRESH);
    char *text = malloc(size);
    strcpy(text, REFRESH);
    for (int i = 1; i < OAUTH_ACCOUNTS_MAX; i++)
        n += (size_t)snprintf(text + n, size - n, "[mailbox m%d]\nrefresh_token = x\n", i);
    assert_loads(text);
    assert_int_equal(file.account_count, OAUTH_ACCOUNTS_MAX);
    oauth_file_free(&file);
    snprintf(text + n, size - n, "[mailbox m]\nrefresh_token = x\n");
    assert_refused(text, ":2002: there are more than 999 mailboxes");

    n = (size_t)snprintf(text, size, BOTH "client_secret = ");
    memset(text + n, 'x', OAUTH_VALUE_MAX);
    strcpy(text + n + OAUTH_VALUE_MAX, "\n");
    assert_loads(text);
    oauth_file_free(&file);
    strcpy(text + n + OAUTH_VALUE_MAX, "x\n");
    assert_refused(text, ":4: client_secret is longer than 8192 bytes");
    free(text);
}

static void accounts_are_the_same_when_all_they_ask_with_is(void **state)
{
    (void)state;
    static const char *const others[] = {
        "flow = client_credentials\ntenant = else.example\nclient_id = app\nclient_secret = " SECRET "\n",
        "flow = client_credentials\ntenant = contoso.example\nclient_id = b\nclient_secret = " SECRET "\n",
        BOTH "client_secret = b\n",
        GOOD "scope = b\n",
        REFRESH "refresh_token = x\n",
    };
    struct oauth_file first;
    assert_loads(GOOD);
    first = file;
    assert_loads("# moved\n" GOOD);
    assert_true(oauth_file_same(&first, 0, &file, 0));
    oauth_file_free(&file);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_loads(others[i]);
        assert_false(oauth_file_same(&first, 0, &file, 0));
        oauth_file_free(&file);
    }
    oauth_file_free(&first);
    assert_loads(REFRESH
                 "refresh_token = x\n[mailbox a]\nrefresh_token = x\n[mailbox b]\nrefresh_token = y\n");
    first = file;
    assert_loads(REFRESH
                 "refresh_token = x\n[mailbox b]\nrefresh_token = y\n[mailbox a]\nrefresh_token = z\n");
    assert_true(oauth_file_same(&first, 0, &file, 0));
    assert_true(oauth_file_same(&first, 2, &file, 1));
    assert_false(oauth_file_same(&first, 1, &file, 2));
    assert_false(oauth_file_same(&first, 0, &file, 1));
    oauth_file_free(&file);
    oauth_file_free(&first);
}

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tlsfloor-oauth-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/oauth.ini", folder);
    snprintf(other, sizeof other, "%s/secret", folder);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_credentials_need_little),
        cmocka_unit_test(refresh_tokens_are_of_one_or_of_many_mailboxes),
        cmocka_unit_test(other_clouds_and_other_endpoints_are_written),
        cmocka_unit_test(secrets_may_have_files_of_their_own),
        cmocka_unit_test(a_file_that_others_may_open_is_refused),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(what_makes_no_sense_is_told_with_its_line),
        cmocka_unit_test(there_is_a_limit_to_mailboxes_and_values),
        cmocka_unit_test(accounts_are_the_same_when_all_they_ask_with_is),
    };
    return cmocka_run_group_tests_name("oauth_file", tests, begin, finish);
}
