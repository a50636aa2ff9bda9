/* A configuration file and the environment to a counted snapshot; see
 * conf_load.h. Lines are read by conf_file.c, settings by lib/conf.c. */
#include "conf_load.h"

#include "../lib/calendar.h"
#include "conf_file.h"
#include "sockaddr.h"
#include <assert.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Bytes of memory that a byte of settings can need at most (short rules, each with all its keys), and what
 * the defaults need. Memory that is not used is never touched, so this costs address space only. */
enum { MEMORY_PER_BYTE = 128, MEMORY_AT_LEAST = 1 << 16 };

/* What one load is given, and to whom it reports. */
struct call {
    const char *file;
    FILE *errors;
    bool tells_notes;
    const struct conf_option *options; /* NULL: there are none */
    bool is_usage;                     /* an option is to blame */
};

void conf_report(void *errors, enum tf_severity severity, const struct tf_origin *at, const char *sentence)
{
    static const char *const prefixes[] = {[TF_ERROR] = "", [TF_WARNING] = "warning: ", [TF_NOTE] = "note: "};
    char where[4352]; /* a path and a line */
    struct tf_writer w = tf_writer_of(where, sizeof where);
    tf_put_origin(&w, at);
    fprintf(errors, "%.*s: %s%s\n", (int)w.len, where, prefixes[severity], sentence);
}

static void on_report(void *arg, enum tf_severity severity, const struct tf_origin *at, const char *sentence)
{
    struct call *call = arg;
    if (severity == TF_NOTE && !call->tells_notes)
        return;
    if (severity == TF_ERROR && at->source == TF_FROM_OPTION)
        call->is_usage = true;
    conf_report(call->errors, severity, at, sentence);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The variables that are ours, in the order of their names, so that rules made by them keep an order. NULL:
 * out of memory. To be freed; the texts are the environment's. */
static char **own_variables(size_t *count, size_t *bytes)
{
    size_t n = 0;
    while (environ && environ[n])
        n++;
    char **list = calloc(n + 1, sizeof *list);
    *count = *bytes = 0;
    for (size_t i = 0; list && i < n; i++) {
        if (strncmp(environ[i], "TLSFLOOR_", 9) != 0)
            continue;
        list[(*count)++] = environ[i];
        *bytes += strlen(environ[i]);
    }
    if (list)
        qsort(list, *count, sizeof *list, compare_texts);
    return list;
}

static void feed_variables(struct tf_conf_load *load, char *const *variables)
{
    for (; *variables; variables++) {
        const char *equals = strchr(*variables, '=');
        const char *name =
            equals ? tf_arena_text(load->arena, *variables, (size_t)(equals - *variables)) : NULL;
        if (name)
            tf_conf_environment(load, name, equals + 1);
    }
}

static void feed_options(struct tf_conf_load *load, const struct conf_option *options)
{
    for (const struct conf_option *o = options; o && o->name; o++) {
        struct tf_origin at = {.source = TF_FROM_OPTION, .name = o->name};
        if (!o->value)
            continue;
        tf_conf_section(load, o->section, at);
        tf_conf_set(load, o->key, o->value, at);
    }
}

/* The endpoint set: the last of what a configuration needs to be one. */
static bool load_endpoints(struct conf *c, FILE *errors)
{
    char error[1024], sentence[1280];
    const char *overlay = c->tf.m365.overlay;

    c->endpoints = endpoints_load(&c->tf, error, sizeof error);
    if (c->endpoints) {
        c->tf.policy.m365 = &c->endpoints->m365;
        return true;
    }
    /* The error begins with the name of the file that is to blame. */
    const char *key = overlay[0] && strncmp(error, overlay, strlen(overlay)) == 0 ? "overlay" : "endpoints";
    snprintf(sentence, sizeof sentence, "[m365] %s: %s", key, error);
    conf_report(errors, TF_ERROR, tf_conf_origin(&c->tf, "m365", key), sentence);
    return false;
}

/* [gateway] name. */
static void take_name(struct conf *c)
{
    struct tf_target host;
    if (c->tf.name[0])
        return;
    bool is_known = gethostname(c->host_name, sizeof c->host_name - 1) == 0 &&
                    tf_host_parse(c->host_name, strlen(c->host_name), &host) == TF_HOST_OK;
    snprintf(c->host_name, sizeof c->host_name, "%s", is_known ? host.host : "localhost");
    c->tf.name = c->host_name;
}

/* Loads text[0..n), the variables and the options into c. */
static bool fill(struct conf *c, struct call *call, const char *text, size_t n, char *const *variables)
{
    struct tf_conf_load load = {
        .conf = &c->tf,
        .arena = &c->arena,
        .today = tf_day_of(time(NULL)),
        .whole = {.source = TF_FROM_FILE, .name = c->file},
        .report = on_report,
        .arg = call,
    };
    tf_conf_begin(&load);
    if (!conf_file_feed(&load, c->file, text, n))
        return false;
    feed_variables(&load, variables);
    feed_options(&load, call->options);
    if (!tf_conf_finish(&load) || !load_endpoints(c, call->errors))
        return false;
    take_name(c);
    return true;
}

static struct conf *new_conf(const char *file, size_t arena_size)
{
    struct conf *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->refs = 1;
    c->file = strdup(file);
    c->arena = (struct tf_arena){.base = malloc(arena_size), .size = arena_size};
    if (c->file && c->arena.base)
        return c;
    conf_unref(c);
    return NULL;
}

/* The addresses as they were configured, for whoever asks before the sockets are bound. */
static bool set_configured(struct conf *c)
{
    size_t n = 1;
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next)
        n += l->address_count;
    struct tf_addr *list = calloc(n, sizeof *list);
    if (!list)
        return false;
    n = 0;
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next)
        for (size_t i = 0; i < l->address_count; i++)
            list[n++] = l->addresses[i];
    if (c->tf.admin_on)
        list[n++] = c->tf.admin;
    bool ok = conf_set_bound(c, list, n);
    free(list);
    return ok;
}

static size_t bytes_of_options(const struct conf_option *options)
{
    size_t bytes = 0;
    for (const struct conf_option *o = options; o && o->name; o++)
        bytes += o->value ? strlen(o->value) : 0;
    return bytes;
}

/* The snapshot of text[0..n), the environment and the options. */
static struct conf *make_conf(struct call *call, const char *text, size_t n)
{
    size_t count, bytes;
    char **variables = own_variables(&count, &bytes);
    bytes += n + bytes_of_options(call->options);
    struct conf *c = variables ? new_conf(call->file, MEMORY_AT_LEAST + MEMORY_PER_BYTE * bytes) : NULL;
    bool ok = c && fill(c, call, text, n, variables);
    if (!c || (ok && !set_configured(c))) {
        fprintf(call->errors, "%s: out of memory\n", call->file);
        ok = false;
    }
    free(variables);
    if (ok)
        return c;
    conf_unref(c);
    return NULL;
}

/* ` -c FILE`; without memory for it, hints are a little shorter. */
static const char *option_of(struct conf *c)
{
    size_t size = strlen(c->file) + sizeof " -c ";
    char *option = tf_arena_alloc(&c->arena, size);
    if (option)
        snprintf(option, size, " -c %s", c->file);
    return option;
}

static struct conf *load(struct call *call)
{
    bool is_default = strcmp(call->file, conf_default_file()) == 0;
    char error[256];
    size_t n;
    char *text = conf_file_read(call->file, &n, error, sizeof error);
    if (!text) {
        fprintf(call->errors, "%s: %s%s\n", call->file, error,
                is_default ? "; name the configuration file with -c FILE" : "");
        return NULL;
    }
    struct conf *c = make_conf(call, text, n);
    if (c && !is_default)
        c->tf.option = option_of(c);
    free(text);
    return c;
}

static struct conf *load_or_defaults(struct call *call)
{
    /* No configuration is one without a listener. */
    static const char least[] = "[listener proxy]\nlisten = 127.0.0.1:3128\n";
    bool has_file = call->file || access(conf_default_file(), F_OK) == 0;
    if (!call->file)
        call->file = has_file ? conf_default_file() : "the defaults";
    return has_file ? load(call) : make_conf(call, least, sizeof least - 1);
}

struct conf *conf_load(const char *file, FILE *errors)
{
    return load(&(struct call){.file = file, .errors = errors});
}

struct conf *conf_load_with_notes(const char *file, FILE *errors)
{
    return load(&(struct call){.file = file, .errors = errors, .tells_notes = true});
}

struct conf *conf_load_or_defaults(const char *file, FILE *errors)
{
    return load_or_defaults(&(struct call){.file = file, .errors = errors});
}

struct conf *conf_load_with_options(const char *file, const struct conf_option *options, FILE *errors,
                                    bool *is_usage)
{
    struct call call = {.file = file, .errors = errors, .options = options};
    struct conf *c = load_or_defaults(&call);
    *is_usage = call.is_usage;
    return c;
}

struct conf *conf_ref(struct conf *c)
{
    unsigned before = atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    assert(before > 0);
    return c;
}

void conf_unref(struct conf *c)
{
    if (!c)
        return;
    unsigned before = atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    endpoints_free(c->endpoints);
    free(c->own);
    free(c->arena.base);
    free(c->file);
    free(c);
}

const char *conf_default_file(void)
{
    static const char here[] = "conf/tlsfloor.ini";
    return access(here, F_OK) == 0 ? here : "/etc/tlsfloor/tlsfloor.ini";
}

bool conf_set_bound(struct conf *c, const struct tf_addr *bound, size_t n)
{
    struct ifaddrs *interfaces = NULL;
    size_t room = n, local = 0;

    /* Without interfaces (a sandbox may hide them) loopback is still known to be local. */
    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next)
        room++;
    struct tf_addr *own = calloc(room + 1, sizeof *own);
    if (own && n > 0)
        memcpy(own, bound, n * sizeof *own);
    for (const struct ifaddrs *i = interfaces; own && i; i = i->ifa_next)
        if (i->ifa_addr && sockaddr_to_addr(i->ifa_addr, &own[n + local]))
            local++;
    if (interfaces)
        freeifaddrs(interfaces);
    if (!own)
        return false;

    free(c->own);
    c->own = own;
    c->tf.access.listeners = own;
    c->tf.access.listener_count = n;
    c->tf.access.local = own + n;
    c->tf.access.local_count = local;
    return true;
}
