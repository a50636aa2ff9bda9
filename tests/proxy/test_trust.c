/* The files of [upstream]: roots, client certificate and key, and what is said when they are no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../proxy/tls_context.h"
#include "../../proxy/trust.h"
#include "tls_pair.h"
#include <sys/stat.h>

static char directory[] = "/tmp/tlsfloor-test-XXXXXX";
static struct maker ca, own, other, rsa;

static const char *path_of(const char *name)
{
    static char paths[4][64];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    ca = cert_make(&(struct cert_plan){.cn = "our ca", .is_ca = true}, NULL);
    own = cert_make(&(struct cert_plan){.cn = "connector", .usage = "clientAuth"}, &ca);
    other = cert_make(&(struct cert_plan){.cn = "other"}, &ca);
    rsa = cert_make(&(struct cert_plan){.cn = "rsa", .rsa_bits = 2048}, &ca);
    X509 *chain[] = {own.certificate, ca.certificate};
    cert_write(path_of("ca.pem"), &ca.certificate, 1, NULL, NULL);
    cert_write(path_of("both.pem"), chain, 2, own.key, NULL);
    cert_write(path_of("chain.pem"), chain, 2, NULL, NULL);
    cert_write(path_of("own.key"), NULL, 0, own.key, NULL);
    cert_write(path_of("secret.key"), NULL, 0, own.key, "password");
    cert_write(path_of("other.key"), NULL, 0, other.key, NULL);
    cert_write(path_of("rsa.key"), NULL, 0, rsa.key, NULL);
    write_text("empty", "");
    write_text("garbage", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const names[] = {"ca.pem",    "both.pem", "chain.pem", "own.key", "secret.key",
                                        "other.key", "rsa.key",  "empty",     "garbage"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    cert_free(&ca);
    cert_free(&own);
    cert_free(&other);
    cert_free(&rsa);
    return rmdir(directory);
}

static SSL_CTX *load(const char *roots, const char *certificate, const char *key, char *error, size_t size)
{
    struct tf_conf conf = pair_conf(strcmp(roots, "system") == 0 ? roots : path_of(roots));
    if (certificate[0] != '\0')
        conf.upstream.certificate = path_of(certificate);
    if (key[0] != '\0')
        conf.upstream.key = path_of(key);
    SSL_CTX *context = tls_context_outside(TLS1_2_VERSION);
    if (trust_load(context, &conf, error, size))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static void assert_loads(const char *roots, const char *certificate, const char *key)
{
    char error[512] = "";
    SSL_CTX *context = load(roots, certificate, key, error, sizeof error);
    if (context == NULL)
        fail_msg("%s", error);
    STACK_OF(X509) * chain;
    SSL_CTX_get_extra_chain_certs(context, &chain);
    assert_int_equal(SSL_CTX_get0_certificate(context) != NULL, certificate[0] != '\0');
    assert_int_equal(sk_X509_num(chain), certificate[0] != '\0' ? 1 : -1);
    SSL_CTX_free(context);
}

/* The sentence names the setting and has these words. */
static void assert_fails(const char *roots, const char *certificate, const char *key, const char *setting,
                         const char *words)
{
    char error[512] = "";
    assert_null(load(roots, certificate, key, error, sizeof error));
    assert_int_equal(ERR_peek_error(), 0);
    if (strncmp(error, setting, strlen(setting)) != 0 || strstr(error, words) == NULL)
        fail_msg("%s ... %s\nis not:\n%s", setting, words, error);
}

static void files_that_are_sound_are_loaded(void **state)
{
    (void)state;
    assert_loads("system", "", "");
    assert_loads("ca.pem", "", "");
    assert_loads("ca.pem", "both.pem", "");
    assert_loads("ca.pem", "chain.pem", "own.key");
    assert_loads("ca.pem", "both.pem", "both.pem");
}

static void roots_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_fails("nowhere.pem", "", "", "[upstream] ca_file: /tmp/", "No such file or directory");
    assert_fails("", "", "", "[upstream] ca_file: /tmp/", "Is a directory");
    assert_fails("empty", "", "", "[upstream] ca_file: /tmp/", "write a file of PEM certificates, or system");
    assert_fails("garbage", "", "", "[upstream] ca_file: /tmp/",
                 "write a file of PEM certificates, or system");
    assert_fails("own.key", "", "", "[upstream] ca_file: /tmp/",
                 "write a file of PEM certificates, or system");
}

static void certificate_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_fails("ca.pem", "nowhere.pem", "own.key", "[upstream] certificate: /tmp/",
                 "No such file or directory");
    assert_fails("ca.pem", "empty", "own.key", "[upstream] certificate: /tmp/", "then its chain, as PEM");
    assert_fails("ca.pem", "garbage", "own.key", "[upstream] certificate: /tmp/", "then its chain, as PEM");
}

static void key_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    const char *words = "this is not the key of [upstream] certificate";
    assert_fails("ca.pem", "chain.pem", "other.key", "[upstream] key: /tmp/", words);
    assert_fails("ca.pem", "chain.pem", "rsa.key", "[upstream] key: /tmp/", words);
}

static void key_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    assert_fails("ca.pem", "chain.pem", "nowhere.key", "[upstream] key: /tmp/", "No such file or directory");
    assert_fails("ca.pem", "chain.pem", "secret.key", "[upstream] key: /tmp/",
                 "the key has a password; take it off");
    assert_fails("ca.pem", "chain.pem", "empty", "[upstream] key: /tmp/", "must hold the key");
    assert_fails("ca.pem", "chain.pem", "", "[upstream] certificate: /tmp/", "there is no key in it");
    assert_fails("ca.pem", "", "own.key", "[upstream] key: /tmp/", "a key without a certificate");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_sound_are_loaded),
        cmocka_unit_test(roots_that_are_none_are_refused),
        cmocka_unit_test(certificate_that_is_none_is_refused),
        cmocka_unit_test(key_that_does_not_fit_is_refused),
        cmocka_unit_test(key_that_cannot_be_read_is_refused),
    };
    return cmocka_run_group_tests_name("trust", tests, setup, teardown);
}
