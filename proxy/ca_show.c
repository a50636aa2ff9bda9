/* `tlsfloor ca show`: a CA in words, and whether the rules have outgrown it. */
#include "ca_command.h"

#include "../lib/calendar.h"
#include "ca_files.h"
#include "ca_names.h"
#include "certificate.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, UNCOVERED_MAX = 20, LINE_LONGEST = 100 };

static void print_row(const char *label, const char *value)
{
    printf("%-12s %s\n", label, value);
}

/* --- the certificate --- */

static void print_name(const char *label, const X509_NAME *name)
{
    BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
    printf("%-12s ", label);
    if (out)
        X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    printf("\n");
    BIO_free(out);
}

static void print_serial(const X509 *x)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    print_row("serial", hex ? hex : "");
    OPENSSL_free(hex);
    BN_free(number);
}

static void print_fingerprint(const char *label, const X509 *x, const EVP_MD *digest, const char *note)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509_digest(x, digest, bytes, &n);
    printf("%-12s ", label);
    for (unsigned i = 0; i < n; i++)
        printf("%s%02X", i > 0 ? ":" : "", bytes[i]);
    printf("%s\n", note);
}

/* `2026-11-21 02:18:49 UTC` */
static void print_time(const char *label, int64_t time_s, const char *end)
{
    char text[40];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_time(&w, time_s * 1000000);
    printf("%-12s %.10s %.8s UTC%s", label, text, text + 11, end);
}

static void print_dates(const X509 *x)
{
    int64_t until_s = certificate_seconds(X509_get0_notAfter(x));
    int64_t days = (until_s - time(NULL)) / DAY_S;
    print_time("from", certificate_seconds(X509_get0_notBefore(x)), "\n");
    print_time("until", until_s, "");
    printf(", %lld day%s left\n", (long long)days, days == 1 ? "" : "s");
}

/* --- the names --- */

static void print_rule(const struct conf *conf, const struct tf_rule *rule)
{
    if (!rule)
        printf("the default for @m365");
    else if (rule->line > 0)
        printf("[rule %s] at %s:%u", rule->name, conf->file, rule->line);
    else
        printf("[rule %s] of the environment", rule->name);
}

/* A walk over what the rules may upgrade. */
struct walk {
    const struct ca *ca;
    const struct conf *conf;
    size_t found;
};

/* Tells which rules want every name. */
static void print_widest(void *arg, const char *pattern, const struct tf_rule *rule)
{
    struct walk *w = arg;
    if (tf_constraint_of(pattern))
        return;
    printf("%-12s ", w->found++ == 0 ? "since" : "");
    print_rule(w->conf, rule);
    printf(rule && rule->action != TF_ACTION_UPGRADE ? " may show a page for every name\n"
                                                     : " may upgrade every name\n");
}

static void print_uncovered(void *arg, const char *pattern, const struct tf_rule *rule)
{
    struct walk *w = arg;
    if (ca_covers(w->ca, pattern) || ++w->found > UNCOVERED_MAX)
        return;
    printf("%-12s %s, by ", w->found == 1 ? "not covered" : "", pattern);
    print_rule(w->conf, rule);
    printf("\n");
}

static void walk(struct walk *w, void (*each)(void *, const char *, const struct tf_rule *))
{
    tf_constraint_walk(&w->conf->tf, tf_day_of(time(NULL)), each, w);
}

/* As many on a line as fit. */
static void print_list(const char *label, char *const *names)
{
    int column = printf("%-12s", label);
    for (; *names; names++) {
        if (column + (int)strlen(*names) + 2 > LINE_LONGEST)
            column = printf("\n%-12s", "") - 1;
        column += printf(" %s%s", *names, names[1] ? "," : "");
    }
    printf("\n");
}

static void print_names(const struct ca *ca, const struct conf *conf)
{
    struct ca_names names;
    struct walk w = {.ca = ca, .conf = conf};
    if (!ca_names_read(&names, ca_certificate(ca))) {
        print_row("names", "out of memory");
    } else if (names.permitted[0]) {
        print_row("names", "these, and all below them; no addresses:");
        print_list("", names.permitted);
    } else {
        print_row("names", "any");
        walk(&w, print_widest);
    }
    if (names.excluded && names.excluded[0])
        print_list("but not", names.excluded);
    ca_names_fini(&names);
}

bool ca_print(const struct ca *ca, const struct conf *conf)
{
    X509 *x = ca_certificate(ca);
    struct walk w = {.ca = ca, .conf = conf};
    struct ca_files files = ca_files_of(conf->tf.ca.directory);
    print_row("certificate", files.certificate);
    print_row("key", files.key);
    print_name("subject", X509_get_subject_name(x));
    if (X509_self_signed(x, 0) == 1)
        print_row("issuer", "itself");
    else
        print_name("issuer", X509_get_issuer_name(x));
    print_serial(x);
    print_fingerprint("SHA-256", x, EVP_sha256(), "");
    print_fingerprint("SHA-1", x, EVP_sha1(), " (Windows calls it thumbprint)");
    print_dates(x);
    print_names(ca, conf);
    walk(&w, print_uncovered);
    if (w.found > UNCOVERED_MAX)
        printf("%-12s and %zu more\n", "", w.found - UNCOVERED_MAX);
    if (w.found > 0)
        printf(
            "The rules have outgrown the CA: tlsfloor ca init --renew, then import the new certificate.\n");
    return w.found == 0;
}
