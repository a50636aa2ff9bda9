/* Keys of session tickets, and OpenSSL's callback for them; see tickets.h. */
#include "tickets.h"

#include "clock.h"
#include "conf_file.h"
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tickets {
    atomic_uint refs;
    atomic_uint_least64_t unknown;
    bool is_own;           /* the keys are made here; else they never change */
    pthread_mutex_t mutex; /* guards the two below */
    struct tf_ticket_keys keys;
    int64_t made_s[2]; /* when our own were */
};

/* --- where keys come from --- */

static bool read_keys(struct tf_ticket_keys *keys, const char *file, char *error, size_t size)
{
    char why[512];
    size_t n;
    unsigned line;
    char *text = conf_file_read_secret(file, &n, why, sizeof why);
    if (text == NULL) {
        snprintf(error, size, "[gateway] ticket_keys_file: %s: %s", file, why);
        return false;
    }
    const char *wrong = tf_ticket_keys_parse((struct tf_text){text, n}, keys, &line);
    OPENSSL_cleanse(text, n);
    free(text);
    if (wrong != NULL && line > 0)
        snprintf(error, size, "[gateway] ticket_keys_file: %s:%u: %s", file, line, wrong);
    else if (wrong != NULL)
        snprintf(error, size, "[gateway] ticket_keys_file: %s: %s", file, wrong);
    return wrong == NULL;
}

struct tickets *tickets_new(const char *file, char *error, size_t size)
{
    struct tickets *t = calloc(1, sizeof *t);
    if (t == NULL) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    atomic_init(&t->refs, 1);
    pthread_mutex_init(&t->mutex, NULL);
    t->is_own = file[0] == '\0';
    if (t->is_own || read_keys(&t->keys, file, error, size))
        return t;
    tickets_unref(t);
    return NULL;
}

struct tickets *tickets_ref(struct tickets *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void tickets_unref(struct tickets *t)
{
    if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&t->mutex);
    OPENSSL_cleanse(&t->keys, sizeof t->keys);
    free(t);
}

uint64_t tickets_unknown(const struct tickets *t)
{
    return atomic_load_explicit(&t->unknown, memory_order_relaxed);
}

/* A key of our own encrypts for the length of a ticket's life and decrypts for as long again: what it has
 * encrypted is of no use then. So there are never more than two. False: there is none to encrypt with. */
static bool renew_own(struct tickets *t, int64_t now_s)
{
    struct tf_ticket_keys *keys = &t->keys;
    while (keys->count > 0 && now_s - t->made_s[keys->count - 1] >= 2 * TICKET_LIFE_S)
        OPENSSL_cleanse(&keys->list[--keys->count], sizeof keys->list[0]);
    if (keys->count > 0 && now_s - t->made_s[0] < TICKET_LIFE_S)
        return true;
    struct tf_ticket_key fresh;
    if (RAND_priv_bytes((unsigned char *)&fresh, sizeof fresh) != 1) {
        ERR_clear_error();
        return false;
    }
    assert(keys->count < 2);
    keys->list[1] = keys->list[0];
    t->made_s[1] = t->made_s[0];
    keys->list[0] = fresh;
    t->made_s[0] = now_s;
    keys->count++;
    OPENSSL_cleanse(&fresh, sizeof fresh);
    return true;
}

bool tickets_newest(struct tickets *t, int64_t now_s, struct tf_ticket_key *key)
{
    pthread_mutex_lock(&t->mutex);
    bool ok = !t->is_own || renew_own(t, now_s);
    if (ok)
        *key = t->keys.list[0];
    pthread_mutex_unlock(&t->mutex);
    return ok;
}

bool tickets_find(struct tickets *t, int64_t now_s, const uint8_t name[TF_TICKET_NAME_SIZE],
                  struct tf_ticket_key *key, bool *is_newest)
{
    pthread_mutex_lock(&t->mutex);
    if (t->is_own)
        renew_own(t, now_s);
    size_t i = 0;
    while (i < t->keys.count && memcmp(t->keys.list[i].name, name, TF_TICKET_NAME_SIZE) != 0)
        i++;
    bool ok = i < t->keys.count;
    if (ok)
        *key = t->keys.list[i];
    pthread_mutex_unlock(&t->mutex);
    *is_newest = i == 0;
    if (!ok)
        atomic_fetch_add_explicit(&t->unknown, 1, memory_order_relaxed);
    return ok;
}

/* --- OpenSSL --- */

/* What the callback answers: no ticket is made, or this one counts for nothing; it is fine; it is, and the
 * client gets a new one. */
enum { NO_TICKET = 0, TICKET = 1, OLD_TICKET = 2 };

static int slot = -1; /* of an SSL: its tickets */

static void on_free(void *ssl, void *tickets, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
    (void)ssl, (void)data, (void)index, (void)number, (void)arg;
    tickets_unref(tickets);
}

static void take_slot(void)
{
    slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_free);
}

static int new_ticket(struct tickets *t, int64_t now_s, unsigned char *name, unsigned char *iv,
                      struct tf_ticket_key *key)
{
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 || !tickets_newest(t, now_s, key))
        return NO_TICKET;
    memcpy(name, key->name, sizeof key->name);
    return TICKET;
}

static int known_ticket(struct tickets *t, int64_t now_s, const unsigned char *name,
                        struct tf_ticket_key *key)
{
    bool is_newest;
    if (!tickets_find(t, now_s, name, key, &is_newest))
        return NO_TICKET;
    return is_newest ? TICKET : OLD_TICKET;
}

static bool use_key(const struct tf_ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int is_new)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params) == 1 &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, is_new) == 1;
}

/* On any loop's thread, within a handshake. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_new)
{
    struct tickets *t = SSL_get_ex_data(ssl, slot);
    int64_t now_s = clock_steady_ms() / 1000;
    struct tf_ticket_key key;
    int answer = t == NULL ? NO_TICKET
                 : is_new  ? new_ticket(t, now_s, name, iv, &key)
                           : known_ticket(t, now_s, name, &key);
    if (answer != NO_TICKET && !use_key(&key, iv, cipher, mac, is_new))
        answer = NO_TICKET;
    if (answer == NO_TICKET)
        ERR_clear_error();
    OPENSSL_cleanse(&key, sizeof key);
    return answer;
}

bool tickets_serve(SSL_CTX *context)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    return CRYPTO_THREAD_run_once(&once, take_slot) == 1 && slot >= 0 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

void tickets_attach(SSL *ssl, struct tickets *t)
{
    if (ssl != NULL && t != NULL && SSL_set_ex_data(ssl, slot, tickets_ref(t)) != 1)
        tickets_unref(t);
}
