/* What `check` has to say of upgrades: the CA, the names that it may vouch
 * for, and the files of the outside leg. It asks those who load them for
 * `run`, and makes nothing. */
#include "check.h"

#include "conf_file.h"
#include "tls.h"
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SENTENCE_MAX = 1024 };

static void report(const struct tf_conf *conf, enum tf_severity severity, const char *section,
                   const char *key, const char *sentence)
{
    conf_report(stderr, severity, tf_conf_origin(conf, section, key), sentence);
}

/* Whether a directory, and those above it, could be made, as errno. */
static int try_make(const char *directory)
{
    char *path = strdup(directory);
    const char *at = path;
    int why = path ? 0 : ENOMEM;
    while (at && (why = check_access(at, W_OK | X_OK)) == ENOENT)
        at = dirname(path);
    free(path);
    return why;
}

/* Where none can be made, settings that count on it keep the gateway from starting. */
static bool report_missing(const struct tf_conf *conf)
{
    char error[128], sentence[SENTENCE_MAX];
    if (conf->ca.must_be_there) {
        snprintf(
            sentence, sizeof sentence,
            "[ca] directory: there is no CA in %.300s, and with make = off none is made; put the ca.pem and "
            "ca.key there that the gateways share, or make them: tlsfloor ca init",
            conf->ca.directory);
        report(conf, TF_ERROR, "ca", "directory", sentence);
        return false;
    }
    int why = try_make(conf->ca.directory);
    if (why == 0) {
        snprintf(
            sentence, sizeof sentence,
            "[ca] directory: there is no CA in %.300s yet; the first run makes one, as tlsfloor ca init does",
            conf->ca.directory);
        report(conf, TF_NOTE, "ca", "directory", sentence);
        return true;
    }
    bool is_fatal = ca_is_needed(conf);
    conf_error_text(why, error, sizeof error);
    snprintf(
        sentence, sizeof sentence,
        "[ca] directory: there is no CA in %.300s, and none can be made: %s; make the directory, "
        "writable for the user of the gateway, or make the CA elsewhere (tlsfloor ca init) and mount its "
        "ca.pem and ca.key there%s",
        conf->ca.directory, error, check_hint(why));
    report(conf, is_fatal ? TF_ERROR : TF_WARNING, "ca", "directory", sentence);
    return !is_fatal;
}

/* Without its CA the gateway holds the floor, and upgrades nobody; where its settings count on it, it does
 * not start. */
static bool report_broken(const struct tf_conf *conf, const char *error)
{
    char key[512], sentence[SENTENCE_MAX];
    bool is_fatal = ca_is_needed(conf);
    snprintf(key, sizeof key, "%.500s/ca.key", conf->ca.directory);
    snprintf(sentence, sizeof sentence, "[ca] directory: %s%s%s", error, check_hint(check_access(key, R_OK)),
             is_fatal ? "" : "; until then nobody is upgraded");
    report(conf, is_fatal ? TF_ERROR : TF_WARNING, "ca", "directory", sentence);
    return !is_fatal;
}

/* The CA in *ca, NULL if there is none to go on with. */
static bool check_ca(const struct tf_conf *conf, struct ca **ca)
{
    char error[CA_ERROR_MAX];
    bool missing;

    *ca = ca_load(conf, &missing, error, sizeof error);
    if (*ca)
        ca_report_outgrown(*ca, conf, stderr);
    else
        return missing ? report_missing(conf) : report_broken(conf, error);
    return true;
}

/* At the key that the error names. Always false. */
static bool report_tls(const struct tf_conf *conf, const char *error)
{
    const struct {
        const char *key, *file;
    } rows[] = {{"ca_file", conf->upstream.ca_file},
                {"certificate", conf->upstream.certificate},
                {"key", conf->upstream.key}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char start[64], sentence[SENTENCE_MAX];
        int n = snprintf(start, sizeof start, "[upstream] %s:", rows[i].key);
        if (strncmp(error, start, (size_t)n) != 0)
            continue;
        snprintf(sentence, sizeof sentence, "%s%s", error, check_hint(check_access(rows[i].file, R_OK)));
        report(conf, TF_ERROR, "upstream", rows[i].key, sentence);
        return false;
    }
    report(conf, TF_ERROR, "ca", "directory", error);
    return false;
}

bool check_upgrades(const struct conf *c)
{
    const struct tf_conf *conf = &c->tf;
    char error[SENTENCE_MAX];
    struct ca *ca = NULL;

    if (!conf->policy.can_upgrade)
        return true;
    if (!tls_can_tls10())
        report(conf, TF_WARNING, "ca", "directory",
               "this OpenSSL cannot do TLS 1.0 at all: clients that need it cannot be upgraded");
    bool ok = check_ca(conf, &ca);
    struct tls *tls = tls_new(conf, ca, NULL, error, sizeof error);
    if (!tls && ca)
        ca_unref(ca);
    ok = (tls || report_tls(conf, error)) && ok;
    tls_unref(tls);
    return ok;
}
