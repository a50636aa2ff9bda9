/* `tlsfloor endpoints update`: a new set, from the web service or a file, in
 * place of the one that is kept. Nothing is replaced before the new set has
 * been read with the gateway's own parser and found plausible, and then at
 * once; a failure at any point leaves what was there. Beside FILE it keeps
 * FILE.old, the set before, FILE.version, what the service calls the set, and
 * FILE.client-id, what the service knows this machine by. */
#include "endpoints_command.h"

#include "conf_file.h"
#include "endpoints_builtin.h"
#include "endpoints_service.h"
#include "whole_file.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct update {
    const struct endpoints_call *call;
    const char *file; /* to be written */
    char *kept;       /* what is in it now; NULL: it is not there */
    size_t kept_len;
    const char *origin; /* of the new text, for messages */
    char *text;
    size_t len;
    char version[64]; /* the service's instance and version; "": it did not come by its version */
    char error[ENDPOINTS_ERROR_MAX];
};

enum got { GOT_SET, GOT_NOTHING_NEW, GOT_ERROR };

/* FILE with one of the endings; cut, and then of no use, beyond what the kernel takes. */
static const char *beside(const struct update *u, const char *ending, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s%s", u->file, ending);
    return path;
}

static char *read_file(struct update *u, const char *file, size_t *n)
{
    char why[160];
    char *text = conf_file_read(file, n, why, sizeof why);
    if (!text)
        snprintf(u->error, sizeof u->error, "%s: %s", file, why);
    return text;
}

static bool write_file(struct update *u, const char *path, const char *text, size_t n)
{
    int why = whole_file_write(path, text, n, 0644, true);
    if (why != 0)
        snprintf(u->error, sizeof u->error, "%s cannot be written: %s", path, strerror(why));
    return why == 0;
}

/* Whether the set that is kept is of u->version. */
static bool is_current(struct update *u)
{
    char path[PATH_MAX];
    size_t n;
    char *version = u->kept ? read_file(u, beside(u, ".version", path), &n) : NULL;
    bool is = version && n == strlen(u->version) && memcmp(version, u->version, n) == 0;
    free(version);
    return is;
}

/* From the web service, if it has a newer one, or from a URL. */
static enum got download_with(struct update *u, struct endpoints_service *s)
{
    char path[PATH_MAX], version[ENDPOINTS_VERSION_SIZE];
    const char *instance = endpoints_instance(s->conf->m365.instance);
    struct fetched answer;

    if (u->call->url) {
        if (!endpoints_service_get(s, u->call->url, &answer))
            return GOT_ERROR;
    } else {
        if (!endpoints_service_identify(s, beside(u, ".client-id", path)) ||
            !endpoints_service_version(s, instance, version))
            return GOT_ERROR;
        snprintf(u->version, sizeof u->version, "%s %s", instance, version);
        if (!u->call->force && is_current(u))
            return GOT_NOTHING_NEW;
        if (!endpoints_service_sets(s, instance, &answer))
            return GOT_ERROR;
    }
    u->text = answer.body;
    u->len = answer.len;
    u->origin = u->call->url ? u->call->url : "the answer of endpoints.office.com";
    return GOT_SET;
}

static enum got download(struct update *u)
{
    struct tls *tls = tls_new(u->call->conf, NULL, NULL, u->error, sizeof u->error);
    if (!tls)
        return GOT_ERROR;
    struct endpoints_service s = {
        .conf = u->call->conf, .tls = tls, .error = u->error, .error_size = sizeof u->error};
    enum got got = download_with(u, &s);
    tls_unref(tls);
    return got;
}

static enum got get(struct update *u)
{
    if (!u->call->from)
        return download(u);
    u->origin = u->call->from;
    u->text = read_file(u, u->origin, &u->len);
    return u->text ? GOT_SET : GOT_ERROR;
}

/* A set that has lost most of its names is hardly what the service meant to say. */
static bool is_plausible(struct update *u, const struct tf_m365 *before, const struct tf_m365 *after)
{
    if (u->call->force || 2 * after->entry_count >= before->entry_count)
        return true;
    snprintf(u->error, sizeof u->error, "%s has %zu names, and %s has %zu; if that is right, say --force",
             u->origin, after->entry_count, before->origin, before->entry_count);
    return false;
}

static bool is_another(const struct update *u)
{
    return u->kept && (u->kept_len != u->len || memcmp(u->kept, u->text, u->len) != 0);
}

/* The old set, if it is another, goes to FILE.old. No version stands there while the set that it is of does
 * not. */
static bool replace(struct update *u)
{
    char path[PATH_MAX];
    if (is_another(u) && !write_file(u, beside(u, ".old", path), u->kept, u->kept_len))
        return false;
    if (unlink(beside(u, ".version", path)) != 0 && errno != ENOENT) {
        snprintf(u->error, sizeof u->error, "%s cannot be removed: %s", path, strerror(errno));
        return false;
    }
    if (!write_file(u, u->file, u->text, u->len))
        return false;
    if (u->version[0] != '\0' && !write_file(u, path, u->version, strlen(u->version)))
        fprintf(stderr, "tlsfloor endpoints: %s; the next update will fetch the same set again\n", u->error);
    return true;
}

static void print_next(const struct update *u, const struct tf_m365 *after)
{
    const struct tf_conf *conf = u->call->conf;
    printf("%s has %zu sets with %zu names", u->file, after->set_count, after->entry_count);
    if (u->version[0] != '\0')
        printf(", %s", u->version);
    if (is_another(u))
        printf("; the set before is in %s.old", u->file);
    printf("\n");
    if (strcmp(u->file, conf->m365.endpoints) != 0)
        printf("to use it, write endpoints = %s into [m365] of the configuration; then ", u->file);
    printf("kill -HUP the gateway\n");
}

static bool install(struct update *u)
{
    const struct tf_conf *conf = u->call->conf;
    struct endpoints *e =
        endpoints_parse(u->text, u->len, u->origin, conf->m365.overlay, u->error, sizeof u->error);
    bool ok = e && is_plausible(u, conf->policy.m365, &e->m365) && replace(u);
    if (ok) {
        endpoints_print_changes(conf->policy.m365, &e->m365);
        print_next(u, &e->m365);
    }
    endpoints_free(e);
    return ok;
}

/* Reads what is to be replaced, if it is there. A device or a link is not ours to replace. */
static bool read_kept(struct update *u)
{
    struct stat s;
    if (lstat(u->file, &s) != 0) {
        int why = errno;
        snprintf(u->error, sizeof u->error, "%s: %s", u->file, strerror(why));
        return why == ENOENT;
    }
    if (!S_ISREG(s.st_mode)) {
        snprintf(u->error, sizeof u->error, "%s is no plain file; name one that can be replaced", u->file);
        return false;
    }
    u->kept = read_file(u, u->file, &u->kept_len);
    return u->kept != NULL;
}

static enum endpoints_exit fail(const struct update *u)
{
    fprintf(stderr, "tlsfloor endpoints: %s; %s\n", u->error,
            u->kept ? "the set that is kept stays in place" : "nothing has been written");
    return ENDPOINTS_FINDING;
}

static enum endpoints_exit update(struct update *u)
{
    switch (get(u)) {
    case GOT_SET:
        return install(u) ? ENDPOINTS_FINE : fail(u);
    case GOT_NOTHING_NEW:
        printf("%s is current: %s\n", u->file, u->version);
        return ENDPOINTS_FINE;
    case GOT_ERROR:
        return fail(u);
    }
    return fail(u);
}

enum endpoints_exit endpoints_update(const struct endpoints_call *call)
{
    struct update u = {.call = call, .file = call->output ? call->output : call->conf->m365.endpoints};

    if (call->from && call->url) {
        fprintf(stderr, "tlsfloor endpoints: --from and --url are two places; name one\n");
        return ENDPOINTS_USAGE;
    }
    if (strcmp(u.file, "builtin") == 0) {
        fprintf(
            stderr,
            "tlsfloor endpoints: the set in use is built in; name a file for the new one with -o FILE, and "
            "the same in [m365] endpoints of the configuration\n");
        return ENDPOINTS_USAGE;
    }
    enum endpoints_exit code = read_kept(&u) ? update(&u) : fail(&u);
    free(u.kept);
    free(u.text);
    return code;
}
