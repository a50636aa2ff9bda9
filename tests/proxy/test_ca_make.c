/* ca_make.c, ca_names.c: what the CA is made of, that it is made whole or not at all, and renewed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/ca_names.h"
#include "../../proxy/certificate.h"
#include "ca_fixture.h"
#include <dirent.h>
#include <errno.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

enum { DAY_S = 86400 };

static struct ca_stage stage;

static int begin(void **state)
{
    (void)state;
    stage_begin(&stage);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    stage_end(&stage);
    return 0;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (unsigned)st.st_mode & 07777;
}

static void the_key_is_for_its_owner_alone(void **state)
{
    (void)state;
    umask(0);
    stage_make(&stage);
    umask(022);
    assert_int_equal(mode_of(stage.directory), 0700);
    assert_int_equal(mode_of(stage_path(&stage, "ca.key")), 0600);
    assert_int_equal(mode_of(stage_path(&stage, "ca.pem")), 0644);
}

static void the_certificate_is_that_of_a_root_for_leaves_of_servers_only(void **state)
{
    (void)state;
    stage_make(&stage);
    struct ca *ca = stage_load(&stage);
    X509 *x = ca_certificate(ca);
    EVP_PKEY *key = X509_get0_pubkey(x);
    assert_int_equal(X509_self_signed(x, 1), 1);
    assert_int_equal(X509_check_ca(x), 1);
    assert_int_equal(X509_get_pathlen(x), 0);
    assert_int_equal(X509_get_key_usage(x), KU_KEY_CERT_SIGN);
    assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
    assert_non_null(X509_get0_subject_key_id(x));
    assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_RSA);
    assert_int_equal(EVP_PKEY_get_bits(key), 2048);
    assert_int_equal(X509_get_signature_nid(x), NID_sha256WithRSAEncryption);

    int64_t from_s = certificate_seconds(X509_get0_notBefore(x)), now_s = time(NULL);
    assert_in_range(now_s - from_s, DAY_S, DAY_S + 60);
    assert_in_range(certificate_seconds(X509_get0_notAfter(x)) - now_s, 3652 * (int64_t)DAY_S - 60,
                    3652 * (int64_t)DAY_S);
    ca_unref(ca);
}

/* The subtrees that the certificate is limited to, as text; how the extension is marked in *critical. */
static const char *constraints(int *critical)
{
    static char text[512];
    struct ca *ca = stage_load(&stage);
    struct ca_names names;
    NAME_CONSTRAINTS *c = X509_get_ext_d2i(ca_certificate(ca), NID_name_constraints, critical, NULL);
    assert_non_null(c);
    assert_int_equal(sk_GENERAL_SUBTREE_num(c->excludedSubtrees), 2);
    assert_int_equal(sk_GENERAL_SUBTREE_value(c->excludedSubtrees, 0)->base->type, GEN_IPADD);
    assert_int_equal(sk_GENERAL_SUBTREE_value(c->excludedSubtrees, 1)->base->type, GEN_IPADD);
    NAME_CONSTRAINTS_free(c);

    assert_true(ca_names_read(&names, ca_certificate(ca)));
    text[0] = '\0';
    for (char **name = names.permitted; *name; name++) {
        strcat(text, *name);
        strcat(text, " ");
    }
    ca_names_fini(&names);
    ca_unref(ca);
    return text;
}

static void names_are_limited_to_the_fewest_subtrees_that_rules_need(void **state)
{
    static const char *const patterns[] = {
        "a.b.floor.test",  "*.b.floor.test", "x-b.floor.test", "b.floor.test",
        "*cdn.other.test", "cdn.other.test", "*.b.floor.test", NULL};
    int critical;
    (void)state;
    stage_upgrade(&stage, patterns);
    stage_make(&stage);
    assert_string_equal(constraints(&critical), "other.test b.floor.test x-b.floor.test ");
    assert_int_equal(critical, 1);
}

static void constraints_can_be_made_lenient(void **state)
{
    int critical;
    (void)state;
    stage.conf.ca.lenient = true;
    stage_make(&stage);
    assert_string_equal(constraints(&critical), "floor.test ");
    assert_int_equal(critical, 0);
}

static void a_rule_for_every_name_leaves_only_addresses_out(void **state)
{
    static const char *const patterns[] = {"*.floor.test", "*", NULL};
    int critical;
    (void)state;
    stage_upgrade(&stage, patterns);
    stage_make(&stage);
    assert_string_equal(constraints(&critical), "");
    struct ca *ca = stage_load(&stage);
    assert_true(ca_covers(ca, "*"));
    assert_true(ca_permits(ca, "anything.test"));
    ca_unref(ca);
}

static void where_nothing_is_upgraded_no_name_is_permitted(void **state)
{
    int critical;
    (void)state;
    stage.conf.policy.rule_count = 0;
    stage_make(&stage);
    assert_string_equal(constraints(&critical), "invalid ");
    struct ca *ca = stage_load(&stage);
    assert_false(ca_permits(ca, "outlook.office365.com"));
    ca_unref(ca);
}

/* Whether there is nothing but this in the directory. */
static void assert_files(const char *const *names, size_t n)
{
    DIR *d = opendir(stage.directory);
    size_t found = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        bool known = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        for (size_t i = 0; i < n; i++) {
            found += strcmp(e->d_name, names[i]) == 0;
            known |= strcmp(e->d_name, names[i]) == 0;
        }
        if (!known)
            fail_msg("%s was left behind", e->d_name);
    }
    closedir(d);
    assert_int_equal(found, n);
}

static const char *const both[] = {"ca.pem", "ca.key"};

static void what_is_there_is_never_changed(void **state)
{
    (void)state;
    stage_make(&stage);
    struct ca *before = stage_load(&stage);
    stage_make(&stage);
    struct ca *after = stage_load(&stage);
    assert_memory_equal(ca_id(before), ca_id(after), CA_ID_SIZE);
    ca_unref(before);
    ca_unref(after);
    assert_files(both, 2);
}

static void *make_and_load(void *nothing)
{
    (void)nothing;
    stage_make(&stage);
    return stage_load(&stage);
}

static void of_many_that_make_it_at_once_all_have_the_same(void **state)
{
    enum { MANY = 6 };
    pthread_t threads[MANY];
    struct ca *made[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_load, NULL), 0);
    for (size_t i = 0; i < MANY; i++)
        pthread_join(threads[i], (void **)&made[i]);
    for (size_t i = 0; i < MANY; i++) {
        assert_memory_equal(ca_id(made[0]), ca_id(made[i]), CA_ID_SIZE);
        if (i > 0)
            ca_unref(made[i]);
    }
    ca_unref(made[0]);
    assert_files(both, 2);
}

static void a_key_without_a_certificate_is_completed(void **state)
{
    char error[CA_ERROR_MAX];
    bool missing = false;
    (void)state;
    stage_make(&stage);
    struct ca *before = stage_load(&stage);
    unlink(stage_path(&stage, "ca.pem"));
    assert_null(ca_load(&stage.conf, &missing, error, sizeof error));
    assert_true(missing);
    stage_make(&stage);
    struct ca *after = stage_load(&stage);
    assert_int_equal(
        EVP_PKEY_eq(X509_get0_pubkey(ca_certificate(before)), X509_get0_pubkey(ca_certificate(after))), 1);
    ca_unref(before);
    ca_unref(after);
}

static void a_certificate_without_its_key_is_left_alone(void **state)
{
    char error[CA_ERROR_MAX] = "";
    (void)state;
    stage_make(&stage);
    unlink(stage_path(&stage, "ca.key"));
    stage_make(&stage);
    assert_false(ca_make(&stage.conf, true, error, sizeof error));
    assert_non_null(strstr(error, "ca.key is not there"));
    assert_files(both, 1);
    stage_refuse(&stage, "ca.key is not there");
}

static void renewing_keeps_key_name_and_the_old_certificate(void **state)
{
    static const char *const patterns[] = {"*.floor.test", "*.new.test", NULL};
    char error[CA_ERROR_MAX], kept[64];
    (void)state;
    stage_make(&stage);
    struct ca *before = stage_load(&stage);
    stage_upgrade(&stage, patterns);
    assert_false(ca_covers(before, "*.new.test"));
    assert_true(ca_make(&stage.conf, true, error, sizeof error));
    struct ca *after = stage_load(&stage);
    assert_true(ca_covers(after, "*.new.test"));
    assert_true(ca_covers(after, "*.floor.test"));

    X509 *old = ca_certificate(before), *new = ca_certificate(after);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(old), X509_get0_pubkey(new)), 1);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(old), X509_get_subject_name(new)), 0);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(old), X509_get0_serialNumber(new)), 0);

    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(old), NULL);
    char *serial = BN_bn2hex(number);
    snprintf(kept, sizeof kept, "ca-%s.pem", serial);
    OPENSSL_free(serial);
    BN_free(number);
    assert_files((const char *const[]){"ca.pem", "ca.key", kept}, 3);
    FILE *f = fopen(stage_path(&stage, kept), "r");
    X509 *read = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    assert_int_equal(X509_cmp(old, read), 0);
    X509_free(read);
    ca_unref(before);
    ca_unref(after);
}

static void two_CAs_have_different_names(void **state)
{
    (void)state;
    stage_make(&stage);
    struct ca *first = stage_load(&stage);
    char *directory = strdup(stage.directory);
    strcat(stage.directory, "2");
    stage_make(&stage);
    struct ca *second = stage_load(&stage);
    assert_int_not_equal(X509_NAME_cmp(X509_get_subject_name(ca_certificate(first)),
                                       X509_get_subject_name(ca_certificate(second))),
                         0);
    strcpy(stage.directory, directory);
    free(directory);
    ca_unref(first);
    ca_unref(second);
}

static void a_directory_that_cannot_be_made_is_named(void **state)
{
    char error[CA_ERROR_MAX] = "";
    (void)state;
    stage.conf.ca.directory = "/proc/nowhere/ca";
    assert_false(ca_make(&stage.conf, false, error, sizeof error));
    assert_non_null(strstr(error, "cannot make the directory /proc/nowhere/ca: "));
    stage.conf.ca.directory = "off";
    assert_false(ca_make(&stage.conf, false, error, sizeof error));
    assert_non_null(strstr(error, "[ca] directory = off"));
}

static void a_CA_that_would_be_too_large_is_not_made(void **state)
{
    enum { MANY = 2001 };
    static char names[MANY][16];
    struct tf_destination *to = calloc(MANY, sizeof *to);
    char error[CA_ERROR_MAX] = "";
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "n%zu.test", i);
        to[i].pattern = names[i];
    }
    stage.rule.destinations = to;
    stage.rule.destination_count = MANY;
    assert_false(ca_make(&stage.conf, false, error, sizeof error));
    assert_non_null(strstr(error, "2001 domains"));
    assert_files(&both[1], 1); /* the next try takes the key */
    free(to);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(the_key_is_for_its_owner_alone),
        TEST(the_certificate_is_that_of_a_root_for_leaves_of_servers_only),
        TEST(names_are_limited_to_the_fewest_subtrees_that_rules_need),
        TEST(constraints_can_be_made_lenient),
        TEST(a_rule_for_every_name_leaves_only_addresses_out),
        TEST(where_nothing_is_upgraded_no_name_is_permitted),
        TEST(what_is_there_is_never_changed),
        TEST(of_many_that_make_it_at_once_all_have_the_same),
        TEST(a_key_without_a_certificate_is_completed),
        TEST(a_certificate_without_its_key_is_left_alone),
        TEST(renewing_keeps_key_name_and_the_old_certificate),
        TEST(two_CAs_have_different_names),
        TEST(a_directory_that_cannot_be_made_is_named),
        TEST(a_CA_that_would_be_too_large_is_not_made),
    };
    return cmocka_run_group_tests_name("ca_make", tests, NULL, NULL);
}
