/* Reading a file of users, and checking passwords; see users.h. When that is
 * done, and for how long it holds, is up to login.c. */
#include "users.h"

#include "../lib/front.h"
#include "conf_file.h"
#include "hash.h"
#include <assert.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ERROR_MAX = 512,
    HASH_MIN = 60 /* bcrypt's, the shortest that is taken; what is shorter has been cut off */
};

struct entry {
    struct user user;
    unsigned line;
};

struct users {
    atomic_uint refs;
    char *text; /* the file; names and the rest are ended in place, and point here */
    size_t text_size;
    struct entry *entries; /* sorted by name */
    size_t count;
    uint8_t id[USERS_ID_SIZE];
};

/* --- the file --- */

struct load {
    struct users *users;
    const char *path;
    unsigned line; /* 0: the file as a whole */
    char *error;
    size_t size;
};

static bool fail(const struct load *l, const char *sentence)
{
    if (l->line > 0)
        snprintf(l->error, l->size, "%s:%u: %s", l->path, l->line, sentence);
    else
        snprintf(l->error, l->size, "%s: %s", l->path, sentence);
    return false;
}

static bool has_control_character(struct tf_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.p[i] < 0x20 || t.p[i] == 0x7f)
            return true;
    return false;
}

const char *users_name_error(const char *name)
{
    struct tf_text t = tf_text_of(name);
    if (t.n == 0)
        return "the name is empty";
    if (t.n >= TF_USER_MAX)
        return "the name is longer than a client can send";
    if (tf_text_trim(t).n != t.n || name[0] == '#' || memchr(name, ':', t.n) || has_control_character(t))
        return "a name has no colons or control characters, no blanks around it, and no # in front";
    return NULL;
}

/* What crypt(3) calls weak is DES, MD5, NT and the like. */
static const char *hash_error(const char *hash)
{
    int what = crypt_checksalt(hash);
    if (what == CRYPT_SALT_METHOD_LEGACY || what == CRYPT_SALT_TOO_CHEAP)
        return "this kind of hash is too weak, or it is no hash; make one with: tlsfloor hash-password";
    if (what != CRYPT_SALT_OK || strlen(hash) < HASH_MIN)
        return "this is no whole hash of crypt(3); make one with: tlsfloor hash-password";
    return NULL;
}

/* Ends a piece of the text where it ends. */
static const char *seal(struct users *u, struct tf_text piece)
{
    u->text[(size_t)(piece.p - u->text) + piece.n] = '\0';
    return piece.p;
}

/* NAME ":" HASH [":" MAILBOX] */
static bool read_line(struct load *l, struct tf_text line)
{
    struct users *u = l->users;
    struct entry *e = &u->entries[u->count];
    if (has_control_character(line))
        return fail(l, "there is a control character; write plain text, in ASCII or UTF-8");
    struct tf_text name = tf_text_trim(tf_text_take(&line, ':'));
    if (!line.p)
        return fail(l, "there is no hash; write NAME:HASH, as tlsfloor hash-password --user NAME does");
    struct tf_text hash = tf_text_trim(tf_text_take(&line, ':'));
    bool has_mailbox = line.p != NULL;
    struct tf_text mailbox = has_mailbox ? tf_text_trim(line) : name;
    if (has_mailbox && (mailbox.n == 0 || mailbox.n >= TF_USER_MAX || memchr(mailbox.p, ':', mailbox.n)))
        return fail(l, "behind the hash there is at most a mailbox; write NAME:HASH:MAILBOX");
    if (name.n == 0)
        return fail(l, "there is no name in front of the hash; write NAME:HASH");
    *e = (struct entry){{seal(u, name), seal(u, hash), seal(u, mailbox)}, l->line};
    const char *why = users_name_error(e->user.name);
    why = why ? why : hash_error(e->user.hash);
    u->count += why == NULL;
    return why == NULL || fail(l, why);
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return strcmp(x->user.name, y->user.name);
}

static bool check_twins(struct load *l)
{
    const struct users *u = l->users;
    for (size_t i = 1; i < u->count; i++) {
        const struct entry *a = &u->entries[i - 1], *b = &u->entries[i];
        if (strcmp(a->user.name, b->user.name) != 0)
            continue;
        char sentence[ERROR_MAX];
        l->line = a->line > b->line ? a->line : b->line;
        snprintf(sentence, sizeof sentence, "the user %s is in line %u already; take one of the two out",
                 a->user.name, a->line < b->line ? a->line : b->line);
        return fail(l, sentence);
    }
    return true;
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Moves the text into a copy of just its size, which has room for the last line's end. */
static bool take_text(struct load *l, char *text, size_t n)
{
    struct users *u = l->users;
    bool ok = EVP_Digest(text, n, u->id, NULL, EVP_sha256(), NULL) == 1;
    u->text = malloc(n + 1);
    u->text_size = n + 1;
    u->entries = calloc(count_lines(text, n), sizeof *u->entries);
    if (u->text)
        memcpy(u->text, text, n);
    OPENSSL_cleanse(text, n);
    free(text);
    return (ok && u->text && u->entries) || fail(l, "out of memory");
}

static bool read_lines(struct load *l)
{
    struct users *u = l->users;
    struct tf_text rest = {u->text, u->text_size - 1};
    while (rest.p) {
        struct tf_text line = tf_text_trim(tf_text_take(&rest, '\n'));
        l->line++;
        if (line.n > 0 && line.p[0] != '#' && !read_line(l, line))
            return false;
    }
    if (u->count > 0)
        qsort(u->entries, u->count, sizeof *u->entries, by_name);
    return check_twins(l);
}

struct users *users_load(const char *path, char *error, size_t size)
{
    char why[ERROR_MAX];
    size_t n;
    struct users *u = calloc(1, sizeof *u);
    struct load l = {.users = u, .path = path, .error = error, .size = size};
    if (!u) {
        fail(&l, "out of memory");
        return NULL;
    }
    atomic_init(&u->refs, 1);
    char *text = conf_file_read_secret(path, &n, why, sizeof why);
    bool ok = text ? take_text(&l, text, n) && read_lines(&l) : fail(&l, why);
    if (ok)
        return u;
    users_unref(u);
    return NULL;
}

struct users *users_ref(struct users *u)
{
    atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
    return u;
}

void users_unref(struct users *u)
{
    if (!u || atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (u->text)
        OPENSSL_cleanse(u->text, u->text_size);
    free(u->text);
    free(u->entries);
    free(u);
}

const uint8_t *users_id(const struct users *u)
{
    return u->id;
}

/* --- who is who --- */

size_t users_count(const struct users *u)
{
    return u->count;
}

const struct user *users_at(const struct users *u, size_t i)
{
    assert(i < u->count);
    return &u->entries[i].user;
}

const struct user *users_find(const struct users *u, const char *name)
{
    const struct entry key = {.user = {.name = name}};
    const struct entry *found =
        u->count > 0 ? bsearch(&key, u->entries, u->count, sizeof key, by_name) : NULL;
    return found ? &found->user : NULL;
}

/* Whose hash is computed in place of that of a user who is not there: always the same one's for the same
 * name, so that what it costs tells nothing. */
static const struct user *stand_in(const struct users *u, const char *name)
{
    return &u->entries[hash_text(HASH_START, name) % u->count].user;
}

static bool is_hash_of(const char *hash, const char *password)
{
    struct crypt_data data = {0};
    const char *made = crypt_r(password, hash, &data);
    size_t n = strlen(hash);
    bool same = made && strlen(made) == n && CRYPTO_memcmp(made, hash, n) == 0;
    OPENSSL_cleanse(&data, sizeof data);
    return same;
}

bool users_check(const struct users *u, const char *name, const char *password)
{
    const struct user *user = users_find(u, name);
    if (u->count == 0)
        return false;
    bool is_right = is_hash_of((user ? user : stand_in(u, name))->hash, password);
    return user && is_right;
}
