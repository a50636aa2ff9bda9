/* Hostile and merely wrong certificates: none passes, none costs much, and each is told in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "tls_pair.h"

#define NAME "www.good.test"

/* No chain, however hostile, may take so long: a loop serves others meanwhile. With room for sanitizers. */
enum { CPU_MAX_S = 3 };

static struct maker root;
static struct tls *tls;
static char ca_file[] = "/tmp/tlsfloor-test-XXXXXX";

static int setup(void **state)
{
    (void)state;
    close(mkstemp(ca_file));
    root = cert_make(&(struct cert_plan){.cn = "good root", .is_ca = true}, NULL);
    cert_write(ca_file, &root.certificate, 1, NULL, NULL);
    struct tf_conf conf = pair_conf(ca_file);
    tls = pair_tls(&conf, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tls_unref(tls);
    cert_free(&root);
    unlink(ca_file);
    return 0;
}

/* What came of a handshake. */
struct outcome {
    bool passed;
    enum tf_reason reason;
    char why[512];
};

static struct outcome meet(const char *name, const struct maker *own, X509 *const *above, size_t n)
{
    struct outcome o = {.passed = false};
    SSL_CTX *context = pair_peer(TLS_server_method(), TLS1_2_VERSION, TLS1_3_VERSION, own, above, n);
    SSL *server = pair_server(context);
    SSL *client = tls_outside(tls, name, (struct tf_span){NULL, 0}, true, NULL);
    assert_non_null(client);
    clock_t began = clock();
    o.passed = pair_shake(client, server);
    if (!o.passed) {
        struct tf_writer w = tf_writer_of(o.why, sizeof o.why - 1);
        o.reason = tls_outside_failure(client, &w);
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_true(clock() - began < CPU_MAX_S * CLOCKS_PER_SEC);
    for (const char *p = o.why; *p != '\0'; p++)
        assert_true(*p >= 0x20 && *p < 0x7f);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return o;
}

static void assert_passes(struct outcome o)
{
    if (!o.passed)
        fail_msg("refused: %s", o.why);
}

static void assert_refused(struct outcome o, const char *const *words)
{
    assert_false(o.passed);
    assert_int_equal(o.reason, TF_REASON_UPSTREAM_VERIFY_FAILED);
    for (; *words != NULL; words++)
        if (strstr(o.why, *words) == NULL)
            fail_msg("%s\nis not in:\n%s", *words, o.why);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A server's certificate, signed by the good root. */
static struct outcome meet_plan(const char *name, const struct cert_plan *plan)
{
    struct maker own = cert_make(plan, &root);
    struct outcome o = meet(name, &own, NULL, 0);
    cert_free(&own);
    return o;
}

/* A sound certificate below an intermediate, which the good root has signed. */
static struct outcome meet_below(const struct cert_plan *intermediate, const struct cert_plan *plan)
{
    struct maker between = cert_make(intermediate, &root), own = cert_make(plan, &between);
    struct outcome o = meet(NAME, &own, &between.certificate, 1);
    cert_free(&own);
    cert_free(&between);
    return o;
}

static const struct cert_plan sound = {.cn = NAME, .san = "DNS:" NAME};

static void sound_chains_pass(void **state)
{
    (void)state;
    assert_passes(meet_plan(NAME, &sound));
    assert_passes(meet_plan(NAME, &(struct cert_plan){.cn = "x", .san = "DNS:" NAME, .usage = ""}));
    assert_passes(meet_plan("a.good.test", &(struct cert_plan){.cn = "x", .san = "DNS:*.good.test"}));
    assert_passes(meet_below(&(struct cert_plan){.cn = "between", .is_ca = true}, &sound));
    assert_passes(meet_plan("127.0.0.1", &(struct cert_plan){.cn = "x", .san = "IP:127.0.0.1"}));
    assert_passes(meet_plan("::1", &(struct cert_plan){.cn = "x", .san = "IP:::1"}));
}

static void expired_certificate_is_told_with_its_last_day(void **state)
{
    (void)state;
    struct cert_plan plan = sound;
    plan.from_s = -100 * 86400;
    plan.to_s = -1;
    time_t now = time(NULL) - 1;
    char day[32];
    strftime(day, sizeof day, ", valid until %Y-%m-%d", gmtime(&now));
    assert_refused(meet_plan(NAME, &plan),
                   WORDS("certificate has expired: CN=" NAME " (depth 0, issued by CN=good root)", day));
}

static void certificate_of_the_future_is_told_with_its_first_day(void **state)
{
    (void)state;
    struct cert_plan plan = sound;
    plan.from_s = 400 * 86400;
    plan.to_s = 500 * 86400;
    assert_refused(meet_plan(NAME, &plan), WORDS("certificate is not yet valid", ", valid from 20"));
}

static void expired_intermediate_is_the_one_that_is_told(void **state)
{
    (void)state;
    struct cert_plan old = {.cn = "old between", .is_ca = true, .from_s = -200, .to_s = -100};
    assert_refused(meet_below(&old, &sound), WORDS("certificate has expired: CN=old between (depth 1"));
}

static void self_signed_certificate_and_unknown_roots_are_refused(void **state)
{
    (void)state;
    struct maker own = cert_make(&sound, NULL);
    assert_refused(meet(NAME, &own, NULL, 0), WORDS("self-signed certificate", "[upstream] ca_file"));
    cert_free(&own);

    struct maker other = cert_make(&(struct cert_plan){.cn = "other root", .is_ca = true}, NULL);
    own = cert_make(&sound, &other);
    assert_refused(meet(NAME, &own, NULL, 0),
                   WORDS("unable to get local issuer certificate", "CN=other root"));
    assert_refused(meet(NAME, &own, &other.certificate, 1),
                   WORDS("self-signed certificate in certificate chain", "CN=other root (depth 1"));
    cert_free(&own);
    cert_free(&other);
}

static void root_of_the_right_name_with_another_key_is_refused(void **state)
{
    (void)state;
    struct maker impostor = cert_make(&(struct cert_plan){.cn = "good root", .is_ca = true}, NULL);
    struct maker own = cert_make(&sound, &impostor);
    assert_refused(meet(NAME, &own, NULL, 0), WORDS("certificate signature failure"));
    assert_refused(meet(NAME, &own, &impostor.certificate, 1), WORDS("certificate"));
    cert_free(&own);
    cert_free(&impostor);
}

static void other_names_are_refused_and_told(void **state)
{
    (void)state;
    struct cert_plan plan = {.cn = NAME,
                             .san = "DNS:a.test,DNS:b.test,DNS:c.test,IP:127.0.0.1,DNS:d.test,DNS:e.test"};
    assert_refused(meet_plan(NAME, &plan),
                   WORDS("hostname mismatch", "which is for a.test, b.test, c.test and 2 more"));
    plan.san = "email:" NAME "@a.test";
    assert_refused(meet_plan(NAME, &plan), WORDS("hostname mismatch", "which is for no host name"));
}

static void common_name_is_no_name(void **state)
{
    (void)state;
    assert_refused(meet_plan(NAME, &(struct cert_plan){.cn = NAME}),
                   WORDS("hostname mismatch", "for no host name"));
}

static void address_is_none_when_it_is_written_as_a_name(void **state)
{
    (void)state;
    struct cert_plan plan = {.cn = "127.0.0.1", .san = "DNS:127.0.0.1"};
    assert_refused(meet_plan("127.0.0.1", &plan), WORDS("IP address mismatch"));
    plan.san = "IP:127.0.0.1";
    assert_refused(meet_plan(NAME, &plan), WORDS("hostname mismatch"));
}

static void name_with_a_nul_is_not_its_first_half(void **state)
{
    (void)state;
    static const char name[] = NAME "\0.evil.test";
    struct cert_plan plan = {.cn = "x", .raw_name = name, .raw_len = sizeof name - 1};
    assert_refused(meet_plan(NAME, &plan), WORDS("hostname mismatch", NAME "\\x00.evil.test"));
}

static void wildcards_cover_one_whole_label_of_a_real_domain(void **state)
{
    (void)state;
    static const char *const wide[] = {"DNS:*",          "DNS:*.*",          "DNS:*.test",
                                       "DNS:www.*.test", "DNS:w*.good.test", "DNS:*w.good.test"};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        assert_refused(meet_plan(NAME, &(struct cert_plan){.cn = "x", .san = wide[i]}),
                       WORDS("hostname mismatch"));
    assert_refused(meet_plan("a.b.good.test", &(struct cert_plan){.cn = "x", .san = "DNS:*.good.test"}),
                   WORDS("hostname mismatch"));
    assert_refused(meet_plan("good.test", &(struct cert_plan){.cn = "x", .san = "DNS:*.good.test"}),
                   WORDS("hostname mismatch"));
}

static void what_peers_write_is_shown_as_printable_ascii_and_cut(void **state)
{
    (void)state;
    char name[600];
    memset(name, '\x1b', sizeof name);
    memcpy(name, "\r\n\\<b>\xc3\xa9", 8);
    struct cert_plan plan = {.cn = "\x1b[31mred", .raw_name = name, .raw_len = sizeof name};
    assert_refused(meet_plan(NAME, &plan), WORDS("CN=\\x1b[31mred", "\\x0d\\x0a\\x5c<b>\\xc3\\xa9\\x1b"));
}

static void certificate_for_another_purpose_is_refused(void **state)
{
    (void)state;
    struct cert_plan plan = sound;
    plan.usage = "clientAuth,emailProtection";
    assert_refused(meet_plan(NAME, &plan), WORDS("purpose", "CN=" NAME));
}

static void constraints_of_an_intermediate_bite(void **state)
{
    (void)state;
    struct cert_plan between = {
        .cn = "between", .is_ca = true, .constraints = "critical,permitted;DNS:other.test"};
    assert_refused(meet_below(&between, &sound), WORDS("permitted subtree violation"));
    between.constraints = "critical,excluded;DNS:good.test";
    assert_refused(meet_below(&between, &sound), WORDS("excluded subtree violation"));
    between.constraints = "critical,permitted;DNS:good.test";
    assert_passes(meet_below(&between, &sound));
}

static void constraints_times_names_beyond_measure_are_refused(void **state)
{
    (void)state;
    enum { CONSTRAINTS = 1500 };
    char *constraints = malloc(CONSTRAINTS * 32 + 16), *at = constraints;
    at += sprintf(at, "critical");
    for (int i = 0; i < CONSTRAINTS; i++)
        at += sprintf(at, ",permitted;DNS:c%d.test", i);
    struct cert_plan between = {.cn = "between", .is_ca = true, .constraints = constraints};
    struct cert_plan many = {.cn = "x", .raw_name = NAME, .raw_len = strlen(NAME), .san_count = 1500};
    assert_false(meet_below(&between, &many).passed);
    free(constraints);
}

static void intermediate_that_is_no_ca_is_refused(void **state)
{
    (void)state;
    struct cert_plan plans[] = {{.cn = "between", .basic = "critical,CA:FALSE"},
                                {.cn = "between", .basic = ""},
                                {.cn = "between", .is_version_1 = true}};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        assert_refused(meet_below(&plans[i], &sound), WORDS("invalid CA certificate: CN=between (depth 1"));
    struct cert_plan last = {.cn = "between", .basic = "critical,CA:TRUE,pathlen:0"};
    struct maker upper = cert_make(&last, &root);
    struct maker lower = cert_make(&(struct cert_plan){.cn = "lower", .is_ca = true}, &upper);
    struct maker own = cert_make(&sound, &lower);
    assert_refused(meet(NAME, &own, (X509 *[]){lower.certificate, upper.certificate}, 2),
                   WORDS("path length constraint exceeded"));
    cert_free(&own);
    cert_free(&lower);
    cert_free(&upper);
}

static void weak_keys_and_digests_are_refused(void **state)
{
    (void)state;
    struct cert_plan plan = sound;
    plan.rsa_bits = 1024;
    assert_refused(meet_plan(NAME, &plan), WORDS("EE certificate key too weak"));
    plan = sound;
    plan.digest = EVP_sha1();
    assert_refused(meet_plan(NAME, &plan), WORDS("digest algorithm too weak"));
    struct cert_plan between = {.cn = "between", .is_ca = true, .digest = EVP_sha1()};
    assert_refused(meet_below(&between, &sound), WORDS("digest algorithm too weak"));
    /* ECDSA does not go with MD5. */
    struct cert_plan rsa = {.cn = "between", .is_ca = true, .rsa_bits = 2048};
    struct maker upper = cert_make(&rsa, &root);
    plan.digest = EVP_md5();
    struct maker own = cert_make(&plan, &upper);
    assert_refused(meet(NAME, &own, &upper.certificate, 1), WORDS("digest algorithm too weak"));
    cert_free(&own);
    cert_free(&upper);
}

static void issuers_in_a_circle_lead_nowhere(void **state)
{
    (void)state;
    struct cert_plan a_plan = {.cn = "a", .is_ca = true}, b_plan = {.cn = "b", .is_ca = true};
    struct maker a = cert_make(&a_plan, NULL), b = cert_make(&b_plan, NULL);
    struct maker a_by_b = cert_make_for(&a_plan, &b, a.key), b_by_a = cert_make_for(&b_plan, &a, b.key);
    struct maker own = cert_make(&sound, &a);
    assert_refused(meet(NAME, &own, (X509 *[]){a_by_b.certificate, b_by_a.certificate}, 2),
                   WORDS("unable to get local issuer certificate"));
    X509_free(a_by_b.certificate);
    X509_free(b_by_a.certificate);
    cert_free(&own);
    cert_free(&a);
    cert_free(&b);
}

static void chain_may_have_eight_intermediates(void **state)
{
    (void)state;
    enum { LONGEST = 8 };
    struct maker makers[LONGEST + 2];
    X509 *above[LONGEST + 1];
    makers[0] = root;
    for (size_t i = 1; i <= LONGEST + 1; i++) {
        char name[] = {'n', 'o', ' ', (char)('0' + i), '\0'};
        makers[i] = cert_make(&(struct cert_plan){.cn = name, .is_ca = true}, &makers[i - 1]);
    }
    for (size_t n = LONGEST; n <= LONGEST + 1; n++) {
        for (size_t i = 0; i < n; i++)
            above[i] = makers[n - i].certificate;
        struct maker own = cert_make(&sound, &makers[n]);
        struct outcome o = meet(NAME, &own, above, n);
        if (n == LONGEST)
            assert_passes(o);
        else
            assert_refused(o, WORDS("certificate chain too long"));
        cert_free(&own);
    }
    for (size_t i = 1; i <= LONGEST + 1; i++)
        cert_free(&makers[i]);
}

static void thousands_of_names_are_looked_through_and_counted(void **state)
{
    (void)state;
    struct cert_plan plan = {.cn = "x", .san_count = 4000};
    assert_refused(meet_plan(NAME, &plan), WORDS("h0.many.test, h1.many.test, h2.many.test and 3997 more"));
    assert_passes(meet_plan("h3999.many.test", &plan));
}

static void what_is_longer_than_100_KiB_is_not_read(void **state)
{
    (void)state;
    struct cert_plan plans[] = {{.cn = "x", .san_count = 10000},
                                {.cn = NAME, .san = "DNS:" NAME, .padding = 1 << 20}};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct outcome o = meet_plan(NAME, &plans[i]);
        assert_false(o.passed);
        assert_int_equal(o.reason, TF_REASON_UPSTREAM_TLS_FAILED);
        assert_non_null(strstr(o.why, "longer than 100 KiB"));
    }
}

static void certificates_of_no_use_do_not_hurt(void **state)
{
    (void)state;
    enum { MANY = 150 };
    X509 *above[MANY];
    struct maker own = cert_make(&sound, &root);
    /* All of them look like the issuer of each other. */
    for (size_t i = 0; i < MANY; i++) {
        struct maker m = cert_make(&(struct cert_plan){.cn = "good root", .is_ca = true}, NULL);
        above[i] = m.certificate;
        EVP_PKEY_free(m.key);
    }
    assert_passes(meet(NAME, &own, above, MANY));
    cert_free(&own);
    for (size_t i = 0; i < MANY; i++)
        X509_free(above[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_chains_pass),
        cmocka_unit_test(expired_certificate_is_told_with_its_last_day),
        cmocka_unit_test(certificate_of_the_future_is_told_with_its_first_day),
        cmocka_unit_test(expired_intermediate_is_the_one_that_is_told),
        cmocka_unit_test(self_signed_certificate_and_unknown_roots_are_refused),
        cmocka_unit_test(root_of_the_right_name_with_another_key_is_refused),
        cmocka_unit_test(other_names_are_refused_and_told),
        cmocka_unit_test(common_name_is_no_name),
        cmocka_unit_test(address_is_none_when_it_is_written_as_a_name),
        cmocka_unit_test(name_with_a_nul_is_not_its_first_half),
        cmocka_unit_test(wildcards_cover_one_whole_label_of_a_real_domain),
        cmocka_unit_test(what_peers_write_is_shown_as_printable_ascii_and_cut),
        cmocka_unit_test(certificate_for_another_purpose_is_refused),
        cmocka_unit_test(constraints_of_an_intermediate_bite),
        cmocka_unit_test(constraints_times_names_beyond_measure_are_refused),
        cmocka_unit_test(intermediate_that_is_no_ca_is_refused),
        cmocka_unit_test(weak_keys_and_digests_are_refused),
        cmocka_unit_test(issuers_in_a_circle_lead_nowhere),
        cmocka_unit_test(chain_may_have_eight_intermediates),
        cmocka_unit_test(thousands_of_names_are_looked_through_and_counted),
        cmocka_unit_test(what_is_longer_than_100_KiB_is_not_read),
        cmocka_unit_test(certificates_of_no_use_do_not_hurt),
    };
    return cmocka_run_group_tests_name("tls_verdict", tests, setup, teardown);
}
