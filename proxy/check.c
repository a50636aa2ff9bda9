/* `tlsfloor check`: what is wrong with the configuration, what is in force,
 * and what there is to write. */
#include "check.h"

#include "conf_file.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

/* Prints what `put` writes, however long it is. */
static bool print(void (*put)(struct tf_writer *, const void *), const void *arg)
{
    for (size_t size = 1 << 16; size <= (size_t)1 << 30; size *= 4) {
        char *text = malloc(size);
        struct tf_writer w = tf_writer_of(text, text ? size : 0);
        put(&w, arg);
        if (!w.full)
            fwrite(w.p, 1, w.len, stdout);
        free(text);
        if (!w.full)
            return fflush(stdout) == 0;
    }
    return false;
}

static void put_settings(struct tf_writer *w, const void *conf)
{
    tf_put_conf(w, conf);
}

static void put_reference(struct tf_writer *w, const void *nothing)
{
    (void)nothing;
    tf_put_conf_reference(w);
}

int check_access(const char *path, int what)
{
    return faccessat(AT_FDCWD, path, what, AT_EACCESS) == 0 ? 0 : errno;
}

/* Tells of a log file that `run` could not open. False: whoever runs it, since the path is wrong. */
static bool check_log(const struct tf_conf *conf, const char *key, const char *file)
{
    char error[128], sentence[1024];
    struct stat st;
    bool exists = stat(file, &st) == 0;
    char *copy = strdup(file);
    const char *directory = copy ? dirname(copy) : "";

    int why = exists ? check_access(file, W_OK) : check_access(directory, W_OK | X_OK);
    if (exists && S_ISDIR(st.st_mode))
        why = EISDIR;
    conf_error_text(why, error, sizeof error);
    int n = snprintf(sentence, sizeof sentence, "[log] %s = %.300s: %s", key, file, error);
    if (!exists)
        snprintf(sentence + n, sizeof sentence - (size_t)n,
                 "; make the directory %.300s, writable for the user of the gateway", directory);
    bool is_fatal = why != 0 && why != EACCES;
    if (why != 0)
        conf_report(stderr, is_fatal ? TF_ERROR : TF_WARNING, tf_conf_origin(conf, "log", key), sentence);
    free(copy);
    return !is_fatal;
}

static bool is_file(const char *sink)
{
    return strcmp(sink, "-") != 0 && strcmp(sink, "off") != 0;
}

static bool check_logs(const struct tf_conf *conf)
{
    bool block = !is_file(conf->log.block) || check_log(conf, "block", conf->log.block);
    bool access = !is_file(conf->log.access) || check_log(conf, "access", conf->log.access);
    return block && access;
}

static int check_file(const char *file, bool dump)
{
    unsigned listeners = 0;
    struct conf *c = conf_load(file, stderr);
    if (!c)
        return FINDING;

    bool upgrades = check_upgrades(c), logs = check_logs(&c->tf), doors = check_doors(c);
    bool ok = upgrades && logs && doors;
    check_upstreams(c);
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next)
        listeners++;
    if (ok && dump) {
        ok = print(put_settings, &c->tf);
    } else if (ok) {
        check_transparent(&c->tf);
        printf("%s: fine: %u listener%s, %zu rule%s\n", file, listeners, listeners == 1 ? "" : "s",
               c->tf.policy.rule_count, c->tf.policy.rule_count == 1 ? "" : "s");
    }
    conf_unref(c);
    return ok ? FINE : FINDING;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor check " CHECK_ARGUMENTS "\n");
    return code;
}

int check_main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"dump", no_argument, NULL, 'd'},
                                            {"reference", no_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *file = conf_default_file();
    bool dump = false, reference = false;
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'd':
            dump = true;
            break;
        case 'r':
            reference = true;
            break;
        case 'h':
            return usage(stdout, FINE);
        default: /* getopt has said what is wrong */
            return usage(stderr, USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tlsfloor check: '%s' is not expected; the file is given with -c\n", argv[optind]);
        return usage(stderr, USAGE);
    }
    if (reference)
        return print(put_reference, NULL) ? FINE : FINDING;
    return check_file(file, dump);
}
