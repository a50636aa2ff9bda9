/* The file that [listener] oauth names: how to ask for tokens, and the secrets
 * for it.
 *
 *     flow = client_credentials        ; or refresh_token
 *     tenant = contoso.onmicrosoft.com ; or its GUID; or token_endpoint = https://...
 *     client_id = 5f0c...
 *     client_secret = ...              ; or client_secret_file = FILE
 *
 *     [mailbox scanner@contoso.com]    ; flow = refresh_token: this mailbox has a token of its own
 *     refresh_token = ...              ; or refresh_token_file = FILE
 */
#ifndef OAUTH_FILE_H
#define OAUTH_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The grants of RFC 6749: 4.4, where the gateway itself has access to all its mailboxes, and 6, where
 * somebody has let it into one. */
enum oauth_flow { OAUTH_CLIENT_CREDENTIALS, OAUTH_REFRESH_TOKEN };

enum { OAUTH_VALUE_MAX = 8192, OAUTH_ACCOUNTS_MAX = 1000 };

/* One for which tokens are kept apart. */
struct oauth_account {
    char *mailbox;       /* NULL: all that have none of their own */
    char *refresh_token; /* NULL: there is none */
};

struct oauth_file {
    enum oauth_flow flow;
    char *endpoint; /* https URL */
    char *client_id;
    char *client_secret; /* NULL: there is none */
    char *scope;
    struct oauth_account *accounts; /* the first has no mailbox */
    size_t account_count;
};

/* False with `FILE:LINE: what is wrong, and what to write`; then there is nothing to free. */
bool oauth_file_load(struct oauth_file *out, const char *path, char *error, size_t size);
/* Wipes what it frees. */
void oauth_file_free(struct oauth_file *f);
/* The place of a mailbox's account. */
size_t oauth_file_find(const struct oauth_file *f, const char *mailbox);
/* Whether an account of one file asks for the same as one of another. */
bool oauth_file_same(const struct oauth_file *a, size_t i, const struct oauth_file *b, size_t j);

/* Wiped and freed; NULL may be. */
void oauth_free_secret(char *secret);

#endif
