/* mint.c: leaves are made once, off the loop, kept as long as they are good, and never beyond the bound. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/certificate.h"
#include "../../proxy/mint.h"
#include "ca_fixture.h"
#include <openssl/pem.h>
#include <semaphore.h>
#include <time.h>

enum { DAY_S = 86400, POOL = 4 };

static struct ca_stage stage;
static struct ca *ca; /* made once: its keys take their time */

static int begin_all(void **state)
{
    (void)state;
    stage_begin(&stage);
    stage_make(&stage);
    ca = stage_load(&stage);
    return ca_leaf_key(ca, TF_LEAF_ECDSA) ? 0 : -1;
}

static int finish_all(void **state)
{
    (void)state;
    ca_unref(ca);
    stage_end(&stage);
    return 0;
}

static uv_loop_t uv;
static struct counters counters;
static struct minter minter;

static int begin(void **state)
{
    (void)state;
    memset(&counters, 0, sizeof counters);
    uv_loop_init(&uv);
    return minter_init(&minter, &uv, &counters, 8) ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    if (minter.mint)
        minter_close(&minter);
    uv_run(&uv, UV_RUN_DEFAULT);
    return uv_loop_close(&uv);
}

static uint64_t count(enum counter which)
{
    return atomic_load(&counters.values[which]);
}

/* What one who waits was told. */
struct told {
    struct mint_wait *wait;    /* NULL: it is over */
    X509 *certificate;         /* NULL: there is none; else to be freed */
    struct mint_wait **cancel; /* to be cancelled by the callback */
};

static void on_leaf(void *arg, const struct leaf *leaf)
{
    struct told *t = arg;
    assert_non_null(t->wait);
    t->wait = NULL;
    if (leaf) {
        assert_int_equal(X509_check_private_key(leaf->certificate, leaf->key), 1);
        X509_up_ref(leaf->certificate);
        t->certificate = leaf->certificate;
    }
    if (t->cancel && *t->cancel) {
        mint_cancel(*t->cancel);
        *t->cancel = NULL;
    }
}

static void start(struct told *t, struct ca *of, const char *name, enum tf_leaf kind)
{
    *t = (struct told){.wait = mint_start(&minter, of, name, kind, on_leaf, t)};
    assert_non_null(t->wait);
}

/* All that is being made. */
static void await(void)
{
    uv_run(&uv, UV_RUN_DEFAULT);
}

/* Makes a leaf; its certificate, which the cache has. */
static const X509 *mint(const char *name, enum tf_leaf kind)
{
    struct told t;
    start(&t, ca, name, kind);
    await();
    assert_null(t.wait);
    assert_non_null(t.certificate);
    X509_free(t.certificate);
    const struct leaf *leaf = mint_cached(&minter, ca, name, kind);
    assert_non_null(leaf);
    return leaf->certificate;
}

static bool is_cached(const char *name)
{
    return mint_cached(&minter, ca, name, TF_LEAF_ECDSA) != NULL;
}

static void a_leaf_is_made_once_and_then_there(void **state)
{
    (void)state;
    assert_false(is_cached("a.floor.test"));
    const X509 *made = mint("a.floor.test", TF_LEAF_ECDSA);
    assert_ptr_equal(mint_cached(&minter, ca, "a.floor.test", TF_LEAF_ECDSA)->certificate, made);
    assert_int_equal(count(COUNTER_MINTED), 1);
    assert_int_equal(count(COUNTER_MINT_CACHE_HITS), 2);
}

static void names_and_kinds_have_leaves_of_their_own(void **state)
{
    (void)state;
    const X509 *ec = mint("a.floor.test", TF_LEAF_ECDSA);
    assert_null(mint_cached(&minter, ca, "a.floor.test", TF_LEAF_RSA));
    assert_false(is_cached("b.floor.test"));
    assert_ptr_not_equal(mint("a.floor.test", TF_LEAF_RSA), ec);
    assert_int_equal(EVP_PKEY_get_base_id(mint_cached(&minter, ca, "a.floor.test", TF_LEAF_RSA)->key),
                     EVP_PKEY_RSA);
}

static void all_that_wait_for_a_name_share_one_job(void **state)
{
    struct told told[20];
    (void)state;
    for (size_t i = 0; i < 20; i++)
        start(&told[i], ca, "a.floor.test", TF_LEAF_ECDSA);
    await();
    for (size_t i = 0; i < 20; i++) {
        assert_null(told[i].wait);
        assert_ptr_equal(told[i].certificate, told[0].certificate);
    }
    for (size_t i = 0; i < 20; i++)
        X509_free(told[i].certificate);
    assert_int_equal(count(COUNTER_MINTED), 1);
}

static void who_cancels_hears_nothing_and_the_leaf_is_kept(void **state)
{
    struct told t;
    (void)state;
    start(&t, ca, "a.floor.test", TF_LEAF_ECDSA);
    mint_cancel(t.wait);
    await();
    assert_non_null(t.wait); /* never called */
    assert_true(is_cached("a.floor.test"));
}

static void a_callback_may_cancel_another_wait_for_the_same(void **state)
{
    struct told one, two;
    (void)state;
    start(&one, ca, "a.floor.test", TF_LEAF_ECDSA);
    start(&two, ca, "a.floor.test", TF_LEAF_ECDSA);
    one.cancel = &two.wait;
    two.cancel = &one.wait;
    await();
    assert_null(one.wait);
    assert_null(two.wait);
    assert_int_equal((one.certificate != NULL) + (two.certificate != NULL), 1);
    X509_free(one.certificate);
    X509_free(two.certificate);
}

static void on_leaf_close(void *arg, const struct leaf *leaf)
{
    minter_close(&minter);
    assert_int_equal(X509_check_private_key(leaf->certificate, leaf->key), 1);
    *(bool *)arg = true;
}

static void a_callback_may_close_the_minter(void **state)
{
    bool called = false;
    (void)state;
    assert_non_null(mint_start(&minter, ca, "a.floor.test", TF_LEAF_ECDSA, on_leaf_close, &called));
    await();
    assert_true(called);
}

static void the_cache_is_bounded_and_forgets_what_was_unused_for_longest(void **state)
{
    char name[32];
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "n%zu.floor.test", i);
        mint(name, TF_LEAF_ECDSA);
    }
    assert_true(is_cached("n0.floor.test")); /* used again */
    mint("n8.floor.test", TF_LEAF_ECDSA);
    assert_true(is_cached("n0.floor.test"));
    assert_false(is_cached("n1.floor.test"));
    assert_true(is_cached("n2.floor.test"));

    minter.max = 2;
    mint("n9.floor.test", TF_LEAF_ECDSA);
    assert_true(is_cached("n9.floor.test"));
    assert_true(is_cached("n2.floor.test"));
    assert_false(is_cached("n0.floor.test"));
    assert_false(is_cached("n8.floor.test"));
}

static void a_large_cache_finds_everything(void **state)
{
    enum { MANY = 300 };
    static struct told told[MANY];
    char name[32];
    (void)state;
    minter.max = MANY;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "n%zu.floor.test", i);
        start(&told[i], ca, name, TF_LEAF_ECDSA);
    }
    await();
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "n%zu.floor.test", i);
        const struct leaf *leaf = mint_cached(&minter, ca, name, TF_LEAF_ECDSA);
        assert_non_null(leaf);
        assert_ptr_equal(leaf->certificate, told[i].certificate);
        X509_free(told[i].certificate);
    }
    assert_int_equal(count(COUNTER_MINTED), MANY);
}

/* A CA whose own certificate ends so soon that there is no leaf of a full life. */
static struct ca *load_ending(int64_t left_s)
{
    X509 *x = X509_dup(ca_certificate(ca));
    EVP_PKEY *key = NULL;
    FILE *f = fopen(stage_path(&stage, "ca.key"), "r");
    assert_non_null(f);
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), time(NULL) + left_s));
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    f = fopen(stage_path(&stage, "ca.pem"), "w");
    assert_int_equal(PEM_write_X509(f, x), 1);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
    return stage_load(&stage);
}

static void a_leaf_in_its_last_quarter_is_made_anew(void **state)
{
    struct ca *ending = load_ending(8);
    struct told t;
    (void)state;
    start(&t, ending, "a.floor.test", TF_LEAF_ECDSA);
    await();
    int64_t end_s = certificate_seconds(X509_get0_notAfter(t.certificate));
    int64_t now_s, last_s = 0;
    while (now_s = time(NULL), mint_cached(&minter, ending, "a.floor.test", TF_LEAF_ECDSA)) {
        last_s = now_s;
        uv_sleep(20);
    }
    assert_int_not_equal(last_s, 0);
    assert_true(last_s < end_s - 1);

    X509 *old = t.certificate;
    start(&t, ending, "a.floor.test", TF_LEAF_ECDSA);
    await();
    assert_ptr_not_equal(t.certificate, old);
    X509_free(old);
    X509_free(t.certificate);
    ca_unref(ending);
}

static void a_leaf_that_cannot_be_made_is_told_and_counted(void **state)
{
    struct ca *ending = load_ending(1);
    struct told one, two;
    (void)state;
    while (time(NULL) < certificate_seconds(X509_get0_notAfter(ca_certificate(ending))))
        uv_sleep(20);
    start(&one, ending, "a.floor.test", TF_LEAF_ECDSA);
    start(&two, ending, "a.floor.test", TF_LEAF_ECDSA);
    await();
    assert_null(one.wait);
    assert_null(two.wait);
    assert_null(one.certificate);
    assert_int_equal(count(COUNTER_MINT_FAILED), 1);
    assert_int_equal(count(COUNTER_MINTED), 0);
    assert_null(mint_cached(&minter, ending, "a.floor.test", TF_LEAF_ECDSA));
    ca_unref(ending);
}

static void a_reload_of_the_same_CA_keeps_the_leaves(void **state)
{
    struct told t;
    (void)state;
    struct ca *first = load_ending(90 * DAY_S), *second = stage_load(&stage);
    start(&t, first, "a.floor.test", TF_LEAF_ECDSA);
    await();
    const struct leaf *leaf = mint_cached(&minter, second, "a.floor.test", TF_LEAF_ECDSA);
    assert_non_null(leaf);
    assert_ptr_equal(leaf->certificate, t.certificate);
    assert_null(mint_cached(&minter, ca, "a.floor.test", TF_LEAF_ECDSA));
    X509_free(t.certificate);
    ca_unref(first);
    ca_unref(second);
}

/* Threads of the pool that are held, so that what is queued behind them does not start. */
static sem_t held;

static void hold(uv_work_t *work)
{
    (void)work;
    sem_wait(&held);
}

static void on_released(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

static void jobs_that_run_or_wait_when_the_minter_is_closed_end_quietly(void **state)
{
    uv_work_t works[POOL];
    struct told t;
    (void)state;
    start(&t, ca, "running.floor.test", TF_LEAF_RSA); /* most likely */
    mint_cancel(t.wait);
    sem_init(&held, 0, 0);
    for (size_t i = 0; i < POOL; i++)
        assert_int_equal(uv_queue_work(&uv, &works[i], hold, on_released), 0);
    start(&t, ca, "queued.floor.test", TF_LEAF_ECDSA);
    mint_cancel(t.wait);
    minter_close(&minter);
    for (size_t i = 0; i < POOL; i++)
        sem_post(&held);
    await();
    sem_destroy(&held);
    assert_int_equal(count(COUNTER_MINTED) + count(COUNTER_MINT_FAILED), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(a_leaf_is_made_once_and_then_there),
        TEST(names_and_kinds_have_leaves_of_their_own),
        TEST(all_that_wait_for_a_name_share_one_job),
        TEST(who_cancels_hears_nothing_and_the_leaf_is_kept),
        TEST(a_callback_may_cancel_another_wait_for_the_same),
        TEST(a_callback_may_close_the_minter),
        TEST(the_cache_is_bounded_and_forgets_what_was_unused_for_longest),
        TEST(a_large_cache_finds_everything),
        TEST(a_leaf_in_its_last_quarter_is_made_anew),
        TEST(a_leaf_that_cannot_be_made_is_told_and_counted),
        TEST(a_reload_of_the_same_CA_keeps_the_leaves),
        TEST(jobs_that_run_or_wait_when_the_minter_is_closed_end_quietly),
    };
    return cmocka_run_group_tests_name("mint", tests, begin_all, finish_all);
}
