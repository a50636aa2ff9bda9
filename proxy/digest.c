/* Digests from OpenSSL; see digest.h. */
#include "digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

static void start(void *ctx)
{
    struct digest *d = ctx;
    d->failed = EVP_DigestInit_ex2(d->running, d->algorithm, NULL) != 1;
}

static void add(void *ctx, const void *p, size_t n)
{
    struct digest *d = ctx;
    if (!d->failed)
        d->failed = EVP_DigestUpdate(d->running, p, n) != 1;
}

/* OpenSSL fails here only when memory is short: the session goes on, its fingerprint is zeros. */
static void finish(void *ctx, uint8_t *out)
{
    struct digest *d = ctx;
    if (!d->failed)
        d->failed = EVP_DigestFinal_ex(d->running, out, NULL) != 1;
    if (d->failed) {
        memset(out, 0, (size_t)EVP_MD_get_size(d->algorithm));
        ERR_clear_error();
    }
}

static bool init(struct digest *state, struct tf_digest *digest, const char *name)
{
    state->algorithm = EVP_MD_fetch(NULL, name, NULL);
    if (!state->algorithm) {
        ERR_clear_error();
        return true;
    }
    state->running = EVP_MD_CTX_new();
    *digest = (struct tf_digest){.ctx = state,
                                 .size = (size_t)EVP_MD_get_size(state->algorithm),
                                 .start = start,
                                 .add = add,
                                 .finish = finish};
    return state->running != NULL;
}

bool digests_init(struct digests *d)
{
    memset(d, 0, sizeof *d);
    if (init(&d->md5_state, &d->md5, "MD5") && init(&d->sha256_state, &d->sha256, "SHA256"))
        return true;
    digests_fini(d);
    return false;
}

static void fini(struct digest *state)
{
    EVP_MD_CTX_free(state->running);
    EVP_MD_free(state->algorithm);
}

void digests_fini(struct digests *d)
{
    fini(&d->md5_state);
    fini(&d->sha256_state);
    memset(d, 0, sizeof *d);
}
