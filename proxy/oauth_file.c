/* Reading the file of the bridge's secrets; see oauth_file.h. Lines are read
 * by ini_lines.c. A value never appears in an error but where it is no secret. */
#include "oauth_file.h"

#include "../lib/sasl.h"
#include "../lib/suggest.h"
#include "conf_file.h"
#include "fetch.h"
#include "ini_lines.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ERROR_MAX = 512, ENDPOINT_MAX = 512 };

/* Behind the name of a secret comes that of a file with it. */
enum key {
    FLOW,
    TENANT,
    AUTHORITY,
    TOKEN_ENDPOINT,
    CLIENT_ID,
    SCOPE,
    CLIENT_SECRET,
    CLIENT_SECRET_FILE,
    REFRESH_TOKEN, /* from here on: of a [mailbox NAME] as well */
    REFRESH_TOKEN_FILE,
    KEY_COUNT
};

static const char *const key_names[KEY_COUNT] = {
    [FLOW] = "flow",
    [TENANT] = "tenant",
    [AUTHORITY] = "authority",
    [TOKEN_ENDPOINT] = "token_endpoint",
    [CLIENT_ID] = "client_id",
    [SCOPE] = "scope",
    [CLIENT_SECRET] = "client_secret",
    [CLIENT_SECRET_FILE] = "client_secret_file",
    [REFRESH_TOKEN] = "refresh_token",
    [REFRESH_TOKEN_FILE] = "refresh_token_file",
};

/* The top of the file, or a [mailbox NAME]. */
struct section {
    char *mailbox; /* NULL: the top */
    unsigned line;
    char *values[KEY_COUNT]; /* NULL: not written */
    unsigned lines[KEY_COUNT];
};

struct load {
    const char *path;
    char *error;
    size_t size;
    bool failed; /* error holds the first that is wrong */
    struct section *sections;
    size_t count;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct load *l, unsigned line, const char *format, ...)
{
    char sentence[ERROR_MAX], where[16] = "";
    va_list arguments;
    if (l->failed)
        return false;
    l->failed = true;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (line > 0)
        snprintf(where, sizeof where, ":%u", line);
    snprintf(l->error, l->size, "%s%s: %s", l->path, where, sentence);
    return false;
}

static char *copy(struct load *l, const char *text)
{
    char *made = strdup(text);
    if (!made)
        fail(l, 0, "out of memory");
    return made;
}

void oauth_free_secret(char *secret)
{
    if (secret)
        tf_wipe(secret, strlen(secret));
    free(secret);
}

/* --- lines --- */

/* Takes over the mailbox. */
static bool add_section(struct load *l, char *mailbox, unsigned line)
{
    struct section *grown = realloc(l->sections, (l->count + 1) * sizeof *grown);
    if (!grown) {
        free(mailbox);
        return fail(l, 0, "out of memory");
    }
    l->sections = grown;
    grown[l->count++] = (struct section){.mailbox = mailbox, .line = line};
    return true;
}

/* What is no header of ours is not repeated: it may be a piece of a secret. */
static void on_header(void *arg, const char *header, unsigned line)
{
    static const char word[] = "mailbox ";
    enum { WORD = sizeof word - 1 };
    struct load *l = arg;
    if (!header || l->failed)
        return;
    struct tf_text name = tf_text_trim(tf_text_of(header));
    if (name.n <= WORD || strncmp(name.p, word, WORD) != 0) {
        fail(l, line, "there is no such section; write [mailbox NAME], and all other keys above it");
        return;
    }
    name = tf_text_trim((struct tf_text){name.p + WORD, name.n - WORD});
    char *mailbox = strndup(name.p, name.n);
    for (size_t i = 1; mailbox && i < l->count; i++)
        if (strcasecmp(l->sections[i].mailbox, mailbox) == 0)
            fail(l, line, "there is a [mailbox %s] already, in line %u", mailbox, l->sections[i].line);
    if (l->count == OAUTH_ACCOUNTS_MAX)
        fail(l, line, "there are more than %d mailboxes; divide them among several listeners and files",
             OAUTH_ACCOUNTS_MAX - 1);
    if (!mailbox)
        fail(l, 0, "out of memory");
    else
        add_section(l, mailbox, line);
}

/* Nor is what is no key of ours. */
static void on_value(void *arg, const char *name, const char *value, unsigned line)
{
    struct load *l = arg;
    if (l->failed)
        return;
    struct section *section = &l->sections[l->count - 1];
    struct tf_suggestion near = {.unknown = tf_text_of(name)};
    size_t key = section->mailbox ? REFRESH_TOKEN : FLOW;
    for (; key < KEY_COUNT && strcmp(name, key_names[key]) != 0; key++)
        tf_suggest(&near, key_names[key]);
    if (key == KEY_COUNT) {
        fail(l, line, "%s has no such key%s%s%s", section->mailbox ? "a mailbox" : "this file",
             TF_DID_YOU_MEAN(near));
    } else if (section->values[key]) {
        fail(l, line, "there is %s already, in line %u; take one of the two out", name, section->lines[key]);
    } else if (value[0] == '\0') {
        fail(l, line, "%s is empty; write a value behind the =, or take the line out", name);
    } else if (strlen(value) > OAUTH_VALUE_MAX) {
        fail(l, line, "%s is longer than %d bytes", name, OAUTH_VALUE_MAX);
    } else {
        section->values[key] = copy(l, value);
        section->lines[key] = line;
    }
}

static void on_error(void *arg, const char *sentence, unsigned line)
{
    fail(arg, line, "%s", sentence);
}

static bool read_lines(struct load *l)
{
    char why[ERROR_MAX / 2];
    size_t n;
    char *text = conf_file_read_secret(l->path, &n, why, sizeof why);
    if (!text)
        return fail(l, 0, "%s", why);
    const struct ini_reader reader = {
        .on_header = on_header, .on_value = on_value, .on_error = on_error, .arg = l};
    if (add_section(l, NULL, 0))
        ini_read_lines(&reader, text, n);
    tf_wipe(text, n);
    free(text);
    return !l->failed;
}

/* --- their meaning --- */

/* Moves out a secret that is written, or the only line of the file that is named in its place (the next key).
 * NULL, without a failure: neither is. */
static char *take_secret(struct load *l, struct section *s, enum key key)
{
    enum key file = key + 1;
    char why[ERROR_MAX / 2], *secret = s->values[key];
    size_t n;
    if (secret && s->values[file]) {
        fail(l, s->lines[file], "there is %s as well, in line %u; take one of the two out", key_names[key],
             s->lines[key]);
        return NULL;
    }
    s->values[key] = NULL;
    if (secret || !s->values[file])
        return secret;
    char *text = conf_file_read_secret(s->values[file], &n, why, sizeof why);
    if (!text) {
        fail(l, s->lines[file], "%s: %.200s: %s", key_names[file], s->values[file], why);
        return NULL;
    }
    struct tf_text line = tf_text_trim((struct tf_text){text, n});
    if (line.n == 0 || line.n > OAUTH_VALUE_MAX || memchr(line.p, '\n', line.n) ||
        memchr(line.p, '\0', line.n))
        fail(l, s->lines[file], "%s: %.200s must hold one line with the secret, of %d bytes at most",
             key_names[file], s->values[file], OAUTH_VALUE_MAX);
    else if (!(secret = strndup(line.p, line.n)))
        fail(l, 0, "out of memory");
    tf_wipe(text, n);
    free(text);
    return secret;
}

static bool read_flow(struct load *l, struct section *top, struct oauth_file *out)
{
    static const char *const words[] = {
        [OAUTH_CLIENT_CREDENTIALS] = "client_credentials", [OAUTH_REFRESH_TOKEN] = "refresh_token"};
    const char *flow = top->values[FLOW];
    if (!flow)
        return fail(l, 0, "there is no flow; write flow = client_credentials, or flow = refresh_token");
    out->flow =
        strcmp(flow, words[OAUTH_REFRESH_TOKEN]) == 0 ? OAUTH_REFRESH_TOKEN : OAUTH_CLIENT_CREDENTIALS;
    return strcmp(flow, words[out->flow]) == 0 ||
           fail(l, top->lines[FLOW], "flow is client_credentials or refresh_token");
}

/* A GUID or a domain, which becomes a part of a path. */
static bool is_tenant(const char *text)
{
    while (tf_ascii_is_alnum(*text) || *text == '-' || *text == '.')
        text++;
    return *text == '\0';
}

static bool is_authority(const char *text)
{
    static const char *const known[] = {"login.microsoftonline.com", "login.microsoftonline.us",
                                        "login.partner.microsoftonline.cn"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(text, known[i]) == 0)
            return true;
    return false;
}

/* A URL that is written, or that of a tenant. */
static bool read_endpoint(struct load *l, struct section *top, struct oauth_file *out)
{
    const char *written = top->values[TOKEN_ENDPOINT], *tenant = top->values[TENANT];
    const char *authority = top->values[AUTHORITY];
    char url[ENDPOINT_MAX], why[ERROR_MAX / 2];
    enum key key = written ? TOKEN_ENDPOINT : TENANT;
    if (written && (tenant || authority))
        return fail(l, top->lines[tenant ? TENANT : AUTHORITY],
                    "token_endpoint, in line %u, says all of it; take this line out",
                    top->lines[TOKEN_ENDPOINT]);
    if (!written && !tenant)
        return fail(l, 0,
                    "there is no tenant; write tenant = its GUID or one of its domains, or token_endpoint = "
                    "https://...");
    if (tenant && !is_tenant(tenant))
        return fail(l, top->lines[key], "tenant is a GUID or a domain, as contoso.onmicrosoft.com");
    if (authority && !is_authority(authority))
        return fail(l, top->lines[AUTHORITY],
                    "authority is login.microsoftonline.com, login.microsoftonline.us or "
                    "login.partner.microsoftonline.cn; for others write token_endpoint = https://...");
    int n = written ? snprintf(url, sizeof url, "%s", written)
                    : snprintf(url, sizeof url, "https://%s/%s/oauth2/v2.0/token",
                               authority ? authority : "login.microsoftonline.com", tenant);
    if ((size_t)n >= sizeof url)
        return fail(l, top->lines[key], "%s is longer than it can be", key_names[key]);
    if (!fetch_check_url(url, why, sizeof why))
        return fail(l, top->lines[key], "%s: %s", key_names[key], why);
    return (out->endpoint = copy(l, url)) != NULL;
}

static bool read_scope(struct load *l, struct section *top, struct oauth_file *out)
{
    static const char *const defaults[] = {
        [OAUTH_CLIENT_CREDENTIALS] = "https://outlook.office365.com/.default",
        [OAUTH_REFRESH_TOKEN] = "https://outlook.office.com/SMTP.Send "
                                "https://outlook.office.com/IMAP.AccessAsUser.All "
                                "https://outlook.office.com/POP.AccessAsUser.All offline_access"};
    const char *written = top->values[SCOPE], *authority = top->values[AUTHORITY];
    if (!written && authority && strcasecmp(authority, "login.microsoftonline.com") != 0)
        return fail(
            l, top->lines[AUTHORITY],
            "another cloud has other scopes; write scope = as its documentation of Exchange Online has it");
    return (out->scope = copy(l, written ? written : defaults[out->flow])) != NULL;
}

static bool read_client(struct load *l, struct section *top, struct oauth_file *out)
{
    if (!top->values[CLIENT_ID])
        return fail(l, 0, "there is no client_id; write client_id = the application (client) ID");
    out->client_id = copy(l, top->values[CLIENT_ID]);
    out->client_secret = take_secret(l, top, CLIENT_SECRET);
    if (!out->client_secret && out->flow == OAUTH_CLIENT_CREDENTIALS)
        fail(l, top->lines[FLOW],
             "flow = client_credentials needs client_secret = the secret's value (not its ID), or "
             "client_secret_file = FILE");
    return !l->failed;
}

/* Whether a section has what its flow has no use for. */
static bool check_unused(struct load *l, const struct section *s)
{
    for (size_t key = REFRESH_TOKEN; key <= REFRESH_TOKEN_FILE; key++)
        if (s->values[key])
            return fail(l, s->lines[key], "flow = client_credentials has no use for %s; take the line out",
                        key_names[key]);
    return !s->mailbox || fail(l, s->line,
                               "with flow = client_credentials one token is good for every mailbox; take the "
                               "section out, or write flow = refresh_token");
}

static bool read_account(struct load *l, struct section *s, struct oauth_file *out)
{
    struct oauth_account *account = &out->accounts[out->account_count++];
    if (out->flow == OAUTH_CLIENT_CREDENTIALS)
        return check_unused(l, s);
    account->mailbox = s->mailbox;
    s->mailbox = NULL;
    account->refresh_token = take_secret(l, s, REFRESH_TOKEN);
    if (!account->refresh_token && account->mailbox)
        fail(l, s->line, "[mailbox %s] has no refresh_token, and no refresh_token_file", account->mailbox);
    return !l->failed;
}

static bool read_accounts(struct load *l, struct oauth_file *out)
{
    out->accounts = calloc(l->count, sizeof *out->accounts);
    if (!out->accounts)
        return fail(l, 0, "out of memory");
    for (size_t i = 0; i < l->count; i++)
        if (!read_account(l, &l->sections[i], out))
            return false;
    return out->flow == OAUTH_CLIENT_CREDENTIALS || l->count > 1 || out->accounts[0].refresh_token ||
           fail(l, 0, "there is no refresh_token, and no refresh_token_file");
}

static void free_sections(struct load *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->sections[i].mailbox);
        for (size_t key = 0; key < KEY_COUNT; key++)
            oauth_free_secret(l->sections[i].values[key]);
    }
    free(l->sections);
}

/* --- the interface --- */

bool oauth_file_load(struct oauth_file *out, const char *path, char *error, size_t size)
{
    struct load l = {.path = path, .error = error, .size = size};
    *out = (struct oauth_file){.accounts = NULL};
    bool ok = read_lines(&l) && read_flow(&l, l.sections, out) && read_endpoint(&l, l.sections, out) &&
              read_scope(&l, l.sections, out) && read_client(&l, l.sections, out) && read_accounts(&l, out);
    free_sections(&l);
    if (!ok)
        oauth_file_free(out);
    return ok;
}

void oauth_file_free(struct oauth_file *f)
{
    for (size_t i = 0; i < f->account_count; i++) {
        free(f->accounts[i].mailbox);
        oauth_free_secret(f->accounts[i].refresh_token);
    }
    free(f->accounts);
    free(f->endpoint);
    free(f->client_id);
    free(f->scope);
    oauth_free_secret(f->client_secret);
}

size_t oauth_file_find(const struct oauth_file *f, const char *mailbox)
{
    for (size_t i = 1; i < f->account_count; i++)
        if (strcasecmp(f->accounts[i].mailbox, mailbox) == 0)
            return i;
    return 0;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool oauth_file_same(const struct oauth_file *a, size_t i, const struct oauth_file *b, size_t j)
{
    return a->flow == b->flow && is_same(a->endpoint, b->endpoint) && is_same(a->client_id, b->client_id) &&
           is_same(a->client_secret, b->client_secret) && is_same(a->scope, b->scope) &&
           is_same(a->accounts[i].mailbox, b->accounts[j].mailbox) &&
           is_same(a->accounts[i].refresh_token, b->accounts[j].refresh_token);
}
